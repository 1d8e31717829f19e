"""The README says what the program says."""

import re

import pytest

from tests.readme_tables import README, TABLES, filled_in


def test_the_tables_of_the_readme_are_those_of_the_program():
    """Whoever changes a limit, a setting or a code runs `python -m tests.readme_tables`."""
    text = README.read_text(encoding="utf-8")
    assert filled_in(text) == text


@pytest.mark.parametrize("name", TABLES)
def test_every_table_has_its_place(name):
    """A table that the program can write stands in the README."""
    assert f"<!-- table {name} -->" in README.read_text(encoding="utf-8")


def test_every_target_the_readme_names_is_in_the_makefile():
    """`make something` works as it is written there."""
    makefile = (README.parent / "Makefile").read_text(encoding="utf-8")
    named = set(re.findall(r"`?make ([a-z][a-z-]+)", README.read_text(encoding="utf-8")))
    assert named
    assert all(re.search(rf"^{target}:", makefile, re.MULTILINE) for target in named)
