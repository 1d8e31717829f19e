"""SQL away from home is refused."""

import pytest

from tests.house.source import report
from tests.house.statements import find_stray_sql


def test_sql_has_one_home(house):
    """No module but the schema holds a statement, or a piece of one."""
    findings = find_stray_sql(house)
    assert not findings, report(findings)


@pytest.mark.parametrize(
    "statement",
    [
        "'SELECT 1'",
        "'''\n  INSERT INTO entry VALUES (?)'''",
        "f'PRAGMA user_version = {n}'",
        "'COMMIT'",
        "'BEGIN IMMEDIATE'",
        "' WHERE seq > ?'",
        "'select seq from entry'",
        "'create index by_time on entry (timestamp)'",
    ],
)
def test_a_stray_statement_is_named(shed, statement):
    """Statements are refused in reader.py and welcome in schema.py."""
    text = f"sql = {statement}"
    root = shed({"clasp_journal/sqlite/reader.py": text, "clasp_journal/sqlite/schema.py": text})
    (finding,) = find_stray_sql(root)
    assert finding.startswith("clasp_journal/sqlite/reader.py:1: ")


def test_words_that_only_sound_like_sql_are_left_alone(shed):
    """Prose, message names and help texts are not statements."""
    text = '"""SELECT is a word here."""\nx = ["SET", "Update it", "select entries", "BEGINNING", "UPDATE"]'
    assert find_stray_sql(shed({"router/wire/codes.py": text})) == []
