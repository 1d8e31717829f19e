"""An entry as one JSON object, and back.

Law: `entry_of(object_of(entry)) == entry`, to the bit, whatever the entry holds. Integers stay integers;
bytes are `{"$bytes": base64}`, NaN and the infinities `{"$float": "nan"}`, a map that has a key with a dollar
`{"$map": …}`. Where a value is not in the form that encoders write, `encoded` carries its bytes beside it.
"""

from __future__ import annotations

import base64
import math
import struct
from collections.abc import Callable, Mapping
from typing import Any

from clasp_journal import value as values
from clasp_journal.entry import EntryKind, JournalEntry, Phase, SignalType
from clasp_journal.errors import BadValue
from clasp_journal.value import Value, ValueType

_OPS = {int(kind): kind.name.lower() for kind in EntryKind}
_KINDS = {name: EntryKind(number) for number, name in _OPS.items()}
_PLAIN = (str, bool, int, type(None))
_FLOATS = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}


def json_of(value: Value) -> Any:
    """A value as JSON has it."""
    if isinstance(value, _PLAIN):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else {"$float": str(value)}
    if isinstance(value, bytes):
        return {"$bytes": base64.b64encode(value).decode()}
    if isinstance(value, list):
        return [json_of(item) for item in value]
    assert isinstance(value, dict)
    inner = {key: json_of(item) for key, item in value.items()}
    return {"$map": inner} if any(key.startswith("$") for key in inner) else inner


def value_of(loaded: Any) -> Value:
    """The value that `json_of` made this of; otherwise `BadValue`."""
    if isinstance(loaded, (*_PLAIN, float)):
        return loaded
    if isinstance(loaded, list):
        return [value_of(item) for item in loaded]
    if not isinstance(loaded, dict):
        raise BadValue(f"{type(loaded).__name__} has no CLASP value")
    if len(loaded) == 1:
        [(key, inner)] = loaded.items()
        if key == "$bytes" and isinstance(inner, str):
            return _bytes_of(inner)
        if key == "$float" and inner in _FLOATS:
            return _FLOATS[inner]
        if key == "$map" and isinstance(inner, dict):
            return {name: value_of(item) for name, item in inner.items()}
    if any(key.startswith("$") for key in loaded):
        raise BadValue(f"the key {next(key for key in loaded if key.startswith('$'))!r} belongs into a $map")
    return {key: value_of(item) for key, item in loaded.items()}


def object_of(entry: JournalEntry, format_time: Callable[[int], str] | None = None) -> dict[str, Any]:
    """The entry under stable keys; what it does not have is left out behind the first nine."""
    kind, signal = entry.kind, entry.signal_type
    shown: dict[str, Any] = {
        "seq": entry.seq,
        "timestamp": entry.timestamp,
        "time": format_time(entry.timestamp) if format_time else None,
        "op": _OPS.get(kind, int(kind)),
        "signal": None if signal is None else SignalType(signal).name.lower(),
        "address": entry.address,
        "value": None,
        "revision": entry.revision,
        "author": entry.author,
    }
    if entry.encoded is None:
        del shown["value"]
    else:
        _put(shown, "value", "encoded", entry.encoded)
    if entry.samples is not None:
        _put_samples(shown, entry.samples)
    for key in ("rate", "gesture_id", "ttl", "sent", "name"):
        found = getattr(entry, key)
        if found is not None:
            shown[key] = found
    if entry.phase is not None:
        shown["phase"] = Phase(entry.phase).name.lower()
    if entry.details is not None:
        _put(shown, "details", "details_encoded", entry.details)
    return shown


def entry_of(loaded: Mapping[str, Any]) -> JournalEntry:
    """The entry that `object_of` described; otherwise `BadValue`. `time` and unknown keys mean nothing."""
    try:
        op, signal, phase = loaded["op"], loaded.get("signal"), loaded.get("phase")
        return JournalEntry(
            timestamp=_integer(loaded, "timestamp") or 0,
            author=_text(loaded, "author") or "",
            address=_text(loaded, "address") or "",
            kind=_KINDS[op] if isinstance(op, str) else EntryKind(op),
            signal_type=None if signal is None else SignalType[signal.upper()],
            encoded=_encoded(loaded, "value", "encoded"),
            revision=_integer(loaded, "revision"),
            seq=_integer(loaded, "seq") or 0,
            ttl=_integer(loaded, "ttl"),
            samples=_samples(loaded),
            rate=_integer(loaded, "rate"),
            gesture_id=_integer(loaded, "gesture_id"),
            phase=None if phase is None else Phase[phase.upper()],
            sent=_integer(loaded, "sent"),
            name=_text(loaded, "name"),
            details=_encoded(loaded, "details", "details_encoded"),
        )
    except BadValue:
        raise
    except KeyError as error:
        raise BadValue(f"this is no entry: {error} is missing or unknown") from None
    except (ValueError, AttributeError, TypeError, OverflowError, struct.error) as error:
        raise BadValue(f"this is no entry: {type(error).__name__} {error}") from None


def _put(shown: dict[str, Any], key: str, exact_key: str, encoded: bytes) -> None:
    plain = shown[key] = json_of(values.decode(encoded))
    if type(plain) is float and encoded[0] == ValueType.F64:
        return  # most of all values, and exact
    if values.encode(value_of(plain)) != encoded:
        shown[exact_key] = base64.b64encode(encoded).decode()


def _encoded(loaded: Mapping[str, Any], key: str, exact_key: str) -> bytes | None:
    if exact_key in loaded:
        encoded = _bytes_of(loaded[exact_key])
        values.decode(encoded)
        return encoded
    return values.encode(value_of(loaded[key])) if key in loaded else None


def _put_samples(shown: dict[str, Any], samples: bytes) -> None:
    numbers = struct.unpack(f">{len(samples) // 8}d", samples[: len(samples) // 8 * 8])
    shown["samples"] = [json_of(number) for number in numbers]
    if struct.pack(f">{len(numbers)}d", *map(value_of, shown["samples"])) != samples:
        shown["samples_encoded"] = base64.b64encode(samples).decode()


def _samples(loaded: Mapping[str, Any]) -> bytes | None:
    if "samples_encoded" in loaded:
        return _bytes_of(loaded["samples_encoded"])
    if "samples" not in loaded:
        return None
    numbers = [value_of(number) for number in loaded["samples"]]
    return struct.pack(f">{len(numbers)}d", *numbers)


def _integer(loaded: Mapping[str, Any], key: str) -> int | None:
    found = loaded.get(key)
    if found is not None and type(found) is not int:
        raise BadValue(f"`{key}` is no integer")
    return found


def _text(loaded: Mapping[str, Any], key: str) -> str | None:
    found = loaded.get(key)
    if found is not None and not isinstance(found, str):
        raise BadValue(f"`{key}` is no text")
    return found


def _bytes_of(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (ValueError, TypeError):
        raise BadValue(f"{text!r} is no base64") from None
