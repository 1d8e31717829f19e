"""`clasp-router top`: the command around `router.top`.

Laws: on a terminal it draws until it is interrupted, in a pipe it writes one line of JSON per look; what it
is made of is loaded only when it is asked for.
"""

from __future__ import annotations

import os
import sys

import click

from clasp_journal.command_line import Strict
from router.quantities import parse_span_s

UNREACHABLE = 3
FORBIDDEN = 4
EVERY_MIN_S = 0.1
_DEFAULT_URL = "ws://127.0.0.1:7330"


@click.command(cls=Strict)
@click.option(
    "--url", envvar="CLASP_URL", default=_DEFAULT_URL, metavar="URL", help="the router; or $CLASP_URL"
)
@click.option("--ca", envvar="CLASP_CA", metavar="FILE", help="trust this authority for wss://; or $CLASP_CA")
@click.option(
    "--cert", envvar="CLASP_CERT", metavar="FILE", help="show this certificate to it; or $CLASP_CERT"
)
@click.option("--key", envvar="CLASP_KEY", metavar="FILE", help="its key; or $CLASP_KEY")
@click.option("--every", default="1s", metavar="SPAN", help="between two looks; 1s")
@click.option("--once", is_flag=True, help="look once")
@click.option("-o", "--output", type=click.Choice(("table", "jsonl")), help="table on a terminal, else jsonl")
def top(url: str, every: str, once: bool, output: str | None, **tls: str | None) -> None:
    """Watch a router: sessions, rates, slow readers, the journal.

    Rates are per second, the mean since the look before; the first look has none.

    Without tokens it works on the router's own machine; with tokens it needs one that has
    admin:/clasp/sessions, in $CLASP_TOKEN.

    \b
    clasp-router top
    clasp-router top --url wss://stage.local:7330 --ca authority.pem
    clasp-router top --once | jq '.clients[] | select(.is_slow)'
    """
    try:
        every_s = max(EVERY_MIN_S, parse_span_s(every))
    except ValueError as error:
        raise click.UsageError(f"--every: {error}", click.get_current_context()) from None
    from router.client.tls import WrongFiles
    from router.top.asking import Asked, NoAnswer, NoUrl
    from router.top.watching import look_once, stream, watch

    asked = Asked(url, os.environ.get("CLASP_TOKEN"), **tls)
    show = output or ("table" if sys.stdout.isatty() else "jsonl")
    try:
        if once:
            look_once(asked, show)
        elif show == "table":
            watch(asked, every_s)
        else:
            stream(asked, every_s)
    except (WrongFiles, NoUrl) as fault:
        raise click.UsageError(str(fault), click.get_current_context()) from None
    except NoAnswer as fault:
        click.echo(f"clasp-router top: {fault}", err=True)
        sys.exit(FORBIDDEN if fault.is_forbidden else UNREACHABLE)
    except KeyboardInterrupt:
        pass  # That is how it ends.
    except BrokenPipeError:
        # Let the interpreter flush what is left into nothing, not into the closed pipe.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
