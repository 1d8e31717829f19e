"""The two published clients at one router: what one of them does, the other one hears."""

import asyncio

from router.client import connect
from tests.interop.python_peer import python_client


async def flushed(node, client):
    """Wait until the router has handled all that the JavaScript client has sent: a GET comes after it."""
    mark = f"/flushed/{client}/{len(node.events)}"
    await node.call(client, "set", mark, 1)
    assert await node.call(client, "get", mark) == 1


async def joined(node, router):
    """Connect a JavaScript client named js; the id of its session."""
    return await node.do("connect", client="js", url=router.url, options={"reconnect": False})


async def test_values_keep_their_type_from_one_to_the_other(node, router):
    """Texts, bytes, nothing and trees both ways; a number of JavaScript is a float for Python."""
    values = {
        "empty": ["", b"", [], {}],
        "text": "日本🎚\0end",
        "bytes": bytes(range(256)),
        "tree": {"": [{"ü": [True, None, b"x", -0.5]}]},
        "null": None,
    }
    await joined(node, router)
    async with python_client(router.url) as python:
        python.listen("/to/python/*")
        await python.flush()
        await node.do("subscribe", client="js", subscription="js", pattern="/to/js/*")
        await flushed(node, "js")
        for name, value in values.items():
            await python.set(f"/to/js/{name}", value)
            await node.call("js", "set", f"/to/python/{name}", value)
        await python.bundle([{"set": [f"/to/js/again/{name}", value]} for name, value in values.items()])
        await node.call("js", "set", "/to/python/number", 3)
        assert await node.updates("js", len(values)) == [
            (f"/to/js/{name}", one) for name, one in values.items()
        ]
        for name, value in values.items():
            assert await node.call("js", "get", f"/to/js/again/{name}") == value
        await python.until(lambda: len(python.heard) > len(values))
        heard = [(f"/to/python/{name}", one) for name, one in values.items()]
        assert repr(python.heard) == repr([*heard, ("/to/python/number", 3.0)])


async def test_peers_find_each_other_and_talk_in_private(node, router):
    """Announced to all, then session to session: no pattern of a third one sees it; nobody there is 404."""
    session = await joined(node, router)
    async with python_client(router.url) as python, python_client(router.url) as third:
        third.listen("/**")
        python.listen("/clasp/p2p/**")
        await asyncio.gather(python.flush(), third.flush())
        own = f"/clasp/p2p/signal/{session}"
        await node.do("subscribe", client="js", subscription="private", pattern=own)
        await node.call("js", "emit", "/clasp/p2p/announce", {"id": session})
        await python.until(lambda: python.heard == [("/clasp/p2p/announce", {"id": session})])
        await python.emit(own, {"sdp": "offer"})
        assert await node.updates("private", 1) == [(own, {"sdp": "offer"})]
        await node.call("js", "emit", f"/clasp/p2p/signal/{python.session_id}", {"sdp": "answer"})
        await python.until(
            lambda: python.heard[1:] == [(f"/clasp/p2p/signal/{python.session_id}", {"sdp": "answer"})]
        )
        await python.emit("/clasp/p2p/signal/nobody", 1)
        await asyncio.gather(python.flush(), third.flush())
        assert [message["code"] for message in python.messages if message["type"] == "ERROR"] == [404]
        assert [address for address, _ in third.heard] == ["/clasp/p2p/announce"]


async def test_who_unsubscribes_hears_no_more_of_it_and_all_of_the_rest(node, router):
    """Two overlapping subscriptions bring one copy each; ending one leaves the other."""
    await joined(node, router)
    async with python_client(router.url) as python:
        end_narrow = python.subscribe("/o/*", lambda value, address: python.heard.append(("narrow", value)))
        end_wide = python.subscribe("/o/**", lambda value, address: python.heard.append(("wide", value)))
        await python.flush()
        await node.do("subscribe", client="js", subscription="narrow", pattern="/o/*")
        await node.do("subscribe", client="js", subscription="wide", pattern="/o/**")
        await flushed(node, "js")
        await python.set("/o/1", 1)
        await node.updates("wide", 1)
        await node.do("unsubscribe", client="js", subscription="narrow")
        end_narrow()
        await asyncio.gather(python.flush(), flushed(node, "js"))
        await python.set("/o/1", 2)
        await python.flush()
        assert python.heard == [("narrow", 1), ("wide", 1), ("wide", 2)]
        assert await node.updates("wide", 2) == [("/o/1", 1), ("/o/1", 2)]
        assert await node.updates("narrow", 1) == [("/o/1", 1)]
        end_wide()
        await python.flush()
        sets = python.count("SET")
        await python.set("/o/1", 3)
        await node.updates("wide", 3)
        await python.flush()
        assert python.count("SET") == sets
        assert len([event for event in node.events if event.get("subscription") == "narrow"]) == 1


async def test_subscription_options_that_make_no_sense_thin_nothing_out(node, router):
    """A rate of zero or below, an epsilon that is negative or no number: everything arrives."""
    odd = {
        "zero": {"maxRate": 0},
        "part": {"maxRate": 0.5},
        "less": {"epsilon": -1.0},
        "nan": {"epsilon": float("nan")},
    }
    await joined(node, router)
    async with python_client(router.url) as python:
        for name, options in odd.items():
            await node.do("subscribe", client="js", subscription=name, pattern=f"/{name}/*", options=options)
        await flushed(node, "js")
        for name in odd:
            for n in range(5):
                await python.set(f"/{name}/level", n / 10)
        for name in odd:
            heard = await node.updates(name, 5)
            assert heard == [(f"/{name}/level", n / 10) for n in range(5)]


async def test_history_comes_before_the_present_and_small_changes_do_not(node, router):
    """What JavaScript has set, Python asks for with `history`, and then only for changes of a whole."""
    await joined(node, router)
    async with connect(router.url) as ours, python_client(router.url) as python:
        for n in range(4):
            await node.call("js", "set", "/h/level", n)
        await flushed(node, "js")
        await ours.set("/h/committed", True)
        python.listen("/h/level", history=3, epsilon=1.0)
        await python.flush()
        await python.until(lambda: len(python.heard) >= 4)
        for value in (5, 5.4, 5.9, 6, 8):
            await node.call("js", "set", "/h/level", value)
        await python.until(lambda: ("/h/level", 8) in python.heard)
        assert [value for _, value in python.heard] == [1, 2, 3, 3, 5, 6, 8]
