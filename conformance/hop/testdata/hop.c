// hop.c is a policy of a few lines in each role, to measure what asking costs. policy_test.go has the
// same in Go. ROLE_X chooses the exports, BLOCK takes arguments in a block of the host; tools/fixtures.sh
// builds both forms of it, and a component without a block. rust/ has two of the roles in Rust.
typedef unsigned int u32;
typedef unsigned char u8;

#define EXPORT(name) __attribute__((export_name(name)))

// Memory that is used from its start again after each call.
static u8 heap[64 << 10] __attribute__((aligned(8)));
static u32 used, ended;

EXPORT("cabi_realloc") u8 *cabi_realloc(u8 *old, u32 old_size, u32 align, u32 size) {
  (void)old, (void)old_size;
  if (ended) used = 0, ended = 0;
  used = (used + align - 1) & ~(align - 1);
  if (size > sizeof heap - used) __builtin_trap();
  u8 *p = heap + used;
  used += size;
  return p;
}

#ifdef BLOCK
static u8 arguments[8 << 10] __attribute__((aligned(8)));
EXPORT("hpmq_arguments") u8 *block(u32 size) { return size <= sizeof arguments ? arguments : 0; }
#endif

typedef struct { const u8 *p; u32 n; } str;

EXPORT("hpmq:broker/lifecycle@0.1.0#configure") void *configure(void) {
  static const str all = {(const u8 *)"#", 1};
  static struct { u32 tag; const str *in; u32 in_n; const str *out; u32 out_n; } everything =
      {0, &all, 1, &all, 1};
  return &everything;
}

static int starts(str s, const u8 *with, u32 n) {
  if (s.n < n) return 0;
  for (u32 i = 0; i < n; i++)
    if (s.p[i] != with[i]) return 0;
  return 1;
}
static int is(str s, const char *what, u32 n) { return s.n == n && starts(s, (const u8 *)what, n); }
static str behind(str s, u32 n) { return (str){s.p + n, s.n - n}; }

#define WHO str id, str user, str addr, str listener, str tenant
#define FLAT_WHO u8 *id, u32 id_n, u8 *u, u32 u_n, u8 *a, u32 a_n, u8 *l, u32 l_n, u8 *t, u32 t_n
#define FLAT_MESSAGE u8 *topic, u32 topic_n, u8 *pay, u32 pay_n, u32 qos, u32 retain

// Who publishes below devices/CLIENT/ may; the answer holds for this once.
#ifdef ROLE_AUTHORIZER
EXPORT("hpmq:broker/authorizer@0.1.0#authorize")
u32 authorize(FLAT_WHO, u32 action, u8 *topic, u32 topic_n, u32 qos) {
  str s = {topic, topic_n};
  ended = 1;
  if (!starts(s, (const u8 *)"devices/", 8)) return 0x87;
  s = behind(s, 8);
  return starts(s, id, id_n) && s.n > id_n && s.p[id_n] == '/' ? 0 : 0x87;
}
#endif

// Letters become capitals.
#ifdef ROLE_TRANSFORMER
typedef struct { str topic, payload; u8 qos, retain; } message;
static struct { u32 tag; message *list; u32 n; } outcome;
static message one;

EXPORT("hpmq:broker/transformer@0.1.0#upstream") void *upstream(FLAT_WHO, FLAT_MESSAGE) {
  for (u32 i = 0; i < pay_n; i++) pay[i] -= pay[i] >= 'a' && pay[i] <= 'z' ? 32 : 0;
  one = (message){{topic, topic_n}, {pay, pay_n}, (u8)qos, (u8)retain};
  outcome.tag = 2, outcome.list = &one, outcome.n = 1;
  ended = 1;
  return &outcome;
}
EXPORT("hpmq:broker/transformer@0.1.0#downstream") void *downstream(FLAT_WHO, FLAT_MESSAGE) {
  outcome.tag = 0, ended = 1;
  return &outcome;
}
#endif

// What has the hash of the payload before is a repeat.
#ifdef ROLE_DEDUPLICATOR
EXPORT("hpmq:broker/deduplicator@0.1.0#check") u32 check(FLAT_WHO, FLAT_MESSAGE) {
  static u32 last;
  u32 h = 2166136261u;
  for (u32 i = 0; i < pay_n; i++) h = (h ^ pay[i]) * 16777619u;
  u32 repeat = h == last;
  last = h, ended = 1;
  return repeat;
}
#endif

// Alarms go to alarms/all too.
#ifdef ROLE_ROUTER
EXPORT("hpmq:broker/router@0.1.0#route")
void *route(FLAT_WHO, u8 *topic, u32 topic_n, u32 qos, u32 retain) {
  static const str all = {(const u8 *)"alarms/all", 10};
  static struct { u32 tag; const str *copies; u32 n; u8 *redirect; u32 redirect_n; u32 reach; } r;
  str s = {topic, topic_n};
  r.tag = s.n >= 6 && is(behind(s, s.n - 6), "/alarm", 6) ? 2 : 0;
  r.copies = &all, r.n = 1;
  ended = 1;
  return &r;
}
EXPORT("hpmq:broker/router@0.1.0#share") u32 share(u8 *g, u32 g_n, u8 *f, u32 f_n) {
  ended = 1;
  return 0;
}
#endif

// alice has a password.
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

EXPORT("hpmq:broker/authenticator@0.1.0#authenticate") void *authenticate(credentials *who) {
  static u32 verdict[8];
  int ok = is(who->username, "alice", 5) && is(who->password, "secret", 6);
  verdict[0] = !ok, verdict[1] = ok ? 0 : 0x86;
  for (int i = 2; i < 8; i++) verdict[i] = 0;
  ended = 1;
  return verdict;
}
#endif

// The hash of the last payload is known.
#ifdef ROLE_WORKER
static u32 seen;
EXPORT("hpmq:broker/worker@0.1.0#on-message") void on_message(FLAT_WHO, FLAT_MESSAGE) {
  u32 h = 2166136261u;
  for (u32 i = 0; i < pay_n; i++) h = (h ^ pay[i]) * 16777619u;
  seen = h, ended = 1;
}
EXPORT("hpmq:broker/worker@0.1.0#on-client") void on_client(FLAT_WHO, u32 what) { ended = 1; }
EXPORT("hpmq:broker/worker@0.1.0#on-timer") u32 on_timer(void) { return seen & 0; }
EXPORT("hpmq:broker/worker@0.1.0#on-stop") void on_stop(void) {}
#endif

// A line is a topic, a space, a payload.
#ifdef ROLE_CODEC
static struct {
  u32 has_state; str state;
  u32 consumed;
  void *requests; u32 requests_n;
  str output;
  u32 closes; str why;
} decoded;
static struct { u32 tag; str topic, payload; u32 qos_retain, id; u8 rest[44]; } request;

EXPORT("hpmq:broker/codec@0.1.0#decode") void *decode(u8 *state, u32 state_n, u8 *in, u32 in_n) {
  u32 space = 0, end = 0;
  while (end < in_n && in[end] != '\n') end++;
  while (space < end && in[space] != ' ') space++;
  ended = 1, decoded.consumed = 0, decoded.requests_n = 0;
  if (space >= end) return &decoded;
  request.tag = 1, request.topic = (str){in, space};
  request.payload = (str){in + space + 1, end - space - 1};
  decoded.consumed = end + 1, decoded.requests = &request, decoded.requests_n = 1;
  return &decoded;
}
EXPORT("hpmq:broker/codec@0.1.0#encode")
void *encode(u8 *s, u32 s_n, u32 tag, u32 a, u32 b, u32 c, u32 d, u32 e, u32 f, u32 g) {
  static struct { u32 has_state; str state, output; u32 wait; } encoded;
  ended = 1;
  return &encoded;
}
#endif
