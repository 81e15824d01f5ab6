// A vendor's meters speak "t=21.5", the cloud speaks {"t":21.5,"by":"m7"}. See ../../example.
#include "hpmq.hpp"

using hpmq::outcome;

static std::string quoted(std::string_view s) {
  hpmq_buffer b = {};
  hpmq_put_json(&b, hpmq::bytes(s));
  return std::string(hpmq::view(hpmq_written(&b)));
}

class vendor : public hpmq::conversion {
  const char *configure(std::string_view) override {
    hpmq_want_inbound("meter/+/up");
    hpmq_want_outbound("meter/+/down");
    return nullptr;
  }

  outcome upstream(const hpmq::message &m, const hpmq::context &from) override {
    auto eq = m.payload.find('=');
    if (eq == m.payload.npos) return outcome::keep();
    auto json = "{" + quoted(m.payload.substr(0, eq)) + ":" +
                std::string(m.payload.substr(eq + 1)) + ",\"by\":" + quoted(from.client_id) + "}";
    if (m.previous() == json) return outcome::drop();  // nothing new
    return outcome::replace(m, json);
  }

  outcome downstream(const hpmq::message &m, const hpmq::context &) override {
    std::string_view set = "{\"set\":";
    if (!m.payload.starts_with(set) || !m.payload.ends_with('}')) return outcome::keep();
    auto value = m.payload.substr(set.size(), m.payload.size() - set.size() - 1);
    return outcome::replace(m, "set=" + std::string(value));
  }
};

HPMQ_CONVERSION(vendor)
