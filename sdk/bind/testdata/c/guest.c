// The guest of the tests: what it is given goes through the host and back.
#include "everything.h"

test_shapes_value test_guest_turn_back(const test_shapes_value *v) { return test_host_turn(v); }

test_option_u32 test_guest_wide(const test_shapes_deep *a, const test_shapes_deep *b, uint64_t c) {
  return test_host_wide(a, b, c);
}

int8_t test_guest_plain(int8_t a, uint16_t b, int64_t c, float d, double e, uint32_t f, bool g,
                        test_shapes_colour h, test_shapes_rights i) {
  return test_host_plain(a, b, c, d, e, f, g, h, i);
}

void test_guest_nothing(void) { test_host_nothing(); }

test_result_shapes_pair_void test_guest_swap(const test_shapes_pair *p) { return test_host_swap(p); }

test_option_string test_guest_taken(test_string result, test_list_u8 args, uint8_t room,
                                    const test_option_u8 *l0, uint8_t flat, uint8_t over,
                                    uint8_t memcpy, uint8_t out, uint8_t a0) {
  return test_host_taken(result, args, room, l0, flat, over, memcpy, out, a0);
}

test_list_string test_guest_colours(test_list_shapes_colour p) {
  static const char *names[] = {"red", "green", "dark-blue"};
  test_string *out = test_alloc(p.len * sizeof(test_string));
  for (size_t i = 0; i < p.len; i++) {
    const char *name = names[p.ptr[i]];
    size_t n = 0;
    while (name[n]) n++;
    out[i] = (test_string){(const uint8_t *)name, n};
  }
  return (test_list_string){out, p.len};
}
