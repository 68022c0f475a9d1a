"""Recomputes workbooks: read, computed by an engine, and written whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import TypeAlias

from chinchilla_xl.errors import ChinchillaError, WorkbookError
from chinchilla_xl.recalc.engines import EMBEDDED, Book, Engine, Result, open_engine
from chinchilla_xl.recalc.files import Location, naming, read_file, same_file, write_file
from chinchilla_xl.recalc.inputs import Input
from chinchilla_xl.recalc.outdated import mark_outdated
from chinchilla_xl.recalc.report import Report
from chinchilla_xl.recalc.rules import rules_of

_LONGEST_MESSAGE = 200

Files: TypeAlias = Sequence[tuple[str, str | None]]
"""Workbooks, each with where its result goes (None: in place)."""


def recompute(
    path: Location,
    output: Location | None = None,
    inputs: Mapping[str, Input] | None = None,
    *,
    check: bool = False,
    engine: str = EMBEDDED,
) -> Report:
    """Recalculate every formula of an .xlsx or .xlsm file and write back only cached values.

    `output` is where the result goes (default: in place, atomically); both may be remote, such as
    s3://bucket/book.xlsx. `inputs` maps defined names or Sheet!A1 addresses to values that are
    written first; they must keep to the cells' data validations. Formulas that cannot be computed faithfully keep their cached value and are listed
    in the report. With `check` nothing is written: the report says how many values are out of date.
    `engine` is "formualizer" (embedded), "excel" or "libreoffice" (programs on this machine).

    Raises WorkbookError for a file that cannot be processed, ArgumentError for an input that does not
    fit and ProgramMissing for an engine that is not there; the file is untouched then.
    """
    target = None if output is None else os.fspath(output)
    with closing(open_engine(engine)) as opened:
        [outcome] = recompute_files(opened, [(os.fspath(path), target)], inputs or {}, check=check)
    if isinstance(outcome, ChinchillaError):
        with naming(path):
            raise outcome
    return outcome


def recompute_bytes(
    data: bytes, inputs: Mapping[str, Input] | None = None, *, engine: str = EMBEDDED
) -> tuple[bytes, Report]:
    """`recompute` in memory: the new contents of the file, and the report.

    Inputs are written as they are, whatever the workbook's data validations say.
    """
    with closing(open_engine(engine)) as opened:
        [result] = _computed(opened, [Book(data, inputs or {})])
    if isinstance(result, ChinchillaError):
        raise _readable(result)
    return result


def recompute_files(
    engine: Engine, files: Files, inputs: Mapping[str, Input], *, check: bool
) -> list[Report | ChinchillaError]:
    """Recompute some files together: of each, in order, the report or the error."""
    contents = [_contents(path, inputs) for path, _ in files]
    books = [Book(data, inputs) for data in contents if isinstance(data, bytes)]
    results = iter(_computed(engine, books))
    return [
        data if isinstance(data, ChinchillaError) else _written(data, next(results), file, check)
        for data, file in zip(contents, files, strict=True)
    ]


def _computed(engine: Engine, books: Sequence[Book]) -> list[Result]:
    """The result of each workbook; one in which values perhaps out of date are left says so."""
    results = engine.recompute(books)
    for i, (book, result) in enumerate(zip(books, results, strict=True)):
        if not isinstance(result, ChinchillaError):
            data, report = result
            results[i] = mark_outdated(data, report, book.inputs), report
    return results


def _contents(path: str, inputs: Mapping[str, Input]) -> bytes | ChinchillaError:
    """A file, or why it cannot be read or refuses the inputs."""
    try:
        data = read_file(path)
        refusal = rules_of(data).refusal(inputs) if inputs else None
    except WorkbookError as e:
        return _readable(e)
    return _readable(refusal) if refusal else data


def _written(
    old: bytes, result: Result, file: tuple[str, str | None], check: bool
) -> Report | ChinchillaError:
    """Write one result where it belongs."""
    if isinstance(result, ChinchillaError):
        return _readable(result)
    new, report = result
    path, target = file[0], file[1] or file[0]
    report.path, report.output = path, target
    if not check and (new != old or not same_file(path, target)):
        try:
            write_file(target, new)
        except WorkbookError as e:
            return e
    return report


def _readable(error: ChinchillaError) -> ChinchillaError:
    """The error with its message on one line, whatever the file has put into it."""
    text = "".join(c if c.isprintable() else " " for c in str(error))
    line = " ".join(text.split())
    if len(line) > _LONGEST_MESSAGE:
        line = line[: _LONGEST_MESSAGE - 4] + " ..."
    return error if line == str(error) else type(error)(line)
