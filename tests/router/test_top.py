"""`clasp-router top`: on a terminal, in a pipe, and where it is not allowed to look."""

import asyncio
import io
import json
import os
import pty
import signal
import struct
import subprocess
import sys
import termios
from fcntl import ioctl

import pytest

from clasp_journal import MemoryJournal
from router import Address, Router, RouterConfig
from router.client import connect
from router.top.rates import with_rates
from router.top.view import draw
from tests.journal.cli.tool import environment
from tests.router.auth.keys import Keys

PATIENCE_S = 60
TOP = (sys.executable, "-W", "error", "-m", "router", "top")


@pytest.fixture
async def router():
    """A router to be watched."""
    config = RouterConfig(listen=Address("127.0.0.1", 0), name="stage")
    async with Router(config).with_journal(MemoryJournal()) as running:
        yield running


async def run(tmp_path, *arguments, **variables):
    """Run it to its end: exit code, stdout, stderr."""
    known = environment(tmp_path, **variables)
    process = await asyncio.create_subprocess_exec(
        *TOP, *arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=known, cwd=tmp_path
    )
    async with asyncio.timeout(PATIENCE_S):
        out, err = await process.communicate()
    return process.returncode, out.decode(), err.decode()


async def test_one_look_into_a_pipe_is_one_line_of_json(router, tmp_path):
    """With everybody who is connected."""
    async with connect(router.url, name="desk"):
        code, out, err = await run(tmp_path, "--url", router.url, "--once")
    assert (code, err) == (0, "")
    seen = json.loads(out)
    assert (seen["name"], seen["unready"], seen["messages_per_s"]) == ("stage", None, None)
    assert [client["name"] for client in seen["clients"]] == ["desk"]


async def test_one_look_can_be_a_table(router, tmp_path):
    """The same for people, in a pipe too."""
    async with connect(router.url, name="desk\x1b[31m"):
        code, out, _ = await run(tmp_path, "--url", router.url, "--once", "-o", "table")
    assert code == 0
    assert "stage" in out
    assert "desk·[31m" in out
    assert "\x1b" not in out


async def test_a_pipe_gets_a_line_per_look_with_rates(router, tmp_path):
    """Until its reader has had enough, which is no error."""
    process = await asyncio.create_subprocess_exec(
        *(*TOP, "--url", router.url, "--every", "0.1s"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(tmp_path),
    )
    async with asyncio.timeout(PATIENCE_S):
        first, second = [json.loads(await process.stdout.readline()) for _ in range(2)]
        process.stdout._transport.close()
        assert await process.stderr.read() == b""
        assert await process.wait() == 0
    assert first["messages_per_s"] is None
    assert second["messages_per_s"] >= 0


async def test_a_terminal_is_drawn_until_it_is_interrupted(router, tmp_path):
    """What happens meanwhile is seen; the exit code is that of a good end."""
    ours, theirs = pty.openpty()
    ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 110, 0, 0))
    process = await asyncio.create_subprocess_exec(
        *(*TOP, "--url", router.url, "--every", "0.1s"),
        stdin=theirs,
        stdout=theirs,
        stderr=subprocess.PIPE,
        env=environment(tmp_path),
    )
    os.close(theirs)
    shown = ""

    async def until(words):
        nonlocal shown
        async with asyncio.timeout(PATIENCE_S):
            while words not in shown:
                shown += (await asyncio.to_thread(os.read, ours, 65536)).decode(errors="replace")

    await until("0 sessions")
    async with connect(router.url, name="late desk") as client:
        await client.set("/seen", 1)
        await until("late desk")
        await until("1 params")
    process.send_signal(signal.SIGINT)
    rest = asyncio.create_task(asyncio.to_thread(_drain, ours))
    async with asyncio.timeout(PATIENCE_S):
        _, err = await process.communicate()
    await rest
    assert (process.returncode, err) == (0, b"")


def _drain(terminal):
    """Read until the other end is closed, which on Linux reads as an error."""
    try:
        while os.read(terminal, 65536):
            pass
    except OSError:
        pass
    os.close(terminal)


@pytest.mark.parametrize(
    ("url", "code", "words"),
    [
        ("ws://127.0.0.1:9", 3, "does not answer"),
        ("localhost", 2, "is no URL of a router"),
        ("ws://127.0.0.1:99999", 2, "is no URL of a router"),
    ],
)
async def test_a_router_that_is_not_there_is_named(tmp_path, url, code, words):
    """In one line, with an exit code of its own."""
    ended, out, err = await run(tmp_path, "--url", url, "--once")
    assert (ended, out) == (code, "")
    assert words in err
    assert err.count("\n") == 1


async def test_with_tokens_it_needs_one(tmp_path):
    """Exit code 4 without, and what is needed is told; the token is not."""
    code, out, _ = await asyncio.to_thread(_create_token, tmp_path)
    assert code == 0
    token = out.strip()
    config = RouterConfig(listen=Address("127.0.0.1", 0), auth=str(tmp_path / "tokens.toml"))
    async with Router(config).with_journal(MemoryJournal()) as router:
        for variables in ({}, {"CLASP_TOKEN": "cpsk_" + 32 * "0"}):
            code, _, err = await run(tmp_path, "--url", router.url, "--once", **variables)
            assert code == 4
            assert "admin:/clasp/sessions" in err
            assert "cpsk_" not in err
        code, out, _ = await run(tmp_path, "--url", router.url, "--once", CLASP_TOKEN=token)
        assert (code, json.loads(out)["sessions"]) == (0, 0)


def _create_token(folder):
    flags = ("--auth", str(folder / "tokens.toml"), "--subject", "operator", "--scope", "admin:/**")
    done = subprocess.run(
        (*TOP[:-1], "token", "create", *flags), capture_output=True, text=True, env=environment(folder)
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("token", ["wörd-€", "cpsk_secret\r", "secret\x85"])
async def test_a_token_is_any_text_and_never_told(tmp_path, token):
    """Not even one that no header can hold."""
    keys = Keys(tmp_path)
    keys.make("operator", "admin:/**", token=token)
    config = RouterConfig(listen=Address("127.0.0.1", 0), auth=str(keys.path))
    async with Router(config).with_journal(MemoryJournal()) as router:
        code, out, err = await run(tmp_path, "--url", router.url, "--once", CLASP_TOKEN=token)
    if token.isprintable():
        assert (code, json.loads(out)["sessions"], err) == (0, 0, "")
    else:
        assert (code, out) == (4, "")
        assert "secret" not in err


@pytest.mark.parametrize(
    ("status", "body"),
    [
        ("403 Forbidden", b"\x1b]52;c;aGk=\x07 said \xc2\x9b2J"),
        ("200 OK", b"\x1b[2J"),
        ("200 OK", b"[" * 50_000),
        ("x\x1b[2J", b""),
    ],
)
async def test_what_is_no_router_orders_no_terminal_about(tmp_path, status, body):
    """Whatever it says, it is told in one line that prints."""

    async def answer(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1") as server:
        port = server.sockets[0].getsockname()[1]
        code, out, err = await run(tmp_path, "--url", f"ws://127.0.0.1:{port}", "--once")
    assert code in (3, 4)
    assert out == ""
    assert err.removesuffix("\n").isprintable()


def test_rates_are_of_the_same_life_and_the_same_session():
    """A count that fell, or that was not there before, has none."""

    def look(now_us, messages, **received):
        clients = [{"session": key, "received_bytes": n, "sent_bytes": 0} for key, n in received.items()]
        counts = {"messages": messages, "deliveries": 0, "errors": 0}
        return {"now_us": now_us, "clients": clients, "journal": None} | counts

    found = with_rates(look(3_000_000, 50, a=900, b=5), look(1_000_000, 10, a=100))
    assert found["messages_per_s"] == 20
    assert [client["received_bytes_per_s"] for client in found["clients"]] == [400, None]
    assert with_rates(look(3_000_000, 5), look(1_000_000, 10))["messages_per_s"] is None


def test_a_slow_reader_and_a_journal_in_trouble_stand_out():
    """In words, not only in colours."""
    from rich.console import Console

    client = {
        "session": "s",
        "name": "wall",
        "address": "10.0.0.1:5",
        "subscriptions": 1,
        "waiting_bytes": 9_000,
    }
    client |= {
        "received_bytes": 0,
        "sent_bytes": 0,
        "conflated": 3,
        "dropped": 4,
        "is_slow": True,
        "not_read": [],
    }
    journal = {"oldest_seq": 1, "latest_seq": 2, "file_bytes": 0, "wal_bytes": 0, "backlog_bytes": 0}
    journal |= {"snapshot_us": 0, "trouble": "disk full"}
    seen = {"name": "stage", "now_us": 0, "unready": "the journal cannot write", "clients": [client]}
    seen |= dict.fromkeys(("messages", "deliveries", "errors", "sessions", "subscriptions", "params"), 0)
    console = Console(width=110, record=True, file=io.StringIO())
    console.print(draw(with_rates(seen | {"journal": journal}, None), "ws://x", 24))
    text = console.export_text()
    for words in ("the journal cannot write", "disk full", "wall", "slow", "9.0 KB", "7"):
        assert words in text
