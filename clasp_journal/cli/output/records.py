"""What entries, params and authors look like as results, and the columns in which tables show them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from clasp_journal.cli.output.cells import Column
from clasp_journal.entry import JournalEntry, ParamSnapshot
from clasp_journal.jsonl import json_of, object_of

ENTRY_COLUMNS = (
    Column("seq", "SEQ", "id", "dim"),
    Column("timestamp", "TIME", "time", "cyan"),
    Column("time"),
    Column("op", "OP", style="dim", is_minor=True),
    Column("signal", "SIGNAL", style="dim", is_minor=True),
    Column("address", "ADDRESS", style="bold"),
    Column("value", "VALUE", "value"),
    Column("revision", "REV", "id", "dim", is_minor=True),
    Column("author", "AUTHOR", "author", style="blue"),
)
HISTORY_COLUMNS = tuple(column for column in ENTRY_COLUMNS if column.key != "address")
PARAM_COLUMNS = (
    Column("address", "ADDRESS", style="bold"),
    Column("value", "VALUE", "value"),
    Column("revision", "REV", "id", "dim", is_minor=True),
    Column("timestamp", "SINCE", "time", "cyan"),
    Column("time"),
    Column("author", "AUTHOR", style="blue"),
)


SPAN_COLUMNS = (
    Column("first_timestamp", "FIRST", "time", "cyan"),
    Column("last_timestamp", "LAST", "time", "cyan"),
    Column("first"),
    Column("last"),
)
WHO_COLUMNS = (
    Column("author", "AUTHOR", style="bold"),
    Column("names", "NAMES", style="blue"),
    Column("entries", "ENTRIES", "number"),
    Column("sets", "SETS", "number", is_minor=True),
    Column("publishes", "PUBLISHES", "number", is_minor=True),
    Column("addresses", "ADDRESSES", "number", is_minor=True),
    *SPAN_COLUMNS,
)


def entry_record(entry: JournalEntry, shown: Callable[[int], str]) -> dict[str, Any]:
    """The record of an entry."""
    return object_of(entry, shown)


def param_record(param: ParamSnapshot, shown: Callable[[int], str]) -> dict[str, Any]:
    """The record of a param as it was at some instant; `author` is who wrote it, `time` when."""
    record = {
        "address": param.address,
        "value": json_of(param.value),
        "revision": param.revision,
        "timestamp": param.timestamp,
        "time": shown(param.timestamp),
        "author": param.writer,
    }
    if param.ttl is not None:
        record["ttl"] = param.ttl
    return record


def span_record(first_us: int, last_us: int, shown: Callable[[int], str]) -> dict[str, Any]:
    """What a record says of something that happened more than once: the first and the last time."""
    return {
        "first_timestamp": first_us,
        "last_timestamp": last_us,
        "first": shown(first_us),
        "last": shown(last_us),
    }
