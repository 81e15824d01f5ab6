// The canonical ABI of the Component Model, by hand: where arguments and answers lie in memory.
// Strings are UTF-16, AssemblyScript's own, so none is decoded: the component must be made with
// --encoding utf16.
import { Identity, Message } from "./index";

// What the host puts into memory lies in blocks that the first allocation after a call frees: until
// then the host reads the answer.
const FIRST_BYTES: usize = 4096;
const KEPT_BYTES_MAX: usize = 256 << 10;
let block: usize = 0;
let size: usize = 0;
let used: usize = 0;
let full: usize[] = [];
let ended: bool = true;

// kept holds what an answer points to, so that it is not collected while the host reads.
const kept: string[] = [];
const keptBytes: Uint8Array[] = [];

/** Begins an exported call; its arguments lie in memory already. */
export function enter(): void { reset(); }

/** Ends it. */
export function leave(): void { ended = true; }

function reset(): void {
  if (!ended) return;
  ended = false;
  for (let i = 0; i < full.length; i++) heap.free(full[i]);
  full.length = 0;
  kept.length = 0;
  keptBytes.length = 0;
  if (size > KEPT_BYTES_MAX) {
    heap.free(block);
    block = 0;
    size = 0;
  }
  used = 0;
}

/** Memory that lives until the call is over. */
export function alloc(bytes: usize, align: usize): usize {
  reset();
  used = (used + align - 1) & ~(align - 1);
  if (used + bytes > size) {
    if (block) full.push(block);
    size = max<usize>(FIRST_BYTES, max<usize>(2 * size, bytes));
    block = heap.alloc(size);
    used = 0;
  }
  const at = block + used;
  used += bytes;
  return at;
}

export function cabi_realloc(old: usize, oldSize: usize, align: usize, bytes: usize): usize {
  const at = alloc(bytes, align);
  if (oldSize) memory.copy(at, old, min<usize>(oldSize, bytes));
  return at;
}

/** The string at an address; units are of two bytes. */
export function text(at: usize, units: usize): string {
  return String.UTF16.decodeUnsafe(at, units << 1);
}

/** The list<u8> at an address, copied. */
export function bytes(at: usize, count: usize): Uint8Array {
  const out = new Uint8Array(<i32>count);
  memory.copy(out.dataStart, at, count);
  return out;
}

/** Writes the two words of a string. */
export function putText(at: usize, s: string): void {
  kept.push(s);
  store<usize>(at, changetype<usize>(s));
  store<usize>(at, s.length, 4);
}

/** Writes the two words of a list<u8>. */
export function putBytes(at: usize, b: Uint8Array): void {
  keptBytes.push(b);
  store<usize>(at, b.dataStart);
  store<usize>(at, b.length, 4);
}

/** Writes the two words of a list<string>. */
export function putTexts(at: usize, list: string[]): void {
  const first = alloc(8 * list.length, 4);
  for (let i = 0; i < list.length; i++) putText(first + 8 * i, list[i]);
  store<usize>(at, first);
  store<usize>(at, list.length, 4);
}

/** The size of a message in memory. */
export const MESSAGE_BYTES: usize = 20;

/** Writes a message. */
export function putMessage(at: usize, m: Message): void {
  putText(at, m.topic);
  putBytes(at + 8, m.payload);
  store<u8>(at, m.qos, 16);
  store<u8>(at, m.retain, 17);
}

/** The identity of ten flat parameters. */
export function identity(
  p0: usize, n0: usize, p1: usize, n1: usize, p2: usize, n2: usize, p3: usize, n3: usize,
  p4: usize, n4: usize,
): Identity {
  return new Identity(text(p0, n0), text(p1, n1), text(p2, n2), text(p3, n3), text(p4, n4));
}

/** The message of its flat parameters. */
export function message(
  topic: usize, topicUnits: usize, payload: usize, payloadBytes: usize, qos: u32, retain: u32,
): Message {
  return new Message(text(topic, topicUnits), bytes(payload, payloadBytes), qos, retain != 0);
}

/** Ends the program where AssemblyScript would call env.abort. */
export function abort(
  message: string | null, file: string | null, line: u32, column: u32,
): void {
  unreachable();
}
