## The policy of ../README.md as a component in Nim, with the bindings for C that wit-bindgen makes.
## What an export is given is its own to free; what it answers the bindings free.
import std/[options, strutils]
import bindings, rules

# lifecycle

proc everything(): WitStrings =
  result.p = cast[ptr WitString](malloc(csize_t(sizeof WitString)))
  result.p[] = made[WitString]("#")
  result.len = 1

proc configure(ret: ptr Interest, err: ptr WitString): bool
    {.exportc: "exports_hpmq_broker_lifecycle_configure".} =
  var text: WitString
  json(addr text)
  let failed = "\"fail\"" in text.view
  free(addr text)
  if failed:
    err[] = made[WitString]("told to fail")
  else:
    ret.inbound = everything()
    ret.outbound = everything()
  not failed

# authorizer

type
  Action = enum publish, subscribe, will, deliver
  Scope = enum once, topicWide, actionWide

const
  allow = 0'u32
  next = 1'u32
  notAuthorized = 0x87'u32
  quotaExceeded = 0x97'u32

func answer(decision: uint32, scope: Scope, seconds: uint32): uint32 =
  decision or uint32(scope) shl 8 or seconds shl 10

func judge(clientId, username: string, action: Action, topic: string, qos: uint8): uint32 =
  if username == "admin": return answer(allow, actionWide, 300)
  if topic.startsWith("$"): return answer(notAuthorized, once, 0)
  if clientId.len == 0 or clientId.contains({'/', '+', '#'}):
    return answer(notAuthorized, actionWide, 0)
  if action == will and qos == 2: return answer(quotaExceeded, once, 0)
  if action == deliver: return answer(allow, actionWide, 0)
  if action == subscribe:
    if topic.split('/')[0] in ["#", "+"]: return answer(notAuthorized, topicWide, 0)
    if topic.startsWith("public/"): return answer(allow, topicWide, 60)
  if topic.startsWith("devices/" & clientId & "/"): return answer(allow, topicWide, 60)
  if topic.startsWith("devices/"): return answer(notAuthorized, topicWide, 60)
  answer(next, once, 0)

proc authorize(who: ptr Identity, action: uint8, topic: ptr WitString, qos: uint8): uint32
    {.exportc: "exports_hpmq_broker_authorizer_authorize".} =
  result = judge(who.client_id.view, who.username.view, Action(action), topic[].view, qos)
  free(who)
  free(topic)

# transformer

proc send(ret: ptr Outcome, topic: string, payloads: openArray[string], qos: uint8,
          retain: bool) =
  ## Answers one message for each payload.
  ret.tag = replaced
  ret.replace.p = cast[ptr UncheckedArray[Message]](
    malloc(csize_t(payloads.len * sizeof Message)))
  ret.replace.len = csize_t(payloads.len)
  for i, payload in payloads:
    ret.replace.p[i] = Message(topic: made[WitString](topic), payload: made[WitBytes](payload),
                               qos: qos, retain: retain)

proc take(ret: ptr Outcome, topic: string, payload: string, m: ptr Message) =
  if topic.endsWith("/secret"):
    ret.tag = drop
  elif topic.endsWith("/raw"):
    ret.send(topic[0 ..< ^"/raw".len] & "/json", [payload.pairs], m.qos, m.retain)
  elif topic.endsWith("/batch") and topic.len > "/batch".len:
    let parts = payload.batch
    if parts.isSome and parts.get.len == 0: ret.tag = drop
    elif parts.isSome: ret.send(topic[0 ..< ^"/batch".len], parts.get, m.qos, false)
  else:
    let changed = payload.renamed
    if changed.isSome: ret.send(topic, [changed.get], m.qos, m.retain)

proc upstream(who: ptr Identity, m: ptr Message, ret: ptr Outcome)
    {.exportc: "exports_hpmq_broker_transformer_upstream".} =
  ret.tag = keep
  ret.take(m.topic.view, m.payload.view, m)
  free(who)
  free(m)

proc downstream(who: ptr Identity, m: ptr Message, ret: ptr Outcome)
    {.exportc: "exports_hpmq_broker_transformer_downstream".} =
  ret.tag = keep
  let changed = m.payload.view.addressed(who.client_id.view)
  if changed.isSome: ret.send(m.topic.view, [changed.get], m.qos, m.retain)
  free(who)
  free(m)
