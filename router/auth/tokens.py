"""A token, and what is kept of it: who it stands for, what it opens and for how long.

Law: of the token itself only a hash is kept, from which it cannot be had back. Tokens are long and random, so
the hash needs no salt, and whoever looks one up by it learns nothing from the time that takes.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime

from router.core.access import Scope

PREFIX = "cpsk_"
"""What tokens begin with that published clients carry; any other text is a token too."""
SECRET_BYTES = 16
ID_DIGITS = 12
SUBJECT_MAX_BYTES = 255
SCOPES_MAX = 100
"""For one token; each is asked when a right is looked for."""


@dataclass(frozen=True, slots=True)
class TokenRecord:
    """What is kept of one token."""

    hash: str
    """SHA-256 in hexadecimal."""
    subject: str
    scopes: tuple[Scope, ...]
    created: datetime
    expires: datetime | None = None
    revoked: datetime | None = None

    @property
    def id(self) -> str:
        """What people call it; it gives nothing away."""
        return self.hash[:ID_DIGITS]

    @property
    def expires_us(self) -> int | None:
        """When it ends by itself, on the router's clock."""
        return None if self.expires is None else round(self.expires.timestamp() * 1_000_000)

    def is_expired(self, now_us: int) -> bool:
        """Whether its time is over."""
        expires_us = self.expires_us
        return expires_us is not None and expires_us <= now_us

    def status(self, now_us: int) -> str:
        """What has become of it, in one word."""
        if self.revoked is not None:
            return "revoked"
        return "expired" if self.is_expired(now_us) else "valid"


def new_token() -> str:
    """A token that nobody has had before."""
    return PREFIX + secrets.token_hex(SECRET_BYTES)


def hash_of(token: str) -> str:
    """The hash of a token, which is all that is kept of it."""
    return hashlib.sha256(token.encode()).hexdigest()


def check_subject(subject: str) -> str:
    """The subject itself; `ValueError` if it cannot stand in entries."""
    if not subject.isprintable() or not 0 < len(subject.encode()) <= SUBJECT_MAX_BYTES:
        raise ValueError(
            f"{subject!r} is no subject: 1 to {SUBJECT_MAX_BYTES} bytes without control characters, like desk"
        )
    return subject


def check_scopes(texts: list[str]) -> tuple[Scope, ...]:
    """The scopes that texts spell, each once; `ValueError` if there are none or too many."""
    scopes = tuple(dict.fromkeys(Scope.parse(text) for text in texts))
    if not 0 < len(scopes) <= SCOPES_MAX:
        raise ValueError(f"a token has 1 to {SCOPES_MAX} scopes, like read:/lights/**; not {len(scopes)}")
    return scopes
