// The policy of ../README.md in JavaScript: one component of world policy-component.
import { json } from 'hpmq:broker/config@0.1.0';

const ALLOW = 0, NEXT = 1, NOT_AUTHORIZED = 0x87, QUOTA_EXCEEDED = 0x97;
const ONCE = 0, TOPIC = 1, ACTION = 2;

// The answer of authorize is one number; see wit/authorizer.wit.
const verdict = (decision, scope, seconds) => decision | scope << 8 | seconds << 10;

export const lifecycle = {
  configure() {
    // What is thrown here is the error of the result; QuickJS takes the string itself.
    if (json().includes('"fail"')) throw 'told to fail';
    return { inbound: ['#'], outbound: ['#'] };
  },
};

export const authorizer = {
  authorize(who, action, topic, qos) {
    const own = topic.startsWith(`devices/${who.clientId}/`);
    const devices = topic.startsWith('devices/');
    const level = topic.split('/', 1)[0];
    if (who.username === 'admin') return verdict(ALLOW, ACTION, 300);
    if (topic.startsWith('$')) return verdict(NOT_AUTHORIZED, ONCE, 0);
    if (!/^[^/+#]+$/.test(who.clientId)) return verdict(NOT_AUTHORIZED, ACTION, 0);
    if (action === 'will' && qos === 'exactly-once') return verdict(QUOTA_EXCEEDED, ONCE, 0);
    switch (action) {
      case 'publish':
      case 'will':
        if (own) return verdict(ALLOW, TOPIC, 60);
        if (devices) return verdict(NOT_AUTHORIZED, TOPIC, 60);
        break;
      case 'subscribe':
        if (level === '#' || level === '+') return verdict(NOT_AUTHORIZED, TOPIC, 0);
        if (own || topic.startsWith('public/')) return verdict(ALLOW, TOPIC, 60);
        if (devices) return verdict(NOT_AUTHORIZED, TOPIC, 60);
        break;
      case 'deliver':
        return verdict(ALLOW, ACTION, 0);
    }
    return verdict(NEXT, ONCE, 0);
  },
};

export const transformer = {
  upstream(who, message) {
    const { topic } = message;
    if (topic.endsWith('/secret')) return { tag: 'drop' };
    if (topic.endsWith('/raw')) {
      return replace({ ...message, topic: cut(topic, '/raw') + '/json', payload: pairs(message.payload) });
    }
    if (topic.endsWith('/batch') && topic !== '/batch') return batch(message);
    const at = temp(message.payload);
    if (at < 0) return { tag: 'keep' };
    const { payload } = message;
    const renamed = join([payload.subarray(0, at), 'temperature', payload.subarray(at + 'temp'.length)]);
    return replace({ ...message, payload: renamed });
  },

  downstream(who, message) {
    const { payload } = message;
    if (!isObject(payload)) return { tag: 'keep' };
    const first = payload.indexOf(code('{')), last = payload.lastIndexOf(code('}'));
    const empty = trim(payload.subarray(first + 1, last)).length === 0;
    const name = escape(utf8(who.clientId));
    const named = join([payload.subarray(0, last), empty ? '"to":"' : ',"to":"', name, '"', payload.subarray(last)]);
    return replace({ ...message, payload: named });
  },
};

const replace = (...messages) => ({ tag: 'replace', val: messages });
const cut = (text, end) => text.slice(0, -end.length);
const code = (character) => character.charCodeAt(0);

// utf8 encodes: the engine has no TextEncoder where it is built without the web's interfaces.
function utf8(text) {
  const escaped = encodeURIComponent(text);
  const bytes = [];
  for (let i = 0; i < escaped.length; i++) {
    if (escaped[i] !== '%') {
      bytes.push(escaped.charCodeAt(i));
      continue;
    }
    bytes.push(parseInt(escaped.slice(i + 1, i + 3), 16));
    i += 2;
  }
  return Uint8Array.from(bytes);
}

// join is one array of bytes out of bytes and texts of ASCII.
function join(parts) {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    if (typeof part === 'string') for (let i = 0; i < part.length; i++) out[at + i] = part.charCodeAt(i);
    else out.set(part, at);
    at += part.length;
  }
  return out;
}

const isSpace = (byte) => byte === 0x20 || byte === 0x09 || byte === 0x0A || byte === 0x0D;

function trim(bytes) {
  let from = 0, to = bytes.length;
  while (from < to && isSpace(bytes[from])) from++;
  while (from < to && isSpace(bytes[to - 1])) to--;
  return bytes.subarray(from, to);
}

function isObject(bytes) {
  const b = trim(bytes);
  return b.length >= 2 && b[0] === code('{') && b[b.length - 1] === code('}');
}

// escape makes bytes what may stand between quotes in JSON.
function escape(bytes) {
  if (!bytes.some(isSpecial)) return bytes;
  const out = [];
  for (const b of bytes) {
    if (b === code('"') || b === code('\\')) out.push(code('\\'), b);
    else if (b < 0x20) for (const c of '\\u00' + b.toString(16).padStart(2, '0')) out.push(code(c));
    else out.push(b);
  }
  return Uint8Array.from(out);
}

const isSpecial = (byte) => byte < 0x20 || byte === 0x22 || byte === 0x5C;

const number = /^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$/;

// ascii is bytes as text, one character a byte.
const ascii = (bytes) => bytes.reduce((text, byte) => text + String.fromCharCode(byte), '');

// isNumber says whether all of bytes is a number of RFC 8259.
function isNumber(bytes) {
  const first = bytes[0];
  return (first === code('-') || first >= 0x30 && first <= 0x39) &&
    number.test(ascii(bytes));
}

// pairs makes a JSON object of "key=value;key=value".
function pairs(payload) {
  const out = ['{'];
  for (let from = 0; from <= payload.length;) {
    const semicolon = payload.indexOf(code(';'), from);
    const to = semicolon < 0 ? payload.length : semicolon;
    if (to > from) pair(out, payload.subarray(from, to));
    from = to + 1;
  }
  out.push('}');
  return join(out);
}

function pair(out, part) {
  const at = part.indexOf(code('='));
  const key = at < 0 ? part : part.subarray(0, at);
  const value = at < 0 ? '' : part.subarray(at + 1);
  if (out.length > 1) out.push(',');
  if (isNumber(value)) out.push('"', escape(key), '":', value);
  else if (value.length === 0) out.push('"', escape(key), '":""');
  else out.push('"', escape(key), '":"', escape(value), '"');
}

// endOfString is where the string that begins at from has its last quote, or -1.
function endOfString(bytes, from) {
  for (let i = from + 1; i < bytes.length; i++) {
    if (bytes[i] === code('\\')) i++;
    else if (bytes[i] === code('"')) return i;
  }
  return -1;
}

// batch makes one message of each part of a list.
function batch(message) {
  const p = trim(message.payload);
  if (p.length < 2 || p[0] !== code('[') || p[p.length - 1] !== code(']')) return { tag: 'keep' };
  const inside = p.subarray(1, -1);
  if (trim(inside).length === 0) return { tag: 'drop' };
  const parts = split(inside);
  if (parts === null) return { tag: 'keep' };
  const topic = cut(message.topic, '/batch');
  return replace(...parts.map((payload) => ({ topic, payload, qos: message.qos, retain: false })));
}

// split cuts at each comma outside strings at depth 0; null is for what is malformed.
function split(p) {
  const parts = [];
  let depth = 0, from = 0;
  for (let i = 0; i < p.length; i++) {
    switch (p[i]) {
      case 0x22: // "
        i = endOfString(p, i);
        if (i < 0) return null;
        break;
      case 0x7B: // {
      case 0x5B: // [
        depth++;
        break;
      case 0x7D: // }
      case 0x5D: // ]
        if (--depth < 0) return null;
        break;
      case 0x2C: // ,
        if (depth > 0) break;
        parts.push(trim(p.subarray(from, i)));
        from = i + 1;
    }
  }
  parts.push(trim(p.subarray(from)));
  return depth === 0 && parts.every((part) => part.length > 0) ? parts : null;
}

// temp is where the name of the field "temp" of an object begins, or -1.
function temp(p) {
  if (!isObject(p)) return -1;
  let depth = 0;
  for (let i = 0; i < p.length; i++) {
    switch (p[i]) {
      case 0x7B: // {
      case 0x5B: // [
        depth++;
        break;
      case 0x7D: // }
      case 0x5D: // ]
        depth--;
        break;
      case 0x22: { // "
        const last = endOfString(p, i);
        if (last < 0) return -1;
        if (depth === 1 && last === i + 5 && ascii(p.subarray(i + 1, last)) === 'temp' && isKey(p, last)) {
          return i + 1;
        }
        i = last;
      }
    }
  }
  return -1;
}

// isKey says whether a colon follows the string that ends at last.
function isKey(p, last) {
  let i = last + 1;
  while (i < p.length && isSpace(p[i])) i++;
  return p[i] === code(':');
}
