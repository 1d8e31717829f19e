"""An entry as the text of a line, and back.

Laws: `entry_of_body(body_of(entry, seq)) == entry` with that number, to the bit, whatever a journal
holds; the same entry always becomes the same bytes, so that two sides are compared without being
understood.

A body is a JSON object in ASCII under the keys of an export, without its closing brace: what seals it comes
behind. An entry that exports have no words for (an unknown kind, a value that cannot be decoded) carries its
fields under `exact`.
"""

from __future__ import annotations

import json
import math
import re
import struct
from functools import lru_cache
from typing import Any

from clasp_journal.entry import EntryKind, JournalEntry, Phase, SignalType
from clasp_journal.errors import BadValue
from clasp_journal.jsonl import entry_of, object_of, value_of
from clasp_journal.value import encode

CACHED_TEXTS = 1 << 16
CACHED_VALUES = 1 << 12
CACHED_VALUE_MAX_BYTES = 256

_F64 = struct.Struct(">Bd")
_F64_TAG = 7
_FIELDS = ("ttl", "samples", "rate", "gesture_id", "phase", "sent", "details")
_REST_KEYS = ("samples", "samples_encoded", "rate", "gesture_id", "ttl", "sent", "phase")
_LAST_KEYS = ("details", "details_encoded")
_EXACT_KEYS = ("signal_type", "encoded", "revision", *_FIELDS)
_NOTHING = (None,) * 7
"""ttl, samples, rate, gesture_id, phase, sent and details of an entry that has none of them."""
_OPS = {
    (int(kind), signal): f'"op":"{kind.name.lower()}"'
    + ("" if signal is None else f',"signal":"{SignalType(signal).name.lower()}"')
    for kind in EntryKind
    for signal in (None, *map(int, SignalType))
}
_KINDS: dict[Any, Any] = {int(kind): kind for kind in EntryKind}
_SIGNALS: dict[Any, Any] = {int(signal): signal for signal in SignalType}
_PHASES: dict[Any, Any] = {int(phase): phase for phase in Phase}
SIMPLE_SET = re.compile(
    rb'\{"seq":(\d+),"timestamp":(-?\d+),"op":"set","signal":"param","address":"([ !#-\[\]-~]*)",'
    rb'"value":(?:(-?\d+\.\d+(?:e[+-]\d+)?|-?\d+e[+-]\d+)|(.{1,400}?)),'
    rb'"revision":(\d+),"author":"([ !#-\[\]-~]*)"(?:,"name":"([ !#-\[\]-~]*)")?'
)
"""The body of most entries: seq, timestamp, address, a float or any other value, revision, author, name.

What it may wrongly take for another value is no JSON."""

quoted = lru_cache(CACHED_TEXTS)(json.dumps)
_text = lru_cache(CACHED_TEXTS)(bytes.decode)
_as_json = json.JSONEncoder(separators=(",", ":")).encode


def body_of(entry: JournalEntry, seq: int) -> str:
    """The text of an entry under a number."""
    # fmt: off
    (timestamp, author, address, kind, signal, encoded, revision, _,
     ttl, samples, rate, gesture_id, phase, sent, name, details) = entry[:]
    # fmt: on
    try:
        if encoded is None:
            value = ""
        elif (
            len(encoded) == 9 and encoded[0] == _F64_TAG and math.isfinite(number := _F64.unpack(encoded)[1])
        ):
            value = f',"value":{number!r}'
        elif len(encoded) > CACHED_VALUE_MAX_BYTES:
            value = _text_of_value(encoded)
        else:
            value = _cached_text_of_value(encoded)
        if revision is not None:
            value += f',"revision":{revision}'
        body = (
            f'{{"seq":{seq},"timestamp":{timestamp},{_OPS[kind, signal]},"address":{quoted(address)}'
            f'{value},"author":{quoted(author)}'
        )
        if name is not None:
            body += f',"name":{quoted(name)}'
        if (ttl, samples, rate, gesture_id, phase, sent, details) != _NOTHING:
            body += _rest_of(entry)
    except (KeyError, ValueError):
        return _exact_body(entry, seq)
    return body


def _text_of_value(encoded: bytes) -> str:
    shown = object_of(JournalEntry(0, "", "", EntryKind.SET, None, encoded))
    return _texts(shown, ("value", "encoded"))


_cached_text_of_value = lru_cache(CACHED_VALUES)(_text_of_value)


def _rest_of(entry: JournalEntry) -> str:
    return _texts(object_of(entry._replace(encoded=None)), (*_REST_KEYS, *_LAST_KEYS))


def _texts(shown: dict[str, Any], keys: tuple[str, ...]) -> str:
    return "".join(f',"{key}":{_as_json(shown[key])}' for key in keys if key in shown)


def _exact_body(entry: JournalEntry, seq: int) -> str:
    exact = {
        key: found.hex() if isinstance(found, bytes) else int(found)
        for key in _EXACT_KEYS
        if (found := getattr(entry, key)) is not None
    }
    if entry.name is not None:
        exact["name"] = entry.name
    return (
        f'{{"seq":{seq},"timestamp":{entry.timestamp},"op":{int(entry.kind)},'
        f'"address":{quoted(entry.address)},"author":{quoted(entry.author)},"exact":{_as_json(exact)}'
    )


def entry_of_body(body: bytes) -> JournalEntry:
    """The entry that a body tells of; otherwise `BadValue`."""
    try:
        simple = SIMPLE_SET.fullmatch(body)
        if simple is not None:
            seq, timestamp, address, number, told, revision, author, name = simple.groups()
            encoded = _F64.pack(_F64_TAG, float(number)) if told is None else encoded_of_told(told)
            if encoded is not None:
                return JournalEntry(
                    int(timestamp),
                    _text(author),
                    _text(address),
                    EntryKind.SET,
                    SignalType.PARAM,
                    encoded,
                    int(revision),
                    int(seq),
                    name=None if name is None else _text(name),
                )
        loaded = json.loads((body + b"}").decode("ascii"))
        return _exactly(loaded) if "exact" in loaded else entry_of(loaded)
    except BadValue:
        raise
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise BadValue(f"this is no entry: {error}") from None


@lru_cache(CACHED_VALUES)
def encoded_of_told(told: bytes) -> bytes | None:
    """The bytes of a value that a line tells as JSON; None if that is none."""
    try:
        return encode(value_of(json.loads(told)))
    except (ValueError, RecursionError):
        return None


def _exactly(loaded: dict[str, Any]) -> JournalEntry:
    exact = dict(loaded["exact"])
    for key in ("encoded", "samples", "details"):
        if key in exact:
            exact[key] = bytes.fromhex(exact[key])
    signal, phase, op = exact.get("signal_type"), exact.get("phase"), loaded["op"]
    exact["signal_type"], exact["phase"] = _SIGNALS.get(signal, signal), _PHASES.get(phase, phase)
    kind: Any = _KINDS.get(op, op)
    return JournalEntry(
        loaded["timestamp"], loaded["author"], loaded["address"], kind, seq=loaded["seq"], **exact
    )
