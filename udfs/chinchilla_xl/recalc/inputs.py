"""Inputs given from outside, NAME=VALUE: which cell each means, and which value."""

from __future__ import annotations

import math
import numbers
from collections.abc import Mapping

from chinchilla_xl.errors import ArgumentError
from chinchilla_xl.hints import nearest
from chinchilla_xl.recalc.addresses import Cell, bare_sheet, parse_area
from chinchilla_xl.recalc.parts import Workbook
from chinchilla_xl.recalc.values import LONGEST_TEXT

Input = float | str | bool


def parse_assignments(texts: list[str]) -> dict[str, Input]:
    """NAME=VALUE texts as names and values: a number, TRUE, FALSE, else text."""
    inputs: dict[str, Input] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            raise ArgumentError(f"an input must be given as NAME=VALUE: {text!r}")
        inputs[name.strip()] = parse_value(value.strip())
    return inputs


def parse_value(text: str) -> Input:
    """A number, TRUE or FALSE, else the text itself."""
    if text.upper() in ("TRUE", "FALSE"):
        return text.upper() == "TRUE"
    try:
        number = float(text.replace("_", "x"))
    except ValueError:
        return text
    if number - number != 0:
        raise ArgumentError(f"an input must be finite: {text}")
    return number


def separator(text: str) -> str:
    """What separates the columns of a CSV text: what its first line has most of.

    >>> separator("name;value")
    ';'
    """
    return max(",;\t", key=text.partition("\n")[0].count)


def locate(inputs: Mapping[str, Input], workbook: Workbook) -> dict[str, dict[Cell, Input]]:
    """Sheet -> cell -> value; ArgumentError for a name that is no single cell."""
    found: dict[str, dict[Cell, Input]] = {}
    names = {name.name.casefold(): name for name in workbook.names if name.sheet is None}
    for key, given in inputs.items():
        if not isinstance(key, str):
            raise ArgumentError(f"an input is named by text, not by {type(key).__name__}")
        value = _usable(key, given)
        reference = key
        if "!" not in key:
            name = names.get(key.casefold())
            if name is None:
                known = [n.name for n in names.values() if not n.name.startswith("_xlnm.")]
                raise ArgumentError(f"the workbook has no name {key!r}{nearest(key, known)}")
            reference = name.formula
            if "$" not in reference and parse_area(reference.rpartition("!")[2]):
                raise ArgumentError(f"the name {key!r} is relative to the cell it stands in")
        sheet, cell = _single_cell(key, reference)
        titles = {title.casefold(): title for title in workbook.sheets}
        if sheet.casefold() not in titles:
            raise ArgumentError(
                f"the workbook has no sheet {sheet!r}{nearest(sheet, workbook.sheets)}"
            )
        found.setdefault(titles[sheet.casefold()], {})[cell] = value
    return found


def place_of(name: str, workbook: Workbook, value: Input = 0.0) -> tuple[str, Cell]:
    """Sheet and cell of a single input; ArgumentError as for `locate`."""
    [(title, cells)] = locate({name: value}, workbook).items()
    [cell] = cells
    return title, cell


def _usable(key: str, value: object) -> Input:
    """An input as a cell can hold it."""
    if isinstance(value, str):
        unpaired = any("\ud800" <= c <= "\udfff" for c in value)
        if unpaired or len(value) > LONGEST_TEXT:
            raise ArgumentError(f"the input {key!r} is no text that a cell can hold")
        return value
    kind = type(value).__name__
    if isinstance(value, bool) or kind in ("bool", "bool_"):
        return bool(value)
    if not isinstance(value, numbers.Real):
        raise ArgumentError(f"the input {key!r} must be a number, text or a boolean, not {kind}")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise ArgumentError(f"the input {key!r} must be finite and below 1.8E308")
    return number


def _single_cell(key: str, reference: str) -> tuple[str, Cell]:
    sheet, _, place = reference.rpartition("!")
    sheet = bare_sheet(sheet)
    area = parse_area(place)
    if "!" in key and area is None:
        raise ArgumentError(f"the input {key!r} must be a name or a cell such as Inputs!B7")
    if not sheet or area is None or area.first != area.last:
        raise ArgumentError(f"the input {key!r} must be a single cell: it is {reference}")
    return sheet, area.first
