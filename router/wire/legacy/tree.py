"""MessagePack bytes to a tree of plain objects, with limits.

Laws: containers are walked here and only scalars are left to the library, so that nothing is allocated
from a count that a peer claims and the depth has an end; a map remembers whether a key was repeated;
extension types are refused. Bytes behind the outermost item are ignored.
"""

from __future__ import annotations

from typing import Any, TypeAlias, Union

import msgpack

from clasp_journal.value import DEPTH_MAX
from router.wire.codes import WireError

DEPTH_TREE_MAX = DEPTH_MAX + 12
"""A value, inside a message, inside bundles: two containers for each level of message."""

Tree: TypeAlias = Union[bool, int, float, str, bytes, "list[Tree]", "TreeMap", None]

_FIXMAP, _FIXARRAY, _FIXSTR = 0x80, 0x90, 0xA0
_ARRAY16, _ARRAY32, _MAP16, _MAP32 = 0xDC, 0xDD, 0xDE, 0xDF
_REFUSED = frozenset((0xC1, 0xC7, 0xC8, 0xC9, 0xD4, 0xD5, 0xD6, 0xD7, 0xD8))


class TreeMap(dict[str, Any]):
    """A map with text keys; where one was repeated the last value counts, and `repeated` names it."""

    __slots__ = ("repeated",)

    def __init__(self) -> None:
        super().__init__()
        self.repeated: str | None = None


def is_map(first_byte: int) -> bool:
    """Whether this byte opens a MessagePack map."""
    return _FIXMAP <= first_byte < _FIXARRAY or first_byte in (_MAP16, _MAP32)


def read_tree(data: bytes) -> Tree:
    """The outermost item of the bytes."""
    unpacker = msgpack.Unpacker(raw=False, strict_map_key=True, max_buffer_size=max(1, len(data)))
    unpacker.feed(data)
    try:
        return _read(unpacker, data, 0)
    except msgpack.OutOfData:
        raise WireError("MessagePack cut off") from None
    except WireError:
        raise
    except (ValueError, msgpack.UnpackException) as fault:
        raise WireError(f"MessagePack: {fault}") from None


def _read(unpacker: Any, data: bytes, depth: int) -> Tree:
    at = unpacker.tell()
    if at >= len(data):
        raise WireError("MessagePack cut off")
    marker = data[at]
    keyed = is_map(marker)
    if not keyed and not (_FIXARRAY <= marker < _FIXSTR or marker in (_ARRAY16, _ARRAY32)):
        if marker in _REFUSED:
            raise WireError(f"MessagePack type 0x{marker:02x} has no CLASP value")
        scalar: Tree = unpacker.unpack()
        return scalar
    if depth >= DEPTH_TREE_MAX:
        raise WireError("MessagePack nested too deep")
    if keyed:
        return _read_map(unpacker, data, depth + 1)
    return [_read(unpacker, data, depth + 1) for _ in range(unpacker.read_array_header())]


def _read_map(unpacker: Any, data: bytes, depth: int) -> TreeMap:
    tree = TreeMap()
    for _ in range(unpacker.read_map_header()):
        key = _read(unpacker, data, depth)
        if not isinstance(key, str):
            raise WireError("a map key is no text")
        if key in tree:
            tree.repeated = key
        tree[key] = _read(unpacker, data, depth)
    return tree
