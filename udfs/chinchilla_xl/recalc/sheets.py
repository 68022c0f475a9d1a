"""Worksheets on their way through an engine: inputs, formulas, and which of them are kept."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from chinchilla_xl.errors import ArgumentError, TooLarge
from chinchilla_xl.recalc.addresses import Area, Cell, quote_sheet
from chinchilla_xl.recalc.archive import Archive
from chinchilla_xl.recalc.engine import FIT
from chinchilla_xl.recalc.formulas import Judge
from chinchilla_xl.recalc.inputs import Input, locate
from chinchilla_xl.recalc.lower import OURS
from chinchilla_xl.recalc.parts import Workbook
from chinchilla_xl.recalc.sheetxml import Edit, Formula, SheetXml
from chinchilla_xl.recalc.syntax import moved

_MOST_CELLS = 1 << 22


@dataclass(slots=True)
class Sheet:
    """A worksheet, its formulas, and the state of each.

    `kept` says why a formula keeps its value, `lowered` what the engine gets instead of it;
    `may_spill` and `raising` hold those in which ranges occur and which may well give #VALUE!.
    """

    title: str
    part: str
    xml: SheetXml
    formulas: dict[Cell, Formula] = field(default_factory=dict)
    kept: dict[Cell, str] = field(default_factory=dict)
    lowered: dict[Cell, str] = field(default_factory=dict)
    may_spill: set[Cell] = field(default_factory=set)
    raising: set[Cell] = field(default_factory=set)
    calls: dict[Cell, str] = field(default_factory=dict)

    def judge(self, cell: Cell, formula: Formula, judge: Judge) -> None:
        """Keep or lower one formula as the judge says."""
        area = formula.area
        if formula.kind == "dataTable":
            self.kept[cell] = "a data table"
            return
        array = formula.kind == "array"
        text = self.own_text(cell)
        if not text:
            self.kept[cell] = f"it shares the formula of {formula.leader}, off the sheet"
            return
        verdict = judge.judge(text, array=array)
        if verdict.reason is not None:
            self.kept[cell] = verdict.reason
            return
        if verdict.arrays and not array:
            self.may_spill.add(cell)
        if verdict.ours or verdict.sole in ("FIND", "SEARCH"):
            self.raising.add(cell)
        if verdict.sole in OURS:
            self.calls[cell] = verdict.sole
        if verdict.lowered is not None:
            self.lowered[cell] = verdict.lowered
        if array and not formula.dynamic and area is not None:
            self.lowered[cell] = f"{FIT}({self.text(cell)},{area.height},{area.width})"

    def own_text(self, cell: Cell) -> str:
        """The formula as it reads in its own cell; empty if it would leave the sheet."""
        formula = self.formulas[cell]
        if formula.leader is None or formula.leader == cell:
            return formula.text
        rows, columns = cell.row - formula.leader.row, cell.column - formula.leader.column
        return moved(formula.text, rows, columns) or ""

    def text(self, cell: Cell) -> str:
        """The formula as the engine gets it."""
        return self.lowered.get(cell) or self.own_text(cell)

    def computed(self) -> list[Cell]:
        """The formula cells that are not kept."""
        return [cell for cell in self.formulas if cell not in self.kept]

    def address(self, cell: Cell) -> str:
        """A cell's address with its sheet."""
        return f"{quote_sheet(self.title)}!{cell}"

    def reduce(self, cell: Cell) -> None:
        """A plain formula gave an array: its first cell if it is a call of ours, else keep it."""
        if self.calls.pop(cell, None) is None:
            self.kept[cell] = "its result is an array where the cell holds a single value"
        else:
            self.lowered[cell] = f"INDEX({self.text(cell)},1,1)"

    def engine_edits(self) -> dict[Cell, Edit]:
        """What the engine's copy differs in: constants, lowered text, no old spills."""
        edits: dict[Cell, Edit] = {}
        for cell, formula in self.formulas.items():
            if cell in self.kept:
                edits[cell] = Edit(formula=None)
            elif cell in self.lowered:
                edits[cell] = Edit(formula=self.lowered[cell])
            if formula.kind == "array" and cell not in self.kept:
                for child in children(formula.area):
                    if child not in self.formulas:
                        edits[child] = Edit(value=None)
        return edits | self._unshared(edits)

    def _unshared(self, edits: dict[Cell, Edit]) -> dict[Cell, Edit]:
        """Their own formulas for the cells that share one with an edited cell."""
        groups: dict[Cell, list[Cell]] = defaultdict(list)
        for cell, formula in self.formulas.items():
            if formula.leader is not None:
                groups[formula.leader].append(cell)
        own: dict[Cell, Edit] = {}
        for members in groups.values():
            if any(cell in edits for cell in members):  # they can share no more
                own |= {c: Edit(formula=self.own_text(c)) for c in members if c not in edits}
        return own


def open_sheets(archive: Archive, workbook: Workbook) -> dict[str, Sheet]:
    """Every worksheet of a workbook by its title, the formulas not yet found."""
    return {
        title: Sheet(title, part, SheetXml(archive.read(part), part))
        for title, part in workbook.sheets.items()
    }


def write_inputs(
    sheets: Mapping[str, Sheet], inputs: Mapping[str, Input], workbook: Workbook
) -> None:
    """Write inputs into the sheets, before anything is evaluated."""
    for title, values in locate(inputs, workbook).items():
        sheet = sheets[title]
        found = sheet.xml.formulas()
        formulas = {f.cell for f in found}
        arrays = [f.area for f in found if f.area and f.kind != "shared"]
        edits = {}
        for cell, value in values.items():
            if cell in formulas or any(cell in area for area in arrays):
                raise ArgumentError(f"{sheet.address(cell)} holds a formula: it is no input")
            if isinstance(value, str) and sheet.xml.holds_number(cell):
                raise ArgumentError(f"{sheet.address(cell)} holds a number: {value[:40]!r}")
            edits[cell] = Edit(value if isinstance(value, bool | str) else float(value))
        sheet.xml = SheetXml(sheet.xml.edited(edits), sheet.part)


def find_formulas(sheets: Collection[Sheet]) -> bool:
    """Find every formula of the sheets; whether there are any."""
    for sheet in sheets:
        sheet.formulas = {f.cell: f for f in sheet.xml.formulas()}
    areas = (f.area for sheet in sheets for f in sheet.formulas.values())
    if sum(area.height * area.width for area in areas if area) > _MOST_CELLS:
        raise TooLarge("its array formulas fill more than four million cells")
    return any(sheet.formulas for sheet in sheets)


def children(area: Area | None) -> list[Cell]:
    """The cells of a spill besides its first."""
    return [] if area is None else area.cells()[1:]
