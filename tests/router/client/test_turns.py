"""One at a time for each key, in order, whatever is cancelled."""

import asyncio

import pytest

from router.client.turns import Turns


async def start(turns: Turns, *keys: str) -> asyncio.Task[tuple[str, ...]]:
    """Ask for a turn, and be in line for it."""
    task = asyncio.create_task(turns.take(keys))
    await asyncio.sleep(0)
    return task


async def test_who_came_first_goes_first():
    """A key is handed on in the order of asking."""
    turns = Turns()
    assert await turns.take(["a", "a"]) == ("a",)
    second, third = await start(turns, "a"), await start(turns, "a")
    turns.give_back(["a"])
    await second
    assert not third.done()
    turns.give_back(["a"])
    await third


async def test_other_keys_do_not_wait():
    """Requests about different addresses are independent."""
    turns = Turns()
    await turns.take(["a"])
    await turns.take(["b"])


async def test_many_keys_are_taken_together_without_deadlock():
    """Two who want the same keys in different orders both get them."""
    turns = Turns()
    first = await turns.take(["b", "a"])
    second = await start(turns, "a", "b")
    turns.give_back(first)
    assert await second == ("a", "b")


@pytest.mark.parametrize("is_given_before", [False, True])
async def test_a_cancelled_wait_costs_nobody_a_turn(is_given_before):
    """Whether it was cancelled while waiting, or just when its turn had come."""
    turns = Turns()
    await turns.take(["a"])
    impatient, patient = await start(turns, "a"), await start(turns, "a")
    if is_given_before:
        turns.give_back(["a"])
        impatient.cancel()
    else:
        impatient.cancel()
        await asyncio.sleep(0)
        turns.give_back(["a"])
    await patient
    assert impatient.cancelled()


async def test_a_cancelled_wait_gives_back_what_it_had_already():
    """Of two keys the one that was free is free again."""
    turns = Turns()
    await turns.take(["b"])
    waiting = await start(turns, "a", "b")
    waiting.cancel()
    await asyncio.wait([waiting])
    await turns.take(["a"])
