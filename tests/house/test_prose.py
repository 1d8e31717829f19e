"""Code that does not say what it is for is refused."""

import pytest

from tests.house.prose import find_ownerless_promises, find_silent_code
from tests.house.source import report


def test_modules_classes_and_tests_open_with_a_sentence(house):
    """Everything that a reader meets first explains itself."""
    findings = find_silent_code(house)
    assert not findings, report(findings)


def test_promises_have_owners(house):
    """No comment leaves work to nobody."""
    findings = find_ownerless_promises(house)
    assert not findings, report(findings)


@pytest.mark.parametrize(
    ("path", "text", "complaint"),
    [
        ("router/session.py", "x = 1", "router/session.py:1: a module opens"),
        ("bench/codec.py", '"""Why."""\nclass Codec: ...', "bench/codec.py:2: the public class Codec"),
        ("router/cli.py", '"""Why."""\nclass A:\n    """A."""\n    class B: ...', ":4: the public class B"),
        ("tests/test_it.py", '"""Why."""\nasync def test_it(): ...', ":2: the test test_it opens"),
    ],
)
def test_silence_is_named(shed, path, text, complaint):
    """Modules, classes, nested classes and tests are all asked to speak."""
    (finding,) = find_silent_code(shed({path: text}))
    assert complaint in finding


def test_private_classes_and_empty_files_may_be_silent(shed):
    """What nobody else can name needs no introduction."""
    text = '"""Why."""\nclass _Node: ...\ndef test_like(): ...\ndef f():\n    class Local: ...'
    assert find_silent_code(shed({"router/tree.py": text, "tests/__init__.py": ""})) == []


def test_an_ownerless_promise_is_named(shed):
    """Comments are read, strings are not, and a name in brackets is enough."""
    text = "x = 'TODO'\n# TODO(ada): measure\n# TODO measure\ny = 1  # FIXME()"
    findings = find_ownerless_promises(shed({"router/cli.py": text}))
    assert [finding.split(": ")[0] for finding in findings] == ["router/cli.py:3", "router/cli.py:4"]
