"""The journal's process under test: a real child, a real file."""

from contextlib import asynccontextmanager

from clasp_journal.journal import Results
from clasp_journal.selection import Selection
from clasp_journal.sqlite import SqliteJournal
from router.recording.options import JournalOptions
from router.recording.recorder_process import ProcessRecorder
from tests.router.recording.keeping_books import started


@asynccontextmanager
async def child(path, **options):
    """A started recorder with its process; stopped at the end."""
    recorder = ProcessRecorder(JournalOptions(str(path), **options))
    async with started(recorder) as listener:
        yield recorder, listener


async def entries_in(path):
    """Everything that is in a file, read the way any other program would."""
    async with SqliteJournal(path, read_only=True) as journal:
        return [entry async for entry in Results(journal, Selection())]


async def values_in(path):
    """The values in a file, in order: with `sets`, the places in its row."""
    return [entry.value for entry in await entries_in(path)]
