import * as abi from "../abi";
import { Message } from "../index";
import { Outcome, served } from "../transformer";

const answer = memory.data(12, 4);

function end(outcome: Outcome): usize {
  const list = outcome.messages;
  const first = abi.alloc(abi.MESSAGE_BYTES * list.length, 4);
  for (let i = 0; i < list.length; i++) abi.putMessage(first + abi.MESSAGE_BYTES * i, list[i]);
  store<u8>(answer, outcome.tag);
  store<usize>(answer, first, 4);
  store<usize>(answer, list.length, 8);
  abi.leave();
  return answer;
}

export function hpmq_transformer_upstream(
  p0: usize, n0: usize, p1: usize, n1: usize, p2: usize, n2: usize, p3: usize, n3: usize,
  p4: usize, n4: usize, topic: usize, topicUnits: usize, payload: usize, payloadBytes: usize,
  qos: u32, retain: u32,
): usize {
  abi.enter();
  const who = abi.identity(p0, n0, p1, n1, p2, n2, p3, n3, p4, n4);
  const m = abi.message(topic, topicUnits, payload, payloadBytes, qos, retain);
  return end(served().upstream(who, m));
}

export function hpmq_transformer_downstream(
  p0: usize, n0: usize, p1: usize, n1: usize, p2: usize, n2: usize, p3: usize, n3: usize,
  p4: usize, n4: usize, topic: usize, topicUnits: usize, payload: usize, payloadBytes: usize,
  qos: u32, retain: u32,
): usize {
  abi.enter();
  const who = abi.identity(p0, n0, p1, n1, p2, n2, p3, n3, p4, n4);
  const m = abi.message(topic, topicUnits, payload, payloadBytes, qos, retain);
  return end(served().downstream(who, m));
}
