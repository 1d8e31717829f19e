"""Gestures: which moves are held back, for how long, and what always passes."""

from clasp_journal import value as values
from clasp_journal.entry import Phase, SignalType
from router.wire.messages import Publish
from tests.router.core.desk import Desk

WINDOW_S = 0.016


def gesture(phase, value=0, gesture_id=1, address="/g"):
    """One message of a gesture."""
    return Publish(
        address, SignalType.GESTURE, values.encode(value), gesture_id=gesture_id, phase=Phase(phase)
    )


def performed(desk):
    """A sender, and a reader of everything."""
    sender, reader = desk.connect(), desk.connect()
    sender.subscribe("/**")
    reader.subscribe("/**")
    return sender, reader


def test_start_end_and_cancel_always_pass_in_order(desk):
    """At once, and however fast they come."""
    sender, reader = performed(desk)
    phases = [Phase.START, Phase.END, Phase.START, Phase.CANCEL, Phase.END, Phase.START]
    for phase in phases:
        sender.say(gesture(phase))
    assert [message.phase for message in reader.heard()] == phases


def test_moves_are_thinned_to_the_newest_of_a_window(desk):
    """The first passes at once, then one in 16 ms, and the last always."""
    sender, reader = performed(desk)
    for value in range(5):
        sender.say(gesture(Phase.MOVE, value))
    assert reader.values() == [0]
    desk.later(WINDOW_S - 0.001)
    assert reader.values() == []
    desk.later(0.001)
    assert reader.values() == [4]
    sender.say(gesture(Phase.MOVE, 5))
    assert reader.values() == []
    desk.later(WINDOW_S)
    assert reader.values() == [5]


def test_moves_that_come_slowly_are_not_held_back(desk):
    """A window that has passed without a move is over."""
    sender, reader = performed(desk)
    for value in range(3):
        sender.say(gesture(Phase.MOVE, value))
        assert reader.values() == [value]
        desk.later(2 * WINDOW_S)
    assert desk.core.ground.agenda.next_due is None


def test_the_end_comes_after_the_move_that_still_waits(desk):
    """And the move is not told again when its window ends."""
    sender, reader = performed(desk)
    for phase, value in ((Phase.START, 0), (Phase.MOVE, 1), (Phase.MOVE, 2), (Phase.END, 3)):
        sender.say(gesture(phase, value))
    assert reader.values() == [0, 1, 2, 3]
    desk.later(1)
    assert reader.values() == []


def test_the_end_comes_after_the_move_even_if_the_address_was_forgotten_between():
    """Addresses that only pass by are remembered up to a limit; the gesture goes on all the same."""
    desk = Desk(passing_topics=1)
    sender, reader = performed(desk)
    sender.say(gesture(Phase.MOVE, 1))
    sender.say(gesture(Phase.MOVE, 2))
    sender.publish("/other", "x")
    sender.say(gesture(Phase.END, 3))
    assert reader.values() == [1, "x", 2, 3]


def test_gestures_are_told_apart_by_address_id_and_maker(desk):
    """Each has a window of its own; no id is the id 0."""
    sender, reader = performed(desk)
    other = desk.connect()
    for hand, gesture_id, address in (
        (sender, 1, "/g"),
        (sender, 2, "/g"),
        (sender, 1, "/h"),
        (other, 1, "/g"),
        (sender, None, "/g"),
    ):
        hand.say(gesture(Phase.MOVE, 0, gesture_id, address))
    assert len(reader.values()) == 5
    sender.say(gesture(Phase.MOVE, 1, 0))
    assert reader.values() == []


def test_nothing_comes_back_to_who_made_the_gesture(desk):
    """Neither at once nor when the window ends."""
    sender, _ = performed(desk)
    for value in range(3):
        assert sender.say(gesture(Phase.MOVE, value)) == []
    desk.later(1)
    assert sender.heard() == []


def test_every_move_is_an_entry(desk):
    """Thinning concerns delivery only."""
    sender, _ = performed(desk)
    for value in range(5):
        sender.say(gesture(Phase.MOVE, value))
    assert [message.value for message in desk.recorded()] == list(range(5))


def test_a_move_that_waits_arrives_though_its_maker_has_left(desk):
    """The last one is never lost, and nothing is kept of who left."""
    sender, reader = performed(desk)
    sender.say(gesture(Phase.MOVE, 1))
    sender.say(gesture(Phase.MOVE, 2))
    sender.leave()
    desk.later(1)
    assert reader.values() == [1, 2]
    assert desk.core.ground.agenda.next_due is None


def test_gestures_beyond_the_limit_pass_untouched():
    """Nothing is held back for which there is no room, and nothing is lost."""
    desk = Desk(gestures=1)
    sender, reader = performed(desk)
    for value in range(3):
        sender.say(gesture(Phase.MOVE, value, gesture_id=1))
        sender.say(gesture(Phase.MOVE, 10 + value, gesture_id=2))
    assert reader.values() == [0, 10, 11, 12]
    desk.later(WINDOW_S)
    assert reader.values() == [2]
