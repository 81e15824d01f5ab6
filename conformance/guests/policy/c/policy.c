// The policy of ../README.md as a component in C, with the bindings that wit-bindgen makes. What an
// export is given is its own to free; what it answers the bindings free.
#include "policy_component.h"
#include "rules.h"

#include <stdlib.h>
#include <string.h>

typedef policy_component_string_t string;
typedef exports_hpmq_broker_authorizer_identity_t identity;
typedef exports_hpmq_broker_transformer_message_t message;
typedef exports_hpmq_broker_transformer_outcome_t outcome;

static view text(const string *s) { return view_of(s->ptr, s->len); }

// copy is a string of two views one after the other.
static string copy(view a, view b) {
  string s = {NULL, a.len + b.len};
  if (s.len == 0) return s;
  if ((s.ptr = malloc(s.len)) == NULL) abort();
  if (a.len > 0) memcpy(s.ptr, a.ptr, a.len);
  if (b.len > 0) memcpy(s.ptr + a.len, b.ptr, b.len);
  return s;
}

// lifecycle

static policy_component_list_string_t everything(void) {
  policy_component_list_string_t list = {malloc(sizeof(string)), 1};
  if (list.ptr == NULL) abort();
  policy_component_string_dup(&list.ptr[0], "#");
  return list;
}

bool exports_hpmq_broker_lifecycle_configure(exports_hpmq_broker_lifecycle_interest_t *ret,
                                             string *err) {
  string json;
  hpmq_broker_config_json(&json);
  bool failed = false;
  for (size_t i = 0; i < json.len && !failed; i++)
    failed = starts_with(view_of(json.ptr + i, json.len - i), TEXT("\"fail\""));
  policy_component_string_free(&json);
  if (failed) {
    policy_component_string_dup(err, "told to fail");
    return false;
  }
  ret->inbound = everything();
  ret->outbound = everything();
  return true;
}

// authorizer

enum { allow = 0, next = 1, not_authorized = 0x87, quota_exceeded = 0x97 };
enum { once, topic_wide, action_wide };

static uint32_t answer(uint32_t decision, uint32_t scope, uint32_t seconds) {
  return decision | scope << 8 | seconds << 10;
}

// own is whether topic starts with "devices/CID/".
static bool own(view topic, view client_id) {
  size_t n = strlen("devices/");
  if (!starts_with(topic, TEXT("devices/"))) return false;
  topic = view_of(topic.ptr + n, topic.len - n);
  return starts_with(topic, client_id) && topic.len > client_id.len &&
         topic.ptr[client_id.len] == '/';
}

static bool has_wildcard(view s) {
  for (size_t i = 0; i < s.len; i++)
    if (s.ptr[i] == '/' || s.ptr[i] == '+' || s.ptr[i] == '#') return true;
  return false;
}

static uint32_t subscribe(view filter, view client_id) {
  const uint8_t *slash = memchr(filter.ptr, '/', filter.len);
  view level = view_of(filter.ptr, slash ? (size_t)(slash - filter.ptr) : filter.len);
  if (equal(level, TEXT("#")) || equal(level, TEXT("+")))
    return answer(not_authorized, topic_wide, 0);
  if (own(filter, client_id) || starts_with(filter, TEXT("public/")))
    return answer(allow, topic_wide, 60);
  if (starts_with(filter, TEXT("devices/"))) return answer(not_authorized, topic_wide, 60);
  return answer(next, once, 0);
}

static uint32_t judge(const identity *who, uint8_t action, view topic, uint8_t qos) {
  view client_id = text(&who->client_id);
  if (equal(text(&who->username), TEXT("admin"))) return answer(allow, action_wide, 300);
  if (starts_with(topic, TEXT("$"))) return answer(not_authorized, once, 0);
  if (client_id.len == 0 || has_wildcard(client_id)) return answer(not_authorized, action_wide, 0);
  switch (action) {
  case EXPORTS_HPMQ_BROKER_AUTHORIZER_ACTION_SUBSCRIBE:
    return subscribe(topic, client_id);
  case EXPORTS_HPMQ_BROKER_AUTHORIZER_ACTION_DELIVER:
    return answer(allow, action_wide, 0);
  case EXPORTS_HPMQ_BROKER_AUTHORIZER_ACTION_WILL:
    if (qos == HPMQ_BROKER_TYPES_QOS_EXACTLY_ONCE) return answer(quota_exceeded, once, 0);
  }
  if (own(topic, client_id)) return answer(allow, topic_wide, 60);
  if (starts_with(topic, TEXT("devices/"))) return answer(not_authorized, topic_wide, 60);
  return answer(next, once, 0);
}

uint32_t exports_hpmq_broker_authorizer_authorize(identity *who, uint8_t action, string *topic,
                                                  uint8_t qos) {
  uint32_t verdict = judge(who, action, text(topic), qos);
  exports_hpmq_broker_authorizer_identity_free(who);
  policy_component_string_free(topic);
  return verdict;
}

// transformer

static void replace(outcome *ret, size_t n) {
  ret->tag = EXPORTS_HPMQ_BROKER_TRANSFORMER_OUTCOME_REPLACE;
  ret->val.replace.ptr = calloc(n, sizeof(message));
  ret->val.replace.len = n;
  if (ret->val.replace.ptr == NULL) abort();
}

// replace_one answers one message; payload is malloc's.
static void replace_one(outcome *ret, string topic, view payload, const message *m) {
  replace(ret, 1);
  policy_component_list_u8_t bytes = {(uint8_t *)payload.ptr, payload.len};
  *ret->val.replace.ptr = (message){topic, bytes, m->qos, m->retain};
}

struct batched {
  outcome *ret;
  view topic;
  uint8_t qos;
};

static void put_element(void *to, int index, view element) {
  struct batched *b = to;
  message *m = &b->ret->val.replace.ptr[index];
  string payload = copy(element, view_of(NULL, 0));
  m->topic = copy(b->topic, view_of(NULL, 0));
  m->payload = (policy_component_list_u8_t){payload.ptr, payload.len};
  m->qos = b->qos;
}

static void take_apart(outcome *ret, view topic, const message *m) {
  view payload = view_of(m->payload.ptr, m->payload.len);
  int n = batch(payload, NULL, NULL);
  if (n == 0) ret->tag = EXPORTS_HPMQ_BROKER_TRANSFORMER_OUTCOME_DROP;
  if (n <= 0) return;
  replace(ret, (size_t)n);
  batch(payload, put_element, &(struct batched){ret, topic, m->qos});
}

void exports_hpmq_broker_transformer_upstream(identity *who, message *m, outcome *ret) {
  view topic = text(&m->topic), payload = view_of(m->payload.ptr, m->payload.len);
  view raw = TEXT("/raw"), list = TEXT("/batch"), changed;
  ret->tag = EXPORTS_HPMQ_BROKER_TRANSFORMER_OUTCOME_KEEP;
  if (ends_with(topic, TEXT("/secret"))) {
    ret->tag = EXPORTS_HPMQ_BROKER_TRANSFORMER_OUTCOME_DROP;
  } else if (ends_with(topic, raw)) {
    view name = view_of(topic.ptr, topic.len - raw.len);
    replace_one(ret, copy(name, TEXT("/json")), pairs(payload), m);
  } else if (ends_with(topic, list) && topic.len > list.len) {
    take_apart(ret, view_of(topic.ptr, topic.len - list.len), m);
  } else if ((changed = renamed(payload)).ptr != NULL) {
    replace_one(ret, copy(topic, view_of(NULL, 0)), changed, m);
  }
  exports_hpmq_broker_transformer_identity_free(who);
  exports_hpmq_broker_transformer_message_free(m);
}

void exports_hpmq_broker_transformer_downstream(identity *who, message *m, outcome *ret) {
  view changed = addressed(view_of(m->payload.ptr, m->payload.len), text(&who->client_id));
  ret->tag = EXPORTS_HPMQ_BROKER_TRANSFORMER_OUTCOME_KEEP;
  if (changed.ptr != NULL)
    replace_one(ret, copy(text(&m->topic), view_of(NULL, 0)), changed, m);
  exports_hpmq_broker_transformer_identity_free(who);
  exports_hpmq_broker_transformer_message_free(m);
}
