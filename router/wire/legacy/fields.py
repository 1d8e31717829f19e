"""Typed, checked access to the keys of one MessagePack map.

Law: every method gives what its name says or raises `WireError`; nil counts as absent, and absent is
refused unless the method says `optional` or has a default. A bool is never a number.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum
from typing import Any, TypeVar

from clasp_journal import value as values
from clasp_journal.entry import TTL_NEVER, SignalType, absolute_ttl, sliding_ttl
from clasp_journal.errors import BadValue
from clasp_journal.value import Value
from router.wire.codes import WireError
from router.wire.legacy.tree import Tree, TreeMap
from router.wire.masks import Feature, mask_of_signals

U8, U16, U32, U64 = (1 << bits for bits in (8, 16, 32, 64))
"""The first number that does not fit."""

_TTL_LIMIT = 1 << 31
_I64_LIMIT = 1 << 63

_Named = TypeVar("_Named", bound=IntEnum)


class Fields:
    """The keys of a map that is a message, or a part of one."""

    __slots__ = ("_tree", "what")

    def __init__(self, tree: Tree, what: str) -> None:
        if not isinstance(tree, TreeMap):
            raise WireError(f"{what} is no map")
        if tree.repeated is not None:
            raise WireError(f"{what} has a key twice")
        self._tree = tree
        self.what = what

    def _wrong(self, key: str, found: object) -> WireError:
        # What was found is not repeated: it may be a token.
        return WireError(f"{self.what} {'without' if found is None else 'with a bad'} {key!r}")

    def optional_text(self, key: str) -> str | None:
        """A text, or None."""
        found = self._tree.get(key)
        if found is not None and not isinstance(found, str):
            raise self._wrong(key, found)
        return found

    def text(self, key: str) -> str:
        """A text."""
        found = self.optional_text(key)
        if found is None:
            raise self._wrong(key, found)
        return found

    def texts(self, key: str) -> list[str]:
        """A list of texts, empty if absent."""
        found = self._list(key) or []
        if not all(isinstance(one, str) for one in found):
            raise self._wrong(key, found)
        return found

    def optional_number(self, key: str, limit: int, other_key: str | None = None) -> int | None:
        """A whole number from 0 up to, not including, the limit; or None. A key may have two spellings."""
        found = self._tree.get(key)
        if found is None and other_key is not None:
            found = self._tree.get(other_key)
        if found is not None and (type(found) is not int or not 0 <= found < limit):
            raise self._wrong(key, found)
        return found

    def number(self, key: str, limit: int) -> int:
        """A whole number from 0 up to, not including, the limit."""
        found = self.optional_number(key, limit)
        if found is None:
            raise self._wrong(key, found)
        return found

    def numbers(self, key: str, limit: int) -> dict[str, int]:
        """A map of whole numbers, empty if absent."""
        found = self.optional_map(key)
        return {} if found is None else {name: found.number(name, limit) for name in found._tree}

    def optional_float(self, key: str) -> float | None:
        """A number as a float; or None."""
        found = self._tree.get(key)
        return None if found is None else self._float(key, found)

    def floats(self, key: str) -> list[float] | None:
        """A list of numbers as floats; or None."""
        found = self._list(key)
        return None if found is None else [self._float(key, one) for one in found]

    def _float(self, key: str, found: object) -> float:
        if type(found) is int:
            return float(found)
        if not isinstance(found, float):
            raise self._wrong(key, found)
        return found

    def optional_flag(self, key: str) -> bool | None:
        """A bool; or None."""
        found = self._tree.get(key)
        if found is not None and not isinstance(found, bool):
            raise self._wrong(key, found)
        return found

    def flag(self, key: str) -> bool:
        """A bool, false if absent."""
        return bool(self.optional_flag(key))

    def name(self, key: str, names: type[_Named], default: _Named | None = None) -> _Named:
        """A member of an enumeration, spelled in lower case."""
        found = self._tree.get(key)
        if found is None and default is not None:
            return default
        return _named(names, found, self._wrong(key, found))

    def optional_ttl(self, key: str) -> int | None:
        """The word of `"Never"`, `{"Sliding": n}` or `{"Absolute": n}`; or None."""
        found = self._tree.get(key)
        if found is None:
            return None
        if found == "Never":
            return TTL_NEVER
        ttl = Fields(found, "ttl")
        if len(ttl._tree) == 1 and "Sliding" in ttl._tree:
            return sliding_ttl(ttl.number("Sliding", _TTL_LIMIT))
        if len(ttl._tree) == 1 and "Absolute" in ttl._tree:
            return absolute_ttl(ttl.number("Absolute", _TTL_LIMIT))
        raise self._wrong(key, found)

    def optional_encoded(self, key: str) -> bytes | None:
        """The CLASP bytes of a value; None for nil, too."""
        found = self._tree.get(key)
        return None if found is None else encode_tree(found)

    def encoded(self, key: str) -> bytes:
        """The CLASP bytes of a value, which may be nil but not absent."""
        if key not in self._tree:
            raise self._wrong(key, None)
        return encode_tree(self._tree[key])

    def as_encoded(self) -> bytes:
        """The CLASP bytes of the whole map."""
        return encode_tree(self._tree)

    def optional_map(self, key: str) -> Fields | None:
        """The keys of a map; or None."""
        found = self._tree.get(key)
        return None if found is None else Fields(found, key)

    def maps(self, key: str, *, required: bool = False) -> list[Fields]:
        """The keys of each map in a list."""
        found = self._list(key)
        if found is None and required:
            raise self._wrong(key, found)
        return [Fields(one, key) for one in found or ()]

    def _list(self, key: str) -> list[Any] | None:
        found = self._tree.get(key)
        if found is not None and not isinstance(found, list):
            raise self._wrong(key, found)
        return found


def _named(names: type[_Named], found: object, fault: WireError) -> _Named:
    for member in names:
        if member.name.lower() == found:
            return member
    raise fault


def signals_mask(names: Iterable[str]) -> int:
    """The type mask of a list of signal names."""
    fault = WireError("a signal type that is not assigned")
    mask = 0
    for name in names:
        mask |= 1 << _named(SignalType, name, fault)
    return mask or mask_of_signals(())


def features_of(names: Iterable[str]) -> int:
    """The feature byte of a list of names; unknown ones are left out."""
    features = Feature(0)
    for name in names:
        features |= Feature.__members__.get(name.upper() if name.islower() else "", Feature(0))
    return int(features)


def timeline_as_value(timeline: Fields) -> bytes:
    """A timeline as the map that every peer understands in the value slot of a PUBLISH."""
    tree = {"loop" if key == "loop_" else key: found for key, found in timeline._tree.items()}
    return encode_tree(tree)


def encode_tree(tree: object) -> bytes:
    """The CLASP bytes of a tree; a whole number beyond 64 signed bits becomes a float, as elsewhere."""
    try:
        return values.encode(_widened(tree))
    except BadValue as fault:
        raise WireError(str(fault)) from None


def _widened(tree: Any) -> Value:
    if type(tree) is int and tree >= _I64_LIMIT:
        return float(tree)
    if isinstance(tree, list):
        return [_widened(one) for one in tree]
    if isinstance(tree, dict):
        return {key: _widened(one) for key, one in tree.items()}
    found: Value = tree
    return found
