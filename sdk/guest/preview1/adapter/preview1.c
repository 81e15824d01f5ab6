// The adapter from WASI preview 1 to WASI 0.2 for `wasm-tools component new --adapt`: clocks, random
// numbers, stdout and stderr; no files, arguments or variables. It answers as the broker answers a
// core module (host/wasm/wasi.go).
//
// It shares the memory of the module that it is put beside and owns nothing there: no stack, no
// data, no call of cabi_realloc. So it works before the runtime of the module is up, which the
// usual adapter does not: Go writes and reads clocks while it starts.
//
// Where the host leaves a result in memory, it gets the bytes that end with those which the module
// gave for its own result; the bytes before are put back. A module has no result at address 0, so
// there are always such bytes.

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;

#define IMPORT(module, name) \
	__attribute__((import_module("wasi:" module "@0.2.0"), import_name(name)))
#define EXPORT(name) __attribute__((export_name(#name))) u32 name

IMPORT("clocks/wall-clock", "now") void wall_clock_now(void *datetime);
IMPORT("clocks/monotonic-clock", "now") u64 monotonic_clock_now(void);
IMPORT("random/random", "get-random-u64") u64 get_random_u64(void);
IMPORT("cli/stdout", "get-stdout") u32 get_stdout(void);
IMPORT("cli/stderr", "get-stderr") u32 get_stderr(void);
IMPORT("io/streams", "[method]output-stream.blocking-write-and-flush")
void write_and_flush(u32 stream, const u8 *bytes, u32 size, void *result);
IMPORT("io/streams", "[resource-drop]output-stream") void drop_output_stream(u32 stream);
IMPORT("io/error", "[resource-drop]error") void drop_error(u32 error);

enum { OK = 0, BADF = 8, INVAL = 28, IO = 29, SPIPE = 70 };

// While the host calls cabi_realloc a component may call nobody [Canonical ABI, may_leave]. Most
// runtimes do not want to; Go looks at clocks whenever it collects garbage. A module that cannot
// promise shows the adapter a struct leave, and says in it when calls are allowed. At other times
// clocks stand still, what is written goes nowhere, and there is no randomness.
struct leave {
	u32 allowed;
	u64 clock[2]; // the last answers for the clocks 0 and 1
};

// The address of the struct, 0 for none. A global of the module (a 64-bit one: of one with 32 bits
// wasm-tools thinks that it is a stack pointer): there is no memory for it.
static u64 __attribute__((address_space(1))) shown;

static struct leave *leave(void) { return (struct leave *)(u32)shown; }

static u32 may_leave(void) { return shown == 0 || leave()->allowed; }

EXPORT(args_sizes_get)(u32 *count, u32 *bytes) {
	*count = *bytes = 0;
	return OK;
}
EXPORT(args_get)(void *list, void *bytes) { return OK; }
EXPORT(environ_sizes_get)(u32 *count, u32 *bytes) {
	*count = *bytes = 0;
	return OK;
}
EXPORT(environ_get)(void *list, void *bytes) { return OK; }

// A datetime of wasi:clocks.
struct datetime {
	u64 seconds;
	u32 nanoseconds;
};

static u64 realtime(u64 *result) {
	u64 *area = result - 1;
	u64 kept = area[0];
	wall_clock_now(area);
	const struct datetime *t = (const struct datetime *)area;
	u64 now = t->seconds * 1000000000 + t->nanoseconds;
	area[0] = kept;
	return now;
}

static u64 read_clock(u32 clock, u64 *result) {
	return clock == 0 ? realtime(result) : monotonic_clock_now();
}

EXPORT(clock_time_get)(u32 clock, u64 precision, u64 *result) {
	if (clock > 1) return INVAL;
	if (may_leave()) {
		*result = read_clock(clock, result);
		if (shown) leave()->clock[clock] = *result;
	} else {
		*result = leave()->clock[clock];
	}
	return OK;
}

EXPORT(clock_res_get)(u32 clock, u64 *result) {
	if (clock > 1) return INVAL;
	*result = 1000;
	return OK;
}

EXPORT(random_get)(u8 *bytes, u32 size) {
	if (!may_leave()) return IO;
	while (size > 0) {
		u64 r = get_random_u64();
		for (u32 i = 0; i < 8 && size > 0; i++, size--, r >>= 8) *bytes++ = (u8)r;
	}
	return OK;
}

EXPORT(sched_yield)(void) { return OK; }

// Answers at once: a component does not sleep.
EXPORT(poll_oneoff)(const u64 *subscription, u64 *event, u32 count, u32 *events) {
	if (count == 0) return INVAL;
	*events = count;
	for (; count > 0; count--, subscription += 6, event += 4) {
		u8 kind = (u8)subscription[1];
		u64 answer = kind == 0 ? OK : BADF | (u64)(kind == 1 ? 1 : 2) << 16;
		event[0] = subscription[0];
		event[1] = answer;
		event[2] = event[3] = 0;
	}
	return OK;
}

enum { BLOCK = 4096 }; // the most that blocking-write-and-flush takes

// The result is a result<_, stream-error>: failed u8 @0, reason u8 @4, error @8.
static u32 write_all(u32 stream, const u8 *bytes, u32 size, u32 *result) {
	u32 *area = result - 2;
	while (size > 0) {
		u32 n = size < BLOCK ? size : BLOCK;
		u32 kept0 = area[0], kept1 = area[1];
		write_and_flush(stream, bytes, n, area);
		u8 failed = (u8)area[0], reason = (u8)area[1];
		u32 error = area[2];
		area[0] = kept0;
		area[1] = kept1;
		if (failed && reason == 0) drop_error(error);
		if (failed) return IO;
		bytes += n;
		size -= n;
	}
	return OK;
}

struct slice {
	const u8 *bytes;
	u32 size;
};

EXPORT(fd_write)(u32 fd, const struct slice *list, u32 count, u32 *result) {
	if (fd != 1 && fd != 2) return BADF;
	u32 sum = 0, failed = OK;
	if (!may_leave()) {
		for (; count > 0; list++, count--) sum += list->size;
		*result = sum;
		return OK;
	}
	u32 stream = fd == 1 ? get_stdout() : get_stderr();
	for (; count > 0 && failed == OK; list++, count--) {
		failed = write_all(stream, list->bytes, list->size, result);
		sum += list->size;
	}
	drop_output_stream(stream);
	*result = sum;
	return failed;
}

EXPORT(fd_fdstat_get)(u32 fd, u64 *result) {
	if (fd > 2) return BADF;
	result[0] = 2; // a character device
	result[1] = result[2] = 0;
	return OK;
}

EXPORT(fd_seek)(u32 fd, u64 offset, u32 whence, u64 *result) { return fd > 2 ? BADF : SPIPE; }

__attribute__((export_name("proc_exit"))) void proc_exit(u32 code) { __builtin_trap(); }

// The descriptor whose fd_tell shows the adapter a struct leave. No file has it, so that everyone
// else's fd_tell answers BADF.
enum { SHOW = 0x716d7068 }; // "hpmq"

EXPORT(fd_tell)(u32 fd, u64 *at) {
	if (fd != SHOW) return BADF;
	struct leave *l = (struct leave *)at;
	for (u32 clock = 0; clock < 2; clock++) l->clock[clock] = read_clock(clock, &l->clock[clock]);
	shown = (u32)at;
	return OK;
}

// What would name a file answers "bad descriptor". Runtimes link these and never get to call them.
#define NO_FILE(name, ...) \
	EXPORT(name)(__VA_ARGS__) { return BADF; }
NO_FILE(fd_close, u32 fd)
NO_FILE(fd_datasync, u32 fd)
NO_FILE(fd_sync, u32 fd)
NO_FILE(fd_fdstat_set_flags, u32 fd, u32 flags)
NO_FILE(fd_filestat_get, u32 fd, u32 at)
NO_FILE(fd_filestat_set_size, u32 fd, u64 size)
NO_FILE(fd_pread, u32 fd, u32 list, u32 n, u64 offset, u32 at)
NO_FILE(fd_prestat_get, u32 fd, u32 at)
NO_FILE(fd_prestat_dir_name, u32 fd, u32 at, u32 n)
NO_FILE(fd_pwrite, u32 fd, u32 list, u32 n, u64 offset, u32 at)
NO_FILE(fd_read, u32 fd, u32 list, u32 n, u32 at)
NO_FILE(fd_readdir, u32 fd, u32 at, u32 n, u64 cookie, u32 used)
NO_FILE(fd_renumber, u32 from, u32 to)
NO_FILE(path_create_directory, u32 fd, u32 at, u32 n)
NO_FILE(path_filestat_get, u32 fd, u32 flags, u32 at, u32 n, u32 result)
NO_FILE(path_filestat_set_times, u32 fd, u32 flags, u32 at, u32 n, u64 a, u64 m, u32 how)
NO_FILE(path_link, u32 fd, u32 flags, u32 at, u32 n, u32 other, u32 to, u32 m)
NO_FILE(path_open, u32 fd, u32 flags, u32 at, u32 n, u32 how, u64 base, u64 more, u32 f, u32 result)
NO_FILE(path_readlink, u32 fd, u32 at, u32 n, u32 to, u32 m, u32 used)
NO_FILE(path_remove_directory, u32 fd, u32 at, u32 n)
NO_FILE(path_rename, u32 fd, u32 at, u32 n, u32 other, u32 to, u32 m)
NO_FILE(path_symlink, u32 at, u32 n, u32 fd, u32 to, u32 m)
NO_FILE(path_unlink_file, u32 fd, u32 at, u32 n)
