"""The table of training runs that a law is fitted to: checked once, then in centred logarithms."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
import numpy.typing as npt

from chinchilla_xl.elementwise import Array
from chinchilla_xl.errors import ArgumentError
from chinchilla_xl.hints import number_meant

FEWEST_RUNS = 5
"""The law has five coefficients."""


class FitError(ArgumentError):
    """The runs cannot be fitted; the message names the argument, the rule, the value, the row."""


@dataclass(frozen=True, slots=True, eq=False)
class Runs:
    """Training runs as logarithms.

    Centring log params and log tokens takes out the correlation of each coefficient with its
    exponent, and makes the fit independent of the unit (params or billions of params).
    """

    params: Array
    tokens: Array
    losses: Array
    x: Array
    """log params, less their mean."""
    y: Array
    """log tokens, less their mean."""
    t: Array
    """log loss."""
    x_mean: float
    y_mean: float
    distinct: int
    """Different (params, tokens) pairs."""

    def __len__(self) -> int:
        """How many runs, repeated ones included."""
        return self.t.size

    @property
    def tokens_per_parameter(self) -> Array:
        """The ratio of each run."""
        with np.errstate(over="ignore"):
            return self.tokens / self.params


def checked(params: npt.ArrayLike, tokens: npt.ArrayLike, losses: npt.ArrayLike) -> Runs:
    """Check three equally long columns of positive numbers and centre their logarithms.

    Raises FitError for a value that is not a finite number above zero, for columns of different
    length, and for runs that no fit can tell apart: fewer than five distinct ones, a single
    size, a single token count.
    """
    sizes = _positive_column("params", params)
    durations = _positive_column("tokens", tokens)
    measured = _positive_column("losses", losses)
    for name, column in (("tokens", durations), ("losses", measured)):
        if column.size != sizes.size:
            raise FitError(
                f"{name} must have as many values as params: {column.size} against {sizes.size}; "
                "give one row for each run"
            )
    distinct = len(np.unique(np.column_stack([sizes, durations]), axis=0))
    if distinct < FEWEST_RUNS:
        raise FitError(
            f"params and tokens must hold at least {FEWEST_RUNS} distinct runs: {distinct}; "
            "add runs of other sizes or token counts"
        )
    for name, column in (("params", sizes), ("tokens", durations)):
        if np.ptp(column) == 0:
            raise FitError(
                f"{name} must hold at least 2 different values: all are {column[0]:g}; "
                f"add runs with other {name}"
            )
    x, y = np.log(sizes), np.log(durations)
    return Runs(
        params=sizes,
        tokens=durations,
        losses=measured,
        x=x - x.mean(),
        y=y - y.mean(),
        t=np.log(measured),
        x_mean=float(x.mean()),
        y_mean=float(y.mean()),
        distinct=distinct,
    )


def _positive_column(name: str, values: npt.ArrayLike) -> Array:
    """One argument as a vector of finite numbers above zero."""
    # As objects, for else a single text turns every number of a list into text.
    cells: npt.NDArray[Any] = np.asarray(values, dtype=object)
    if cells.ndim == 0 or max(cells.shape) != cells.size:
        raise FitError(
            f"{name} must be one row or one column: shape {cells.shape}; give one value a run"
        )
    for row, cell in enumerate(cells.ravel(), start=1):
        if not isinstance(cell, Real) or isinstance(cell, bool | np.bool_):
            shown = "a blank" if cell is None else repr(cell)
            hint = number_meant(cell) if isinstance(cell, str) else ""
            raise FitError(
                f"{name} must be numbers: {shown} in row {row}{hint}; correct or remove that run"
            )
    try:
        column = cells.ravel().astype(np.float64)
    except OverflowError:
        raise FitError(f"{name} must be finite and > 0: a value is beyond 1.8E308") from None
    wrong = np.flatnonzero(~(np.isfinite(column) & (column > 0)))
    if wrong.size:
        raise FitError(
            f"{name} must be finite and > 0: {column[wrong[0]]:g} in row {wrong[0] + 1}; "
            "correct or remove that run"
        )
    return column
