//! The block that the broker writes arguments to, see "The argument block" in `wit/README.md`: what
//! lies there is freed like all else, and the broker waits with new arguments until all of it was.

use std::alloc::{GlobalAlloc, Layout, System};
use std::ptr;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering::Relaxed};

/// The allocator of components: the system's, with the block beside it.
///
/// A component has one thread, so the atomics are plain numbers.
struct Blocked {
    start: AtomicUsize,
    size: AtomicUsize,
}

#[cfg(target_family = "wasm")]
#[global_allocator]
static ALLOCATOR: Blocked = Blocked { start: AtomicUsize::new(0), size: AtomicUsize::new(0) };

impl Blocked {
    /// Makes the block; its first 4 bytes count the arguments in it that were not freed.
    fn open(&self, size: usize) -> *mut u8 {
        let Ok(layout) = Layout::from_size_align(size, 8) else { return ptr::null_mut() };
        if size < 8 || self.size.load(Relaxed) != 0 {
            return ptr::null_mut();
        }
        // SAFETY: the layout is of 8 bytes and more. The block is never freed.
        let block = unsafe { System.alloc_zeroed(layout) };
        if !block.is_null() {
            self.start.store(block as usize, Relaxed);
            self.size.store(size, Relaxed);
        }
        block
    }

    fn has(&self, at: *mut u8) -> bool {
        (at as usize).wrapping_sub(self.start.load(Relaxed)) < self.size.load(Relaxed)
    }

    /// Counts an argument as freed.
    fn release(&self) {
        // SAFETY: the block begins with this number, aligned to 8, and the broker, which writes it
        // too, does so only while the component is in no call.
        let held = unsafe { &*(self.start.load(Relaxed) as *const AtomicU32) };
        held.store(held.load(Relaxed).wrapping_sub(1), Relaxed);
    }
}

// SAFETY: what the system gives is the system's to free and to grow. What lies in the block was given
// out by the broker, which is this allocator's other half: each argument once, none while one of the
// call before is alive, for the number at the start of the block is not 0 then. So what lies there
// belongs to its owner until that frees it, however long it keeps it, as from any other allocator.
unsafe impl GlobalAlloc for Blocked {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        if self.has(at) {
            self.release();
        } else {
            unsafe { System.dealloc(at, layout) }
        }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if !self.has(at) {
            return unsafe { System.realloc(at, layout, size) };
        }
        // SAFETY: size is not 0 and no more than the alignment allows, as the caller promises.
        let to = unsafe { System.alloc(Layout::from_size_align_unchecked(size, layout.align())) };
        if !to.is_null() {
            unsafe { ptr::copy_nonoverlapping(at, to, layout.size().min(size)) };
            self.release();
        }
        to
    }
}

/// Answers the address of the block, once.
#[cfg(target_family = "wasm")]
#[unsafe(no_mangle)]
extern "C" fn hpmq_counted_arguments(size: usize) -> *mut u8 {
    ALLOCATOR.open(size)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_in_the_block_is_counted() {
        let a = Blocked { start: AtomicUsize::new(0), size: AtomicUsize::new(0) };
        let block = a.open(64);
        assert!(!block.is_null() && a.open(64).is_null());
        let held = block as *mut u32;
        let three = Layout::from_size_align(3, 1).unwrap();
        // SAFETY: the block is ours here, and both places are in it.
        unsafe {
            *held = 2;
            let (x, y) = (block.add(8), block.add(11));
            ptr::copy_nonoverlapping(b"abc".as_ptr(), y, 3);
            a.dealloc(x, three);
            assert_eq!(*held, 1);
            let z = a.realloc(y, three, 5);
            assert!(*held == 0 && !a.has(z));
            assert_eq!(std::slice::from_raw_parts(z, 3), b"abc");
            let z = a.realloc(z, Layout::from_size_align(5, 1).unwrap(), 9);
            a.dealloc(z, Layout::from_size_align(9, 1).unwrap());
            assert!(*held == 0 && !a.has(block.add(64)) && a.has(block.add(63)));
        }
    }
}
