"""Arrays that formulas make up, no larger than memory should hold."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

from chinchilla_xl.recalc.addresses import MAX_COLUMN
from chinchilla_xl.recalc.engineform import MOST_MADE, NA, UNSURE, first_error, is_number, possible


def _stacked(vertical: bool, *args: Any) -> Any:
    """VSTACK or HSTACK; UNSURE if it has more cells than memory should hold."""
    grids = [arg if isinstance(arg, list) else [[arg]] for arg in args]
    if not vertical:
        grids = [[list(row) for row in zip(*grid, strict=True)] for grid in grids]
    width = max((len(grid[0]) for grid in grids), default=0)
    if not width or width * sum(map(len, grids)) > MOST_MADE:
        return UNSURE
    rows = [[*row, *[NA] * (width - len(row))] for grid in grids for row in grid]
    return rows if vertical else [list(row) for row in zip(*rows, strict=True)]


def _sequence(rows: Any, columns: Any = 1.0, start: Any = 1.0, step: Any = 1.0) -> Any:
    """SEQUENCE; UNSURE if it has more cells than memory should hold, or none."""
    numbers = (rows, columns, start, step)
    if not all(map(is_number, numbers)):
        return first_error(numbers) or UNSURE
    height, width = math.trunc(rows), math.trunc(columns)
    if height < 1 or not 1 <= width <= MAX_COLUMN or height * width > MOST_MADE:
        return UNSURE
    return [[possible(start + step * (i * width + j)) for j in range(width)] for i in range(height)]


CALLBACKS: dict[str, Callable[..., Any]] = {
    "__SEQUENCE": _sequence,
    "__VSTACK": partial(_stacked, True),
    "__HSTACK": partial(_stacked, False),
}
