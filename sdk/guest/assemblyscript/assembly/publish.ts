// The capability hpmq:broker/publish: messages of the component's own, published as if by the
// client "$component/NAME".
import { Message } from "./index";

export enum Failure { None, InvalidTopic, TooLarge, QueueFull }

@external("hpmq:broker/publish@0.1.0", "publish")
declare function hostPublish(
  topic: string, units: usize, payload: usize, payloadBytes: usize, qos: u32, retain: u32,
  result: usize): void;

const result = memory.data(2, 1);

export function publish(m: Message): Failure {
  const topic = m.topic, payload = m.payload;
  hostPublish(topic, topic.length, payload.dataStart, payload.length, m.qos, m.retain, result);
  return load<u8>(result) == 0 ? Failure.None : <Failure>(1 + <i32>load<u8>(result, 1));
}
