"""Tokens in a file, as a test wants them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from router.auth.store import changing
from router.auth.tokens import TokenRecord, check_scopes, hash_of, new_token


class Keys:
    """A file of tokens, changed as the command would change it."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "tokens.toml"
        self._hashes: dict[str, str] = {}
        with changing(self.path, make=True):
            pass

    def make(self, subject: str, *scopes: str, lasts_s: float | None = None, token: str = "") -> str:
        """A token for somebody."""
        token = token or new_token()
        with changing(self.path) as records:
            records.append(self._record(token, subject, scopes, lasts_s))
        return token

    def make_all(self, scopes: Mapping[str, Sequence[str]]) -> dict[str, str]:
        """A token for each subject."""
        tokens = {subject: new_token() for subject in scopes}
        with changing(self.path) as records:
            records += [
                self._record(tokens[subject], subject, held, None) for subject, held in scopes.items()
            ]
        return tokens

    def revoke(self, subject: str) -> None:
        """It is not valid any more."""
        self._change(subject, revoked=datetime.now(UTC))

    def rescope(self, subject: str, *scopes: str) -> None:
        """It opens something else now."""
        self._change(subject, scopes=check_scopes(list(scopes)))

    def remove(self, subject: str) -> None:
        """It is gone from the file."""
        with changing(self.path) as records:
            records[:] = [record for record in records if record.hash != self._hashes[subject]]

    def _record(self, token: str, subject: str, scopes: Sequence[str], lasts_s: float | None) -> TokenRecord:
        now = datetime.now(UTC)
        end = None if lasts_s is None else now + timedelta(seconds=lasts_s)
        self._hashes[subject] = hash_of(token)
        return TokenRecord(hash_of(token), subject, check_scopes(list(scopes)), now, end)

    def _change(self, subject: str, **fields: object) -> None:
        with changing(self.path) as records:
            for at, record in enumerate(records):
                if record.hash == self._hashes[subject]:
                    records[at] = replace(record, **fields)  # type: ignore[arg-type]
