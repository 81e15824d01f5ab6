// The guest of the tests of host/link, in every role. What it does is what words in its configuration
// say, so that one source shows good and bad behaviour. ROLE_X chooses the exports; see build.sh.
typedef unsigned int u32;
typedef unsigned char u8;
typedef unsigned long long u64;

#define EXPORT(name) __attribute__((export_name(name)))
#define IMPORT(mod, name) __attribute__((import_module("hpmq:broker/" mod "@0.1.0"), import_name(name)))

void *memcpy(void *d, const void *s, unsigned long n) {
  for (u8 *a = d, *e = a + n; a < e;) *a++ = *(const u8 *)s, s = (const u8 *)s + 1;
  return d;
}
void *memset(void *d, int c, unsigned long n) {
  for (u8 *a = d, *e = a + n; a < e;) *a++ = (u8)c;
  return d;
}

// Memory: a block that is used from its start again after each call.
static u8 heap[1 << 20] __attribute__((aligned(8)));
static u32 used, ended;

EXPORT("cabi_realloc")
u8 *cabi_realloc(u8 *old, u32 old_size, u32 align, u32 size) {
  if (ended) used = 0, ended = 0;
  used = (used + align - 1) & ~(align - 1);
  if (used + size > sizeof heap) __builtin_trap();
  u8 *p = heap + used;
  used += size;
  if (old_size) memcpy(p, old, old_size < size ? old_size : size);
  return p;
}
#define NEW(n) cabi_realloc(0, 0, 4, n)

#ifdef USE_BLOCK
static u8 arguments[8 << 10] __attribute__((aligned(8)));
EXPORT("hpmq_arguments") u8 *argument_block(u32 size) { return size <= sizeof arguments ? arguments : 0; }
#endif

typedef struct { u8 *p; u32 n; } str;

IMPORT("config", "json") void config_json(str *ret);
static str config;
static u8 config_bytes[4096];

static int is(str a, const char *b) {
  u32 i = 0;
  for (; b[i]; i++) if (i >= a.n || a.p[i] != b[i]) return 0;
  return i == a.n;
}
static int starts(str a, const char *b) {
  for (u32 i = 0; b[i]; i++) if (i >= a.n || a.p[i] != b[i]) return 0;
  return 1;
}
// after is what follows the first occurrence of word in the configuration; p is 0 without one.
static str after(const char *word) {
  for (u32 i = 0; i < config.n; i++) {
    str rest = {config.p + i, config.n - i};
    if (starts(rest, word)) {
      u32 n = 0;
      while (word[n]) n++;
      return (str){rest.p + n, rest.n - n};
    }
  }
  return (str){0, 0};
}
static int says(const char *word) { return after(word).p != 0; }
// until is what stands between word and the next semicolon.
static str until(const char *word, const char *otherwise) {
  str s = after(word);
  u32 n = 0;
  if (!s.p) {
    while (otherwise[n]) n++;
    return (str){(u8 *)otherwise, n};
  }
  while (n < s.n && s.p[n] != ';') n++;
  return (str){s.p, n};
}
static u32 number(const char *word, u32 otherwise) {
  str s = after(word);
  if (!s.p) return otherwise;
  u32 v = 0;
  for (u32 i = 0; i < s.n && s.p[i] >= '0' && s.p[i] <= '9'; i++) v = 10 * v + s.p[i] - '0';
  return v;
}

static volatile u32 sink;
static u32 deep(u32 n) { return n ? deep(n + 1) + sink : 0; }
// act does what a bad guest does when it is asked.
static void act(const char *when) {
  str how = after(when);
  if (!how.p) return;
  if (starts(how, "trap")) __builtin_trap();
  if (starts(how, "loop")) for (;;) sink++;
  if (starts(how, "deep")) sink = deep(1);
  if (starts(how, "bomb")) {
    while (__builtin_wasm_memory_grow(0, 1) != (u32)-1) sink++;
    __builtin_trap();
  }
}

EXPORT("hpmq:broker/lifecycle@0.1.0#configure")
u32 *configure(void) {
  str got;
  config_json(&got);
  if (got.n > sizeof config_bytes) __builtin_trap();
  memcpy(config_bytes, got.p, got.n);
  config = (str){config_bytes, got.n};
  act("configure:");
  u32 *r = (u32 *)NEW(20);
  memset(r, 0, 20);
  if (says("configure:error")) {
    static const char text[] = "no good";
    r[0] = 1, r[1] = (u32)text, r[2] = 7;
    return r;
  }
  if (says("configure:garbage")) return r[0] = 7, r;
  str *in = (str *)NEW(8), *out = (str *)NEW(8);
  *in = until("in=", "#");
  *out = until("out=", "#");
  r[1] = (u32)in, r[2] = in->n ? 1 : 0;
  r[3] = (u32)out, r[4] = out->n ? 1 : 0;
  ended = 1;
  return r;
}

#ifdef USE_KV
IMPORT("kv", "set-if-absent") void kv_add(u8 *key, u32 key_n, u8 *value, u32 value_n, u64 ttl, u8 *ret);
IMPORT("kv", "increment") void kv_increment(u8 *key, u32 key_n, u64 by, u64 *ret);
#endif
#ifdef USE_HISTORY
IMPORT("history", "last") void history_last(u8 *p, u32 n, u32 *ret);
typedef struct { u64 id, time; str client, topic, payload; u64 size; u8 fate; } logged;
typedef struct { u8 failed; union { u8 error; struct { logged *list; u32 n; u64 next; u8 more; }; }
  __attribute__((aligned(8))); } page;
IMPORT("history", "look-back")
void history_look_back(u8 *p, u32 n, u64 since, u64 cursor, u32 newest, u32 max, page *ret);
// look answers the page of what the configuration asks for, from a cursor on. It takes the heap.
static page look(u64 cursor) {
  page r;
  str filter = until("look=", "#");
  ended = 1;
  history_look_back(filter.p, filter.n, number("since=", 0), cursor, says("newest"), number("max=", 2), &r);
  return r;
}
#endif
#ifdef USE_PUBLISH
IMPORT("publish", "publish")
void publish(u8 *topic, u32 topic_n, u8 *pay, u32 pay_n, u32 qos, u32 retain, u8 *ret);
#endif
#ifdef USE_UNKNOWN
IMPORT("weather", "tomorrow") u32 tomorrow(void);
#endif

#ifdef BY_HANDLE
IMPORT("payload", "[method]body.size") u64 body_size(u32 self);
IMPORT("payload", "[method]body.read") void body_read(u32 self, u64 offset, u32 count, str *ret);
IMPORT("payload", "[method]body.fingerprint") u64 body_fingerprint(u32 self);
IMPORT("payload", "[resource-drop]body") void body_drop(u32 self);

static str part(u32 body, u64 offset, u32 count) {
  str s;
  body_read(body, offset, count, &s);
  return s;
}
// whole is the payload, read in pieces, which lie one behind the other in the heap.
static str whole(u32 body) {
  str all = {0, (u32)body_size(body)};
  for (u32 at = 0; at < all.n;) {
    str s = part(body, at, ~0u);
    if (!at) all.p = s.p;
    if (!s.n || s.n > 1 << 16 || s.p != all.p + at) __builtin_trap();
    at += s.n;
  }
  return all;
}
// ends says whether reads at the end and behind it are as the contract has them.
static int ends(u32 body) {
  u64 n = body_size(body);
  return part(body, n, 1).n == 0 && part(body, n - 1, 9).n == 1 && part(body, ~0ull, ~0u).n == 0 &&
         part(body, 1ull << 32, 1).n == 0 && part(body, 0, 0).n == 0 && part(body, n - 1, 0).n == 0;
}
// last is the handle of the call before.
static u32 last;
// misuse does what a bad guest does with a handle.
static void misuse(u32 body) {
  if (!says("bad:")) return;
  if (says("bad:twice")) body_drop(body), body_drop(body);
  if (says("bad:after")) body_drop(body), body_size(body);
  if (says("bad:other")) body_size(body + 1);
  if (says("bad:none")) body_size(0);
  if (says("bad:huge")) body_size(~0u);
  if (says("bad:return")) body_read(body, 0, 8, (str *)0xfffffff8u);
  if (says("bad:odd")) body_read(body, 0, 8, (str *)(config_bytes + 1));
  if (says("bad:forever")) for (;;) used = 0, part(body, 0, ~0u);
  if (says("bad:sums")) for (;;) body_fingerprint(body);
  last = body;
}
static void done(u32 body) { if (!says("bad:leave")) body_drop(body); }
#endif

// raw answers with what the caller passed, as it is: a word 0xa5a5OOOO becomes the address of byte OOOO
// of it. For the fuzz tests, whose inputs cannot know addresses.
static u32 *raw(u8 *p, u32 n) {
  ended = 0;
  u8 *r = cabi_realloc(0, 0, 8, n + 64);
  memset(r, 0, n + 64);
  memcpy(r, p, n);
  for (u32 *w = (u32 *)r; w < (u32 *)(r + n); w++)
    if (*w >> 16 == 0xa5a5) *w = (u32)r + (*w & 0xffff);
  ended = 1;
  return (u32 *)r;
}

#define WHO u8 *id, u32 id_n, u8 *user, u32 user_n, u8 *addr, u32 addr_n, u8 *lis, u32 lis_n, u8 *ten, u32 ten_n
#define MSG u8 *topic, u32 topic_n, u8 *pay, u32 pay_n, u32 qos, u32 retain

#ifdef ROLE_AUTHORIZER
EXPORT("hpmq:broker/authorizer@0.1.0#authorize")
u32 authorize(WHO, u32 action, u8 *topic, u32 topic_n, u32 qos) {
  ended = 1;
  str t = {topic, topic_n};
  act("call:");
  sink++;
  if (starts(t, "trap/")) __builtin_trap();
  u32 how = number("how=", 0); // scope and seconds, shifted
  if (says("answer=")) return number("answer=", 0) | how;
  return (starts(t, "secret/") ? 0x87u : 0) | how;
}
#endif

#if defined ROLE_TRANSFORMER || defined ROLE_WORKER
static str joined(str a, str b) {
  str s = {cabi_realloc(0, 0, 1, a.n + b.n), a.n + b.n};
  memcpy(s.p, a.p, a.n);
  memcpy(s.p + a.n, b.p, b.n);
  return s;
}
#endif
#ifdef ROLE_TRANSFORMER
typedef struct { str topic, payload; u8 qos, retain; } message;

static u32 *replaced(u32 *r, message *list, u32 n) {
  r[0] = 2, r[1] = (u32)list, r[2] = n;
  ended = 1;
  return r;
}
static u32 *transform(MSG) {
  act("call:");
  if (says("raw")) return raw(pay, pay_n);
#ifdef BY_HANDLE
  if (says("bad:late") && last) body_size(last);
#endif
  u32 *r = (u32 *)NEW(12);
  memset(r, 0, 12);
  str t = {topic, topic_n}, p = {pay, pay_n};
  if (starts(t, "trap/")) __builtin_trap();
#ifdef USE_PUBLISH
  u8 failed[2];
  publish(topic, topic_n, pay, pay_n, qos, retain, failed);
#endif
  message m = {t, p, (u8)qos, (u8)retain};
  u32 many = number("copies=", 1);
  if (says("drop")) return ended = 1, r[0] = 1, r;
  if (says("garbage:outcome")) return ended = 1, r[0] = 9, r;
  if (says("garbage:address")) return (u32 *)0xfffffff0u;
  if (says("garbage:list")) return replaced(r, (message *)0x7fffff00u, 1);
  if (says("garbage:length")) return replaced(r, (message *)r, 0x10000000u);
  if (says("garbage:topic")) m.topic = (str){(u8 *)"a/#", 3};
  if (says("garbage:text")) m.topic = (str){(u8 *)"a\xff", 2};
  if (says("garbage:qos")) m.qos = 3;
  if (says("tag=")) m.payload = joined(until("tag=", ""), p);
  else if (says("topic=")) m.topic = until("topic=", "");
#ifdef USE_HISTORY
  else if (says("history")) {
    u32 last[3];
    history_last(topic, topic_n, last);
    m.payload = last[0] ? (str){(u8 *)last[1], last[2]} : (str){(u8 *)"none", 4};
  } else if (says("look=")) {
    static u8 digit;
    page got = look(0);
    digit = '0' + (got.failed ? got.error : 9);
    m.payload = (str){&digit, 1};
    ended = 0;
  }
#endif
#ifdef USE_KV
  else if (says("count")) {
    // How many messages the topic has had, before the payload.
    u64 sum[2];
    kv_increment(topic, topic_n, 1, sum);
    u8 digits[21], *at = digits + sizeof digits;
    *--at = ' ';
    for (u64 n = sum[1]; n; n /= 10) *--at = (u8)('0' + n % 10);
    m.payload = joined((str){at, (u32)(digits + sizeof digits - at)}, p);
  }
#endif
  else if (!says("garbage:") && many == 1) return ended = 1, r;
  message *list = (message *)NEW(many * sizeof(message));
  for (u32 i = 0; i < many; i++) list[i] = m;
  return replaced(r, list, many);
}
EXPORT("hpmq:broker/transformer@0.1.0#upstream")
u32 *upstream(WHO, MSG) { return transform(topic, topic_n, pay, pay_n, qos, retain); }
EXPORT("hpmq:broker/transformer@0.1.0#downstream")
u32 *downstream(WHO, MSG) { return transform(topic, topic_n, pay, pay_n, qos, retain); }

#ifdef BY_HANDLE
typedef struct { str topic; u8 qos, retain; } envelope;
// send_as answers with n envelopes, of which each topic has its number's letter in front.
static u32 *send_as(u8 *topic, u32 topic_n, u32 qos, u32 retain, u32 n) {
  u32 *r = (u32 *)NEW(12);
  envelope *list = (envelope *)NEW(n * sizeof(envelope));
  for (u32 i = 0; i < n; i++) {
    u8 letter[2] = {(u8)('a' + i % 26), '/'};
    list[i] = (envelope){joined((str){letter, 2}, (str){topic, topic_n}), (u8)qos, (u8)retain};
  }
  if (says("garbage:topic")) list[n - 1].topic = (str){(u8 *)"a/#", 3};
  if (says("garbage:text")) list[n - 1].topic = (str){(u8 *)"a\xff", 2};
  if (says("garbage:qos")) list[n - 1].qos = 3;
  r[0] = 3, r[1] = (u32)list, r[2] = says("garbage:length") ? 0x20000000u : n;
  if (says("garbage:list")) r[1] = 0x7fffff00u;
  ended = 1;
  return r;
}
static u32 *lent(u8 *topic, u32 topic_n, u32 body, u32 qos, u32 retain) {
  u32 *r;
  if (says("blind")) {
    r = (u32 *)NEW(12);
    r[0] = 0, ended = 1;
    misuse(body), done(body);
    return r;
  }
  misuse(body);
  if (says("ends") && !ends(body)) __builtin_trap();
  if (says("look")) {
    if (part(body, 0, 64).n != 64) __builtin_trap();
    r = (u32 *)NEW(12);
    r[0] = 0, ended = 1;
  } else if (says("sendas=")) {
    r = send_as(topic, topic_n, qos, retain, number("sendas=", 1));
  } else {
    str all = whole(body);
    r = transform(topic, topic_n, all.p, all.n, qos, retain);
  }
  done(body);
  return r;
}
EXPORT("hpmq:broker/transformer-by-handle@0.1.0#upstream")
u32 *upstream_lent(WHO, u8 *topic, u32 topic_n, u32 body, u32 qos, u32 retain) {
  return lent(topic, topic_n, body, qos, retain);
}
#ifndef HALF
EXPORT("hpmq:broker/transformer-by-handle@0.1.0#downstream")
#endif
u32 *downstream_lent(WHO, u8 *topic, u32 topic_n, u32 body, u32 qos, u32 retain) {
  return lent(topic, topic_n, body, qos, retain);
}
#endif
#endif

#ifdef USE_MIGRATION
IMPORT("kv", "get") void kv_get(u8 *key, u32 key_n, u32 *ret);
IMPORT("kv", "set") void kv_set(u8 *key, u32 key_n, u8 *value, u32 value_n, u64 ttl, u8 *ret);
IMPORT("kv", "delete") void kv_delete(u8 *key, u32 key_n);
static str together(str a, str b) {
  str s = {cabi_realloc(0, 0, 1, a.n + b.n), a.n + b.n};
  memcpy(s.p, a.p, a.n);
  memcpy(s.p + a.n, b.p, b.n);
  return s;
}
// migrate appends the schema to the value, or does what the configuration says.
EXPORT("hpmq:broker/migration@0.1.0#migrate")
u32 *migrate(u32 from, u32 to, u8 *key, u32 key_n) {
  static u32 result[3], got[3];
  static u8 digit, failed[2];
  ended = 0;
  act("migrate:");
  str k = {key, key_n};
  kv_get(key, key_n, got);
  str value = {(u8 *)got[1], got[2]};
  if (!got[0]) __builtin_trap();
  result[0] = 0;
  if (says("bad=") && is(k, "z")) act("bad=");
  if (says("migrate:error") || to > number("knows=", 9)) {
    result[0] = 1, result[1] = (u32)"not that one", result[2] = 12;
  } else if (says("migrate:keep")) {
  } else if (says("migrate:rename")) {
    str other = together((str){(u8 *)"new/", 4}, k);
    kv_set(other.p, other.n, value.p, value.n, 0, failed);
    kv_delete(key, key_n);
  } else if (says("migrate:one")) {
    kv_set((u8 *)"one", 3, value.p, value.n, 0, failed);
    kv_delete(key, key_n);
  } else if (says("migrate:much")) {
    for (u32 i = 0; i < 100; i++) {
      u8 two[2] = {(u8)('a' + i % 10), (u8)('a' + i / 10)};
      str s = together(k, (str){two, 2});
      kv_set(s.p, s.n, heap, 60000, 0, failed);
    }
  } else {
    digit = (u8)('0' + to);
    str s = together(value, (str){&digit, 1});
    kv_set(key, key_n, s.p, s.n, 0, failed);
  }
  ended = 1;
  return result;
}
#endif
#ifdef USE_STATE
// What is remembered of payloads, or of who connects: a number for each, which is their first 4 bytes.
static u32 seen[1 << 16], seen_n;
static u32 first(const u8 *p, u32 n) {
  u32 word = 0;
  memcpy(&word, p, n < 4 ? n : 4);
  return word;
}
static int note(u32 word) {
  for (u32 i = 0; i < seen_n; i++) if (seen[i] == word) return 1;
  if (seen_n == sizeof seen / 4) __builtin_trap();
  return seen[seen_n++] = word, 0;
}
static u32 result[3];
static u32 *no(void) {
  static const char text[] = "I would rather not";
  return result[0] = 1, result[1] = (u32)text, result[2] = sizeof text - 1, result;
}
EXPORT("hpmq:broker/state@0.1.0#export-state")
u32 *export_state(void) {
  ended = 1;
  u32 kept = seen_n;
  seen_n = 0; // who fails here has lost what it had
  act("export:");
  seen_n = kept;
  if (says("export:error")) return no();
  if (says("export:garbage")) return (u32 *)0xfffffff0u;
  return result[0] = 0, result[1] = (u32)seen, result[2] = says("export:huge") ? sizeof seen : 4 * seen_n, result;
}
EXPORT("hpmq:broker/state@0.1.0#import-state")
u32 *import_state(u32 schema, u8 *state, u32 n) {
  ended = 1;
#ifdef ROLE_WORKER
  seen_n = 0; // in no canary: this is all there is
  for (u32 i = 0; i + 4 <= n; i += 4) seen[seen_n++] = first(state + i, 4);
#else
  for (u32 i = 0; i + 4 <= n; i += 4) note(*(u32 *)(state + i));
#endif
  act("import:");
  if (says("import:garbage")) return (u32 *)0xfffffff0u;
  if (says("import:error") || schema > number("knows=", 9)) return no();
  return result[0] = 0, result;
}
#endif
#ifdef ROLE_WORKER
static void tell(const char *topic, u8 *pay, u32 pay_n) {
  u32 n = 0;
  u8 failed[2];
  while (topic[n]) n++;
  publish((u8 *)topic, n, pay, pay_n, 0, 0, failed);
}
#ifdef USE_HISTORY
// recall tells all that the log has of what the configuration asks for: seen FATE CLIENT TOPIC PAYLOAD.
static void recall(void) {
  page got = {0};
  u8 said[2] = {'0', ' '};
  str fate = {said, 2}, space = {(u8 *)" ", 1};
  do {
    got = look(got.next);
    if (said[0] = '0' + got.error, got.failed) return tell("failed", said, 1);
    for (u32 i = 0; i < got.n; i++) {
      logged *x = got.list + i;
      said[0] = '0' + x->fate;
      str line = joined(joined(fate, joined(x->client, space)), joined(joined(x->topic, space), x->payload));
      tell("seen", line.p, line.n);
    }
    tell("page", 0, 0);
  } while (got.more);
  tell("over", 0, 0);
}
#endif
EXPORT("hpmq:broker/worker@0.1.0#on-message")
void on_message(WHO, MSG) {
  ended = 1;
  act("call:");
#ifdef USE_HISTORY
  if (says("look=")) return recall();
#endif
  if (starts((str){topic, topic_n}, "trap/")) __builtin_trap();
#ifdef USE_STATE
  // What it was told since it is there, or what it was told before it took another's place as well.
  if (starts((str){topic, topic_n}, "all/")) return tell("all", (u8 *)seen, 4 * seen_n);
  seen[seen_n++] = first(pay, pay_n);
#endif
#ifdef USE_MIGRATION
  if (says("tally")) { // appends the payload to what is under the topic
    u32 got[3];
    u8 failed[2];
    ended = 0;
    kv_get(topic, topic_n, got);
    str s = together((str){(u8 *)got[1], got[0] ? got[2] : 0}, (str){pay, pay_n});
    kv_set(topic, topic_n, s.p, s.n, 0, failed);
    ended = 1;
    return;
  }
#endif
  tell("told", pay, pay_n);
}
#ifdef BY_HANDLE
EXPORT("hpmq:broker/worker-by-handle@0.1.0#on-message")
void on_lent(WHO, u8 *topic, u32 topic_n, u32 body, u32 qos, u32 retain) {
  str s = part(body, 0, 8);
  body_drop(body);
  ended = 1;
  tell("lent", s.p, s.n);
}
#endif
EXPORT("hpmq:broker/worker@0.1.0#on-client")
void on_client(WHO, u32 what) { ended = 1, tell(what ? "went" : "came", id, id_n); }
EXPORT("hpmq:broker/worker@0.1.0#on-timer")
u32 on_timer(void) { return ended = 1, tell("timer", 0, 0), number("every=", 0); }
EXPORT("hpmq:broker/worker@0.1.0#on-stop")
void on_stop(void) { ended = 1, tell("stopped", 0, 0); }
#endif

#ifdef ROLE_DEDUPLICATOR
EXPORT("hpmq:broker/deduplicator@0.1.0#check")
u32 check(WHO, MSG) {
  ended = 1;
  act("call:");
#ifdef USE_STATE
  if (says("remember")) {
    return (u32)note(first(pay, pay_n));
  }
#endif
  if (says("answer=")) return number("answer=", 0);
#ifdef USE_KV
  if (says("window=")) {
    u8 r[2];
    kv_add(pay, pay_n, 0, 0, number("window=", 0), r);
    return r[0] == 0 && r[1] ? 0 : 1;
  }
#endif
  return starts((str){pay, pay_n}, "again") ? 1 : 0;
}
#ifdef BY_HANDLE
EXPORT("hpmq:broker/deduplicator-by-handle@0.1.0#check")
u32 check_lent(WHO, u8 *topic, u32 topic_n, u32 body, u32 qos, u32 retain) {
  static u64 before;
  misuse(body);
  u32 answer = number("answer=", 0);
  if (says("sum")) {
    u64 sum = body_fingerprint(body);
    answer = sum == before, before = sum;
  } else if (!says("answer=")) {
    answer = starts(part(body, 0, 5), "again") ? 1 : 0;
  }
  ended = 1;
  done(body);
  return answer;
}
#endif
#endif

#ifdef ROLE_CODEC
// Each digit of the input is a request of that kind, all fields of which are set; a point ends the
// connection. The state counts the calls. What the answer breaks is what garbage: names.
static u32 put_message(u32 *w) {
  w[0] = (u32)"top", w[1] = 3, w[2] = (u32)"load", w[3] = 4;
  return w[4] = number("qos=", 2) | 1 << 8;
}
static void put_request(u32 *w, u32 kind) {
  memset(w, 0, 72);
  w[0] = kind;
  if (kind == 0) {
    w[1] = (u32)"id", w[2] = 2;
    w[3] = 1, w[4] = (u32)"user", w[5] = 4;
    w[6] = 1, w[7] = (u32)"pass", w[8] = 4;
    w[9] = 1, w[10] = 77, w[11] = 88, w[12] = 1;
    put_message(w + 13);
  } else if (kind == 1) {
    put_message(w + 1);
    w[6] = 11;
  } else if (kind == 2) {
    w[1] = (u32)"a/#", w[2] = 3, w[3] = number("qos=", 2), w[4] = 12;
  } else if (kind == 3) {
    w[1] = (u32)"a/#", w[2] = 3, w[3] = 13;
  } else if (kind == 4) {
    w[1] = 14;
  }
  if (says("garbage:text")) w[1] = (u32)"\xff\xfe", w[2] = 2;
}
static void put_state(u32 *w, u8 *state, u32 n) {
  u32 size = number("state=", 1);
  u8 *s = cabi_realloc(0, 0, 1, size);
  memset(s, 0, size);
  s[0] = n ? state[0] + 1 : 'A';
  w[0] = 1, w[1] = (u32)s, w[2] = size;
}
EXPORT("hpmq:broker/codec@0.1.0#decode")
u32 *decode(u8 *state, u32 state_n, u8 *in, u32 n) {
  act("call:");
  u32 *r = (u32 *)NEW(44), count = number("requests=", n);
  u32 *list = (u32 *)NEW(72 * count);
  memset(r, 0, 44);
  for (u32 i = 0; i < count; i++) put_request(list + 18 * i, i < n ? in[i] - '0' : 5);
  put_state(r, state, state_n);
  r[3] = says("garbage:consumed") ? n + 1 : n;
  r[4] = (u32)list, r[5] = count;
  r[6] = (u32)in, r[7] = n;
  if (says("garbage:output")) r[6] = 0xFFFFFF00;
  if (says("close")) r[8] = 1, r[9] = (u32)"enough", r[10] = 6;
  ended = 1;
  return r;
}
// encode answers the case and its seven parameters, each as a byte; strings by their length.
EXPORT("hpmq:broker/codec@0.1.0#encode")
u32 *encode(u8 *state, u32 state_n, u32 kind, u32 a, u32 b, u32 c, u32 d, u32 e, u32 f, u32 g) {
  act("call:");
  u32 *r = (u32 *)NEW(24), flat[8] = {kind, a, b, c, d, e, f, g};
  memset(r, 0, 24);
  if (kind == 0) flat[3] = ((u8 *)c)[0];
  if (kind == 1) flat[1] = ((u8 *)a)[0], flat[3] = ((u8 *)c)[0];
  u8 *out = cabi_realloc(0, 0, 1, 8);
  for (u32 i = 0; i < 8; i++) out[i] = (u8)flat[i];
  put_state(r, state, state_n);
  r[3] = (u32)out, r[4] = 8, r[5] = says("wait");
  ended = 1;
  return r;
}
#endif

#ifdef ROLE_ROUTER
EXPORT("hpmq:broker/router@0.1.0#route")
u32 *route(WHO, u8 *topic, u32 topic_n, u32 qos, u32 retain) {
  act("call:");
  if (says("raw")) return raw(topic, topic_n);
  u32 *r = (u32 *)NEW(24);
  memset(r, 0, 24);
  ended = 1;
  str t = {topic, topic_n};
  if (starts(t, "drop/")) return r[0] = 1, r;
  if (says("garbage:reach")) return r[0] = 2, r[5] = 3, r;
  if (says("garbage:outcome")) return r[0] = 3, r;
  str redirect = until("redirect=", ""), copy = until("copy=", "");
  if (!redirect.n && !copy.n) return r;
  u32 n = number("copies=", 1);
  ended = 0;
  str *list = (str *)NEW(n * sizeof(str));
  for (u32 i = 0; i < n; i++) list[i] = copy;
  r[0] = 2, r[1] = (u32)list, r[2] = copy.n ? n : 0;
  r[3] = (u32)redirect.p, r[4] = redirect.n;
  ended = 1;
  return r;
}
EXPORT("hpmq:broker/router@0.1.0#share")
u32 share(u8 *group, u32 group_n, u8 *filter, u32 filter_n) {
  ended = 1;
  act("call:");
  return number("strategy=", 0);
}
#endif

#ifdef ROLE_AUTHENTICATOR
typedef struct {
  str client_id;
  u32 has_username; str username;
  u32 has_password; str password;
  str address, listener;
  u32 version;
  str subject, method, data;
  u32 step;
} credentials;

EXPORT("hpmq:broker/authenticator@0.1.0#authenticate")
u32 *authenticate(credentials *who) {
  act("call:");
  if (says("raw")) return raw(who->data.p, who->data.n);
  u32 *r = (u32 *)NEW(32);
  memset(r, 0, 32);
  ended = 1;
  if (is(who->username, "trap")) __builtin_trap();
#ifdef USE_STATE
  // Nobody comes twice.
  if (says("remember")) return note(first(who->username.p, who->username.n)) ? (r[0] = 1, r[1] = 0x87, r) : r;
#endif
  if (says("garbage:verdict")) return r[0] = 4, r;
  if (says("garbage:reason")) return r[0] = 1, r[1] = 1, r;
  if (says("garbage:challenge")) return r[0] = 2, r;
  if (says("only-")) {
    if (!starts(who->username, "local")) return r[0] = 3, r;
  }
  if (is(who->method, "RIDDLE")) {
    if (who->step == 0) return r[0] = 2, r[1] = (u32) "why?", r[2] = 4, r;
    if (is(who->data, "because")) return r[6] = (u32) "done", r[7] = 4, r;
    return r[0] = 1, r[1] = 0x87, r;
  }
  if (is(who->username, "alice") && who->has_password && is(who->password, "secret")) {
    static const char name[] = "Alice", tenant[] = "wonderland";
    r[1] = (u32)name, r[2] = 5, r[3] = (u32)tenant, r[4] = 10, r[5] = 60;
    return r;
  }
  if (starts(who->username, "local")) return r;
  if (!who->has_username) return r[0] = 3, r;
  r[0] = 1, r[1] = 0x86, r[2] = (u32) "wrong", r[3] = 5;
  return r;
}
#endif

#ifdef USE_UNKNOWN
EXPORT("forecast") u32 forecast(void) { return tomorrow(); }
#endif
#ifdef USE_KV
EXPORT("count") u64 count(void) { u64 r[2]; kv_increment(0, 0, 1, r); return r[1]; }
#endif
