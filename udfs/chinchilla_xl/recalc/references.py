"""Which formula cells rest on given cells, found from the formulas' text alone.

It is asked only about cells that a spreadsheet program could not compute, and errs on the safe side: a
formula whose references cannot be told from its text (INDIRECT, OFFSET, a range between calls, a
name that is a formula of these) counts as resting on any cell.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from chinchilla_xl.recalc.addresses import Area, Cell, bare_sheet, parse_area, parse_lines
from chinchilla_xl.recalc.lower import bare_name
from chinchilla_xl.recalc.parts import Workbook
from chinchilla_xl.recalc.structured import TableReferences
from chinchilla_xl.recalc.syntax import (
    INFIX,
    POSTFIX,
    RANGE,
    Atom,
    Call,
    KeepError,
    NotParsedError,
    Template,
    parsed,
    split,
)

Place: TypeAlias = tuple[str, Cell]

_ANYWHERE = frozenset({"INDIRECT", "OFFSET"})
_COMPUTED = (Atom(INFIX, ":"), Atom(POSTFIX, "#"))
_QUOTED = re.compile(r""""[^"]*"|'[^']*'""")
_CALL = re.compile(r"(?:\[\d+\]!)?[^\W\d][\w.]*(?=\s*\()")
_WORD = re.compile(r"[^\W\d][\w.\\?]*")


class _UnknownError(Exception):
    """What a formula refers to cannot be told from its text."""


@dataclass(slots=True)
class _Readers:
    """Who reads what on one sheet: single cells, and larger areas."""

    cells: dict[Cell, list[Place]] = field(default_factory=lambda: defaultdict(list))
    areas: dict[Area, list[Place]] = field(default_factory=lambda: defaultdict(list))


class CellIndex:
    """Some cells of a sheet, to be asked whether any of them is in an area."""

    def __init__(self, cells: Iterable[Cell]) -> None:
        self._rows: dict[int, list[int]] = defaultdict(list)
        for cell in sorted(cells):
            self._rows[cell.column].append(cell.row)

    def __bool__(self) -> bool:
        return bool(self._rows)

    def touches(self, area: Area) -> bool:
        """Whether one of the cells is in the area."""
        for column, rows in self._rows.items():
            if area.first.column <= column <= area.last.column:
                at = bisect_left(rows, area.first.row)
                if at < len(rows) and rows[at] <= area.last.row:
                    return True
        return False


class Dependents:
    """The formulas of a workbook by what they refer to."""

    def __init__(
        self, formulas: Iterable[tuple[Place, str, Area | None]], workbook: Workbook
    ) -> None:
        self._titles = {title.casefold(): title for title in workbook.titles}
        self._names = {n.name.casefold(): n.formula for n in workbook.names if n.sheet is None}
        local = {n.name.casefold() for n in workbook.names if n.sheet is not None}
        for name in local:
            self._names.pop(name, None)
        self._tables = TableReferences(workbook.tables)
        self._shapes: dict[object, list[Template] | None] = {}
        self._readers: dict[str, _Readers] = defaultdict(_Readers)
        self._anywhere: list[Place] = []
        self._filled: dict[Place, Area] = {}  # by array formulas
        for place, text, filled_area in formulas:
            if filled_area is not None:
                self._filled[place] = filled_area
            references = self.references(text, place)
            if references is None:
                self._anywhere.append(place)
                continue
            for title, area in set(references):
                readers = self._readers[title]
                if area.first == area.last:
                    readers.cells[area.first].append(place)
                else:
                    readers.areas[area].append(place)
        self._seen: set[Place] = set()

    def new(self, title: str, area: Area) -> list[Place]:
        """The formulas that rest on an area, directly or through others; each is given only once."""
        found: list[Place] = []
        self._reach(self._anywhere, found)
        self._anywhere = []
        touched: dict[str, set[Cell]] = defaultdict(set)
        touched[title].update(area.cells())
        queue = [(title, cell) for cell in area.cells()]
        done = 0
        while queue or done < len(found):
            while queue or done < len(found):  # first through single cells, then through areas
                if done < len(found):
                    sheet, cell = found[done]
                    spill = self._filled.get(found[done], Area(cell, cell)).cells()
                    queue += [(sheet, cell) for cell in spill]
                    touched[sheet].update(spill)
                    done += 1
                sheet, cell = queue.pop()
                self._reach(self._readers[sheet].cells.pop(cell, []), found)
            for sheet, cells in touched.items():
                self._reach(self._readers_of_areas(sheet, cells), found)
            touched.clear()
        return found

    def _readers_of_areas(self, sheet: str, cells: set[Cell]) -> list[Place]:
        index, areas = CellIndex(cells), self._readers[sheet].areas
        touched = [area for area in areas if index.touches(area)]
        return [place for area in touched for place in areas.pop(area)]

    def _reach(self, places: Iterable[Place], found: list[Place]) -> None:
        for place in places:
            if place not in self._seen:
                self._seen.add(place)
                found.append(place)

    def references(self, text: str, place: Place) -> list[tuple[str, Area]] | None:
        """Every area that the formula of a cell names; None if that is unclear."""
        title, cell = place
        try:
            return [
                area
                for operand in self._operands(self._without_tables(text, title, cell))
                for area in self._resolve(operand, title, 0)
            ]
        except (_UnknownError, KeepError):
            return None

    def _without_tables(self, text: str, title: str, cell: Cell | None) -> str:
        return self._tables.resolved(text, title, cell) if "[" in text else text

    def _operands(self, formula: str) -> list[str]:
        """The references and names in a formula; UnknownError if there may be others."""
        shape, references = split(formula)
        if shape not in self._shapes:
            try:
                self._shapes[shape] = [Template(text) for text in _ranges(parsed(formula))]
            except (_UnknownError, NotParsedError):
                self._shapes[shape] = None
        operands = self._shapes[shape]
        if operands is None:
            raise _UnknownError
        return [operand.filled(references) for operand in operands]

    def _resolve(self, reference: str, title: str, depth: int) -> list[tuple[str, Area]]:
        if reference.lower().startswith("_xlpm."):
            return []  # a variable of LET or LAMBDA
        sheet, bang, where = reference.rpartition("!")
        where = where.replace("$", "")
        if bang:
            known = self._titles.get(bare_sheet(sheet).casefold())
            if known is None:
                raise _UnknownError
            title = known
        area = parse_area(where) or parse_lines(where)
        if area is not None:
            return [(title, area)]
        formula = self._names.get(where.casefold())
        if formula is None or depth > 8:
            raise _UnknownError
        found = []
        for inner in self._operands(self._without_tables(formula, title, None)):
            if "!" not in inner and parse_area(inner.replace("$", "")):
                raise _UnknownError  # relative to a sheet
            found += self._resolve(inner, title, depth + 1)
        return found


def _ranges(call: Call) -> Iterator[str]:
    if bare_name(call.name) in _ANYWHERE or ":" in call.name:
        raise _UnknownError
    for slot in call.slots:
        for item in slot:
            if isinstance(item, Call):
                yield from _ranges(item)
            elif item.kind == RANGE:
                yield item.text
            elif item in _COMPUTED:
                raise _UnknownError


def called(text: str) -> list[str]:
    """The functions that a formula calls, as spelled."""
    return _CALL.findall(_QUOTED.sub(" ", text))


def words(text: str) -> list[str]:
    """The names of all kinds in a formula, in lower case."""
    return [word.casefold() for word in _WORD.findall(_QUOTED.sub(" ", text))]
