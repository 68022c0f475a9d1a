"""Arguments that pass only where every program reads them alike, and results that fit a cell."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

from chinchilla_xl.recalc.engineform import REF, UNSURE, is_number, lifted, possible

_MOST_PERIODS = 100_000.0
"""Of a loan, beyond which a function that adds up its payments is not computed."""


def _certain_number(value: Any) -> Any:
    """A number or an error, and no text or boolean that would be read as one."""
    return value if is_number(value) or isinstance(value, dict) else UNSURE


def _whole(least: float, value: Any) -> Any:
    """A whole number; what a program would make of anything else is open to doubt."""
    if isinstance(value, dict):
        return value
    certain = is_number(value) and value == math.floor(value) and value >= least
    return value if certain else UNSURE


def _extent(value: Any) -> Any:
    """How many rows or columns a range has: none at all is an error, fewer is another direction."""
    return REF if is_number(value) and value == 0 else _whole(1.0, value)


def _span(first: Any, last: Any) -> Any:
    """How many rows or columns there are from the first to the last."""
    for end in (first, last):
        if not is_number(end):
            return end if isinstance(end, dict) else UNSURE
    return last - first + 1 if last >= first else UNSURE


def _periods(value: Any) -> Any:
    """A number of periods, over which the engine may loop."""
    return UNSURE if is_number(value) and abs(value) > _MOST_PERIODS else value


CALLBACKS: dict[str, Callable[..., Any]] = {
    "__POSSIBLE": lifted(possible),
    "__NUMBER": lifted(_certain_number),
    "__POSITION": partial(_whole, 1.0),
    "__SHIFT": partial(_whole, -1e6),
    "__EXTENT": _extent,
    "__SPAN": _span,
    "__UNSURE": lambda: UNSURE,
    "__PERIODS": lifted(_periods),
}
