// The canonical ABI as C sees it, with a heap that only grows.
typedef unsigned char u8;
typedef unsigned int u32;
typedef unsigned long long u64;

#define IMPORT(module, name) __attribute__((import_module(module), import_name(name)))
#define EXPORT(name) __attribute__((export_name(name)))

typedef struct { u8 *at; u32 len; } text;

static u32 heap;
static u8 space[32768] __attribute__((aligned(16)));

EXPORT("cabi_realloc") void *cabi_realloc(void *old, u32 old_size, u32 align, u32 size) {
  u32 at = (heap + align - 1) & -align;
  if (size > sizeof space || at > sizeof space - size) __builtin_trap();
  heap = at + size;
  for (u32 i = 0; i < old_size && i < size; i++) space[at + i] = ((u8 *)old)[i];
  return space + at;
}
