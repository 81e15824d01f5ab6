// The role transformer around hpmq_upstream and hpmq_downstream.
#include "abi.h"

// A message in an answer, as the canonical ABI lays it out.
typedef struct {
  hpmq_bytes topic, payload;
  uint8_t qos, retain;
} message;

static hpmq_answered answer;
static size_t room;

void hpmq_send(hpmq_message m) {
  if (answer.n == room) {
    message *list = hpmq_alloc((2 * room + 4) * sizeof(message));
    for (size_t i = 0; i < answer.n; i++) list[i] = ((message *)answer.list)[i];
    answer.list = list;
    room = 2 * room + 4;
  }
  ((message *)answer.list)[answer.n++] = (message){m.topic, m.payload, m.qos, m.retain};
}

HPMQ_IMPORT("history@0.1.0", "last")
void hpmq_history_last(const uint8_t *ptr, size_t len, void *result);

bool hpmq_previous(hpmq_bytes topic, hpmq_bytes *payload) {
  struct {
    uint8_t some;
    hpmq_bytes payload;
  } last;
  hpmq_history_last(topic.ptr, topic.len, &last);
  if (last.some) *payload = last.payload;
  return last.some;
}

void hpmq_begin(void) { answer = (hpmq_answered){0}, room = 0; }

hpmq_answered *hpmq_done(hpmq_outcome o) {
  answer.tag = o;
  hpmq_end();
  return &answer;
}

#define MESSAGE                                                                   \
  const uint8_t *topic, size_t topic_len, const uint8_t *payload, size_t payload_len, \
      uint32_t qos, uint32_t retain

HPMQ_EXPORT("transformer@0.1.0#upstream")
hpmq_answered *hpmq_transformer_upstream(HPMQ_WHO, MESSAGE) {
  hpmq_message m = {{topic, topic_len}, {payload, payload_len}, (uint8_t)qos, retain != 0};
  hpmq_context who = HPMQ_CONTEXT;
  hpmq_begin();
  return hpmq_done(hpmq_upstream(&m, &who));
}

HPMQ_EXPORT("transformer@0.1.0#downstream")
hpmq_answered *hpmq_transformer_downstream(HPMQ_WHO, MESSAGE) {
  hpmq_message m = {{topic, topic_len}, {payload, payload_len}, (uint8_t)qos, retain != 0};
  hpmq_context who = HPMQ_CONTEXT;
  hpmq_begin();
  return hpmq_done(hpmq_downstream(&m, &who));
}
