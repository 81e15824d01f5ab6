// The transformers of conformance/canary, all from this source: see build.sh. Each does some work and
// puts its MARK into the second byte of the payload; the first byte decides for whom it is bad.
typedef unsigned int u32;
typedef unsigned char u8;
typedef unsigned long long u64;

#define EXPORT(name) __attribute__((export_name(name)))
#define IMPORT(mod, name) __attribute__((import_module("hpmq:broker/" mod "@0.1.0"), import_name(name)))

static u8 heap[128 << 10] __attribute__((aligned(8)));
static u32 used, ended;

// Memory is a block that is used from its start again after each call.
EXPORT("cabi_realloc")
u8 *cabi_realloc(u8 *old, u32 old_size, u32 align, u32 size) {
  if (ended) used = 0, ended = 0;
  used = (used + align - 1) & ~(align - 1);
  if (used + size > sizeof heap) __builtin_trap();
  u8 *p = heap + used;
  used += size;
  for (u32 i = 0; i < old_size && i < size; i++) p[i] = old[i];
  return p;
}

EXPORT("hpmq:broker/lifecycle@0.1.0#configure")
u32 *configure(void) {
  static struct { u8 *p; u32 n; } in = {(u8 *)"#", 1};
  static u32 r[5];
  r[0] = 0, r[1] = (u32)&in, r[2] = 1, r[3] = r[4] = 0;
  ended = 1;
  return r;
}

#ifdef LOUD
IMPORT("kv", "increment") void kv_increment(u8 *key, u32 key_n, u64 by, u64 *ret);
IMPORT("publish", "publish")
void publish(u8 *topic, u32 topic_n, u8 *pay, u32 pay_n, u32 qos, u32 retain, u8 *ret);
IMPORT("log", "write") void log_write(u32 level, u8 *text, u32 text_n);

// loud has every effect that a guest can have.
static void loud(void) {
  u64 sum[2];
  u8 failed[2];
  kv_increment((u8 *)"loud", 4, 1, sum);
  publish((u8 *)"loud", 4, (u8 *)"heard", 5, 0, 0, failed);
  log_write(2, (u8 *)"loud and clear", 14);
}
#endif

static volatile u32 sink;

EXPORT("hpmq:broker/transformer@0.1.0#upstream")
u32 *upstream(u8 *id, u32 id_n, u8 *user, u32 user_n, u8 *addr, u32 addr_n, u8 *lis, u32 lis_n, u8 *ten,
              u32 ten_n, u8 *topic, u32 topic_n, u8 *pay, u32 pay_n, u32 qos, u32 retain) {
  static struct { u8 *topic; u32 topic_n; u8 *pay; u32 pay_n; u8 qos, retain; } m;
  static u32 r[3];
  ended = 1;
  r[0] = 0;
  if (pay_n < 2) return r;
  for (u32 i = 0; i < WORK; i++) sink += i;
#ifdef TRAP
  if (pay[0] % TRAP == 0) __builtin_trap();
#endif
#ifdef LOUD
  loud();
  ended = 1;
#endif
  pay[1] = MARK;
#ifdef DIFFER
  if (pay[0] % DIFFER == 0) pay[1] = '?';
#endif
  m.topic = topic, m.topic_n = topic_n, m.pay = pay, m.pay_n = pay_n, m.qos = qos, m.retain = retain;
  r[0] = 2, r[1] = (u32)&m, r[2] = 1;
  return r;
}

EXPORT("hpmq:broker/transformer@0.1.0#downstream")
u32 *downstream(u8 *id, u32 id_n, u8 *user, u32 user_n, u8 *addr, u32 addr_n, u8 *lis, u32 lis_n, u8 *ten,
                u32 ten_n, u8 *topic, u32 topic_n, u8 *pay, u32 pay_n, u32 qos, u32 retain) {
  static u32 keep[3];
  ended = 1;
  return keep;
}
