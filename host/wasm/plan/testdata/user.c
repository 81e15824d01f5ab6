// The world user, by hand: joins blobs of the sizes, and tells the size and how many are left.
#include "abi.h"

#define BLOBS "test:plan/blobs@0.1.0"

IMPORT(BLOBS, "[constructor]blob") u32 blob(const u8 *bytes, u32 len);
IMPORT(BLOBS, "[method]blob.size") u32 blob_size(u32 blob);
IMPORT(BLOBS, "[static]blob.join") u32 blob_join(u32 a, u32 b);
IMPORT(BLOBS, "[resource-drop]blob") void blob_drop(u32 blob);
IMPORT(BLOBS, "live") u32 live(void);

EXPORT("run") u32 *run(const u32 *sizes, u32 n) {
  static u32 answer[2];
  u32 sum = blob(space, 0);
  for (u32 i = 0; i < n; i++) {
    u32 next = blob(space, sizes[i]);
    sum = blob_join(sum, next);
    blob_drop(next);
  }
  answer[0] = blob_size(sum);
  blob_drop(sum);
  answer[1] = live();
  heap = 0;
  return answer;
}
