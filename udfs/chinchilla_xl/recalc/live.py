"""A workbook that stays loaded: inputs in, outputs out, scenario after scenario.

Where nothing was kept and no array can grow, a scenario only sets the inputs in the engine and
computes what depends on them. Otherwise, or if a formula turns out differently for a scenario, that
scenario is calculated from the file anew, which is slower and always right.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from chinchilla_xl.errors import ArgumentError
from chinchilla_xl.recalc.addresses import Cell
from chinchilla_xl.recalc.archive import Archive
from chinchilla_xl.recalc.calculation import Calculation
from chinchilla_xl.recalc.inputs import Input, locate
from chinchilla_xl.recalc.parts import read_workbook
from chinchilla_xl.recalc.values import Value

Places = dict[str, dict[Cell, Any]]


class LiveWorkbook:
    """One workbook in memory; the file that it came from is never changed."""

    def __init__(self, data: bytes) -> None:
        self._archive = Archive(data)
        self._outline = read_workbook(self._archive)
        self._live = self._calculated({})
        self._changed: Places = {}
        self.messages: list[str] = []

    def check(self, inputs: Sequence[str], outputs: Sequence[str]) -> None:
        """ArgumentError unless every input is a cell without formula, and every output a cell."""
        for name in inputs:
            for title, cells in locate({name: 0.0}, self._outline).items():
                if any(self._live.holds_formula(title, cell) for cell in cells):
                    raise ArgumentError(f"{name} holds a formula: it is no input")
        self._places(outputs)

    def run(self, inputs: Mapping[str, Input], outputs: Sequence[str]) -> dict[str, Value]:
        """The outputs for these inputs; the workbook's other cells are as in its file."""
        places = self._places(outputs)
        calculation = self._live
        if not (calculation.may_live and self._change(inputs)):
            calculation = self._calculated(inputs)
        self.messages = calculation.messages()
        return {name: calculation.value(*place) for name, place in places.items()}

    def _calculated(self, inputs: Mapping[str, Input]) -> Calculation:
        calculation = Calculation(self._archive, self._outline)
        calculation.write_inputs(inputs)
        calculation.evaluate()
        return calculation

    def _change(self, inputs: Mapping[str, Input]) -> bool:
        """Set these inputs, and those of the scenario before back; whether all went well."""
        wanted = locate(inputs, self._outline)
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
                if self._live.holds_formula(title, cell) or (
                    isinstance(value, str) and isinstance(self._changed[title][cell], float)
                ):
                    self._changed = before
                    return False  # calculated anew, it is refused in words
        merged = {title: dict(cells) for title, cells in before.items()}
        for title, cells in wanted.items():
            merged.setdefault(title, {}).update(cells)
        return self._live.change(merged)

    def _places(self, outputs: Sequence[str]) -> dict[str, tuple[str, Cell]]:
        found = {}
        for name in outputs:
            [(title, cells)] = locate({name: 0.0}, self._outline).items()
            [cell] = cells
            found[name] = (title, cell)
        return found
