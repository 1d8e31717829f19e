"""RESP, the protocol of Redis: publish to subscribers of a pattern, or add to a stream that is kept."""

from bench.speech.form import PAYLOAD, Speech, Step, addresses, lines

PING = Step(b"*1\r\n$4\r\nPING\r\n", b"PONG\r\n")
STREAM = b"bench"


def bulk(*words: bytes) -> bytes:
    """A list of byte strings: how commands are written, and deliveries."""
    return b"".join((b"*%d\r\n" % len(words), *(b"$%d\r\n%s\r\n" % (len(word), word) for word in words)))


def reader_enters(number: int, group: int) -> list[Step]:
    """Subscribe to a group."""
    return [Step(bulk(b"PSUBSCRIBE", b"bench/%d/*" % group), b":1\r\n")]


def publishing(groups: int) -> Speech:
    """PUBLISH: nothing is kept; the answer says how many got it."""
    names = [name.encode() for name in addresses(groups)]
    return Speech(
        frames=[bulk(b"PUBLISH", name, PAYLOAD) for name in names],
        stamp_from_end=8 + 2,
        delivery_units=len(bulk(b"pmessage", b"bench/0/*", names[0], PAYLOAD)),
        delivery_stamp_from_end=8 + 2,
        ack_units=1,
        counts_acks=lambda: lines,
        writer_enters=lambda number: [PING],
        reader_enters=reader_enters,
    )


def keeping(groups: int) -> Speech:
    """XADD: one stream keeps address and value of every message; nobody is told."""
    core = publishing(groups)
    frames = [bulk(b"XADD", STREAM, b"*", b"a", name.encode(), b"v", PAYLOAD) for name in addresses(groups)]
    return Speech(
        frames=frames,
        stamp_from_end=core.stamp_from_end,
        delivery_units=core.delivery_units,
        delivery_stamp_from_end=core.delivery_stamp_from_end,
        ack_units=2,
        counts_acks=lambda: lines,
        writer_enters=core.writer_enters,
        reader_enters=reader_enters,
    )
