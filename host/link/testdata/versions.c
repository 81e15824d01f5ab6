// The guests of the tests of two versions side by side: one policy, as an authorizer of 0.1, of 0.2 as
// wit-0.2 has it, or of both. In kv it leaves what it saw. Which version of what it speaks:
//   OLD   authorizer@0.1.0
//   NEW   that version of authorizer, in the shape of 0.2
//   LIFE  the version of lifecycle; LIFE2 another one
//   CAPS  the version of config and kv; TAKE if kv has take
typedef unsigned int u32;
typedef unsigned char u8;
typedef unsigned long long u64;

#define EXPORT(name) __attribute__((export_name(name)))
#define IMPORT(mod, name) __attribute__((import_module("hpmq:broker/" mod "@" CAPS), import_name(name)))
#define WHO u8 *id, u32 id_n, u8 *user, u32 user_n, u8 *addr, u32 addr_n, u8 *lis, u32 lis_n, u8 *ten, u32 ten_n

typedef struct { u8 *p; u32 n; } str;

// Memory is used from its start again after each call.
static u8 heap[1 << 16] __attribute__((aligned(8)));
static u32 used, ended;

EXPORT("cabi_realloc")
u8 *cabi_realloc(u8 *old, u32 old_size, u32 align, u32 size) {
  if (ended) used = 0, ended = 0;
  used = (used + align - 1) & ~(align - 1);
  if (old_size || used + size > sizeof heap) __builtin_trap();
  u8 *p = heap + used;
  used += size;
  return p;
}

IMPORT("config", "json") void config_json(str *ret);
IMPORT("kv", "set") void kv_set(const char *key, u32 key_n, u8 *value, u32 value_n, u64 ttl, u8 *ret);
IMPORT("kv", "increment") void kv_increment(const char *key, u32 key_n, u64 by, u64 *ret);
#ifdef TAKE
IMPORT("kv", "take") void kv_take(const char *key, u32 key_n, u32 *ret);
#endif

// The configuration is "next": others are to decide; "once", else an answer holds for the topic; or
// "quiet", which is once and leaves nothing in kv.
static u32 next, scope, quiet;

static void note(const char *key, u32 key_n, u8 *value, u32 n) {
  u8 failed[2];
  kv_set(key, key_n, value, n, 0, failed);
}

static u32 *configured(const char *version) {
  static u32 result[5];
  static str all = {(u8 *)"#", 1};
  str c;
  config_json(&c);
  next = c.n > 4 && c.p[1] == 'n';
  quiet = c.n > 4 && c.p[1] == 'q';
  scope = c.n <= 4 || (c.p[1] != 'o' && !quiet);
  note("configured", 10, (u8 *)version, 3);
  result[1] = (u32)&all, result[2] = 1;
  return ended = 1, result;
}
EXPORT("hpmq:broker/lifecycle@" LIFE "#configure") u32 *configure(void) { return configured(LIFE); }
#ifdef LIFE2
EXPORT("hpmq:broker/lifecycle@" LIFE2 "#configure") u32 *configure2(void) { return configured(LIFE2); }
#endif

// judge leaves "VERSION ACTION QOS PROTOCOL TOPIC" and counts; nothing below secret/ is allowed.
static u32 judge(const char *version, u32 action, str topic, u32 qos, u32 protocol) {
  u8 text[128];
  u32 n = 0;
  u64 sum[2];
  if (quiet) return ended = 1, 0;
#ifdef TAKE
  u32 last[3];
  kv_take("seen", 4, last);
  if (last[0]) note("before", 6, (u8 *)last[1], last[2]);
#endif
  for (; n < 3; n++) text[n] = (u8)version[n];
  u32 digits[] = {action, qos, protocol};
  for (u32 i = 0; i < 3; i++) text[n++] = ' ', text[n++] = (u8)('0' + digits[i]);
  text[n++] = ' ';
  for (u32 i = 0; i < topic.n && n < sizeof text; i++) text[n++] = topic.p[i];
  note("seen", 4, text, n);
  kv_increment("asked", 5, 1, sum);
  ended = 1;
  if (topic.n > 7 && topic.p[0] == 's' && topic.p[6] == '/') return 0x87;
  return next ? 1 : 0;
}

#define SECONDS 60

#ifdef OLD
EXPORT("hpmq:broker/authorizer@0.1.0#authorize")
u32 authorize(WHO, u32 action, u8 *topic, u32 topic_n, u32 qos) {
  if (action > 3) __builtin_trap(); // a case that 0.1 has not
  return judge("0.1", action, (str){topic, topic_n}, qos, 0) | scope << 8 | SECONDS << 10;
}
#endif

#ifdef NEW
static struct { u8 verdict, scope; u32 seconds; } answer;

EXPORT("hpmq:broker/authorizer@" NEW "#authorize")
void *authorize2(WHO, u32 action, u8 *topic, u32 topic_n, u32 qos, u32 protocol) {
  answer.verdict = (u8)judge(NEW, action, (str){topic, topic_n}, qos, protocol);
  answer.scope = (u8)scope, answer.seconds = SECONDS;
  return &answer;
}
// What is read after this is garbage.
EXPORT("cabi_post_hpmq:broker/authorizer@" NEW "#authorize")
void post(u8 *result) { for (u32 i = 0; i < sizeof answer; i++) result[i] = 0x77; }
#endif
