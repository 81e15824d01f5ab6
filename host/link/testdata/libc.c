// A deduplicator with a C library: a component of it imports WASI 0.2, over an adapter of preview 1.
// It wants the variable PLACE, says on standard output that it was asked, and sleeps for an hour.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define EXPORT(name) __attribute__((export_name(name)))

typedef struct { const char *at; uint32_t n; } str;

EXPORT("cabi_realloc")
void *cabi_realloc(void *old, size_t old_size, size_t align, size_t size) {
  (void)old_size, (void)align;
  return realloc(old, size);
}

static void say(int fd, const char *text) { write(fd, text, strlen(text)); }

EXPORT("hpmq:broker/lifecycle@0.1.0#configure") uint32_t *configure(void) {
  static uint32_t answer[5];
  static const str all = {"#", 1};
  static const char missing[] = "PLACE is not set";
  const char *place = getenv("PLACE");
  answer[0] = !place;
  answer[1] = answer[3] = (uint32_t)&all;
  answer[2] = answer[4] = 1;
  if (!place) answer[1] = (uint32_t)missing, answer[2] = sizeof missing - 1;
  else say(1, "I am in "), say(1, place), say(1, "\n");
  return answer;
}

// The parameters are identity and message; it looks at none.
EXPORT("hpmq:broker/deduplicator@0.1.0#check") uint32_t check(
    uint32_t a, uint32_t b, uint32_t c, uint32_t d, uint32_t e, uint32_t f, uint32_t g, uint32_t h,
    uint32_t i, uint32_t j, uint32_t k, uint32_t l, uint32_t m, uint32_t n, uint32_t qos,
    uint32_t retain) {
  struct timespec hour = {.tv_sec = 3600}, before, after;
  clock_gettime(CLOCK_MONOTONIC, &before);
  nanosleep(&hour, NULL);
  clock_gettime(CLOCK_MONOTONIC, &after);
  say(2, after.tv_sec - before.tv_sec < 3600 ? "woken too early\n" : "slept well\n");
  return 1; // repeated
}
