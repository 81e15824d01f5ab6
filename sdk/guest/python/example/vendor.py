"""A vendor's meters speak "t=21.5", the cloud speaks {"t":21.5,"by":"m7"}. See ../../example."""

import json

from conversion import Change, Context, Drop, Keep, Result, conversion


def upstream(topic: str, payload: bytes, previous: bytes | None, sender: Context) -> Result:
    name, equals, value = payload.decode().partition("=")
    if not equals:
        return Keep()
    out = f'{{{json.dumps(name)}:{value},"by":{json.dumps(sender.client_id)}}}'.encode()
    if out == previous:
        return Drop()  # nothing new
    return Change(out)


def downstream(topic: str, payload: bytes, previous: bytes | None, receiver: Context) -> Result:
    if not (payload.startswith(b'{"set":') and payload.endswith(b"}")):
        return Keep()
    return Change(b"set=" + payload[len(b'{"set":'):-1])


Lifecycle, Transformer = conversion(upstream, downstream, ["meter/+/up"], ["meter/+/down"])
