"""What a monitor sees of a router: /metrics and /sessions, read from a real one."""

import asyncio
import json

import pytest

from router.web.metrics import METRICS
from router.wire.messages import Ack, Bundle, Error, Replay, Subscribe
from tests.e2e.peer import make_event, make_set
from tests.e2e.router_process import LOOK_S, PATIENCE_S
from tests.router.web.prometheus import read


async def metrics(router, *headers):
    """All of them, read strictly."""
    status, body = await router.probe("/metrics", headers=headers)
    assert status == 200
    return read(body.decode())


async def metrics_when(router, condition):
    """The same, as soon as something is so that the journal's process tells once a second."""
    async with asyncio.timeout(PATIENCE_S):
        while not condition(found := await metrics(router)):  # noqa: ASYNC110 it is in another process
            await asyncio.sleep(LOOK_S)  # paced: a probe asks, it is not told
    return found


async def test_every_metric_that_is_declared_is_there(router):
    """With its type, and nothing else is."""
    found = await metrics(router)
    assert {name: family.kind for name, family in found.items()} == {m.name: m.kind for m in METRICS}


async def test_messages_deliveries_and_errors_are_counted(router, dial):
    """Whichever way through the core a message takes."""
    writer, *readers = [await dial(router) for _ in range(3)]
    for reader in readers:
        await reader.say(Subscribe(1, "/counted/**"))
        await reader.hears_nothing()
    for number in range(5):
        await writer.set("/counted/param", number)
    await writer.say(make_event("/counted/event", 1), make_event("/counted/event", 2))
    await writer.say(Bundle([make_set("/counted/param", 6), make_event("/counted/event", 3)]), qos=1)
    await writer.hear(Ack)
    await writer.say(make_set("no address", 1))
    assert (await writer.hear(Error)).code == 200
    found = await metrics(router)
    messages = found["clasp_messages_total"]
    assert messages[{"type": "set"}] == 6
    assert messages[{"type": "publish"}] == 2
    assert messages[{"type": "bundle"}] == 1
    assert messages[{"type": "subscribe"}] == 2
    assert found["clasp_deliveries_total"][{}] == 2 * (5 + 2 + 2)
    assert found["clasp_errors_total"][{"code": "200"}] == 1
    assert found["clasp_sessions"][{}] == 3
    assert found["clasp_subscriptions"][{}] == 2
    assert found["clasp_params"][{}] == 1
    assert found["clasp_up"][{}] == 1


async def test_the_journal_is_seen(router, dial):
    """Its numbers, how long commits took, and its files."""
    peer = await dial(router)
    for number in range(4):
        await peer.set("/kept", number)
    await peer.say(make_set("/kept", 9), qos=2)
    await peer.hear(Ack)
    synced = "_count", (("synced", "true"),)
    found = await metrics_when(router, lambda found: found["clasp_journal_commit_seconds"].samples[synced])
    commits = found["clasp_journal_commit_seconds"].samples
    assert commits["_count", (("synced", "false"),)] == 4
    assert commits[synced] == 1
    assert found["clasp_journal_latest_seq"][{}] == 5
    assert commits["_sum", (("synced", "true"),)] > 0
    assert found["clasp_journal_oldest_seq"][{}] == 1
    assert found["clasp_journal_file_bytes"][{}] > 0
    assert found["clasp_journal_wal_bytes"][{}] > 0
    assert 0 <= found["clasp_journal_snapshot_age_seconds"][{}] < PATIENCE_S
    assert found["clasp_journal_backlog_bytes"][{}] == 0


async def test_a_journal_that_cannot_write_shows(router, dial):
    """At the very answer that says so."""
    peer = await dial(router)
    await peer.set("/before", 1)
    router.allow_writing(allowed=False)
    await peer.say(make_set("/lost", 1), qos=1)
    await router.until_unready()
    found = await metrics(router)
    assert found["clasp_journal_trouble"][{}] == 1
    assert found["clasp_up"][{}] == 0
    router.allow_writing(allowed=True)
    await router.until_ready()
    assert (await metrics(router))["clasp_journal_trouble"][{}] == 0


async def test_a_router_without_a_journal_shows_none(make_router):
    """What is not there has no number."""
    found = await metrics(await make_router("--journal", "none").start())
    assert not found["clasp_journal_latest_seq"].samples
    assert found["clasp_up"][{}] == 1


async def test_who_is_connected_is_shown_to_this_machine(router, dial):
    """With names, subscriptions and traffic."""
    peer = await dial(router, "desk left")
    await peer.say(Subscribe(1, "/a"), Subscribe(2, "/b"), Replay("/a"))
    await peer.hears_nothing()
    status, body = await router.probe("/sessions")
    shown = json.loads(body)
    assert status == 200
    assert shown["sessions"] == 1
    (client,) = shown["clients"]
    assert (client["name"], client["subscriptions"], client["is_slow"]) == ("desk left", 2, False)
    assert client["received_bytes"] > 0
    assert client["address"].startswith("127.0.0.1:")


@pytest.fixture
def tokens(tmp_path):
    """A file of tokens, and tokens for it."""
    from click.testing import CliRunner

    from router.cli import main

    def create(*scopes):
        flags = [text for scope in scopes for text in ("--scope", scope)]
        file = str(tmp_path / "tokens.toml")
        done = CliRunner().invoke(main, ["token", "create", "--auth", file, "--subject", "monitor", *flags])
        assert done.exit_code == 0, done.output
        return done.stdout.strip()

    return create


async def test_with_tokens_each_page_needs_one(make_router, tokens):
    """Of the right scope; a wrong one is not repeated, neither there nor in the log."""
    monitor, admin, other = tokens("read:/clasp/metrics"), tokens("admin:/**"), tokens("read:/lights/**")
    router = await make_router("--auth", "tokens.toml", "--verbose").start()

    async def status(path, token):
        headers = () if token is None else (f"Authorization: Bearer {token}",)
        status, body = await router.probe(path, headers=headers)
        assert token is None or token.encode() not in body
        return status

    canary = "cpsk_c0ffeec0ffeec0ffeec0ffeec0ffeec0"
    expected = {
        None: (401, 401),
        canary: (401, 401),
        other: (403, 403),
        monitor: (200, 403),
        admin: (200, 200),
    }
    for token, answers in expected.items():
        assert (await status("/metrics", token), await status("/sessions", token)) == answers
    assert await status(f"/healthz?token={canary}", None) == 200
    assert await status("/readyz", None) == 200
    assert canary not in router.log
    assert monitor not in router.log
    await metrics(router, f"Authorization: Bearer {monitor}")
