// The role authorizer around hpmq_authorize.
#include "abi.h"

HPMQ_EXPORT("authorizer@0.1.0#authorize")
uint32_t hpmq_authorizer_authorize(HPMQ_WHO, uint32_t action, const uint8_t *topic,
                                   size_t topic_len, uint32_t qos) {
  hpmq_context who = HPMQ_CONTEXT;
  uint32_t answer =
      hpmq_authorize(&who, (hpmq_action)action, hpmq_bytes_of(topic, topic_len), (uint8_t)qos);
  hpmq_end();
  return answer;
}
