"""Tokens at a router as it is run: over sockets, with the journal in a process of its own."""

from __future__ import annotations

import asyncio
import signal

import pytest

from clasp_journal.sqlite import SqliteJournal
from router.core.limits import Limits
from router.wire.messages import (
    Ack,
    Entries,
    Error,
    Hello,
    Message,
    Replay,
    ReplayExtension,
    Snapshot,
    Subscribe,
)
from tests.e2e.peer import Closed, Peer, enveloped, make_set, packed
from tests.e2e.router_process import JOURNAL_FILE, PATIENCE_S
from tests.router.auth.brute import draw_cases
from tests.router.auth.keys import Keys
from tests.router.auth.rehearsal import by_subject, judge_written, rehearse, scopes_of

CASES = 6
SEED = 7


@pytest.fixture
def keys(tmp_path):
    """The file of tokens of the router."""
    return Keys(tmp_path)


async def guarded(make_router, keys):
    """A router with the tokens that there are by now."""
    return await make_router("--auth", str(keys.path)).start()


async def enter(router, token):
    """A session with this token, which has heard its WELCOME and its params."""
    peer = await Peer.dial(router.port)
    await peer.say(Hello(token=token))
    await peer.fence()
    return peer


async def refusal(router, token):
    """The code with which a token is refused; the connection ends with it."""
    peer = await Peer.dial(router.port)
    await peer.say(Hello(token=token))
    error = await peer.hear(Error)
    assert (await peer.ends()).code == 1008
    return error.code


class Socket:
    """A connection by a socket, for visitors."""

    def __init__(self, peer: Peer) -> None:
        self.received: list[Message] = []
        self._peer = peer
        self._unsent: list[bytes] = []

    def send(self, message: Message | bytes, qos: int = 0) -> None:
        """It leaves with the next wait."""
        frame = enveloped(message) if isinstance(message, bytes) else packed(message, qos)
        self._unsent.append(frame)

    async def until(self, predicate):
        """The next message of which it is true."""
        unsent, self._unsent = self._unsent, []
        await self._peer.say_bytes(b"".join(unsent))
        while True:
            message = (await self._peer.hear_any()).message
            self.received.append(message)
            if predicate(message):
                return message

    def close(self) -> None:
        """Leave."""
        self._peer.hang_up()


async def test_a_few_tokens_at_every_door_of_a_running_router(make_router, keys, tmp_path):
    """What holds in memory holds over sockets and in the file."""
    cases = by_subject(draw_cases(SEED, CASES))
    tokens = keys.make_all(scopes_of(cases))
    router = await guarded(make_router, keys)

    async def dial():
        return Socket(await Peer.dial(router.port))

    await rehearse(cases, tokens, dial)
    await router.stop()
    async with SqliteJournal(tmp_path / JOURNAL_FILE, read_only=True) as journal:
        judge_written(await journal.query("/**"), cases)


async def test_what_ends_or_shrinks_reaches_sessions_that_are_there(make_router, keys):
    """Revoked: 300; expired: 302; both are closed. Narrowed: 301 for what is outside, and it goes on."""
    tokens = keys.make_all(
        {
            "root": ("admin:/**",),
            "leaver": ("read:/**",),
            "brief": ("read:/**",),
            "follower": ("read:/**", "history:/**"),
        }
    )
    router = await guarded(make_router, keys)
    writer, revoked, late, narrowed = [await enter(router, token) for token in tokens.values()]
    await writer.set("/a", 1)
    await writer.set("/b", 1)
    await narrowed.say(Subscribe(1, "/a"), Subscribe(2, "/b"))
    await narrowed.hear_many(Snapshot, 2)
    wish = ReplayExtension(id=3, as_entries=True, follow=True)
    await narrowed.say(Replay("/**", extension=wish))
    assert (await narrowed.hear(Entries)).caught_up
    keys.revoke("leaver")
    keys.rescope("follower", "read:/a", "history:/a")
    keys.remove("brief")
    keys.make("brief", "read:/**", lasts_s=0.01, token=tokens["brief"])
    router.send(signal.SIGHUP)
    for peer, code in ((revoked, 300), (late, 302)):
        assert (await peer.hear(Error)).code == code
        assert (await peer.ends()).code == 1008
    told = await narrowed.hear_many(Error, 2)
    assert [(error.code, error.address) for error in told] == [(301, "/b"), (301, "/**")]
    await writer.set("/b", 2)
    await writer.set("/a", 2)
    (heard,) = await narrowed.fence()
    assert heard.message.address == "/a"
    assert await refusal(router, tokens["leaver"]) == 300
    assert await refusal(router, tokens["brief"]) == 302


async def test_wrong_tokens_are_limited_by_address(make_router, keys):
    """The limit is that of the table; then the right one is not heard either, and nothing else is hurt."""
    right = keys.make("right", "write:/a")
    router = await guarded(make_router, keys)
    peer = await enter(router, right)
    for number in range(Limits().wrong_tokens_per_minute):
        assert await refusal(router, f"wrong {number}") == 300
    assert (
        await refusal(router, "wrong") == await refusal(router, right) == await refusal(router, None) == 429
    )
    assert isinstance(await peer.set("/a", 1), Ack)


async def test_the_subject_is_the_author_also_after_a_restart(make_router, keys, tmp_path):
    """In entries, in params, and in the file."""
    token = keys.make("desk", "write:/a")
    router = await guarded(make_router, keys)
    peer = await enter(router, token)
    await peer.set("/a", 1)
    peer.hang_up()
    await router.stop()
    await router.start()
    peer = await enter(router, token)
    assert (await peer.get("/a")).writer == "desk"
    peer.hang_up()
    await router.stop()
    async with SqliteJournal(tmp_path / JOURNAL_FILE, read_only=True) as journal:
        assert {entry.author for entry in await journal.query("/a")} == {"desk"}


@pytest.mark.parametrize(("text", "reason"), [(None, "there is no file"), ("x = 1", "is no file of tokens")])
async def test_without_a_file_of_tokens_nothing_starts(make_router, tmp_path, text, reason):
    """Exit code 3, and one line that says what to do."""
    path = tmp_path / "none.toml"
    if text is not None:
        path.write_text(text)
    late = make_router("--auth", str(path))
    late.launch()
    assert await late.ended() == 3
    assert reason in late.log


async def test_what_is_sent_after_the_end_of_a_token_has_no_effect(make_router, keys):
    """It is refused, and the connection ends within seconds, without a signal."""
    token = keys.make("desk", "write:/a")
    router = await guarded(make_router, keys)
    peer = await enter(router, token)
    await peer.set("/a", 1)
    keys.revoke("desk")
    async with asyncio.timeout(PATIENCE_S):
        codes = await codes_until_the_end(peer)
    assert set(codes) <= {300, 301}
    assert codes[-1] == 300


async def codes_until_the_end(peer):
    """The ERRORs that a peer hears which goes on writing until it is closed."""
    codes = []
    try:
        while True:
            await peer.say(make_set("/a", 2), qos=1)
            message = (await peer.hear_any()).message
            codes += [message.code] if isinstance(message, Error) else []
    except (Closed, ConnectionError):
        return codes
