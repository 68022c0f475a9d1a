"""Dates in the years in which no program's calendar differs: from March 1900, or 1904, on."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import date
from functools import partial
from typing import Any

from chinchilla_xl.recalc.engineform import UNSURE, is_number, lifted


def _serial(value: Any) -> Any:
    """A date's number where all programs have the same calendar: from March 1900 on."""
    if isinstance(value, dict):
        return value
    return value if is_number(value) and 61 <= value < 2958466 else UNSURE


def _date(first: date, shift: float, *args: Any) -> Any:
    """DATE within the years in which no program's calendar differs."""
    if any(isinstance(arg, list) for arg in args) or len(args) != 3:
        return UNSURE
    for arg in args:
        if isinstance(arg, dict):
            return arg
        if isinstance(arg, str) or (isinstance(arg, float) and abs(arg) > 1e6):
            return UNSURE
    year, month, day = (math.floor(arg or 0.0) for arg in args)
    years, month = divmod(month - 1, 12)
    if not (year >= 1900 and 1900 <= year + years <= 9999):
        return UNSURE
    start = date(year + years, month + 1, 1)
    number = start.toordinal() + day - 1
    if start < first or not first.toordinal() <= number <= date.max.toordinal():
        return UNSURE
    return float(number - date(1899, 12, 30).toordinal()) - shift


def callbacks(*, date1904: bool) -> dict[str, Callable[..., Any]]:
    """The callbacks of a workbook that counts its days from 1900 or from 1904."""
    first, shift = (date(1904, 1, 1), 1462.0) if date1904 else (date(1900, 3, 1), 0.0)
    return {"__SERIAL": lifted(_serial), "__DATE": partial(_date, first, shift)}
