"""What an operator should know of a configuration that can be read: what hinders it, what has no effect."""

from __future__ import annotations

from collections.abc import Iterator

from clasp_journal.rules import Rules
from router.auth.store import StoreError, read
from router.config import RouterConfig
from router.network import make_certificates
from router.transports.tls import CertificateError


def hindrances(config: RouterConfig) -> Iterator[str]:
    """Which of the files that are read at the start cannot be used."""
    try:
        make_certificates(config)
    except CertificateError as fault:
        yield f"the certificate cannot be used: {fault}"
    if config.auth != "none":
        try:
            read(config.auth)
        except OSError as fault:
            yield f"{config.auth}: {fault.strerror}"
        except StoreError as fault:
            yield str(fault)


def inapplicable(config: RouterConfig) -> Iterator[str]:
    """Which settings have no effect beside the others."""
    if str(config.retain) != "all" and config.backend != "sqlite":
        yield f"retain does not apply: the journal is {config.journal}"
    if config.rules and config.backend == "none":
        yield "rules do not apply: the journal is none"
    elif Rules(config.rules).thin and config.backend != "sqlite":
        yield f"of the rules only never and keep apply: the journal is {config.journal}"
    if config.mirror != "none" and config.backend != "sqlite":
        yield f"mirror does not apply: the journal is {config.journal}"
