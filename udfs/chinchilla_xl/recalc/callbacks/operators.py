"""Sums, differences, powers and comparisons as a spreadsheet computes them: by 15 digits."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Any

from chinchilla_xl.recalc.engineform import (
    UNSURE,
    elementwise,
    first_error,
    possible,
    rounded,
    to_number,
)

_ORDERED_TEXT = re.compile("[0-9A-Za-z]*")


def _added(sign: float, between: bool, a: Any, b: Any) -> Any:
    """The sum or difference of two; what is left over by rounding is nothing or, `between`
    comparisons, UNSURE.
    """
    if type(a) is not float or type(b) is not float:
        if isinstance(a, list) or isinstance(b, list):
            return elementwise(partial(_added, sign, between), a, b)
        a, b = to_number(a), to_number(b)
        if (error := first_error((a, b))) is not None:
            return error
    result = a + sign * b
    # Where LibreOffice and other engines agree: nothing up to 2^-50, exact from 2^-48 on.
    if result and abs(result) * 2.0**48 < (large := max(abs(a), abs(b))):
        return UNSURE if between or abs(result) * 2.0**50 > large else 0.0
    return possible(result)


def _rank(value: Any) -> int:
    return 2 if isinstance(value, bool) else 1 if isinstance(value, str) else 0


def _compare(operator: str, a: Any, b: Any) -> Any:
    """Numbers by 15 digits, text without case; numbers come before text, text before booleans."""
    if type(a) is not float or type(b) is not float:
        if (error := first_error((a, b))) is not None:
            return error
        a, b = (float(side) if type(side) is int else side for side in (a, b))
        if a is None:
            a = b if b is None else type(b)()
        elif b is None:
            b = type(a)()
        ranks = _rank(a), _rank(b)
        if ranks[0] != ranks[1]:
            a, b = ranks
        elif isinstance(a, str):
            a, b = a.casefold(), b.casefold()
            equality = operator in ("=", "<>")
            plain = a.isascii() and b.isascii() if equality else _ORDERED_TEXT.fullmatch(a + b)
            if not plain and a != b:
                return UNSURE
    if isinstance(a, float) and a != b and abs(a - b) <= 1e-14 * abs(a):
        a, b = rounded(a), rounded(b)
    return _OPERATORS[operator](a, b)


_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda a, b: a == b,
    "<>": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    ">": lambda a, b: a > b,
    "<=": lambda a, b: a <= b,
    ">=": lambda a, b: a >= b,
}


def _compared(operator: str, a: Any, b: Any) -> Any:
    if isinstance(a, list) or isinstance(b, list):
        return elementwise(partial(_compare, operator), a, b)
    return _compare(operator, a, b)


def _exponent(base: Any, exponent: Any) -> Any:
    """0^0 is an error in Excel and 1 in the engine."""
    zero = not isinstance(base, list | dict | str) and not base
    return UNSURE if isinstance(exponent, list) or (zero and exponent in (0.0, None)) else exponent


CALLBACKS: dict[str, Callable[..., Any]] = {
    "__COMPARE": _compared,
    "__PLUS": partial(_added, 1.0, False),
    "__MINUS": partial(_added, -1.0, False),
    "__PLUS_APART": partial(_added, 1.0, True),
    "__MINUS_APART": partial(_added, -1.0, True),
    "__EXPONENT": _exponent,
}
