// The role transformer for large payloads, around hpmq_upstream_lent and hpmq_downstream_lent. It goes
// beside conversion.c.
#include "abi.h"

HPMQ_IMPORT("payload@0.1.0", "[method]body.size") uint64_t hpmq_body_host_size(uint32_t self);
HPMQ_IMPORT("payload@0.1.0", "[method]body.read")
void hpmq_body_host_read(uint32_t self, uint64_t offset, uint32_t count, hpmq_bytes *result);
HPMQ_IMPORT("payload@0.1.0", "[method]body.fingerprint")
uint64_t hpmq_body_host_fingerprint(uint32_t self);
HPMQ_IMPORT("payload@0.1.0", "[resource-drop]body") void hpmq_body_host_drop(uint32_t self);

uint64_t hpmq_body_size(hpmq_body b) { return hpmq_body_host_size(b.handle); }

hpmq_bytes hpmq_body_read(hpmq_body b, uint64_t offset, uint32_t count) {
  hpmq_bytes piece;
  hpmq_body_host_read(b.handle, offset, count, &piece);
  return piece;
}

uint64_t hpmq_body_fingerprint(hpmq_body b) { return hpmq_body_host_fingerprint(b.handle); }

// An envelope in an answer, as the canonical ABI lays it out.
typedef struct {
  hpmq_bytes topic;
  uint8_t qos, retain;
} envelope;

static struct {
  envelope *list;
  size_t n, room;
} sent;

void hpmq_send_as(hpmq_bytes topic, uint8_t qos, bool retain) {
  if (sent.n == sent.room) {
    size_t room = 2 * sent.room + 4;
    envelope *list = hpmq_alloc(room * sizeof(envelope));
    for (size_t i = 0; i < sent.n; i++) list[i] = sent.list[i];
    sent.list = list, sent.room = room;
  }
  sent.list[sent.n++] = (envelope){topic, qos, retain};
}

typedef hpmq_outcome asked(const hpmq_lent *m, const hpmq_context *who);

static hpmq_answered *ask(asked *f, const hpmq_lent *m, const hpmq_context *who) {
  hpmq_begin();
  sent.list = NULL, sent.n = sent.room = 0;
  hpmq_outcome o = f(m, who);
  hpmq_body_host_drop(m->payload.handle);
  hpmq_answered *a = hpmq_done(o);
  if (o == HPMQ_SEND_AS) a->list = sent.list, a->n = sent.n;
  return a;
}

#define LENT \
  const uint8_t *topic, size_t topic_len, uint32_t payload, uint32_t qos, uint32_t retain

HPMQ_EXPORT("transformer-by-handle@0.1.0#upstream")
hpmq_answered *hpmq_transformer_upstream_lent(HPMQ_WHO, LENT) {
  hpmq_lent m = {{topic, topic_len}, {payload}, (uint8_t)qos, retain != 0};
  hpmq_context who = HPMQ_CONTEXT;
  return ask(hpmq_upstream_lent, &m, &who);
}

HPMQ_EXPORT("transformer-by-handle@0.1.0#downstream")
hpmq_answered *hpmq_transformer_downstream_lent(HPMQ_WHO, LENT) {
  hpmq_lent m = {{topic, topic_len}, {payload}, (uint8_t)qos, retain != 0};
  hpmq_context who = HPMQ_CONTEXT;
  return ask(hpmq_downstream_lent, &m, &who);
}
