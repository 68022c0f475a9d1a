"""One formula for a float and for an array: domains that give NaN outside, and never an infinity.

A formula decorated with `elementwise` is written once, with plain operators. Called with Python
floats it runs on them directly (a cell's usual case: no array is built); called with anything
else it runs on float64 arrays. Where no finite answer exists the result is NaN, silently.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[np.float64]
Numbers: TypeAlias = float | Array

NAN = math.nan
_INF = math.inf

# Types on which a formula runs without arrays; laws and deployments of plain floats join them.
SCALAR_TYPES: set[type] = {float, int}
# Types that a formula takes apart itself, so that they pass unconverted.
PASSED_TYPES: set[type] = set()


class Domain:
    """The values that an argument may take: masks others with NaN, and says the rule in words."""

    __slots__ = ("_test", "rule")

    def __init__(self, rule: str, test: Callable[[Any], Any]) -> None:
        self.rule = rule
        self._test = test

    def __contains__(self, value: float) -> bool:
        return bool(self._test(value))

    def __call__(self, values: Any) -> Any:
        """The values, with NaN for those outside."""
        if type(values) in SCALAR_TYPES:
            return values if self._test(values) else NAN
        return np.where(self._test(values), values, NAN)

    def __repr__(self) -> str:
        return f"Domain({self.rule!r})"


POSITIVE = Domain("> 0", lambda x: x > 0)
NON_NEGATIVE = Domain(">= 0", lambda x: x >= 0)


def elementwise(formula: Callable[..., Any]) -> Callable[..., Any]:
    """Run `formula` on floats or on float64 arrays, with NaN where it has no finite value."""

    @wraps(formula)
    def evaluate(*args: Any) -> Any:
        if SCALAR_TYPES.issuperset(map(type, args)):
            try:
                value = formula(*args)
            except (OverflowError, ZeroDivisionError):
                return NAN
            return float(value) if -_INF < value < _INF else NAN
        with np.errstate(all="ignore"):
            value = np.asarray(formula(*map(as_operand, args)))
            return np.where(np.isfinite(value), value, NAN)[()]

    return evaluate


def as_operand(value: Any) -> Any:
    """A float64 array of anything numeric; laws and deployments pass as they are."""
    return value if type(value) in PASSED_TYPES else np.asarray(value, dtype=np.float64)
