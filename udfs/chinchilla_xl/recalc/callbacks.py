"""What Excel does and the engine does not, as functions that lowered formulas call.

Arguments and results are in the engine's form: float, str, bool, None for a blank, a dictionary for
an error, and lists of rows for ranges. Whatever cannot be told for certain gives UNSURE, upon which
the cell keeps its cached value.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import date
from functools import partial
from typing import Any

UNSURE = {"type": "Error", "kind": "NImpl"}
_VALUE = {"type": "Error", "kind": "Value"}
_NUM = {"type": "Error", "kind": "Num"}
_NA = {"type": "Error", "kind": "Na"}
_DIV = {"type": "Error", "kind": "Div"}

LONGEST_TEXT = 32767
MOST_CELLS = 1 << 16
"""Of an array that a formula makes up, beyond which it is not computed."""
MOST_PERIODS = 100_000.0
"""Of a loan, beyond which a function that adds up its payments is not computed."""
SMALLEST = 2.2250738585072014e-308
_NUMBER = re.compile(r"\s*[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?\s*")
_ORDERED_TEXT = re.compile("[0-9A-Za-z]*")


def _elementwise(function: Callable[..., Any], *args: Any) -> Any:
    """The function of single values applied to arrays: one row or column repeats."""
    if not any(isinstance(arg, list) for arg in args):
        return function(*args)
    grids = [arg if isinstance(arg, list) else [[arg]] for arg in args]
    height, width = max(map(len, grids)), max(len(g[0]) for g in grids)

    def at(grid: list[list[Any]], i: int, j: int) -> Any:
        i = 0 if len(grid) == 1 else i
        j = 0 if len(grid[0]) == 1 else j
        return grid[i][j] if i < len(grid) and j < len(grid[0]) else _NA

    return [
        [function(*(at(grid, i, j) for grid in grids)) for j in range(width)] for i in range(height)
    ]


def _lifted(function: Callable[..., Any]) -> Callable[..., Any]:
    return partial(_elementwise, function)


def possible(value: Any) -> Any:
    """A value as a cell can hold it: no infinity, nothing denormal, no endless text."""
    if isinstance(value, float):
        if value - value != 0:
            return _NUM
        return 0.0 if 0 < abs(value) < SMALLEST else value
    if isinstance(value, str) and len(value) > LONGEST_TEXT:
        return _VALUE
    return value


def _number(value: Any) -> Any:
    """An operand of arithmetic as a number, or the error that it gives."""
    if isinstance(value, str):
        return float(value) if _NUMBER.fullmatch(value) else _VALUE
    return value if isinstance(value, dict) else float(value or 0.0)


def _added(sign: float, between: bool, a: Any, b: Any) -> Any:
    """The sum or difference of two, where what is left over by rounding is nothing (or, `between` comparisons, UNSURE)."""
    if type(a) is not float or type(b) is not float:
        if isinstance(a, list) or isinstance(b, list):
            return _elementwise(partial(_added, sign, between), a, b)
        a, b = _number(a), _number(b)
        for operand in (a, b):
            if isinstance(operand, dict):
                return operand
    result = a + sign * b
    # Where LibreOffice and other engines agree: nothing up to 2^-50, exact from 2^-48 on.
    if result and abs(result) * 2.0**48 < (large := max(abs(a), abs(b))):
        return UNSURE if between or abs(result) * 2.0**50 > large else 0.0
    return possible(result)


def _rounded(x: float) -> float:
    return float(f"{x:.14e}")


def _rank(value: Any) -> int:
    return 2 if isinstance(value, bool) else 1 if isinstance(value, str) else 0


def _compare(operator: str, a: Any, b: Any) -> Any:
    """Numbers by 15 digits, text without case; numbers come before text, text before booleans."""
    if type(a) is not float or type(b) is not float:
        for operand in (a, b):
            if isinstance(operand, dict):
                return operand
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
        a, b = _rounded(a), _rounded(b)
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
        return _elementwise(partial(_compare, operator), a, b)
    return _compare(operator, a, b)


def _text(last: int, value: Any) -> Any:
    """A value as text; UNSURE if it has characters beyond `last` or a spelling open to doubt."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        return _spelled(value)
    if isinstance(value, str) and value:
        if len(value) > LONGEST_TEXT:
            return _VALUE  # what gave it is an error; here it would grow without end
        return UNSURE if ord(max(value)) > last else value
    return value


def _spelled(number: float) -> Any:
    if number.is_integer() and abs(number) < 1e15:
        return str(int(number))
    text = f"{number:.15g}".upper()
    size = abs(number)
    if size >= 1e20:
        return text
    if size >= 1e15:
        return UNSURE
    if "E" in text:
        text = f"{number:.{14 - math.floor(math.log10(size))}f}".rstrip("0")
    return text if len(text.lstrip("-")) <= 18 else UNSURE


def _needle(value: Any) -> Any:
    """A text to look for: the engine finds an empty one in the wrong place."""
    return UNSURE if value in (None, "") else _text(126, value)


_CRITERION = re.compile(r"(?:<>|<=|>=|=|<|>)?-?\d+(?:\.\d+)?|(?:=|<>)?(?![<>=])[ -\"$&-~]+")


def criterion(value: Any) -> Any:
    """The criterion of a COUNTIF or its kin, where the engine's reading of it is Excel's."""
    if isinstance(value, str):
        return value if value in ("", "=", "<>") or _CRITERION.fullmatch(value) else UNSURE
    return UNSURE if value is None or isinstance(value, dict) else value


def _certain_number(value: Any) -> Any:
    """A number or an error, and no text or boolean that would be read as one."""
    return value if isinstance(value, float | dict) else UNSURE


def _key(value: Any) -> Any:
    """What a lookup looks for: the engine takes a blank for 0 and folds no accents."""
    if isinstance(value, float):
        return value if value == _rounded(value) else UNSURE  # equal or almost?
    return UNSURE if value is None or (isinstance(value, str) and not value.isascii()) else value


def _sumproduct(*args: Any) -> Any:
    """Text and booleans count as 0."""
    grids = [arg if isinstance(arg, list) else [[arg]] for arg in args]
    shape = len(grids[0]), len(grids[0][0])
    if any((len(g), len(g[0])) != shape for g in grids):
        return _VALUE
    total = 0.0
    columns = [[cell for row in grid for cell in row] for grid in grids]
    for cells in zip(*columns, strict=True):
        product = 1.0
        for cell in cells:
            if isinstance(cell, dict):
                return cell
            product *= cell if type(cell) is float else 0.0
        total += product
    return possible(total)


def _modulo(a: Any, b: Any) -> Any:
    a, b = _number(a), _number(b)
    for operand in (a, b):
        if isinstance(operand, dict):
            return operand
    if b == 0:
        return _DIV
    if abs(a / b) >= 2.0**40:
        return UNSURE
    if a.is_integer() and b.is_integer():
        return a % b
    quotient = a / b
    if abs(quotient - round(quotient)) <= 1e-12 * max(abs(quotient), 1.0):
        return UNSURE  # a hair decides between 0 and the divisor
    return a - b * math.floor(quotient)


def _substitute(text: Any, old: Any, new: Any, *instance: Any) -> Any:
    """SUBSTITUTE; the engine would build a text without end."""
    for operand in (text, old, new, *instance):
        if isinstance(operand, dict):
            return operand
    texts = all(isinstance(operand, str) for operand in (text, old, new))
    if not texts or not all(type(n) is float for n in instance):
        return UNSURE
    if instance and instance[0] < 1:
        return _VALUE
    parts = text.split(old) if old else [text]
    if instance:
        nth = math.trunc(instance[0])
        if nth < len(parts):
            parts = [old.join(parts[:nth]), old.join(parts[nth:])]
        else:
            new = old
    size = sum(map(len, parts)) + len(new) * (len(parts) - 1)
    return new.join(parts) if size <= LONGEST_TEXT else _VALUE


def _stacked(vertical: bool, *args: Any) -> Any:
    """VSTACK or HSTACK; UNSURE if it has more cells than memory should hold."""
    grids = [arg if isinstance(arg, list) else [[arg]] for arg in args]
    if not vertical:
        grids = [[list(row) for row in zip(*grid, strict=True)] for grid in grids]
    width = max((len(grid[0]) for grid in grids), default=0)
    if not width or width * sum(map(len, grids)) > MOST_CELLS:
        return UNSURE
    rows = [[*row, *[_NA] * (width - len(row))] for grid in grids for row in grid]
    return rows if vertical else [list(row) for row in zip(*rows, strict=True)]


def _sequence(rows: Any, columns: Any = 1.0, start: Any = 1.0, step: Any = 1.0) -> Any:
    """SEQUENCE; UNSURE if it has more cells than memory should hold, or none."""
    sizes = (rows, columns, start, step)
    if not all(type(x) is float for x in sizes):
        return next((x for x in sizes if isinstance(x, dict)), UNSURE)
    height, width = math.trunc(rows), math.trunc(columns)
    if height < 1 or width < 1 or height * width > MOST_CELLS:
        return UNSURE
    return [[possible(start + step * (i * width + j)) for j in range(width)] for i in range(height)]


def _periods(value: Any) -> Any:
    """A number of periods, over which the engine may loop."""
    return UNSURE if isinstance(value, float) and abs(value) > MOST_PERIODS else value


def _exponent(base: Any, exponent: Any) -> Any:
    """0^0 is an error in Excel and 1 in the engine."""
    zero = not isinstance(base, list | dict | str) and not base
    return UNSURE if isinstance(exponent, list) or (zero and exponent in (0.0, None)) else exponent


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


def _limits(value: Any) -> bool:
    """Whether a value is an error that may be the engine's own limit."""
    cells = [cell for row in value for cell in row] if isinstance(value, list) else [value]
    return any(isinstance(c, dict) and c.get("kind") in _LIMITS for c in cells)


_LIMITS = ("Value", "Name", "NImpl", "Error", "Circ", "Cancelled")


def _iferror(value: Any, otherwise: Any) -> Any:
    if _limits(value):
        return UNSURE
    value = _elementwise(possible, value)
    return _elementwise(lambda v, o: o if isinstance(v, dict) else v, value, otherwise)


def _is(kind: str, value: Any) -> Any:
    return UNSURE if _limits(value) else _elementwise(_KINDS[kind], _elementwise(possible, value))


_KINDS: dict[str, Callable[[Any], bool]] = {
    "ISERROR": lambda v: isinstance(v, dict),
    "ISERR": lambda v: isinstance(v, dict) and v.get("kind") != "Na",
    "ISNA": lambda v: isinstance(v, dict) and v.get("kind") == "Na",
    "ISNUMBER": lambda v: isinstance(v, float),
    "ISTEXT": lambda v: isinstance(v, str),
    "ISNONTEXT": lambda v: not isinstance(v, str),
    "ISLOGICAL": lambda v: isinstance(v, bool),
}
ABSORBING = frozenset(_KINDS)


def callbacks(*, date1904: bool) -> dict[str, Callable[..., Any]]:
    """Name -> function, for lowered formulas of one workbook."""
    first, shift = (date(1904, 1, 1), 1462.0) if date1904 else (date(1900, 3, 1), 0.0)
    return {
        "__COMPARE": _compared,
        "__PLUS": partial(_added, 1.0, False),
        "__MINUS": partial(_added, -1.0, False),
        "__PLUS_APART": partial(_added, 1.0, True),
        "__MINUS_APART": partial(_added, -1.0, True),
        "__POSSIBLE": _lifted(possible),
        "__TEXT": _lifted(partial(_text, 0x10FFFF)),
        "__TEXT_BMP": _lifted(partial(_text, 0xFFFF)),
        "__TEXT_ASCII": _lifted(partial(_text, 126)),
        "__NEEDLE": _lifted(_needle),
        "__CRITERION": _lifted(criterion),
        "__NUMBER": _lifted(_certain_number),
        "__KEY": _lifted(_key),
        "__PERIODS": _lifted(_periods),
        "__SEQUENCE": _sequence,
        "__SUBSTITUTE": _substitute,
        "__VSTACK": partial(_stacked, True),
        "__HSTACK": partial(_stacked, False),
        "__SUMPRODUCT": _sumproduct,
        "__MOD": _lifted(_modulo),
        "__EXPONENT": _exponent,
        "__DATE": partial(_date, first, shift),
        "__IFERROR": _iferror,
        "__IS": _is,
    }
