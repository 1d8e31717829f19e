"""MessagePack payloads to messages.

Laws: whatever is not as it should be is refused with 101: a missing or repeated key, a number out of
range, a value of the wrong type. An optional key may be nil, which says the same as leaving it out; unknown
keys are ignored.
"""

from __future__ import annotations

from collections.abc import Callable

from clasp_journal.entry import ParamSnapshot, Phase, SignalType
from router.wire.codes import WireError
from router.wire.legacy.fields import (
    U8,
    U16,
    U32,
    U64,
    Fields,
    features_of,
    signals_mask,
    timeline_as_value,
)
from router.wire.legacy.tree import read_tree
from router.wire.messages import (
    BUNDLE_DEPTH_MAX,
    Ack,
    Announce,
    Bundle,
    Error,
    FederationOp,
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
    SubscribeOptions,
    Sync,
    Unsubscribe,
    Welcome,
    pack_samples,
)

FEDERATION_OPS = {
    "DeclareNamespaces": FederationOp.DECLARE_NAMESPACES,
    "RequestSync": FederationOp.REQUEST_SYNC,
    "RevisionVector": FederationOp.REVISION_VECTOR,
    "SyncComplete": FederationOp.SYNC_COMPLETE,
}


def decode(payload: bytes) -> Message:
    """The message of a MessagePack payload."""
    return _message(Fields(read_tree(payload), "message"), 0)


def _message(fields: Fields, depth: int) -> Message:
    name = fields.text("type")
    if name == "BUNDLE":
        return _bundle(fields, depth + 1)
    reader = _READERS.get(name)
    if reader is None:
        raise WireError("a message type that is not assigned")
    fields.what = name
    return reader(fields)


def _bundle(fields: Fields, depth: int) -> Bundle:
    if depth > BUNDLE_DEPTH_MAX:
        raise WireError(f"bundle nested deeper than {BUNDLE_DEPTH_MAX}")
    messages = [_message(inner, depth) for inner in fields.maps("messages", required=True)]
    return Bundle(messages, fields.optional_number("timestamp", U64))


def _hello(fields: Fields) -> Hello:
    return Hello(
        fields.text("name"),
        fields.number("version", U8),
        features_of(fields.texts("features")),
        fields.optional_text("token") or None,
    )


def _welcome(fields: Fields) -> Welcome:
    return Welcome(
        fields.number("time", U64),
        fields.text("session"),
        fields.text("name"),
        fields.number("version", U8),
        features_of(fields.texts("features")),
        fields.optional_text("token") or None,
    )


def _announce(fields: Fields) -> Announce:
    return Announce(fields.text("namespace"), [_signal(one) for one in fields.maps("signals")])


def _result(fields: Fields) -> Result:
    signals = [_signal(one) for one in fields.maps("signals", required=True)]
    for signal in signals:
        signal.meta = None
    return Result(signals)


def _signal(fields: Fields) -> SignalDef:
    meta = fields.optional_map("meta")
    return SignalDef(
        fields.text("address"),
        fields.name("type", SignalType),
        fields.optional_text("datatype"),
        fields.optional_text("access"),
        None if meta is None else _meta(meta),
    )


def _meta(fields: Fields) -> Meta:
    ends = fields.floats("range")
    if ends is not None and len(ends) != 2:
        raise WireError(f"range of {len(ends)} numbers")
    return Meta(
        fields.optional_text("unit"),
        None if ends is None else (ends[0], ends[1]),
        fields.optional_encoded("default"),
        fields.optional_text("description"),
    )


def _subscribe(fields: Fields) -> Subscribe:
    options = fields.optional_map("options")
    return Subscribe(
        fields.number("id", U32),
        fields.text("pattern"),
        signals_mask(fields.texts("types")),
        None if options is None else _options(options),
    )


def _options(fields: Fields) -> SubscribeOptions:
    return SubscribeOptions(
        fields.optional_number("max_rate", U32, "maxRate"),
        fields.optional_float("epsilon"),
        fields.optional_number("history", U32),
        fields.optional_number("window", U32),
    )


def _publish(fields: Fields) -> Publish:
    message = Publish(
        fields.text("address"),
        fields.name("signal", SignalType, SignalType.EVENT),
        timestamp=fields.optional_number("timestamp", U64),
        gesture_id=fields.optional_number("id", U32),
        phase=fields.name("phase", Phase, Phase.START),
        rate=fields.optional_number("rate", U32),
    )
    value, payload = fields.optional_encoded("value"), fields.optional_encoded("payload")
    samples = fields.floats("samples")
    timeline = fields.optional_map("timeline")
    if value is not None or payload is not None:
        message.encoded = payload if value is None else value
    elif samples is not None:
        message.samples = pack_samples(samples)
    elif timeline is not None:
        message.timeline = timeline.as_encoded()
        message.encoded = timeline_as_value(timeline)
    return message


def _set(fields: Fields) -> Set:
    return Set(
        fields.text("address"),
        fields.encoded("value"),
        fields.optional_number("revision", U64),
        fields.flag("lock"),
        fields.flag("unlock"),
        fields.optional_ttl("ttl"),
    )


def _snapshot(fields: Fields) -> Snapshot:
    return Snapshot([_param(one) for one in fields.maps("params", required=True)])


def _param(fields: Fields) -> ParamSnapshot:
    return ParamSnapshot(
        fields.text("address"),
        fields.encoded("value"),
        fields.number("revision", U64),
        fields.optional_text("writer") or "",
        fields.optional_number("timestamp", U64) or 0,
    )


def _replay(fields: Fields) -> Replay:
    return Replay(
        fields.text("pattern"),
        fields.optional_number("from", U64),
        fields.optional_number("to", U64),
        fields.optional_number("limit", U32),
        signals_mask(fields.texts("types")),
    )


def _federation_sync(fields: Fields) -> FederationSync:
    name = fields.text("op")
    if name not in FEDERATION_OPS:
        raise WireError("a federation operation that is not assigned")
    return FederationSync(
        FEDERATION_OPS[name],
        fields.texts("patterns"),
        fields.numbers("revisions", U64),
        fields.optional_number("since_revision", U64),
        fields.optional_text("origin"),
    )


def _sync(fields: Fields) -> Sync:
    t2, t3 = fields.optional_number("t2", U64), fields.optional_number("t3", U64)
    return Sync(fields.number("t1", U64), t2, t3)


def _ack(fields: Fields) -> Ack:
    return Ack(
        fields.optional_text("address"),
        fields.optional_number("revision", U64),
        fields.optional_flag("locked"),
        fields.optional_text("holder"),
        fields.optional_number("correlation_id", U32, "correlationId"),
    )


def _error(fields: Fields) -> Error:
    return Error(
        fields.number("code", U16),
        fields.text("message"),
        fields.optional_text("address"),
        fields.optional_number("correlation_id", U32, "correlationId"),
    )


_READERS: dict[str, Callable[[Fields], Message]] = {
    "HELLO": _hello,
    "WELCOME": _welcome,
    "ANNOUNCE": _announce,
    "SUBSCRIBE": _subscribe,
    "UNSUBSCRIBE": lambda fields: Unsubscribe(fields.number("id", U32)),
    "PUBLISH": _publish,
    "SET": _set,
    "GET": lambda fields: Get(fields.text("address")),
    "SNAPSHOT": _snapshot,
    "REPLAY": _replay,
    "FEDERATION_SYNC": _federation_sync,
    "SYNC": _sync,
    "PING": lambda fields: Ping(),
    "PONG": lambda fields: Pong(),
    "ACK": _ack,
    "ERROR": _error,
    "QUERY": lambda fields: Query(fields.text("pattern")),
    "RESULT": _result,
}
"""By the name in `type`. BUNDLE is missing: it needs to know how deep it stands."""
