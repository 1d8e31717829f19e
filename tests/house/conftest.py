"""Two roots to judge: the project itself, and small trees built to break one rule each."""

from collections.abc import Callable
from pathlib import Path

import pytest

Build = Callable[[dict[str, str]], Path]


@pytest.fixture(scope="session")
def house() -> Path:
    """The root of the project."""
    return Path(__file__).resolve().parents[2]


@pytest.fixture
def shed(tmp_path: Path) -> Build:
    """A way to build a small tree from {path: text}."""

    def build(files: dict[str, str]) -> Path:
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return tmp_path

    return build
