"""What the journal's process was asked and has not answered yet.

Law: every question is answered once: by the process, or, when the process has died over it or will never be
there again, by an error. One that only reads is put again, `ASKED_MAX` times in all.
"""

from __future__ import annotations

import asyncio
from typing import Any

from clasp_journal.errors import JournalError
from router.recording.messages import ID, Question, rebuild_error, unpack_plain

ASKED_MAX = 2
"""How often a question is put, should the process die over it."""
_READING = (Question.PAGE, Question.HISTORY)


class OpenQuestion:
    """A question and its answer, which is to come."""

    __slots__ = ("answer", "arguments", "asked", "id", "kind")

    def __init__(self, question_id: int, kind: Question, arguments: bytes) -> None:
        self.id = question_id
        self.kind = kind
        self.arguments = arguments
        self.asked = 0
        """How often it was put to a process."""
        self.answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    @property
    def may_be_put_again(self) -> bool:
        """Whether the death of a process is no answer to it."""
        return self.kind in _READING and self.asked < ASKED_MAX

    def fail(self, error: JournalError) -> None:
        """Answer it by an error, unless it was answered or given up before."""
        if not self.answer.done():
            self.answer.set_exception(error)


class Questions:
    """All questions that are open."""

    def __init__(self) -> None:
        self._open: dict[int, OpenQuestion] = {}
        self._count = 0

    def __contains__(self, question: OpenQuestion) -> bool:
        return question.id in self._open

    def open(self, kind: Question, arguments: bytes) -> OpenQuestion:
        """Take note of a question that is about to be put."""
        self._count += 1
        question = OpenQuestion(self._count & 0xFFFF_FFFF, kind, arguments)
        self._open[question.id] = question
        return question

    def close(self, question: OpenQuestion) -> bool:
        """Forget one that is answered, or for whose answer nobody waits any more; whether it was open."""
        return self._open.pop(question.id, None) is not None

    def take_answer(self, body: bytes) -> None:
        """The process has answered one."""
        question = self._open.pop(ID.unpack_from(body)[0], None)
        if question is not None and not question.answer.done():
            question.answer.set_result(unpack_plain(body[ID.size :]))

    def take_error(self, body: bytes) -> None:
        """The process has answered one by an error."""
        question = self._open.pop(ID.unpack_from(body)[0], None)
        if question is not None:
            question.fail(rebuild_error(body[ID.size :]))

    def outlive_process(self, death: JournalError) -> list[OpenQuestion]:
        """Fail what the process died over, but for the questions that are returned: they are put again."""
        asked = [question for question in self._open.values() if question.asked]
        again = [question for question in asked if question.may_be_put_again]
        for question in asked:
            if not question.may_be_put_again:
                self.close(question)
                question.fail(death)
        return again

    def fail_all(self, error: JournalError) -> None:
        """Nothing will be answered any more."""
        open_, self._open = self._open, {}
        for question in open_.values():
            question.fail(error)
