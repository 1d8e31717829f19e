"""A whole router: in a program that embeds it, and as the daemon that an operator starts."""

import asyncio
import gc
import logging
import os
import resource
import signal
import socket
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from clasp_journal.errors import JournalClosed, JournalUnavailable
from clasp_journal.memory import MemoryJournal
from clasp_journal.sqlite import SqliteJournal
from router import Address, Router, RouterConfig
from router.client import connect
from router.daemon import CannotListen
from router.wire.messages import Hello, Snapshot, Welcome
from tests.e2e.peer import Peer, make_set
from tests.e2e.router_process import JOURNAL_FILE, RouterProcess, look_until

ANYWHERE = RouterConfig(listen=Address("127.0.0.1", 0), journal="none")


@pytest.fixture
def config(tmp_path):
    """A router with a file of its own."""
    return RouterConfig(listen=Address("127.0.0.1", 0), journal=str(tmp_path / "show.db"))


def children():
    """The processes that this one has started and not seen the end of."""
    lists = [path.read_text() for path in Path("/proc/self/task").glob("*/children")]
    return set(" ".join(lists).split())


class Belongings:
    """What a program has before a router starts in it; the same has to be there afterwards."""

    def __init__(self):
        self.children = children()
        self.tasks = asyncio.all_tasks()

    def assert_nothing_new(self):
        """No process, no task."""
        assert children() <= self.children
        assert asyncio.all_tasks() <= self.tasks


def taken_port():
    """A socket that listens, and its port."""
    listening = socket.create_server(("127.0.0.1", 0))
    return listening, listening.getsockname()[1]


def test_the_names_for_embedding_are_loaded_when_they_are_used():
    """`import router` alone costs nothing."""
    program = (
        "import router, sys\n"
        "assert not [name for name in sys.modules if name.startswith('router.')]\n"
        "from router import Address, Router, RouterConfig\n"
        "assert Router(RouterConfig(listen=Address('::1', 0))).url == 'ws://[::1]:0'\n"
        "try: router.Missing\n"
        "except AttributeError: pass\n"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", program], check=True, timeout=60)


async def test_an_embedded_router_records_into_the_journal_it_was_given():
    """The program may ask it directly; it is closed when the router stops."""
    journal = MemoryJournal()
    async with Router(ANYWHERE).with_journal(journal) as router:
        async with connect(router.url) as client:
            await client.set("/light", 0.5)
        assert [entry.value for entry in await journal.query()] == [0.5]
    with pytest.raises(JournalClosed):
        await journal.latest_seq()


async def test_a_connection_within_the_program_needs_no_socket():
    """A memory peer speaks the same protocol."""
    async with Router(ANYWHERE) as router:
        peer = router.connect()
        peer.send(Hello("inside"))
        assert isinstance(await peer.next(), Welcome)
        assert isinstance(await peer.next(), Snapshot)
        peer.send(make_set("/a", 1), qos=1)
        async with connect(router.url) as client:
            assert await client.get("/a") == 1


async def test_a_router_that_is_not_started_has_no_connections():
    """It says so."""
    with pytest.raises(RuntimeError, match="not started"):
        Router(ANYWHERE).connect()


async def test_an_embedded_router_leaves_the_program_as_it_is():
    """Garbage collection, signals and logs belong to whoever embeds."""

    def settings():
        signals = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
        return (
            gc.get_threshold(),
            gc.get_freeze_count(),
            signals,
            logging.root.handlers[:],
            logging.root.level,
        )

    before = settings()
    async with Router(ANYWHERE):
        assert settings() == before
    assert settings() == before


async def test_a_router_may_be_started_again(config):
    """It takes its state up where it was; each stop may be said twice."""
    belongings = Belongings()
    router = Router(config)
    for life in range(3):
        await router.start()
        assert router.restored_params == life
        async with connect(router.url) as client:
            assert len(client.params) == life
            await client.set(f"/life/{life}", life)
        await router.stop()
        await router.stop()
    belongings.assert_nothing_new()


async def test_a_router_that_runs_cannot_be_started():
    """Two of them would share one name."""
    async with Router(ANYWHERE) as router:
        with pytest.raises(RuntimeError, match="started already"):
            await router.start()
        async with connect(router.url) as client:
            assert await client.set("/a", 1) == 1


async def test_a_port_that_is_taken_leaves_nothing_behind(config, tmp_path):
    """Not even a journal; when the port is free again, the same router starts."""
    belongings = Belongings()
    listening, port = taken_port()
    router = Router(RouterConfig(listen=Address("127.0.0.1", port), journal=config.journal))
    with pytest.raises(CannotListen, match="Address already in use"):
        await router.start()
    belongings.assert_nothing_new()
    assert not list(tmp_path.iterdir())
    listening.close()
    async with router:
        assert router.address.port == port


async def test_an_address_that_is_not_ours_cannot_be_listened_on():
    """The reason is that of the system."""
    with pytest.raises(CannotListen, match="Cannot assign requested address"):
        await Router(RouterConfig(listen=Address("192.0.2.1", 0), journal="none")).start()


async def test_a_journal_that_cannot_be_opened_leaves_nothing_behind(tmp_path):
    """The port is free again, and no process is left."""
    belongings = Belongings()
    listening, port = taken_port()
    listening.close()
    router = Router(RouterConfig(listen=Address("127.0.0.1", port), journal=str(tmp_path)))
    with pytest.raises(JournalUnavailable, match="is a directory"):
        await router.start()
    belongings.assert_nothing_new()
    socket.create_server(("127.0.0.1", port)).close()


async def test_a_start_that_is_given_up_leaves_nothing_behind(config):
    """Though another has the journal, and the process of this one waits for it."""
    belongings = Belongings()
    async with Router(config) as first:
        second = Router(config)
        start = asyncio.create_task(second.start())
        while len(children()) < len(belongings.children) + 2:  # noqa: ASYNC110 no event tells it
            await asyncio.sleep(0.01)  # paced: a process appears in /proc only
        start.cancel()
        with pytest.raises(asyncio.CancelledError):
            await start
        assert len(children()) == len(belongings.children) + 1
        async with connect(first.url) as client:
            assert await client.set("/a", 1) == 1
    belongings.assert_nothing_new()


# The daemon.


@pytest.fixture
def make_daemon(tmp_path):
    """Daemons in the folder of the test, not started."""
    daemons = []

    def make(*flags):
        daemons.append(RouterProcess(tmp_path, *flags))
        return daemons[-1]

    yield make
    for daemon in daemons:
        daemon.end()


async def test_the_first_lines_tell_what_runs(make_daemon):
    """Process, journal and its size, what was restored and how fast, what an ACK means; the real port."""
    daemon = await make_daemon(
        "--listen", "127.0.0.1:0", "--name", "stage left", "--retain", "30d,50k"
    ).start()
    first, journal, restored, listening = daemon.output.splitlines()
    assert first == f"clasp-router stage left, pid {daemon.pid}"
    kept = "kept: 30d,50k; an ACK means committed, with QoS 2 on the disk"
    assert journal == f"journal {JOURNAL_FILE}, new; {kept}"
    assert restored.startswith("restored 0 params in ")
    assert restored.endswith(" ms")
    assert listening == f"listening on 127.0.0.1:{daemon.port}"
    assert daemon.port
    peer = await Peer.connect(daemon.port)
    await peer.set("/a", 1)
    peer.hang_up()
    assert await daemon.stop() == 0
    await daemon.start()
    _, journal, restored, _ = daemon.output.splitlines()
    assert " KB; " in journal
    assert restored.startswith("restored 1 params in ")
    assert daemon.log == ""


async def test_a_folder_where_the_file_should_be_is_named(make_daemon, tmp_path):
    """Exit code 3, one line."""
    (tmp_path / JOURNAL_FILE).mkdir()
    daemon = make_daemon().launch()
    assert await daemon.ended() == 3
    (line,) = daemon.log.splitlines()
    assert "this is a directory" in line
    assert JOURNAL_FILE in line


@pytest.mark.parametrize(
    ("folder", "reason"),
    [("missing", "there is no folder"), ("/proc", "No such file"), ("long" * 100, "there is no folder")],
)
async def test_a_folder_that_takes_no_files_is_named(make_daemon, folder, reason):
    """Not there, not to be written into, or not even to be looked for."""
    daemon = make_daemon("--journal", f"{folder}/show.db").launch()
    assert await daemon.ended() == 3
    (line,) = daemon.log.splitlines()
    assert "the journal cannot be opened" in line
    assert f"{folder}/show.db" in line
    assert reason in line


@pytest.mark.parametrize("policy", ["stop", "serve"])
async def test_the_database_of_another_program_is_not_touched(make_daemon, tmp_path, policy):
    """It is not damaged, it is not ours: no policy sets it aside."""
    database = sqlite3.connect(tmp_path / JOURNAL_FILE)
    database.execute("CREATE TABLE contacts (name TEXT)")
    database.commit()
    database.close()
    content = (tmp_path / JOURNAL_FILE).read_bytes()
    daemon = make_daemon("--on-journal-error", policy).launch()
    assert await daemon.ended() == 3
    assert "this is the database of another program" in daemon.log
    assert (tmp_path / JOURNAL_FILE).read_bytes() == content


async def test_a_port_that_is_taken_is_told_in_one_line(make_daemon):
    """In the words of the system, without those of the loop."""
    listening, port = taken_port()
    daemon = make_daemon()
    daemon.port = port
    assert await daemon.launch().ended() == 3
    listening.close()
    (line,) = daemon.log.splitlines()
    assert line.endswith(f"ERROR router: cannot listen on 127.0.0.1:{port}: Address already in use")


@pytest.mark.parametrize("wrong", ["--listen=192.0.2.1:0", "--auth=none.toml", "--cert=none.pem"])
def test_a_daemon_that_cannot_start_leaves_no_process_behind(wrong, tmp_path):
    """The journal's had been begun before it was seen that there is no use for it."""
    command = [sys.executable, "-m", "router", "--listen=127.0.0.1:0", "--key=none.key", wrong]
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.DEVNULL, start_new_session=True) as daemon:
        assert daemon.wait() == 3
    look_until(lambda: not is_anybody_left(daemon.pid))
    assert not list(tmp_path.iterdir())


def test_a_daemon_whose_own_modules_cannot_be_loaded_leaves_no_process_behind(tmp_path):
    """It ends, and says what nobody foresaw, also where warnings are errors."""
    broken = (
        "import sys; sys.modules['router.daemon'] = None\n"
        "from router.cli import main; main(['--listen=127.0.0.1:0'])"
    )
    command = [sys.executable, "-W", "error", "-c", broken]
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, start_new_session=True) as daemon:
        try:
            _, told = daemon.communicate(timeout=30)
        finally:
            daemon.kill()
    assert daemon.returncode == 1
    assert told.splitlines()[-1].startswith(b"ModuleNotFoundError: import of router.daemon halted")
    look_until(lambda: not is_anybody_left(daemon.pid))


def is_anybody_left(session):
    """Whether there is a process of a session that was started."""
    try:
        os.killpg(session, 0)
    except ProcessLookupError:
        return False
    return True


async def test_it_runs_without_uvloop(make_daemon, tmp_path, monkeypatch):
    """The router and the process of its journal; slower, but the same."""
    (tmp_path / "uvloop.py").write_text("raise ImportError('not here')\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    daemon = await make_daemon().start()
    peer = await Peer.connect(daemon.port)
    assert (await peer.set("/a", 1)).revision == 1
    peer.hang_up()
    assert await daemon.stop() == 0
    await daemon.start()
    assert "restored 1 params" in daemon.output
    assert await daemon.stop() == 0


async def test_a_second_signal_ends_it_at_once(make_daemon, tmp_path):
    """The router waits no longer for a journal that cannot write; that one goes on alone, and keeps all."""
    daemon = await make_daemon().start()
    peer = await Peer.connect(daemon.port)
    await peer.set("/a", 1)
    daemon.allow_writing(allowed=False)
    await peer.say(make_set("/a", 2), qos=1)
    await daemon.until_unready()
    journal_pid, port = daemon.journal_pid(), daemon.port
    daemon.send(signal.SIGTERM)
    await asyncio.to_thread(look_until, lambda: not is_open(port))
    daemon.send(signal.SIGINT)
    assert await daemon.ended() == 128 + signal.SIGINT
    peer.hang_up()
    let_write(journal_pid)
    async with SqliteJournal(tmp_path / JOURNAL_FILE, lock_wait_s=30) as journal:
        assert [entry.value for entry in await journal.query()] == [1, 2]


def is_open(port):
    """Whether somebody listens there."""
    with socket.socket() as knocking:
        return knocking.connect_ex(("127.0.0.1", port)) == 0


def let_write(pid):
    """Take the limit off the files of a process."""
    unlimited = resource.RLIM_INFINITY
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (unlimited, unlimited))
