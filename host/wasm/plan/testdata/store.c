// The world store, by hand: blobs are places in a table, their representation is the place.
#include "abi.h"

#define BLOBS "test:plan/blobs@0.1.0"

IMPORT("[export]" BLOBS, "[resource-new]blob") u32 blob_new(u32 rep);

static u32 sizes[64];
static u32 used[64];
static u32 count;

EXPORT(BLOBS "#[constructor]blob") u32 constructor(u8 *bytes, u32 len) {
  u32 rep = 0;
  while (used[rep]) rep++;
  if (rep == 64) __builtin_trap();
  used[rep] = 1;
  sizes[rep] = len;
  count++;
  return blob_new(rep);
}

EXPORT(BLOBS "#[method]blob.size") u32 size(u32 rep) { return sizes[rep]; }

IMPORT("[export]" BLOBS, "[resource-rep]blob") u32 blob_rep(u32 handle);
IMPORT("[export]" BLOBS, "[resource-drop]blob") void blob_drop(u32 handle);

EXPORT(BLOBS "#[static]blob.join") u32 join(u32 a, u32 b) {
  u32 sum = sizes[blob_rep(a)] + sizes[b];
  blob_drop(a);
  u32 made = constructor(0, sum);
  return made;
}

EXPORT(BLOBS "#[dtor]blob") void dtor(u32 rep) {
  used[rep] = 0;
  count--;
}

EXPORT(BLOBS "#live") u32 live(void) { return count; }
