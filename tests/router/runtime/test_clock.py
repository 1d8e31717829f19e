"""The router's time when somebody sets the clock of the machine."""

from hypothesis import given
from hypothesis import strategies as st

from router.runtime.clock import SLOWED_BY, Clock

START_US = 1_700_000_000_000_000
SECOND_US = 1_000_000
HOUR_US = 3_600 * SECOND_US


class Machine:
    """A machine whose clock can be set; time passes when the test says so."""

    def __init__(self) -> None:
        self.wall_us = START_US
        self._steady_us = 5_000
        self.clock = Clock(lambda: self.wall_us * 1_000, lambda: self._steady_us * 1_000)

    def pass_on(self, us: int) -> None:
        """Let time pass."""
        self.wall_us += us
        self._steady_us += us


def test_a_clock_that_nobody_sets_is_the_time():
    """To the microsecond."""
    machine = Machine()
    for us in (0, 1, 999, 10 * SECOND_US, HOUR_US):
        machine.pass_on(us)
        assert machine.clock.read() == machine.wall_us


def test_a_clock_that_is_set_forward_is_followed_at_once():
    """True time is what entries are to carry."""
    machine = Machine()
    machine.clock.read()
    machine.wall_us += HOUR_US
    assert machine.clock.read() == START_US + HOUR_US


def test_a_clock_that_is_set_back_does_not_stop_the_time():
    """Nor does it lose what has passed unread: ten quiet seconds with the step in them are about ten."""
    machine = Machine()
    before = machine.clock.read()
    machine.wall_us -= HOUR_US
    machine.pass_on(10 * SECOND_US)
    passed = machine.clock.read() - before
    assert 0.9 * 10 * SECOND_US <= passed <= 10 * SECOND_US


def test_both_agree_again_in_the_end():
    """After sixteen times as long as the step, and from then on to the microsecond."""
    machine = Machine()
    machine.clock.read()
    machine.wall_us -= 60 * SECOND_US
    for _ in range(60 * SLOWED_BY + 2):
        machine.pass_on(SECOND_US)
        machine.clock.read()
    assert machine.clock.read() == machine.wall_us


def test_readings_in_quick_succession_do_not_lose_time():
    """Ten thousand, each a microsecond after the one before, are about ten milliseconds."""
    machine = Machine()
    before = machine.clock.read()
    machine.wall_us -= HOUR_US
    for _ in range(10_000):
        machine.pass_on(1)
        last = machine.clock.read()
    assert 9_000 <= last - before <= 10_000


@given(st.lists(st.tuples(st.integers(0, HOUR_US), st.integers(-10 * HOUR_US, 10 * HOUR_US)), max_size=30))
def test_it_never_goes_back_and_hurries_only_after_the_wall_clock(steps):
    """Whatever is done: between two readings passes what really passed, or the time is the wall's."""
    machine = Machine()
    last = machine.clock.read()
    for passed, step in steps:
        machine.wall_us += step
        machine.pass_on(passed)
        now = machine.clock.read()
        assert now >= machine.wall_us
        assert now >= last + passed * (SLOWED_BY - 1) // SLOWED_BY - 2
        assert now == machine.wall_us or now <= last + passed + 2
        last = now
