"""The policy of ../README.md in Python: one component of world policy-component."""

import re

from componentize_py_types import Err
from wit_world import exports
from wit_world.exports.authorizer import Action
from wit_world.exports.lifecycle import Interest
from wit_world.exports.transformer import Outcome, Outcome_Drop, Outcome_Keep, Outcome_Replace
from wit_world.imports import config
from wit_world.imports.types import Identity, Message, Qos

ALLOW, NEXT, NOT_AUTHORIZED, QUOTA_EXCEEDED = 0, 1, 0x87, 0x97
ONCE, TOPIC, ACTION = 0, 1, 2

SPACES = b" \t\n\r"
NUMBER = re.compile(rb"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
# What ends, nests or parts: a string, a bracket, a comma.
TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|["{}\[\],]', re.DOTALL)
ESCAPED = re.compile(rb'["\\\x00-\x1f]')


def verdict(decision: int, scope: int, seconds: int) -> int:
    """The answer of authorize is one number; see wit/authorizer.wit."""
    return decision | scope << 8 | seconds << 10


class Lifecycle(exports.Lifecycle):
    def configure(self) -> Interest:
        if '"fail"' in config.json():
            raise Err("told to fail")
        return Interest(inbound=["#"], outbound=["#"])


class Authorizer(exports.Authorizer):
    def authorize(self, who: Identity, action: Action, topic: str, qos: Qos) -> int:
        if who.username == "admin":
            return verdict(ALLOW, ACTION, 300)
        if topic.startswith("$"):
            return verdict(NOT_AUTHORIZED, ONCE, 0)
        if not who.client_id or any(c in who.client_id for c in "/+#"):
            return verdict(NOT_AUTHORIZED, ACTION, 0)
        if action == Action.WILL and qos == Qos.EXACTLY_ONCE:
            return verdict(QUOTA_EXCEEDED, ONCE, 0)
        if action == Action.DELIVER:
            return verdict(ALLOW, ACTION, 0)
        if action == Action.SUBSCRIBE:
            if topic.split("/", 1)[0] in ("#", "+"):
                return verdict(NOT_AUTHORIZED, TOPIC, 0)
            if topic.startswith("public/"):
                return verdict(ALLOW, TOPIC, 60)
        if topic.startswith(f"devices/{who.client_id}/"):
            return verdict(ALLOW, TOPIC, 60)
        if topic.startswith("devices/"):
            return verdict(NOT_AUTHORIZED, TOPIC, 60)
        return verdict(NEXT, ONCE, 0)


class Transformer(exports.Transformer):
    def upstream(self, who: Identity, msg: Message) -> Outcome:
        if msg.topic.endswith("/secret"):
            return Outcome_Drop()
        if msg.topic.endswith("/raw"):
            topic = msg.topic.removesuffix("/raw") + "/json"
            return Outcome_Replace([Message(topic, pairs(msg.payload), msg.qos, msg.retain)])
        if msg.topic.endswith("/batch") and msg.topic != "/batch":
            return batch(msg)
        at = temp(msg.payload)
        if at < 0:
            return Outcome_Keep()
        payload = msg.payload[:at] + b"temperature" + msg.payload[at + len(b"temp"):]
        return Outcome_Replace([Message(msg.topic, payload, msg.qos, msg.retain)])

    def downstream(self, who: Identity, msg: Message) -> Outcome:
        p = msg.payload
        if not is_object(p):
            return Outcome_Keep()
        last = p.rindex(b"}")
        comma = b"," if p[p.index(b"{") + 1:last].strip(SPACES) else b""
        named = comma + b'"to":' + quoted(who.client_id.encode())
        return Outcome_Replace([Message(msg.topic, p[:last] + named + p[last:], msg.qos, msg.retain)])


def is_object(payload: bytes) -> bool:
    p = payload.strip(SPACES)
    return len(p) >= 2 and p[:1] == b"{" and p[-1:] == b"}"


def quoted(text: bytes) -> bytes:
    """text as a JSON string."""

    def escape(m: re.Match[bytes]) -> bytes:
        c = m[0]
        return b"\\" + c if c in b'"\\' else b"\\u%04x" % c[0]

    return b'"' + ESCAPED.sub(escape, text) + b'"'


def pairs(payload: bytes) -> bytes:
    """Makes a JSON object of key=value;key=value."""

    def pair(part: bytes) -> bytes:
        key, _, value = part.partition(b"=")
        return quoted(key) + b":" + (value if NUMBER.fullmatch(value) else quoted(value))

    return b"{" + b",".join(pair(part) for part in payload.split(b";") if part) + b"}"


def batch(msg: Message) -> Outcome:
    """One message for each part of a list."""
    p = msg.payload.strip(SPACES)
    if len(p) < 2 or p[:1] != b"[" or p[-1:] != b"]":
        return Outcome_Keep()
    inside = p[1:-1]
    if not inside.strip(SPACES):
        return Outcome_Drop()
    parts = split(inside)
    if not parts or not all(parts):
        return Outcome_Keep()
    topic = msg.topic.removesuffix("/batch")
    return Outcome_Replace([Message(topic, part, msg.qos, False) for part in parts])


def split(text: bytes) -> list[bytes] | None:
    """Cuts at each comma outside strings at depth 0; None for what is malformed."""
    parts, depth, begin = [], 0, 0
    for m in TOKEN.finditer(text):
        token = m[0]
        if token == b'"':
            return None  # a string without an end
        if token in (b"{", b"["):
            depth += 1
        elif token in (b"}", b"]"):
            depth -= 1
            if depth < 0:
                return None
        elif token == b"," and depth == 0:
            parts.append(text[begin:m.start()].strip(SPACES))
            begin = m.end()
    parts.append(text[begin:].strip(SPACES))
    return parts if depth == 0 else None


def temp(payload: bytes) -> int:
    """Where the name of the field "temp" of an object begins, or -1."""
    if not is_object(payload):
        return -1
    depth = 0
    for m in TOKEN.finditer(payload):
        token = m[0]
        if token == b'"':
            return -1  # a string without an end
        if token in (b"{", b"["):
            depth += 1
        elif token in (b"}", b"]"):
            depth -= 1
        elif token == b'"temp"' and depth == 1:
            if payload[m.end():].lstrip(SPACES)[:1] == b":":
                return m.start() + 1
    return -1
