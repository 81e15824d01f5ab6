// The world policy, by hand: an answer that host.look-up gives for the topic, else none. With
// PREVIEW1, what it logs goes to standard error of WASI preview 1 as well, through an adapter.
#include "abi.h"

typedef struct { u32 some; text value; } option_text;

IMPORT("test:plan/host@0.1.0", "log") void host_log(const u8 *line, u32 len);
IMPORT("test:plan/host@0.1.0", "look-up") void host_look_up(const u8 *, u32, option_text *);

#ifdef PREVIEW1
IMPORT("wasi_snapshot_preview1", "fd_write") u32 fd_write(u32 fd, const text *, u32 n, u32 *done);
IMPORT("wasi_snapshot_preview1", "clock_time_get") u32 clock_time_get(u32, u64, u64 *);

static void tell(const u8 *line, u32 len) {
  text out = {(u8 *)line, len};
  u32 done;
  u64 now;
  clock_time_get(0, 1, &now);
  fd_write(2, &out, 1, &done);
}
#else
static void tell(const u8 *line, u32 len) {}
#endif

EXPORT("judge") option_text *judge(u8 *topic, u32 topic_len, u8 *payload, u32 payload_len) {
  static option_text answer;
  host_log(topic, topic_len);
  tell(topic, topic_len);
  host_look_up(topic, topic_len, &answer);
  return &answer;
}

EXPORT("cabi_post_judge") void post_judge(option_text *answer) { heap = 0; }
