"""An overview on a terminal: three lines about the router, then its clients, the slowest first.

Law: what a client calls itself is shown as text, whatever is in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Group
from rich.table import Table
from rich.text import Text

from router.quantities import format_size
from router.top.plain import plain

_US_PER_S = 1_000_000
_GAP = " · "
_OTHER_LINES = 6
"""What a screen needs besides the rows of clients."""


def draw(seen: Mapping[str, Any], url: str, height: int) -> Group:
    """All of it, in so many lines."""
    state = Text("ready", "green") if seen["unready"] is None else Text(plain(seen["unready"]), "bold red")
    head = Text.assemble((plain(seen["name"]), "bold"), f"  {url}  ", state)
    parts = [f"{seen[what]:,} {what}" for what in ("sessions", "subscriptions", "params")]
    parts += [f"{what} {_rate(seen[f'{what}_per_s'])}" for what in ("messages", "deliveries", "errors")]
    return Group(head, Text(_GAP.join(parts)), _journal(seen), _clients(seen, max(1, height - _OTHER_LINES)))


def _journal(seen: Mapping[str, Any]) -> Text:
    journal = seen["journal"]
    if journal is None:
        return Text("no journal", "yellow")
    age_s = max(0, seen["now_us"] - journal["snapshot_us"]) // _US_PER_S
    parts = [
        f"journal {journal['oldest_seq']:,}–{journal['latest_seq']:,} ({_rate(journal['latest_seq_per_s'])})",
        f"{format_size(journal['file_bytes'])} + WAL {format_size(journal['wal_bytes'])}",
        f"backlog {format_size(journal['backlog_bytes'])}",
        f"snapshot {age_s:,} s ago",
    ]
    text = Text(_GAP.join(parts))
    if journal["trouble"] is not None:
        text.append(f" · {plain(journal['trouble'])}", "bold red")
    return text


def _clients(seen: Mapping[str, Any], rows: int) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", expand=True)
    table.add_column("client", ratio=3, no_wrap=True)
    table.add_column("from", ratio=2, no_wrap=True)
    for name in ("subs", "in/s", "out/s", "waiting", "lost"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("state", ratio=2, no_wrap=True)
    for client in seen["clients"][:rows]:
        table.add_row(
            Text(plain(client["name"] or client["session"])),
            Text(plain(client["address"])),
            f"{client['subscriptions']:,}",
            _bytes(client["received_bytes_per_s"]),
            _bytes(client["sent_bytes_per_s"]),
            format_size(client["waiting_bytes"]),
            f"{client['conflated'] + client['dropped']:,}",
            _state(client),
        )
    return table


def _state(client: Mapping[str, Any]) -> Text:
    if client["is_slow"]:
        return Text("slow", "bold yellow")
    if client["not_read"]:
        return Text("waits for " + plain(", ".join(client["not_read"])), "yellow")
    return Text("", "green")


def _rate(per_s: float | None) -> str:
    return "–" if per_s is None else f"{per_s:,.0f}/s"


def _bytes(per_s: float | None) -> str:
    return "–" if per_s is None else format_size(round(per_s))
