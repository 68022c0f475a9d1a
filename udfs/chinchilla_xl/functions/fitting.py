"""FIT_COEFFS and FIT_SAMPLES: the worksheet functions that take a table of training runs.

Unlike everywhere else an element cannot fail alone here: a bad cell spoils the fit, so the message
names its row. Rows that are blank in all three columns below the last run are left out, so that a
sheet may keep room for runs to come.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from chinchilla_xl.coefficients import NAMES
from chinchilla_xl.errors import ArgumentError
from chinchilla_xl.functions.cells import CellError
from chinchilla_xl.functions.operands import Errors, as_grid
from chinchilla_xl.functions.settings import RANGE_LABELS
from chinchilla_xl.functions.worksheet import TableFunction, worksheet

if TYPE_CHECKING:
    from chinchilla_xl.fit import Fit

_COLUMNS = 3
_FILLER = "-"
"""Stands in the cells of a row of diagnostics that has no more figures: a cell is never empty."""


class RunsFunction(TableFunction):
    """A function whose first three arguments are the columns of a table of training runs."""

    def _read(self, args: Sequence[Any]) -> tuple[list[Any], list[Errors]]:
        if len(args) < _COLUMNS:
            return super()._read(args)
        columns = []
        for parameter, arg in zip(self.parameters, args[:_COLUMNS], strict=False):
            if isinstance(arg, CellError):
                raise ArgumentError(arg.message or f"{parameter.name} holds {arg}", arg.code)
            grid = as_grid(parameter.name, arg)
            if grid.ndim == 0 or max(grid.shape) != grid.size:
                raise ArgumentError(
                    f"{parameter.name} must be one row or one column of runs: "
                    f"{' x '.join(map(str, grid.shape)) or 'one cell'}"
                )
            columns.append(grid.ravel())
        for parameter, column in zip(self.parameters, columns, strict=False):
            for row, cell in enumerate(column, start=1):
                if isinstance(cell, CellError):
                    raise ArgumentError(f"{parameter.name} holds {cell} in row {row}", cell.code)
        length = max(_filled_length(column) for column in columns)
        # The other arguments are single values, which the ordinary rules read.
        dummies = [1.0] * _COLUMNS
        values, errors = super()._read([*dummies, *args[_COLUMNS:]])
        return [*(column[:length] for column in columns), *values[_COLUMNS:]], errors


def _filled_length(column: Errors) -> int:
    filled = [i for i, cell in enumerate(column) if cell is not None]
    return filled[-1] + 1 if filled else 0


@worksheet("=FIT_COEFFS(A2:A48, B2:B48, C2:C48)", kind=RunsFunction)
def fit_coeffs(params: Any, tokens: Any, losses: Any, confidence: float = 0.95) -> Any:
    """Fit the scaling law to your own training runs: a table of A, B, E, alpha, beta with standard
    errors and intervals, then diagnostics. Any other function takes the table as its coeffs.

    Minimises the sum of Huber losses of the log residuals (Eq. 4 of arXiv 2401.00448, Approach 3 of
    Hoffmann et al. 2022, arXiv 2203.15556); intervals are percentiles of 1,000 bootstrap draws with
    a fixed seed. #VALUE! with fewer than five distinct runs, a single size or token count, or a
    value that is not a number > 0: the message names the row.

    >>> params = np.repeat([1e8, 3e8, 1e9, 3e9], 3)
    >>> tokens = np.tile([2e9, 2e10, 2e11], 4)
    >>> losses = 1.69 + 406.4 / params**0.34 + 410.7 / tokens**0.28
    >>> table = fit_coeffs(params, tokens, losses)
    >>> table[4, 0], round(table[4, 1], 4)
    ('alpha', 0.34)
    """
    from chinchilla_xl.fit import fit  # a fit is rare: not worth its import in every process

    return fit_table(fit(params, tokens, losses, confidence=confidence))


def fit_table(found: Fit) -> Any:
    """The table of FIT_COEFFS for a fit: the coefficients, then what is known of the fit."""
    estimates = [getattr(found.law, name) for name in NAMES]
    columns = (NAMES, estimates, found.standard_error, found.low, found.high)
    rows: list[list[Any]] = [list(row) for row in zip(*columns, strict=True)]
    ranges = (found.params_range, found.tokens_range, found.ratio_range)
    diagnostics: list[list[Any]] = [
        ["verdict", found.verdict],
        ["objective", found.objective],
        ["confidence", found.confidence],
        ["points", float(found.points)],
        ["distinct points", float(found.distinct_points)],
        *(
            [label, _FILLER, _FILLER, *pair]
            for label, pair in zip(RANGE_LABELS, ranges, strict=True)
        ),
        ["condition number", found.condition_number],
        *(["warning", sentence] for sentence in found.warnings),
    ]
    head = ["coefficient", "estimate", "standard error", "low", "high"]
    return np.array([_row(row) for row in (head, *rows, *diagnostics)], dtype=object)


def _row(cells: list[Any]) -> list[Any]:
    plain = [_cell(c) for c in cells]
    return plain + [_FILLER] * (5 - len(plain))


def _cell(value: Any) -> Any:
    if isinstance(value, str):
        return value
    return float(value) if math.isfinite(value) else "infinite"


@worksheet("=FIT_SAMPLES(A2:A48, B2:B48, C2:C48, 1000)", kind=RunsFunction)
def fit_samples(params: Any, tokens: Any, losses: Any, count: float) -> Any:
    """Count rows of A, B, E, alpha, beta that fit your training runs about as well as the best fit:
    bootstrap draws. As the coeffs of another function they give the distribution of its result.

    The draws that FIT_COEFFS takes its intervals from: each is the fit of as many runs drawn with
    replacement, with a fixed seed. =PERCENTILE(OPT_PARAMS(2, 1E12, FIT_SAMPLES(...)), 0.05) is the
    lower end of a 90% interval of the optimal size.

    >>> params = np.repeat([1e8, 3e8, 1e9, 3e9], 3)
    >>> tokens = np.tile([2e9, 2e10, 2e11], 4)
    >>> losses = 1.69 + 406.4 / params**0.34 + 410.7 / tokens**0.28
    >>> fit_samples(params, tokens, losses, 20).shape
    (20, 5)
    """
    from chinchilla_xl.fit import bootstrap

    return bootstrap(params, tokens, losses, int(count))
