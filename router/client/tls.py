"""What a client needs for wss://, from files in PEM: whom it trusts, and the certificate that it shows."""

from __future__ import annotations

import ssl


class WrongFiles(ValueError):
    """The files are no certificates, or there is no key in them."""


def client_context(ca: str | None = None, cert: str | None = None, key: str | None = None) -> ssl.SSLContext:
    """For `connect(url, ssl=…)`; raises `WrongFiles`.

    `ca` is trusted besides the authorities of the system. `cert` is shown to a router that asks for one; its
    `key` may stand in the same file.
    """
    context = ssl.create_default_context()
    if ca is not None:
        try:
            context.load_verify_locations(ca)
        except (OSError, ValueError) as error:
            raise WrongFiles(f"{ca}: {_reason(error)}") from error
    if cert is None and key is not None:
        raise WrongFiles(f"{key}: a key is of no use without its certificate")
    if cert is not None:
        try:
            context.load_cert_chain(cert, key)
        except (OSError, ValueError) as error:
            named = cert if key is None else f"{cert} with {key}"
            raise WrongFiles(f"{named}: {_reason(error)}") from error
    return context


def _reason(error: Exception) -> str:
    if isinstance(error, ssl.SSLError):
        return (error.reason or "no certificate or key in PEM").lower().replace("_", " ")
    return (isinstance(error, OSError) and error.strerror) or str(error)
