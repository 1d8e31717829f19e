"""Whom to count as one, where what comes from an address is limited.

Law: an IPv6 /64 is one household, since whoever has one of its addresses has all; so is each IPv4 address.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

HOUSE_BITS = 64


def household(host: str) -> str:
    """The household of a host as doors name it; of what is no address, itself."""
    try:
        return household_of(ip_address(host.strip("[]")))
    except ValueError:
        return host


def household_of(address: IPv4Address | IPv6Address) -> str:
    """The household of an address."""
    if isinstance(address, IPv6Address):
        return str(IPv6Network((int(address), HOUSE_BITS), strict=False))
    return str(address)
