#include "rules.hpp"

using std::string;
using std::string_view;

constexpr string_view spaces = " \t\n\r";

static string_view trim(string_view s) {
  auto first = s.find_first_not_of(spaces);
  if (first == s.npos) return {};
  return s.substr(first, s.find_last_not_of(spaces) - first + 1);
}

// between is what stands between the brackets of a trimmed text, nothing if it has not both.
static std::optional<string_view> between(string_view s, char open, char close) {
  s = trim(s);
  if (s.size() < 2 || s.front() != open || s.back() != close) return {};
  return s.substr(1, s.size() - 2);
}

// string_end is the index of the quote that ends the string which begins at i, or npos.
static size_t string_end(string_view s, size_t i) {
  for (i++; i < s.size(); i++) {
    if (s[i] == '"') return i;
    if (s[i] == '\\') i++;
  }
  return s.npos;
}

static void escape(string &out, string_view s) {
  for (unsigned char c : s) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c < 0x20) {
      out += "\\u00";
      out += "0123456789abcdef"[c >> 4];
      out += "0123456789abcdef"[c & 15];
    } else {
      out += c;
    }
  }
}

// is_number is whether all of s is a number of RFC 8259, section 6.
static bool is_number(string_view s) {
  auto skip = [&](string_view any) {
    bool found = !s.empty() && any.find(s.front()) != any.npos;
    if (found) s.remove_prefix(1);
    return found;
  };
  auto digits = [&] {
    bool found = false;
    while (skip("0123456789")) found = true;
    return found;
  };
  skip("-");
  if (!skip("0") && !digits()) return false;
  if (skip(".") && !digits()) return false;
  if (skip("eE")) {
    skip("+-");
    if (!digits()) return false;
  }
  return s.empty();
}

static void pair(string &out, string_view part) {
  auto eq = part.find('=');
  auto value = eq == part.npos ? string_view() : part.substr(eq + 1);
  if (out.size() > 1) out += ',';
  out += '"';
  escape(out, part.substr(0, eq));
  out += "\":";
  if (is_number(value)) {
    out += value;
    return;
  }
  out += '"';
  escape(out, value);
  out += '"';
}

string pairs(string_view payload) {
  string out = "{";
  for (;;) {
    auto n = payload.find(';');
    if (auto part = payload.substr(0, n); !part.empty()) pair(out, part);
    if (n == payload.npos) return out + '}';
    payload.remove_prefix(n + 1);
  }
}

std::optional<std::vector<string_view>> batch(string_view payload) {
  auto inner = between(payload, '[', ']');
  if (!inner) return {};
  std::vector<string_view> parts;
  if (trim(*inner).empty()) return parts;
  size_t start = 0;
  int depth = 0;
  for (size_t i = 0; i <= inner->size(); i++) {
    switch (i < inner->size() ? (*inner)[i] : ',') {
    case '"':
      i = string_end(*inner, i);
      if (i == string_view::npos) return {};
      break;
    case '{': case '[':
      depth++;
      break;
    case '}': case ']':
      if (--depth < 0) return {};
      break;
    case ',':
      if (depth > 0) break;
      parts.push_back(trim(inner->substr(start, i - start)));
      if (parts.back().empty()) return {};
      start = i + 1;
    }
  }
  if (depth > 0) return {};
  return parts;
}

std::optional<string> renamed(string_view payload) {
  if (!between(payload, '{', '}')) return {};
  int depth = 0;
  for (size_t i = 0; i < payload.size(); i++) {
    char c = payload[i];
    if (c == '{' || c == '[') depth++;
    if (c == '}' || c == ']') depth--;
    if (c != '"') continue;
    auto end = string_end(payload, i);
    if (end == payload.npos) return {};
    auto next = payload.find_first_not_of(spaces, end + 1);
    bool key = payload.substr(i + 1, end - i - 1) == "temp" && next != payload.npos &&
               payload[next] == ':';
    if (depth == 1 && key)
      return string(payload.substr(0, i + 1)) + "temperature" + string(payload.substr(end));
    i = end;
  }
  return {};
}

std::optional<string> addressed(string_view payload, string_view client_id) {
  auto inner = between(payload, '{', '}');
  if (!inner) return {};
  auto last = payload.rfind('}');
  string out(payload.substr(0, last));
  if (!trim(*inner).empty()) out += ',';
  out += "\"to\":\"";
  escape(out, client_id);
  out += '"';
  out += payload.substr(last);
  return out;
}
