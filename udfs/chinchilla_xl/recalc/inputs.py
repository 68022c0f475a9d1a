"""Inputs given from outside, NAME=VALUE: which cell each means, and which value."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches

from chinchilla_xl.errors import ArgumentError
from chinchilla_xl.recalc.addresses import Cell, parse_area
from chinchilla_xl.recalc.parts import Workbook

Input = float | str | bool


def parse_assignments(texts: list[str]) -> dict[str, Input]:
    """NAME=VALUE texts as names and values: a number, TRUE, FALSE, else text."""
    inputs: dict[str, Input] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            raise ArgumentError(f"an input must be given as NAME=VALUE: {text!r}")
        inputs[name.strip()] = _parse_value(value.strip())
    return inputs


def _parse_value(text: str) -> Input:
    if text.upper() in ("TRUE", "FALSE"):
        return text.upper() == "TRUE"
    try:
        number = float(text.replace("_", "x"))
    except ValueError:
        return text
    if number - number != 0:
        raise ArgumentError(f"an input must be finite: {text}")
    return number


def locate(inputs: Mapping[str, Input], workbook: Workbook) -> dict[str, dict[Cell, Input]]:
    """Sheet -> cell -> value; ArgumentError for a name that is no single cell."""
    found: dict[str, dict[Cell, Input]] = {}
    names = {name.name.casefold(): name for name in workbook.names if name.sheet is None}
    for key, value in inputs.items():
        reference = key
        if "!" not in key:
            name = names.get(key.casefold())
            if name is None:
                known = [n.name for n in names.values() if not n.name.startswith("_xlnm.")]
                close = get_close_matches(key, known, n=1)
                hint = f" (did you mean {close[0]}?)" if close else ""
                raise ArgumentError(f"the workbook has no name {key!r}{hint}")
            reference = name.formula
        sheet, cell = _single_cell(key, reference)
        titles = {title.casefold(): title for title in workbook.sheets}
        if sheet.casefold() not in titles:
            raise ArgumentError(f"the workbook has no sheet {sheet!r}")
        found.setdefault(titles[sheet.casefold()], {})[cell] = value
    return found


def _single_cell(key: str, reference: str) -> tuple[str, Cell]:
    sheet, _, place = reference.rpartition("!")
    if sheet.startswith("'") and sheet.endswith("'"):
        sheet = sheet[1:-1].replace("''", "'")
    area = parse_area(place)
    if not sheet or area is None or area.first != area.last:
        raise ArgumentError(f"the input {key!r} must be a single cell: it is {reference}")
    return sheet, area.first
