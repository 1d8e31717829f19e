"""`python -m bench NAME…`: run scenarios and print one table.

A scenario is a module of `bench.scenarios` with `def run(options: Options) -> list[Row]`; its name is the
module's and its description the first line of the module's docstring. Only what is asked for is imported.
"""

import ast
import os
import signal
import sys
from importlib import import_module
from pathlib import Path
from typing import cast

import click
from rich.console import Console

from bench.arena import elsewhere
from bench.measure import Options, Row
from bench.page import as_json, as_table, machine
from bench.servers.cores import LOAD_CORE, pin
from bench.servers.peers import missing
from bench.targets import judged

PAGE_WIDTH = 230
"""Columns of a page; a narrower terminal breaks its lines."""
SCENARIOS = Path(__file__).parent / "scenarios"


def scenarios() -> dict[str, str]:
    """Every scenario and its description, read without importing it."""
    found = {}
    for path in sorted(SCENARIOS.glob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        if any(isinstance(node, ast.FunctionDef) and node.name == "run" for node in tree.body):
            found[path.stem] = (ast.get_docstring(tree) or "").partition("\n")[0]
    return found


def run_scenario(name: str, options: Options) -> list[Row]:
    """Import one scenario and run it."""
    return cast("list[Row]", import_module(f"bench.scenarios.{name}").run(options))


@click.command()
@click.argument("names", nargs=-1)
@click.option("--list", "listing", is_flag=True, help="Name the scenarios and stop.")
@click.option("--rounds", default=Options().rounds, show_default=True, type=click.IntRange(min=1))
@click.option("--large", is_flag=True, help="Run the large variants too; they take minutes.")
@click.option("--peers", is_flag=True, help="Also measure the brokers that are installed.")
@click.option("--url", help="Measure the CLASP router at ws://HOST:PORT in place of ours.")
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Also write the rows to a file.")
@click.option("--mirror", is_flag=True, help="Of the journal's rows, only those about its mirror.")
def main(
    names: tuple[str, ...], listing: bool, json_file: Path | None, rounds: int, **choices: object
) -> None:
    """Measure the named scenarios, or all of them."""
    known = scenarios()
    if listing:
        for name, description in known.items():
            click.echo(f"{name:<13} {description}")
        return
    unknown = [name for name in names if name not in known]
    if unknown:
        raise click.UsageError(f"no scenario {unknown[0]!r}; there are: {', '.join(known) or 'none yet'}")
    options = Options(rounds=rounds, **choices)  # type: ignore[arg-type]
    if options.url:
        elsewhere(options.url)
    # Whoever ends the bench ends its servers, too.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    for line in missing() if options.peers else ():
        click.echo(line, err=True)
    pin(os.getpid(), LOAD_CORE)
    place = machine()
    rows: list[Row] = []
    for name in names or known:
        click.echo(f"{name} …", err=True)
        rows = judged([*rows, *run_scenario(name, options)])
        if json_file is not None:
            json_file.write_text(as_json(rows, options, place), encoding="utf-8")
    console = Console()
    console.width = max(console.width, PAGE_WIDTH)
    console.print(as_table(rows))


if __name__ == "__main__":
    main()
