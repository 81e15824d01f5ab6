// kernels.c is five kinds of work, to measure what counting costs each. tools/components.sh builds
// kernels.wasm of it.
typedef unsigned int u32;
typedef unsigned char u8;

#define EXPORT(name) __attribute__((export_name(name)))
#define BYTES 65536
#define NUMBERS 4096
#define SIDE 48

static u8 text[BYTES];
static u32 numbers[NUMBERS];
static double a[SIDE][SIDE], b[SIDE][SIDE], c[SIDE][SIDE];

static u32 next(u32 *seed) { return *seed = *seed * 1664525u + 1013904223u; }

static __attribute__((noinline)) u32 fibonacci(u32 n) {
  return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2);
}

// Calls: 75,024 of them.
EXPORT("calls") u32 calls(void) { return fibonacci(23); }

// Hashing: FNV-1a of 64 KiB, one small loop.
EXPORT("hash") u32 hash(void) {
  u32 h = 2166136261u;
  for (u32 i = 0; i < BYTES; i++) h = (h ^ text[i]) * 16777619u;
  return h;
}

static void sift(u32 root, u32 end) {
  for (u32 child; (child = 2 * root + 1) < end; root = child) {
    if (child + 1 < end && numbers[child] < numbers[child + 1]) child++;
    if (numbers[root] >= numbers[child]) return;
    u32 t = numbers[root];
    numbers[root] = numbers[child];
    numbers[child] = t;
  }
}

// Sorting: heap sort of 4,096 numbers, branches that no processor guesses.
EXPORT("sort") u32 sort(void) {
  u32 seed = 7;
  for (u32 i = 0; i < NUMBERS; i++) numbers[i] = next(&seed);
  for (u32 i = NUMBERS / 2; i-- > 0;) sift(i, NUMBERS);
  for (u32 end = NUMBERS; end-- > 1;) {
    u32 t = numbers[0];
    numbers[0] = numbers[end];
    numbers[end] = t;
    sift(0, end);
  }
  return numbers[NUMBERS / 2];
}

// Numbers: a product of two 48 × 48 matrices.
EXPORT("matrix") u32 matrix(void) {
  for (u32 i = 0; i < SIDE; i++)
    for (u32 j = 0; j < SIDE; j++) a[i][j] = i + j, b[i][j] = (double)i - j;
  for (u32 i = 0; i < SIDE; i++)
    for (u32 j = 0; j < SIDE; j++) {
      double sum = 0;
      for (u32 k = 0; k < SIDE; k++) sum += a[i][k] * b[k][j];
      c[i][j] = sum;
    }
  return (u32)c[SIDE / 2][SIDE / 3];
}

// Scanning: strings, numbers and nesting in 64 KiB of JSON, as a payload transform would.
EXPORT("scan") u32 scan(void) {
  static const char one[] = "{\"t\":-21.5e3,\"unit\":\"\\\"C\\\"\",\"list\":[1,2,{\"x\":true}]},";
  const u32 size = sizeof one - 1;
  for (u32 i = 0; i < BYTES; i++) text[i] = one[i % size];
  u32 depth = 0, deepest = 0, strings = 0, digits = 0;
  for (u32 i = 0; i < BYTES; i++) {
    switch (text[i]) {
    case '{': case '[':
      if (++depth > deepest) deepest = depth;
      break;
    case '}': case ']':
      depth--;
      break;
    case '"':
      for (i++; i < BYTES && text[i] != '"'; i++)
        if (text[i] == '\\') i++;
      strings++;
      break;
    default:
      digits += text[i] >= '0' && text[i] <= '9';
    }
  }
  return deepest + strings * 16 + digits * 65536;
}
