"""The project runs anywhere: no file names a machine's paths or a registry, and none is a binary or a lock.

Where packages come from and where a checkout lies is the business of the machine.
"""

import re
from pathlib import Path

from tests.house.source import carried_files

MACHINE_PATH = re.compile(
    r"(?<![\w.$}*-])/(?:work|root|tmp|Users|var/folders)/\w|(?<![\w.$}*-])/home/\w+/\.?\w+/\."
)
PACKAGE_SOURCE = re.compile(
    r"\b(?:pypi|pythonhosted|npmjs|yarnpkg|crates|golang)\.(?:org|com|io)\b"
    r"|--(?:(?:extra-)?index-url|find-links|registry)|\bregistry\s*=",
    re.IGNORECASE,
)
LOCKS = re.compile(r"(?:^|/)(?:package-lock\.json|npm-shrinkwrap\.json|pnpm-lock\.yaml|[^/]+\.lock)$")


def find_unportable_files(root: Path) -> list[str]:
    """Every machine path, registry, binary and lock file among the files a commit would carry."""
    findings = []
    for path in carried_files(root):
        name = path.relative_to(root).as_posix()
        content = path.read_bytes()
        if LOCKS.search(name):
            findings.append(f"{name}:1: a lock file names one machine's world: leave it out")
        elif b"\0" in content:
            findings.append(f"{name}:1: a binary cannot be read in review: make it from text")
        else:
            findings += judge_text(name, content.decode("utf-8", errors="replace"))
    return findings


def judge_text(name: str, text: str) -> list[str]:
    """The lines of one text file that tie it to a machine."""
    findings = []
    for number, line in enumerate(text.splitlines(), start=1):
        if MACHINE_PATH.search(line):
            findings.append(f"{name}:{number}: a path of one machine: make it relative, or use tmp_path")
        if PACKAGE_SOURCE.search(line):
            findings.append(f"{name}:{number}: where packages come from is the machine's business")
    return findings
