"""Recomputes many workbooks: one after the other, in processes, in programs, or on any executor.

Each file has an outcome of its own, a Report or a Failure; no file, and no killed worker, takes the
batch down. A spreadsheet program gets several files at a time, because it takes seconds to start.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any, TypeAlias

from chinchilla_xl.errors import ArgumentError, ChinchillaError
from chinchilla_xl.recalc.engines import EMBEDDED, Engine, open_engine
from chinchilla_xl.recalc.files import (
    Location,
    inside,
    is_folder,
    name_of,
    only_here,
    suffix_of,
)
from chinchilla_xl.recalc.inputs import Input
from chinchilla_xl.recalc.processes import Lost, collected, in_processes
from chinchilla_xl.recalc.report import Report
from chinchilla_xl.recalc.workbook import Files, recompute_files

_FILES_A_PROCESS = 4
"""Starting a process takes about as long as recomputing a few workbooks."""
_SPREADSHEETS = frozenset(".csv .ods .xls .xlsb .xlsm .xlsx".split())
"""Endings of names that are meant for a file, though some are refused then."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A file that was not recomputed, and why: `kind` is the class of the error."""

    path: str
    kind: str
    error: str


Outcome: TypeAlias = Report | Failure


def recompute_all(
    paths: Sequence[Location],
    output: Location | None = None,
    inputs: Mapping[str, Input] | None = None,
    *,
    check: bool = False,
    jobs: int | None = 1,
    timeout: float | None = None,
    executor: Executor | None = None,
    engine: str = EMBEDDED,
) -> Iterator[Outcome]:
    """Recompute every file, and give each outcome as soon as it is there.

    `inputs`, `check` and `engine` are as for `recompute`. Results go in place or to `output`: a
    folder, or for a single path a file, which a name that ends like a spreadsheet's means unless
    there is a folder of that name. `jobs` processes (with LibreOffice, that many of it) work at a
    time, None: as many as there are cores, if there are files enough; a file that takes longer than
    `timeout` seconds is stopped and left as it was. An `executor` of your own (a pool, a Dask
    cluster's `client.get_executor()`) takes the place of the processes; it must be able to import
    this package and see the files, and cannot stop a task that runs.
    """
    files = _targets(paths, output)
    given = dict(inputs or {})
    with closing(open_engine(engine, timeout)) as first:
        if jobs is None:
            share = max(first.batch, _FILES_A_PROCESS)
            jobs = min(math.ceil(len(files) / share), os.cpu_count() or 1)
        if any(only_here(place) for file in files for place in file if place is not None):
            jobs = 1
        groups = [files[i : i + first.batch] for i in range(0, len(files), first.batch)]
        if executor is not None:
            if timeout is not None and not first.own_processes:
                raise ArgumentError(
                    "timeout needs processes (jobs): an executor cannot stop a task"
                )
            tasks = [(group, given, check, engine, timeout) for group in groups]
            futures = {executor.submit(_outcomes, *task): task for task in tasks}
            yield from _flattened(collected(futures))
        elif first.own_processes and first.parallel and jobs > 1:
            yield from _in_programs(first, groups, given, check, engine, timeout, jobs)
        elif first.own_processes or (jobs == 1 and timeout is None):
            for group in groups:
                yield from _outcomes_of(first, group, given, check)
        else:
            tasks = [(group, given, check, engine, None) for group in groups]
            yield from _flattened(in_processes(_outcomes, tasks, jobs, timeout))


def _targets(paths: Sequence[Location], output: Location | None) -> list[tuple[str, str | None]]:
    """Each file and where its result goes; no two results may meet."""
    file = output is not None and _is_file(output, paths)
    files: list[tuple[str, str | None]] = []
    for path in paths:
        target = None
        if output is not None:
            target = os.fspath(output) if file else inside(output, name_of(path))
        files.append((os.fspath(path), target))
    seen: set[str] = set()
    for path, target in files:
        written = target or path
        if written in seen:
            raise ArgumentError(f"two files would be written to {written}")
        seen.add(written)
    return files


def _is_file(output: Location, paths: Sequence[Location]) -> bool:
    """Whether the output is meant as a file, not as a folder; ArgumentError if it cannot be one."""
    if suffix_of(output) not in _SPREADSHEETS or is_folder(output):
        return False
    where = os.fspath(output)
    if len(paths) != 1:
        raise ArgumentError(
            f"{where} is the name of one file, and {len(paths)} are given: name a folder"
        )
    suffix = suffix_of(paths[0])
    if suffix and suffix != suffix_of(output):  # a source without one is refused when it is read
        raise ArgumentError(f"{where} must end in {suffix}, as {os.fspath(paths[0])} does")
    return True


def _outcomes(
    files: Files,
    inputs: Mapping[str, Input],
    check: bool,
    engine: str,
    timeout: float | None,
) -> list[Outcome]:
    """The outcomes of some files, wherever this runs, with an engine of its own."""
    with closing(open_engine(engine, timeout)) as opened:
        return _outcomes_of(opened, files, inputs, check)


def _outcomes_of(
    engine: Engine, files: Files, inputs: Mapping[str, Input], check: bool
) -> list[Outcome]:
    try:
        results = recompute_files(engine, files, inputs, check=check)
    except Exception as e:  # noqa: BLE001 (the other files must go on)
        if len(files) > 1:
            return [o for file in files for o in _outcomes_of(engine, [file], inputs, check)]
        if isinstance(e, MemoryError):
            return _failures(files, "TooLarge", "there is not enough memory for it")
        return _failures(files, type(e).__name__, f"an unforeseen error: {e}")
    return [
        Failure(path, type(result).__name__, str(result))
        if isinstance(result, ChinchillaError)
        else result
        for (path, _), result in zip(files, results, strict=True)
    ]


def _failures(files: Files, kind: str, error: str) -> list[Outcome]:
    return [Failure(path, kind, error) for path, _ in files]


def _flattened(
    results: Iterator[tuple[tuple[Any, ...], list[Outcome] | Lost]],
) -> Iterator[Outcome]:
    for task, outcomes in results:
        if isinstance(outcomes, Lost):
            yield from _failures(task[0], outcomes.kind, str(outcomes))
        else:
            yield from outcomes


def _in_programs(
    first: Engine,
    groups: list[list[tuple[str, str | None]]],
    inputs: Mapping[str, Input],
    check: bool,
    engine: str,
    timeout: float | None,
    jobs: int,
) -> Iterator[Outcome]:
    """Several programs side by side; each thread only waits for the program that it drives."""
    idle: SimpleQueue[Engine] = SimpleQueue()
    jobs = min(jobs, len(groups))

    def work(group: Files) -> list[Outcome]:
        mine = idle.get()
        try:
            return _outcomes_of(mine, group, inputs, check)
        finally:
            idle.put(mine)

    with ExitStack() as stack:
        pool = stack.enter_context(ThreadPoolExecutor(max(jobs, 1)))
        idle.put(first)
        stack.callback(first.close)  # before the pool waits for what may still run
        for _ in range(jobs - 1):
            another = open_engine(engine, timeout)
            stack.callback(another.close)
            idle.put(another)
        futures = {pool.submit(work, group): (group,) for group in groups}
        stack.callback(lambda: [future.cancel() for future in futures])
        yield from _flattened(collected(futures))
