// The policy of ../README.md as a component in C++, with the bindings for C that wit-bindgen makes.
// What an export is given is its own to free; what it answers the bindings free.
#include "policy_component.h"
#include "rules.hpp"

#include <cstdlib>
#include <cstring>

using std::string_view;
using wit_string = policy_component_string_t;
using identity = exports_hpmq_broker_authorizer_identity_t;
using message = exports_hpmq_broker_transformer_message_t;
using outcome = exports_hpmq_broker_transformer_outcome_t;

static string_view view(const wit_string &s) {
  return {reinterpret_cast<const char *>(s.ptr), s.len};
}

static string_view view(const policy_component_list_u8_t &s) {
  return {reinterpret_cast<const char *>(s.ptr), s.len};
}

template <class T> static T copy(string_view s) {
  T out = {};
  if (s.empty()) return out;
  out.ptr = static_cast<uint8_t *>(std::malloc(s.size()));
  out.len = s.size();
  std::memcpy(out.ptr, s.data(), s.size());
  return out;
}

template <class T> static T list_of(size_t n) {
  T list = {};
  list.ptr = static_cast<decltype(list.ptr)>(std::calloc(n, sizeof *list.ptr));
  list.len = n;
  return list;
}

// lifecycle

static policy_component_list_string_t everything() {
  auto list = list_of<policy_component_list_string_t>(1);
  list.ptr[0] = copy<wit_string>("#");
  return list;
}

bool exports_hpmq_broker_lifecycle_configure(exports_hpmq_broker_lifecycle_interest_t *ret,
                                             wit_string *err) {
  wit_string json;
  hpmq_broker_config_json(&json);
  bool failed = view(json).find("\"fail\"") != string_view::npos;
  policy_component_string_free(&json);
  if (failed) {
    *err = copy<wit_string>("told to fail");
    return false;
  }
  *ret = {everything(), everything()};
  return true;
}

// authorizer

enum decision : uint32_t { allow = 0, next = 1, not_authorized = 0x87, quota_exceeded = 0x97 };
enum scope : uint32_t { once, topic_wide, action_wide };

static uint32_t answer(decision d, scope s, uint32_t seconds) {
  return d | s << 8 | seconds << 10;
}

static uint32_t judge(const identity &who, uint8_t action, string_view topic, uint8_t qos) {
  auto client_id = view(who.client_id);
  bool subscribes = action == EXPORTS_HPMQ_BROKER_AUTHORIZER_ACTION_SUBSCRIBE;
  bool delivers = action == EXPORTS_HPMQ_BROKER_AUTHORIZER_ACTION_DELIVER;
  bool wills = action == EXPORTS_HPMQ_BROKER_AUTHORIZER_ACTION_WILL;
  if (view(who.username) == "admin") return answer(allow, action_wide, 300);
  if (topic.starts_with('$')) return answer(not_authorized, once, 0);
  if (client_id.empty() || client_id.find_first_of("/+#") != client_id.npos)
    return answer(not_authorized, action_wide, 0);
  if (wills && qos == HPMQ_BROKER_TYPES_QOS_EXACTLY_ONCE) return answer(quota_exceeded, once, 0);
  if (delivers) return answer(allow, action_wide, 0);
  if (subscribes) {
    auto level = topic.substr(0, topic.find('/'));
    if (level == "#" || level == "+") return answer(not_authorized, topic_wide, 0);
    if (topic.starts_with("public/")) return answer(allow, topic_wide, 60);
  }
  if (!topic.starts_with("devices/")) return answer(next, once, 0);
  auto rest = topic.substr(strlen("devices/"));
  bool own = rest.starts_with(client_id) && rest.substr(client_id.size()).starts_with('/');
  return answer(own ? allow : not_authorized, topic_wide, 60);
}

uint32_t exports_hpmq_broker_authorizer_authorize(identity *who, uint8_t action, wit_string *topic,
                                                  uint8_t qos) {
  auto verdict = judge(*who, action, view(*topic), qos);
  exports_hpmq_broker_authorizer_identity_free(who);
  policy_component_string_free(topic);
  return verdict;
}

// transformer

static message made(string_view topic, string_view payload, uint8_t qos, bool retain) {
  return {copy<wit_string>(topic), copy<policy_component_list_u8_t>(payload), qos, retain};
}

static outcome replace(size_t n) {
  outcome o = {.tag = EXPORTS_HPMQ_BROKER_TRANSFORMER_OUTCOME_REPLACE, .val = {}};
  o.val.replace = list_of<exports_hpmq_broker_transformer_list_message_t>(n);
  return o;
}

static outcome replace_one(string_view topic, string_view payload, const message &m) {
  auto o = replace(1);
  *o.val.replace.ptr = made(topic, payload, m.qos, m.retain);
  return o;
}

static outcome keep() { return {.tag = EXPORTS_HPMQ_BROKER_TRANSFORMER_OUTCOME_KEEP, .val = {}}; }
static outcome drop() { return {.tag = EXPORTS_HPMQ_BROKER_TRANSFORMER_OUTCOME_DROP, .val = {}}; }

static outcome take_apart(string_view topic, const message &m) {
  auto parts = batch(view(m.payload));
  if (!parts) return keep();
  if (parts->empty()) return drop();
  auto o = replace(parts->size());
  for (size_t i = 0; i < parts->size(); i++)
    o.val.replace.ptr[i] = made(topic, (*parts)[i], m.qos, false);
  return o;
}

static outcome upstream(const message &m) {
  auto topic = view(m.topic), payload = view(m.payload);
  auto without = [&](string_view suffix) { return topic.substr(0, topic.size() - suffix.size()); };
  if (topic.ends_with("/secret")) return drop();
  if (topic.ends_with("/raw"))
    return replace_one(std::string(without("/raw")) + "/json", pairs(payload), m);
  if (topic.ends_with("/batch") && topic != "/batch") return take_apart(without("/batch"), m);
  auto changed = renamed(payload);
  return changed ? replace_one(topic, *changed, m) : keep();
}

void exports_hpmq_broker_transformer_upstream(identity *who, message *m, outcome *ret) {
  *ret = upstream(*m);
  exports_hpmq_broker_transformer_identity_free(who);
  exports_hpmq_broker_transformer_message_free(m);
}

void exports_hpmq_broker_transformer_downstream(identity *who, message *m, outcome *ret) {
  auto changed = addressed(view(m->payload), view(who->client_id));
  *ret = changed ? replace_one(view(m->topic), *changed, *m) : keep();
  exports_hpmq_broker_transformer_identity_free(who);
  exports_hpmq_broker_transformer_message_free(m);
}
