"""Values in the engine's form, and what every callback does with them.

That form is float (int from some functions, such as ROW), str, bool, None for a blank, a dictionary
for an error, and lists of rows.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from chinchilla_xl.recalc.values import LONGEST_TEXT

UNSURE = {"type": "Error", "kind": "NImpl"}
"""What cannot be told for certain: the cell keeps its cached value."""
VALUE = {"type": "Error", "kind": "Value"}
NUM = {"type": "Error", "kind": "Num"}
NA = {"type": "Error", "kind": "Na"}
REF = {"type": "Error", "kind": "Ref"}
DIV = {"type": "Error", "kind": "Div"}

MOST_CELLS = 1 << 20
"""Of an array that a formula computes with, beyond which memory would not hold it."""
MOST_MADE = 1 << 16
"""Of an array that a formula makes up."""
SMALLEST = 2.2250738585072014e-308
_NUMBER = re.compile(r"\s*[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?\s*")


def extents(args: Iterable[Any]) -> tuple[int, int]:
    """The height and width of arguments that repeat to go together."""
    grids = [arg for arg in args if isinstance(arg, list)]
    return max(map(len, grids), default=1), max((len(grid[0]) for grid in grids), default=1)


def elementwise(function: Callable[..., Any], *args: Any) -> Any:
    """The function of single values applied to arrays: one row or column repeats.

    UNSURE if they go together to more cells than memory should hold.
    """
    if not any(isinstance(arg, list) for arg in args):
        return function(*args)
    grids = [arg if isinstance(arg, list) else [[arg]] for arg in args]
    height, width = extents(args)
    if height * width > MOST_CELLS:
        return UNSURE
    spread = [_spread(grid, height, width) for grid in grids]
    return [list(map(function, *rows)) for rows in zip(*spread, strict=True)]


def _spread(grid: list[list[Any]], height: int, width: int) -> list[list[Any]]:
    """A grid as large as that: one row or column repeats, beyond others is #N/A."""
    rows = grid * height if len(grid) == 1 else grid + [[NA] * width] * (height - len(grid))
    if len(rows[0]) == width:
        return rows
    return [row * width if len(row) == 1 else row + [NA] * (width - len(row)) for row in rows]


def lifted(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of single values as one of arrays too."""
    return partial(elementwise, function)


def possible(value: Any) -> Any:
    """A value as a cell can hold it: no infinity, nothing denormal, no endless text."""
    if isinstance(value, float):
        if value - value != 0:
            return NUM
        return 0.0 if 0 < abs(value) < SMALLEST else value
    if isinstance(value, str) and len(value) > LONGEST_TEXT:
        return VALUE
    return value


def is_number(value: Any) -> bool:
    """Whether a value is a number; a boolean is none."""
    return type(value) is float or type(value) is int


def to_number(value: Any) -> Any:
    """An operand of arithmetic as a number, or the error that it gives."""
    if isinstance(value, str):
        return float(value) if _NUMBER.fullmatch(value) else VALUE
    return value if isinstance(value, dict) else float(value or 0.0)


def first_error(values: Iterable[Any]) -> dict[str, Any] | None:
    """The first error among values; None if there is none."""
    return next((value for value in values if isinstance(value, dict)), None)


def of_numbers(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of numbers as one of any operands of arithmetic: of errors it gives the first."""

    def call(*args: Any) -> Any:
        numbers = [to_number(arg) for arg in args]
        error = first_error(numbers)
        return function(*numbers) if error is None else error

    return call


def rounded(x: float) -> float:
    """A number to the 15 digits that a spreadsheet shows."""
    return float(f"{x:.14e}")
