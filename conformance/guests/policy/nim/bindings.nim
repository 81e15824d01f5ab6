## The words of policy_component.h that the policy needs.

{.pragma: wit, header: "policy_component.h".}

type
  WitString* {.importc: "policy_component_string_t", wit, bycopy.} = object
    p* {.importc: "ptr".}: pointer
    len*: csize_t
  WitBytes* {.importc: "policy_component_list_u8_t", wit, bycopy.} = object
    p* {.importc: "ptr".}: pointer
    len*: csize_t
  WitStrings* {.importc: "policy_component_list_string_t", wit, bycopy.} = object
    p* {.importc: "ptr".}: ptr WitString
    len*: csize_t
  Interest* {.importc: "exports_hpmq_broker_lifecycle_interest_t", wit, bycopy.} = object
    inbound*, outbound*: WitStrings
  Identity* {.importc: "exports_hpmq_broker_authorizer_identity_t", wit, bycopy.} = object
    client_id*, username*, address*, listener*, tenant*: WitString
  Message* {.importc: "exports_hpmq_broker_transformer_message_t", wit, bycopy.} = object
    topic*: WitString
    payload*: WitBytes
    qos*: uint8
    retain*: bool
  Messages* {.importc: "exports_hpmq_broker_transformer_list_message_t", wit, bycopy.} = object
    p* {.importc: "ptr".}: ptr UncheckedArray[Message]
    len*: csize_t
  Outcome* {.importc: "exports_hpmq_broker_transformer_outcome_t", wit, bycopy.} = object
    tag*: uint8
    replace* {.importc: "val.replace".}: Messages

const # of outcome.tag
  keep* = 0'u8
  drop* = 1'u8
  replaced* = 2'u8

proc json*(ret: ptr WitString) {.importc: "hpmq_broker_config_json", wit.}
proc free*(s: ptr WitString) {.importc: "policy_component_string_free", wit.}
proc free*(who: ptr Identity) {.importc: "exports_hpmq_broker_authorizer_identity_free", wit.}
proc free*(m: ptr Message) {.importc: "exports_hpmq_broker_transformer_message_free", wit.}

proc malloc*(size: csize_t): pointer {.importc, header: "<stdlib.h>".}

func view*(s: WitString | WitBytes): string =
  ## A copy: Nim has no strings that are somebody else's.
  result = newString(s.len)
  if s.len > 0: copyMem(addr result[0], s.p, s.len)

proc made*[T](s: string): T =
  ## A copy that the bindings free.
  if s.len == 0: return
  result.p = malloc(csize_t(s.len))
  result.len = csize_t(s.len)
  copyMem(result.p, unsafeAddr s[0], s.len)
