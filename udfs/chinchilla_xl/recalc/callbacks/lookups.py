"""What lookups look for, and where approximate ones find it."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any
from unicodedata import combining, normalize

from chinchilla_xl.recalc.engineform import NA, UNSURE, elementwise, is_number, lifted, rounded


def _is_doubtful(value: Any) -> bool:
    """Whether an exact lookup may take this for something else, or for almost the same."""
    if isinstance(value, float):
        return value != rounded(value)
    return value is None or (isinstance(value, str) and not value.isascii())


def _without_end(values: Any) -> list[Any]:
    """The values to look among, without the blanks behind the last."""
    cells = [cell for row in values for cell in row] if isinstance(values, list) else [values]
    while cells and cells[-1] is None:
        cells.pop()
    return cells


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
    cells = _without_end(values)
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


def _match(order: float, key: Any, values: Any) -> Any:
    """Where the last value not above the key is (order 1), or not below it (-1).

    A program finds it by bisection, which is certain where the values are numbers in order.
    """
    if isinstance(key, dict):
        return key
    cells = _without_end(values)
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


CALLBACKS: dict[str, Callable[..., Any]] = {
    "__KEY": _key,
    "__DOUBTFUL": lifted(_is_doubtful),
    "__MATCH": _match,
}
