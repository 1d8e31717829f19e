"""`python -m bench NAME…`: run scenarios and print one table.

A scenario is a module of this package with `def run(options: Options) -> list[Row]`; its name is the module's
and its description the first line of the module's docstring. Only what is asked for is imported.
"""

import ast
import json
import platform
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from typing import cast

import click
from rich.console import Console
from rich.table import Table

from bench.measure import Options, Row

HERE = Path(__file__).parent


def scenarios() -> dict[str, str]:
    """Every scenario and its description, read without importing it."""
    found = {}
    for path in sorted(HERE.glob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        if any(isinstance(node, ast.FunctionDef) and node.name == "run" for node in tree.body):
            found[path.stem] = (ast.get_docstring(tree) or "").partition("\n")[0]
    return found


def run_scenario(name: str, options: Options) -> list[Row]:
    """Import one scenario and run it."""
    return cast("list[Row]", import_module(f"bench.{name}").run(options))


def as_table(rows: list[Row]) -> Table:
    """The rows as people read them."""
    table = Table(box=None, pad_edge=False)
    table.add_column("scenario", style="dim")
    table.add_column("what")
    table.add_column("value", justify="right")
    table.add_column("unit")
    table.add_column("ratio", justify="right")
    table.add_column("note")
    for row in rows:
        ratio = "" if row.ratio is None else f"{row.ratio:.2f}x"
        table.add_row(row.scenario, row.name, format_value(row.value), row.unit, ratio, row.note)
    return table


def format_value(value: float) -> str:
    """Thousands with commas; small numbers keep the digits that matter."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def as_json(rows: list[Row], options: Options) -> str:
    """The rows and the machine they were taken on, for later comparison."""
    taken_on = {"python": platform.python_version(), "machine": platform.machine(), **asdict(options)}
    return json.dumps({"taken_on": taken_on, "rows": [asdict(row) for row in rows]}, indent=2) + "\n"


@click.command()
@click.argument("names", nargs=-1)
@click.option("--list", "listing", is_flag=True, help="Name the scenarios and stop.")
@click.option("--rounds", default=7, show_default=True, type=click.IntRange(min=1), help="Rounds per name.")
@click.option("--large", is_flag=True, help="Run the large variants too; they take minutes.")
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Also write the rows to a file.")
@click.option("--mirror", is_flag=True, help="Of the journal's rows, only those about its mirror.")
def main(
    names: tuple[str, ...], listing: bool, rounds: int, json_file: Path | None, **variants: bool
) -> None:
    """Measure the named scenarios, or all of them."""
    known = scenarios()
    if listing:
        for name, description in known.items():
            click.echo(f"{name:<10} {description}")
        return
    unknown = [name for name in names if name not in known]
    if unknown:
        raise click.UsageError(f"no scenario {unknown[0]!r}; there are: {', '.join(known) or 'none yet'}")
    options = Options(rounds=rounds, **variants)
    rows = [row for name in names or known for row in run_scenario(name, options)]
    Console().print(as_table(rows))
    if json_file is not None:
        json_file.write_text(as_json(rows, options), encoding="utf-8")


if __name__ == "__main__":
    main()
