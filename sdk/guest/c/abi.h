// abi.h is for hpmq.c and the files of roles: the canonical ABI of wit/ as they speak it.
#ifndef HPMQ_ABI_H
#define HPMQ_ABI_H

#include "hpmq.h"

#define HPMQ_EXPORT(name) __attribute__((export_name("hpmq:broker/" name)))
#define HPMQ_IMPORT(face, name) \
  __attribute__((import_module("hpmq:broker/" face), import_name(name)))

// The flat parameters of the record identity.
#define HPMQ_WHO                                                                               \
  const uint8_t *id, size_t id_len, const uint8_t *user, size_t user_len, const uint8_t *addr, \
      size_t addr_len, const uint8_t *lis, size_t lis_len, const uint8_t *ten, size_t ten_len
#define HPMQ_CONTEXT                                                        \
  {                                                                         \
    {id, id_len}, {user, user_len}, {addr, addr_len}, {lis, lis_len}, {     \
      ten, ten_len                                                          \
    }                                                                       \
  }

// An answer of a transformer, as the canonical ABI lays it out. hpmq_begin begins one, hpmq_done ends
// it, and the call.
typedef struct {
  uint32_t tag;
  void *list;
  size_t n;
} hpmq_answered;
void hpmq_begin(void);
hpmq_answered *hpmq_done(hpmq_outcome o);

// hpmq_end says that a call of an export is over: the next allocation begins anew. Its result holds
// until then.
void hpmq_end(void);

#endif
