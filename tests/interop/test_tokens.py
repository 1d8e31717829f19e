"""The published clients, unchanged, at a router with tokens: they carry theirs, and bear what is refused."""

from typing import NamedTuple

import pytest
from clasp.client import ClaspError

from router.client import Client, connect
from tests.interop.node_peer import NodeError
from tests.interop.python_peer import Watched, python_client
from tests.interop.router_process import running_router
from tests.router.auth.keys import Keys

UNKNOWN = "cpsk_00000000000000000000000000000000"
REASONS = {None: "this router asks for a token", UNKNOWN: "the token is not valid here"}


class Guarded(NamedTuple):
    """A router where everybody needs a token."""

    url: str
    board: str
    """A token that reads below `/a` and writes `/a/b`."""
    root: Client
    """One who may do everything."""


@pytest.fixture
async def guarded(tmp_path):
    """With a param inside and one outside of what the board may read."""
    keys = Keys(tmp_path)
    board = keys.make("board", "read:/a/**", "write:/a/b")
    root = keys.make("root", "admin:/**")
    async with (
        running_router(tmp_path, "--auth", str(keys.path)) as router,
        connect(router.url, token=root) as ours,
    ):
        await ours.set("/a/b", 1)
        await ours.set("/secret", 2)
        yield Guarded(router.url, board, ours)


async def unchanged_but_for_one(guarded, value):
    """What the board could write is written in its subject's name; nothing else is."""
    param = await guarded.root.get_param("/a/b")
    assert (param.value, param.writer) == (value, "board")
    assert await guarded.root.get("/secret") == 2


async def test_the_python_client_does_what_its_token_permits(guarded):
    """It is told what it may read, and lives through refusals."""
    async with python_client(guarded.url, name="b", token=guarded.board) as client:
        client.listen("/a/**")
        await client.flush()
        await client.set("/a/b", 5)
        await client.set("/secret", 6)
        client.listen("/**")
        await client.flush()
        errors = [message for message in client.messages if message["type"] == "ERROR"]
        assert [(error["code"], error["address"]) for error in errors] == [(301, "/secret"), (301, "/**")]
        assert {address for address, _ in client.heard} == {"/a/b"}
        assert await client.get("/a/b") == 5
    await unchanged_but_for_one(guarded, 5)


async def test_the_javascript_client_does_what_its_token_permits(guarded, node):
    """The same."""
    await node.do("connect", client="a", url=guarded.url, options={"token": guarded.board})
    await node.do("subscribe", client="a", subscription="mine", pattern="/a/**")
    assert await node.updates("mine", 1) == [("/a/b", 1)]
    await node.do("subscribe", client="a", subscription="all", pattern="/**")
    await node.call("a", "set", "/secret", 6)
    await node.call("a", "set", "/a/b", 5)
    assert await node.updates("mine", 2) == [("/a/b", 1), ("/a/b", 5)]
    assert [event for event in node.events if event.get("address") == "/secret"] == []
    await unchanged_but_for_one(guarded, 5)


@pytest.mark.parametrize("token", REASONS)
async def test_the_python_client_is_refused_without_a_good_token(guarded, token):
    """Its call to connect ends, because the router closes, and says why."""
    client = Watched(guarded.url, token=token, reconnect=False)
    with pytest.raises(ClaspError, match=REASONS[token]):
        await client.connect()


@pytest.mark.parametrize("token", REASONS)
async def test_the_javascript_client_is_refused_without_a_good_token(guarded, node, token):
    """The same."""
    options = {"reconnect": False} if token is None else {"reconnect": False, "token": token}
    with pytest.raises(NodeError, match=REASONS[token]):
        await node.do("connect", client="a", url=guarded.url, options=options)
