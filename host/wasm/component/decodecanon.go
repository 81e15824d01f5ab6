package component

import "fmt"

func readCanon(r *reader) Def {
	d := &DefCanon{}
	switch b := r.byte(); b {
	case 0x00:
		d.Kind = CanonLift
		r.want(0x00, "sort of a lift")
		d.Func, d.Options, d.Type = r.u32(), readOptions(r), r.u32()
	case 0x01:
		d.Kind = CanonLower
		r.want(0x00, "sort of a lower")
		d.Func, d.Options = r.u32(), readOptions(r)
		if d.Options.PostReturn != nil {
			r.fail("post-return of a lower: only a lift has one")
		}
	case 0x02:
		d.Kind, d.Type = CanonResourceNew, r.u32()
	case 0x03:
		d.Kind, d.Type = CanonResourceDrop, r.u32()
	case 0x04:
		d.Kind, d.Type = CanonResourceRep, r.u32()
	default:
		refuseBuiltin(r, b)
	}
	return d
}

// asyncBuiltins are named from 0x05 on; "" is not assigned.
var asyncBuiltins = [...]string{
	"task.cancel", "subtask.cancel", "resource.drop async", "backpressure.set", "task.return",
	"context.get", "context.set", "thread.yield", "subtask.drop", "stream.new", "stream.read",
	"stream.write", "stream.cancel-read", "stream.cancel-write", "stream.drop-readable",
	"stream.drop-writable", "future.new", "future.read", "future.write", "future.cancel-read",
	"future.cancel-write", "future.drop-readable", "future.drop-writable", "error-context.new",
	"error-context.debug-message", "error-context.drop", "waitable-set.new", "waitable-set.wait",
	"waitable-set.poll", "waitable-set.drop", "waitable.join", "backpressure.inc",
	"backpressure.dec", "thread.index", "thread.new-indirect", "thread.resume-later",
	"thread.suspend", "thread.suspend-then-resume", "thread.yield-then-resume",
	"thread.suspend-then-promote", "thread.yield-then-promote", "thread.set-task",
}

// refuseBuiltin names a canonical definition that is not served.
func refuseBuiltin(r *reader, b byte) {
	switch n := int(b) - 0x05; {
	case n >= 0 && n < len(asyncBuiltins):
		r.failWith(notServed(fmt.Sprintf("canon %s (0x%02x)", asyncBuiltins[n], b), buildSync))
	case b >= 0x40 && b <= 0x42:
		r.failWith(notServed(fmt.Sprintf("canon thread.* (0x%02x)", b), buildThreads))
	default:
		r.fail("0x%02x is no canonical definition", b)
	}
}

func readOptions(r *reader) Options {
	var o Options
	encoded := false
	for n := r.count(); n > 0 && r.err == nil; n-- {
		switch b := r.byte(); b {
		case 0x00, 0x01, 0x02:
			if encoded {
				r.fail("more than one string encoding")
			}
			encoded, o.Encoding = true, Encoding(b)
		case 0x03:
			readOption(r, &o.Memory, "memory")
		case 0x04:
			readOption(r, &o.Realloc, "realloc")
		case 0x05:
			readOption(r, &o.PostReturn, "post-return")
		case 0x06, 0x07:
			r.failWith(notServed("canon option async or callback", buildSync))
		case 0x08, 0x09:
			r.failWith(notServed("canon option core-type or gc", "build without the GC proposal"))
		default:
			r.fail("0x%02x is no canonical option", b)
		}
	}
	return o
}

func readOption(r *reader, to **uint32, name string) {
	if *to != nil {
		r.fail("option %s is there twice", name)
	}
	i := r.u32()
	*to = &i
}
