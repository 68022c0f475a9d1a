"""What Excel does and the engine does not, as functions that lowered formulas call.

Arguments and results are in the engine's form (see `engineform`). Whatever cannot be told for
certain gives UNSURE, upon which the cell keeps its cached value.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import date
from functools import partial
from itertools import pairwise
from operator import mul
from typing import Any, TypeAlias
from unicodedata import combining, normalize

from chinchilla_xl.recalc.addresses import MAX_COLUMN
from chinchilla_xl.recalc.engineform import (
    DIV,
    LONGEST_TEXT,
    MOST_CELLS,
    MOST_MADE,
    NA,
    NUM,
    REF,
    UNSURE,
    VALUE,
    elementwise,
    is_number,
    lifted,
    possible,
    rounded,
    to_number,
)

MOST_PERIODS = 100_000.0
"""Of a loan, beyond which a function that adds up its payments is not computed."""
_ORDERED_TEXT = re.compile("[0-9A-Za-z]*")


def _added(sign: float, between: bool, a: Any, b: Any) -> Any:
    """The sum or difference of two, where what is left over by rounding is nothing (or, `between` comparisons, UNSURE)."""
    if type(a) is not float or type(b) is not float:
        if isinstance(a, list) or isinstance(b, list):
            return elementwise(partial(_added, sign, between), a, b)
        a, b = to_number(a), to_number(b)
        for operand in (a, b):
            if isinstance(operand, dict):
                return operand
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
        for operand in (a, b):
            if isinstance(operand, dict):
                return operand
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


def _text(last: int, value: Any) -> Any:
    """A value as text; UNSURE if it has characters beyond `last` or a spelling open to doubt."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if is_number(value):
        return _spelled(float(value))
    if isinstance(value, str) and value:
        if len(value) > LONGEST_TEXT:
            return VALUE  # what gave it is an error; here it would grow without end
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
    return value if is_number(value) or isinstance(value, dict) else UNSURE


def _serial(value: Any) -> Any:
    """A date's number where all programs have the same calendar: from March 1900 on."""
    if isinstance(value, dict):
        return value
    return value if is_number(value) and 61 <= value < 2958466 else UNSURE


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


def _is_doubtful(value: Any) -> bool:
    """Whether an exact lookup may take this for something else, or for almost the same."""
    if isinstance(value, float):
        return value != rounded(value)
    return value is None or (isinstance(value, str) and not value.isascii())


def _key(value: Any, values: Any = None) -> Any:
    """What a lookup looks for: UNSURE if that is doubtful, and among the values is its like.

    The engine takes a blank for 0 and folds no accents; a number may be equal or almost equal.
    """
    if isinstance(value, list):
        return elementwise(lambda one: _key(one, values), value)
    if not _is_doubtful(value):
        return value
    if values is None:
        return UNSURE
    cells = [cell for row in values for cell in row] if isinstance(values, list) else [values]
    while cells and cells[-1] is None:
        cells.pop()
    if value is None:
        return UNSURE if any(cell in (None, 0.0, "") for cell in cells) else 0.0
    if isinstance(value, str):
        like = any(
            isinstance(cell, str) and cell != value and _folded(cell) == _folded(value)
            for cell in cells
        )
        return UNSURE if like or "*" in value or "?" in value or "~" in value else value
    near = 1e-14 * abs(value)
    like = any(is_number(cell) and cell != value and abs(cell - value) <= near for cell in cells)
    return UNSURE if like else value


def _folded(text: str) -> str:
    """A text without case and accents."""
    return "".join(c for c in normalize("NFKD", text.casefold()) if not combining(c))


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


def _modulo(a: Any, b: Any) -> Any:
    a, b = to_number(a), to_number(b)
    for operand in (a, b):
        if isinstance(operand, dict):
            return operand
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


def _multiple(towards: Callable[[float], int], number: Any, significance: Any) -> Any:
    """CEILING and FLOOR: the sign of the significance decides what is up for negative numbers."""
    number, significance = to_number(number), to_number(significance)
    for operand in (number, significance):
        if isinstance(operand, dict):
            return operand
    if significance == 0:
        return 0.0 if number == 0 or towards is math.ceil else DIV
    return NUM if significance < 0 < number else _next(towards, number, significance)


def _multiple_of_size(
    towards: Callable[[float], int], number: Any, significance: Any = 1.0, mode: Any = 0.0
) -> Any:
    """CEILING.MATH and FLOOR.MATH: up and down, or with a mode away from zero and towards it."""
    number, significance, mode = to_number(number), to_number(significance), to_number(mode)
    for operand in (number, significance, mode):
        if isinstance(operand, dict):
            return operand
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


def _match(order: float, key: Any, values: Any) -> Any:
    """Where the last value not above the key is (order 1), or not below it (-1).

    A program finds it by bisection, which is certain where the values are numbers in order.
    """
    if isinstance(key, dict):
        return key
    cells = [cell for row in values for cell in row] if isinstance(values, list) else [values]
    while cells and cells[-1] is None:
        cells.pop()
    if not is_number(key):
        return UNSURE
    if order == 1 and all(cell < key for cell in cells if is_number(cell)):
        # Bisection goes on to the end: the way to find the last number of a column.
        return max((float(i) for i, cell in enumerate(cells, 1) if is_number(cell)), default=NA)
    if not all(map(is_number, cells)):
        return UNSURE
    if any((b - a) * order <= 0 for a, b in pairwise(cells)):
        return UNSURE
    if any(cell != key and abs(cell - key) <= 1e-14 * abs(key) for cell in cells):
        return UNSURE  # equal or almost?
    return float(sum((cell - key) * order <= 0 for cell in cells)) or NA


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


def _substitute(text: Any, old: Any, new: Any, *instance: Any) -> Any:
    """SUBSTITUTE; the engine would build a text without end."""
    for operand in (text, old, new, *instance):
        if isinstance(operand, dict):
            return operand
    texts = all(isinstance(operand, str) for operand in (text, old, new))
    if not texts or not all(is_number(n) for n in instance):
        return UNSURE
    if instance and instance[0] < 1:
        return VALUE
    parts = text.split(old) if old else [text]
    if instance:
        nth = math.trunc(instance[0])
        if nth < len(parts):
            parts = [old.join(parts[:nth]), old.join(parts[nth:])]
        else:
            new = old
    size = sum(map(len, parts)) + len(new) * (len(parts) - 1)
    return new.join(parts) if size <= LONGEST_TEXT else VALUE


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
    sizes = (rows, columns, start, step)
    if not all(is_number(x) for x in sizes):
        return next((x for x in sizes if isinstance(x, dict)), UNSURE)
    height, width = math.trunc(rows), math.trunc(columns)
    if height < 1 or not 1 <= width <= MAX_COLUMN or height * width > MOST_MADE:
        return UNSURE
    return [[possible(start + step * (i * width + j)) for j in range(width)] for i in range(height)]


def _periods(value: Any) -> Any:
    """A number of periods, over which the engine may loop."""
    return UNSURE if is_number(value) and abs(value) > MOST_PERIODS else value


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


_Kinds: TypeAlias = tuple[str, ...]
_DOUBT: _Kinds = ("NImpl", "Error", "Circ", "Cancelled")
_ANY: _Kinds = ("Value", "Name", *_DOUBT)
"""The errors that may be the engine's own limit where any of its functions has computed."""


def _holds(kinds: _Kinds, value: Any) -> bool:
    """Whether a value is, or contains, an error of one of these kinds."""
    cells = [cell for row in value for cell in row] if isinstance(value, list) else [value]
    return any(isinstance(c, dict) and c.get("kind") in kinds for c in cells)


def _iferror(doubtful: _Kinds, value: Any, otherwise: Any) -> Any:
    if _holds(doubtful, value):
        return UNSURE
    value = elementwise(possible, value)
    return elementwise(lambda v, o: o if isinstance(v, dict) else v, value, otherwise)


def _is(doubtful: _Kinds, kind: str, value: Any) -> Any:
    if _holds(doubtful, value):
        return UNSURE
    return elementwise(_KINDS[kind], elementwise(possible, value))


_KINDS: dict[str, Callable[[Any], bool]] = {
    "ISERROR": lambda v: isinstance(v, dict),
    "ISERR": lambda v: isinstance(v, dict) and v.get("kind") != "Na",
    "ISNA": lambda v: isinstance(v, dict) and v.get("kind") == "Na",
    "ISNUMBER": is_number,
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
        "__POSSIBLE": lifted(possible),
        "__TEXT": lifted(partial(_text, 0x10FFFF)),
        "__TEXT_BMP": lifted(partial(_text, 0xFFFF)),
        "__TEXT_ASCII": lifted(partial(_text, 126)),
        "__NEEDLE": lifted(_needle),
        "__CRITERION": lifted(criterion),
        "__NUMBER": lifted(_certain_number),
        "__POSITION": partial(_whole, 1.0),
        "__SHIFT": partial(_whole, -1e6),
        "__EXTENT": _extent,
        "__SPAN": _span,
        "__UNSURE": lambda: UNSURE,
        "__SERIAL": lifted(_serial),
        "__KEY": _key,
        "__DOUBTFUL": lifted(_is_doubtful),
        "__PERIODS": lifted(_periods),
        "__SEQUENCE": _sequence,
        "__SUBSTITUTE": _substitute,
        "__VSTACK": partial(_stacked, True),
        "__HSTACK": partial(_stacked, False),
        "__SUMPRODUCT": _sumproduct,
        "__MOD": lifted(_modulo),
        "__EXPONENT": _exponent,
        "__DATE": partial(_date, first, shift),
        "__IFERROR_ANY": partial(_iferror, _ANY),
        "__IFERROR_DOUBT": partial(_iferror, _DOUBT),
        "__IS_ANY": partial(_is, _ANY),
        "__IS_DOUBT": partial(_is, _DOUBT),
        "__CEILING": lifted(partial(_multiple, math.ceil)),
        "__FLOOR": lifted(partial(_multiple, math.floor)),
        "__CEILING_MATH": lifted(partial(_multiple_of_size, math.ceil)),
        "__FLOOR_MATH": lifted(partial(_multiple_of_size, math.floor)),
        "__MATCH": _match,
        "__MMULT": _product,
    }
