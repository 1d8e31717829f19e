"""Looking once, or again and again, on a terminal or into a pipe.

Law: a router that goes away is waited for on a terminal; one that refuses to show them ends it.
"""

from __future__ import annotations

import json
import time
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.text import Text

from router.top.asking import Asked, NoAnswer
from router.top.rates import with_rates
from router.top.view import draw


def look_once(asked: Asked, show: str) -> None:
    """One look, without rates."""
    seen = with_rates(asked.overview(), None)
    if show == "table":
        console = Console()
        console.print(draw(seen, asked.url, len(seen["clients"]) + console.height))
    else:
        print(json.dumps(seen))


def stream(asked: Asked, every_s: float) -> None:
    """One line of JSON per look."""
    before: dict[str, Any] | None = None
    while True:
        now = asked.overview()
        print(json.dumps(with_rates(now, before)), flush=True)
        before = now
        time.sleep(every_s)


def watch(asked: Asked, every_s: float) -> None:
    """A screen that is drawn anew with each look."""
    before: dict[str, Any] | None = None
    console = Console()
    now = asked.overview()
    with Live(console=console, screen=True, auto_refresh=False) as live:
        while True:
            live.update(draw(with_rates(now, before), asked.url, console.height), refresh=True)
            time.sleep(every_s)
            before, now = now, _ask_until_there(asked, live, every_s)


def _ask_until_there(asked: Asked, live: Live, every_s: float) -> dict[str, Any]:
    while True:
        try:
            return asked.overview()
        except NoAnswer as fault:
            if fault.is_forbidden:
                raise
            live.update(Text(str(fault), "bold red"), refresh=True)
        time.sleep(every_s)
