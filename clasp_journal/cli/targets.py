"""Which journal a verb is about: a file, or the one of a live router.

    --db FILE  >  --url ws://…  >  $CLASP_JOURNAL_DB  >  $CLASP_URL  >  ./clasp-journal.db

Laws: stderr says which one it is; a verb is written once, for a `Journal`, and works on either; reading a
file never writes it and needs no lock; what goes wrong with a router comes out as an `Ending`.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, NamedTuple

from clasp_journal.cli.exits import Ending, Exit
from clasp_journal.cli.securing import NO_FILES, TlsFiles
from clasp_journal.cli.stderr import say
from clasp_journal.journal import Journal

if TYPE_CHECKING:
    from clasp_journal.sqlite import SqliteJournal
    from router.client import Client

DEFAULT_FILE = "clasp-journal.db"
CLIENT_NAME = "clasp-journal"
FILE_VARIABLE, URL_VARIABLE, TOKEN_VARIABLE = "CLASP_JOURNAL_DB", "CLASP_URL", "CLASP_TOKEN"
SCHEMES = ("ws://", "wss://")

_TOKEN_CODES = (300, 301, 302)
_NAMING_CODES = (200, 202)


class Target(NamedTuple):
    """A journal that is not open yet: exactly one of `path` and `url`."""

    path: str | None
    url: str | None
    chosen_by: str
    """What named it: a flag, a variable, or the default."""
    quiet: bool = False
    tls: TlsFiles = NO_FILES
    """By which it and a router know each other over wss://."""

    @property
    def is_live(self) -> bool:
        """Whether it is a router that is asked."""
        return self.url is not None

    @asynccontextmanager
    async def journal(self, *, lasting: bool = False) -> AsyncIterator[Journal]:
        """The open journal, to be read; if `lasting`, a router that goes is waited for until it is back."""
        if self.path is not None:
            async with self._file(read_only=True) as journal:
                yield journal
            return
        from router.client.journal import RemoteJournal

        async with self.client(lasting=lasting) as client:
            yield await RemoteJournal.open(client)

    @asynccontextmanager
    async def writable(self) -> AsyncIterator[SqliteJournal]:
        """The open file, with its lock; a live router that holds it is named in the error."""
        if self.path is None:
            raise Ending(Exit.USAGE, "this works on a file only: name it with --db FILE")
        async with self._file(read_only=False) as journal:
            yield journal

    @asynccontextmanager
    async def fresh_or_writable(self) -> AsyncIterator[SqliteJournal]:
        """The open file, with its lock, or a new file, which is removed again if the work fails."""
        if self.path is None or await asyncio.to_thread(os.path.exists, self.path):
            async with self.writable() as journal:
                yield journal
            return
        from clasp_journal.sqlite import SqliteJournal
        from clasp_journal.sqlite.fresh import remove

        self.tell(self.path)
        try:
            async with SqliteJournal(self.path) as journal:
                yield journal
        except BaseException:
            remove(self.path)
            raise

    @asynccontextmanager
    async def client(
        self, *, lasting: bool = False, on_error: Callable[[Exception], None] | None = None
    ) -> AsyncIterator[Client]:
        """A connection to the router; if `lasting`, it comes back by itself."""
        if self.url is None:
            raise Ending(Exit.USAGE, "this goes through a router: name it with --url ws://HOST:PORT")
        from router.client import ClientError, connect

        self.tell(self.url)
        try:
            token = os.environ.get(TOKEN_VARIABLE)
            opening = connect(
                self.url,
                name=CLIENT_NAME,
                token=token,
                reconnect=lasting,
                on_error=on_error or _Once(),
                ssl=self.tls.context() if self.url.startswith("wss://") else None,
            )
            async with opening as client:
                yield client
        except ClientError as fault:
            raise _ending_of(fault, self.url) from fault

    @asynccontextmanager
    async def _file(self, *, read_only: bool) -> AsyncIterator[SqliteJournal]:
        assert self.path is not None
        hint = "; name a journal with --db FILE, or a router with --url ws://HOST:PORT"
        await asyncio.to_thread(must_be_there, self.path, hint)
        from clasp_journal.sqlite import SqliteJournal

        self.tell(self.path)
        async with SqliteJournal(self.path, read_only=read_only) as journal:
            yield journal

    def tell(self, place: str) -> None:
        """Say on stderr which journal it is."""
        if not self.quiet:
            say(f"journal: {place} ({self.chosen_by})")


def must_be_there(path: str, hint: str = "") -> None:
    """Otherwise an `Ending` that says why the file cannot be had."""
    try:
        os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        raise Ending(Exit.UNREACHABLE, f"there is no file {path}{hint}") from None
    except OSError as error:
        raise Ending(Exit.UNREACHABLE, f"{path}: {error.strerror}") from None


def choose_target(
    db: str | None,
    url: str | None,
    environment: Mapping[str, str],
    *,
    quiet: bool = False,
    tls: TlsFiles = NO_FILES,
) -> Target:
    """The journal that flags and variables name; otherwise an `Ending` that says what is wrong."""
    if db is not None and url is not None:
        raise Ending(Exit.USAGE, "--db and --url name two journals: give one of them")
    for flag, given in (("--db", db), ("--url", url)):
        if given == "":
            raise Ending(Exit.USAGE, f"{flag} names no {'file' if flag == '--db' else 'router'}: it is empty")
    for named, chosen_by in (
        (db, "--db"),
        (url, "--url"),
        (environment.get(FILE_VARIABLE), f"${FILE_VARIABLE}"),
        (environment.get(URL_VARIABLE), f"${URL_VARIABLE}"),
    ):
        if named:
            return _target(named, chosen_by)._replace(quiet=quiet, tls=tls.or_from(environment))
    return Target(DEFAULT_FILE, None, "the default", quiet)


def _target(named: str, chosen_by: str) -> Target:
    is_url = named.startswith(SCHEMES)
    if is_url and _names_a_host(named):
        return Target(None, named, chosen_by)
    if is_url or chosen_by in ("--url", f"${URL_VARIABLE}"):
        raise Ending(Exit.USAGE, f"{named!r} is no URL of a router; an example: ws://127.0.0.1:7330")
    return Target(named.removeprefix("sqlite:"), None, chosen_by)


def _names_a_host(url: str) -> bool:
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(url)
        return bool(parts.hostname) and parts.port != 0
    except ValueError:
        # The port is none.
        return False


class _Once:
    """Tells a fault once, however often it is met again."""

    def __init__(self) -> None:
        self._last = ""

    def __call__(self, fault: Exception) -> None:
        if str(fault) != self._last:
            self._last = str(fault)
            say(self._last)


def _ending_of(fault: Exception, url: str) -> Ending:
    """What a fault of the client means for the tool."""
    from router.client import JournalRefused, JournalStatus, Refused

    reason = str(fault) if url in str(fault) else f"{url}: {fault}"
    if isinstance(fault, JournalRefused):
        codes: dict[int | None, Exit] = {
            JournalStatus.BAD_ARGUMENTS: Exit.USAGE,
            JournalStatus.INCOMPLETE: Exit.INCOMPLETE,
        }
        return Ending(codes.get(fault.status, Exit.UNREACHABLE), fault.reason)
    if isinstance(fault, Refused) and fault.code in _TOKEN_CODES:
        return Ending(Exit.FORBIDDEN, reason)
    if isinstance(fault, Refused) and fault.code in _NAMING_CODES:
        return Ending(Exit.USAGE, reason)
    return Ending(Exit.UNREACHABLE, reason)
