"""Structured references written out: Table1[[#This Row],[Loss]] becomes $C7.

The engine knows no tables. Every structured reference has one meaning as an area of cells, given
the table and, for #This Row, the row of the formula; where that meaning is not certain the formula
is kept.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from chinchilla_xl.recalc.addresses import Cell, column_letters, quote_sheet
from chinchilla_xl.recalc.parts import Table
from chinchilla_xl.recalc.syntax import BRACKETS, KeepError
from chinchilla_xl.recalc.values import decode

_STRUCTURED = re.compile(
    rf""""[^"]*"|'[^']*'|(?P<link>[!\]])?(?P<table>[^\W\d][\w.\\]*)?(?P<inside>{BRACKETS})"""
    r"(?P<linked>(?=[\w!']))?",
    re.DOTALL,
)
_ITEM = re.compile(r"\s*\[((?:[^\[\]']|'.)*)\]\s*([,:]|$)", re.DOTALL)
_PLAIN = re.compile(r"(?:[^\[\]'#@]|'.)(?:[^\[\]'#]|'.)*", re.DOTALL)
_ESCAPED = re.compile("'(.)", re.DOTALL)

_HEADERS, _DATA, _TOTALS, _ALL, _ROW = "#headers", "#data", "#totals", "#all", "#this row"
_AREAS = (
    {_HEADERS},
    {_DATA},
    {_TOTALS},
    {_ALL},
    {_ROW},
    {_HEADERS, _DATA},
    {_DATA, _TOTALS},
)


class TableReferences:
    """Writes out the structured references of one workbook's formulas."""

    def __init__(self, tables: Collection[Table]) -> None:
        self._tables: dict[str, Table | None] = {}
        for table in tables:
            key = table.name.casefold()
            self._tables[key] = None if key in self._tables else table
        self._spans: dict[tuple[str, str, str], _Span] = {}

    def __contains__(self, name: str) -> bool:
        return name.casefold() in self._tables

    def data(self, name: str) -> str:
        """The reference that a table's name stands for: its rows without headers and totals."""
        return self._span(name, "[]", "", None).at(None)

    def resolved(self, text: str, sheet: str, cell: Cell | None) -> str:
        """The formula without structured references, as it stands in a cell of a sheet.

        A name's formula stands in no cell: then every reference carries its sheet. Raises KeepError
        for a reference whose meaning is not certain.
        """

        def write_out(match: re.Match[str]) -> str:
            link, table, inside, linked = match.group("link", "table", "inside", "linked")
            if inside is None or linked is not None:  # a text, a sheet, or another workbook
                return match[0]
            if link is not None:
                raise KeepError("a link to another workbook")
            key = (table or "", inside, sheet)
            span = self._spans.get(key) if table else None
            if span is None:
                span = self._spans[key] = self._span(table or "", inside, sheet, cell)
            return span.at(cell)

        return _STRUCTURED.sub(write_out, text)

    def _span(self, name: str, inside: str, sheet: str, cell: Cell | None) -> _Span:
        table = self._tables.get(name.casefold()) if name else self._around(sheet, cell)
        if table is None:
            raise KeepError(f"there is no table {name}" if name else "it stands in no table")
        areas, columns = _specified(inside)
        first, last = (_column(table, text) for text in columns or ("", ""))
        reference = f"{table.name}{inside}"
        if not columns:
            first, last = 0, table.area.width - 1
        if first is None or last is None:
            raise KeepError(f"{reference}: the table has no such column")
        data_top = table.area.first.row + table.header_rows
        data_bottom = table.area.last.row - table.total_rows
        missing = (_HEADERS in areas and not table.header_rows) or (
            _TOTALS in areas and not table.total_rows
        )
        if missing or data_top > data_bottom or table.area.width != len(table.columns):
            raise KeepError(f"{reference}: the table has no such cells")
        top, bottom = data_top, data_bottom
        if _ALL in areas or _HEADERS in areas:
            top = table.area.first.row
        if _ALL in areas or _TOTALS in areas:
            bottom = table.area.last.row
        if areas == {_HEADERS}:
            bottom = data_top - 1
        if areas == {_TOTALS}:
            top = data_bottom + 1
        letters = [column_letters(table.area.first.column + i) for i in sorted((first, last))]
        prefix = "" if cell and table.sheet == sheet else quote_sheet(table.sheet) + "!"
        return _Span(reference, prefix, letters, top, bottom, areas == {_ROW})

    def _around(self, sheet: str, cell: Cell | None) -> Table | None:
        """The table that a cell stands in."""
        for table in self._tables.values():
            if table and cell and table.sheet == sheet and cell in table.area:
                return table
        return None


class _Span:
    """The columns and rows that a structured reference means."""

    __slots__ = ("_bottom", "_fixed", "_letters", "_prefix", "_reference", "_top")

    def __init__(
        self, reference: str, prefix: str, letters: list[str], top: int, bottom: int, row: bool
    ) -> None:
        self._reference, self._prefix, self._letters = reference, prefix, letters
        self._top, self._bottom = top, bottom
        self._fixed = None if row else prefix + _absolute(letters, top, bottom)

    def at(self, cell: Cell | None) -> str:
        """The reference in A1 notation, in a formula in this cell."""
        if self._fixed is not None:
            return self._fixed
        if cell is None or self._prefix or not self._top <= cell.row <= self._bottom:
            raise KeepError(f"{self._reference}: the formula is in none of the table's rows")
        first, last = self._letters
        return f"${first}{cell.row}" if first == last else f"${first}{cell.row}:${last}{cell.row}"


def _absolute(letters: list[str], top: int, bottom: int) -> str:
    first, last = f"${letters[0]}${top}", f"${letters[1]}${bottom}"
    return first if first == last else f"{first}:{last}"


def _specified(inside: str) -> tuple[set[str], tuple[str, str] | None]:
    """The areas and the first and last column that stand in a reference's brackets."""
    text = inside[1:-1]
    areas: set[str] = set()
    columns: list[str] = []
    if text.startswith("@"):
        areas.add(_ROW)
        text = text[1:]
    if text.lstrip().startswith("["):
        _read_items(text, areas, columns)
    elif _PLAIN.fullmatch(text):
        columns.append(text)
    elif text:
        areas.add(text.casefold())
    if areas and areas not in _AREAS:
        raise KeepError(f"{inside}: a structured reference of this form")
    return areas or {_DATA}, (columns[0], columns[-1]) if columns else None


def _read_items(text: str, areas: set[str], columns: list[str]) -> None:
    """Read [#Headers],[#Data],[First]:[Last] into areas and columns."""
    separator = ","
    at = 0
    while separator:
        match = _ITEM.match(text, at)
        if match is None:
            # XlsxWriter spells [@Price] as [[#This Row],Price].
            plain = at and separator == "," and not columns and _PLAIN.fullmatch(text[at:])
            (columns.append if plain else areas.add)(text[at:])
            return
        item, new = match[1], match[2]
        if item.startswith("#") and not columns and item.casefold() not in areas:
            areas.add(item.casefold())
            valid = new != ":"
        else:
            columns.append(item)
            valid = not item.startswith("#") and len(columns) == 1 + (separator == ":")
        if not valid:
            areas.add(text)
        at, separator = match.end(), new


def _column(table: Table, text: str) -> int | None:
    """Where in the table a column of this name is; None if that is not certain."""
    names = [name.casefold() for name in table.columns]
    plain = _ESCAPED.sub(r"\1", text)
    for spelled in (plain, str(decode("str", plain))):
        if names.count(spelled.casefold()) == 1:
            return names.index(spelled.casefold())
    return None
