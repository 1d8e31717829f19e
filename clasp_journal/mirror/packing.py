"""How closed files of a mirror are compressed: by gzip, which every tool opens, or by zstd, which is faster.

`zstandard` is needed only where a file is, or is to be, a zstd one. The name of a file tells which it is.
"""

from __future__ import annotations

import gzip
import io
import zlib
from typing import IO, TYPE_CHECKING, Any, cast

from clasp_journal.errors import JournalUnavailable

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

READ_AT_ONCE_BYTES = 1 << 20
GZIP, ZSTD = ".gz", ".zst"
COMPRESSED = (GZIP, ZSTD)
SUFFIXES = {"none": "", "gzip": GZIP, "zstd": ZSTD}
"""How a compressed file is called, by the name of what compresses it."""
UNREADABLE = (EOFError, gzip.BadGzipFile, zlib.error)
"""How a damaged compressed file shows."""

_GZIP_LEVEL, _ZSTD_LEVEL = 6, 3


def suffix_of(compress: str, path: str) -> str:
    """The suffix of compressed files; `JournalUnavailable` if this machine cannot write them."""
    if compress not in SUFFIXES:
        raise ValueError(f"compress is one of {', '.join(SUFFIXES)}, not {compress!r}")
    if compress == "zstd":
        _zstandard(path)
    return SUFFIXES[compress]


def open_packed(path: str) -> IO[bytes]:
    """The lines of a file, whatever it is compressed by."""
    if path.endswith(GZIP):
        return cast("IO[bytes]", gzip.open(path, "rb"))
    if path.endswith(ZSTD):
        return cast("IO[bytes]", io.BufferedReader(_Unpacked(path), READ_AT_ONCE_BYTES))
    return open(path, "rb", READ_AT_ONCE_BYTES)


def create_packed(path: str, suffix: str) -> IO[bytes]:
    """A fresh file that is compressed as this suffix says."""
    if suffix == GZIP:
        return cast("IO[bytes]", gzip.open(path, "wb", compresslevel=_GZIP_LEVEL))
    if suffix == ZSTD:
        compressor = _zstandard(path).ZstdCompressor(level=_ZSTD_LEVEL, write_checksum=True)
        return cast("IO[bytes]", compressor.stream_writer(open(path, "wb")))
    return open(path, "wb")


class _Unpacked(io.RawIOBase):
    """The content of a zstd file."""

    def __init__(self, path: str) -> None:
        zstandard = _zstandard(path)
        self._error: type[Exception] = zstandard.ZstdError
        self._packed = open(path, "rb")  # noqa: SIM115 - closed with its reader
        self._reader = zstandard.ZstdDecompressor().stream_reader(self._packed, read_across_frames=True)

    def fileno(self) -> int:
        return self._packed.fileno()

    def readable(self) -> bool:
        return True

    def readinto(self, into: WriteableBuffer) -> int:
        try:
            return int(self._reader.readinto(into))
        except self._error as error:
            raise EOFError(str(error)) from None

    def close(self) -> None:
        self._reader.close()
        super().close()


def _zstandard(path: str) -> Any:
    try:
        import zstandard
    except ImportError:
        reason = "zstd needs the package zstandard: install clasp-journal[zstd]"
        raise JournalUnavailable(reason, path=path, operation="open") from None
    return zstandard
