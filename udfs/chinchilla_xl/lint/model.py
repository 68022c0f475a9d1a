"""A workbook as the rules see it: cells with value, formula and look; names; what formulas use."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any

from chinchilla_xl.errors import BrokenFile, MissingExtra
from chinchilla_xl.recalc.addresses import Area, Cell, parse_area
from chinchilla_xl.recalc.archive import Archive
from chinchilla_xl.recalc.calls import AsAddin
from chinchilla_xl.recalc.parts import DefinedName, read_workbook
from chinchilla_xl.recalc.syntax import (
    RANGE,
    Atom,
    Call,
    NotParsedError,
    Template,
    marked,
    parse,
    split,
)

try:
    import openpyxl
except ImportError as missing:
    raise MissingExtra("openpyxl", "recalc") from missing

AUTHOR = "chinchilla-xl"
"""Who made our own templates, by their document properties."""

_BLUE = "FF0000FF"
_SMALL = 1000

_parse = lru_cache(maxsize=10_000)(parse)


@dataclass(slots=True)
class Formula:
    """A formula: its text, its area if it is an array's, and itself in relative form."""

    text: str
    area: Area | None
    relative: tuple[object, ...] = ()
    references: list[str] = field(default_factory=list)
    tree: Call | None = None


@dataclass(slots=True)
class SheetModel:
    """A sheet's cells by place, beside openpyxl's sheet for what is asked rarely."""

    title: str
    source: Any
    values: dict[Cell, Any]
    formulas: dict[Cell, Formula]
    inputs: set[Cell]
    covered: set[Cell]  # by an array formula, without its first cell
    headings: list[tuple[Cell, str]] | None = None  # found when they are first asked for


@dataclass
class Model:
    """The workbook: sheets in order, defined names, and whether it is a template of ours."""

    data: bytes
    archive: Archive
    sheets: list[SheetModel]
    names: tuple[DefinedName, ...]
    ours: bool

    def sheet(self, title: str) -> SheetModel | None:
        """The sheet of this title."""
        return next((s for s in self.sheets if s.title.casefold() == title.casefold()), None)

    def used(self, sheet: str, cell: Cell) -> bool:
        """Whether any formula refers to the cell, by address or by name."""
        return cell in self._used.get(sheet.casefold(), ())

    def named(self, sheet: str, cell: Cell) -> bool:
        """Whether a defined name covers the cell."""
        return cell in self._named.get(sheet.casefold(), ())

    @cached_property
    def places(self) -> dict[str, tuple[str, Area]]:
        """Sheet and area of each defined name that stands for one, by the name in small letters."""
        found = {}
        for name in self.names:
            place = area_of(name.formula, "")
            if place is not None and place[0]:
                found[name.name.casefold()] = place
        return found

    @cached_property
    def _named(self) -> dict[str, _Cells]:
        return _by_sheet(self.places.values())

    @cached_property
    def _used(self) -> dict[str, _Cells]:
        used: set[tuple[str, Area]] = set()
        for sheet in self.sheets:
            for formula in sheet.formulas.values():
                for operand in operands(formula):
                    place = area_of(operand, sheet.title) or self.places.get(
                        operand.rpartition("!")[2].casefold()
                    )
                    if place is not None:
                        used.add(place)
        return _by_sheet(used)


def read_model(data: bytes) -> Model:
    """The workbook in `data`; WorkbookError if it is none."""
    archive = Archive(data)
    outline = read_workbook(archive)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of charts and extensions, which no rule looks at
            book = openpyxl.load_workbook(io.BytesIO(data))
            cached = openpyxl.load_workbook(io.BytesIO(data), data_only=True)
    except Exception as e:  # noqa: BLE001 (openpyxl raises whatever a bad file provokes)
        raise BrokenFile(f"openpyxl cannot read it: {e}") from None
    read = AsAddin(
        outline.names
    )  # what is written out in cells is judged as the call it stands for
    sheets = [_read_sheet(book[title], cached[title], read) for title in outline.sheets]
    ours = book.properties.creator == AUTHOR
    return Model(data, archive, sheets, outline.names, ours)


class _Cells:
    """Cells, kept one by one unless they come in large areas."""

    def __init__(self) -> None:
        self._cells: set[Cell] = set()
        self._areas: set[Area] = set()

    def add(self, area: Area) -> None:
        if area.height * area.width <= _SMALL:
            self._cells.update(area.cells())
        else:
            self._areas.add(area)

    def __contains__(self, cell: Cell) -> bool:
        return cell in self._cells or any(cell in area for area in self._areas)


def _by_sheet(places: Iterable[tuple[str, Area]]) -> dict[str, _Cells]:
    found: dict[str, _Cells] = {}
    for title, area in places:
        found.setdefault(title, _Cells()).add(area)
    return found


def _read_sheet(source: Any, cached: Any, read: AsAddin) -> SheetModel:
    sheet = SheetModel(source.title, source, {}, {}, set(), set())
    for row in source.iter_rows():
        for cell in row:
            if cell.value is None:
                continue
            place = Cell(cell.row, cell.column)
            sheet.values[place] = cached.cell(cell.row, cell.column).value
            if cell.data_type == "f":
                sheet.formulas[place] = _read_formula(cell.value, place, read)
            elif _is_input(source, cell):
                sheet.inputs.add(place)
    for place, formula in sheet.formulas.items():
        if formula.area:
            sheet.covered |= {c for c in formula.area.cells() if c != place}
    sheet.inputs -= sheet.covered
    return sheet


def _is_input(sheet: Any, cell: Any) -> bool:
    """Whether a cell is blue and, on a protected sheet, open."""
    blue = cell.font.color is not None and cell.font.color.rgb == _BLUE
    return blue and not (sheet.protection.sheet and cell.protection.locked)


def _read_formula(value: Any, place: Cell, read: AsAddin) -> Formula:
    text = value if isinstance(value, str) else (getattr(value, "text", None) or "")
    area = None if isinstance(value, str) else parse_area(getattr(value, "ref", "") or "")
    formula = Formula(read(text.removeprefix("=")), area)
    try:
        shape, formula.references = split(formula.text)
        formula.tree = _parse(marked(formula.text))
    except NotParsedError:
        formula.relative = (formula.text,)
    else:
        moved = (_relative(part, place) for r in formula.references for part in r.split(":"))
        formula.relative = (shape, *moved)
    return formula


def _relative(reference: str, place: Cell) -> tuple[object, object]:
    """A cell's address as row and column, each absolute ("$5") or counted from `place`."""
    area = parse_area(reference)
    assert area is not None, reference
    row, column = area.first
    fixed_column = reference.startswith("$")
    fixed_row = "$" in reference[1:]
    return (
        f"${row}" if fixed_row else row - place.row,
        f"${column}" if fixed_column else column - place.column,
    )


def atoms(call: Call | None) -> Iterator[tuple[Atom, Call]]:
    """Every operand and operator of a formula, with the call that it is in."""
    if call is None:
        return
    for slot in call.slots:
        for item in slot:
            if isinstance(item, Atom):
                yield item, call
            else:
                yield from atoms(item)


def calls(call: Call | None) -> Iterator[Call]:
    """Every call of a formula."""
    if call is None:
        return
    for slot in call.slots:
        for item in slot:
            if isinstance(item, Call):
                yield item
                yield from calls(item)


def operands(formula: Formula) -> Iterator[str]:
    """Every reference or name of a formula, as it is spelled."""
    for atom, _ in atoms(formula.tree):
        if atom.kind == RANGE:
            yield Template(atom.text).filled(formula.references)


def area_of(reference: str, default_sheet: str) -> tuple[str, Area] | None:
    """Sheet and area of a reference with an address; None for a name."""
    sheet, bang, where = reference.rpartition("!")
    area = parse_area(where)
    if area is None:
        return None
    title = sheet.strip("'").replace("''", "'") if bang else default_sheet
    return title.casefold(), area
