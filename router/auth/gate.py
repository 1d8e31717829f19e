"""The gate of a router with tokens: which rights a token gives, and how they follow the file.

Laws: no token is kept, logged or told, only looked up by its hash; a file that cannot be read changes
nothing, nor does one that is just being written; a token that is gone from the file is as one that was
revoked.
"""

from __future__ import annotations

import logging
import os
import stat
import time
from pathlib import Path
from typing import NamedTuple

from router.auth.guesses import Guesses
from router.auth.store import StoreError, read
from router.auth.tokens import TokenRecord, hash_of
from router.core.access import Access
from router.core.limits import Limits
from router.core.refusal import Refusal
from router.wire.codes import ErrorCode

log = logging.getLogger("router.auth")

REST_S = 0.1
"""How long a file has to stay as it was read before it takes effect."""

_Fingerprint = tuple[int, int, int]


class _Known(NamedTuple):
    record: TokenRecord
    access: Access


class TokenGate:
    """Knows the tokens of one file. See `router.core.access.Gate` for who calls what."""

    def __init__(self, path: str | Path, limits: Limits) -> None:
        """`OSError` if there is no such file, `StoreError` if it is no file of tokens."""
        self._path = Path(path)
        self._guesses = Guesses(limits)
        self._by_hash: dict[str, _Known] = {}
        self._fingerprint: _Fingerprint | None = self._take_fingerprint()
        self._found: list[TokenRecord] | None = None
        self._complaint = ""
        self._adopt(read(self._path))
        if os.stat(self._path).st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            log.warning("others may write %s, and so make tokens: chmod 600 it", self._path)

    def admit(self, token: str, host: str, now: int) -> Access:
        """The rights that a token gives; `Refusal` if it gives none."""
        if self._guesses.is_over(host, now):
            raise Refusal(ErrorCode.TOO_MANY, "too many wrong tokens came from this address; wait a minute")
        if not token:
            raise Refusal(ErrorCode.UNAUTHORIZED, "this router asks for a token")
        token_hash = hash_of(token)
        known = self._by_hash.get(token_hash)
        if known is None:
            self._guesses.note(host, token_hash, now)
            log.warning("a wrong token came from %s", host)
        if known is None or known.record.revoked is not None:
            raise Refusal(ErrorCode.UNAUTHORIZED, "the token is not valid here")
        if known.record.is_expired(now):
            raise Refusal(ErrorCode.TOKEN_EXPIRED, "the token has expired")
        return known.access

    def look(self) -> None:
        """Read the file again if it is another one than before."""
        try:
            fingerprint = self._take_fingerprint()
            if fingerprint == self._fingerprint:
                return
            found = read(self._path)
            time.sleep(REST_S)
            if self._take_fingerprint() != fingerprint:
                # What was read may be half of it, or nothing: the next look sees the rest.
                return
            self._fingerprint, self._found = fingerprint, found
        except (OSError, StoreError) as fault:
            self._fingerprint = None
            self._complain(str(fault))
        else:
            self._complaint = ""

    def settle(self, now: int) -> bool:
        """Let the file as it was found take effect, and end what has expired."""
        found, self._found = self._found, None
        changed = found is not None and self._adopt(found)
        for known in self._by_hash.values():
            if known.access.ended is None and known.record.is_expired(now):
                known.access.end(ErrorCode.TOKEN_EXPIRED)
                changed = True
        return changed

    def _adopt(self, records: list[TokenRecord]) -> bool:
        before, self._by_hash = self._by_hash, {}
        changed = False
        for record in records:
            known = before.pop(record.hash, None)
            if known is None:
                access = Access(record.subject, record.scopes)
            else:
                access = known.access
                if record == known.record:
                    self._by_hash[record.hash] = known
                    continue
                access.grant(record.subject, record.scopes)
            changed = True
            if record.revoked is not None:
                access.end(ErrorCode.UNAUTHORIZED)
            self._by_hash[record.hash] = _Known(record, access)
        for gone in before.values():
            gone.access.end(ErrorCode.UNAUTHORIZED)
        return changed or bool(before)

    def _take_fingerprint(self) -> _Fingerprint:
        found = os.stat(self._path)
        return found.st_mtime_ns, found.st_size, found.st_ino

    def _complain(self, complaint: str) -> None:
        """Log what is wrong with the file, once for each thing."""
        if complaint != self._complaint:
            self._complaint = complaint
            log.error("the tokens stay as they were: %s", complaint)
