"""Rules of inputs and results: named, with unit, source and validation, and used."""

from __future__ import annotations

from collections.abc import Iterator

from chinchilla_xl.lint.finding import Finding
from chinchilla_xl.lint.model import Model, SheetModel
from chinchilla_xl.recalc.addresses import Cell

UNIT = "Unit"
SOURCES = ("Source", "How it is computed")
"""The headings under which units and sources stand."""


def inputs_are_explained(model: Model) -> Iterator[Finding]:
    """Every input (blue) has a name, a unit, a source, and a validation with a message.

    In a table of scenarios, whose columns are headed by the names of inputs, unit and source are those
    of the input.
    """
    for sheet in model.sheets:
        validated = _validated(sheet)
        for cell in sorted(sheet.inputs):
            there, place = _scenario_input(model, sheet, cell) or (sheet, cell)
            for lacks, rule, message in (
                (not model.named(sheet.title, cell), "no-name", "the input has no name: define one"),
                (not _beside(there, place, (UNIT,)), "no-unit",
                 f'the input has no unit: write it under a heading "{UNIT}"'),
                (not _beside(there, place, SOURCES), "no-source",
                 'the input has no source: write it, or "assumption", under a heading "Source"'),
                (cell not in validated, "no-validation",
                 "the input takes anything: give it a data validation"),
                (validated.get(cell) == "", "no-validation",
                 "its data validation says nothing: write its rule as the message"),
            ):  # fmt: skip
                if lacks:
                    yield _about(model, sheet, cell, rule, message)


def inputs_are_used(model: Model) -> Iterator[Finding]:
    """Every input is used by a formula."""
    for sheet in model.sheets:
        for cell in sorted(sheet.inputs):
            if not model.used(sheet.title, cell):
                message = "no formula uses this input: remove it"
                yield _about(model, sheet, cell, "unused-input", message)


def results_are_named(model: Model) -> Iterator[Finding]:
    """Every figure that no other formula uses, a result, has a name and a unit."""
    for sheet in model.sheets:
        for cell, formula in sheet.formulas.items():
            figure = isinstance(sheet.values[cell], int | float) and formula.area is None
            explained = bool(_beside(sheet, cell, SOURCES))
            if not (figure and explained) or model.used(sheet.title, cell):
                continue
            if not model.named(sheet.title, cell):
                message = "a result without a name: define one, for --outputs and for readers"
                yield _about(model, sheet, cell, "no-name", message)
            if not _beside(sheet, cell, (UNIT,)):
                yield _about(model, sheet, cell, "no-unit", "a result without a unit")


def _about(model: Model, sheet: SheetModel, cell: Cell, rule: str, message: str) -> Finding:
    return Finding(sheet.title, cell, rule, message, advice=not model.ours)


def _validated(sheet: SheetModel) -> dict[Cell, str]:
    """The error message of the data validation of each cell that has one."""
    found = {}
    for rule in sheet.source.data_validations.dataValidation:
        for part in rule.sqref.ranges:
            for row in range(part.min_row, part.max_row + 1):
                for column in range(part.min_col, part.max_col + 1):
                    found[Cell(row, column)] = rule.error or rule.prompt or ""
    return found


def _beside(sheet: SheetModel, cell: Cell, headings: tuple[str, ...]) -> str:
    """What stands in the cell's row under the nearest of these headings above."""
    above = [c for c, text in _headings(sheet) if text in headings and c.row < cell.row]
    if not above:
        return ""
    return str(sheet.values.get(Cell(cell.row, max(above).column)) or "")


def _scenario_input(model: Model, sheet: SheetModel, cell: Cell) -> tuple[SheetModel, Cell] | None:
    """The input that the first cell of the column names, if it is in a table of scenarios."""
    heading = sheet.values.get(Cell(1, cell.column))
    place = model.places.get(heading.casefold()) if isinstance(heading, str) else None
    there = model.sheet(place[0]) if place else None
    if place is None or there is None or place[1].first not in there.inputs:
        return None
    return there, place[1].first


def _headings(sheet: SheetModel) -> list[tuple[Cell, str]]:
    """Where on the sheet the headings of units and sources stand."""
    if sheet.headings is None:
        known = (UNIT, *SOURCES)
        sheet.headings = [(c, str(v)) for c, v in sheet.values.items() if v in known]
    return sheet.headings


RULES = (inputs_are_explained, inputs_are_used, results_are_named)
