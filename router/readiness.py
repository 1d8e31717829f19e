"""Asking the router that some settings describe, on this machine, whether it takes work: for health checks.

Law: what it learns is one sentence, and nothing secret is sent. So nobody judges the certificate that is
shown: it names the hosts by which clients come, and this asks the machine itself.
"""

from __future__ import annotations

import http.client
import ssl
from typing import NamedTuple

from router.config import RouterConfig
from router.quantities import Address

PATH = "/readyz"
TIMEOUT_S = 2.0
_SAID_MAX_BYTES = 1_000
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}


class Readiness(NamedTuple):
    """What was found out: whether the router takes work, and a sentence about it."""

    is_ready: bool
    told: str


def ask(config: RouterConfig) -> Readiness:
    """Whether the router with these settings is there, and takes work."""
    host, port = config.listen
    place = Address(_EVERYWHERE.get(host, host), port)
    if not port:
        return Readiness(False, "with port 0 nobody knows beforehand where it listens")
    try:
        connection = _connection(config, place)
        try:
            connection.request("GET", PATH)
            answer = connection.getresponse()
            said = answer.read(_SAID_MAX_BYTES).decode(errors="replace").strip()
        finally:
            connection.close()
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        return Readiness(False, f"{place} does not answer: {reason}")
    return Readiness(answer.status == http.client.OK, f"{place}: {said}")


def _connection(config: RouterConfig, place: Address) -> http.client.HTTPConnection:
    if config.cert == "none":
        return http.client.HTTPConnection(*place, timeout=TIMEOUT_S)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if config.client_ca != "none":
        # The router demands a certificate of clients; its own is the only one at hand.
        context.load_cert_chain(config.cert, None if config.key == "none" else config.key)
    return http.client.HTTPSConnection(*place, timeout=TIMEOUT_S, context=context)
