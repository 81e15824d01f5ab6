// hpmq.h is what a component in C is written with. It needs no C library: clang and wasm-ld are
// enough. See README.md for how to build, example/ for one to copy.
//
// An author who converts messages writes hpmq_upstream and hpmq_downstream, and links conversion.c;
// one who judges them writes hpmq_authorize, and links authorizer.c. Both may be in one component.
// All that hpmq_configure does not keep is gone when the call ends: nothing is ever freed.
#ifndef HPMQ_H
#define HPMQ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// Bytes, or text in UTF-8 without a zero at its end. They are borrowed: those that the broker passes
// hold until the call returns.
typedef struct {
  const uint8_t *ptr;
  size_t len;
} hpmq_bytes;

// HPMQ_TEXT is the bytes of a literal: HPMQ_TEXT("/raw").
#define HPMQ_TEXT(literal) hpmq_bytes_of("" literal, sizeof(literal) - 1)

// A message on its way. Its qos is 0, 1 or 2.
typedef struct {
  hpmq_bytes topic, payload;
  uint8_t qos;
  bool retain;
} hpmq_message;

// Who a message comes from or goes to. What is not known is empty.
typedef struct {
  hpmq_bytes client_id, username;
  hpmq_bytes address;   // without the port
  hpmq_bytes listener;  // its name
  hpmq_bytes tenant;
} hpmq_context;

// ---- What an author of conversions writes (conversion.c) ----

typedef enum {
  HPMQ_KEEP,     // goes on unchanged
  HPMQ_DROP,     // does not go on; a publisher still gets its acknowledgement
  HPMQ_REPLACE,  // what was given to hpmq_send goes on in its place
  HPMQ_SEND_AS,  // what was given to hpmq_send_as does; byhandle.c only
} hpmq_outcome;

// hpmq_upstream is asked about each message from a device to the broker.
hpmq_outcome hpmq_upstream(const hpmq_message *m, const hpmq_context *from);
// hpmq_downstream is asked about each message from the broker to a device.
hpmq_outcome hpmq_downstream(const hpmq_message *m, const hpmq_context *to);

// hpmq_send adds a message to those that go on in place of the one asked about. Its bytes must hold
// until the call returns: literals, parts of what was passed, or what hpmq_alloc gave.
void hpmq_send(hpmq_message m);

// hpmq_previous tells the last payload that was delivered under a topic on this listener; false if
// there is none. Who calls it needs the capability history in the link.
bool hpmq_previous(hpmq_bytes topic, hpmq_bytes *payload);

// ---- What one writes beside who does not want payloads above 16 KiB copied (byhandle.c) ----

// A payload that stays with the broker. It holds until the call returns.
typedef struct {
  uint32_t handle;
} hpmq_body;
uint64_t hpmq_body_size(hpmq_body b);
// hpmq_body_read is count bytes from offset on: fewer at the end, none behind it, 65536 at once at
// most.
hpmq_bytes hpmq_body_read(hpmq_body b, uint64_t offset, uint32_t count);
// hpmq_body_fingerprint is the same for equal payloads, and hardly ever for others.
uint64_t hpmq_body_fingerprint(hpmq_body b);

typedef struct {
  hpmq_bytes topic;
  hpmq_body payload;
  uint8_t qos;
  bool retain;
} hpmq_lent;

// These are asked in place of hpmq_upstream and hpmq_downstream.
hpmq_outcome hpmq_upstream_lent(const hpmq_lent *m, const hpmq_context *from);
hpmq_outcome hpmq_downstream_lent(const hpmq_lent *m, const hpmq_context *to);

// hpmq_send_as sends the payload as it is under that topic, without a copy, if HPMQ_SEND_AS is
// answered.
void hpmq_send_as(hpmq_bytes topic, uint8_t qos, bool retain);

// ---- What an author of rules writes (authorizer.c) ----

typedef enum { HPMQ_PUBLISH, HPMQ_SUBSCRIBE, HPMQ_WILL, HPMQ_DELIVER } hpmq_action;

// How far an answer holds, so that the broker need not ask again: for this question; for this
// client, action and topic; for this client and action.
typedef enum { HPMQ_ONCE, HPMQ_TOPIC, HPMQ_ACTION } hpmq_scope;

// Decisions. To deny, answer an MQTT 5 reason code of 0x80 or more instead.
enum { HPMQ_ALLOW = 0, HPMQ_NEXT = 1, HPMQ_NOT_AUTHORIZED = 0x87 };

// hpmq_answer is the answer of hpmq_authorize. seconds 0: as long as this component is linked.
static inline uint32_t hpmq_answer(uint32_t decision, hpmq_scope scope, uint32_t seconds) {
  return decision | (uint32_t)scope << 8 | seconds << 10;
}

// hpmq_authorize is asked whether a client may do something to a topic, or subscribe to a filter.
uint32_t hpmq_authorize(const hpmq_context *who, hpmq_action a, hpmq_bytes topic, uint8_t qos);

// ---- What any author may write (hpmq.c) ----

// hpmq_configure is called first, with the configuration from the link as JSON text. NULL is good;
// anything else is a text for the operator, and the component is not linked. What it allocates,
// and config itself, holds for ever. An author who needs none leaves it out.
const char *hpmq_configure(hpmq_bytes config);

// hpmq_want names a topic filter whose messages the component is to be asked about, on their way in
// or out. For hpmq_configure only, at most 16 each way. Without it the component is asked about all;
// no filter ("") says that it wants none in that direction.
void hpmq_want_inbound(const char *filter);
void hpmq_want_outbound(const char *filter);

// hpmq_log writes a line to the broker's log. Needs the capability log.
typedef enum { HPMQ_DEBUG, HPMQ_INFO, HPMQ_WARN, HPMQ_ERROR } hpmq_level;
void hpmq_log(hpmq_level level, hpmq_bytes text);

// hpmq_alloc gives size bytes, aligned to 8. Traps when there is no more memory.
void *hpmq_alloc(size_t size);

static inline hpmq_bytes hpmq_bytes_of(const void *ptr, size_t len) {
  hpmq_bytes b = {(const uint8_t *)ptr, len};
  return b;
}
bool hpmq_equal(hpmq_bytes a, hpmq_bytes b);
bool hpmq_starts(hpmq_bytes s, hpmq_bytes prefix);
bool hpmq_ends(hpmq_bytes s, hpmq_bytes suffix);
// hpmq_part is len bytes of s from at on, or what there is of them.
hpmq_bytes hpmq_part(hpmq_bytes s, size_t at, size_t len);
// hpmq_find is the first index of needle in s, or s.len.
size_t hpmq_find(hpmq_bytes s, hpmq_bytes needle);

// A buffer is bytes that grow. It begins as {0}; hpmq_written is what was put.
typedef struct {
  uint8_t *ptr;
  size_t len, cap;
} hpmq_buffer;
void hpmq_put(hpmq_buffer *b, hpmq_bytes s);
// hpmq_put_json puts s as a JSON string, with its quotes.
void hpmq_put_json(hpmq_buffer *b, hpmq_bytes s);
static inline hpmq_bytes hpmq_written(const hpmq_buffer *b) { return hpmq_bytes_of(b->ptr, b->len); }

#ifdef __cplusplus
}
#endif
#endif
