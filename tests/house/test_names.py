"""Names that say nothing are refused."""

import pytest

from tests.house.names import find_empty_names
from tests.house.source import report


def test_every_name_says_something(house):
    """No file, class or function of the project has a name that could mean anything."""
    findings = find_empty_names(house)
    assert not findings, report(findings)


@pytest.mark.parametrize(
    ("path", "text", "line"),
    [
        ("router/utils.py", "", 1),
        ("router/helpers/text.py", "", 1),
        ("router/session.py", "\nclass SessionManager: ...", 2),
        ("tests/test_it.py", "class C:\n    def common_part(self): ...", 2),
        ("bench/codec.py", "async def misc(): ...", 1),
    ],
)
def test_an_empty_name_is_named(shed, path, text, line):
    """Files, folders, classes, methods and functions are all read."""
    (finding,) = find_empty_names(shed({path: text}))
    assert finding.startswith(f"{path}:{line}: ")


def test_a_word_inside_a_word_and_a_test_sentence_are_left_alone(shed):
    """Only whole words count, and test names are prose."""
    text = "class Commons: ...\ndef uncommon(): ...\ndef test_what_they_have_in_common(): ..."
    assert find_empty_names(shed({"tests/test_it.py": text})) == []
