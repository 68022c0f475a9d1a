"""What the commands share: exit codes, options, consoles, progress, and how outcomes are printed."""

from __future__ import annotations

import contextlib
import json
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from chinchilla_xl.errors import ArgumentError, MissingExtra

try:
    import click
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        Progress,
        ProgressColumn,
        Task,
        TextColumn,
        TimeRemainingColumn,
    )
    from rich.text import Text
except ImportError as missing:
    raise MissingExtra("click or rich", "recalc") from missing

KEPT, USAGE, REFUSED = 1, 2, 3
"""Exit codes: some formulas kept their old value; a command or an input was given wrongly; some
file could not be processed. 0 is success.
"""

SET = click.option(
    "--set", "assignments", multiple=True, metavar="NAME=VALUE",
    help="Set an input first: a defined name or Sheet!A1. Repeat for more.",
)  # fmt: skip
FORCE = click.option("--force", is_flag=True, help="Replace the output if it exists.")
JSON = click.option("--json", "as_json", is_flag=True, help="Report in JSON.")

_LONGEST_FORMULA = 80
_MOST_NAMES = 5
_ADDRESS = re.compile(r"(?<![\w.])\$?[A-Z]{1,3}\$?[0-9]+(?![\w.]|: )")


def dask(address: str | None) -> Any:
    """An executor on the Dask cluster at `address`; None if there is to be none."""
    if address is None:
        return None
    try:
        import distributed
    except ImportError:
        raise MissingExtra("dask.distributed", "cluster") from None
    connect: Any = distributed.Client
    try:
        return connect(address, timeout="10s").get_executor()
    except (OSError, TimeoutError, ValueError) as e:
        raise ArgumentError(f"no Dask scheduler answers at {address}: {e}") from None


@contextlib.contextmanager
def progress(total: int, unit: str) -> Iterator[Callable[[int, int], None]]:
    """A bar where someone watches; to be told how many are done, and how many of these failed."""
    if total < 2 or not sys.stderr.isatty():
        yield lambda _done, _errors: None
        return
    with bar(unit, Console(stderr=True)) as shown:
        task = shown.add_task("", total=total, errors="")

        def advance(done: int, errors: int) -> None:
            words = "" if not errors else f"{errors} error{'s' * (errors > 1)}"
            shown.update(task, completed=done, errors=words)

        yield advance


def bar(unit: str, out: Console) -> Progress:
    """A bar with what is done, how fast, the errors so far and the time left."""
    return Progress(
        TextColumn(f"{{task.completed}}/{{task.total}} {unit}"),
        BarColumn(),
        _Rate(unit),
        TextColumn("[red]{task.fields[errors]}"),
        TimeRemainingColumn(),
        console=out,
    )


class _Rate(ProgressColumn):
    """How many are done in a second."""

    def __init__(self, unit: str) -> None:
        super().__init__()
        self._unit = unit

    def render(self, task: Task) -> Text:
        """See ProgressColumn."""
        elapsed = task.elapsed or 0.0
        rate = task.completed / elapsed if elapsed else 0.0
        return Text(f"{rate:.3g} {self._unit}/s" if rate else "")


def print_outcome(outcome: Any, check: bool) -> None:
    """A line on one file, on each reason why formulas were kept, and on each note."""
    if hasattr(outcome, "error"):
        click.echo(f"{outcome.path}: {outcome.error}", err=True)
        return
    changed = (
        f"{outcome.stale} values out of date" if check else f"{outcome.changed} values changed"
    )
    kept = f", {len(outcome.kept)} kept" if outcome.kept else ""
    click.echo(f"{outcome.output}: {outcome.formulas} formulas, {changed}{kept}")
    print_formulas("kept", outcome.kept)
    if outcome.outdated:
        named = ", ".join(outcome.outdated[:_MOST_NAMES])
        more = len(outcome.outdated) - _MOST_NAMES
        others = f" and {more} more" if more > 0 else ""
        click.echo(
            f"  perhaps out of date: {named}{others}; Excel computes them when it opens the file",
            err=True,
        )
    for message in outcome.messages:
        click.echo(f"  note: {message}", err=True)


def print_formulas(what: str, formulas: Iterable[Any]) -> None:
    """A line on the formulas of each reason: the first of them, and how many more there are.

    Those that only rest on others share the last line. Reasons are the same if they differ in
    nothing but addresses.
    """
    groups: dict[str, list[Any]] = {}
    resting = []
    for formula in formulas:
        if getattr(formula, "resting", False):
            resting.append(formula)
        else:
            groups.setdefault(_ADDRESS.sub("", formula.reason), []).append(formula)
    for group in groups.values():
        click.echo(f"  {what} {_described(group, 'more')}", err=True)
    if resting:
        click.echo(f"  {what} {_described(resting, 'more that rest on such cells')}", err=True)


def _described(group: Sequence[Any], more: str) -> str:
    first, others = group[0], len(group) - 1
    formula = " ".join(first.formula.split())
    if len(formula) > _LONGEST_FORMULA:
        formula = formula[: _LONGEST_FORMULA - 4] + " ..."
    dependents = max(getattr(item, "dependents", 0) for item in group)
    rest = ""
    if dependents:
        cells = "1 cell rests" if dependents == 1 else f"{dependents} cells rest"
        rest = f" (up to {cells} on each)" if others else f" ({cells} on it)"
    number = f" and {others} {more}" if others else ""
    return f"{first.cell} {formula}{number}: {first.reason}{rest}"


def print_json(report: object) -> None:
    """What is reported, for programs."""
    click.echo(json.dumps(report, indent=2, ensure_ascii=False))


def check_new(
    path: str | os.PathLike[str],
    suffix: str,
    force: bool,
    sources: Iterable[str | os.PathLike[str]] = (),
) -> None:
    """UsageError if a file may not be written at `path`; one of the `sources` never."""
    from chinchilla_xl.recalc.files import exists, same_file, suffix_of

    if suffix and suffix_of(path) != suffix:  # a source without one is refused when it is read
        raise click.UsageError(f"the file must end in {suffix}: {path}")
    if any(same_file(path, source) for source in sources):
        raise click.UsageError(f"{path} is read by this command: choose another name")
    if not force and exists(path):
        raise click.UsageError(f"{path} exists already: choose another name or give --force")


def usage_line(error: click.ClickException) -> str:
    """What is wrong with a command and where its help is, in one line; without a command, the help."""
    message, context = error.format_message(), getattr(error, "ctx", None)
    if context is None:
        return f"Error: {' '.join(message.split())}"
    if message == context.get_help():
        return message
    return f"Error: {' '.join(message.split()).rstrip('.')} (help: {context.command_path} --help)"


def console() -> Console:
    """Standard output; where nobody watches, no line is broken and no figure cut."""
    return Console(width=None if sys.stdout.isatty() else 1000, highlight=False)
