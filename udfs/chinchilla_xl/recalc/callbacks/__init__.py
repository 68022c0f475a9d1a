"""What Excel does and the engine does not, as functions that lowered formulas call.

Arguments and results are in the engine's form (see `engineform`). Whatever cannot be told for
certain gives UNSURE, upon which the cell keeps its cached value.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chinchilla_xl.recalc.callbacks import (
    arithmetic,
    arrays,
    dates,
    errors,
    guards,
    lookups,
    operators,
    texts,
)


def callbacks(*, date1904: bool) -> dict[str, Callable[..., Any]]:
    """Name -> function, for lowered formulas of one workbook."""
    found = dates.callbacks(date1904=date1904)
    for part in (arithmetic, arrays, errors, guards, lookups, operators, texts):
        found |= part.CALLBACKS
    return found
