"""The command line: chinchilla-xl functions | new | fill | recompute | sweep | show | fit | ..."""

from __future__ import annotations

import dataclasses
import json
import math
import os
import sys
from pathlib import Path
from typing import Any

from chinchilla_xl.cli_support import check_new, console, dask, print_outcome, progress
from chinchilla_xl.errors import ArgumentError, ChinchillaError, MissingExtra

try:
    import click
    from rich.table import Table
    from rich.text import Text
except ImportError as missing:
    raise MissingExtra("click or rich", "recalc") from missing

KEPT, USAGE, REFUSED = 1, 2, 3
"""Exit codes: some formulas kept their old value; a command or an input was given wrongly; some
file could not be processed. 0 is success.
"""

FOUND = 1
"""Exit code of lint: there are findings."""

_FILES_A_PROCESS = 4
"""Starting a process takes about as long as recomputing a few workbooks."""

SET_HELP = "Set an input first: a defined name or Sheet!A1. Repeat for more."


@click.group(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 done; 1 done, but some formulas kept their old value; "
    "2 wrong usage; 3 a file could not be processed (it is left as it was).",
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
        names = ", ".join(by_name)
        raise click.UsageError(f"there is no function {name!r}: choose one of {names}")
    function = by_name[name.upper()]
    out.print(function.syntax, markup=False)
    out.print(f"\n{function.summary}\n", markup=False)
    table = Table(box=None, pad_edge=False, show_header=False)
    for parameter in function.parameters:
        table.add_row(Text(parameter.name), Text(parameter.text))
    out.print(table)
    out.print(f"\nExample: {function.example}", markup=False)


@cli.command()
@click.argument("template")
@click.argument("output", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--set", "assignments", multiple=True, metavar="NAME=VALUE", help=SET_HELP)
@click.option(
    "--host", type=click.Choice(["plain", "office"]), default="plain", show_default=True,
    help="Spell our functions by their names, or as Office.js add-ins store them.",
)  # fmt: skip
@click.option("--force", is_flag=True, help="Replace OUTPUT if it exists.")
def new(
    template: str, output: Path, assignments: tuple[str, ...], host: str, force: bool
) -> None:  # fmt: skip
    """Build the workbook TEMPLATE (budget, compare, fit, batch or paper) with all values computed, and write it to OUTPUT."""
    from chinchilla_xl import workbooks
    from chinchilla_xl.recalc.inputs import parse_assignments

    check_new(output, ".xlsx", force)
    workbooks.new(template, output, parse_assignments(list(assignments)), host)
    click.echo(output)


@cli.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "-o", "--output-dir", metavar="DIR", type=click.Path(path_type=Path, file_okay=False),
    help="Write the results here instead of in place.",
)  # fmt: skip
@click.option("--set", "assignments", multiple=True, metavar="NAME=VALUE", help=SET_HELP)
@click.option("--check", is_flag=True, help="Write nothing; exit with 1 if a value is out of date.")
@click.option(
    "--jobs", type=click.IntRange(min=1), metavar="N",
    help="Files at a time, each in a process of its own (default: all cores, for more than a few files).",
)  # fmt: skip
@click.option(
    "--timeout", type=click.FloatRange(min=0, min_open=True), metavar="SECONDS",
    help="Stop a file that takes longer; it is left as it was.",
)  # fmt: skip
@click.option("--scheduler", metavar="ADDRESS", help="Work on this Dask cluster instead.")
@click.option("--json", "as_json", is_flag=True, help="Print the reports as JSON.")
def recompute(
    files: tuple[Path, ...],
    output_dir: Path | None,
    assignments: tuple[str, ...],
    check: bool,
    jobs: int | None,
    timeout: float | None,
    scheduler: str | None,
    as_json: bool,
) -> None:
    """Recalculate every formula of each .xlsx or .xlsm of FILES, without a spreadsheet program.

    Only cached values are written; all else in a file stays byte for byte, and a file is replaced
    whole or not at all. A formula that cannot be computed faithfully keeps its old value and is
    listed.
    """
    from chinchilla_xl.recalc import Failure, recompute_all
    from chinchilla_xl.recalc.inputs import parse_assignments

    outcomes = recompute_all(
        files,
        output_dir,
        parse_assignments(list(assignments)),
        check=check,
        jobs=jobs or min(math.ceil(len(files) / _FILES_A_PROCESS), os.cpu_count() or 1),
        timeout=timeout,
        executor=None if scheduler is None else dask(scheduler),
    )
    code = 0
    reports: list[dict[str, Any]] = []
    with progress(len(files)) as advance:
        for outcome in outcomes:
            advance()
            if isinstance(outcome, Failure):
                code = max(code, USAGE if outcome.kind == "ArgumentError" else REFUSED)
            else:
                code = max(code, KEPT if outcome.kept or (check and outcome.stale) else 0)
            reports.append(dataclasses.asdict(outcome))
            if not as_json:
                print_outcome(outcome, check)
    if as_json:
        order = {str(file): i for i, file in enumerate(files)}
        reports.sort(key=lambda report: order[report["path"]])
        click.echo(json.dumps(reports, indent=2, ensure_ascii=False))
    sys.exit(code)


@cli.command()
@click.argument("workbook", type=click.Path(path_type=Path))
@click.argument("inputs", type=click.Path(path_type=Path))
@click.option(
    "-o", "--output", metavar="OUT", required=True,
    type=click.Path(path_type=Path, dir_okay=False), help="Where the filled workbook goes.",
)  # fmt: skip
@click.option("--force", is_flag=True, help="Replace OUT if it exists.")
def fill(workbook: Path, inputs: Path, output: Path, force: bool) -> None:
    """Write the named inputs in INPUTS (.toml, .json or .csv) into WORKBOOK, and recompute it.

    Each must be a name of the workbook (or Sheet!A1), keep to the data validation of its cell and,
    if a unit is given, to the unit that the sheet shows beside it. All are checked before anything
    is written.
    """
    from chinchilla_xl.recalc.fill import fill as run

    check_new(output, workbook.suffix.lower(), force)
    report = run(workbook, inputs, output)
    print_outcome(report, check=False)
    sys.exit(KEPT if report.kept else 0)


@cli.command()
@click.argument("workbook", type=click.Path(path_type=Path))
@click.argument("scenarios", type=click.Path(path_type=Path))
@click.option("--outputs", metavar="NAME,...", required=True, help="The cells to report.")
@click.option(
    "-o", "--output", metavar="RESULTS", required=True,
    type=click.Path(path_type=Path, dir_okay=False), help="A .csv, .xlsx or .parquet file.",
)  # fmt: skip
@click.option(
    "--jobs",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Processes, each with the workbook in memory.",
)
@click.option("--scheduler", metavar="ADDRESS", help="Work on this Dask cluster instead.")
@click.option(
    "--sheet", metavar="NAME", help="The sheet of SCENARIOS, if .xlsx (default: the first)."
)
@click.option("--force", is_flag=True, help="Replace RESULTS if it exists.")
def sweep(
    workbook: Path,
    scenarios: Path,
    outputs: str,
    output: Path,
    jobs: int,
    scheduler: str | None,
    sheet: str | None,
    force: bool,
) -> None:
    """Run WORKBOOK over the rows of SCENARIOS (.csv, .xlsx or .parquet), one row of inputs each.

    The columns of SCENARIOS are names of inputs; a blank leaves the workbook's own value. RESULTS
    has the same rows with the outputs, and what went wrong in a row. A sweep that was broken off
    goes on where it was. WORKBOOK is not changed.
    """
    from chinchilla_xl.recalc.sweep import sweep as run

    check_new(output, output.suffix.lower(), force)
    names = [name.strip() for name in outputs.split(",") if name.strip()]
    executor = None if scheduler is None else dask(scheduler)
    result = run(workbook, scenarios, names, output, jobs=jobs, executor=executor, sheet=sheet)
    failed = int(result["error"].notna().sum())
    click.echo(f"{output}: {len(result)} scenarios" + (f", {failed} with errors" if failed else ""))
    sys.exit(KEPT if failed else 0)


@cli.command()
@click.argument("workbook", type=click.Path(path_type=Path))
def show(workbook: Path) -> None:
    """Print the named inputs and results of WORKBOOK, as cached in the file, and its path."""
    from chinchilla_xl.workbooks.reader import named_rows

    out = console()
    for sheet, columns, rows in named_rows(workbook):
        table = Table(box=None, pad_edge=False)
        for i, heading in enumerate((sheet, *columns, "")):
            table.add_column(Text(heading), justify="right" if 0 < i <= len(columns) else "left")
        for row in rows:
            table.add_row(*map(Text, row))
        out.print(table)
        out.print()
    click.echo(workbook)


@cli.command()
@click.argument("workbook", type=click.Path(path_type=Path))
@click.option("--no-advice", is_flag=True, help="Leave out the conventions of our templates.")
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
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
        click.echo(json.dumps(rows, indent=2, ensure_ascii=False))
    else:
        for f in found:
            click.echo(f"{f.place}: {f.rule}: {f.message}{' (advice)' if f.advice else ''}")
    findings = sum(not f.advice for f in found)
    if not as_json:
        click.echo(f"{workbook}: {findings} findings, {len(found) - findings} pieces of advice")
    sys.exit(FOUND if findings else 0)


@cli.command()
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
            check_new(path, suffix, force and path.resolve() != runs.resolve())
    columns = {"params": params, "tokens": tokens, "flops": flops, "loss": loss}
    table = read_runs(runs, columns, sheet)
    for role, column in table.chosen.items():
        click.echo(f"{role}: {column}")
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


@cli.command()
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
        e.show()
        sys.exit(e.exit_code)
    except ArgumentError as e:
        click.echo(f"Error: {e}", err=True)
        sys.exit(USAGE)
    except ChinchillaError as e:
        click.echo(f"Error: {e}", err=True)
        sys.exit(REFUSED)
    except OSError as e:  # the output itself failed: a full disk, a closed pipe
        sys.exit(f"Error: {e.strerror}")
