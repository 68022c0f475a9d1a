"""What the commands share: consoles, progress, clusters, and how outcomes are printed."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from chinchilla_xl.errors import ArgumentError, MissingExtra

try:
    import click
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
except ImportError as missing:
    raise MissingExtra("click or rich", "recalc") from missing


def dask(address: str) -> Any:
    """An executor on the Dask cluster at `address`."""
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
def progress(total: int) -> Iterator[Callable[[], None]]:
    """A bar of files with the time left, where someone watches; what to call for each file."""
    if total < 2 or not sys.stderr.isatty():
        yield lambda: None
        return
    columns = (
        TextColumn("{task.completed}/{task.total} files"),
        BarColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("", total=total)
        yield lambda: bar.advance(task)


def print_outcome(outcome: Any, check: bool) -> None:
    """A line on one file, and a line on each formula that was kept and each note."""
    if hasattr(outcome, "error"):
        click.echo(f"{outcome.path}: {outcome.error}", err=True)
        return
    changed = (
        f"{outcome.stale} values out of date" if check else f"{outcome.changed} values changed"
    )
    kept = f", {len(outcome.kept)} kept" if outcome.kept else ""
    click.echo(f"{outcome.output}: {outcome.formulas} formulas, {changed}{kept}")
    for kept in outcome.kept:
        rest = f" ({kept.dependents} cells rest on it)" if kept.dependents else ""
        click.echo(f"  kept {kept.cell} {kept.formula}: {kept.reason}{rest}", err=True)
    for message in outcome.messages:
        click.echo(f"  note: {message}", err=True)


def check_new(path: Path, suffix: str, force: bool) -> None:
    """UsageError if a file may not be written at `path`."""
    if path.suffix.lower() != suffix:
        raise click.UsageError(f"the file must end in {suffix}: {path}")
    if path.exists() and not force:
        raise click.UsageError(f"{path} exists already: choose another name or give --force")


def console() -> Console:
    """Standard output, wide enough for tables where nobody watches."""
    return Console(width=None if sys.stdout.isatty() else 120, highlight=False)
