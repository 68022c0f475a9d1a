"""Fills named inputs into a workbook from a file, checked against the workbook's own rules.

The inputs stand in a .toml or .json file (name = value, or name = {value, unit}), or in a .csv file
with the columns name, value and, if wanted, unit. Every input is checked before anything is written:
the name must exist, the value must keep to the cell's data validation, and a unit that is given must
be the one that the sheet shows beside the cell.
"""

from __future__ import annotations

import csv
import io
import json
import os
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from chinchilla_xl.errors import ArgumentError, UnsupportedFile
from chinchilla_xl.recalc.addresses import Cell
from chinchilla_xl.recalc.archive import Archive
from chinchilla_xl.recalc.cached import read_cached
from chinchilla_xl.recalc.engines import EMBEDDED
from chinchilla_xl.recalc.files import Location, naming, read_file, suffix_of
from chinchilla_xl.recalc.inputs import Content, Input, locate, parse_value, separator
from chinchilla_xl.recalc.parts import read_workbook
from chinchilla_xl.recalc.report import Report
from chinchilla_xl.recalc.rules import Rules, meant
from chinchilla_xl.recalc.workbook import recompute


@dataclass(frozen=True, slots=True)
class Given:
    """An input as a file gives it."""

    value: Input
    unit: str | None = None


def fill(
    workbook: Location,
    inputs: Location | Mapping[str, Any],
    output: Location | None = None,
    *,
    engine: str = EMBEDDED,
) -> Report:
    """Write inputs into a workbook, recompute it, and put the result into `output` or in place.

    `inputs` is a file or a mapping of names to values or {"value": ..., "unit": ...}; `engine` is as for
    `recompute`. Raises ArgumentError, with every input that does not fit, before anything is written.
    """
    given = _from_mapping(inputs) if isinstance(inputs, Mapping) else read_inputs(inputs)
    with naming(workbook):
        problems = check_inputs(read_file(workbook), given)
    if problems:
        raise ArgumentError("; ".join(problems))
    values = {name: item.value for name, item in given.items()}
    return recompute(workbook, output, values, engine=engine)


def read_inputs(path: Location) -> dict[str, Given]:
    """The inputs in a .toml, .json or .csv file."""
    readers: dict[str, Callable[[str], Any]] = {
        ".toml": tomllib.loads,
        ".json": json.loads,
        ".csv": _parse_csv,
    }
    reader = readers.get(suffix_of(path))
    path = os.fspath(path)
    if reader is None:
        raise UnsupportedFile(f"{path}: inputs must be in a .toml, .json or .csv file")
    with naming(path):
        data = read_file(path)
    try:
        found = reader(data.decode("utf-8-sig"))
    except ValueError as e:
        raise ArgumentError(f"{path}: it cannot be read: {str(e).splitlines()[0]}") from None
    if not isinstance(found, Mapping):
        raise ArgumentError(f"{path}: inputs must be given as names with values")
    return _from_mapping(found)


def _parse_csv(text: str) -> dict[str, Any]:
    rows = csv.DictReader(io.StringIO(text), delimiter=separator(text))
    rows.fieldnames = [heading.strip().lower() for heading in rows.fieldnames or ()]
    if not {"name", "value"} <= set(rows.fieldnames):
        raise ArgumentError("the first line must name the columns: name, value and perhaps unit")
    found: dict[str, Any] = {}
    for row in rows:
        name = (row["name"] or "").strip()
        if name in found:
            raise ArgumentError(f"{name} is given twice")
        value = parse_value((row["value"] or "").strip())
        found[name] = {"value": value, "unit": (row.get("unit") or "").strip() or None}
    return found


def _from_mapping(inputs: Mapping[str, Any]) -> dict[str, Given]:
    given = {}
    for name, item in inputs.items():
        value, unit = item, None
        if isinstance(item, Mapping):
            unknown = sorted(set(item) - {"value", "unit"})
            if unknown or "value" not in item:
                raise ArgumentError(f"{name} must be a value, or value and unit: {dict(item)}")
            value, unit = item["value"], item.get("unit")
        if not isinstance(value, bool | int | float | str | date):
            raise ArgumentError(f"{name} must be a number, a date, TRUE, FALSE or text: {value!r}")
        given[name] = Given(value, unit)
    return given


def check_inputs(data: bytes, given: Mapping[str, Given]) -> list[str]:
    """What is wrong with the inputs for this workbook, one sentence each."""
    archive = Archive(data)
    outline = read_workbook(archive)
    book = read_cached(data, archive, outline)
    rules = Rules(archive, outline)
    problems = []
    for name, item in given.items():
        try:
            [placed] = locate({name: item.value}, outline)
            problem = rules.broken_by(placed)
        except ArgumentError as e:
            problems.append(str(e))
            continue
        unfit = _unfit(book[placed.sheet], placed.cell, placed.value, item.unit)
        if problem or unfit:
            problems.append(problem or f"{name} {unfit}")
    return problems


def _unfit(sheet: Any, cell: Cell, value: Content, given: str | None) -> str | None:
    """How an input does not go with what its cell holds and the unit that is shown beside it."""
    unit = _unit_beside(sheet, cell)
    if given is not None and unit is not None and given != unit:
        return f"is given in {given}, but the workbook has it in {unit}"
    now = sheet.cell(cell.row, cell.column).value
    if isinstance(now, int | float | datetime) and isinstance(value, str):
        kind = "a date such as 2027-02-01" if isinstance(now, datetime) else "a number"
        return f"must be {kind}: {value!r}{meant(value)}"
    return None


def _unit_beside(sheet: Any, cell: Cell) -> str | None:
    """What the nearest column headed "Unit" above says in this row."""
    for row in range(cell.row - 1, 0, -1):
        for heading in sheet[row]:
            if heading.value == "Unit":
                found = sheet.cell(cell.row, heading.column).value
                return str(found) if found is not None else None
    return None
