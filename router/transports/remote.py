"""Who is at the other end of a socket, as far as the kernel knows."""

from __future__ import annotations

import socket
from ipaddress import IPv6Address, ip_address
from typing import NamedTuple

from router.core.households import household_of


class Remote(NamedTuple):
    """The far end of a socket."""

    shown: str
    """For the log: address and port."""
    host: str
    is_loopback: bool
    counted: str | None
    """Under what its connections are counted: its household; None for those of this machine, behind whom a
    proxy may bring everybody."""


def remote_of(connected: socket.socket) -> Remote:
    """Who this socket is connected to."""
    try:
        host, port, *_ = connected.getpeername()
    except OSError:
        return Remote("gone", "gone", False, None)
    return remote_at(host, port)


def remote_at(host: str, port: int) -> Remote:
    """Who is at an address, in the kernel's words."""
    address = ip_address(host.partition("%")[0])
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    shown = f"[{address}]" if address.version == 6 else str(address)
    is_loopback = address.is_loopback
    return Remote(f"{shown}:{port}", shown, is_loopback, None if is_loopback else household_of(address))
