"""A journal that is killed while its file is made is made by the next who opens it."""

import shutil
from pathlib import Path

from clasp_journal.sqlite.journal import SqliteJournal
from tests.crash.disk import Act, Disk, read_log
from tests.crash.model import entry_at
from tests.crash.shim import Shim, run_child
from tests.crash.test_power_cut import FILE, write_files

NO_STEPS, NO_SHARE = "0", "0.0"


async def test_a_creation_that_is_killed_anywhere_is_finished_by_the_next(shim: Shim, tmp_path: Path) -> None:
    """After each write, each truncation and each change of a name the process is gone; nothing else is."""
    root, log = tmp_path / "made", tmp_path / "log"
    root.mkdir()
    child = (str(root / FILE), "0", "1", NO_SHARE, NO_SHARE)
    run_child("tests.crash.workload", *child, environment=shim.environment(root, log=log))
    records = read_log(log)
    changes = {at for at, record in enumerate(records, 1) if record.act not in (Act.MARK, Act.SYNC)}
    hot = 0
    for number in sorted(changes):
        disk = Disk({})
        disk.do(records[:number])
        after = tmp_path / "after"
        write_files(after, disk.seen())
        hot += (after / f"{FILE}-journal").exists()
        async with SqliteJournal(after / FILE) as journal:
            before = await journal.latest_seq()
            assert await journal.append(entry_at(before + 1)._replace(seq=0), synced=True) == before + 1
            assert (await journal.verify()).problems == []
        shutil.rmtree(after)
    assert hot, "at no moment there was a rollback journal: this proves less than it says"
