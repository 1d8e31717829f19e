"""Who is connected and how the router is, as one plain object: what `clasp-router top` shows.

Law: bounded, however many there are; those for whom the most waits come first, then the busiest.
"""

from __future__ import annotations

import heapq
from typing import Any

from router.runtime.desk import Desk
from router.runtime.link import Link

SESSIONS_SHOWN = 200


def overview(desk: Desk) -> dict[str, Any]:
    """Everything at this moment; counts only grow, so that two of these give rates."""
    ground, tally, links = desk.core.ground, desk.tally, desk.links
    now_us = desk.clock()
    return {
        "name": ground.settings.name,
        "now_us": now_us,
        "unready": desk.unready_reason,
        "messages": tally.sets + tally.publishes + sum(tally.received.values()),
        "deliveries": tally.deliveries,
        "errors": sum(tally.errors.values()),
        "connections": len(links),
        "sessions": len(ground.sessions),
        "subscriptions": ground.subscriptions.count,
        "params": ground.topics.live,
        "journal": _journal(desk),
        "clients": [_client(desk, link) for link in heapq.nlargest(SESSIONS_SHOWN, links, key=_weight)],
    }


def _weight(link: Link) -> tuple[int, int]:
    return link.outbox.waiting_bytes, sum(link.traffic())


def _client(desk: Desk, link: Link) -> dict[str, Any]:
    session, outbox, backlog = link.session, link.outbox, link.outbox.backlog
    received, sent = link.traffic()
    return {
        "session": session.id,
        "name": session.name,
        "author": session.author,
        "address": link.peer.address,
        "since_us": link.since_us,
        "subscriptions": len(desk.core.ground.subscriptions.of(session)),
        "received_bytes": received,
        "sent_bytes": sent,
        "waiting_bytes": outbox.waiting_bytes,
        "conflated": backlog.conflated if backlog is not None else 0,
        "dropped": backlog.dropped if backlog is not None else 0,
        "is_slow": outbox.is_blocked,
        "not_read": [reason.name.lower() for reason in outbox.pauses if reason.name],
    }


def _journal(desk: Desk) -> dict[str, Any] | None:
    recorder = desk.keeping.recorder
    if recorder is None:
        return None
    vitals = recorder.vitals
    return {
        "oldest_seq": vitals.oldest_seq,
        "latest_seq": vitals.latest_seq,
        "file_bytes": vitals.file_bytes,
        "wal_bytes": vitals.wal_bytes,
        "backlog_bytes": recorder.backlog_bytes,
        "snapshot_us": vitals.snapshot_us,
        "commits": sum(vitals.committed.counts) + sum(vitals.synced.counts),
        "commit_s": vitals.committed.total_s + vitals.synced.total_s,
        "trouble": desk.keeping.trouble,
    }
