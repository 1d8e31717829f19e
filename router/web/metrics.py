"""Every number that a monitor can see: its name, what it is, and where it is read.

Laws: a metric is declared here and nowhere else; it is read when somebody asks, from counts that are kept
anyway, so that a router nobody watches pays nothing for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from router.recording.vitals import COMMIT_BOUNDS_S, Vitals
from router.runtime.desk import Desk
from router.web.exposition import Sample, format_metric, histogram, sample

Read = Callable[[Desk], Iterable[Sample]]

_US_PER_S = 1_000_000


class Metric(NamedTuple):
    """One number, or set of numbers, that a monitor can see; `read` gives its samples."""

    name: str
    kind: str
    help: str
    read: Read


def exposition(desk: Desk) -> str:
    """The text that a monitor reads: every metric as it is now."""
    return "".join(format_metric(m.name, m.kind, m.help, m.read(desk)) for m in METRICS)


def _one(read: Callable[[Desk], float]) -> Read:
    return lambda desk: (sample(read(desk)),)


def _messages(desk: Desk) -> Iterator[Sample]:
    tally = desk.tally
    counts = dict(sorted(tally.received.items()))
    counts["Set"] = counts.get("Set", 0) + tally.sets
    counts["Publish"] = counts.get("Publish", 0) + tally.publishes
    for kind, count in counts.items():
        yield sample(count, type=kind.lower())


def _errors(desk: Desk) -> Iterator[Sample]:
    for code, count in sorted(desk.tally.errors.items()):
        yield sample(count, code=str(code))


def _refused(desk: Desk) -> Iterator[Sample]:
    for reason, count in sorted(desk.tally.refused.items()):
        yield sample(count, reason=reason)


def _left_out(desk: Desk) -> Iterator[Sample]:
    backlogs = [link.outbox.backlog for link in desk.links if link.outbox.backlog is not None]
    tally = desk.tally
    yield sample(tally.conflated + sum(b.conflated for b in backlogs), reason="conflated")
    yield sample(tally.dropped + sum(b.dropped for b in backlogs), reason="dropped")
    yield sample(tally.paced, reason="paced")
    yield sample(tally.gestures_thinned, reason="gesture")


def _outbox_bytes(desk: Desk) -> float:
    return sum(link.outbox.waiting_bytes for link in desk.links)


def _vital(read: Callable[[Vitals], float]) -> Read:
    """How to read one of the journal's figures; no sample if there is no journal."""

    def samples(desk: Desk) -> Iterator[Sample]:
        if desk.keeping.recorder is not None:
            yield sample(read(desk.keeping.recorder.vitals))

    return samples


def _commits(desk: Desk) -> Iterator[Sample]:
    if desk.keeping.recorder is None:
        return
    vitals = desk.keeping.recorder.vitals
    for synced, commits in (("false", vitals.committed), ("true", vitals.synced)):
        yield from histogram(COMMIT_BOUNDS_S, commits.counts, commits.total_s, synced=synced)


def _snapshot_age(desk: Desk) -> Iterator[Sample]:
    recorder = desk.keeping.recorder
    if recorder is not None and recorder.vitals.snapshot_us:
        yield sample(max(0.0, (desk.clock() - recorder.vitals.snapshot_us) / _US_PER_S))


def _journal_backlog(desk: Desk) -> Iterator[Sample]:
    if desk.keeping.recorder is not None:
        yield sample(desk.keeping.recorder.backlog_bytes)


METRICS = (
    Metric(
        "clasp_up",
        "gauge",
        "1 while work can be taken, as /readyz says.",
        _one(lambda d: d.unready_reason is None),
    ),
    Metric("clasp_messages_total", "counter", "Messages of sessions that could be read, by type.", _messages),
    Metric(
        "clasp_deliveries_total",
        "counter",
        "SETs and PUBLISHes handed to readers, one for each.",
        _one(lambda d: d.tally.deliveries),
    ),
    Metric(
        "clasp_left_out_total",
        "counter",
        "Deliveries left out: for slow readers conflated or dropped, paced as asked for, moves of gestures.",
        _left_out,
    ),
    Metric("clasp_errors_total", "counter", "ERRORs answered, by code.", _errors),
    Metric(
        "clasp_refused_total",
        "counter",
        "Connections that were not let in: by their Origin or Host, or by a limit.",
        _refused,
    ),
    Metric(
        "clasp_too_slow_total",
        "counter",
        "Sessions closed because they could not take their events.",
        _one(lambda d: d.tally.too_slow),
    ),
    Metric("clasp_connections", "gauge", "Connections that speak WebSocket.", _one(lambda d: len(d.links))),
    Metric(
        "clasp_sessions",
        "gauge",
        "Sessions that have said HELLO.",
        _one(lambda d: len(d.core.ground.sessions)),
    ),
    Metric(
        "clasp_subscriptions",
        "gauge",
        "Subscriptions of all sessions.",
        _one(lambda d: d.core.ground.subscriptions.count),
    ),
    Metric("clasp_params", "gauge", "Params that have a value.", _one(lambda d: d.core.ground.topics.live)),
    Metric("clasp_outbox_bytes", "gauge", "What waits for slow readers.", _one(_outbox_bytes)),
    Metric("clasp_journal_backlog_bytes", "gauge", "What waits for the journal.", _journal_backlog),
    Metric(
        "clasp_journal_trouble",
        "gauge",
        "1 while the journal cannot write, or does not answer.",
        _one(lambda d: d.keeping.unready_reason is not None),
    ),
    Metric(
        "clasp_journal_missed_entries",
        "gauge",
        "Applied and not recorded since the trouble began.",
        _one(lambda d: d.keeping.missed),
    ),
    Metric(
        "clasp_journal_commit_seconds",
        "histogram",
        "How long appends took until they were committed, with synced=true until they were on the disk.",
        _commits,
    ),
    Metric(
        "clasp_journal_oldest_seq", "gauge", "Number of the oldest entry.", _vital(lambda v: v.oldest_seq)
    ),
    Metric(
        "clasp_journal_latest_seq", "gauge", "Number of the newest entry.", _vital(lambda v: v.latest_seq)
    ),
    Metric(
        "clasp_journal_file_bytes", "gauge", "Size of the journal's file.", _vital(lambda v: v.file_bytes)
    ),
    Metric("clasp_journal_wal_bytes", "gauge", "Size of its write-ahead log.", _vital(lambda v: v.wal_bytes)),
    Metric(
        "clasp_journal_snapshot_age_seconds",
        "gauge",
        "Since the last snapshot, or since the journal was opened if none was needed.",
        _snapshot_age,
    ),
)
