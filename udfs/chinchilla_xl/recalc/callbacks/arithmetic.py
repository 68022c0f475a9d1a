"""Remainders, multiples and products, UNSURE where rounding decides."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from operator import mul
from typing import Any

from chinchilla_xl.recalc.engineform import (
    DIV,
    MOST_CELLS,
    NUM,
    UNSURE,
    VALUE,
    is_number,
    lifted,
    of_numbers,
    possible,
)


def _sumproduct(*args: Any) -> Any:
    """Text and booleans count as 0."""
    grids = [arg if isinstance(arg, list) else [[arg]] for arg in args]
    shape = len(grids[0]), len(grids[0][0])
    if any((len(g), len(g[0])) != shape for g in grids):
        return VALUE
    total = 0.0
    columns = [[cell for row in grid for cell in row] for grid in grids]
    for cells in zip(*columns, strict=True):
        product = 1.0
        for cell in cells:
            if isinstance(cell, dict):
                return cell
            product *= cell if is_number(cell) else 0.0
        total += product
    return possible(total)


def _modulo(a: float, b: float) -> Any:
    if b == 0:
        return DIV
    if abs(a / b) >= 2.0**40:
        return UNSURE
    if a.is_integer() and b.is_integer():
        return a % b
    quotient = a / b
    if abs(quotient - round(quotient)) <= 1e-12 * max(abs(quotient), 1.0):
        return UNSURE  # a hair decides between 0 and the divisor
    return a - b * math.floor(quotient)


def _multiple(towards: Callable[[float], int], number: float, significance: float) -> Any:
    """CEILING and FLOOR: the sign of the significance decides what is up for negative numbers."""
    if significance == 0:
        return 0.0 if number == 0 or towards is math.ceil else DIV
    return NUM if significance < 0 < number else _next(towards, number, significance)


def _multiple_of_size(
    towards: Callable[[float], int], number: float, significance: float = 1.0, mode: float = 0.0
) -> Any:
    """CEILING.MATH and FLOOR.MATH: up and down, or with a mode away from zero and towards it."""
    if significance == 0:
        return 0.0
    return _next(towards, number, -abs(significance) if mode and number < 0 else abs(significance))


def _next(towards: Callable[[float], int], number: float, significance: float) -> Any:
    """The multiple of the significance whose factor is the next whole number."""
    quotient = number / significance
    nearest = round(quotient) if abs(quotient) < 2.0**40 else 0
    if quotient != nearest and abs(quotient - nearest) <= 1e-12 * max(abs(quotient), 1.0):
        return UNSURE  # a hair decides between two multiples
    return possible(towards(quotient) * significance) if abs(quotient) < 2.0**40 else UNSURE


def _product(a: Any, b: Any) -> Any:
    """The product of two matrices of numbers."""
    a, b = (m if isinstance(m, list) else [[m]] for m in (a, b))
    if not all(is_number(cell) for m in (a, b) for row in m for cell in row):
        return UNSURE
    if len(a[0]) != len(b):
        return VALUE
    if len(a) * len(b[0]) > MOST_CELLS:
        return UNSURE
    columns = list(zip(*b, strict=True))
    return [[possible(sum(map(mul, row, column))) for column in columns] for row in a]


CALLBACKS: dict[str, Callable[..., Any]] = {
    "__SUMPRODUCT": _sumproduct,
    "__MMULT": _product,
    "__MOD": lifted(of_numbers(_modulo)),
    "__CEILING": lifted(of_numbers(partial(_multiple, math.ceil))),
    "__FLOOR": lifted(of_numbers(partial(_multiple, math.floor))),
    "__CEILING_MATH": lifted(of_numbers(partial(_multiple_of_size, math.ceil))),
    "__FLOOR_MATH": lifted(of_numbers(partial(_multiple_of_size, math.floor))),
}
