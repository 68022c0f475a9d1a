"""Inputs given from outside, NAME=VALUE: which cell each means, and which value.

A date comes as a `date` or as an ISO text, 2027-02-01: only here is it made the number of its day.
"""

from __future__ import annotations

import math
import numbers
import re
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import NamedTuple, TypeAlias

from chinchilla_xl.errors import ArgumentError
from chinchilla_xl.hints import nearest
from chinchilla_xl.recalc.addresses import Cell, address, bare_sheet, parse_area
from chinchilla_xl.recalc.parts import Workbook
from chinchilla_xl.recalc.values import LONGEST_TEXT

Input: TypeAlias = float | str | bool | date
Content: TypeAlias = float | str | bool
"""What an input is in its cell."""

_DATE = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?)?")


class Serial(float):
    """A date as the number of its day; as text, and in a cell that holds text, it stays the date."""

    text = ""

    def __str__(self) -> str:
        return self.text


class Placed(NamedTuple):
    """An input in its cell, by the name that it was given with."""

    name: str
    sheet: str
    cell: Cell
    value: Content


def parse_assignments(texts: list[str]) -> dict[str, Input]:
    """NAME=VALUE texts as names and values: a number, TRUE, FALSE, else text."""
    inputs: dict[str, Input] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            raise ArgumentError(f"an input must be given as NAME=VALUE: {text!r}")
        name = name.strip()
        if name.casefold() in map(str.casefold, inputs):
            raise ArgumentError(f"{name} is given twice")
        inputs[name] = parse_value(value.strip())
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


def date_text(value: date) -> str:
    """A date as an ISO text; the hour is as the clock showed it.

    >>> date_text(datetime(2027, 2, 1)), date_text(datetime(2027, 2, 1, 12))
    ('2027-02-01', '2027-02-01T12:00:00')
    """
    clock = value.replace(tzinfo=None) if isinstance(value, datetime) else value
    return clock.isoformat().removesuffix("T00:00:00")


def locate(inputs: Mapping[str, Input], workbook: Workbook) -> list[Placed]:
    """Each input in its cell; ArgumentError for a name that is no single cell."""
    found = []
    names = {name.name.casefold(): name for name in workbook.names if name.sheet is None}
    for key, given in inputs.items():
        if not isinstance(key, str):
            raise ArgumentError(f"an input is named by text, not by {type(key).__name__}")
        value = _usable(key, given, date1904=workbook.date1904)
        reference = key
        if "!" not in key:
            name = names.get(key.casefold())
            if name is None:
                if area := parse_area(key):
                    example = address(next(iter(workbook.sheets), "Sheet1"), area.first)
                    raise ArgumentError(
                        f"{key}: cells are given with their sheet, such as {example}"
                    )
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
        found.append(Placed(key, titles[sheet.casefold()], cell, value))
    return found


def place_of(name: str, workbook: Workbook) -> tuple[str, Cell]:
    """Sheet and cell of a single name or address; ArgumentError as for `locate`."""
    [placed] = locate({name: 0.0}, workbook)
    return placed.sheet, placed.cell


def _usable(key: str, value: object, *, date1904: bool) -> Content:
    """An input as a cell can hold it."""
    text = date_text(value) if isinstance(value, date) else value
    if isinstance(text, str) and (serial := _serial(text, date1904=date1904)) is not None:
        return serial
    if isinstance(value, date):
        first = f"{_first_day(date1904=date1904):%Y-%m-%d}"
        raise ArgumentError(f"the input {key!r} must be a date from {first} on: {text}")
    if isinstance(value, str):
        unpaired = any("\ud800" <= c <= "\udfff" for c in value)
        if unpaired or len(value) > LONGEST_TEXT:
            raise ArgumentError(f"the input {key!r} is no text that a cell can hold")
        return value
    kind = type(value).__name__
    if isinstance(value, bool) or kind in ("bool", "bool_"):
        return bool(value)
    if not isinstance(value, numbers.Real):
        raise ArgumentError(
            f"the input {key!r} must be a number, a date, text or a boolean, not {kind}"
        )
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise ArgumentError(f"the input {key!r} must be finite and below 1.8E308")
    return number


def _serial(text: str, *, date1904: bool) -> Serial | None:
    """The number of the day that an ISO text names; None if it names none that a workbook counts."""
    if not _DATE.fullmatch(text):
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if moment < _first_day(date1904=date1904):
        return None
    start = datetime(1904, 1, 1) if date1904 else datetime(1899, 12, 30)
    serial = Serial((moment - start) / timedelta(days=1))
    serial.text = text
    return serial


def _first_day(*, date1904: bool) -> datetime:
    """The first day that every program counts alike: Excel's 1900 has a day too many."""
    return datetime(1904, 1, 1) if date1904 else datetime(1900, 3, 1)


def _single_cell(key: str, reference: str) -> tuple[str, Cell]:
    sheet, _, place = reference.rpartition("!")
    sheet = bare_sheet(sheet)
    area = parse_area(place)
    if "!" in key and area is None:
        raise ArgumentError(f"{key!r} must be a name or a cell such as Inputs!B7")
    if not sheet or area is None or area.first != area.last:
        raise ArgumentError(f"{key!r} must be a single cell: it is {reference}")
    return sheet, area.first
