"""Ranges, lists and arrays as numbers, with the cells that are no numbers set apart.

The one place that decides what counts as a number. Blank cells become #N/A, text and TRUE/FALSE
#VALUE!, error values stay what they are; each only in its own element.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chinchilla_xl.elementwise import NAN, Numbers
from chinchilla_xl.errors import ArgumentError
from chinchilla_xl.functions.cells import NOT_AVAILABLE, CellError
from chinchilla_xl.hints import number_meant

Errors = NDArray[np.object_]


@dataclass(frozen=True, slots=True)
class Operand:
    """Numbers, NaN where a cell held none, and what it held instead (None: all are numbers)."""

    values: Numbers
    errors: Errors | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the values; () for a single number."""
        return np.shape(self.values)


def read(name: str, value: Any) -> Operand:
    """The argument `name` as numbers: a number, a nested list, an array or a pandas object."""
    kind = type(value)
    if kind is float:
        return Operand(value)
    if kind is int:
        return Operand(_as_float(name, value))
    if isinstance(value, np.ndarray | np.generic) and value.dtype.kind in "fiu":
        return Operand(np.asarray(value, dtype=np.float64)[()])
    grid = as_grid(name, value)
    kinds = set(map(type, grid.ravel().tolist()))
    if kinds <= {float, int}:
        return Operand(_as_floats(name, grid))
    return _read_mixed(name, grid)


def as_grid(name: str, value: Any) -> Errors:
    """The argument as an object array of cells; a ragged list is refused."""
    if not isinstance(value, list | tuple):
        return np.asarray(value, dtype=object)
    rows = [row if isinstance(row, list | tuple) else None for row in value]
    if not rows:
        raise ArgumentError(f"{name} must hold at least one number: it is empty")
    if all(row is None for row in rows):
        return _filled((len(value),), value)
    lengths = {-1 if row is None else len(row) for row in rows}
    if len(lengths) > 1 or lengths == {0}:
        raise ArgumentError(f"{name} must be rectangular: its rows differ in length")
    return _filled((len(value), lengths.pop()), [cell for row in value for cell in row])


def _filled(shape: tuple[int, ...], cells: Any) -> Errors:
    grid = np.empty(len(cells), dtype=object)
    grid[:] = cells
    return grid.reshape(shape)


def _read_mixed(name: str, grid: Errors) -> Operand:
    values = np.full(grid.size, NAN)
    errors = np.full(grid.size, None, dtype=object)
    for i, cell in enumerate(grid.ravel()):
        number = as_number(cell)
        if number is None:
            errors[i] = as_error(name, cell)
        else:
            values[i] = number
    found = errors.reshape(grid.shape) if any(e is not None for e in errors) else None
    return Operand(values.reshape(grid.shape)[()], found)


def as_number(cell: Any) -> float | None:
    """The cell's number, or None: text, TRUE/FALSE, dates, blanks and errors are no numbers."""
    if isinstance(cell, bool | np.bool_) or not isinstance(cell, int | float | np.number):
        return None
    if isinstance(cell, np.complexfloating):
        return None
    try:
        return float(cell)
    except OverflowError:
        return None


def as_error(name: str, cell: Any) -> CellError:
    """What stands in the result for a cell that is no number."""
    if isinstance(cell, CellError):
        return cell
    if cell is None:
        return CellError(NOT_AVAILABLE.code, f"{name} is blank")
    if isinstance(cell, bool | np.bool_):
        return CellError("#VALUE!", f"{name} must be a number: {str(cell).upper()}")
    if isinstance(cell, str):
        text = " (text; clear the cell's text format)"
        hint = text if _looks_numeric(cell) else number_meant(cell)
        return CellError("#VALUE!", f'{name} must be a number: "{shorten(cell)}"{hint}')
    return CellError("#VALUE!", f"{name} must be a number: {shorten(repr(cell))}")


def shorten(text: str, limit: int = 40) -> str:
    """`text` cut to `limit` characters, so that a message stays one line."""
    return text if len(text) <= limit else text[: limit - 3] + "..."


def _looks_numeric(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _as_float(name: str, value: int) -> float:
    try:
        return float(value)
    except OverflowError:
        raise ArgumentError(f"{name} must be below 1.8E308") from None


def _as_floats(name: str, grid: Errors) -> Any:
    try:
        return grid.astype(np.float64)[()]
    except OverflowError:
        raise ArgumentError(f"{name} must be below 1.8E308") from None
