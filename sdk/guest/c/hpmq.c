// Memory, configuration and bytes: what every component has.
#include "abi.h"

#ifndef __wasm_bulk_memory__
#error "compile with -mbulk-memory"
#endif

void *memcpy(void *to, const void *from, size_t n);
void *memset(void *to, int c, size_t n);
int memcmp(const void *a, const void *b, size_t n);

// Memory is a piece that is ours: what lies below kept holds for ever, what lies above it until the
// first allocation after the call. A C library's malloc may grow the memory behind it; then a piece
// twice as large is begun elsewhere, and what was kept stays where it is.
static uintptr_t kept, used, end;
static bool ended;

static uintptr_t grow(size_t size) {
  size_t pages = __builtin_wasm_memory_grow(0, (size + 0xffff) >> 16);
  if (pages == (size_t)-1) __builtin_trap();
  end = __builtin_wasm_memory_size(0) << 16;
  return pages << 16;
}

static uint8_t *take(size_t align, size_t size) {
  if (ended) used = kept, ended = false;
  uintptr_t at = (used + align - 1) & ~(uintptr_t)(align - 1);
  if (size > 1u << 30) __builtin_trap();
  if (at + size > end) {
    bool behind = end == __builtin_wasm_memory_size(0) << 16;
    if (behind && end > 0)
      grow(at + size - end);
    else
      kept = at = grow(2 * (end - kept) + size);
  }
  used = at + size;
  return (uint8_t *)at;
}

void hpmq_end(void) { ended = true; }

void *hpmq_alloc(size_t size) { return take(8, size); }

__attribute__((export_name("cabi_realloc"))) void *cabi_realloc(void *old, size_t old_size,
                                                                size_t align, size_t size) {
  uint8_t *p = take(align, size);
  if (old_size > 0) memcpy(p, old, old_size < size ? old_size : size);
  return p;
}

// The block that the broker writes arguments to, see wit/README.md.
__attribute__((export_name("hpmq_arguments"))) void *hpmq_arguments(size_t size) {
  void *block = take(8, size);
  kept = used;
  return block;
}

// Configuration.

HPMQ_IMPORT("config@0.1.0", "json") void hpmq_config_json(hpmq_bytes *result);

enum { filters_max = 16 };
typedef struct {
  hpmq_bytes list[filters_max];
  size_t n;
} filters;
static filters inbound, outbound;

static void want(filters *f, const char *filter) {
  size_t n = 0;
  while (filter[n]) n++;
  if (f->n == filters_max) __builtin_trap();
  f->list[f->n++] = hpmq_bytes_of(filter, n);
}

void hpmq_want_inbound(const char *filter) { want(&inbound, filter); }
void hpmq_want_outbound(const char *filter) { want(&outbound, filter); }

// list is the filters as the broker is to have them.
static hpmq_bytes list(filters *f) {
  if (f->n == 0) want(f, "#");
  bool none = f->n == 1 && f->list[0].len == 0;
  return hpmq_bytes_of(f->list, none ? 0 : f->n);
}

__attribute__((weak)) const char *hpmq_configure(hpmq_bytes config) {
  (void)config;
  return NULL;
}

typedef struct {
  uint32_t failed;
  hpmq_bytes a, b;  // inbound and outbound; or a: the error
} configured;

HPMQ_EXPORT("lifecycle@0.1.0#configure") configured *hpmq_lifecycle_configure(void) {
  static configured result;
  hpmq_bytes config;
  hpmq_config_json(&config);
  const char *error = hpmq_configure(config);
  if (error) {
    size_t n = 0;
    while (error[n]) n++;
    result.failed = 1, result.a = hpmq_bytes_of(error, n);
  } else {
    result.a = list(&inbound), result.b = list(&outbound);
  }
  kept = used;
  hpmq_end();
  return &result;
}

HPMQ_IMPORT("log@0.1.0", "write")
void hpmq_log_write(uint32_t level, const uint8_t *ptr, size_t len);

void hpmq_log(hpmq_level level, hpmq_bytes text) { hpmq_log_write(level, text.ptr, text.len); }

// Bytes.

bool hpmq_equal(hpmq_bytes a, hpmq_bytes b) {
  return a.len == b.len && memcmp(a.ptr, b.ptr, a.len) == 0;
}

bool hpmq_starts(hpmq_bytes s, hpmq_bytes prefix) {
  return s.len >= prefix.len && memcmp(s.ptr, prefix.ptr, prefix.len) == 0;
}

bool hpmq_ends(hpmq_bytes s, hpmq_bytes suffix) {
  return s.len >= suffix.len &&
         memcmp(s.ptr + s.len - suffix.len, suffix.ptr, suffix.len) == 0;
}

hpmq_bytes hpmq_part(hpmq_bytes s, size_t at, size_t len) {
  if (at > s.len) at = s.len;
  if (len > s.len - at) len = s.len - at;
  return hpmq_bytes_of(s.ptr + at, len);
}

size_t hpmq_find(hpmq_bytes s, hpmq_bytes needle) {
  for (size_t i = 0; i + needle.len <= s.len; i++)
    if (memcmp(s.ptr + i, needle.ptr, needle.len) == 0) return i;
  return s.len;
}

void hpmq_put(hpmq_buffer *b, hpmq_bytes s) {
  if (s.len > b->cap - b->len) {
    size_t cap = 2 * b->cap + s.len + 64;
    uint8_t *p = hpmq_alloc(cap);
    memcpy(p, b->ptr, b->len);
    b->ptr = p, b->cap = cap;
  }
  memcpy(b->ptr + b->len, s.ptr, s.len);
  b->len += s.len;
}

void hpmq_put_json(hpmq_buffer *b, hpmq_bytes s) {
  hpmq_put(b, HPMQ_TEXT("\""));
  for (size_t i = 0; i < s.len; i++) {
    uint8_t c = s.ptr[i];
    uint8_t hex[6] = {'\\', 'u', '0', '0', "0123456789abcdef"[c >> 4], "0123456789abcdef"[c & 15]};
    if (c < 0x20) {
      hpmq_put(b, hpmq_bytes_of(hex, sizeof hex));
      continue;
    }
    if (c == '"' || c == '\\') hpmq_put(b, HPMQ_TEXT("\\"));
    hpmq_put(b, hpmq_bytes_of(&c, 1));
  }
  hpmq_put(b, HPMQ_TEXT("\""));
}

// What clang calls by itself.
// With -mbulk-memory the first two are one instruction each.

__attribute__((weak)) void *memcpy(void *to, const void *from, size_t n) {
  return __builtin_memcpy(to, from, n);
}

__attribute__((weak)) void *memset(void *to, int c, size_t n) { return __builtin_memset(to, c, n); }

__attribute__((weak)) int memcmp(const void *a, const void *b, size_t n) {
  const uint8_t *x = a, *y = b;
  for (; n; n--, x++, y++)
    if (*x != *y) return *x < *y ? -1 : 1;
  return 0;
}
