"""Runs a workbook over a table of scenarios: one row of inputs in, one row of outputs out.

Each process keeps one live workbook and only sets the inputs of the next scenario. Rows that are done
are kept in a journal beside the results, so that a sweep that was broken off goes on where it was;
the journal is removed when the results are written.
"""

from __future__ import annotations

import hashlib
import io
import json
import multiprocessing
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, as_completed
from functools import lru_cache
from pathlib import Path
from typing import Any

import pandas as pd

from chinchilla_xl.errors import ArgumentError, ChinchillaError
from chinchilla_xl.functions import CellError
from chinchilla_xl.recalc.files import read_file
from chinchilla_xl.recalc.inputs import Input
from chinchilla_xl.recalc.live import LiveWorkbook
from chinchilla_xl.recalc.tables import read_table, write_table

ERROR = "error"
"""The column that says why a scenario has no result; blank where it has."""

_ROWS_A_TASK = 25
Row = dict[str, Any]


def sweep(
    workbook: str | os.PathLike[str],
    scenarios: str | os.PathLike[str] | pd.DataFrame,
    outputs: Sequence[str],
    output: str | os.PathLike[str] | None = None,
    *,
    jobs: int = 1,
    executor: Executor | None = None,
    progress: Any = None,
    sheet: str | None = None,
) -> pd.DataFrame:
    """One row of results per row of `scenarios`, whose columns are inputs of the workbook.

    Inputs and outputs are defined names or Sheet!A1 addresses. The result has the scenarios' columns,
    then the outputs, then "error". With `output` (.csv, .xlsx or .parquet) the results are written
    there; a sweep that is broken off and called again does only the rows that are left.
    `jobs` processes, or an `executor` of your own, share the rows; `progress(done, total)` is called
    as they come. Of scenarios in an .xlsx file the first sheet is read, or the one called `sheet`; the
    file may be the workbook itself. An error in one scenario is reported in its row. The workbook is not changed.
    """
    path = Path(workbook)
    data = read_file(path)
    frame = scenarios if isinstance(scenarios, pd.DataFrame) else read_table(Path(scenarios), sheet)
    frame = frame.reset_index(drop=True)
    _check_columns(frame, outputs)
    rows = [_inputs(row) for row in frame.to_dict("records")]
    LiveWorkbook(data).check([*frame.columns], outputs)
    journal = _Journal(output, data, rows, outputs)
    left = [index for index in range(len(rows)) if index not in journal.done]
    tasks = [
        (
            str(path.resolve()),
            hashlib.sha256(data).hexdigest(),
            [(i, rows[i]) for i in part],
            [*outputs],
        )
        for part in _parts(left)
    ]
    with journal:
        for results in _results(tasks, jobs, executor):
            journal.add(results)
            if progress is not None:
                progress(len(journal.done), len(rows))
    table = pd.DataFrame([journal.done[i] for i in range(len(rows))], columns=[*outputs, ERROR])
    result = pd.concat([frame, table], axis=1)
    if output is not None:
        write_table(Path(output), result)
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
    return {
        str(name): value if isinstance(value, str | bool) else float(value)
        for name, value in row.items()
        if not pd.isna(value)
    }


def _parts(indices: Sequence[int]) -> Iterable[Sequence[int]]:
    for start in range(0, len(indices), _ROWS_A_TASK):
        yield indices[start : start + _ROWS_A_TASK]


def _results(
    tasks: list[tuple[Any, ...]], jobs: int, executor: Executor | None
) -> Iterator[list[tuple[int, Row]]]:
    if executor is not None:
        for future in as_completed([executor.submit(run_rows, *task) for task in tasks]):
            yield future.result()
    elif jobs == 1:
        for task in tasks:
            yield run_rows(*task)
    else:
        from concurrent.futures import ProcessPoolExecutor

        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(jobs, mp_context=context) as pool:
            yield from _results(tasks, 1, pool)


def run_rows(
    path: str, digest: str, rows: list[tuple[int, dict[str, Input]]], outputs: list[str]
) -> list[tuple[int, Row]]:
    """The results of some scenarios, on this process's live workbook."""
    live = _live(path, digest)
    found = []
    for index, inputs in rows:
        row: Row = dict.fromkeys([*outputs, ERROR])
        try:
            values = live.run(inputs, outputs)
        except ChinchillaError as e:
            row[ERROR] = str(e)
        else:
            row |= {name: str(v) if isinstance(v, CellError) else v for name, v in values.items()}
            errors = [f"{name} is {v}" for name, v in values.items() if isinstance(v, CellError)]
            row[ERROR] = "; ".join([*errors, *live.messages]) if errors else None
        found.append((index, row))
    return found


@lru_cache(maxsize=1)
def _live(path: str, digest: str) -> LiveWorkbook:
    data = read_file(Path(path))
    if hashlib.sha256(data).hexdigest() != digest:
        raise ArgumentError(f"{path} was changed while the sweep ran: start it again")
    return LiveWorkbook(data)


class _Journal:
    """The rows that are done, in a file beside the results as long as these are not written."""

    def __init__(
        self,
        output: str | os.PathLike[str] | None,
        workbook: bytes,
        rows: list[dict[str, Input]],
        outputs: Sequence[str],
    ) -> None:
        self.done: dict[int, Row] = {}
        self._path = None if output is None else Path(f"{os.fspath(output)}.journal")
        # Rows of another workbook or of other scenarios are not these rows.
        question = json.dumps([rows, list(outputs)], sort_keys=True).encode()
        self._key = hashlib.sha256(workbook + question).hexdigest()
        if self._path is not None and self._path.exists():
            self._load(self._path)
        self._file: io.TextIOBase | None = None

    def _load(self, path: Path) -> None:
        key, *lines = path.read_text("utf-8").splitlines() or [""]
        if key != self._key:
            return
        for line in lines:
            try:
                index, row = json.loads(line)
            except ValueError:
                break  # the line that was being written when the sweep was broken off
            self.done[index] = row

    def __enter__(self) -> _Journal:
        if self._path is not None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self._path.open("w", encoding="utf-8")
            self._file.write(self._key + "\n")
            self._write(self.done.items())
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()

    def add(self, results: list[tuple[int, Row]]) -> None:
        self.done.update(results)
        self._write(results)

    def _write(self, results: Iterable[tuple[int, Row]]) -> None:
        if self._file is not None:
            self._file.writelines(json.dumps(result) + "\n" for result in results)
            self._file.flush()

    def remove(self) -> None:
        if self._path is not None:
            self._path.unlink(missing_ok=True)
