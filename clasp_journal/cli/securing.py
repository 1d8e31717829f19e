"""The files by which the tool and a router know each other over wss://, from flags or variables."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from typing import NamedTuple

from clasp_journal.cli.exits import Ending, Exit

AUTHORITY_VARIABLE, CERTIFICATE_VARIABLE, KEY_VARIABLE = "CLASP_CA", "CLASP_CERT", "CLASP_KEY"


class TlsFiles(NamedTuple):
    """Files in PEM."""

    ca: str | None = None
    """The authority to trust, besides those of the system."""
    cert: str | None = None
    """What is shown to a router that asks for a certificate."""
    key: str | None = None
    """None if it stands in the same file."""

    def or_from(self, environment: Mapping[str, str]) -> TlsFiles:
        """What was not given is taken from variables; a certificate and its key only together."""
        ca = self.ca or environment.get(AUTHORITY_VARIABLE)
        if self.cert or self.key:
            return self._replace(ca=ca)
        return TlsFiles(ca, environment.get(CERTIFICATE_VARIABLE), environment.get(KEY_VARIABLE))

    def context(self) -> ssl.SSLContext | None:
        """What a connection is made with; None if nothing was given."""
        if self == NO_FILES:
            return None
        from router.client.tls import WrongFiles, client_context

        try:
            return client_context(*self)
        except WrongFiles as fault:
            raise Ending(Exit.USAGE, str(fault)) from fault


NO_FILES = TlsFiles()
