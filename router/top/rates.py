"""What two overviews say together: how much there is per second. Pure.

Law: a rate is never negative; a router that has begun anew in between, or a session that is new, has none.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_US_PER_S = 1_000_000
_COUNTS = ("messages", "deliveries", "errors")
_CLIENT_COUNTS = ("received_bytes", "sent_bytes")


def with_rates(now: Mapping[str, Any], before: Mapping[str, Any] | None) -> dict[str, Any]:
    """An overview, and beside each count its rate as `…_per_s`; None where it is not known."""
    span_s = 0.0 if before is None else (now["now_us"] - before["now_us"]) / _US_PER_S
    known = {} if before is None else {client["session"]: client for client in before["clients"]}
    found = dict(now) | _rates(now, before, _COUNTS, span_s)
    found["clients"] = [
        dict(client) | _rates(client, known.get(client["session"]), _CLIENT_COUNTS, span_s)
        for client in now["clients"]
    ]
    if now["journal"] is not None:
        earlier = None if before is None else before["journal"]
        found["journal"] = dict(now["journal"]) | _rates(now["journal"], earlier, ("latest_seq",), span_s)
    return found


def _rates(
    now: Mapping[str, Any], before: Mapping[str, Any] | None, counts: tuple[str, ...], span_s: float
) -> dict[str, float | None]:
    rates: dict[str, float | None] = {}
    for count in counts:
        grown = -1 if before is None else now[count] - before[count]
        rates[f"{count}_per_s"] = round(grown / span_s, 1) if grown >= 0 and span_s > 0 else None
    return rates
