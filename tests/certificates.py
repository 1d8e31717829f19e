"""Certificates for tests: an authority and what it signs, made by openssl in the folder of the test."""

import subprocess
from pathlib import Path
from typing import NamedTuple

from tests.conftest import require_tool


class Issued(NamedTuple):
    """A certificate with its key, both in PEM."""

    cert: str
    key: str


class Authority:
    """Signs certificates for `localhost` and 127.0.0.1; who trusts `ca` trusts them."""

    def __init__(self, folder: Path, name: str = "crew") -> None:
        self._folder = folder
        self._name = name
        self.ca = str(folder / f"{name}.pem")
        self._key = str(folder / f"{name}.key")
        self._make(self.ca, self._key, name, "basicConstraints=critical,CA:TRUE")

    def issue(self, name: str) -> Issued:
        """A certificate signed by this authority."""
        issued = Issued(str(self._folder / f"{name}.pem"), str(self._folder / f"{name}.key"))
        self._make(*issued, name, "subjectAltName=DNS:localhost,IP:127.0.0.1", by=self)
        return issued

    def _make(self, cert: str, key: str, name: str, extension: str, by: "Authority | None" = None) -> None:
        openssl = require_tool("openssl", "apt-get install openssl")
        signed = ("-CA", by.ca, "-CAkey", by._key) if by else ()
        curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
        subject = ("-subj", f"/CN={name}", "-addext", extension)
        subprocess.run(
            (*(openssl, "req", "-x509"), *curve, *signed, "-keyout", key, "-out", cert, *subject),
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
