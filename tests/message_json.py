"""Messages as the JSON of the vectors, there and back.

`plain` takes the escapes out of JSON: after it a value is a Python value, with floats, integers and
bytes told apart. `described` turns a message into the same shape, `built` makes a message of it.
"""

from __future__ import annotations

import struct
from dataclasses import fields
from typing import Any

from clasp_journal import value as values
from clasp_journal.entry import (
    ParamSnapshot,
    Phase,
    SignalType,
    absolute_ttl,
    sliding_ttl,
    ttl_is_absolute,
    ttl_s,
)
from router.wire import messages
from router.wire.masks import Feature

Json = Any

NAMES: dict[type[Any], str] = {
    messages.Hello: "HELLO",
    messages.Welcome: "WELCOME",
    messages.Announce: "ANNOUNCE",
    messages.FederationSync: "FEDERATION_SYNC",
    messages.Subscribe: "SUBSCRIBE",
    messages.Unsubscribe: "UNSUBSCRIBE",
    messages.Publish: "PUBLISH",
    messages.Set: "SET",
    messages.Get: "GET",
    messages.Snapshot: "SNAPSHOT",
    messages.Replay: "REPLAY",
    messages.Bundle: "BUNDLE",
    messages.Sync: "SYNC",
    messages.Ping: "PING",
    messages.Pong: "PONG",
    messages.Ack: "ACK",
    messages.Error: "ERROR",
    messages.Query: "QUERY",
    messages.Result: "RESULT",
}
CLASSES = {name: kind for kind, name in NAMES.items()}

FEATURES = tuple(str(one.name).lower() for one in Feature if one != Feature.JOURNAL)
OP_NAMES = ("DeclareNamespaces", "RequestSync", "RevisionVector", "SyncComplete")
RENAMED = {"from_us": "from", "to_us": "to", "gesture_id": "id", "window_ms": "window"}
TTL_NEVER = 0


def plain(json_value: Json) -> Json:
    """JSON without its escapes for bytes and for floats that JSON lacks."""
    if isinstance(json_value, list):
        return [plain(one) for one in json_value]
    if not isinstance(json_value, dict):
        return json_value
    if list(json_value) == ["$bytes"]:
        return bytes.fromhex(json_value["$bytes"])
    if list(json_value) == ["$float"]:
        return float(json_value["$float"])
    return {key: plain(one) for key, one in json_value.items()}


def described(message: messages.Message) -> dict[str, Json]:
    """A message in the shape of `decoded`, without `encoding` and `frame`."""
    shape: dict[str, Json] = {"type": NAMES[type(message)]}
    for one in fields(message):
        shape[RENAMED.get(one.name, one.name)] = getattr(message, one.name)
    match message:
        case messages.Hello() | messages.Welcome():
            shape["features"] = [name for name in FEATURES if message.features & Feature[name.upper()]]
        case messages.Announce():
            shape["signals"] = [_described_signal(signal) for signal in message.signals]
        case messages.Result():
            shape["signals"] = [_described_signal(signal) for signal in message.signals]
            for signal in shape["signals"]:
                del signal["meta"]
        case messages.FederationSync():
            shape["op"] = OP_NAMES[message.op - 1]
        case messages.Subscribe():
            shape["types"] = _type_names(message.type_mask)
            shape["options"] = None if message.options is None else _renamed(message.options)
        case messages.Replay():
            shape["types"] = _type_names(message.type_mask)
            if message.extension is None:
                del shape["extension"]
        case messages.Publish():
            _describe_publish(message, shape)
        case messages.Set():
            shape["value"] = values.decode(shape.pop("encoded"))
            shape["ttl"] = _described_ttl(message.ttl)
        case messages.Snapshot():
            shape["params"] = [_described_param(param) for param in message.params]
        case messages.Bundle():
            shape["messages"] = [described(inner) for inner in message.messages]
    return shape


def _renamed(part: Json) -> dict[str, Json]:
    return {RENAMED.get(one.name, one.name): getattr(part, one.name) for one in fields(part)}


def _type_names(mask: int) -> list[str]:
    if mask == 0xFF:
        return []
    return [signal.name.lower() for signal in SignalType if mask >> signal & 1]


def _describe_publish(message: messages.Publish, shape: dict[str, Json]) -> None:
    shape["signal"] = message.signal.name.lower()
    shape["phase"] = message.phase.name.lower()
    encoded, samples, timeline = (shape.pop(key) for key in ("encoded", "samples", "timeline"))
    shape["value_indicator"] = 0
    if timeline is not None:
        shape["timeline"] = values.decode(timeline)
    elif encoded is not None:
        shape["value_indicator"] = 1
        shape["value"] = values.decode(encoded)
    elif samples is not None:
        shape["value_indicator"] = 2
        shape["samples"] = list(message.sample_values or ())


def _described_ttl(word: int | None) -> Json:
    if not word:
        return None if word is None else {"mode": "never"}
    return {"mode": "absolute" if ttl_is_absolute(word) else "sliding", "seconds": ttl_s(word)}


def _described_signal(signal: messages.SignalDef) -> dict[str, Json]:
    meta = signal.meta
    return {
        **_renamed(signal),
        "signal": signal.signal.name.lower(),
        "meta": None
        if meta is None
        else {
            **_renamed(meta),
            "range": None if meta.range is None else list(meta.range),
            "default": None if meta.default is None else values.decode(meta.default),
        },
    }


def _described_param(param: ParamSnapshot) -> dict[str, Json]:
    return {
        "address": param.address,
        "value": param.value,
        "revision": param.revision,
        "writer": param.writer or None,
        "timestamp": param.timestamp or None,
    }


def built(shape: dict[str, Json]) -> messages.Message:
    """The message that `described` would turn into this shape."""
    kind = CLASSES[shape["type"]]
    names = {RENAMED.get(one.name, one.name): one.name for one in fields(kind)}
    given = {names[key]: one for key, one in shape.items() if key in names}
    match shape["type"]:
        case "HELLO" | "WELCOME":
            given["features"] = sum(Feature[name.upper()] for name in shape["features"])
        case "ANNOUNCE" | "RESULT":
            given["signals"] = [_built_signal(signal) for signal in shape["signals"]]
        case "FEDERATION_SYNC":
            given["op"] = messages.FederationOp(OP_NAMES.index(shape["op"]) + 1)
        case "SUBSCRIBE":
            given["options"] = _built_options(shape["options"])
        case "PUBLISH":
            given["signal"] = SignalType[shape["signal"].upper()]
            given["phase"] = Phase[shape["phase"].upper()]
            given.update(_built_content(shape))
        case "SET":
            given["encoded"] = values.encode(shape["value"])
            given["ttl"] = _built_ttl(shape["ttl"])
        case "SNAPSHOT":
            given["params"] = [_built_param(param) for param in shape["params"]]
        case "BUNDLE":
            given["messages"] = [built(inner) for inner in shape["messages"]]
    message: messages.Message = kind(**given)
    return message


def _built_content(shape: dict[str, Json]) -> dict[str, bytes]:
    match shape["value_indicator"]:
        case 1:
            return {"encoded": values.encode(shape["value"])}
        case 2:
            return {"samples": messages.pack_samples(shape["samples"])}
        case _:
            return {}


def _built_options(shape: Json) -> messages.SubscribeOptions | None:
    if shape is None:
        return None
    return messages.SubscribeOptions(shape["max_rate"], shape["epsilon"], shape["history"], shape["window"])


def _built_ttl(shape: Json) -> int | None:
    if shape is None:
        return None
    if shape["mode"] == "never":
        return TTL_NEVER
    word = absolute_ttl if shape["mode"] == "absolute" else sliding_ttl
    return word(shape["seconds"])


def _built_signal(shape: dict[str, Json]) -> messages.SignalDef:
    return messages.SignalDef(
        shape["address"],
        SignalType[shape["signal"].upper()],
        shape["datatype"],
        shape["access"],
        _built_meta(shape.get("meta")),
    )


def _built_meta(shape: Json) -> messages.Meta | None:
    if shape is None:
        return None
    default = shape["default"]
    return messages.Meta(
        shape["unit"],
        None if shape["range"] is None else tuple(shape["range"]),
        None if default is None else values.encode(default),
        shape["description"],
    )


def _built_param(shape: dict[str, Json]) -> ParamSnapshot:
    return ParamSnapshot(
        shape["address"],
        values.encode(shape["value"]),
        shape["revision"],
        shape["writer"] or "",
        shape["timestamp"] or 0,
    )


def difference(expected: Json, found: Json, where: str = "") -> str | None:
    """Where two shapes differ first, in words; None if they are the same.

    An integer is not a float, 0.0 is not -0.0, every NaN is the same. Names of features and signal types
    are compared without their order, and keys of maps, too.
    """
    if isinstance(expected, dict) and isinstance(found, dict):
        return _difference_of_maps(expected, found, where)
    if isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        for at, (one, other) in enumerate(zip(expected, found, strict=True)):
            fault = difference(one, other, f"{where}[{at}]")
            if fault:
                return fault
        return None
    return None if _same(expected, found) else f"{where} is {found!r:.200} instead of {expected!r:.200}"


def _difference_of_maps(expected: Json, found: Json, where: str) -> str | None:
    if expected.keys() != found.keys():
        return f"{where or 'the message'} has the keys {sorted(found)} instead of {sorted(expected)}"
    for key, one in expected.items():
        other = found[key]
        if not where and key == "features":
            one, other = sorted(set(one) & set(FEATURES)), sorted(other)
        elif not where and key == "types":
            one, other = sorted(set(one)), sorted(other)
        fault = difference(one, other, f"{where}.{key}" if where else key)
        if fault:
            return fault
    return None


def _same(expected: Json, found: Json) -> bool:
    if type(expected) is not type(found):
        return False
    if isinstance(expected, float):
        both_nan = expected != expected and found != found
        return both_nan or struct.pack(">d", expected) == struct.pack(">d", found)
    return bool(expected == found)
