// A transformer whose strings are UTF-16, as those of AssemblyScript are; with TAGGED they are
// latin1+utf16. Upstream it puts its configuration, the tenant and "ü€😀" behind the topic; downstream
// it logs the topic and keeps the message.
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;

#define EXPORT(name) __attribute__((export_name(name)))
#define IMPORT(mod, name) \
  __attribute__((import_module("hpmq:broker/" mod "@0.1.0"), import_name(name)))

static u8 heap[1 << 18] __attribute__((aligned(8)));
static u32 used;

EXPORT("cabi_realloc") u8 *cabi_realloc(u8 *old, u32 old_size, u32 align, u32 size) {
  used = (used + align - 1) & -align;
  if (size > sizeof heap || used > sizeof heap - size) __builtin_trap();
  u8 *p = heap + used;
  used += size;
  for (u32 i = 0; i < old_size && i < size; i++) p[i] = old[i];
  return p;
}

// A string as the canonical ABI has it: the length is in code units. With TAGGED its highest bit says
// whether they are UTF-16; else they are Latin-1.
typedef struct { void *at; u32 n; } str;

IMPORT("config", "json") void config_json(str *ret);
IMPORT("log", "write") void log_write(u32 level, void *at, u32 n);

#define WIDE 0x80000000u
static int wide(str s) { return !TAGGED || s.n & WIDE; }
static u32 units(str s) { return TAGGED ? s.n & ~WIDE : s.n; }
static u16 unit(str s, u32 i) { return wide(s) ? ((u16 *)s.at)[i] : ((u8 *)s.at)[i]; }

// put appends a string to UTF-16 at out.
static u16 *put(u16 *out, str s) {
  for (u32 i = 0; i < units(s); i++) *out++ = unit(s, i);
  return out;
}
static str made(u16 *from, u16 *to) { return (str){from, (u32)(to - from) | (TAGGED ? WIDE : 0)}; }

static u16 config_units[1024];
static str config;

EXPORT("hpmq:broker/lifecycle@0.1.0#configure") u32 *configure(void) {
  static u32 answer[5];
  static u16 all[] = {'#'};
  static str filters[1];
  str got;
  config_json(&got);
  if (units(got) > sizeof config_units / 2) __builtin_trap();
  config = made(config_units, put(config_units, got));
  filters[0] = made(all, all + 1);
  answer[0] = 0;
  answer[1] = answer[3] = (u32)filters;
  answer[2] = answer[4] = 1;
  used = 0;
  return answer;
}

typedef struct { str topic, payload; u8 qos, retain; } message;
static u32 outcome[3];

#define FLAT(s) void *s, u32 s##_n
#define ARGS FLAT(id), FLAT(user), FLAT(addr), FLAT(lis), FLAT(ten), FLAT(topic), FLAT(pay), u32 qos, \
  u32 retain

EXPORT("hpmq:broker/transformer@0.1.0#upstream") u32 *upstream(ARGS) {
  static message list[1];
  static u16 tail[] = {0xfc, 0x20ac, 0xd83d, 0xde00};
  u16 *out = (u16 *)cabi_realloc(0, 0, 2, 8192), *end;
  end = put(out, (str){topic, topic_n});
  end = put(end, config);
  end = put(end, (str){ten, ten_n});
  for (u32 i = 0; i < 4; i++) *end++ = tail[i];
  list[0] = (message){made(out, end), {pay, pay_n}, (u8)qos, (u8)retain};
  outcome[0] = 2, outcome[1] = (u32)list, outcome[2] = 1;
  used = 0;
  return outcome;
}

EXPORT("hpmq:broker/transformer@0.1.0#downstream") u32 *downstream(ARGS) {
  log_write(1, topic, topic_n);
  outcome[0] = used = 0;
  return outcome;
}
