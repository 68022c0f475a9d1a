"""Runs a workbook over a table of scenarios: one row of inputs in, one row of outputs out.

Each process keeps one live workbook and only sets the inputs of the next scenario. Rows that are done
are kept in a journal beside the results, so that a sweep that was broken off goes on where it was;
the journal is removed when the results are written.
"""

from __future__ import annotations

import hashlib
import math
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future
from contextlib import closing, suppress
from datetime import date
from functools import lru_cache
from typing import Any, TypeAlias

from chinchilla_xl.errors import ArgumentError, ChinchillaError, MissingExtra
from chinchilla_xl.functions import CellError
from chinchilla_xl.recalc.engines import EMBEDDED, Engine, open_engine
from chinchilla_xl.recalc.files import Location, is_remote, local_path, naming, only_here, read_file
from chinchilla_xl.recalc.inputs import Input, date_text, parse_value
from chinchilla_xl.recalc.journal import ERROR, Journal, Row
from chinchilla_xl.recalc.live import LiveWorkbook, check, run_all
from chinchilla_xl.recalc.processes import Lost, collected, in_processes
from chinchilla_xl.recalc.rules import Rules, rules_of
from chinchilla_xl.recalc.tables import check_table, read_table, write_table

try:
    import pandas as pd
except ImportError as missing:
    raise MissingExtra("pandas", "recalc") from missing

_ROWS_A_TASK = 25
_ROWS_A_PROCESS = 100
"""Starting a process takes about as long as computing so many scenarios."""

Rows: TypeAlias = list[tuple[int, dict[str, Input]]]
Task: TypeAlias = tuple[str, str, Rows, list[str], str, float | None]


def sweep(
    workbook: Location,
    scenarios: Location | pd.DataFrame,
    outputs: Sequence[str],
    output: Location | None = None,
    *,
    jobs: int | None = 1,
    timeout: float | None = None,
    executor: Executor | None = None,
    engine: str = EMBEDDED,
    progress: Callable[[int, int, int], None] | None = None,
    sheet: str | None = None,
) -> pd.DataFrame:
    """One row of results per row of `scenarios`, whose columns are inputs of the workbook.

    Inputs and outputs are defined names or Sheet!A1 addresses. Of scenarios in an .xlsx file the
    first sheet is read, or the one called `sheet`; the file may be the workbook itself. The result
    has the scenarios' columns, then the outputs, then "error", which says what went wrong in a row.
    With `output` (.csv, .xlsx or .parquet) the results are written there; a sweep that is broken off
    and called again does only the rows that are left. The workbook is not changed.

    `jobs` processes (None: as many as there are cores, if there are rows enough), or an `executor`
    of your own, share the rows; a scenario that takes longer than `timeout` seconds is stopped.
    `engine` is as for `recompute`: a program recalculates a copy of the workbook for each row.
    `progress(done, total, errors)` is called as rows come.
    """
    if executor is not None and timeout is not None and engine == EMBEDDED:
        raise ArgumentError("timeout needs processes (jobs): an executor cannot stop a task")
    with naming(workbook):
        data = read_file(workbook)
    frame = scenarios if isinstance(scenarios, pd.DataFrame) else read_table(scenarios, sheet)
    frame = frame.reset_index(drop=True)
    _check_columns(frame, outputs)
    if output is not None:
        check_table(output)
    rows = [_inputs(row) for row in frame.to_dict("records")]
    check(data, [str(name) for name in frame.columns], outputs)
    journal = Journal(output, data, [rows, list(outputs), engine])
    left = [index for index in range(len(rows)) if index not in journal.done]
    place = os.fspath(workbook)
    place = place if is_remote(place) else str(local_path(place).resolve())
    size = _ROWS_A_TASK if timeout is None or engine != EMBEDDED else 1
    tasks: list[Task] = [
        (place, hashlib.sha256(data).hexdigest(), [(i, rows[i]) for i in part], [*outputs],
         engine, timeout)
        for part in _parts(left, size)
    ]  # fmt: skip
    if jobs is None:
        jobs = min(math.ceil(len(left) / _ROWS_A_PROCESS), os.cpu_count() or 1) or 1
    if only_here(place):
        jobs = 1
    with journal:
        for results in _results(tasks, jobs, timeout, executor, engine):
            journal.add(results)
            if progress is not None:
                progress(len(journal.done), len(rows), journal.errors)
    table = pd.DataFrame([journal.done[i] for i in range(len(rows))], columns=[*outputs, ERROR])
    result = pd.concat([frame, table], axis=1)
    if output is not None:
        write_table(output, result)
        journal.remove()
    return result


def _check_columns(frame: pd.DataFrame, outputs: Sequence[str]) -> None:
    if frame.empty:
        raise ArgumentError("the scenarios hold no rows")
    if not outputs:
        raise ArgumentError("outputs must name at least one cell of the workbook")
    columns = [str(name) for name in frame.columns]
    twice = [name for name in [*columns, *outputs] if [*columns, *outputs].count(name) > 1]
    if twice:
        raise ArgumentError(f"{twice[0]} stands twice among the inputs and outputs")
    if ERROR in [*columns, *outputs]:
        raise ArgumentError(f"{ERROR!r} is the column of errors: it cannot be an input or output")


def _inputs(row: Mapping[Any, Any]) -> dict[str, Input]:
    """A row's inputs; a blank cell leaves the workbook's own value."""
    return {str(name): _input(value) for name, value in row.items() if not pd.isna(value)}


def _input(value: Any) -> Input:
    """A cell of a table; one text in a column has made texts of the numbers beside it."""
    if isinstance(value, str):
        with suppress(ArgumentError):  # infinite: its row says that it is no number
            return parse_value(value)
        return value
    if isinstance(value, date):
        return date_text(value)  # for the journal, which is JSON
    return value if isinstance(value, bool) else float(value)


def _parts(indices: Sequence[int], size: int) -> Iterable[Sequence[int]]:
    for start in range(0, len(indices), size):
        yield indices[start : start + size]


def _results(
    tasks: list[Task], jobs: int, timeout: float | None, executor: Executor | None, engine: str
) -> Iterator[list[tuple[int, Row]]]:
    if executor is not None:
        yield from _shared(tasks, lambda some: _on_executor(executor, some))
    elif engine != EMBEDDED:
        with closing(open_engine(engine, timeout)) as opened:
            for task in tasks:
                yield run_rows(*task, opened=opened)
    elif jobs == 1 and timeout is None:
        for task in tasks:
            yield run_rows(*task)
    else:
        yield from _shared(tasks, lambda some: in_processes(run_rows, some, jobs, timeout))


def _shared(
    tasks: list[Task], share: Callable[[list[Task]], Iterator[tuple[Task, Any]]]
) -> Iterator[list[tuple[int, Row]]]:
    """The results of tasks given to others; if one is lost, its rows are tried one by one."""
    again: list[Task] = []
    for task, result in share(tasks):
        path, digest, rows, outputs, *rest = task
        if not isinstance(result, Lost):
            yield result
        elif len(rows) > 1:
            again += [(path, digest, [row], outputs, *rest) for row in rows]  # type: ignore[misc]
        else:
            yield [(rows[0][0], dict.fromkeys(outputs) | {ERROR: str(result)})]
    if again:
        yield from _shared(again, share)


def _on_executor(executor: Executor, tasks: list[Task]) -> Iterator[tuple[Task, Any]]:
    futures: dict[Future[Any], Task] = {}
    for task in tasks:
        try:
            futures[executor.submit(run_rows, *task)] = task
        except RuntimeError as e:  # a pool that has lost a process takes no more
            yield task, Lost(f"its worker was lost: {e}", type(e).__name__)
    yield from collected(futures)


def run_rows(
    path: str,
    digest: str,
    rows: Rows,
    outputs: list[str],
    engine: str = EMBEDDED,
    timeout: float | None = None,
    *,
    opened: Engine | None = None,
) -> list[tuple[int, Row]]:
    """The results of some scenarios: on this process's live workbook, or by a program."""
    refusals = [_rules(path, digest).refusal(given) for _, given in rows]
    inputs = [given for (_, given), refusal in zip(rows, refusals, strict=True) if not refusal]
    if engine == EMBEDDED:
        live = _live(path, digest)
        found: Iterable[Any] = (_run(live, given, outputs) for given in inputs)
    elif opened is not None:
        found = run_all(opened, _unchanged(path, digest), inputs, outputs)
    else:
        with closing(open_engine(engine, timeout)) as mine:
            found = run_all(mine, _unchanged(path, digest), inputs, outputs)
    results = iter(found)
    return [
        (index, _row(refusal or next(results), outputs))
        for (index, _), refusal in zip(rows, refusals, strict=True)
    ]


def _run(live: LiveWorkbook, inputs: dict[str, Input], outputs: list[str]) -> Any:
    try:
        return live.run(inputs, outputs), live.messages
    except ChinchillaError as e:
        return e


def _row(result: Any, outputs: list[str]) -> Row:
    row: Row = dict.fromkeys([*outputs, ERROR])
    if isinstance(result, ChinchillaError):
        return row | {ERROR: str(result)}
    values, messages = result
    row |= {name: str(v) if isinstance(v, CellError) else v for name, v in values.items()}
    errors = [f"{name} is {v}" for name, v in values.items() if isinstance(v, CellError)]
    row[ERROR] = "; ".join([*errors, *messages]) if errors else None
    return row


@lru_cache(maxsize=1)
def _live(path: str, digest: str) -> LiveWorkbook:
    return LiveWorkbook(_unchanged(path, digest))


@lru_cache(maxsize=1)
def _rules(path: str, digest: str) -> Rules:
    return rules_of(_unchanged(path, digest))


def _unchanged(path: str, digest: str) -> bytes:
    data = read_file(path)
    if hashlib.sha256(data).hexdigest() != digest:
        raise ArgumentError(f"{path} was changed while the sweep ran: start it again")
    return data
