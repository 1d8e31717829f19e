"""The patience with peers, told the time: who is asked, who is given up, who is merely idle."""

import pytest

from router.transports.keepalive import Keepalive, Signs, Verdict
from router.transports.patience import PatientClock

PING_AFTER_S = 20.0


def judge_each_second(keepalive, until_s, signs_at):
    """The verdicts other than LEAVE, with their seconds."""
    verdicts = [(now_s, keepalive.judge(now_s, signs_at(now_s))) for now_s in range(1, until_s + 1)]
    return [(now_s, verdict) for now_s, verdict in verdicts if verdict is not Verdict.LEAVE]


def test_silence_is_asked_once_and_given_up_after_as_long_again():
    """20 s and 20 s, as the defaults have it."""
    silent = judge_each_second(Keepalive(PING_AFTER_S, 0, 0), 40, lambda _: Signs(0, 0, False))
    assert silent == [(20, Verdict.PING), (40, Verdict.SILENT)]


def test_any_byte_starts_the_count_anew():
    """Here the pong comes 15 s after the ping."""
    heard = judge_each_second(Keepalive(PING_AFTER_S, 0, 0), 75, lambda now_s: Signs(now_s // 35, 0, False))
    assert heard == [(20, Verdict.PING), (55, Verdict.PING)]


def test_who_cannot_be_heard_is_excused():
    """And once he can be heard again, the count starts from there."""
    signs = judge_each_second(Keepalive(PING_AFTER_S, 0, 0), 121, lambda now_s: Signs(0, 0, now_s <= 100))
    assert signs == [(120, Verdict.PING)]


@pytest.mark.parametrize("session_timeout_s", [1.0, 30.0, 300.0])
def test_a_session_without_traffic_ends_although_bytes_are_heard(session_timeout_s):
    """Pongs are bytes and no traffic."""
    keepalive = Keepalive(PING_AFTER_S, session_timeout_s, 0)
    idle = judge_each_second(keepalive, int(session_timeout_s), lambda now_s: Signs(now_s, 0, False))
    assert idle == [(session_timeout_s, Verdict.IDLE)]


def test_traffic_keeps_a_session():
    """Whatever its direction, the count of bytes is one."""
    keepalive = Keepalive(0, 30.0, 0)
    assert not judge_each_second(keepalive, 1000, lambda now_s: Signs(0, now_s // 29, False))


def test_zero_is_endless_patience():
    """Both limits can be switched off."""
    assert not judge_each_second(Keepalive(0, 0, 0), 100_000, lambda _: Signs(0, 0, False))


def test_time_stands_still_while_the_router_does():
    """However long it was, a step is what passes; otherwise it is the time that it is."""
    steady_s = iter((100.0, 100.5, 101.25, 500.0, 500.5))
    clock = PatientClock(steady_s.__next__, 1.0)
    assert [clock.read() for _ in range(4)] == [100.5, 101.25, 102.25, 102.75]
