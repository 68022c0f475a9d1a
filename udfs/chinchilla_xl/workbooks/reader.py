"""Reads the named cells of a workbook back as labelled rows, from the values cached in the file."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from chinchilla_xl.recalc.addresses import Cell, address
from chinchilla_xl.recalc.archive import Archive
from chinchilla_xl.recalc.cached import read_cached
from chinchilla_xl.recalc.files import Location, naming, read_file
from chinchilla_xl.recalc.parts import read_workbook

Section = tuple[str, list[str], list[list[str]]]

_SUFFIXES = ((1e15, "E"), (1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "K"))


def named_rows(path: Location) -> list[Section]:
    """Per block of named cells: its heading, its column headings, and rows of label and values.

    The label is the text at the left of the row. The heading is the nearest row above that looks like
    one; where none does, the row above the block.
    """
    book, cells = _opened(path)
    places: dict[str, dict[int, set[int]]] = {}
    for _, title, cell in cells:
        places.setdefault(title, {}).setdefault(cell.row, set()).add(cell.column)
    return [
        section
        for title in book.sheetnames
        for section in _sections(book[title], places.get(title, {}))
    ]


def named_cells(path: Location) -> list[tuple[str, str, str, str]]:
    """Of each named cell, sheet by sheet: its name, address, value, and the label of its row."""
    book, cells = _opened(path)
    order = {title: i for i, title in enumerate(book.sheetnames)}
    return [
        (
            name,
            address(title, cell),
            _text(book[title], cell),
            _text(book[title], Cell(cell.row, 1)),
        )
        for name, title, cell in sorted(cells, key=lambda item: (order[item[1]], item[2]))
    ]


def _opened(path: Location) -> tuple[Any, list[tuple[str, str, Cell]]]:
    """A workbook as openpyxl reads it, and its named cells: name, sheet and cell."""
    with naming(path):
        data = read_file(path)
        archive = Archive(data)
        outline = read_workbook(archive)
        book = read_cached(data, archive, outline)
    found = [(name.name, *name.cell) for name in outline.names if name.cell]
    return book, [named for named in found if named[1] in outline.sheets]


def _sections(sheet: Any, rows: dict[int, set[int]]) -> list[Section]:
    blocks: dict[int, list[int]] = {}
    previous = heading = 0
    for row in sorted(rows):
        coloured = _coloured(sheet, row)
        if coloured or not previous or row > previous + 1:
            heading = coloured or row - 1
        blocks.setdefault(heading, []).append(row)
        previous = row
    return [
        _section(sheet, heading, {r: rows[r] for r in block}) for heading, block in blocks.items()
    ]


def _section(sheet: Any, heading: int, rows: dict[int, set[int]]) -> Section:
    """The block of these rows under its heading; `rows` says which columns have names."""
    last = max(column for columns in rows.values() for column in columns)
    named = _naming_row(sheet, heading, last)
    units = _row_of_units(sheet, heading, rows)
    unit = 0 if units else _unit_column(sheet, named)
    shown = [column for column in range(2, last + 1) if column != unit]
    columns = [
        f"{_text(sheet, Cell(named, c))}\n{_text(sheet, Cell(units, c))}".strip() for c in shown
    ]
    lines = [
        [_text(sheet, Cell(row, c)) for c in (1, *shown)]
        + [_text(sheet, Cell(row, unit)) if unit else ""]
        for row in rows
    ]
    return f"{sheet.title}: {_text(sheet, Cell(heading, 1))}", columns, lines


def _coloured(sheet: Any, row: int) -> int:
    """The nearest row above whose first cell is a heading by its looks, bold on a colour, or 0."""
    for above in range(row - 1, 0, -1):
        cell = sheet.cell(above, 1)
        if cell.font.b and cell.fill.fill_type and isinstance(cell.value, str):
            return above
    return 0


def _naming_row(sheet: Any, heading: int, last: int) -> int:
    """The row that names the columns: of a heading within a table, one above in another colour."""
    row = heading
    while row and not any(_text(sheet, Cell(row, c)) for c in range(2, last + 1)):
        row = _coloured(sheet, row)
        if row and _colour(sheet, row) != _colour(sheet, heading):
            return row
    return heading


def _colour(sheet: Any, row: int) -> Any:
    return sheet.cell(row, 1).fill.fgColor.rgb


def _row_of_units(sheet: Any, heading: int, rows: dict[int, set[int]]) -> int:
    """The row under the heading if it has no names and holds words alone, else 0."""
    below = [cell.value for cell in sheet[heading + 1][1:] if cell.value is not None]
    words = bool(below) and all(isinstance(value, str) for value in below)
    return heading + 1 if words and heading + 1 not in rows else 0


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
        digits = re.search(r"\.([0#?]+)%", cell.number_format)
        return f"{value:.{len(digits[1]) if digits else 0}%}"
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
