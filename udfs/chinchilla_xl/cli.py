"""The command line: chinchilla-xl functions | addin | new | convert | fill | recompute | sweep | show | ..."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from chinchilla_xl import cli_addin, cli_recalc
from chinchilla_xl.cli_support import (
    FORCE,
    JSON,
    REFUSED,
    SET,
    USAGE,
    check_new,
    console,
    print_json,
    usage_line,
)
from chinchilla_xl.errors import ArgumentError, ChinchillaError, MissingExtra
from chinchilla_xl.hints import nearest

try:
    import click
    from rich.table import Table
    from rich.text import Text
except ImportError as missing:
    raise MissingExtra("click or rich", "recalc") from missing

FOUND = 1
"""Exit code of lint: there are findings."""


@click.group(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 done; 1 done, but some formulas kept their old value; "
    "2 wrong usage; 3 a file could not be processed, or something is not installed; "
    "files are left as they were.",
)
@click.version_option(package_name="chinchilla-xl")
def cli() -> None:
    """Size and price language models in spreadsheets.

    \b
    chinchilla-xl new budget budget.xlsx            build the budget workbook
    chinchilla-xl recompute budget.xlsx \\
        --set target_params=70E9 --set months=24    change inputs, recalculate, no Excel needed
    chinchilla-xl show budget.xlsx                  print its inputs and results
    chinchilla-xl fit runs.csv -o fit.xlsx          fit the law to your own training runs
    """  # noqa: D301 (click looks for the backspace)


for command in (
    cli_recalc.recompute, cli_recalc.fill, cli_recalc.sweep, cli_recalc.convert, cli_addin.addin,
):  # fmt: skip
    cli.add_command(command)


@cli.command()
@click.argument("name", required=False)
def functions(name: str | None) -> None:
    """List the worksheet functions, or describe the one called NAME."""
    from chinchilla_xl.functions import FUNCTIONS

    out = console()
    if name is None:
        table = Table("function", "what it gives", box=None, pad_edge=False)
        for function in FUNCTIONS:
            table.add_row(Text(function.syntax), Text(function.summary))
        out.print(table)
        return
    by_name = {function.name: function for function in FUNCTIONS}
    if name.upper() not in by_name:
        raise click.UsageError(
            f"there is no function {name!r}{nearest(name, by_name)}: "
            f"choose one of {', '.join(by_name)}"
        )
    function = by_name[name.upper()]
    out.print(function.syntax, markup=False)
    out.print(f"\n{function.summary}\n", markup=False)
    table = Table(box=None, pad_edge=False, show_header=False)
    for parameter in function.parameters:
        table.add_row(Text(parameter.name), Text(parameter.text))
    out.print(table)
    out.print(f"\nExample: {function.example}", markup=False)


@cli.command(short_help="Build a workbook: budget, compare, fit, batch or paper.")
@click.argument("template")
@click.argument("output", type=click.Path(path_type=Path, dir_okay=False))
@SET
@click.option(
    "--host", type=click.Choice(["plain", "office"]), default="plain", show_default=True,
    help="Spell our functions by their names, or as Office.js add-ins store them.",
)  # fmt: skip
@click.option(
    "--edition", type=click.Choice(["addin", "lambda", "cells"]), default="addin", show_default=True,
    help="Where our functions come from: an add-in, LAMBDA names in the file, or the cells themselves.",
)  # fmt: skip
@FORCE
def new(
    template: str,
    output: Path,
    assignments: tuple[str, ...],
    host: str,
    edition: str,
    force: bool,
) -> None:
    """Build the workbook TEMPLATE (budget, compare, fit, batch or paper) with all values computed, and write it to OUTPUT."""
    from chinchilla_xl import workbooks
    from chinchilla_xl.recalc.inputs import parse_assignments

    check_new(output, ".xlsx", force)
    workbooks.new(template, output, parse_assignments(list(assignments)), host, edition)
    click.echo(output)


@cli.command(short_help="Print the named inputs and results of WORKBOOK.")
@click.argument("workbook", type=click.Path())
@click.option("--names", is_flag=True, help="Print what each cell is called, for --set and fill.")
def show(workbook: str, names: bool) -> None:
    """Print the named inputs and results of WORKBOOK, as cached in the file, and its path."""
    from chinchilla_xl.workbooks.reader import named_cells, named_rows

    out = console()
    if names:
        table = Table("name", "cell", "value", "label", box=None, pad_edge=False)
        for cell in named_cells(workbook):
            table.add_row(*map(Text, cell))
        out.print(table)
        return
    for sheet, columns, rows in named_rows(workbook):
        table = Table(box=None, pad_edge=False)
        for i, heading in enumerate((sheet, *columns, "")):
            side: Any = "right" if 0 < i <= len(columns) else "left"
            table.add_column(Text(heading), justify=side, overflow="fold")
        for row in rows:
            table.add_row(*map(Text, row))
        out.print(table)
        out.print()
    click.echo(workbook)


@cli.command(short_help="Find what makes a workbook hard to trust.")
@click.argument("workbook", type=click.Path(path_type=Path))
@click.option("--no-advice", is_flag=True, help="Leave out the conventions of our templates.")
@JSON
def lint(workbook: Path, no_advice: bool, as_json: bool) -> None:
    """Look through WORKBOOK for what makes a model hard to trust; it is not changed.

    Errors, stale or missing values, odd formulas in rows of equal ones, numbers inside formulas,
    volatile functions, links to files, hidden parts are findings. What only our templates promise
    (names, units, sources, validations, print areas) is advice elsewhere. Exit code 1: there are
    findings.
    """
    from chinchilla_xl.lint import lint as run

    found = [finding for finding in run(workbook) if not (no_advice and finding.advice)]
    if as_json:
        rows = [
            {"place": f.place, "rule": f.rule, "message": f.message, "advice": f.advice}
            for f in found
        ]
        print_json(rows)
    else:
        for f in found:
            click.echo(f"{f.place}: {f.rule}: {f.message}{' (advice)' if f.advice else ''}")
    findings = sum(not f.advice for f in found)
    if not as_json:
        click.echo(f"{workbook}: {findings} findings, {len(found) - findings} pieces of advice")
    sys.exit(FOUND if findings else 0)


@cli.command(short_help="Fit the scaling law to your own training runs.")
@click.argument("runs", type=click.Path(path_type=Path))
@click.option("--params", metavar="COL", help="The column of parameters (default: guessed).")
@click.option("--tokens", metavar="COL", help="The column of training tokens (default: guessed).")
@click.option("--flops", metavar="COL", help="The column of training FLOPs; tokens = C/(6N).")
@click.option("--loss", metavar="COL", help="The column of final losses (default: guessed).")
@click.option("--confidence", default=0.95, show_default=True, help="Of the intervals.")
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write a workbook with coefficients, runs, residuals and charts.",
)
@click.option(
    "--png",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Draw the fit as a picture (.png).",
)
@click.option("--sheet", metavar="NAME", help="The sheet of an .xlsx file (default: the first).")
@click.option("--force", is_flag=True, help="Replace FILE if it exists (never RUNS).")
def fit(
    runs: Path,
    params: str | None,
    tokens: str | None,
    flops: str | None,
    loss: str | None,
    confidence: float,
    output: Path | None,
    png: Path | None,
    sheet: str | None,
    force: bool,
) -> None:
    """Fit the scaling law to the training runs in RUNS (.csv, .xlsx or .parquet).

    Columns are found by their usual names (params, N, model size; tokens, D; flops, C, compute;
    loss, val_loss, final loss ...), and it is said which were taken. Rows in messages count the
    runs from 1, without the line of names.
    """
    from chinchilla_xl import fit as fitting
    from chinchilla_xl import workbooks
    from chinchilla_xl.functions.fitting import fit_table
    from chinchilla_xl.workbooks.runs import read_runs

    for path, suffix in ((output, ".xlsx"), (png, ".png")):
        if path is not None:
            check_new(path, suffix, force, [runs])
    columns = {"params": params, "tokens": tokens, "flops": flops, "loss": loss}
    table = read_runs(runs, columns, sheet)
    for role, column in table.chosen.items():
        click.echo(f"{role} read from: {column}")
    found = fitting.fit(table.params, table.tokens, table.losses, confidence=confidence)
    out = console()
    head, *rows = fit_table(found).tolist()
    printed = Table(*head, box=None, pad_edge=False)
    for row in rows:
        if row[0] != "warning":
            printed.add_row(*(Text(c if isinstance(c, str) else f"{c:.6g}") for c in row))
    out.print(printed)
    for warning in found.warnings:
        out.print(f"warning: {warning}", markup=False)
    if output is not None:
        workbooks.report_fit(output, table, found)
        click.echo(output)
    if png is not None:
        from chinchilla_xl.figures import draw_fit

        draw_fit(png, table.params, table.tokens, table.losses, found)
        click.echo(png)


@cli.command(short_help="Draw Figures 1, 2 and 6 of arXiv 2401.00448.")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
def figures(folder: Path) -> None:
    """Draw Figures 1, 2 and 6 of arXiv 2401.00448 from the functions, as PNG files in FOLDER."""
    from chinchilla_xl.figures import draw

    for path in draw(folder):
        click.echo(path)


def main() -> None:
    """Run the command line; an error on purpose is one line and an exit code."""
    try:
        cli.main(standalone_mode=False)
    except click.exceptions.Exit as e:
        sys.exit(e.exit_code)
    except click.Abort:
        click.echo("interrupted; no file is half written", err=True)
        sys.exit(130)
    except click.ClickException as e:
        click.echo(usage_line(e), err=True)
        sys.exit(e.exit_code)
    except ArgumentError as e:
        click.echo(f"Error: {e}", err=True)
        sys.exit(USAGE)
    except ChinchillaError as e:
        click.echo(f"Error: {e}", err=True)
        sys.exit(REFUSED)
    except OSError as e:  # the output itself failed: a full disk, a closed pipe
        click.echo(f"Error: {e.strerror}", err=True)
        sys.exit(REFUSED)
