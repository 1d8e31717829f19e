"""Check this implementation against files of vectors: `python tests/conformance.py FILE...`

Three kinds of row, told apart by their keys:

    decoded      a good frame: it decodes to these fields; a canonical one is encoded again to the same bytes
    expected     a bad frame: it fails with this code, in the wire or in the grammar of addresses
    segmentwise  a pattern and an address: they match, or not, or are refused

Prints each failure, then `N passed, M failed`; the exit status is 0 only if nothing failed.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from clasp_journal.address import Pattern, parse_address
from clasp_journal.errors import BadInput
from router.wire import codec, legacy, messages
from router.wire.codes import ErrorCode
from router.wire.frame import (
    FLAG_COMPRESSED,
    FLAG_ENCRYPTED,
    QOS_SHIFT,
    Frame,
    decode_frame,
    encode_frame,
)
from tests.message_json import built, described, difference, plain

Row = dict[str, Any]


class Mismatch(Exception):
    """What a row says and what happened differ."""


def check_good_frame(row: Row) -> None:
    """The frame decodes to the fields of `decoded`; a canonical one comes out of them again."""
    data = bytes.fromhex(row["hex"])
    frame = decode_frame(data)
    message = codec.decode(frame.payload)
    found = described(message)
    found["encoding"] = "msgpack" if legacy.is_legacy(frame.payload[0]) else "binary"
    found["frame"] = {
        "qos": frame.raw_qos,
        "timestamp": frame.timestamp,
        "encrypted": frame.encrypted,
        "compressed": frame.compressed,
        "version": frame.version,
    }
    expected = plain(row["decoded"])
    fault = difference(expected, found)
    if fault:
        raise Mismatch(fault)
    if row.get("canonical_encode"):
        _check_bytes("encoded from the message", data, frame, message)
        _check_bytes("encoded from `decoded`", data, _frame_of(expected["frame"]), built(expected))


def _frame_of(fields: Row) -> Frame:
    flags = fields["qos"] << QOS_SHIFT | fields["version"]
    flags |= FLAG_ENCRYPTED if fields["encrypted"] else 0
    flags |= FLAG_COMPRESSED if fields["compressed"] else 0
    return Frame(flags, fields["timestamp"], b"")


def _check_bytes(how: str, expected: bytes, frame: Frame, message: messages.Message) -> None:
    found = encode_frame(codec.encode(message), timestamp=frame.timestamp, flags=frame.flags)
    if found != expected:
        raise Mismatch(f"{how}: {found.hex():.200} instead of {expected.hex():.200}")


def check_bad_frame(row: Row) -> None:
    """The frame fails with `error_code`; what only a router refuses decodes."""
    code = row["expected"]["error_code"]
    found = _code_of(lambda: codec.decode(decode_frame(bytes.fromhex(row["hex"])).payload))
    if code in (ErrorCode.INVALID_FRAME, ErrorCode.INVALID_MESSAGE):
        if found != code:
            raise Mismatch(f"code {found} instead of {code}")
        return
    if found is not None:
        raise Mismatch(f"does not decode: code {found}")
    if code in (ErrorCode.INVALID_ADDRESS, ErrorCode.INVALID_PATTERN):
        message = codec.decode(decode_frame(bytes.fromhex(row["hex"])).payload)
        found = _code_of(lambda: _parse_all(message))
        if found != code:
            raise Mismatch(f"its addresses give code {found} instead of {code}")


def _code_of(work: Callable[[], object]) -> int | None:
    try:
        work()
    except BadInput as fault:
        return fault.code
    return None


def _parse_all(message: messages.Message) -> None:
    """Parse every address and pattern of a message, as the router does before it acts."""
    for text in _texts(message, "address"):
        parse_address(text)
    for text in _texts(message, "pattern"):
        Pattern.parse(text)


def _texts(message: object, name: str) -> Iterator[str]:
    if isinstance(text := getattr(message, name, None), str):
        yield text
    if name == "pattern":
        yield from getattr(message, "patterns", ())
    for parts in ("messages", "signals", "params"):
        for part in getattr(message, parts, ()):
            yield from _texts(part, name)


def check_address(row: Row) -> None:
    """The pattern matches the address as `segmentwise` says; tier `invalid` is refused."""
    pattern, address = row["pattern"], row["address"]
    found = _code_of(lambda: Pattern.parse(pattern))
    if found is None:
        found = _code_of(lambda: parse_address(address))
    if row.get("tier") == "invalid":
        if found not in (ErrorCode.INVALID_ADDRESS, ErrorCode.INVALID_PATTERN):
            raise Mismatch("is not refused")
        return
    if found is not None:
        raise Mismatch(f"refused with code {found}")
    if Pattern.parse(pattern).matches(address) is not row["segmentwise"]:
        raise Mismatch(f"segmentwise is {row['segmentwise']}")


CHECKS: dict[str, Callable[[Row], None]] = {
    "decoded": check_good_frame,
    "expected": check_bad_frame,
    "segmentwise": check_address,
}


def fault_of(row: Row) -> str | None:
    """What is wrong with a row; None if nothing is."""
    for key, check in CHECKS.items():
        if key in row:
            try:
                check(row)
            except Mismatch as mismatch:
                return str(mismatch)
            except Exception as fault:
                return f"{type(fault).__name__}: {fault}"
            return None
    return f"a row of no known kind: its keys are {', '.join(row)}"


def name_of(row: Row) -> str:
    """How a person finds the row."""
    return str(row.get("name") or f"{row.get('pattern')!r} against {row.get('address')!r}")


def main(paths: list[str]) -> int:
    """Check all rows of all files."""
    if not paths:
        print("usage: conformance.py FILE...", file=sys.stderr)
        return 2
    passed = failed = 0
    for path in paths:
        for row in json.loads(Path(path).read_text(encoding="utf-8")):
            fault = fault_of(row)
            if fault is None:
                passed += 1
            else:
                failed += 1
                print(f"{path}: {name_of(row)}: {fault}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
