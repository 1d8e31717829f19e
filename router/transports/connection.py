"""One WebSocket connection, from its first byte to its last.

    HEAD -> OPEN -> CLOSING (our close is sent, the peer's awaited) -> ENDING (nothing is heard any more)

with a short cut from everywhere to ENDING. Laws: the bytes are ours from the start, so a frame that came
with the head is not lost; no task, no timer and no await per connection; after our close frame nothing is
written and no message is taken; the link hears `lost` exactly once, when the socket is gone. Whatever waits
for the peer has a deadline that the door's sweep looks at; who is slow to take what was sent before the end
gets it nevertheless, as long as it takes some of it from one deadline to the next.
"""

from __future__ import annotations

import asyncio
import logging
import math
import socket
from collections.abc import Iterator
from enum import Enum
from http import HTTPStatus
from typing import cast

from router.runtime.door import Host, Link, Peer
from router.transports.guard import Guard
from router.transports.handshake import (
    HEAD_END,
    HEAD_MAX_BYTES,
    Accepted,
    Plain,
    plain_response,
    read_head,
    refusal,
)
from router.transports.keepalive import Keepalive, Signs, Verdict
from router.transports.remote import Remote, remote_of
from router.transports.roll import Guest, Roll
from router.transports.splitter import Splitter
from router.transports.unsent import unsent_bytes
from router.wire.packing import OPCODE_CLOSE, OPCODE_PING, OPCODE_PONG, pack_close, pack_control

log = logging.getLogger("router.door")

WRITE_HIGH_BYTES = 64 * 1024
"""With more than this waiting in the socket's buffer the link is blocked."""
TAKING_DEADLINES = 15
"""So many deadlines at most has who is slow to take the last bytes."""
READ_LARGE_BYTES = 200_000
"""After a read of this size there may be more; it has to wait until the others have had their turn."""
CLOSE_IDLE = 1001
CLOSE_SILENT = 1011

_MASKED_CONTROL_HEAD_BYTES = 6


class Phase(Enum):
    """How far a connection has come."""

    HEAD = "head"
    OPEN = "open"
    CLOSING = "closing"
    ENDING = "ending"


# Looking up a member of an enum costs more than all the rest of a line.
_HEAD, _OPEN, _ENDING = Phase.HEAD, Phase.OPEN, Phase.ENDING


class Connection(asyncio.Protocol):
    """The protocol of one socket, the pipe of one link, the listener of one splitter."""

    _transport: asyncio.Transport
    _remote: Remote
    _splitter: Splitter
    _keepalive: Keepalive

    def __init__(self, host: Host, roll: Roll, guard: Guard, handshake: Guest | None = None) -> None:
        """With TLS, its handshake is whose place on the roll it takes."""
        self._host = host
        self._roll = roll
        self._guard = guard
        self._handshake = handshake
        self._loop = asyncio.get_running_loop()
        self._phase = Phase.HEAD
        self._deadline_s = math.inf
        self._deadlines_left = 0
        self._untaken_bytes = 0
        self._head = bytearray()
        self._link: Link | None = None
        self._is_paused = False
        self._is_blocked = False
        self._owed_pong: bytes | None = None
        self._received_bytes = 0
        self._control_bytes = 0
        self._sent_bytes = 0
        self._taken_bytes = 0

    # What the loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A socket was accepted."""
        self._transport = cast(asyncio.Transport, transport)
        # Only here: whoever fails in its TLS handshake is never lost, and would keep what knows it.
        self._splitter = Splitter(_hear_nothing, self, self._host.limits.message_bytes)
        accepted = self._transport.get_extra_info("socket")
        self._remote = remote_of(accepted)
        if self._handshake is not None:
            self._roll.strike(self._handshake)
            self._handshake = None
        if not self._roll.admit(self, self._remote.counted):
            self._phase = Phase.ENDING
            self._transport.abort()
            return
        self._deadline_s = self._roll.clock.read() + self._host.limits.hello_timeout_s
        self._transport.set_write_buffer_limits(high=WRITE_HIGH_BYTES)
        accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def data_received(self, data: bytes) -> None:
        """Bytes of the peer, cut anywhere."""
        self._received_bytes += len(data)
        if self._phase is _HEAD:
            self._receive_head(data)
        elif self._phase is not _ENDING:
            self._receive(data)

    def pause_writing(self) -> None:
        """The peer does not take what it gets."""
        self._is_blocked = True
        if self._phase is Phase.OPEN and self._link is not None:
            self._link.block()

    def resume_writing(self) -> None:
        """The peer takes what it gets again."""
        self._is_blocked = False
        if self._phase is Phase.OPEN and self._link is not None:
            self._pay_pong()
            self._link.unblock()

    def connection_lost(self, exc: Exception | None) -> None:
        """The socket is gone."""
        self._phase = Phase.ENDING
        self._deadline_s = math.inf
        self._roll.strike(self)
        link, self._link = self._link, None
        self._splitter.part()
        if link is not None:
            link.lost()

    # What the link calls: the promises of `Pipe`.

    def write(self, packed: bytes) -> None:
        """Send whole packed messages."""
        transport = self._transport
        if self._phase is _OPEN and not transport.is_closing():
            self._sent_bytes += len(packed)
            transport.write(packed)

    def pause_reading(self) -> None:
        """Take nothing more of the peer, not even what has been read."""
        if self._phase is Phase.OPEN and not self._is_paused and not self._transport.is_closing():
            self._is_paused = True
            self._splitter.halt()
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Take bytes again, from the next turn of the loop on."""
        if self._is_paused:
            self._is_paused = False
            self._loop.call_soon(self._go_on)

    def close(self, code: int, reason: str) -> None:
        """Close with a reason; the peer has a moment to answer."""
        if self._phase is Phase.OPEN:
            self._turn_away(Phase.CLOSING)
            self.resume_reading()
            self._send(pack_close(code, reason))

    def abort(self) -> None:
        """Drop the connection now."""
        self._turn_away(Phase.ENDING)
        self._transport.abort()

    def traffic(self) -> tuple[int, int]:
        """How many bytes have come and gone so far."""
        return self._received_bytes, self._sent_bytes

    # What the splitter calls.

    def on_ping(self, payload: bytes) -> None:
        """Of several pings in one read only the last is answered, as RFC 6455 allows."""
        self._control_bytes += _MASKED_CONTROL_HEAD_BYTES + len(payload)
        self._owed_pong = payload

    def on_pong(self, payload: bytes) -> None:
        """Counted, and no more: whatever comes proves that the peer is there."""
        self._control_bytes += _MASKED_CONTROL_HEAD_BYTES + len(payload)

    def on_close(self, payload: bytes) -> None:
        """The peer's close is echoed, or it is the echo of ours."""
        if self._phase is Phase.OPEN:
            self._send(pack_control(OPCODE_CLOSE, payload))
        self._turn_away(Phase.ENDING)
        self._transport.close()

    def on_violation(self, code: int, reason: str) -> None:
        """The peer is told what it did wrong."""
        if self._phase is Phase.OPEN:
            self._say_last(pack_close(code, reason))
        else:
            self.abort()

    # What the door's sweep calls.

    def sweep(self, now_s: float) -> None:
        """Look at the deadline, and at whether the peer is still there."""
        if now_s >= self._deadline_s:
            if not self._is_taking_the_last():
                self.abort()
        elif self._phase is Phase.OPEN:
            self._judge(now_s)

    def _judge(self, now_s: float) -> None:
        traffic_bytes = self._received_bytes - self._control_bytes + self._sent_bytes
        signs = Signs(self._received_bytes, traffic_bytes, self._is_paused and self._is_taking())
        verdict = self._keepalive.judge(now_s, signs)
        if verdict is Verdict.PING:
            self._send(pack_control(OPCODE_PING, b""))
        elif verdict is Verdict.SILENT:
            self.close(CLOSE_SILENT, "keepalive ping timeout")
        elif verdict is Verdict.IDLE:
            self.close(CLOSE_IDLE, "session timeout")

    def _is_taking(self) -> bool:
        """Whether the peer has nothing to take, or has taken something since the last time."""
        waiting_bytes = self._transport.get_write_buffer_size()
        before, self._taken_bytes = self._taken_bytes, self._sent_bytes - waiting_bytes
        return not waiting_bytes or self._taken_bytes > before

    def _is_taking_the_last(self) -> bool:
        """Whether the peer has taken something of the last bytes since the last deadline; it has another."""
        before_bytes, self._untaken_bytes = self._untaken_bytes, self._count_untaken()
        if not self._deadlines_left or not 0 < self._untaken_bytes < before_bytes:
            return False
        self._deadlines_left -= 1
        self._deadline_s = self._roll.clock.read() + self._roll.close_timeout_s
        return True

    def _count_untaken(self) -> int:
        return self._transport.get_write_buffer_size() + unsent_bytes(
            self._transport.get_extra_info("socket")
        )

    # The head.

    def _receive_head(self, data: bytes) -> None:
        head = self._head
        searched_bytes = max(0, len(head) - len(HEAD_END) + 1)
        head += data
        # Whoever speaks TLS or something else to this port need not wait for a blank line.
        if not head[:1].isupper():
            self._say_last(refusal(HTTPStatus.BAD_REQUEST))
            return
        end = head.find(HEAD_END, searched_bytes, HEAD_MAX_BYTES)
        if end >= 0:
            end += len(HEAD_END)
            self._head = bytearray()
            self._answer_head(bytes(head[:end]), bytes(head[end:]))
        elif len(head) >= HEAD_MAX_BYTES:
            self._say_last(refusal(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE))

    def _answer_head(self, head: bytes, rest: bytes) -> None:
        verdict = read_head(head, self._guard, self._remote)
        if isinstance(verdict, Accepted):
            self._open(verdict)
            if rest:
                self._receive(rest)
        elif isinstance(verdict, Plain):
            answer = self._host.answer_http(verdict.request)
            self._say_last(plain_response(verdict.request.method, *answer))
        else:
            if verdict.reason is not None:
                self._host.refused["origin_or_host"] += 1
                log.warning("refused %s: %s", self._remote.shown, verdict.reason)
            self._say_last(verdict.response)

    def _open(self, accepted: Accepted) -> None:
        limits = self._host.limits
        self._transport.write(accepted.response)
        self._phase = Phase.OPEN
        self._deadline_s = math.inf
        self._keepalive = Keepalive(limits.ping_after_s, limits.session_timeout_s, self._roll.clock.read())
        self._roll.link(self)
        peer = Peer(self._remote.shown, self._remote.is_loopback, accepted.origin)
        self._link = self._host.connect(self, peer)
        if self._phase is Phase.OPEN:
            self._splitter.on_messages = self._link.receive
            if self._is_blocked:
                self._link.block()

    # Everything after it.

    def _receive(self, data: bytes) -> None:
        if self._link is not None:
            self._link.stamp()
            self._splitter.feed(data)
            if self._owed_pong is not None:
                self._pay_pong()
            if len(data) >= READ_LARGE_BYTES and not self._is_paused and not self._transport.is_closing():
                self._transport.pause_reading()
                self._loop.call_soon(self._read_on)

    def _read_on(self) -> None:
        """Read again in a later tick: uvloop itself would hand over up to 8 MB in one."""
        if not self._is_paused and not self._transport.is_closing():
            self._transport.resume_reading()

    def _go_on(self) -> None:
        if self._is_paused or self._phase is Phase.ENDING or self._link is None:
            return
        if not self._transport.is_closing():
            self._transport.resume_reading()
        self._link.stamp()
        self._splitter.go_on()
        self._pay_pong()

    def _pay_pong(self) -> None:
        """Send the pong that is owed. A peer that does not take its pongs is owed one at most."""
        if self._owed_pong is not None and self._phase is Phase.OPEN and not self._is_blocked:
            payload, self._owed_pong = self._owed_pong, None
            self._send(pack_control(OPCODE_PONG, payload))

    def _send(self, data: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(data)

    def _say_last(self, last: bytes) -> None:
        """Send the last bytes so that they arrive: closing over unread bytes would take them back."""
        self._turn_away(Phase.ENDING)
        self._send(last)
        if self._transport.can_write_eof():
            self._transport.write_eof()
        else:
            self._transport.close()

    def _turn_away(self, phase: Phase) -> None:
        """From here on no message is heard, and what is still to be done has to be done soon."""
        self._phase = phase
        self._deadline_s = self._roll.clock.read() + self._roll.close_timeout_s
        self._deadlines_left = TAKING_DEADLINES - 1
        self._untaken_bytes = self._count_untaken()
        self._splitter.mute()


def _hear_nothing(_: Iterator[bytes]) -> None:
    """Nobody hears the messages of a connection that the desk does not know yet."""
