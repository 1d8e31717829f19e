"""What reads the words of strangers, each as a function from bytes to a word about what came of it.

Law: what is wrong with an input is told by the exception that the code promises; anything else is a bug. Two
inputs of which other words are told are of another kind, and both worth keeping.
"""

import os
import re
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

from clasp_journal.address import Pattern, parse_address
from clasp_journal.cli.grammar.times import Instant, format_time, parse_time
from clasp_journal.cli.grammar.zones import UTC_ZONE, Zone
from clasp_journal.errors import BadInput
from router.config import SETTINGS, ConfigError
from router.sources import Given, load
from router.wire import codec
from router.wire.codes import WireError
from router.wire.frame import decode_frame
from tests.router.transports.peer_bytes import Heard

NOW_US = 1_700_000_000_000_000
ZONES = (UTC_ZONE, Zone(ZoneInfo("Europe/Vienna")), Zone(ZoneInfo("America/St_Johns")))
CORPUS = Path(__file__).parent / "corpus"


@dataclass(frozen=True)
class Target:
    """One of them, and the words of its language."""

    name: str
    read: Callable[[bytes], str]
    words: Sequence[bytes] = ()

    @property
    def file(self) -> Path:
        """Where the inputs are kept from which others are made: in hex, one per line."""
        return CORPUS / f"{self.name}.txt"

    def corpus(self) -> list[bytes]:
        """These inputs."""
        return [bytes.fromhex(line) for line in self.file.read_text().splitlines()]


def split(data: bytes) -> str:
    """However the bytes are cut, the splitter says the same."""
    whole = Heard(1_000).feed(data)
    step = data[0] % 7 + 1 if data else 1
    pieces = Heard(1_000).feed(*(data[at : at + step] for at in range(0, len(data), step)))
    assert whole.calls == pieces.calls
    return " ".join(name if name == "message" else f"{name} {told!r}" for name, told in whole.calls[:4])


def decode(data: bytes) -> str:
    """A frame and a payload are a message or refused; a message can be said again."""
    told = []
    for take in (lambda: decode_frame(data).payload, lambda: data):
        try:
            message = codec.decode(take())
            codec.encode(message)
        except WireError as refusal:
            told.append(f"{refusal.code} {refusal}")
        else:
            told.append(type(message).__name__)
    return " ".join(told)


def match(data: bytes) -> str:
    """Two texts are patterns or refused; the one matches and covers the other, or not."""
    text, _, other = data.decode("utf-8", "surrogateescape").partition("\n")
    told = []
    try:
        pattern = Pattern.parse(text)
        told.append(f"pattern of {len(pattern.segments)}")
        told.append(f"covers {pattern.covers(Pattern.parse(other))}")
    except BadInput as refusal:
        told.append(str(refusal))
    try:
        address = parse_address(other)
        told.append(f"matches {Pattern.parse(text).matches(address)}")
    except BadInput as refusal:
        told.append(str(refusal))
    return " ".join(told)


def tell_time(data: bytes) -> str:
    """A text is a moment or refused, in every zone; an instant that is written can be read again."""
    text = data.decode("utf-8", "surrogateescape")
    told = []
    for zone in ZONES:
        try:
            moment = parse_time(text, NOW_US, zone)
        except BadInput as refusal:
            told.append(str(refusal).replace(text, ""))
            continue
        told.append(type(moment).__name__)
        if isinstance(moment, Instant):
            assert parse_time(format_time(moment.us, zone), NOW_US, zone) == moment
    return " ".join(told)


def configure(data: bytes) -> str:
    """A setting, or a file of them, is read or refused."""
    choice, text = data[:1] or b"\0", data[1:]
    setting = SETTINGS[choice[0] % (len(SETTINGS) + 1) - 1]
    try:
        if choice[0] % (len(SETTINGS) + 1) == 0:
            with tempfile.NamedTemporaryFile(suffix=".toml") as file:
                file.write(text)
                file.flush()
                effective = load([], {}, file.name)
        else:
            given = Given(setting, text.decode("utf-8", "surrogateescape"), setting.flag)
            effective = load([given], {}, os.devnull)
    except ConfigError as refusal:
        return f"{setting.name} {str(refusal)[:60]}"
    assert all(effective.lines())
    return f"{setting.name} is read"


TARGETS = (
    Target("splitter", split),
    Target("codec", decode, (b"S", b"/a", b"\x07", b"\x0a", b"\x0b", b"\x93", b"\x81\xa1")),
    Target("patterns", match, (b"/", b"*", b"**", b"/**", b"\n", b"a*", "ä".encode())),
    Target(
        "times",
        tell_time,
        (b"now", b"yesterday ", b"min ago", b"-", b"@", b":", b"seq:", b"T", b"+02:00", b"Z"),
    ),
    Target(
        "config",
        configure,
        (b"=", b'"', b"\n", b"none", b"30d", b"GB", b",", b"[", b"127.0.0.1:", b"sqlite:"),
    ),
)


def kind_of(words: str) -> str:
    """What is told, without the numbers and names in it."""
    return re.sub(r"'[^']*'|\"[^\"]*\"|\d+", "", words)[:200]
