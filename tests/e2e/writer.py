"""Who puts load on a router and keeps book of it.

Laws: an answer is noted as it comes; after a refusal nothing is sent before the router is well again; who
ends by itself ends when everything it has sent was dealt with.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable

from router.wire.messages import Ack, Error
from tests.e2e.ledger import Ledger, Sent, last_address
from tests.e2e.peer import Closed, Peer, packed

WINDOW = 60
"""What one writer sends before it waits for answers."""
QOS = (0, 1, 2)
QOS_SHARES = (1, 8, 2)
INTERNAL = 500


class Writer:
    """A session that sends with every QoS and notes the answers."""

    def __init__(
        self,
        peer: Peer,
        number: int,
        seed: str,
        ledger: Ledger,
        *,
        until_well: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """What waits until the router is well again; without it nothing may be refused."""
        self._peer = peer
        self._number = number
        self._rng = random.Random(f"{seed}, writer {number}")
        self._ledger = ledger
        self._account = ledger.open_account(peer.session)
        self._until_well = until_well
        self._waiting_for = 0
        """Answers, at most: an ERROR may be for what asked for none."""
        self._lasts_open = 0
        self._answered = asyncio.Event()
        self._refused = asyncio.Event()

    async def write(self, enough: asyncio.Event | None = None) -> Closed | None:
        """Send until the connection ends, and return how it did; or until it is enough and all is done."""
        sending = asyncio.create_task(self._send(enough or asyncio.Event()))
        try:
            return await self._listen()
        finally:
            sending.cancel()
            await asyncio.wait([sending])

    async def _send(self, enough: asyncio.Event) -> None:
        try:
            while not enough.is_set():
                await self._until_free()
                sent = self._ledger.next_request(self._account, self._number, self._rng)
                await self._say(sent, self._rng.choices(QOS, QOS_SHARES)[0])
            while True:
                await self._until_free()
                self._lasts_open += 1
                await self._say(self._ledger.last_request(self._account, self._number), max(QOS))
                await self._refused.wait()
        except ConnectionError:
            return

    async def _until_free(self) -> None:
        while self._waiting_for >= WINDOW:
            self._answered.clear()
            await self._answered.wait()
        if self._refused.is_set():
            self._refused.clear()
            assert self._until_well is not None, "nothing should have been refused"
            await self._until_well()

    async def _say(self, sent: Sent, qos: int) -> None:
        if qos >= sent.qos_that_is_acknowledged:
            self._account.owed.append(sent)
            self._waiting_for += 1
        await self._peer.say_bytes(packed(sent.message, qos))

    async def _listen(self) -> Closed | None:
        is_last_kept = False
        while not is_last_kept or self._lasts_open:
            try:
                answer = (await self._peer.hear_any()).message
            except Closed as closed:
                return closed
            assert isinstance(answer, Ack | Error), answer
            if isinstance(answer, Ack):
                self._account.acks.append(answer)
                self._ledger.count_promise()
            else:
                assert (answer.code, self._until_well is None) == (INTERNAL, False), answer
                self._account.refusals += 1
                self._refused.set()
            if answer.address == last_address(self._number):
                self._lasts_open -= 1
                is_last_kept |= isinstance(answer, Ack)
            self._waiting_for = max(0, self._waiting_for - 1)
            self._answered.set()
        return None
