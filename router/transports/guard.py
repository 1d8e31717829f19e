"""Who may speak to the port at all: the check of Host and Origin, before anybody has said who they are. Pure.

A browser carries the wishes of whatever page it shows, from inside the network, and says truly where that
page came from (`Origin`) and which name it asked for (`Host`). Other programs may say what they like. Laws:

* A Host is an address in digits, `localhost`, or a name this router was told to go by. Else it is a name
  whose owner points it here (DNS rebinding), and the page behind it would pass for our own.
* An Origin is of the same host (all names of this machine are one) or listed; `null` only if listed.
* Who has no Origin is no page, and gets a WebSocket if it comes from this machine, if tokens are demanded of
  everybody, or if programs of other machines are let in. A plain request gets its answer.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import NamedTuple
from urllib.parse import urlsplit

ANY_ORIGIN = "*"
NULL_ORIGIN = "null"

_LOCALHOST = "localhost"
_PORTS = {"http": 80, "https": 443}
_NAME = re.compile(r"[a-z0-9_]([a-z0-9_.-]{0,252}[a-z0-9_])?\.?")
_HOST = re.compile(r"(?:\[(?P<v6>[0-9A-Fa-f:.]+(?:%\w+)?)\]|(?P<name>[^\s:/@?#\[\]]+))(?::\d{0,5})?")


class Caller(NamedTuple):
    """What a request says of itself, and where it really comes from."""

    host: str | None
    origin: str | None
    is_loopback: bool


class Guard:
    """The rules of one door."""

    def __init__(
        self,
        origins: tuple[str, ...] = (),
        names: tuple[str, ...] = (),
        *,
        lets_programs_in: bool = False,
    ) -> None:
        """Origins as `parse_origin` gives them, names as `parse_host_name` does."""
        self._origins = frozenset(origins)
        self._names = frozenset(names)
        self._lets_programs_in = lets_programs_in

    def fault_of_upgrade(self, caller: Caller) -> str | None:
        """Why this one gets no WebSocket; None if it does."""
        fault = self.fault_of_request(caller)
        if fault is None and caller.origin is None and not (caller.is_loopback or self._lets_programs_in):
            return "programs of other machines need a token here, or --allow-native"
        return fault

    def fault_of_request(self, caller: Caller) -> str | None:
        """Why this one gets no answer at all; None if it does."""
        name = None
        if caller.host is not None:
            name = host_of(caller.host)
            if name is None:
                return "the Host is none"
            if not self._goes_by(name):
                return "this router does not go by the name in Host; see --allow-host"
        if caller.origin is not None and not self._welcomes(caller.origin, name):
            return "pages of this Origin are not let in; see --allow-origin"
        return None

    def _goes_by(self, name: str) -> bool:
        return name in self._names or name == _LOCALHOST or _address_of(name) is not None

    def _welcomes(self, origin: str, name: str | None) -> bool:
        if ANY_ORIGIN in self._origins:
            return True
        try:
            said = parse_origin(origin)
        except ValueError:
            return False
        if said in self._origins:
            return True
        return said != NULL_ORIGIN and name is not None and _is_same(host_of(urlsplit(said).netloc), name)


def host_of(text: str) -> str | None:
    """The host of `HOST` or `HOST:PORT`, as a name in lower case or an address in its usual form."""
    match = _HOST.fullmatch(text)
    if match is None:
        return None
    if match["v6"] is not None:
        address = _address_of(match["v6"])
        return str(address) if isinstance(address, IPv6Address) else None
    return match["name"].lower().removesuffix(".")


def parse_host_name(text: str) -> str:
    """A name that a router goes by."""
    name = text.strip().lower()
    if not _NAME.fullmatch(name):
        raise ValueError(f"{text!r} is no name of a machine like stage.local")
    return name.removesuffix(".")


def parse_origin(text: str) -> str:
    """Where pages come from, in one form: `https://desk.example`, a port only if it is not the usual one."""
    text = text.strip().lower()
    if text in (ANY_ORIGIN, NULL_ORIGIN):
        return text
    wrong = ValueError(f"{text!r} is no origin like https://desk.example or http://10.0.0.5:8080")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise wrong from None
    host = host_of(parts.netloc)
    if not parts.scheme or host is None or parts.path or parts.query or parts.fragment:
        raise wrong
    shown = f"[{host}]" if ":" in host else host
    usual = port is None or port == _PORTS.get(parts.scheme)
    return f"{parts.scheme}://{shown}" if usual else f"{parts.scheme}://{shown}:{port}"


def is_this_machine(host: str) -> bool:
    """Whether a host in the form of `host_of` is this machine to itself."""
    address = _address_of(host)
    return host == _LOCALHOST if address is None else address.is_loopback


def _is_same(one: str | None, other: str) -> bool:
    return one is not None and (one == other or (is_this_machine(one) and is_this_machine(other)))


def _address_of(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None
