"""Recomputes a workbook: every formula evaluated, only cached values written back.

1. Open the archive and read the outline; refuse what is not a sound workbook.
2. Write the inputs, find every formula, and judge which of them the engine computes faithfully.
3. Give the engine a copy in which the others are constants (their cached values), and evaluate.
   What the engine turns out unable to compute becomes a constant too, and it starts again.
4. Splice the new values into the formula cells; all else in the file stays byte for byte.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from chinchilla_xl.errors import ArgumentError, BrokenFile, WorkbookError
from chinchilla_xl.functions import CellError
from chinchilla_xl.recalc.addresses import Area, Cell, quote_sheet
from chinchilla_xl.recalc.archive import Archive
from chinchilla_xl.recalc.engine import FIT, SPILL, Engine, EngineFailure, parses
from chinchilla_xl.recalc.files import read_file, write_file
from chinchilla_xl.recalc.formulas import Judge, our_spellings, with_omitted
from chinchilla_xl.recalc.inputs import Input, locate
from chinchilla_xl.recalc.parts import Workbook, read_workbook
from chinchilla_xl.recalc.sheetxml import Edit, Formula, SheetXml
from chinchilla_xl.recalc.values import Value, same

_MAX_PASSES = 12


@dataclass(frozen=True, slots=True)
class Kept:
    """A formula that kept its cached value: where, what, why, and how many cells rest on it."""

    cell: str
    formula: str
    reason: str
    dependents: int


@dataclass(slots=True)
class Report:
    """What a recomputation did.

    `formulas` counts formula cells, `changed` those whose cached value is new, `kept` lists those
    that could not be computed faithfully, `messages` says why functions of ours gave errors.
    """

    path: str
    output: str
    formulas: int = 0
    changed: int = 0
    kept: list[Kept] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)

    @property
    def complete(self) -> bool:
        """Whether every formula was computed."""
        return not self.kept


def recompute(
    path: str | os.PathLike[str],
    output: str | os.PathLike[str] | None = None,
    inputs: Mapping[str, Input] | None = None,
) -> Report:
    """Recalculate every formula of an .xlsx or .xlsm file and write back only cached values.

    `output` is where the result goes (default: in place, atomically). `inputs` maps defined names
    or Sheet!A1 addresses to values that are written first. Formulas that cannot be computed
    faithfully keep their cached value and are listed in the report.

    Raises WorkbookError for a file that cannot be processed and ArgumentError for an input that
    does not fit; the file is untouched then.
    """
    source = Path(path)
    target = source if output is None else Path(output)
    try:
        old = read_file(source)
        new, report = recompute_bytes(old, inputs)
        report.path, report.output = str(source), str(target)
        if new != old or os.path.realpath(source) != os.path.realpath(target):
            write_file(target, new)
    except WorkbookError as e:
        raise type(e)(f"{source}: {e}") from None
    return report


def recompute_bytes(data: bytes, inputs: Mapping[str, Input] | None = None) -> tuple[bytes, Report]:
    """`recompute` in memory: the new contents of the file, and the report."""
    archive = Archive(data)
    calculation = _Calculation(archive, read_workbook(archive))
    calculation.write_inputs(inputs or {})
    calculation.evaluate()
    return archive.replaced(calculation.edited_parts()), calculation.report()


@dataclass(slots=True)
class _Sheet:
    """A worksheet on its way through the engine."""

    title: str
    part: str
    xml: SheetXml
    formulas: dict[Cell, Formula] = field(default_factory=dict)
    kept: dict[Cell, str] = field(default_factory=dict)
    lowered: dict[Cell, str] = field(default_factory=dict)
    may_spill: set[Cell] = field(default_factory=set)

    def text(self, cell: Cell) -> str:
        """The formula as the engine gets it."""
        return self.lowered.get(cell) or self.formulas[cell].text

    def computed(self) -> list[Cell]:
        return [cell for cell in self.formulas if cell not in self.kept]

    def address(self, cell: Cell) -> str:
        return f"{quote_sheet(self.title)}!{cell}"


class _Calculation:
    """One workbook on its way through the engine."""

    def __init__(self, archive: Archive, workbook: Workbook) -> None:
        self._archive = archive
        self._workbook = workbook
        self._sheets = {
            title: _Sheet(title, part, SheetXml(archive.read(part), part))
            for title, part in workbook.sheets.items()
        }
        self._engine: Engine | None = None
        self._report = Report("", "")

    def write_inputs(self, inputs: Mapping[str, Input]) -> None:
        for title, values in locate(inputs, self._workbook).items():
            sheet = self._sheets[title]
            formulas = {f.cell for f in sheet.xml.formulas()}
            edits = {}
            for cell, value in values.items():
                if cell in formulas:
                    raise ArgumentError(f"{sheet.address(cell)} holds a formula: it is no input")
                edits[cell] = Edit(value if isinstance(value, bool | str) else float(value))
            sheet.xml = SheetXml(sheet.xml.edited(edits), sheet.part)

    def evaluate(self) -> None:
        for sheet in self._sheets.values():
            sheet.formulas = {f.cell: f for f in sheet.xml.formulas()}
        if not any(sheet.formulas for sheet in self._sheets.values()):
            return
        self._judge()
        for _ in range(_MAX_PASSES):
            engine = self._load()
            if engine is not None and not self._keep_failures(engine):
                self._engine = engine
                return
        raise BrokenFile("its formulas cannot be brought to a stable result")

    def _judge(self) -> None:
        judge = Judge(self._workbook.names)
        for sheet in self._sheets.values():
            for cell, formula in sheet.formulas.items():
                array = formula.kind == "array"
                verdict = judge.judge(formula.text, array=array)
                if formula.kind == "dataTable":
                    sheet.kept[cell] = "a data table"
                    continue
                if verdict.reason is not None:
                    sheet.kept[cell] = verdict.reason
                    continue
                if verdict.arrays and not array:
                    sheet.may_spill.add(cell)
                text = with_omitted(formula.text)
                if array and not formula.dynamic and formula.area is not None:
                    text = f"{FIT}({text},{formula.area.height},{formula.area.width})"
                if text != formula.text:
                    sheet.lowered[cell] = text

    def _load(self) -> Engine | None:
        """The workbook evaluated, or None if formulas had to be kept for it to load at all."""
        parts = {s.part: s.xml.edited(_engine_edits(s)) for s in self._sheets.values()}
        texts = (f.text for s in self._sheets.values() for f in s.formulas.values())
        try:
            return Engine(
                self._archive.replaced(self._archive.changes(parts), level=1),
                date1904=self._workbook.date1904,
                spellings=our_spellings(texts),
            )
        except BrokenFile:
            if not self._keep_unparsable():
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

    def _keep_failures(self, engine: Engine) -> bool:
        """Keep what the engine could not compute; whether it has to start again."""
        again = False
        for sheet in self._sheets.values():
            for cell, value in engine.values(sheet.title, sheet.computed()).items():
                failure = value if isinstance(value, EngineFailure) else None
                plain = sheet.formulas[cell].kind != "array"
                blocked = failure is not None and failure.kind == SPILL
                spills = cell in sheet.may_spill and engine.spilled(sheet.title, cell) is not None
                if plain and (blocked or spills):
                    _reduce(sheet, cell)
                elif failure is not None and not blocked:
                    sheet.kept[cell] = failure.reason
                else:
                    continue
                again = True
        return self._keep_dependents(engine) or again

    def _keep_dependents(self, engine: Engine) -> bool:
        """Keep what rests on a kept formula that has no value to compute with."""
        found = False
        for sheet in self._sheets.values():
            for cell in [c for c in sheet.kept if sheet.formulas[c].value is None]:
                for title, dependent in engine.dependents(sheet.title, [cell]):
                    other = self._sheets[title]
                    if dependent not in other.kept and dependent in other.formulas:
                        reason = f"it needs {sheet.address(cell)}, which has no value"
                        other.kept[dependent] = reason
                        found = True
        return found

    def edited_parts(self) -> dict[str, bytes]:
        """The worksheet parts with inputs and new cached values."""
        return self._archive.changes(
            {s.part: s.xml.edited(self._new_values(s)) for s in self._sheets.values()}
        )

    def _new_values(self, sheet: _Sheet) -> dict[Cell, Edit]:
        if self._engine is None:
            return {}
        engine = self._engine
        edits: dict[Cell, Edit] = {}
        for cell, result in engine.values(sheet.title, sheet.computed()).items():
            formula, value = sheet.formulas[cell], _storable(result)
            if not same(formula.value, value):
                edits[cell] = Edit(value)
                self._report.changed += 1
            if formula.kind == "array":
                edits |= _spill_edits(engine, sheet, formula, value)
        return edits

    def report(self) -> Report:
        report, engine = self._report, self._engine
        report.formulas = sum(len(sheet.formulas) for sheet in self._sheets.values())
        if engine is None:
            return report
        report.messages = list(engine.messages)
        report.kept = [
            Kept(
                sheet.address(cell),
                "=" + sheet.formulas[cell].text,
                reason,
                len(engine.dependents(sheet.title, [cell])),
            )
            for sheet in self._sheets.values()
            for cell, reason in sheet.kept.items()
        ]
        return report


def _engine_edits(sheet: _Sheet) -> dict[Cell, Edit]:
    """What the engine's copy of a sheet differs in: constants, lowered text, no old spills."""
    edits: dict[Cell, Edit] = {}
    for cell, formula in sheet.formulas.items():
        if cell in sheet.kept:
            edits[cell] = Edit(formula=None)
        elif cell in sheet.lowered:
            edits[cell] = Edit(formula=sheet.lowered[cell])
        if formula.kind == "array" and cell not in sheet.kept:
            for child in _children(formula.area):
                if child not in sheet.formulas:
                    edits[child] = Edit(value=None)
    return edits


def _reduce(sheet: _Sheet, cell: Cell) -> None:
    """A plain formula gave an array: its first cell if it is a call of ours, else keep it."""
    text = sheet.text(cell)
    ours = our_spellings([text]).get(text.partition("(")[0].upper())
    if ours is None or not text.endswith(")"):
        sheet.kept[cell] = "its result is an array where the cell holds a single value"
    else:
        sheet.lowered[cell] = f"INDEX({text},1,1)"


def _spill_edits(engine: Engine, sheet: _Sheet, formula: Formula, value: Value) -> dict[Cell, Edit]:
    """The new contents of the cells that an array formula fills, and of those it leaves."""
    spill = engine.spilled(sheet.title, formula.cell) or Area(formula.cell, formula.cell)
    edits: dict[Cell, Edit] = {}
    if formula.dynamic and spill != formula.area:
        edits[formula.cell] = Edit(value, area=spill)
    children = engine.values(sheet.title, _children(spill))
    edits.update({child: Edit(_storable(inner)) for child, inner in children.items()})
    for child in _children(formula.area):
        if child not in edits and child not in sheet.formulas:
            edits[child] = Edit(None)
    return edits


def _children(area: Area | None) -> list[Cell]:
    """The cells of a spill besides its first."""
    return [] if area is None else area.cells()[1:]


def _storable(value: Value | EngineFailure) -> Value:
    return CellError("#VALUE!") if isinstance(value, EngineFailure) else value
