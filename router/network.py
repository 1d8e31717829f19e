"""What a configuration means for the network: who is let in, by which certificate, and what is risky."""

from __future__ import annotations

from collections.abc import Iterator

from router.config import RouterConfig
from router.transports.guard import ANY_ORIGIN, NULL_ORIGIN, Guard, host_of, is_this_machine
from router.transports.tls import CertificateError, Certificates, TlsFiles


def make_guard(config: RouterConfig) -> Guard:
    """Who may speak to the port. Where everybody has to show a token, programs need no Origin."""
    name = host_of(str(config.listen))
    names = config.allow_host if name is None else (*config.allow_host, name)
    lets_programs_in = config.allow_native or config.auth != "none"
    return Guard(config.allow_origin, names, lets_programs_in=lets_programs_in)


def make_certificates(config: RouterConfig) -> Certificates | None:
    """The TLS side, if there is one; `CertificateError` if its files cannot be used."""
    if config.cert == "none":
        if (config.key, config.client_ca) != ("none", "none"):
            raise CertificateError("key and client-ca are for TLS, and there is no cert")
        return None
    key = None if config.key == "none" else config.key
    client_ca = None if config.client_ca == "none" else config.client_ca
    return Certificates(TlsFiles(config.cert, key, client_ca))


def risks(config: RouterConfig) -> Iterator[str]:
    """What an operator should know of who is let in, a sentence each."""
    yield from _risky_origins(config)
    if is_this_machine(host_of(str(config.listen)) or ""):
        return
    if config.auth == "none":
        yield f"listening on {config.listen} without tokens: {_who_comes_in(config)}"
    elif config.cert == "none":
        yield f"listening on {config.listen} without TLS: tokens and values can be read on the way"
    if not config.allow_origin:
        yield (
            "the list of Origins is empty: every page that comes from a host by whose name this router is "
            "reached is let in, from whichever port; no other is, see --allow-origin"
        )


def _risky_origins(config: RouterConfig) -> Iterator[str]:
    """Pages come by way of a browser on this machine, too, wherever the router listens."""
    if ANY_ORIGIN in config.allow_origin:
        yield "--allow-origin '*': any page that a browser in this network shows is let in"
    elif NULL_ORIGIN in config.allow_origin:
        yield "--allow-origin null: any page can call itself that, and is let in"


def _who_comes_in(config: RouterConfig) -> str:
    them = "whoever reaches this port"
    if "none" not in (config.cert, config.client_ca):
        them = f"whoever has a certificate of {config.client_ca}"
    turned_away = "" if config.allow_native else "; only foreign pages and programs without an Origin are not"
    return f"{them} is let in, and can read and write everything{turned_away}"
