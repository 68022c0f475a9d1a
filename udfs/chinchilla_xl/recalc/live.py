"""A workbook that stays loaded: inputs in, outputs out, scenario after scenario.

Where nothing was kept and no array can grow, a scenario only sets the inputs in the engine and
computes what depends on them and what the outputs rest on. Otherwise, or if a formula turns out
differently for a scenario, that scenario is calculated from the file anew, which is slower and
always right.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from chinchilla_xl.errors import ArgumentError, ChinchillaError
from chinchilla_xl.recalc.addresses import Cell, address
from chinchilla_xl.recalc.archive import Archive
from chinchilla_xl.recalc.calculation import Calculation
from chinchilla_xl.recalc.engines import Book, Engine
from chinchilla_xl.recalc.inputs import Input, Serial, locate, place_of
from chinchilla_xl.recalc.parts import Workbook, read_workbook
from chinchilla_xl.recalc.sheets import find_formulas, open_sheets
from chinchilla_xl.recalc.stored import Stored
from chinchilla_xl.recalc.values import Value

Places = dict[str, dict[Cell, Any]]

Outputs: TypeAlias = tuple[dict[str, Value], list[str]]
"""The values of the outputs, and why functions of ours gave errors."""


class LiveWorkbook:
    """One workbook in memory; the file that it came from is never changed."""

    def __init__(self, data: bytes) -> None:
        self._archive = Archive(data)
        self._outline = read_workbook(self._archive)
        self._live = self._calculated({})
        self._changed: Places = {}
        self._outputs: dict[str, tuple[str, Cell]] = {}
        self.messages: list[str] = []

    def run(self, inputs: Mapping[str, Input], outputs: Sequence[str]) -> dict[str, Value]:
        """The outputs for these inputs; the workbook's other cells are as in its file."""
        places = _places(self._outline, outputs)
        if self._live.may_live and not places.keys() <= self._outputs.keys():
            self._narrow(places)
        calculation = self._live
        if not (calculation.may_live and self._change(inputs)):
            calculation = self._calculated(inputs)
        self.messages = calculation.messages()
        return {name: calculation.value(*place) for name, place in places.items()}

    def _narrow(self, places: Mapping[str, tuple[str, Cell]]) -> None:
        """Compute henceforth what these outputs rest on, and those that were asked for before."""
        if self._outputs:
            self._live, self._changed = self._calculated({}), {}
        self._outputs |= places
        self._live.narrow(self._outputs.values())

    def _calculated(self, inputs: Mapping[str, Input]) -> Calculation:
        return Calculation(self._archive, self._outline, inputs)

    def _change(self, inputs: Mapping[str, Input]) -> bool:
        """Set these inputs, and those of the scenario before back; whether all went well."""
        wanted: Places = {}
        for _, title, cell, value in locate(inputs, self._outline):
            wanted.setdefault(title, {})[cell] = value
        before = self._changed
        self._changed = {
            title: {
                cell: before.get(title, {}).get(cell, self._live.content(title, cell))
                for cell in cells
            }
            for title, cells in wanted.items()
        }
        for title, cells in wanted.items():
            for cell, value in cells.items():
                held = self._changed[title][cell]
                no_number = isinstance(value, str) and isinstance(held, float)
                stays_text = isinstance(value, Serial) and isinstance(held, str)
                if no_number or stays_text or self._live.holds_formula(title, cell):
                    self._changed = before
                    return False  # calculated anew, it is refused in words, or written as text
        merged = {title: dict(cells) for title, cells in before.items()}
        for title, cells in wanted.items():
            merged.setdefault(title, {}).update(cells)
        return self._live.change(merged)


def check(data: bytes, inputs: Sequence[str], outputs: Sequence[str]) -> None:
    """ArgumentError unless every input is a cell without formula, and every output a cell."""
    archive = Archive(data)
    outline = read_workbook(archive)
    sheets = open_sheets(archive, outline)
    find_formulas(sheets.values())
    for name in inputs:
        title, cell = place_of(name, outline)
        if cell in sheets[title].formulas:
            raise ArgumentError(f"{name} holds a formula: it is no input")
    _places(outline, outputs)


def run_all(
    engine: Engine, data: bytes, rows: Sequence[Mapping[str, Input]], outputs: Sequence[str]
) -> list[Outputs | ChinchillaError]:
    """The outputs for each row of inputs, by an engine that gets a workbook for each."""
    places = _places(read_workbook(Archive(data)), outputs)
    results = engine.recompute([Book(data, inputs) for inputs in rows])
    found: list[Outputs | ChinchillaError] = []
    for result in results:
        if isinstance(result, ChinchillaError):
            found.append(result)
            continue
        new, report = result
        kept = {item.cell: item.reason for item in report.kept}
        lacking = next((a for place in places.values() if (a := address(*place)) in kept), None)
        if lacking is not None:
            found.append(ArgumentError(f"{lacking} was not computed: {kept[lacking]}"))
            continue
        stored = Stored(new)
        values = {
            name: stored.values(title, [cell]).get(cell) for name, (title, cell) in places.items()
        }
        found.append((values, report.messages))
    return found


def _places(outline: Workbook, names: Sequence[str]) -> dict[str, tuple[str, Cell]]:
    return {name: place_of(name, outline) for name in names}
