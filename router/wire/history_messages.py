"""The messages about the past: REPLAY, and what the journal extension adds to the wire.

Law: the extension is invisible to whoever does not ask for it. A version that this program does not know
is told apart (`version`), so that the answer can be "not offered" and not "broken".
"""

from __future__ import annotations

from dataclasses import dataclass, field

from clasp_journal import value as values
from clasp_journal.entry import JournalEntry
from clasp_journal.value import Value
from router.wire.masks import ALL_TYPES

EXTENSION_VERSION = 1

EMPTY_MAP = b"\x0b\x00\x00"
"""The encoded map without entries."""


@dataclass(slots=True)
class ReplayExtension:
    """What REPLAY may ask for beyond the published protocol.

    Of another `version` than ours nothing else is known; the other fields then have their defaults.
    """

    id: int = 0
    version: int = EXTENSION_VERSION
    as_entries: bool = False
    follow: bool = False
    """Go on live until UNSUBSCRIBE with this id, or close."""
    journal_kinds: bool = False
    """Also the journal's own kinds of entries."""
    newest: bool = False
    """The newest `limit` entries instead of the oldest; still oldest first."""
    after_seq: int | None = None
    epoch: str | None = None
    """The life of the journal that `after_seq` counts in; given when that is, and only then."""
    author: str | None = None


@dataclass(slots=True)
class Replay:
    """A client asks for what was. Both ends of the time range are included."""

    pattern: str
    from_us: int | None = None
    to_us: int | None = None
    limit: int | None = None
    type_mask: int = ALL_TYPES
    extension: ReplayExtension | None = None


@dataclass(slots=True)
class Entries:
    """Entries of the journal, complete, with their numbers. `head` is the highest number ever given."""

    id: int
    epoch: str
    head: int
    entries: list[JournalEntry] = field(default_factory=list)
    caught_up: bool = False
    """The end of history is reached."""
    incomplete: bool = False
    """Entries before the first one are gone, or the epoch is not the one asked for."""


@dataclass(slots=True)
class JournalDo:
    """A tool asks the journal of a live router to do something; `encoded` is a map of arguments."""

    id: int
    verb: str
    encoded: bytes = EMPTY_MAP
    version: int = EXTENSION_VERSION

    @property
    def arguments(self) -> dict[str, Value]:
        """The arguments as Python objects."""
        return _decoded_map(self.encoded)


@dataclass(slots=True)
class JournalDone:
    """The answer: `status` 0 is success; `encoded` is a map of results."""

    id: int
    status: int = 0
    encoded: bytes = EMPTY_MAP
    version: int = EXTENSION_VERSION

    @property
    def result(self) -> dict[str, Value]:
        """The results as Python objects."""
        return _decoded_map(self.encoded)


def _decoded_map(encoded: bytes) -> dict[str, Value]:
    decoded = values.decode(encoded)
    assert isinstance(decoded, dict)
    return decoded
