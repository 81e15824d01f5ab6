// A guest that uses WASI as a C library does, over the adapter of preview 1 that jco ships. What it
// finds it says on standard output, a line each.
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define EXPORT(name) __attribute__((export_name(name)))

EXPORT("cabi_realloc")
void *cabi_realloc(void *old, size_t old_size, size_t align, size_t size) {
	(void)old_size, (void)align;
	return realloc(old, size);
}

static void text(int fd, const char *s) { write(fd, s, strlen(s)); }

static void number(const char *name, long long v) {
	char digits[24], *p = digits + sizeof digits;
	*--p = 0;
	*--p = '\n';
	do *--p = (char)('0' + v % 10);
	while (v /= 10);
	text(1, name);
	text(1, p);
}

static long long milliseconds(clockid_t clock) {
	struct timespec t;
	clock_gettime(clock, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

EXPORT("test:wasi/run@0.1.0#run")
void run(int32_t code) {
	char *place = getenv("PLACE"), byte;
	uint8_t random[2];
	struct timespec hour = {.tv_sec = 3600};

	text(1, "PLACE=");
	text(1, place ? place : "(none)");
	text(1, "\n");
	number("wall clock: ", milliseconds(CLOCK_REALTIME));
	number("monotonic clock: ", milliseconds(CLOCK_MONOTONIC));
	number("sleep answers ", nanosleep(&hour, NULL));
	number("monotonic clock: ", milliseconds(CLOCK_MONOTONIC));
	number("entropy answers ", getentropy(random, sizeof random));
	number("two random bytes: ", random[0] | random[1] << 8);
	number("bytes of standard input: ", read(0, &byte, 1));
	number("a file: ", open("/etc/passwd", O_RDONLY) >= 0);
	text(2, "this is standard error\n");
	if (code) exit(code);
}
