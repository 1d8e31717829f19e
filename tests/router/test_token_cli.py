"""`clasp-router token`: what it prints where, what it keeps, and what it refuses."""

import json
import re
import stat

import pytest
from click.testing import CliRunner
from rich.cells import cell_len

from router.auth.store import read
from router.auth.tokens import hash_of
from router.cli import main

DESK = ("--subject", "desk", "--scope", "read:/a/**", "--scope", "write:/a/b")


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Run a verb of the command in a folder of its own, with the tokens in `t.toml`."""
    monkeypatch.chdir(tmp_path)

    def invoke(verb, *arguments, code=0, stdin=None):
        done = CliRunner().invoke(main, ["token", verb, "--auth", "t.toml", *arguments], input=stdin)
        assert done.exit_code == code, done.output
        assert "Traceback" not in done.output
        return done

    return invoke


def listed(run):
    """What `list --json` tells."""
    return [json.loads(line) for line in run("list", "--json").stdout.splitlines()]


def test_create_prints_the_token_once_and_alone(run, tmp_path):
    """Nothing else on stdout; in the file, its hash alone, for its owner alone."""
    done = run("create", *DESK, "--expires", "30d")
    assert re.fullmatch(r"cpsk_[0-9a-f]{32}\n", done.stdout)
    token = done.stdout.strip()
    assert token not in done.stderr
    path = tmp_path / "t.toml"
    assert token.removeprefix("cpsk_") not in path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    (record,) = read(path)
    assert record.hash == hash_of(token)
    assert record.subject == "desk"
    assert [str(scope) for scope in record.scopes] == ["read:/a/**", "write:/a/b"]
    assert record.expires is not None
    assert (record.expires - record.created).days == 30
    for verb in (("list",), ("list", "--json"), ("inspect", record.id)):
        assert token not in run(*verb).output


def test_any_text_can_be_a_token(run, tmp_path):
    """It comes by stdin and is not printed; a short one is warned of."""
    done = run("create", *DESK, "--token-stdin", stdin="pässword of ours\n")
    assert done.stdout == ""
    assert "warning" not in done.stderr
    assert read(tmp_path / "t.toml")[0].hash == hash_of("pässword of ours")
    assert "can be guessed" in run("create", *DESK, "--token-stdin", stdin="short").stderr
    assert "in the file already" in run("create", *DESK, "--token-stdin", stdin="short", code=2).stderr
    assert "no token on stdin" in run("create", *DESK, "--token-stdin", stdin="\n", code=2).stderr


def test_the_columns_of_a_list_line_up(run):
    """Also below subjects whose characters take two columns."""
    for subject in ("照明卓", "desk"):
        run("create", "--subject", subject, "--scope", "read:/**")
    _, *rows = run("list").stdout.splitlines()
    assert len({cell_len(row[: row.index("valid")]) for row in rows}) == 1


def test_list_shows_what_each_token_is(run):
    """One line for each, in a table or as JSON."""
    run("create", *DESK)
    run("create", "--subject", "wall", "--scope", "admin:/**", "--expires", "1h")
    shown = listed(run)
    assert [(row["subject"], row["status"]) for row in shown] == [("desk", "valid"), ("wall", "valid")]
    assert shown[0]["scopes"] == ["read:/a/**", "write:/a/b"]
    assert shown[0]["expires"] is None
    head, desk, wall = run("list").stdout.splitlines()
    assert head.split() == ["ID", "SUBJECT", "STATUS", "EXPIRES", "SCOPES"]
    assert desk.split() == [shown[0]["id"], "desk", "valid", "-", "read:/a/**", "write:/a/b"]
    assert wall.split()[3] == shown[1]["expires"]


def test_revoke_makes_tokens_invalid_for_good(run):
    """By ID, by the beginning of it, or by subject; others stay."""
    for subject in ("one", "two", "three", "three"):
        run("create", "--subject", subject, "--scope", "read:/a")
    one, two, *_ = listed(run)
    run("revoke", one["id"])
    first = listed(run)[0]["revoked"]
    run("revoke", one["id"][:6], two["id"][:6])
    run("revoke", "--subject", "three")
    assert [row["status"] for row in listed(run)] == ["revoked"] * 4
    assert listed(run)[0]["revoked"] == first
    assert "is revoked" in run("revoke", "--subject", "three").stderr


def test_inspect_tells_of_one_token(run):
    """By its ID, or by the token itself, which is not repeated."""
    token = run("create", *DESK).stdout.strip()
    (row,) = listed(run)
    by_id = run("inspect", row["id"]).stdout
    assert by_id == run("inspect", "--token-stdin", stdin=token).stdout
    told = dict(line.split(maxsplit=1) for line in by_id.splitlines())
    assert told["subject"] == "desk"
    assert told["scopes"] == "read:/a/** write:/a/b"
    assert told["expires"] == "-"
    assert "not in t.toml" in run("inspect", "--token-stdin", stdin="other", code=2).stderr


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("--subject", "x"), "a token has 1 to 100 scopes"),
        (("--subject", "x", "--scope", "reed:/a"), "'reed:/a' is no scope like read:/lights/**"),
        (("--subject", "x", "--scope", "read:a"), "must start with '/'"),
        (("--subject", "", "--scope", "read:/a"), "'' is no subject"),
        (("--subject", "x", "--scope", "read:/a", "--expires", "soon"), "'soon' is no span of time"),
        (("--subject", "x", "--scope", "read:/a", "--expires", "0s"), "is over before it begins"),
        (("--subject", "x", "--scope", "read:/a", "--expires", "9999999d"), "more than a hundred years"),
        (("--scope", "read:/a"), "--subject is missing"),
        (("--subjekt", "x"), "there is no option --subjekt; the nearest is --subject"),
    ],
)
def test_what_cannot_be_meant_is_refused(run, tmp_path, arguments, reason):
    """With an example, exit code 2, and no file."""
    assert reason in run("create", *arguments, code=2).stderr
    assert not (tmp_path / "t.toml").exists()


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("revoke",), "say which"),
        (("revoke", "zzzz"), "no tokens have an ID"),
        (("revoke", "f"), "too short"),
        (("revoke", "--subject", "nobody"), "no token is for nobody"),
        (("inspect",), "say which"),
        (("inspect", "zzzz"), "no tokens have an ID"),
    ],
)
def test_who_is_not_found_is_told(run, arguments, reason):
    """Nothing was changed."""
    run("create", *DESK)
    before = listed(run)
    assert reason in run(*arguments, code=2).stderr
    assert listed(run) == before


@pytest.mark.parametrize("verb", ["list", "inspect", "revoke"])
def test_a_file_that_cannot_be_had_is_told(run, tmp_path, verb):
    """Not there, or not one of tokens: exit code 3."""
    rest = () if verb == "list" else ("zzzz",)
    assert "t.toml: No such file" in run(verb, *rest, code=3).stderr
    (tmp_path / "t.toml").write_text("listen = 1")
    assert "is no file of tokens" in run(verb, *rest, code=3).stderr
    assert "is no file of tokens" in run("create", *DESK, code=3).stderr


def test_the_file_may_be_named_by_the_variable_of_the_router(tmp_path, monkeypatch):
    """What the router reads is what is changed."""
    monkeypatch.setenv("CLASP_ROUTER_AUTH", str(tmp_path / "v.toml"))
    assert CliRunner().invoke(main, ["token", "create", *DESK]).exit_code == 0
    assert len(read(tmp_path / "v.toml")) == 1
    assert "read:/a/**" in CliRunner().invoke(main, ["token", "list"]).output


def test_a_verb_that_does_not_exist_names_its_nearest(run):
    """As everywhere."""
    assert "there is no command 'revok'; the nearest is revoke" in run("revok", code=2).stderr
