"""Reads the named cells of a workbook back as labelled rows, from the values cached in the file."""

from __future__ import annotations

import os
from datetime import datetime
from typing import Any

from chinchilla_xl.errors import WorkbookError
from chinchilla_xl.recalc.addresses import Cell, parse_area
from chinchilla_xl.recalc.archive import Archive
from chinchilla_xl.recalc.cached import read_cached
from chinchilla_xl.recalc.files import Location, read_file
from chinchilla_xl.recalc.parts import read_workbook

Section = tuple[str, list[str], list[list[str]]]

_SUFFIXES = ((1e15, "E"), (1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "K"))


def named_rows(path: Location) -> list[Section]:
    """Per block of named cells: its heading, its column headings, and rows of label and values.

    The label is the text at the left of the row, the heading what stands above the block.
    """
    path = os.fspath(path)
    try:
        data = read_file(path)
        archive = Archive(data)
        outline = read_workbook(archive)
        book = read_cached(data, archive, outline)
    except WorkbookError as e:
        raise type(e)(f"{path}: {e}") from None
    places: dict[str, dict[int, set[int]]] = {}
    for name in outline.names:
        sheet, _, place = name.formula.rpartition("!")
        area = parse_area(place)
        title = sheet.strip("'").replace("''", "'")
        if area is not None and area.first == area.last and title in outline.sheets:
            places.setdefault(title, {}).setdefault(area.first.row, set()).add(area.first.column)
    return [
        section
        for title in outline.sheets
        for section in _sections(book[title], places.get(title, {}))
    ]


def _sections(sheet: Any, rows: dict[int, set[int]]) -> list[Section]:
    found: list[Section] = []
    previous = None
    unit_column = 0
    for row in sorted(rows):
        columns = sorted(rows[row])
        if previous is None or row > previous + 1:
            heading = [_text(sheet, Cell(row - 1, c)) for c in range(1, max(columns) + 1)]
            unit_column = _unit_column(sheet, row - 1)
            found.append((f"{sheet.title}: {heading[0]}", heading[1:], []))
        unit = _text(sheet, Cell(row, unit_column)) if unit_column else ""
        width = len(found[-1][1])
        values = [_text(sheet, Cell(row, c)) for c in range(2, width + 2)]
        found[-1][2].append([_text(sheet, Cell(row, 1)), *values, unit])
        previous = row
    return found


def _unit_column(sheet: Any, row: int) -> int:
    """The column headed "Unit", or 0."""
    return next((cell.column for cell in sheet[row] if cell.value == "Unit"), 0) if row else 0


def _text(sheet: Any, place: Cell) -> str:
    if place.row < 1:
        return ""
    cell = sheet.cell(place.row, place.column)
    value = cell.value
    if value is None:
        return ""
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d}"
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    if cell.number_format == "0":  # a year
        return f"{value:.0f}"
    if "%" in cell.number_format:
        return f"{value:.{len(cell.number_format.partition('.')[2].rstrip('%'))}%}"
    if cell.number_format.endswith("E+00"):
        return f"{value:.2E}"
    if "$" not in cell.number_format:
        return _short(float(value))
    return f"${value:,.2f}" if abs(value) < 1e4 else f"${_short(float(value))}"


def _short(value: float) -> str:
    """A number as people read it: 16.41B, 498.69K, 0.283, 5.80E+23."""
    size = abs(value)
    if size >= 1e18:
        return f"{value:.2E}"
    for factor, suffix in _SUFFIXES:
        if size >= max(factor, 1e4):
            return f"{value / factor:.2f}{suffix}"
    return f"{value:,.6g}"
