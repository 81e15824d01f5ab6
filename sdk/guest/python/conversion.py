"""A component of two functions: upstream changes what a device says into what the cloud expects,
downstream the other way. See conversion()."""

from dataclasses import dataclass
from typing import Callable

from wit_world.exports.lifecycle import Interest
from wit_world.exports.transformer import Outcome, Outcome_Drop, Outcome_Keep, Outcome_Replace
from wit_world.imports import history
from wit_world.imports.types import Identity, Message


@dataclass
class Context:
    """Whose message it is: upstream the sender's, downstream the receiver's."""

    client_id: str
    username: str
    """Empty when the client gave none."""
    tenant: str
    """Empty unless an authenticator set one."""
    listener: str
    """Name of the listener the client came in by."""


class Keep:
    """It goes on unchanged."""


class Drop:
    """Its way ends; a publisher still gets its acknowledgement."""


@dataclass
class Change:
    """Goes on in its place; QoS and retain stay. Several of them are a list."""

    payload: bytes
    topic: str | None = None
    """None for the one the message came with."""


type Result = Keep | Drop | Change | list[Change]
type Convert = Callable[[str, bytes, bytes | None, Context], Result]


def keep(topic: str, payload: bytes, previous: bytes | None, context: Context) -> Result:
    return Keep()


def conversion(
    upstream: Convert = keep, downstream: Convert = keep,
    upstream_topics: list[str] = ["#"], downstream_topics: list[str] = ["#"],
):
    """The classes of a component of two functions: Lifecycle, Transformer = conversion(up, down).

    Each is given the topic, the payload, the last payload that was delivered under the topic on
    this listener (None for none) and a Context."""

    def ask(convert: Convert, who: Identity, msg: Message) -> Outcome:
        context = Context(who.client_id, who.username, who.tenant, who.listener)
        match convert(msg.topic, msg.payload, history.last(msg.topic), context):
            case Keep():
                return Outcome_Keep()
            case Drop():
                return Outcome_Drop()
            case list(changes):
                pass
            case change:
                changes = [change]
        return Outcome_Replace(
            [Message(c.topic or msg.topic, c.payload, msg.qos, msg.retain) for c in changes])

    class Lifecycle:
        def configure(self) -> Interest:
            return Interest(inbound=upstream_topics, outbound=downstream_topics)

    class Transformer:
        def upstream(self, who: Identity, msg: Message) -> Outcome:
            return ask(upstream, who, msg)

        def downstream(self, who: Identity, msg: Message) -> Outcome:
            return ask(downstream, who, msg)

    return Lifecycle, Transformer
