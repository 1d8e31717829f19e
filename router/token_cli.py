"""`clasp-router token`: makes, lists and revokes the tokens in a file.

Laws: a token is shown once, alone on stdout, when it is made, and never again; it is taken from stdin and
never from the command line, where others could read it. A running router heeds each change within seconds.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import click

from clasp_journal.command_line import StrictGroup
from router.auth.store import StoreError, changing, read
from router.auth.tokens import TokenRecord, check_scopes, check_subject, hash_of, new_token
from router.quantities import parse_span_s

CANNOT_OPEN = 3
ID_MIN_DIGITS = 4
SHORT_TOKEN_CHARACTERS = 16
_VARIABLE = "CLASP_ROUTER_AUTH"

_Command = TypeVar("_Command", bound=Callable[..., Any])

auth_option = click.option(
    "--auth", "path", required=True, envvar=_VARIABLE, metavar="FILE", help=f"the file; or ${_VARIABLE}"
)
stdin_option = click.option(
    "--token-stdin", "from_stdin", is_flag=True, help="read the token from stdin: any text in one line"
)


class _Unreadable(click.ClickException):
    """The file of tokens cannot be had."""

    exit_code = CANNOT_OPEN


@click.group(cls=StrictGroup)
def token() -> None:
    """Make, list and revoke tokens.

    \b
    clasp-router token create --auth tokens.toml --subject desk --scope read:/** --scope write:/lights/**
    clasp-router --auth tokens.toml
    clasp-router token list --auth tokens.toml
    clasp-router token revoke --auth tokens.toml 3f9a2c
    """


@token.command()
@auth_option
@click.option("--subject", required=True, metavar="NAME", help="who holds it: the author of what they write")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    metavar="RIGHT:PATTERN",
    help="what it opens: read:, write: (and read), history: or admin: (everything); as often as needed",
)
@click.option("--expires", metavar="SPAN", help="how long it is valid, like 30d or 12h; else until revoked")
@stdin_option
def create(path: str, subject: str, scopes: tuple[str, ...], expires: str | None, from_stdin: bool) -> None:
    """Make a token, and print it: once, alone on stdout.

    \b
    clasp-router token create --auth tokens.toml --subject desk --scope read:/a/** --scope write:/a/b
    clasp-router token create --auth tokens.toml --subject wall --scope read:/** --expires 30d
    pass show clasp | clasp-router token create --auth t.toml --subject me --scope admin:/** --token-stdin
    """
    with _explained():
        now = _now()
        until = None if expires is None else _until(now, expires)
        record = TokenRecord("", check_subject(subject), check_scopes(list(scopes)), now, until)
        text = _read_token() if from_stdin else new_token()
        record = replace(record, hash=hash_of(text))
        with changing(path, make=True) as records:
            if any(other.hash == record.hash for other in records):
                raise ValueError("this token is in the file already")
            records.append(record)
    if not from_stdin:
        click.echo(text)
    elif len(text) < SHORT_TOKEN_CHARACTERS:
        _say(f"warning: a token of {len(text)} characters can be guessed by whoever gets hold of {path}")
    _say(f"token {record.id} for {subject} in {path}; {_described_end(record)}")


@token.command(name="list")
@auth_option
@click.option("--json", "as_json", is_flag=True, help="one JSON object per line")
def list_tokens(path: str, as_json: bool) -> None:
    """List the tokens: id, subject, status, end and scopes."""
    from rich.cells import cell_len

    with _explained():
        records = read(path)
    if as_json:
        for record in records:
            click.echo(json.dumps(_as_json(record), ensure_ascii=False))
        return
    rows = [("ID", "SUBJECT", "STATUS", "EXPIRES", "SCOPES"), *map(_row, records)]
    widths = [max(cell_len(row[column]) for row in rows) for column in range(4)]
    for row in rows:
        cells = (cell + " " * (width - cell_len(cell)) for cell, width in zip(row[:4], widths, strict=True))
        click.echo("  ".join((*cells, row[4])))


@token.command()
@auth_option
@click.argument("ids", nargs=-1, metavar="[ID]...")
@click.option("--subject", metavar="NAME", help="all tokens of this subject")
def revoke(path: str, ids: tuple[str, ...], subject: str | None) -> None:
    """Make tokens invalid, for good. Sessions that came with one are closed within seconds.

    ID is what `list` shows, or the beginning of it.
    """
    with _explained():
        if not ids and subject is None:
            raise ValueError("say which: the ID of a token, or --subject NAME")
        with changing(path) as records:
            chosen = {_found(records, wanted).hash for wanted in ids}
            chosen |= {record.hash for record in records if record.subject == subject}
            if not chosen:
                raise ValueError(f"no token is for {subject}")
            now = _now()
            for at, record in enumerate(records):
                if record.hash in chosen and record.revoked is None:
                    records[at] = replace(record, revoked=now)
    for record in records:
        if record.hash in chosen:
            _say(f"token {record.id} for {record.subject} is revoked")


@token.command()
@auth_option
@click.argument("wanted", required=False, metavar="[ID]")
@stdin_option
def inspect(path: str, wanted: str | None, from_stdin: bool) -> None:
    """Show one token, by its ID or, with --token-stdin, by itself."""
    with _explained():
        if (wanted is None) != from_stdin:
            raise ValueError("say which: the ID of a token, or --token-stdin")
        records = read(path)
        if from_stdin:
            sought = hash_of(_read_token())
            found = next((record for record in records if record.hash == sought), None)
            if found is None:
                raise ValueError(f"this token is not in {path}")
        else:
            found = _found(records, wanted or "")
    for key, value in _as_json(found).items():
        click.echo(f"{key:<8} {' '.join(value) if isinstance(value, list) else value or '-'}")


@contextmanager
def _explained() -> Iterator[None]:
    """What goes wrong is told in one line."""
    try:
        yield
    except StoreError as fault:
        raise _Unreadable(str(fault)) from None
    except ValueError as fault:
        raise click.UsageError(str(fault), click.get_current_context()) from None
    except OSError as fault:
        raise _Unreadable(f"{fault.filename or 'the file of tokens'}: {fault.strerror}") from None


def _found(records: list[TokenRecord], wanted: str) -> TokenRecord:
    if len(wanted) < ID_MIN_DIGITS:
        raise ValueError(f"{wanted!r} is too short for the beginning of an ID")
    found = [record for record in records if record.id.startswith(wanted)]
    if len(found) != 1:
        raise ValueError(f"{len(found) or 'no'} tokens have an ID that begins with {wanted}")
    return found[0]


def _read_token() -> str:
    text = sys.stdin.readline().rstrip("\r\n")
    if not text:
        raise ValueError("there is no token on stdin")
    return text


def _until(now: datetime, span: str) -> datetime:
    until = now + timedelta(seconds=parse_span_s(span))
    if until <= now:
        raise ValueError(f"{span} is over before it begins; a span is like 30d")
    return until


def _now() -> datetime:
    return datetime.now(UTC)


def _say(text: str) -> None:
    click.echo(text, err=True)


def _as_json(record: TokenRecord) -> dict[str, str | list[str] | None]:
    return {
        "id": record.id,
        "subject": record.subject,
        "status": record.status(round(_now().timestamp() * 1_000_000)),
        "scopes": [str(scope) for scope in record.scopes],
        "created": _shown(record.created),
        "expires": _shown(record.expires),
        "revoked": _shown(record.revoked),
    }


def _row(record: TokenRecord) -> tuple[str, ...]:
    shown = _as_json(record)
    return record.id, record.subject, str(shown["status"]), str(shown["expires"] or "-"), _scopes_of(record)


def _scopes_of(record: TokenRecord) -> str:
    return " ".join(str(scope) for scope in record.scopes)


def _described_end(record: TokenRecord) -> str:
    return "valid until it is revoked" if record.expires is None else f"valid until {_shown(record.expires)}"


def _shown(time: datetime | None) -> str | None:
    return None if time is None else time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
