#include "rules.h"

#include <stdlib.h>
#include <string.h>

view view_of(const void *ptr, size_t len) { return (view){ptr, len}; }

static view from(view s, size_t at) { return view_of(s.ptr + at, s.len - at); }

bool equal(view a, view b) {
  return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

bool starts_with(view s, view prefix) {
  return s.len >= prefix.len && equal(view_of(s.ptr, prefix.len), prefix);
}

bool ends_with(view s, view suffix) {
  return s.len >= suffix.len && equal(from(s, s.len - suffix.len), suffix);
}

static bool is_space(uint8_t c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

static view trim(view s) {
  while (s.len > 0 && is_space(s.ptr[0])) s = from(s, 1);
  while (s.len > 0 && is_space(s.ptr[s.len - 1])) s.len--;
  return s;
}

// between is what stands between the brackets of a trimmed text, false if it has not both.
static bool between(view s, char open, char close, view *inner) {
  s = trim(s);
  if (s.len < 2 || s.ptr[0] != open || s.ptr[s.len - 1] != close) return false;
  *inner = view_of(s.ptr + 1, s.len - 2);
  return true;
}

// string_end is the index of the quote that ends the string which begins at i, or s.len.
static size_t string_end(view s, size_t i) {
  for (i++; i < s.len && s.ptr[i] != '"'; i++)
    if (s.ptr[i] == '\\') i++;
  return i < s.len ? i : s.len;
}

// Bytes that grow.

typedef struct {
  uint8_t *ptr;
  size_t len, cap;
} buffer;

static buffer buffer_of(size_t cap) {
  buffer b = {malloc(cap), 0, cap};
  if (b.ptr == NULL) abort();
  return b;
}

static void put(buffer *b, view s) {
  if (s.len > b->cap - b->len) {
    b->cap = 2 * b->cap + s.len;
    b->ptr = realloc(b->ptr, b->cap);
    if (b->ptr == NULL) abort();
  }
  if (s.len > 0) memcpy(b->ptr + b->len, s.ptr, s.len);
  b->len += s.len;
}

static void put_escaped(buffer *b, view s) {
  static const char digits[] = "0123456789abcdef";
  for (size_t i = 0; i < s.len; i++) {
    uint8_t c = s.ptr[i];
    if (c == '"' || c == '\\') {
      put(b, view_of((uint8_t[]){'\\', c}, 2));
    } else if (c < 0x20) {
      put(b, TEXT("\\u00"));
      put(b, view_of((char[]){digits[c >> 4], digits[c & 15]}, 2));
    } else {
      put(b, view_of(&c, 1));
    }
  }
}

static view whole(buffer b) { return view_of(b.ptr, b.len); }

// Numbers of RFC 8259, section 6.

static bool is_digit(uint8_t c) { return c >= '0' && c <= '9'; }

static bool skip(view *s, const char *any) {
  if (s->len == 0 || s->ptr[0] == 0 || strchr(any, s->ptr[0]) == NULL) return false;
  *s = from(*s, 1);
  return true;
}

static bool skip_digits(view *s) {
  size_t before = s->len;
  while (s->len > 0 && is_digit(s->ptr[0])) *s = from(*s, 1);
  return s->len < before;
}

static bool is_number(view s) {
  skip(&s, "-");
  if (!skip(&s, "0") && !skip_digits(&s)) return false;
  if (skip(&s, ".") && !skip_digits(&s)) return false;
  if (skip(&s, "eE")) {
    skip(&s, "+-");
    if (!skip_digits(&s)) return false;
  }
  return s.len == 0;
}

static size_t index_of(view s, uint8_t c) {
  size_t i = 0;
  while (i < s.len && s.ptr[i] != c) i++;
  return i;
}

static void put_pair(buffer *b, view part) {
  size_t eq = index_of(part, '=');
  view key = view_of(part.ptr, eq), value = from(part, eq < part.len ? eq + 1 : eq);
  if (b->len > 1) put(b, TEXT(","));
  put(b, TEXT("\""));
  put_escaped(b, key);
  put(b, TEXT("\":"));
  if (is_number(value)) {
    put(b, value);
    return;
  }
  put(b, TEXT("\""));
  put_escaped(b, value);
  put(b, TEXT("\""));
}

view pairs(view payload) {
  buffer b = buffer_of(2 * payload.len + 16);
  put(&b, TEXT("{"));
  for (;;) {
    size_t n = index_of(payload, ';');
    if (n > 0) put_pair(&b, view_of(payload.ptr, n));
    if (n == payload.len) break;
    payload = from(payload, n + 1);
  }
  put(&b, TEXT("}"));
  return whole(b);
}

int batch(view payload, each put_element, void *to) {
  view s;
  if (!between(payload, '[', ']', &s)) return -1;
  if (trim(s).len == 0) return 0;
  int n = 0, depth = 0;
  size_t start = 0;
  for (size_t i = 0; i <= s.len; i++) {
    uint8_t c = i < s.len ? s.ptr[i] : ',';
    if (c == '"') {
      i = string_end(s, i);
      if (i == s.len) return -1;
    } else if (c == '{' || c == '[') {
      depth++;
    } else if (c == '}' || c == ']') {
      if (--depth < 0) return -1;
    } else if (c == ',' && depth == 0) {
      view element = trim(view_of(s.ptr + start, i - start));
      if (element.len == 0) return -1;
      if (put_element) put_element(to, n, element);
      n++;
      start = i + 1;
    }
  }
  return depth == 0 ? n : -1;
}

view renamed(view payload) {
  view nothing = {NULL, 0}, s;
  if (!between(payload, '{', '}', &s)) return nothing;
  s = payload;
  int depth = 0;
  for (size_t i = 0; i < s.len; i++) {
    uint8_t c = s.ptr[i];
    if (c == '{' || c == '[') depth++;
    if (c == '}' || c == ']') depth--;
    if (c != '"') continue;
    size_t end = string_end(s, i);
    if (end == s.len) return nothing;
    size_t next = end + 1;
    while (next < s.len && is_space(s.ptr[next])) next++;
    view key = view_of(s.ptr + i + 1, end - i - 1);
    if (depth == 1 && equal(key, TEXT("temp")) && next < s.len && s.ptr[next] == ':') {
      buffer b = buffer_of(s.len + 7);
      put(&b, view_of(s.ptr, i + 1));
      put(&b, TEXT("temperature"));
      put(&b, from(s, end));
      return whole(b);
    }
    i = end;
  }
  return nothing;
}

view addressed(view payload, view client_id) {
  view inner;
  if (!between(payload, '{', '}', &inner)) return (view){NULL, 0};
  size_t last = payload.len - 1;
  while (payload.ptr[last] != '}') last--;
  buffer b = buffer_of(payload.len + client_id.len + 16);
  put(&b, view_of(payload.ptr, last));
  if (trim(inner).len > 0) put(&b, TEXT(","));
  put(&b, TEXT("\"to\":\""));
  put_escaped(&b, client_id);
  put(&b, TEXT("\""));
  put(&b, from(payload, last));
  return whole(b);
}
