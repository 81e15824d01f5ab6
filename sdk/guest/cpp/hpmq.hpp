// hpmq.hpp is what a component in C++20 that converts messages is written with: hpmq.h of the SDK for C
// in the words of std. See README.md for how to build, example/ for one to copy.
//
// An author derives from hpmq::conversion, writes upstream and downstream, and names the class once:
//
//   HPMQ_CONVERSION(vendor)
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "../c/hpmq.h"

namespace hpmq {

inline std::string_view view(hpmq_bytes b) {
  return {reinterpret_cast<const char *>(b.ptr), b.len};
}
inline hpmq_bytes bytes(std::string_view s) { return hpmq_bytes_of(s.data(), s.size()); }

// A message on its way. What it views holds until the call returns.
struct message {
  std::string_view topic, payload;
  int qos;
  bool retain;

  // previous is the last payload that was delivered under the topic on this listener. Who calls it
  // needs the capability history in the link.
  std::optional<std::string_view> previous() const {
    hpmq_bytes last;
    if (!hpmq_previous(bytes(topic), &last)) return {};
    return view(last);
  }
};

// Who a message comes from or goes to. What is not known is empty.
struct context {
  std::string_view client_id, username, address, listener, tenant;
};

// What becomes of a message.
class outcome {
public:
  static outcome keep() { return outcome(HPMQ_KEEP); }
  static outcome drop() { return outcome(HPMQ_DROP); }
  // replace sends the same message with another payload.
  static outcome replace(const message &m, std::string payload) {
    return replace().with(std::string(m.topic), std::move(payload), m.qos, m.retain);
  }
  // replace sends what is added by with, one message or more.
  static outcome replace() { return outcome(HPMQ_REPLACE); }
  outcome &&with(std::string topic, std::string payload, int qos, bool retain) && {
    made_.push_back({std::move(topic), std::move(payload), qos, retain});
    return std::move(*this);
  }

  // send is for this header: it hands the answer over. The broker reads it after the call.
  hpmq_outcome send() const {
    for (const auto &m : made_)
      hpmq_send({copy(m.topic), copy(m.payload), static_cast<uint8_t>(m.qos), m.retain});
    return kind_;
  }

private:
  struct made {
    std::string topic, payload;
    int qos;
    bool retain;
  };

  explicit outcome(hpmq_outcome kind) : kind_(kind) {}
  static hpmq_bytes copy(const std::string &s) {
    auto *p = static_cast<uint8_t *>(hpmq_alloc(s.size()));
    s.copy(reinterpret_cast<char *>(p), s.size());
    return hpmq_bytes_of(p, s.size());
  }

  hpmq_outcome kind_;
  std::vector<made> made_;
};

// What an author derives from. There is one object of it, made when it is first needed.
class conversion {
public:
  virtual ~conversion() = default;
  // configure reads the configuration from the link, JSON text, and answers nothing or what is
  // wrong with it, a literal for the operator. hpmq_want_inbound and hpmq_want_outbound may be
  // called here.
  virtual const char *configure(std::string_view) { return nullptr; }
  // upstream is asked about each message from a device to the broker.
  virtual outcome upstream(const message &, const context &) { return outcome::keep(); }
  // downstream is asked about each message from the broker to a device.
  virtual outcome downstream(const message &, const context &) { return outcome::keep(); }
};

inline message from(const hpmq_message *m) {
  return {view(m->topic), view(m->payload), m->qos, m->retain};
}
inline context from(const hpmq_context *c) {
  return {view(c->client_id), view(c->username), view(c->address), view(c->listener),
          view(c->tenant)};
}

}  // namespace hpmq

#define HPMQ_CONVERSION(type)                                                    \
  static hpmq::conversion &hpmq_the_one() {                                      \
    static type one;                                                             \
    return one;                                                                  \
  }                                                                              \
  const char *hpmq_configure(hpmq_bytes config) {                                \
    return hpmq_the_one().configure(hpmq::view(config));                         \
  }                                                                              \
  hpmq_outcome hpmq_upstream(const hpmq_message *m, const hpmq_context *who) {   \
    return hpmq_the_one().upstream(hpmq::from(m), hpmq::from(who)).send();       \
  }                                                                              \
  hpmq_outcome hpmq_downstream(const hpmq_message *m, const hpmq_context *who) { \
    return hpmq_the_one().downstream(hpmq::from(m), hpmq::from(who)).send();     \
  }
