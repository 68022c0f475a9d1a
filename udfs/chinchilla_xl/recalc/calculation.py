"""Recomputes a workbook: every formula evaluated, only cached values written back.

1. Open the archive and read the outline; refuse what is not a sound workbook.
2. Write the inputs, find every formula, and judge which of them the engine computes faithfully.
3. Give the engine a copy in which the others are constants (their cached values), and evaluate.
   What the engine turns out unable to compute becomes a constant too, and it starts again; so
   does what rests on a kept formula, once anything has changed that it could depend on.
4. Splice the new values into the formula cells; all else in the file stays byte for byte.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Any

from chinchilla_xl.errors import ArgumentError, BrokenFile
from chinchilla_xl.functions import CellError
from chinchilla_xl.recalc.addresses import Area, Cell
from chinchilla_xl.recalc.archive import Archive, Piece
from chinchilla_xl.recalc.calcchain import asks_for_calculation
from chinchilla_xl.recalc.engineform import possible
from chinchilla_xl.recalc.inputs import Input
from chinchilla_xl.recalc.loaded import SPILL, EngineFailure, LoadedWorkbook, parses
from chinchilla_xl.recalc.needed import needed_by
from chinchilla_xl.recalc.parts import (
    WORKBOOK,
    Workbook,
    check_engine_parts,
    without_iteration,
)
from chinchilla_xl.recalc.report import Kept, Report, needs
from chinchilla_xl.recalc.sheetedit import KEEP, Edit, Recached, differs, edited
from chinchilla_xl.recalc.sheets import Sheet, children, find_formulas, open_sheets, write_inputs
from chinchilla_xl.recalc.sheetxml import Formula
from chinchilla_xl.recalc.values import Value, is_ordinary, is_residue, same

_PATIENCE = 12
"""Passes after which what rests on a kept formula is kept at once, without a last look."""
_ORDINARY = 1e-300


class Calculation:
    """One workbook on its way through the engine: inputs written first, then evaluated."""

    def __init__(
        self, archive: Archive, workbook: Workbook, inputs: Mapping[str, Input] | None = None
    ) -> None:
        self._archive = archive
        self._workbook = workbook
        self._sheets = open_sheets(archive, workbook)
        self._loaded: LoadedWorkbook | None = None
        self._outdated = bool(inputs) or asks_for_calculation(archive.text(WORKBOOK))
        self._resting: dict[tuple[str, Cell], int] = {}
        self._values: dict[str, list[Value | EngineFailure]] = {}
        write_inputs(self._sheets, inputs or {}, workbook)
        self._evaluate()

    def _evaluate(self) -> None:
        """Judge every formula and evaluate, until what is computed is sound."""
        if not find_formulas(self._sheets.values()):
            return
        passes = 0
        while self._loaded is None:  # each pass keeps or lowers at least one formula more
            passes += 1
            loaded = self._load()
            if loaded is None:
                continue
            again = self._treat_failures(loaded)
            if not again or passes > _PATIENCE:
                again = self._keep_dependents(loaded) or again
            if not again:
                self._loaded = loaded

    @property
    def may_live(self) -> bool:
        """Whether inputs may change in place: nothing is kept, and no array grows or shrinks."""
        sheets = self._sheets.values()
        kept = any(sheet.kept for sheet in sheets)
        return self._loaded is not None and not kept and all(s.arrays_stay() for s in sheets)

    def narrow(self, wanted: Iterable[tuple[str, Cell]]) -> None:
        """Compute from now on only what these cells rest on, if that is well below everything."""
        loaded, sheets = self._loaded, self._sheets.values()
        needed = None if loaded is None else needed_by(loaded, self._sheets, wanted)
        if needed is None:
            return
        lowered = [dict(sheet.lowered) for sheet in sheets]
        for sheet in sheets:
            sheet.narrow(needed[sheet.title])
        narrower = self._load()
        if narrower is not None and not self._treat_failures(narrower):
            self._loaded = narrower
            return
        for sheet, before in zip(sheets, lowered, strict=True):
            sheet.kept, sheet.lowered = {}, before
            sheet.narrow(None)
        assert loaded is not None
        self._treat_failures(loaded)

    def change(self, places: Mapping[str, Mapping[Cell, Any]]) -> bool:
        """Set constants of the live workbook; whether every formula still computes as judged."""
        loaded = self._loaded
        assert loaded is not None
        for title, values in places.items():
            for cell, value in values.items():
                loaded.assign(title, cell, value)
        loaded.evaluate()
        lowered = [dict(sheet.lowered) for sheet in self._sheets.values()]
        if not self._treat_failures(loaded):
            # An array that cannot be computed is a single error: it shrinks.
            return not any(
                isinstance(self.value(sheet.title, cell), CellError)
                for sheet in self._sheets.values()
                for cell in sheet.arrays()
            )
        for sheet, before in zip(self._sheets.values(), lowered, strict=True):
            sheet.kept, sheet.lowered = {}, before
        return False

    def content(self, title: str, cell: Cell) -> Any:
        """What a cell of the live workbook holds."""
        return None if self._loaded is None else self._loaded.content(title, cell)

    def holds_formula(self, title: str, cell: Cell) -> bool:
        """Whether a cell holds a formula, computed or kept."""
        return cell in self._sheets[title].formulas

    def value(self, title: str, cell: Cell) -> Value:
        """A cell's value; ArgumentError if its formula was kept, or there is none."""
        sheet = self._sheets[title]
        if cell in sheet.kept:
            raise ArgumentError(f"{sheet.address(cell)} was not computed: {sheet.kept[cell]}")
        if cell in sheet.formulas:
            index = bisect_left(sheet.evaluated, cell.place)
            return _storable(self._values[title][index])
        value = self.content(title, cell)
        return value if isinstance(value, float | str | bool) else None

    def messages(self) -> list[str]:
        """Why functions of ours gave errors."""
        return [] if self._loaded is None else list(self._loaded.messages)

    def _load(self) -> LoadedWorkbook | None:
        """The workbook evaluated, or None if formulas had to be kept for it to load at all."""
        parts: dict[str, Iterable[Piece]] = {
            WORKBOOK: [without_iteration(self._archive.read(WORKBOOK))]
        }
        parts |= {sheet.xml.part: sheet.for_engine() for sheet in self._sheets.values()}
        copy = self._archive.replaced(parts, level=1)
        for sheet in self._sheets.values():
            sheet.xml.release()  # room for the engine
        try:
            return LoadedWorkbook(copy, date1904=self._workbook.date1904)
        except BrokenFile:
            if not self._keep_unparsable():
                check_engine_parts(self._archive)
                raise
            return None

    def _keep_unparsable(self) -> bool:
        verdicts: dict[str, bool] = {"": True}
        found = False
        for sheet in self._sheets.values():
            for cell in sheet.computed():
                text = sheet.text(cell)
                if text not in verdicts:
                    verdicts[text] = parses(text)
                if not verdicts[text]:
                    sheet.kept[cell] = "the engine cannot parse it"
                    found = True
        return found

    def _treat_failures(self, loaded: LoadedWorkbook) -> bool:
        """Lower or keep what the engine could not compute; whether it has to start again."""
        again = False
        for sheet in self._sheets.values():
            places = sheet.evaluated
            values = self._values[sheet.title] = loaded.column(sheet.title, places)
            harmless = sheet.plain_numbers()
            for index, value in enumerate(values):
                ordinary = is_ordinary(value)
                if ordinary and harmless[index]:
                    continue
                cell = Cell.at(places[index])
                plain = cell not in sheet.formulas.special
                if ordinary and plain and loaded.spilled(sheet.title, cell) is None:
                    continue
                again = self._examine(loaded, sheet, cell, value) or again
        return again

    def _examine(
        self, loaded: LoadedWorkbook, sheet: Sheet, cell: Cell, value: Value | EngineFailure
    ) -> bool:
        """Lower or keep one formula if its result may not be Excel's; whether it was."""
        if cell in sheet.kept:
            return False
        if isinstance(value, float) and _ORDINARY < abs(value) < math.inf:
            if is_residue(value) and "SUM" in sheet.text(cell).upper():
                sheet.kept[cell] = "its result is what rounding has left of a sum"
                return True
            if not sheet.may_spill(cell):
                return False
        elif isinstance(value, CellError) and self._doubtful(loaded, sheet, cell, value):
            sheet.kept[cell] = f"the engine gives {value.code}, where Excel may not"
            return True
        return self._treat(loaded, sheet, cell, value)

    def _treat(
        self, loaded: LoadedWorkbook, sheet: Sheet, cell: Cell, value: Value | EngineFailure
    ) -> bool:
        """Lower or keep one formula if its result is none; whether it was."""
        failure = value if isinstance(value, EngineFailure) else None
        plain = cell not in sheet.formulas.special
        blocked = failure is not None and failure.kind == SPILL
        spills = sheet.may_spill(cell) and loaded.spilled(sheet.title, cell) is not None
        if plain and (blocked or spills):
            sheet.reduce(cell)
        elif failure is not None:
            sheet.kept[cell] = failure.reason
        elif possible(value) is not value or _has_impossible_children(loaded, sheet, cell):
            sheet.lowered[cell] = f"__POSSIBLE({sheet.text(cell)})"
        else:
            return False
        return True

    def _doubtful(self, loaded: LoadedWorkbook, sheet: Sheet, cell: Cell, value: CellError) -> bool:
        """Whether an error may be the engine's own: it came neither from a cell nor from us."""
        if value.code not in ("#VALUE!", "#NAME?") or same(value, sheet.formulas[cell].value):
            return False
        if sheet.may_raise(cell):
            return False
        return value not in loaded.precedent_errors(sheet.title, cell)

    def _keep_dependents(self, loaded: LoadedWorkbook) -> bool:
        """Keep what rests on a kept formula whose value is missing or may be out of date."""
        found = False
        if not any(sheet.kept for sheet in self._sheets.values()):
            return found
        changed = self._outdated or _changed(self._sheets, loaded)
        for sheet in self._sheets.values():
            for cell in sorted(sheet.kept):
                missing = sheet.formulas[cell].value is None
                place = sheet.title, cell
                if place in self._resting:
                    continue
                area = sheet.formulas[cell].area or Area(cell, cell)
                dependents = self._needing(loaded, sheet.title, area.cells())
                rests = [
                    (other, dependent)
                    for title, dependent in sorted(dependents)
                    if dependent in (other := self._sheets[title]).formulas
                    and dependent not in other.kept
                ]
                if not (missing or changed):
                    continue
                self._resting[place] = len(dependents)
                for other, dependent in rests:
                    other.kept[dependent] = needs(sheet.address(cell), missing=missing)
                    self._resting[other.title, dependent] = 0
                    found = True
        return found

    def _needing(
        self, loaded: LoadedWorkbook, title: str, cells: list[Cell]
    ) -> set[tuple[str, Cell]]:
        """Every formula cell that needs one of these, or may by way of a computed reference."""
        found = loaded.dependents(title, cells)
        moving = {
            (other.title, cell): areas
            for other in self._sheets.values()
            for cell, areas in other.moving().items()
        }
        grown = True
        while grown:
            grown = False
            needed = [(title, cell) for cell in cells] + list(found)
            for place, areas in moving.items():
                if place not in found and any(
                    sheet == other.casefold() and cell in area
                    for sheet, area in areas
                    for other, cell in needed
                ):
                    found |= {place} | loaded.dependents(place[0], [place[1]])
                    grown = True
        return found

    def _dependents(self, loaded: LoadedWorkbook, sheet: Sheet, cell: Cell) -> int:
        known = self._resting.get((sheet.title, cell))
        return len(self._needing(loaded, sheet.title, [cell])) if known is None else known

    def finish(self) -> tuple[bytes, Report]:
        """The file with inputs and new cached values, and the report; the engine is let go."""
        report, loaded = Report("", ""), self._loaded
        report.formulas = sum(len(sheet.formulas) for sheet in self._sheets.values())
        spills: dict[str, dict[Cell, Edit]] = {title: {} for title in self._sheets}
        if loaded is not None:
            report.kept = self._kept(loaded)
            for title, sheet in self._sheets.items():
                for cell, formula in sheet.formulas.special.items():
                    if formula.kind == "array" and cell not in sheet.kept:
                        spills[title] |= _spill_edits(loaded, sheet, formula)
            report.messages = self._explaining(loaded.messages, spills)
        self._loaded = loaded = None
        parts = {
            sheet.xml.part: self._pieces(sheet, spills[title], report)
            for title, sheet in self._sheets.items()
        }
        return self._archive.replaced(parts), report

    def _explaining(
        self, messages: Mapping[str, str], spills: Mapping[str, Mapping[Cell, Edit]]
    ) -> list[str]:
        """Those of the messages that explain an error which some cell shows, and all warnings.

        The engine calls functions before arrays have spilled too, and formulas catch errors.
        """
        values: Iterable[Any] = chain(
            *self._values.values(),
            *((edit.value for edit in edits.values()) for edits in spills.values()),
        )
        shown = {value.code for value in values if isinstance(value, CellError)}
        return [message for message, code in messages.items() if not code or code in shown]

    def _pieces(self, sheet: Sheet, spills: Mapping[Cell, Edit], report: Report) -> Iterator[Piece]:
        """A worksheet part in pieces; none if it stays as it is in the file."""
        xml, formulas = sheet.xml, sheet.formulas
        values = [_storable(value) for value in self._values.pop(sheet.title, [])]
        for cell in sheet.kept:
            index = formulas.index(cell)
            assert index is not None
            values[index] = KEEP
        new = Recached(xml, formulas, values or [KEEP] * len(formulas))
        if spills:
            data = edited(xml.replaced(b"".join(new) or xml.data), spills)
            yield from [data] if sheet.written or data != xml.data else []
        else:
            yield from new
            yield from [xml.data] if sheet.written and not new.changed else []
        report.changed += new.changed
        report.stale += new.stale
        xml.release()

    def _kept(self, loaded: LoadedWorkbook) -> list[Kept]:
        return [
            Kept(
                sheet.address(cell),
                "=" + sheet.own_text(cell),
                reason,
                self._dependents(loaded, sheet, cell),
            )
            for sheet in self._sheets.values()
            for cell, reason in sorted(sheet.kept.items())
        ]


def _has_impossible_children(loaded: LoadedWorkbook, sheet: Sheet, cell: Cell) -> bool:
    if cell not in sheet.formulas.special:
        return False
    spill = loaded.spilled(sheet.title, cell)
    filled = loaded.values(sheet.title, children(spill))
    return any(possible(value) is not value for value in filled.values())


def _changed(sheets: Mapping[str, Sheet], loaded: LoadedWorkbook) -> bool:
    """Whether any computed value differs from its cache by more than rounding."""
    return any(
        differs(sheet.formulas[cell].value, _storable(value))
        for sheet in sheets.values()
        for cell, value in loaded.values(sheet.title, sheet.computed()).items()
    )


def _spill_edits(loaded: LoadedWorkbook, sheet: Sheet, formula: Formula) -> dict[Cell, Edit]:
    """The new contents of the cells that an array formula fills, and of those it leaves."""
    spill = loaded.spilled(sheet.title, formula.cell) or Area(formula.cell, formula.cell)
    edits: dict[Cell, Edit] = {}
    if formula.dynamic and spill != formula.area:
        edits[formula.cell] = Edit(area=spill)
    filled = loaded.values(sheet.title, children(spill))
    edits.update({child: Edit(_storable(inner)) for child, inner in filled.items()})
    for child in children(formula.area):
        if child not in edits and child not in sheet.formulas:
            edits[child] = Edit(None)
    return edits


def _storable(value: Value | EngineFailure) -> Value:
    return CellError("#VALUE!") if isinstance(value, EngineFailure) else value
