"""The certificates of a door, and what is shown to the next who knocks.

Law: a context that is in use is never changed. New files make a new one, for new connections; files that
cannot be used change nothing.
"""

from __future__ import annotations

import ssl
from typing import NamedTuple


class CertificateError(Exception):
    """The files are no certificate with its key, or no certificates of clients' authorities."""


class TlsFiles(NamedTuple):
    """PEM files."""

    cert: str
    key: str | None = None
    """None if the key stands in the file of the certificate."""
    client_ca: str | None = None
    """Who has to have signed the certificate of each client; None asks for none."""


class Certificates:
    """The TLS side of a door."""

    def __init__(self, files: TlsFiles) -> None:
        self._files = files
        self.context = _load(files)
        """For the next connection."""

    def reload(self) -> None:
        """Read the files again; `CertificateError` if they cannot be used, and then all is as it was."""
        self.context = _load(self._files)


def _load(files: TlsFiles) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(files.cert, files.key, password=_ask_nobody)
    except (OSError, ValueError) as error:
        named = files.cert if files.key is None else f"{files.cert} with {files.key}"
        raise CertificateError(f"{named}: {_reason(error)}") from error
    if files.client_ca is not None:
        try:
            context.load_verify_locations(files.client_ca)
        except (OSError, ValueError) as error:
            raise CertificateError(f"{files.client_ca}: {_reason(error)}") from error
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def _ask_nobody() -> str:
    """Without this OpenSSL asks on the terminal, and a daemon would wait for ever."""
    raise ValueError("the key is encrypted; this router takes one without a passphrase")


def _reason(error: Exception) -> str:
    if isinstance(error, ssl.SSLError):
        return (error.reason or "no certificate or key in PEM").lower().replace("_", " ")
    return (isinstance(error, OSError) and error.strerror) or str(error)
