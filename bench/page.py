"""A run as people read it and as programs do: one table, or JSON with the machine it was taken on."""

import json
import os
import platform
from dataclasses import asdict
from pathlib import Path

from rich.table import Table

from bench.measure import Options, Row
from bench.servers.cores import JOURNAL_CORE, LOAD_CORE, SERVER_CORE
from bench.servers.ours import IS_COMPILED

CPU_INFO = Path("/proc/cpuinfo")


def as_table(rows: list[Row]) -> Table:
    """The rows; columns that say nothing are not there."""
    table = Table(box=None, pad_edge=False)
    columns = {
        "scenario": [row.scenario for row in rows],
        "what": [row.name for row in rows],
        "regime": [row.regime for row in rows],
        "server": [row.server for row in rows],
        "value": [format_value(row.value) for row in rows],
        "unit": [row.unit for row in rows],
        "ratio": ["" if row.ratio is None else f"{row.ratio:.2f}x" for row in rows],
        "CPU us/msg": ["" if row.cpu_us is None else f"{row.cpu_us:.2f}" for row in rows],
        "RSS MB": ["" if row.rss_bytes is None else f"{row.rss_bytes / 1e6:.0f}" for row in rows],
        "target": [row.verdict for row in rows],
        "note": [row.note for row in rows],
    }
    filled = {name: cells for name, cells in columns.items() if any(cells)}
    for name in filled:
        is_number = name in {"value", "ratio", "CPU us/msg", "RSS MB"}
        wraps = name in {"target", "note"}
        table.add_column(name, justify="right" if is_number else "left", no_wrap=not wraps)
    for cells in zip(*filled.values(), strict=True):
        table.add_row(*cells)
    return table


def format_value(value: float) -> str:
    """Thousands with commas; small numbers keep the digits that matter."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def as_json(rows: list[Row], options: Options, place: dict[str, object]) -> str:
    """The rows and the machine they were taken on, for later comparison."""
    taken_on = {**place, **asdict(options)}
    return json.dumps({"taken_on": taken_on, "rows": [asdict(row) for row in rows]}, indent=1) + "\n"


def machine() -> dict[str, object]:
    """What figures depend on, to be asked before a run."""
    return {
        "python": platform.python_version(),
        "machine": platform.machine(),
        "system": f"{platform.system()} {platform.release()}",
        "cpu": cpu_model(),
        "cores": os.cpu_count(),
        "server_core": SERVER_CORE,
        "generator_core": LOAD_CORE,
        "journal_core": JOURNAL_CORE,
        "load_before": round(os.getloadavg()[0], 2),
        "loop": "uvloop" if has_uvloop() else "asyncio",
        "router": "compiled" if IS_COMPILED else "pure Python",
    }


def cpu_model() -> str:
    """The processor's name for itself, where the system tells."""
    if CPU_INFO.exists():
        for line in CPU_INFO.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor()


def has_uvloop() -> bool:
    """Whether the router runs on uvloop here."""
    try:
        import uvloop  # noqa: F401
    except ImportError:
        return False
    return True
