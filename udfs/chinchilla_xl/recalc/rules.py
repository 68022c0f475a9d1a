"""The rules that a workbook has for its cells, its data validations, and values that break them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from chinchilla_xl.errors import ArgumentError
from chinchilla_xl.hints import date_meant, nearest, number_meant, scaled_meant, share_meant
from chinchilla_xl.recalc.addresses import Cell, parse_area
from chinchilla_xl.recalc.archive import Archive
from chinchilla_xl.recalc.elements import unquoted
from chinchilla_xl.recalc.inputs import Content, Input, Placed, Serial, locate
from chinchilla_xl.recalc.parts import Workbook, read_workbook

_RULE = re.compile(
    r"<(?P<tag>(?:\w+:)?dataValidation)\b(?P<attributes>[^<>]*?)(?:/>|>(?P<bounds>.*?)</(?P=tag)\s*>)",
    re.DOTALL,
)
_ATTRIBUTE = re.compile(r"""([\w:]+)\s*=\s*(?:"([^"]*)"|'([^']*)')""")
_BOUND = re.compile(r"<(?:\w+:)?formula([12])\s*>([^<>]*)</")

_LARGE = 1e6
"""The least bound of cells whose figures people write in millions or billions."""

_MOMENTS = ("date", "time")
"""Rules whose bounds are the numbers of days and of parts of a day."""

_TESTS: dict[str, Callable[[float, Any, Any], bool]] = {
    "between": lambda x, a, b: a <= x <= b,
    "notBetween": lambda x, a, b: not a <= x <= b,
    "equal": lambda x, a, _: x == a,
    "notEqual": lambda x, a, _: x != a,
    "greaterThan": lambda x, a, _: x > a,
    "greaterThanOrEqual": lambda x, a, _: x >= a,
    "lessThan": lambda x, a, _: x < a,
    "lessThanOrEqual": lambda x, a, _: x <= a,
}


class DataValidation(NamedTuple):
    """A data validation: the areas it holds for, what it asks, and what it says of other values."""

    areas: str
    type: str
    operator: str
    error: str
    bounds: tuple[str | None, str | None]

    def holds_for(self, cell: Cell) -> bool:
        """Whether the cell is one of its own."""
        areas = map(parse_area, self.areas.split())
        return any(area is not None and cell in area for area in areas)

    def broken_by(self, value: Content) -> str | None:
        """How a value breaks it; a rule with a formula of cells is not judged."""
        rule = self.error.rstrip(".") or "it breaks the rule of its cell"
        shown = _shown(value)
        words = f"is refused by the workbook: {rule}: {shown}"
        if self.type == "list":
            listed = self.bounds[0] or ""
            choices = listed.strip('"').split(",")
            if not listed.startswith('"') or str(value) in choices:
                return None
            return words + nearest(str(value), choices)
        if self.type not in ("decimal", "whole", *_MOMENTS):
            return None
        if isinstance(value, bool | str):
            return words + (date_meant(value) if self.type == "date" else meant(value))
        if self.type == "whole" and value != int(value):
            return words
        bounds = [_number(bound) for bound in self.bounds]
        needed = bounds if "etween" in self.operator else bounds[:1]
        if None in needed or _TESTS[self.operator](value, *bounds):
            return None
        low, high = bounds
        if self.type in _MOMENTS:
            number = self.type == "date" and not isinstance(value, Serial)
            return words + (date_meant(value) if number else "")
        if high == 1:
            return words + share_meant(value)
        if low is None or high is None or low < _LARGE:
            return words
        return words + scaled_meant(value, low, high)


def data_validations(xml: str) -> list[DataValidation]:
    """The data validations of a sheet."""
    found = []
    for rule in _RULE.finditer(xml, max(xml.rfind("sheetData"), 0)):
        words = {k: a or b for k, a, b in _ATTRIBUTE.findall(rule["attributes"])}
        bounds = {k: unquoted(text) for k, text in _BOUND.findall(rule["bounds"] or "")}
        operator = words.get("operator", "between")
        found.append(
            DataValidation(
                words.get("sqref", ""),
                words.get("type", "none"),
                operator if operator in _TESTS else "between",
                unquoted(words.get("error", "")),
                (bounds.get("1"), bounds.get("2")),
            )
        )
    return found


class Rules:
    """The data validations of a workbook; those of a sheet are read when they are first needed."""

    def __init__(self, archive: Archive, outline: Workbook) -> None:
        self._archive = archive
        self._outline = outline
        self._sheets: dict[str, list[DataValidation]] = {}

    def broken_by(self, given: Placed) -> str | None:
        """How an input breaks the rule of its cell."""
        name, title, cell, value = given
        if title not in self._sheets:
            part = self._outline.sheets[title]
            self._sheets[title] = data_validations(self._archive.text(part))
        own = next((rule for rule in self._sheets[title] if rule.holds_for(cell)), None)
        problem = own.broken_by(value) if own else None
        return f"{name} {problem}" if problem else None

    def refusal(self, inputs: Mapping[str, Input]) -> ArgumentError | None:
        """What is to be said of inputs, if one of them has no cell or breaks its rule."""
        try:
            problems = [self.broken_by(given) for given in locate(inputs, self._outline)]
        except ArgumentError as e:
            return e
        words = "; ".join(filter(None, problems))
        return ArgumentError(words) if words else None


def rules_of(data: bytes) -> Rules:
    """The rules of the workbook in `data`."""
    archive = Archive(data)
    return Rules(archive, read_workbook(archive))


def meant(value: Content) -> str:
    """The number that a text may have meant, as a hint."""
    return number_meant(value) if isinstance(value, str) else ""


def _shown(value: Content) -> str:
    if isinstance(value, Serial):
        return str(value)
    return repr(value) if isinstance(value, bool | str) else f"{value:.15g}"


def _number(text: str | None) -> float | None:
    try:
        return float(text) if text is not None else None
    except ValueError:
        return None
