// The capability hpmq:broker/kv: keys and values that the host holds for the component's name.
// They outlive instances, swaps and versions.
import * as abi from "./abi";

export enum Failure {
  None,
  /** The key, the value, or all of them together are over a limit. */
  TooLarge,
  /** The value under the key is not a counter. */
  NotACounter,
}

@external("hpmq:broker/kv@0.1.0", "get")
declare function hostGet(key: string, units: usize, result: usize): void;
@external("hpmq:broker/kv@0.1.0", "set")
declare function hostSet(
  key: string, units: usize, value: usize, valueBytes: usize, ttlMs: u64, result: usize): void;
@external("hpmq:broker/kv@0.1.0", "set-if-absent")
declare function hostSetIfAbsent(
  key: string, units: usize, value: usize, valueBytes: usize, ttlMs: u64, result: usize): void;
@external("hpmq:broker/kv@0.1.0", "delete")
declare function hostDelete(key: string, units: usize): void;
@external("hpmq:broker/kv@0.1.0", "increment")
declare function hostIncrement(key: string, units: usize, by: i64, result: usize): void;

const result = memory.data(16, 8);

/** What setIfAbsent answers. */
export class Fresh {
  constructor(public fresh: bool, public failure: Failure) {}
}

/** What increment answers. */
export class Counted {
  constructor(public value: i64, public failure: Failure) {}
}

// failure reads a result whose error is at an offset.
function failure(offset: usize): Failure {
  return load<u8>(result) == 0 ? Failure.None : <Failure>(1 + <i32>load<u8>(result + offset));
}

/** The value under key, null for none. */
export function get(key: string): Uint8Array | null {
  hostGet(key, key.length, result);
  if (load<u8>(result) == 0) return null;
  return abi.bytes(load<usize>(result, 4), load<usize>(result, 8));
}

/** Puts value under key for ttlMs milliseconds, 0 for ever. */
export function set(key: string, value: Uint8Array, ttlMs: u64): Failure {
  hostSet(key, key.length, value.dataStart, value.length, ttlMs, result);
  return failure(1);
}

/** Is set where key is free; elsewhere it does nothing. */
export function setIfAbsent(key: string, value: Uint8Array, ttlMs: u64): Fresh {
  hostSetIfAbsent(key, key.length, value.dataStart, value.length, ttlMs, result);
  const failed = failure(1);
  return new Fresh(failed == Failure.None && load<u8>(result, 1) != 0, failed);
}

/** Frees key. */
export function remove(key: string): void { hostDelete(key, key.length); }

/** Adds to a counter (absent counts as 0). */
export function increment(key: string, by: i64): Counted {
  hostIncrement(key, key.length, by, result);
  const failed = failure(8);
  return new Counted(failed == Failure.None ? load<i64>(result, 8) : 0, failed);
}
