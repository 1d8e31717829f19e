"""SET and PUBLISH as they nearly always come, many in a row, in as few steps as they can take.

Laws: what is done here is what `Params` and `Signals` would do with the same frames. Everything rare (a lock,
a TTL, a value that needs more room, an address that is new or not known to be open to the sender, readers
that want it thinned out, a journal that cannot write) is left to them, and all that came before it has
reached the ports by then.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, TypeAlias

from clasp_journal.value import ValueType
from router.core.ground import Ground
from router.core.ports import Fate
from router.core.session import Session
from router.core.signals import fate_of, packed_ack
from router.core.subscriptions import NOBODY, Readers
from router.core.topics import Topic
from router.wire.fast import plain_publish, plain_set
from router.wire.frame import COMMIT, CONFIRM
from router.wire.packing import pack_head

_PLAIN_FLAGS: Final = (0x01, 0x41, 0x81)
"""Frame flags with which a PUBLISH can be passed on as it is."""
_SET: Final = 0
"""Stands for SET where a signal's number stands for a PUBLISH: it is that of params."""
_NUMBER_BYTES: Final = 8
_NUMBERS: Final = (int(ValueType.I64), int(ValueType.F64))
"""Types whose data are these bytes, whatever they are: nothing in them has to be checked."""
_ENCODED_NUMBERS: Final = tuple(bytes((1, kind)) for kind in _NUMBERS)
"""How one that is a value begins in a PUBLISH."""
_FORMS_MAX: Final = 100_000
_QOS: Final = tuple((flags >> 6) % 3 for flags in range(256))
"""The QoS by frame flags; the reserved 3 counts as 0."""
_NO_GROUP: Final = -1
# Looking up a member of an enum costs more than all the rest of a line.
_CONFLATE: Final = Fate.CONFLATE

_Form: TypeAlias = tuple[Topic, int, int, bytes, bytes, int, int, int]
"""Topic; signal; QoS, where there is an ACK; what stands before the data (SET) or the frame (PUBLISH) as
readers get it; the ACK (of a SET without its revision); a SET's type, and where its data begins and ends."""


class _Run:
    """Messages of one kind for the same readers, in a row."""

    __slots__ = ("acks", "messages", "qos", "readers", "signal", "topics")

    def __init__(self, readers: Readers, signal: int) -> None:
        self.readers = readers
        self.signal = signal
        self.messages: list[bytes] = []
        self.topics: list[Topic] = []
        self.acks: list[bytes] = []
        self.qos = CONFIRM
        """The highest of those that are acknowledged."""


_EMPTY: Final = _Run(NOBODY, _SET)
"""Stands for no run; nothing is ever added to it."""


class FastForms:
    """The short ways through the core."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._ports = ground.ports
        self._tally = ground.tally
        self._subscriptions = ground.subscriptions
        self._known = ground.topics.known
        self._passing = ground.topics.passing
        self._forms: dict[bytes, _Form] = {}
        """By all that stands before the data of a number, in frames that end with it."""

    def take(self, session: Session, frames: Iterator[bytes], now: int) -> bytes | None:
        """Do plain SETs and PUBLISHes up to the first frame that is something else, and give that back."""
        if not session.is_plain or not self._ground.accepting:
            return next(frames, None)
        forms = self._forms
        author, access = session.author, session.access
        writable = None if access.writes_all else access.writable
        number = signal_before = _NO_GROUP
        run = _EMPTY
        messages, topics, acks = run.messages, run.topics, run.acks
        try:
            for frame in frames:
                form = forms.get(frame[:-_NUMBER_BYTES])
                # With `or` compiled code would build the tuple anew, only to see that it is not empty.
                if form is None:
                    form = self._learn(frame)
                    if form is None:
                        return frame
                topic, signal, qos, head, ack, kind, start, end = form
                if writable is not None and topic.address not in writable:
                    return frame
                if topic.groups[signal] != number or signal != signal_before:
                    readers = topic.readers(self._subscriptions, signal)
                    if readers.paced:
                        return frame
                    if messages:
                        self._hand_over(run, session, now)
                    run = _Run(readers, signal)
                    messages, topics, acks = run.messages, run.topics, run.acks
                    number, signal_before = topic.groups[signal], signal
                if signal:
                    messages.append(head + frame)
                    if qos:
                        acks.append(ack)
                elif topic.is_plain:
                    data = frame[start:end]
                    topic.kind = kind
                    topic.data = data
                    topic.writer = author
                    topic.written = now
                    topic.revision += 1
                    revision = topic.revision.to_bytes(8, "big")
                    messages.append(head + data + revision)
                    if qos:
                        acks.append(ack + revision)
                else:
                    del forms[frame[:-_NUMBER_BYTES]]
                    return frame
                topics.append(topic)
                if qos == COMMIT:
                    run.qos = COMMIT
            return None
        finally:
            if messages:
                self._hand_over(run, session, now)

    def _hand_over(self, run: _Run, session: Session, now: int) -> None:
        """Tell the ports all of a run, in as few calls as possible."""
        messages = run.messages
        ports, readers, signal = self._ports, run.readers, run.signal
        if signal == _SET:
            self._tally.sets += len(messages)
        else:
            self._tally.publishes += len(messages)
        ports.record(session, messages, now)
        if readers.members:
            fate = _CONFLATE if signal == _SET else fate_of(signal)
            sender = session if session in readers.sessions else None
            ports.deliver(readers, messages, run.topics, fate, sender)
        if run.acks:
            ports.acknowledge(session, run.acks, run.qos)

    def _learn(self, frame: bytes) -> _Form | None:
        """Take a frame apart; None if it is not plain."""
        return self._form_of_set(frame) or self._form_of_publish(frame)

    def _form_of_set(self, frame: bytes) -> _Form | None:
        plain = plain_set(frame)
        if plain is None:
            return None
        address, kind, data = plain
        topic = self._known.get(address)
        size_bytes = len(data)
        if topic is None or not topic.is_plain or len(address) + size_bytes > self._ground.limits.set_bytes:
            return None
        if size_bytes > topic.room_bytes:
            return None
        if topic.set_shape != kind << 16 | size_bytes:
            topic.shape_set(kind, size_bytes)
        start = 8 + len(address)
        end = start + size_bytes
        ack_head = topic.ack_head or topic.shape_ack()
        form = topic, _SET, _QOS[frame[1]], topic.set_head, ack_head, kind, start, end
        # For a number there is always room.
        if kind in _NUMBERS and end == len(frame):
            self._remember(frame, form)
        return form

    def _form_of_publish(self, frame: bytes) -> _Form | None:
        plain = plain_publish(frame)
        if plain is None:
            return None
        address, signal = plain
        topic = self._passing.get(address) or self._known.get(address)
        flags, size_bytes = frame[1], len(frame)
        if topic is None or topic.is_peer_to_peer or signal == _SET or flags not in _PLAIN_FLAGS:
            return None
        if size_bytes - 4 > self._ground.limits.publish_bytes:
            return None
        qos = COMMIT if flags >> 6 == COMMIT else 0
        ack = packed_ack(topic.text) if qos else b""
        form = topic, signal, qos, pack_head(size_bytes), ack, 0, 0, 0
        start = 8 + len(address)
        if frame[start : start + 2] in _ENCODED_NUMBERS and start + 2 + _NUMBER_BYTES == size_bytes:
            self._remember(frame, form)
        return form

    def _remember(self, frame: bytes, form: _Form) -> None:
        """A head with a number behind it need not be taken apart again: the next frame that begins like this
        and is as long has the same address, type and length."""
        if len(self._forms) >= _FORMS_MAX:
            self._forms.clear()
        self._forms[frame[:-_NUMBER_BYTES]] = form
