"""A router with rules in its file: what they let go is gone, what they keep is whole, readers are told."""

from clasp_journal.cli.exits import Exit
from tests.e2e.peer import Peer
from tests.e2e.router_process import JOURNAL_FILE
from tests.journal.cli.evening import lines
from tests.journal.cli.tool import run_all
from tests.router.recording.thinned_file import until_thinned

FILE = """
thin-after = "0s"
rules = ["/meters/master keep", "/meters/** sample 1d", "/cursor/** last-only", "/debug/** never"]
"""
HERE = ("-q", "--db", JOURNAL_FILE)
SETS = 20


async def test_rules_hold_over_a_restart_and_readers_are_told(make_router, tmp_path):
    """Over a whole life of a router: state, revisions, exit codes and words."""
    (tmp_path / "clasp-router.toml").write_text(FILE)
    router = await make_router().start()
    assert "; rules: 4;" in router.output
    peer = await Peer.connect(router.port)
    for number in range(SETS):
        for address in ("/meters/master", "/meters/left", "/cursor/1", "/debug/1"):
            await peer.set(address, number)
    assert (await peer.get("/debug/1")).value == SETS - 1
    peer.hang_up()
    await router.stop()
    await router.start()
    acts = await until_thinned(tmp_path / JOURNAL_FILE, rules=2)
    assert acts["last-only"].entries == SETS - 1
    peer = await Peer.connect(router.port)
    assert (await peer.get("/cursor/1")).value == SETS - 1
    assert (await peer.set("/meters/left", "new")).revision == SETS + 1
    assert (await peer.set("/debug/1", "anew")).revision == 1
    peer.hang_up()
    await router.stop()
    cursor, master, whole, then, now, verified = await run_all(
        tmp_path,
        ("query", "/cursor/**", "-S", "seq:1", *HERE),
        ("query", "/meters/master", "-S", "seq:1", *HERE),
        ("query", "/cursor/**", *HERE),
        ("state", "/cursor/**", "--at", "seq:10", *HERE),
        ("state", *HERE),
        ("verify", "--full", *HERE),
    )
    assert [record["value"] for record in lines(cursor.out)] == [SETS - 1]
    assert cursor.code == Exit.INCOMPLETE
    assert "entries of /cursor/** between " in cursor.err
    assert "were thinned: last-only" in cursor.err
    assert (master.code, len(lines(master.out))) == (0, SETS)
    assert (whole.code, len(lines(whole.out))) == (0, 1)
    assert (then.code, "were thinned: last-only" in then.err) == (Exit.INCOMPLETE, True)
    values = {record["address"]: record["value"] for record in lines(now.out)}
    assert values == {"/meters/master": SETS - 1, "/meters/left": "new", "/cursor/1": SETS - 1}
    assert verified.code == 0, verified.out
    assert lines(verified.out)[0]["thinned"] >= 2 * SETS - 3
