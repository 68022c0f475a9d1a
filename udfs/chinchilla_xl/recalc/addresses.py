"""Cell addresses: A1 text to and from (row, column) pairs that count from 1."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

MAX_ROW = 1_048_576
MAX_COLUMN = 16_384

ROW_SHIFT = 15
"""A place is a cell as one whole number, row * 2^15 + column: places sort as their cells do."""
COLUMN_MASK = (1 << ROW_SHIFT) - 1

LINES = re.compile(r"\$?[A-Z]{1,3}:\$?[A-Z]{1,3}|\$?\d{1,7}:\$?\d{1,7}", re.IGNORECASE)
"""Whole columns or whole rows."""

_REFERENCE = re.compile(r"\$?([A-Za-z]{1,3})\$?([1-9][0-9]{0,6})")


class Cell(NamedTuple):
    """A cell's place in its sheet."""

    row: int
    column: int

    def __str__(self) -> str:
        return f"{column_letters(self.column)}{self.row}"

    @property
    def place(self) -> int:
        """The cell as one number."""
        return self.row << ROW_SHIFT | self.column

    @classmethod
    def at(cls, place: int) -> Cell:
        """The cell at a place."""
        return cls(place >> ROW_SHIFT, place & COLUMN_MASK)


class Area(NamedTuple):
    """A rectangle of cells, both corners included."""

    first: Cell
    last: Cell

    def __str__(self) -> str:
        return str(self.first) if self.first == self.last else f"{self.first}:{self.last}"

    def __contains__(self, cell: object) -> bool:
        if not isinstance(cell, Cell):
            return False
        inside = self.first.row <= cell.row <= self.last.row
        return inside and self.first.column <= cell.column <= self.last.column

    @property
    def height(self) -> int:
        """Number of rows."""
        return self.last.row - self.first.row + 1

    @property
    def width(self) -> int:
        """Number of columns."""
        return self.last.column - self.first.column + 1

    def cells(self) -> list[Cell]:
        """Every cell, row by row."""
        return [
            Cell(r, c)
            for r in range(self.first.row, self.last.row + 1)
            for c in range(self.first.column, self.last.column + 1)
        ]


@lru_cache(maxsize=MAX_COLUMN)
def column_letters(column: int) -> str:
    """1 -> A, 27 -> AA."""
    letters = ""
    while column:
        column, digit = divmod(column - 1, 26)
        letters = chr(ord("A") + digit) + letters
    return letters


@lru_cache(maxsize=MAX_COLUMN)
def column_number(letters: str) -> int:
    """A -> 1, AA -> 27."""
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - ord("A") + 1
    return number


def parse_cell(text: str) -> Cell | None:
    """The cell that `text` names (A1, $B$2), or None."""
    match = _REFERENCE.fullmatch(text)
    if match is None:
        return None
    cell = Cell(int(match[2]), column_number(match[1]))
    return cell if cell.row <= MAX_ROW and cell.column <= MAX_COLUMN else None


def parse_area(text: str) -> Area | None:
    """The rectangle that `text` names (A1 or A1:B2), or None."""
    first, _, last = text.partition(":")
    start, end = parse_cell(first), parse_cell(last or first)
    if start is None or end is None:
        return None
    rows, columns = sorted((start.row, end.row)), sorted((start.column, end.column))
    return Area(Cell(rows[0], columns[0]), Cell(rows[1], columns[1]))


def parse_lines(text: str) -> Area | None:
    """The area of the whole columns (A:B, $C:$C) or rows (1:3) that `text` names, or None."""
    if not LINES.fullmatch(text):
        return None
    first, last = text.replace("$", "").split(":")
    if first.isdigit():
        top, bottom = sorted((int(first), int(last)))
        return (
            Area(Cell(top, 1), Cell(bottom, MAX_COLUMN)) if 0 < top <= bottom <= MAX_ROW else None
        )
    left, right = sorted((column_number(first), column_number(last)))
    return Area(Cell(1, left), Cell(MAX_ROW, right)) if right <= MAX_COLUMN else None


def quote_sheet(name: str) -> str:
    """A sheet's name as it stands before the ! of a reference."""
    if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_.]*", name) and parse_cell(name) is None:
        return name
    return "'" + name.replace("'", "''") + "'"


def bare_sheet(quoted: str) -> str:
    """A sheet's name as it stands before the ! of a reference, without quotes."""
    whole = len(quoted) > 1 and quoted.startswith("'") and quoted.endswith("'")
    return quoted[1:-1].replace("''", "'") if whole else quoted


def address(sheet: str, cell: Cell) -> str:
    """A cell's address with its sheet."""
    return f"{quote_sheet(sheet)}!{cell}"
