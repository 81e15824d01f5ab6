import * as abi from "../abi";
import { served } from "../authorizer";

export function hpmq_authorizer_authorize(
  p0: usize, n0: usize, p1: usize, n1: usize, p2: usize, n2: usize, p3: usize, n3: usize,
  p4: usize, n4: usize, action: u32, topic: usize, topicUnits: usize, qos: u32,
): u32 {
  abi.enter();
  const who = abi.identity(p0, n0, p1, n1, p2, n2, p3, n3, p4, n4);
  const answer = served().authorize(who, action, abi.text(topic, topicUnits), qos);
  abi.leave();
  return answer;
}
