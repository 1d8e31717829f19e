"""Signatures of checkpoints, so that whoever can write the file still cannot write another history.

The key is Ed25519 in a PEM file. `cryptography` is needed only where something is signed or checked.
"""

from __future__ import annotations

from typing import Any

from clasp_journal.errors import JournalUnavailable

_CONTEXT = b"clasp-journal mirror checkpoint\0"


def signed_bytes(epoch: str, seq: int, head: bytes) -> bytes:
    """What a signature is made over: where the chain stands."""
    return _CONTEXT + f"{epoch}\0{seq}\0".encode() + head


class Signer:
    """The private key of whoever writes."""

    def __init__(self, key_file: str) -> None:
        keys = _keys(key_file)
        self._key = _private(keys, key_file)
        if self._key is None:
            raise JournalUnavailable("this is no private key in PEM", path=key_file, operation="sign")

    def sign(self, message: bytes) -> str:
        """The signature, as text."""
        return str(self._key.sign(message).hex())


class Verifier:
    """The public key of whoever reads; a private one contains it."""

    def __init__(self, key_file: str) -> None:
        keys = _keys(key_file)
        private = _private(keys, key_file)
        self._key: Any = private.public_key() if private is not None else _public(keys, key_file)

    def accepts(self, signature: object, message: bytes) -> bool:
        """Whether a signature was made over these bytes with this key."""
        from cryptography.exceptions import InvalidSignature

        try:
            self._key.verify(bytes.fromhex(str(signature)), message)
        except (InvalidSignature, ValueError):
            return False
        return True


def _keys(key_file: str) -> Any:
    try:
        from cryptography.hazmat.primitives import serialization
    except ImportError:
        reason = "signatures need the package cryptography: install clasp-journal[signing]"
        raise JournalUnavailable(reason, path=key_file, operation="sign") from None
    return serialization


def _read(key_file: str) -> bytes:
    try:
        with open(key_file, "rb") as file:
            return file.read()
    except OSError as error:
        raise JournalUnavailable(str(error.strerror), path=key_file, operation="sign") from error


def _private(serialization: Any, key_file: str) -> Any:
    try:
        return _ed25519(serialization.load_pem_private_key(_read(key_file), None), key_file)
    except (ValueError, TypeError):
        return None


def _public(serialization: Any, key_file: str) -> Any:
    try:
        return _ed25519(serialization.load_pem_public_key(_read(key_file)), key_file)
    except (ValueError, TypeError):
        raise JournalUnavailable("this is no key in PEM", path=key_file, operation="sign") from None


def _ed25519(key: Any, key_file: str) -> Any:
    if "Ed25519" not in type(key).__name__:
        raise JournalUnavailable("this is no Ed25519 key", path=key_file, operation="sign")
    return key
