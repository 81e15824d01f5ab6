// JSON as bytes, as far as the policy looks at it.

const QUOTE: u8 = 0x22;
const COMMA: u8 = 0x2C;
const COLON: u8 = 0x3A;
const BACKSLASH: u8 = 0x5C;

function isSpace(c: u8): bool { return c == 0x20 || c == 0x09 || c == 0x0A || c == 0x0D; }

function opens(c: u8): bool { return c == 0x7B || c == 0x5B; }

function closes(c: u8): bool { return c == 0x7D || c == 0x5D; }

export function trimmed(b: Uint8Array): Uint8Array {
  let from = 0, to = b.length;
  while (from < to && isSpace(b[from])) from++;
  while (from < to && isSpace(b[to - 1])) to--;
  return b.subarray(from, to);
}

export function isObject(b: Uint8Array): bool {
  const t = trimmed(b);
  return t.length >= 2 && t[0] == 0x7B && t[t.length - 1] == 0x7D;
}

export function lastIndexOf(b: Uint8Array, c: u8): i32 {
  let i = b.length - 1;
  while (i >= 0 && b[i] != c) i--;
  return i;
}

/** s as a JSON string. */
export function quoted(s: string): string {
  let out = '"';
  for (let i = 0; i < s.length; i++) {
    const c = s.charCodeAt(i);
    if (c == QUOTE || c == BACKSLASH) out += "\\" + s.charAt(i);
    else if (c < 0x20) out += "\\u00" + c.toString(16).padStart(2, "0");
    else out += s.charAt(i);
  }
  return out + '"';
}

/** "key=value;key=value" as a JSON object. */
export function pairs(payload: Uint8Array): Uint8Array {
  const out = new Writer(payload.length);
  out.put(0x7B);
  for (let from = 0; from <= payload.length;) {
    let to = from;
    while (to < payload.length && payload[to] != 0x3B) to++;
    if (to > from) {
      if (out.size > 1) out.put(COMMA);
      pair(out, payload.subarray(from, to));
    }
    from = to + 1;
  }
  out.put(0x7D);
  return out.bytes();
}

function pair(out: Writer, part: Uint8Array): void {
  let at = part.indexOf(0x3D);
  if (at < 0) at = part.length;
  out.putQuoted(part.subarray(0, at));
  out.put(COLON);
  const value = part.subarray(min(at + 1, part.length));
  if (!isNumber(value)) {
    out.putQuoted(value);
    return;
  }
  for (let i = 0; i < value.length; i++) out.put(value[i]);
}

class Writer {
  private buffer: Uint8Array;
  size: i32 = 0;

  constructor(sizeHint: i32) { this.buffer = new Uint8Array(64 + 2 * sizeHint); }

  put(c: u8): void {
    if (this.size == this.buffer.length) {
      const more = new Uint8Array(2 * this.size);
      more.set(this.buffer);
      this.buffer = more;
    }
    this.buffer[this.size++] = c;
  }

  putQuoted(b: Uint8Array): void {
    this.put(QUOTE);
    for (let i = 0; i < b.length; i++) this.putEscaped(b[i]);
    this.put(QUOTE);
  }

  private putEscaped(c: u8): void {
    if (c >= 0x20) {
      if (c == QUOTE || c == BACKSLASH) this.put(BACKSLASH);
      this.put(c);
      return;
    }
    this.put(BACKSLASH);
    this.put(0x75);
    this.put(0x30);
    this.put(0x30);
    this.put(0x30 + (c >> 4));
    this.put((c & 15) < 10 ? 0x30 + (c & 15) : 0x57 + (c & 15));
  }

  bytes(): Uint8Array { return this.buffer.subarray(0, this.size); }
}

// digits is the index after the digits from at.
function digits(b: Uint8Array, at: i32): i32 {
  while (at < b.length && b[at] >= 0x30 && b[at] <= 0x39) at++;
  return at;
}

// isNumber says whether all of b is a number of RFC 8259.
function isNumber(b: Uint8Array): bool {
  const from = b.length > 0 && b[0] == 0x2D ? 1 : 0;
  let i = digits(b, from);
  if (i == from || b[from] == 0x30 && i > from + 1) return false;
  if (i < b.length && b[i] == 0x2E) {
    const end = digits(b, i + 1);
    if (end == i + 1) return false;
    i = end;
  }
  if (i < b.length && (b[i] | 0x20) == 0x65) {
    i++;
    if (i < b.length && (b[i] == 0x2B || b[i] == 0x2D)) i++;
    const end = digits(b, i);
    if (end == i) return false;
    i = end;
  }
  return i == b.length;
}

// endOfString is the index of the quote that ends the string which begins at from, or -1.
function endOfString(b: Uint8Array, from: i32): i32 {
  for (let i = from + 1; i < b.length; i++) {
    if (b[i] == BACKSLASH) i++;
    else if (b[i] == QUOTE) return i;
  }
  return -1;
}

/** Cuts at each comma outside strings at depth 0; null for what is malformed. */
export function split(b: Uint8Array): Uint8Array[] | null {
  const parts: Uint8Array[] = [];
  let depth = 0, from = 0;
  for (let i = 0; i < b.length; i++) {
    const c = b[i];
    if (c == QUOTE) {
      i = endOfString(b, i);
      if (i < 0) return null;
    } else if (opens(c)) {
      depth++;
    } else if (closes(c)) {
      if (--depth < 0) return null;
    } else if (c == COMMA && depth == 0) {
      parts.push(trimmed(b.subarray(from, i)));
      from = i + 1;
    }
  }
  if (depth != 0) return null;
  parts.push(trimmed(b.subarray(from)));
  for (let i = 0; i < parts.length; i++) if (parts[i].length == 0) return null;
  return parts;
}

/** Where the name of the field "temp" of an object begins, or -1. */
export function temp(b: Uint8Array): i32 {
  if (!isObject(b)) return -1;
  let depth = 0;
  for (let i = 0; i < b.length; i++) {
    const c = b[i];
    if (opens(c)) depth++;
    else if (closes(c)) depth--;
    if (c != QUOTE) continue;
    const last = endOfString(b, i);
    if (last < 0) return -1;
    if (depth == 1 && isTemp(b, i + 1, last) && isKey(b, last + 1)) return i + 1;
    i = last;
  }
  return -1;
}

function isTemp(b: Uint8Array, from: i32, to: i32): bool {
  return to - from == 4 && b[from] == 0x74 && b[from + 1] == 0x65 && b[from + 2] == 0x6D &&
    b[from + 3] == 0x70;
}

// isKey says whether a colon follows.
function isKey(b: Uint8Array, at: i32): bool {
  while (at < b.length && isSpace(b[at])) at++;
  return at < b.length && b[at] == COLON;
}
