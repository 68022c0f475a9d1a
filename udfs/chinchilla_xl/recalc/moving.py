"""Which cells a computed reference can reach: OFFSET($A$1,0,0,n,1) any of column A.

The engine follows such references when it computes, but does not list them among what a formula
needs. Whoever asks which formulas rest on a cell has to look here too.
"""

from __future__ import annotations

from collections.abc import Iterator

from chinchilla_xl.recalc.addresses import (
    MAX_COLUMN,
    MAX_ROW,
    Area,
    Cell,
    bare_sheet,
    parse_area,
    parse_lines,
)
from chinchilla_xl.recalc.lower import bare_name, rendered
from chinchilla_xl.recalc.syntax import Atom, Call, Slot, Template, parsed, split

Reach = tuple[str, Area]
"""The sheet, in lower case, and the cells of it that a formula may refer to."""


def reaches(formula: str, sheet: str) -> list[Reach]:
    """What the computed references of a formula, on this sheet, can reach at most."""
    _, references = split(formula)
    return list(_reaches(parsed(formula), references, sheet.casefold()))


def _reaches(call: Call, references: list[str], sheet: str) -> Iterator[Reach]:
    if bare_name(call.name) == "OFFSET":
        yield _offset(call, references, sheet)
    for slot in call.slots:
        for item in slot:
            if isinstance(item, Call):
                yield from _reaches(item, references, sheet)


def _end(slot: Slot, references: list[str], sheet: str) -> Reach:
    """What one end of a range can be."""
    only = slot[0]
    if isinstance(only, Atom):
        return _reference(only.text, references, sheet)
    if bare_name(only.name) == "OFFSET":
        return _offset(only, references, sheet)
    return _end(only.slots[0], references, sheet)  # one of INDEX's cells


def _between(first: Reach, last: Reach) -> Reach:
    (sheet, a), (_, b) = first, last
    top, left = min(a.first.row, b.first.row), min(a.first.column, b.first.column)
    bottom, right = max(a.last.row, b.last.row), max(a.last.column, b.last.column)
    return sheet, Area(Cell(top, left), Cell(bottom, right))


def _offset(call: Call, references: list[str], sheet: str) -> Reach:
    where, base = _end(call.slots[0], references, sheet)
    extent = call.slots[3][0] if len(call.slots) > 3 and call.slots[3] else None
    if isinstance(extent, Call) and extent.name == "__SPAN":  # a range, lowered
        row = extent.slots[1][0]
        assert isinstance(row, Call)
        return _between((where, base), _end(row.slots[0], references, sheet))
    arguments = [rendered(slot) for slot in call.slots[1:]] + ["", "", "", ""]
    rows = _span(base.first.row, base.height, arguments[0], arguments[2], MAX_ROW)
    columns = _span(base.first.column, base.width, arguments[1], arguments[3], MAX_COLUMN)
    return where, Area(Cell(rows[0], columns[0]), Cell(rows[1], columns[1]))


def _span(start: int, extent: int, shift: str, new: str, most: int) -> tuple[int, int]:
    """The first and last row (or column) after a shift and with a new extent."""
    if not (shift or "0").isdigit():
        return 1, most
    first = start + int(shift or 0)
    last = first + (int(new) if new.isdigit() else extent) - 1
    return first, last if not new or new.isdigit() else most


def _reference(text: str, references: list[str], sheet: str) -> Reach:
    title, bang, where = Template(text).filled(references).rpartition("!")
    area = parse_area(where) or parse_lines(where)
    if area is None:  # a name: any cell
        area = Area(Cell(1, 1), Cell(MAX_ROW, MAX_COLUMN))
    return (bare_sheet(title).casefold() if bang else sheet), area
