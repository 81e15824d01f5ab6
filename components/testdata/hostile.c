// hostile.c is five bad transformers: each links like a good one and then misbehaves in every call.
// BEHAVIOUR is LOOP, TRAP, MEMORY, RECURSE or GARBAGE. tools/components.sh builds hostile-*.wasm of it.
typedef unsigned int u32;

#define EXPORT(name) __attribute__((export_name(name)))
#define LOOP 1
#define TRAP 2
#define MEMORY 3
#define RECURSE 4
#define GARBAGE 5

static char arena[1 << 20];
static u32 used;

// Arguments are written over those of calls that are over: nothing here reads them.
EXPORT("cabi_realloc") void *cabi_realloc(void *old, u32 old_size, u32 align, u32 size) {
  (void)old;
  (void)old_size;
  used = (used + align - 1) & ~(align - 1);
  if (size > sizeof arena) __builtin_trap();
  if (used + size > sizeof arena) used = 0;
  void *p = arena + used;
  used += size;
  return p;
}

struct text { const char *ptr; u32 len; };
static const struct text everything = {"#", 1};

// result<interest, string>
static struct { u32 tag; const struct text *in; u32 in_len; const struct text *out; u32 out_len; }
    configured = {0, &everything, 1, &everything, 1};

EXPORT("hpmq:broker/lifecycle@0.1.0#configure") void *configure(void) { return &configured; }

#if BEHAVIOUR == RECURSE
static volatile u32 depth;
static __attribute__((noinline)) u32 fall(u32 n) {
  volatile char frame[64];
  frame[n % 64] = (char)n;
  depth = n;
  return fall(n + 1) + (u32)frame[(n + 1) % 64];
}
#endif

// variant outcome: case 9 does not exist, and the list lies outside the memory.
static u32 outcome[3] = {9, 0xFFFFFF00u, 0x7FFFFFFFu};

static void *misbehave(void) {
#if BEHAVIOUR == LOOP
  for (volatile u32 i = 0;;) i++;
#elif BEHAVIOUR == TRAP
  __builtin_trap();
#elif BEHAVIOUR == MEMORY
  while (__builtin_wasm_memory_grow(0, 16) != (unsigned long)-1) {}
  __builtin_trap();
#elif BEHAVIOUR == RECURSE
  outcome[0] = fall(0);
#elif BEHAVIOUR != GARBAGE
#error "BEHAVIOUR must be LOOP, TRAP, MEMORY, RECURSE or GARBAGE"
#endif
  return outcome;
}

#define IDENTITY u32 a, u32 b, u32 c, u32 d, u32 e, u32 f, u32 g, u32 h, u32 i, u32 j
#define MESSAGE u32 k, u32 l, u32 m, u32 n, u32 o, u32 p

EXPORT("hpmq:broker/transformer@0.1.0#upstream") void *upstream(IDENTITY, MESSAGE) {
  return misbehave();
}

EXPORT("hpmq:broker/transformer@0.1.0#downstream") void *downstream(IDENTITY, MESSAGE) {
  return misbehave();
}
