"""Files that belong to one machine are refused."""

import pytest

from tests.house.portable import find_unportable_files
from tests.house.source import report


def test_the_project_runs_anywhere(house):
    """Nothing that a commit carries is tied to one machine."""
    findings = find_unportable_files(house)
    assert not findings, report(findings)


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        ("docs/notes.md", "see {slash}work/place/file", "notes.md:1: a path of one machine"),
        ("Makefile", "x:\n\tcat {slash}tmp/x", "Makefile:2: a path of one machine"),
        (".ci/run", "pip install --index{dash}url x", "run:1: where packages come from"),
        ("README.md", "https://pypi{dot}org/project", "README.md:1: where packages come from"),
        ("tests/interop/package-lock.json", "{{}}", "a lock file"),
        ("tests/vectors/frames.bin", "CLASP\0", "a binary"),
    ],
)
def test_a_tie_to_one_machine_is_named(shed, name, text, complaint):
    """Paths, registries, locks and binaries are found in files of any kind."""
    root = shed({name: text.format(slash="/", dash="-", dot=".")})
    (finding,) = find_unportable_files(root)
    assert complaint in finding


def test_addresses_and_relative_paths_are_left_alone(shed):
    """A CLASP address may look like a path, and caches are nobody's commit."""
    lines = [
        "/lights/root/level",
        "{tmp_path}/tmp/x",
        "./work/it",
        "the pypi of dreams",
        "/home/kitchen/lamp",
    ]
    root = shed({"tests/test_it.py": "\n".join(lines), ".venv/pip.conf": "--index" + "-url"})
    assert find_unportable_files(root) == []
