"""The file of tokens: TOML that people may read, with nothing in it that opens a door.

    [[token]]
    hash = "…"                      # SHA-256 of the token
    subject = "desk"
    scopes = ["read:/lights/**"]
    created = 2026-01-01T12:00:00Z
    expires = 2026-02-01T12:00:00Z  # perhaps
    revoked = 2026-01-15T12:00:00Z  # perhaps

Laws: a file is replaced as a whole or not at all; its owner may read it, and whoever might before, since one
of them may be the router, which would not hear of what is revoked; who changes it holds a lock on its folder;
what is not understood is refused, with the token it is about.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import stat
import tempfile
import tomllib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from router.auth.tokens import TokenRecord, check_scopes, check_subject

_HASH = re.compile(r"[0-9a-f]{64}")
_KEYS = ("hash", "subject", "scopes", "created", "expires", "revoked")
_OPTIONAL = ("expires", "revoked")
_HEADER = "# Tokens of clasp-router: hashes only. `clasp-router token` writes this file, without comments.\n"


class StoreError(ValueError):
    """The file is there and is not what it should be."""


def read(path: str | Path) -> list[TokenRecord]:
    """All tokens of a file. `OSError` if it cannot be read, `StoreError` if it makes no sense."""
    text = Path(path).read_text(encoding="utf-8", errors="surrogateescape")
    try:
        table = tomllib.loads(text)
        rows = table.pop("token", [])
        if table or not isinstance(rows, list):
            raise ValueError("it holds something else than [[token]]")
        records = [_record(row, number) for number, row in enumerate(rows, 1)]
        if len({record.hash for record in records}) < len(records):
            raise ValueError("one token stands in it twice")
    except (ValueError, RecursionError) as fault:
        raise StoreError(f"{path} is no file of tokens: {fault}") from None
    return records


@contextmanager
def changing(path: str | Path, *, make: bool = False) -> Iterator[list[TokenRecord]]:
    """The tokens of a file, to be changed in place; they are written if nothing was raised.

    Where there is no file, it begins with none if one is to be made; otherwise `FileNotFoundError`.
    """
    target = Path(os.path.realpath(path))
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        records = [] if make and not target.exists() else read(target)
        yield records
        _replace(target, format_records(records))
        os.fsync(folder)
    finally:
        os.close(folder)


def format_records(records: Iterable[TokenRecord]) -> str:
    """The text that `read` reads."""
    return _HEADER + "".join(f"\n[[token]]\n{_lines(record)}" for record in records)


def _lines(record: TokenRecord) -> str:
    values = {
        "hash": _quoted(record.hash),
        "subject": _quoted(record.subject),
        "scopes": f"[{', '.join(_quoted(str(scope)) for scope in record.scopes)}]",
        "created": _written(record.created),
        "expires": _written(record.expires),
        "revoked": _written(record.revoked),
    }
    return "".join(f"{key} = {text}\n" for key, text in values.items() if text)


def _quoted(text: str) -> str:
    """JSON is TOML here, but for the one control character that JSON lets pass."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007F")


def _written(time: datetime | None) -> str:
    return "" if time is None else time.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"


def _record(row: Any, number: int) -> TokenRecord:
    try:
        if not isinstance(row, dict):
            raise ValueError("it is no table")
        for key in row:
            if key not in _KEYS:
                raise ValueError(f"there is no key {key!r}")
        for key in _KEYS:
            if key not in row and key not in _OPTIONAL:
                raise ValueError(f"{key} is missing")
        scopes = row["scopes"]
        if not isinstance(scopes, list) or not all(isinstance(scope, str) for scope in scopes):
            raise ValueError("scopes is no list of texts")
        return TokenRecord(
            _hash(row["hash"]),
            _subject(row["subject"]),
            check_scopes(scopes),
            *(_time(row.get(key), key) for key in ("created", *_OPTIONAL)),  # type: ignore[arg-type]
        )
    except ValueError as fault:
        raise ValueError(f"token {number}: {fault}") from None


def _hash(found: Any) -> str:
    if not isinstance(found, str) or not _HASH.fullmatch(found):
        raise ValueError("hash is no SHA-256 in 64 hexadecimal digits")
    return found


def _subject(found: Any) -> str:
    if not isinstance(found, str):
        raise ValueError("subject is no text")
    return check_subject(found)


def _time(found: Any, key: str) -> datetime | None:
    if found is None:
        return None
    if not isinstance(found, datetime):
        raise ValueError(f"{key} is no time like 2026-01-01T12:00:00Z")
    try:
        return found.astimezone(UTC) if found.tzinfo is not None else found.replace(tzinfo=UTC)
    except OverflowError:
        raise ValueError(f"{key} is at the end of time, or before its beginning") from None


def _replace(target: Path, text: str) -> None:
    # A temporary file can be read by its owner alone.
    handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            _pass_on(target, file.fileno())
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except BaseException:
        os.unlink(temporary)
        raise


def _pass_on(target: Path, handle: int) -> None:
    """Who could read the file before can read it after, whoever has changed it: that is the router. What root
    makes belongs to whom the folder belongs to."""
    made = os.fstat(handle)
    is_new = not target.exists()
    before = os.stat(target.parent if is_new else target)
    if (before.st_uid, before.st_gid) != (made.st_uid, made.st_gid) and (not is_new or not made.st_uid):
        os.fchown(handle, before.st_uid, before.st_gid)
    shared = 0 if is_new else before.st_mode & (stat.S_IRGRP | stat.S_IROTH)
    os.fchmod(handle, stat.S_IRUSR | stat.S_IWUSR | shared)
