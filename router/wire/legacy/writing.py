"""Messages to MessagePack payloads. An encoded null in a PUBLISH has no form here: nil says "nothing"."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgpack

from clasp_journal import value as values
from clasp_journal.entry import ParamSnapshot, SignalType, ttl_is_absolute, ttl_s
from clasp_journal.errors import BadInput
from router.wire.legacy.reading import FEDERATION_OPS
from router.wire.masks import ALL_TYPES, Feature, signals_of_mask
from router.wire.messages import (
    Ack,
    Announce,
    Bundle,
    Error,
    FederationSync,
    Get,
    Hello,
    Message,
    Meta,
    Ping,
    Pong,
    Publish,
    Query,
    Replay,
    Result,
    Set,
    SignalDef,
    Snapshot,
    Subscribe,
    Sync,
    Unsubscribe,
    Welcome,
)

_OP_NAMES = {op: name for name, op in FEDERATION_OPS.items()}


def encode(message: Message) -> bytes:
    """The MessagePack payload of a message; `BadInput` for what has no such form."""
    try:
        packed: bytes = msgpack.packb(_tree(message), use_bin_type=True)
    except (OverflowError, ValueError) as fault:
        raise BadInput(f"{type(message).__name__} does not fit: {fault}") from None
    return packed


def _tree(message: Message) -> dict[str, Any]:
    if isinstance(message, Bundle):
        return {
            "type": "BUNDLE",
            "timestamp": message.timestamp,
            "messages": [_tree(inner) for inner in message.messages],
        }
    name, writer = _WRITERS.get(type(message), ("", None))
    if writer is None:
        raise BadInput(f"{type(message).__name__} has no MessagePack form")
    return {"type": name, **writer(message)}


def _present(keys: dict[str, Any]) -> dict[str, Any]:
    """Without the optional keys that are absent."""
    return {key: found for key, found in keys.items() if found is not None}


def _decoded(encoded: bytes | None) -> values.Value:
    return None if encoded is None else values.decode(encoded)


def _feature_names(features: int) -> list[str]:
    return [str(one.name).lower() for one in Feature if one & features]


def _type_names(mask: int) -> list[str] | None:
    if mask == ALL_TYPES:
        return None
    return [signal.name.lower() for signal in SignalType if signal in signals_of_mask(mask)]


def _ttl(word: int | None) -> str | dict[str, int] | None:
    if not word:
        return None if word is None else "Never"
    return {"Absolute" if ttl_is_absolute(word) else "Sliding": ttl_s(word)}


def _hello(message: Hello) -> dict[str, Any]:
    return _present(
        {
            "version": message.version,
            "name": message.name,
            "features": _feature_names(message.features),
            "token": message.token,
        }
    )


def _welcome(message: Welcome) -> dict[str, Any]:
    return _present(
        {
            "version": message.version,
            "session": message.session,
            "name": message.name,
            "features": _feature_names(message.features),
            "time": message.time,
            "token": message.token,
        }
    )


def _signal(signal: SignalDef) -> dict[str, Any]:
    return _present(
        {
            "address": signal.address,
            "type": signal.signal.name.lower(),
            "datatype": signal.datatype,
            "access": signal.access,
            "meta": None if signal.meta is None else _meta(signal.meta),
        }
    )


def _meta(meta: Meta) -> dict[str, Any]:
    return _present(
        {
            "unit": meta.unit,
            "range": meta.range,
            "default": _decoded(meta.default),
            "description": meta.description,
        }
    )


def _subscribe(message: Subscribe) -> dict[str, Any]:
    options = message.options
    return _present(
        {
            "id": message.id,
            "pattern": message.pattern,
            "types": _type_names(message.type_mask),
            "options": None
            if options is None
            else _present(
                {
                    "max_rate": options.max_rate,
                    "epsilon": options.epsilon,
                    "history": options.history,
                    "window": options.window_ms,
                }
            ),
        }
    )


def _publish(message: Publish) -> dict[str, Any]:
    timeline = message.timeline is not None
    return _present(
        {
            "address": message.address,
            "signal": message.signal.name.lower(),
            "value": None if timeline else _decoded(message.encoded),
            "timeline": _decoded(message.timeline),
            "samples": message.sample_values,
            "rate": message.rate,
            "id": message.gesture_id,
            "phase": message.phase.name.lower(),
            "timestamp": message.timestamp,
        }
    )


def _set(message: Set) -> dict[str, Any]:
    optional = {"revision": message.revision, "ttl": _ttl(message.ttl)}
    return {
        "address": message.address,
        "value": message.value,
        "lock": message.lock,
        "unlock": message.unlock,
        **_present(optional),
    }


def _snapshot(message: Snapshot) -> dict[str, Any]:
    return {"params": [_param(param) for param in message.params]}


def _param(param: ParamSnapshot) -> dict[str, Any]:
    optional = {"writer": param.writer or None, "timestamp": param.timestamp or None}
    return {
        "address": param.address,
        "value": param.value,
        "revision": param.revision,
        **_present(optional),
    }


def _replay(message: Replay) -> dict[str, Any]:
    if message.extension is not None:
        raise BadInput("the extension of REPLAY has no MessagePack form")
    return _present(
        {
            "pattern": message.pattern,
            "from": message.from_us,
            "to": message.to_us,
            "limit": message.limit,
            "types": _type_names(message.type_mask),
        }
    )


def _federation_sync(message: FederationSync) -> dict[str, Any]:
    return _present(
        {
            "op": _OP_NAMES[message.op],
            "patterns": message.patterns,
            "revisions": message.revisions,
            "since_revision": message.since_revision,
            "origin": message.origin,
        }
    )


def _ack(message: Ack) -> dict[str, Any]:
    return _present(
        {
            "address": message.address,
            "revision": message.revision,
            "locked": message.locked,
            "holder": message.holder,
            "correlation_id": message.correlation_id,
        }
    )


def _error(message: Error) -> dict[str, Any]:
    return _present(
        {
            "code": message.code,
            "message": message.message,
            "address": message.address,
            "correlation_id": message.correlation_id,
        }
    )


def _sync(message: Sync) -> dict[str, Any]:
    return _present({"t1": message.t1, "t2": message.t2, "t3": message.t3})


def _announce(message: Announce) -> dict[str, Any]:
    return {"namespace": message.namespace, "signals": [_signal(one) for one in message.signals]}


def _result(message: Result) -> dict[str, Any]:
    return {"signals": [_signal(one) for one in message.signals]}


_WRITERS: dict[type[Any], tuple[str, Callable[[Any], dict[str, Any]]]] = {
    Hello: ("HELLO", _hello),
    Welcome: ("WELCOME", _welcome),
    Announce: ("ANNOUNCE", _announce),
    FederationSync: ("FEDERATION_SYNC", _federation_sync),
    Subscribe: ("SUBSCRIBE", _subscribe),
    Unsubscribe: ("UNSUBSCRIBE", lambda message: {"id": message.id}),
    Publish: ("PUBLISH", _publish),
    Set: ("SET", _set),
    Get: ("GET", lambda message: {"address": message.address}),
    Snapshot: ("SNAPSHOT", _snapshot),
    Replay: ("REPLAY", _replay),
    Sync: ("SYNC", _sync),
    Ping: ("PING", lambda message: {}),
    Pong: ("PONG", lambda message: {}),
    Ack: ("ACK", _ack),
    Error: ("ERROR", _error),
    Query: ("QUERY", lambda message: {"pattern": message.pattern}),
    Result: ("RESULT", _result),
}
