// The capability hpmq:broker/config: the configuration that the link gives this component.
import * as abi from "./abi";

@external("hpmq:broker/config@0.1.0", "json")
declare function hostJSON(result: usize): void;

const result = memory.data(8, 4);

/** The whole of it as JSON text, "{}" when there is none. */
export function json(): string {
  hostJSON(result);
  return abi.text(load<usize>(result), load<usize>(result, 4));
}
