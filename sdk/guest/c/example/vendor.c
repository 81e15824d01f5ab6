// A vendor's meters speak "t=21.5", the cloud speaks {"t":21.5,"by":"m7"}. See ../../example.
#include "hpmq.h"

const char *hpmq_configure(hpmq_bytes config) {
  (void)config;
  hpmq_want_inbound("meter/+/up");
  hpmq_want_outbound("meter/+/down");
  return NULL;
}

static hpmq_outcome replace(const hpmq_message *m, hpmq_bytes payload) {
  hpmq_message changed = *m;
  changed.payload = payload;
  hpmq_send(changed);
  return HPMQ_REPLACE;
}

hpmq_outcome hpmq_upstream(const hpmq_message *m, const hpmq_context *from) {
  size_t eq = hpmq_find(m->payload, HPMQ_TEXT("="));
  if (eq == m->payload.len) return HPMQ_KEEP;

  hpmq_buffer json = {0};
  hpmq_put(&json, HPMQ_TEXT("{"));
  hpmq_put_json(&json, hpmq_part(m->payload, 0, eq));
  hpmq_put(&json, HPMQ_TEXT(":"));
  hpmq_put(&json, hpmq_part(m->payload, eq + 1, m->payload.len));
  hpmq_put(&json, HPMQ_TEXT(",\"by\":"));
  hpmq_put_json(&json, from->client_id);
  hpmq_put(&json, HPMQ_TEXT("}"));

  hpmq_bytes previous;
  if (hpmq_previous(m->topic, &previous) && hpmq_equal(previous, hpmq_written(&json)))
    return HPMQ_DROP;  // nothing new
  return replace(m, hpmq_written(&json));
}

hpmq_outcome hpmq_downstream(const hpmq_message *m, const hpmq_context *to) {
  (void)to;
  hpmq_bytes set = HPMQ_TEXT("{\"set\":");
  if (!hpmq_starts(m->payload, set) || !hpmq_ends(m->payload, HPMQ_TEXT("}"))) return HPMQ_KEEP;

  hpmq_buffer text = {0};
  hpmq_put(&text, HPMQ_TEXT("set="));
  hpmq_put(&text, hpmq_part(m->payload, set.len, m->payload.len - set.len - 1));
  return replace(m, hpmq_written(&text));
}
