// The capability hpmq:broker/history: what went by before.
import * as abi from "./abi";

@external("hpmq:broker/history@0.1.0", "last")
declare function hostLast(topic: string, units: usize, result: usize): void;

const result = memory.data(12, 4);

/** The last payload that was delivered under this topic on this listener, null for none. */
export function last(topic: string): Uint8Array | null {
  hostLast(topic, topic.length, result);
  if (load<u8>(result) == 0) return null;
  return abi.bytes(load<usize>(result, 4), load<usize>(result, 8));
}
