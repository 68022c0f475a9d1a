"""The commands that work on workbooks: recompute | fill | sweep | convert."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable
from typing import Any, TypeAlias

from chinchilla_xl.cli_support import (
    FORCE,
    JSON,
    KEPT,
    REFUSED,
    SET,
    USAGE,
    check_new,
    dask,
    print_formulas,
    print_json,
    print_outcome,
    progress,
)
from chinchilla_xl.errors import MissingExtra

try:
    import click
except ImportError as missing:
    raise MissingExtra("click", "recalc") from missing

Command: TypeAlias = Callable[..., Any]

_LOCATION = click.Path()  # no Path object, which would make s3:/ of s3://
_SECONDS = click.FloatRange(min=0, min_open=True)
_WORKBOOK = click.argument("workbook", type=_LOCATION)
_ENGINE = click.option(
    "--engine", type=click.Choice(["formualizer", "excel", "libreoffice"]), default="formualizer",
    show_default=True, help="What computes: embedded, or a program on this machine.",
)  # fmt: skip


def _batch(jobs: str, timeout: str) -> Callable[[Command], Command]:
    """The options of a command that shares out its work, with what two of them do there."""
    options = (
        _ENGINE,
        click.option("--jobs", type=click.IntRange(min=1), metavar="N", help=jobs),
        click.option("--timeout", type=_SECONDS, metavar="SECONDS", help=timeout),
        click.option("--scheduler", metavar="ADDRESS", help="Work on this Dask cluster instead."),
    )

    def add(command: Command) -> Command:
        for option in reversed(options):  # as decorators above each other would
            command = option(command)
        return command

    return add


@click.command(short_help="Recalculate workbooks without a spreadsheet program.")
@click.argument("files", nargs=-1, required=True, type=_LOCATION)
@click.option(
    "-o", "--output", metavar="OUT", type=_LOCATION,
    help="Write the results to this folder or, of a single file, to this file instead of in place.",
)  # fmt: skip
@SET
@click.option("--check", is_flag=True, help="Write nothing; exit with 1 if a value is out of date.")
@_batch(
    "Files at a time, each in a process of its own (default: all cores, for more than a few files).",
    "Stop a file that takes longer; it is left as it was.",
)
@JSON
def recompute(
    files: tuple[str, ...],
    output: str | None,
    assignments: tuple[str, ...],
    check: bool,
    engine: str,
    jobs: int | None,
    timeout: float | None,
    scheduler: str | None,
    as_json: bool,
) -> None:
    """Recalculate every formula of each .xlsx or .xlsm of FILES, without a spreadsheet program.

    Only cached values are written; all else in a file stays byte for byte, and a file is replaced
    whole or not at all. A formula that cannot be computed faithfully keeps its old value and is
    listed. FILES and OUT may be remote (s3://, gs://, abfs://).
    """
    from chinchilla_xl.recalc import Failure, recompute_all
    from chinchilla_xl.recalc.files import name_of
    from chinchilla_xl.recalc.inputs import parse_assignments

    # Excel keeps such a file beside a workbook that is open, and *.xlsx takes it in.
    files = tuple(file for file in files if not name_of(file).startswith("~$")) or files
    outcomes = recompute_all(
        files,
        output,
        parse_assignments(list(assignments)),
        check=check,
        jobs=jobs,
        timeout=timeout,
        executor=dask(scheduler),
        engine=engine,
    )
    code = failures = 0
    reports: list[dict[str, Any]] = []
    with progress(len(files), "files") as advance:
        for outcome in outcomes:
            if isinstance(outcome, Failure):
                failures += 1
                code = max(code, USAGE if outcome.kind == "ArgumentError" else REFUSED)
            else:
                code = max(code, KEPT if outcome.kept or (check and outcome.stale) else 0)
            reports.append(dataclasses.asdict(outcome))
            advance(len(reports), failures)
            if not as_json:
                print_outcome(outcome, check)
    if as_json:
        order = {file: i for i, file in enumerate(files)}
        reports.sort(key=lambda report: order[report["path"]])
        print_json(reports)
    sys.exit(code)


@click.command(short_help="Write inputs from a file into WORKBOOK and recompute it.")
@_WORKBOOK
@click.argument("inputs", type=_LOCATION)
@click.option(
    "-o", "--output", metavar="OUT", required=True, type=_LOCATION,
    help="Where the filled workbook goes.",
)  # fmt: skip
@_ENGINE
@FORCE
@JSON
def fill(workbook: str, inputs: str, output: str, engine: str, force: bool, as_json: bool) -> None:
    """Write the named inputs in INPUTS (.toml, .json or .csv) into WORKBOOK, and recompute it.

    Each must be a name of the workbook (or Sheet!A1), keep to the data validation of its cell and,
    if a unit is given, to the unit that the sheet shows beside it. All are checked before anything
    is written.
    """
    from chinchilla_xl.recalc.files import suffix_of
    from chinchilla_xl.recalc.fill import fill as run

    check_new(output, suffix_of(workbook), force)
    report = run(workbook, inputs, output, engine=engine)
    if as_json:
        print_json(dataclasses.asdict(report))
    else:
        print_outcome(report, check=False)
    sys.exit(KEPT if report.kept else 0)


@click.command(short_help="Run WORKBOOK over a table of scenarios.")
@_WORKBOOK
@click.argument("scenarios", type=_LOCATION)
@click.option("--outputs", metavar="NAME,...", required=True, help="The cells to report.")
@click.option(
    "-o", "--output", metavar="RESULTS", required=True, type=_LOCATION,
    help="A .csv, .xlsx or .parquet file.",
)  # fmt: skip
@_batch(
    "Processes, each with the workbook in memory (default: all cores, for many scenarios).",
    "Stop a scenario that takes longer; its row says so.",
)
@click.option(
    "--sheet", metavar="NAME", help="The sheet of SCENARIOS, if .xlsx (default: the first)."
)
@FORCE
@JSON
def sweep(
    workbook: str,
    scenarios: str,
    outputs: str,
    output: str,
    engine: str,
    jobs: int | None,
    timeout: float | None,
    scheduler: str | None,
    sheet: str | None,
    force: bool,
    as_json: bool,
) -> None:
    """Run WORKBOOK over the rows of SCENARIOS (.csv, .xlsx or .parquet), one row of inputs each.

    The columns of SCENARIOS are names of inputs; a blank leaves the workbook's own value. RESULTS
    has the same rows with the outputs, and what went wrong in a row. A sweep that was broken off
    goes on where it was. WORKBOOK is not changed.
    """
    from chinchilla_xl.recalc.files import suffix_of
    from chinchilla_xl.recalc.sweep import sweep as run
    from chinchilla_xl.recalc.tables import read_table

    check_new(output, suffix_of(output), force, [workbook, scenarios])
    names = [name.strip() for name in outputs.split(",") if name.strip()]
    table = read_table(scenarios, sheet)
    reached = 0
    try:
        with progress(len(table), "scenarios") as advance:

            def follow(done: int, _total: int, errors: int) -> None:
                nonlocal reached
                reached = done
                advance(done, errors)

            result = run(
                workbook, table, names, output,
                jobs=jobs, timeout=timeout, engine=engine, progress=follow,
                executor=dask(scheduler),
            )  # fmt: skip
    except KeyboardInterrupt:
        click.echo(
            f"interrupted after {reached} of {len(table)} scenarios: "
            "the same command goes on from there",
            err=True,
        )
        sys.exit(130)
    failed = result["error"].dropna()
    if as_json:
        listed = enumerate(result["error"], start=1)
        errors = [{"row": row, "error": text} for row, text in listed if isinstance(text, str)]
        print_json({"output": output, "scenarios": len(result), "errors": errors})
    else:
        words = f", {len(failed)} with errors, which its column error tells" if len(failed) else ""
        click.echo(f"{output}: {len(result)} scenarios{words}")
    sys.exit(KEPT if len(failed) else 0)


@click.command(short_help="Rewrite a workbook for the add-in, or for LAMBDA names.")
@_WORKBOOK
@click.argument("output", type=_LOCATION)
@click.option(
    "--edition", required=True, type=click.Choice(["addin", "lambda"]),
    help="What OUTPUT calls: the add-in's functions, or LAMBDA names that it brings along.",
)  # fmt: skip
@click.option(
    "--host", type=click.Choice(["plain", "office"]), default="plain", show_default=True,
    help="With --edition addin: by their names, or as Office.js add-ins store them.",
)  # fmt: skip
@FORCE
@JSON
def convert(
    workbook: str, output: str, edition: str, host: str, force: bool, as_json: bool
) -> None:  # fmt: skip
    """Write WORKBOOK to OUTPUT with other calls of our functions: of the add-in's, or of LAMBDAs.

    With --edition lambda Excel 365 or 2024 computes the file with no add-in, by names such as
    CX.OPT_PARAMS that it holds. All else stays byte for byte, the cached values too. A formula that
    cannot change, such as one of FIT_COEFFS, stays as it is and is listed; the exit code is 1.
    """
    from chinchilla_xl.recalc.conversion import convert as run
    from chinchilla_xl.recalc.files import suffix_of

    check_new(output, suffix_of(workbook), force)
    report = run(workbook, output, edition, office=host == "office")
    if as_json:
        print_json(dataclasses.asdict(report))
    else:
        names = [f", {len(report.added)} names added"] if report.added else []
        names += [f", {len(report.removed)} names removed"] if report.removed else []
        left = f", {len(report.left)} left" if report.left else ""
        done = f"{report.formulas} formulas rewritten{''.join(names)}{left}"
        nothing = not (report.formulas or report.added or report.removed or report.left)
        click.echo(f"{report.output}: {'nothing to convert: a copy' if nothing else done}")
        print_formulas("left", report.left)
    sys.exit(KEPT if report.left else 0)
