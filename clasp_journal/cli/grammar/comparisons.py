"""The grammar of `--where`: one comparison, like `value > 0.9`, `author == "desk"`, `signal != stream`.

Laws: numbers compare with numbers and texts with texts; everything else differs, and is neither more nor
less. true is no number. An entry that does not have what is compared passes only `!=`. An author is who has
that subject, session id or client's name, as everywhere.
"""

from __future__ import annotations

import json
import operator
import re
from collections.abc import Callable
from typing import Any

from clasp_journal.entry import JournalEntry, SignalType
from clasp_journal.errors import BadInput

_EXAMPLES = "'value > 0.9', 'value == \"on\"', 'revision >= 5', 'author != desk', 'signal == event'"
_FORM = re.compile(r"\s*(\w+)\s*(==|=|!=|<=|<|>=|>)\s*([^=<>!].*?)\s*", re.DOTALL)
_BARE = re.compile(r"[^\s=<>!\"][^=<>!\"]*")
_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_ABSENT = object()


def _signal(entry: JournalEntry) -> object:
    return _ABSENT if entry.signal_type is None else SignalType(entry.signal_type).name.lower()


_FIELDS: dict[str, Callable[[JournalEntry], tuple[object, ...]]] = {
    "value": lambda entry: (_ABSENT if entry.encoded is None else entry.value,),
    "revision": lambda entry: (_ABSENT if entry.revision is None else entry.revision,),
    "author": lambda entry: (entry.author,) if entry.name is None else (entry.author, entry.name),
    "signal": lambda entry: (_signal(entry),),
}
"""What is compared; of several it is enough that one passes, unless they are to differ."""


def parse_comparison(text: str) -> Callable[[JournalEntry], bool]:
    """The test that a text describes; otherwise `BadInput` with examples."""
    match = _FORM.fullmatch(text)
    if match is None:
        raise BadInput(f"--where {text!r} is no comparison; examples: {_EXAMPLES}")
    field, sign, literal = match.groups()
    if field not in _FIELDS:
        raise BadInput(f"--where {text!r}: {field} cannot be compared; there are {', '.join(_FIELDS)}")
    read, compare, wanted = _FIELDS[field], _OPERATORS[sign], _literal(literal)

    enough = all if sign == "!=" else any

    def holds(found: object) -> bool:
        if _class_of(found) != _class_of(wanted):
            return sign == "!="
        if sign not in ("==", "=", "!=") and not isinstance(wanted, (int, float, str)):
            return False
        return compare(found, wanted)

    return lambda entry: enough(map(holds, read(entry)))


def _literal(text: str) -> object:
    """A JSON value; what is none is a text without quotes, unless it looks as if more was meant."""
    try:
        return json.loads(text)
    except ValueError:
        if not _BARE.fullmatch(text):
            hint = "a text like that needs double quotes, and several comparisons are several --where"
            raise BadInput(f"--where: {text!r} is no value; {hint}") from None
        return text


def _class_of(found: object) -> object:
    if isinstance(found, bool) or found is None:
        return type(found)
    return float if isinstance(found, (int, float)) else type(found)
