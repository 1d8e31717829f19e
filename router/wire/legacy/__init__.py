"""The MessagePack dialect: one map per message, told by its `type`.

Published clients still send bundles and queries in it. `decode` gives the same messages as the binary form,
with values turned into CLASP bytes; `encode` is for tests and tools, the router itself always answers in
binary.
"""

from router.wire.legacy.reading import decode
from router.wire.legacy.tree import is_map
from router.wire.legacy.writing import encode

__all__ = ["decode", "encode", "is_legacy"]


def is_legacy(first_byte: int) -> bool:
    """Whether a payload that starts with this byte is MessagePack."""
    return is_map(first_byte)
