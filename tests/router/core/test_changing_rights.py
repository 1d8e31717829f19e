"""Rights that change while everything goes on: whoever hears of an address may read it at that moment."""

from __future__ import annotations

import os
import random

import pytest

from clasp_journal import value as values
from clasp_journal.entry import Phase, SignalType
from router.core.access import Right
from router.wire.messages import (
    Announce,
    Bundle,
    Get,
    Message,
    Publish,
    Query,
    Result,
    Set,
    SignalDef,
    Snapshot,
    Subscribe,
    SubscribeOptions,
)
from tests.router.core.desk import Client
from tests.router.core.gatekeeper import GuardedDesk
from tests.router.core.ports import messages_in

TOKENS = ("read:/one", "read:/two", "read:/three")
SEGMENTS, WORDS = ("a", "b", "*", "**", "a*", "*b"), ("a", "b", "ab")
THINNED = (
    None,
    SubscribeOptions(window_ms=5_000),
    SubscribeOptions(window_ms=9_000),
    SubscribeOptions(max_rate=1, epsilon=0.1),
)
SAMPLE, SOAKED = 20, 2_000
STEPS = 300
ONE = values.encode(1.0)


def addresses_in(message: Message) -> list[str]:
    """What a message tells of."""
    match message:
        case Set() | Publish():
            return [message.address]
        case Snapshot():
            return [param.address for param in message.params]
        case Result():
            return [signal.address for signal in message.signals]
    return []


class Turmoil:
    """Some clients, a desk, and chance."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.desk = GuardedDesk()
        self.scopes = dict.fromkeys(TOKENS, "")
        self.clients = [(token, self.desk.connect(token=token)) for token in TOKENS for _ in range(2)]
        for token in TOKENS:
            self.change(token)

    def pattern(self) -> str:
        return "/" + "/".join(self.chance.choice(SEGMENTS) for _ in range(self.chance.randint(1, 3)))

    def address(self) -> str:
        return "/" + "/".join(self.chance.choice(WORDS) for _ in range(self.chance.randint(1, 2)))

    def change(self, token: str) -> None:
        """It opens something else."""
        count = self.chance.randint(1, 3)
        held = [f"{self.chance.choice(('read', 'read', 'write'))}:{self.pattern()}" for _ in range(count)]
        self.scopes[token] = " ".join(held)
        self.desk.change(token, self.scopes[token])

    def step(self) -> None:
        """Something happens."""
        chance, desk = self.chance, self.desk
        token, client = chance.choice(self.clients)
        pattern = chance.choice(self.scopes[token].split()).partition(":")[2]
        due = desk.now + chance.randint(0, 3_000_000)
        phase = chance.choice(list(Phase))
        wish = Subscribe(chance.randint(1, 4), pattern, chance.choice((0xFF, 1)), chance.choice(THINNED))
        said: list[Message] = [
            *(wish,) * 4,
            Query(pattern),
            Get(self.address()),
            Announce("/", [SignalDef(self.address())]),
            Set(self.address(), ONE, lock=chance.random() < 0.1),
            Bundle([Set(self.address(), ONE), Publish(self.address(), encoded=ONE)], timestamp=due),
        ]
        told = [
            Set(self.address(), values.encode(chance.random())),
            Publish(self.address(), SignalType.STREAM, ONE),
            Publish(self.address(), SignalType.GESTURE, ONE, gesture_id=1, phase=phase),
        ]
        match chance.random():
            case kind if kind < 0.05:
                self.change(token)
            case kind if kind < 0.4:
                self.judge(client, client.say(chance.choice(said)))
            case kind if kind < 0.8:
                desk.root.say(chance.choice(told))
            case _:
                desk.later(chance.random() * 3)

    def judge(self, client: Client, heard: list[Message]) -> None:
        """What somebody has heard just now."""
        for message in heard:
            for address in addresses_in(message):
                assert client.session.access.may(Right.READ, address), message

    def judge_all(self) -> None:
        """What everybody has heard, and what was written."""
        for _, client in self.clients:
            self.judge(client, client.heard())
        for session, packed, _ in self.desk.ports.recorded:
            for message in messages_in(packed):
                assert all(session.access.may(Right.WRITE, address) for address in addresses_in(message))
        self.desk.ports.recorded.clear()
        self.desk.root.heard()


def live_through(seed: int) -> None:
    """Many steps, after each of which everything is judged."""
    turmoil = Turmoil(seed)
    for _ in range(STEPS):
        turmoil.step()
        turmoil.judge_all()


@pytest.mark.parametrize("seed", range(SAMPLE))
def test_nobody_hears_or_writes_what_is_not_open_at_that_moment(seed):
    """Whatever waits, is thinned out, is scheduled or is on its way when rights change."""
    live_through(seed)


@pytest.mark.soak
def test_nobody_ever_hears_or_writes_what_is_not_open_at_that_moment():
    """With other seeds each time; the one that failed is told."""
    first = int.from_bytes(os.urandom(4))
    for seed in range(first, first + SOAKED):
        print("seed", seed)
        live_through(seed)
