"""Every bound of the router, with its default.

Law: a limit has one home, here; the README's table is checked against it, and a test reaches each.
0 switches a limit off where its line says so.
"""

from __future__ import annotations

from dataclasses import dataclass

KIB = 1024
MIB = 1024 * KIB
SECOND_US = 1_000_000


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of everything one router takes. Sizes in bytes, spans in the unit of their name."""

    sessions: int = 10_000
    """Surplus sessions get ERROR 503 and are closed with 1013."""
    connections_per_address: int = 500
    """Of each peer address (of IPv6: one /64), this machine's own excepted; one more is dropped. 0 is off."""
    handshakes: int = 1_000
    """Connections that have not yet said HELLO, TLS handshakes included; one more is dropped."""
    hello_timeout_s: float = 10.0
    """For the TLS handshake, for the request and, once the state is restored, for HELLO."""
    wrong_tokens_per_minute: int = 30
    """Different ones, from one address (of IPv6: one /64); then its HELLOs get ERROR 429 until it is over."""
    wrong_token_addresses: int = 10_000
    """Addresses whose wrong tokens are counted; the one that is quiet the longest makes room."""
    message_bytes: int = 65_600
    """A longer WebSocket message closes the connection with 1009."""
    errors_per_minute: int = 1_000
    """More bad messages than that in a minute close the connection with 1008."""
    messages_per_s: int = 0
    """Per session, ERROR 429 beyond it; 0 is off."""
    name_bytes: int = 1_024
    """Of the name in HELLO; what is longer is cut off."""
    ping_after_s: float = 20.0
    """Silence after which the router pings; as long again without an answer, and it closes."""
    session_timeout_s: float = 0.0
    """Close a session without traffic in either direction; 0 is off."""

    params: int = 1_000_000
    """A new address beyond them gets ERROR 429; nothing is evicted."""
    params_bytes: int = 1024 * MIB
    """Room for their values beyond 64 bytes each, rounded up to powers of two; ERROR 429 for more."""
    set_bytes: int = 65_000
    """Address and value of a SET; ERROR 402 beyond."""
    publish_bytes: int = 65_000
    """Payload of a PUBLISH; ERROR 402 beyond."""
    subscriptions: int = 1_000
    """Subscriptions and running replays of a session; ERROR 429 beyond."""
    wildcards: int = 4_000
    """Segments with a `*` in all patterns of a session's subscriptions; ERROR 429 beyond."""
    replays_queued: int = 8
    """One replay of a session runs, so many wait; ERROR 429 beyond."""
    errands: int = 8
    """JOURNAL_DO of a session under way at the same time; it is not read until one of them is done."""
    bundle_parts: int = 1_000
    """ERROR 402 beyond."""
    schedule_ahead_us: int = 3_600 * SECOND_US
    """How far ahead a bundle's time may be; ERROR 402 beyond."""
    scheduled_bundles: int = 1_000
    """Bundles waiting for their time; ERROR 429 beyond."""
    definitions: int = 100_000
    """Announced signals; ERROR 429 beyond."""
    definitions_bytes: int = 64 * MIB
    """And the bytes of their texts."""
    one_author_percent: int = 50
    """How much of these three one author may have; ERROR 429 beyond."""

    history_per_address: int = 100
    """What the subscribe option `history` can ask for, per address."""
    history_entries: int = 10_000
    """And in all, or 8 MiB of them. What comes meanwhile waits like anything for a slow reader."""
    gesture_window_us: int = 16_000
    """Moves of a gesture are thinned to the newest in this time."""
    gestures: int = 10_000
    """Gestures whose moves are thinned; those beyond pass untouched."""
    thinned_addresses: int = 10_000
    """Addresses per session whose max_rate, window and epsilon are honoured; those beyond pass untouched."""
    thinned_bytes: int = 8 * MIB
    """And the bytes of their updates that wait; one for which there is no room passes untouched."""
    passing_topics: int = 100_000
    """Addresses without a param whose readers are remembered."""

    outbox_bytes: int = 8 * MIB
    """What waits for one slow reader, with the memory that it takes to keep it."""
    journal_backlog_bytes: int = 64 * MIB
    """What waits for the journal before writers are made to wait."""
    snapshot_params: int = 800
    """In one SNAPSHOT."""
    snapshot_bytes: int = 65_535
    """Of one SNAPSHOT's payload."""
