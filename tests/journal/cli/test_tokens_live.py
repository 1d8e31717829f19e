"""The tool at a router with tokens: what its token permits it does, and what it does not ends with 4."""

import asyncio

import pytest

from clasp_journal.cli.exits import Exit
from router.client import connect
from tests.interop.router_process import running_router
from tests.journal.cli.evening import lines
from tests.journal.cli.tool import run
from tests.router.auth.keys import Keys

SCOPES = {
    "root": ("admin:/**",),
    "reader": ("read:/**", "write:/**"),
    "past": ("history:/a/**",),
}

PERMITTED = {
    ("query", "/a/**", "-n", "all"): 3,
    ("query", "/a/x", "/a/y", "-n", "all", "--changed"): 3,
    ("state",): 2,
    ("history", "/a/x"): 2,
    ("who", "/a/**"): 1,
}
"""With history of `/a/**`: how many lines each call gives."""

FORBIDDEN = (
    ("query",),
    ("query", "/b"),
    ("tail", "/b"),
    ("get", "/b", "--at", "now"),
    ("stats",),
    ("mark", "here"),
    ("compact", "--before", "seq:2", "--yes"),
    ("undo", "/a/**", "--to", "seq:1", "--yes"),
)


@pytest.fixture
async def guarded(tmp_path):
    """The URL of a router where everybody needs a token, and a token for each kind of person."""
    keys = Keys(tmp_path)
    tokens = keys.make_all(SCOPES)
    async with running_router(tmp_path, "--auth", str(keys.path)) as router:
        async with connect(router.url, token=tokens["root"]) as client:
            for value, address in enumerate(("/a/x", "/a/y", "/b", "/a/x")):
                await client.set(address, value)
        yield router.url, tokens


async def test_a_token_for_some_of_the_past_shows_that_much(guarded, tmp_path):
    """What is asked inside is answered; what is asked of everything is narrowed where it can be."""
    url, tokens = guarded
    ran = await asyncio.gather(
        *(run(tmp_path, *call, "--url", url, CLASP_TOKEN=tokens["past"]) for call in PERMITTED)
    )
    for call, done in zip(PERMITTED, ran, strict=True):
        assert (done.code, len(lines(done.out))) == (Exit.OK, PERMITTED[call]), (call, done)
        assert "/b" not in done.out


async def test_what_the_token_does_not_permit_ends_with_4(guarded, tmp_path):
    """Asked or told; and so does a token that is wrong, or none."""
    url, tokens = guarded
    ran = await asyncio.gather(
        *(run(tmp_path, *call, "--url", url, CLASP_TOKEN=tokens["past"]) for call in FORBIDDEN),
        run(tmp_path, "query", "--url", url, CLASP_TOKEN=tokens["reader"]),
        run(tmp_path, "stats", "--url", url, CLASP_TOKEN="cpsk_wrong"),
        run(tmp_path, "stats", "--url", url),
    )
    assert [done.code for done in ran] == [Exit.FORBIDDEN] * len(ran), ran
    assert not any("/b" in done.out or "cpsk_wrong" in done.err for done in ran)


async def test_admin_over_everything_changes_the_journal(guarded, tmp_path):
    """In the name of its subject."""
    url, tokens = guarded
    for call in (("mark", "here"), ("compact", "--before", "seq:2", "--yes")):
        done = await run(tmp_path, *call, "--url", url, CLASP_TOKEN=tokens["root"])
        assert done.code == Exit.OK, (call, done)
    shown = await run(tmp_path, "marks", "--url", url, CLASP_TOKEN=tokens["root"])
    assert "here" in shown.out
