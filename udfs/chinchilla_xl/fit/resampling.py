"""How far the coefficients scatter when the runs are drawn anew: the pairs bootstrap.

Each draw takes as many runs as there are, with replacement, which is to weight every run by how
often it was taken; all draws are then followed to their minima together. Measured on simulated
runs, the percentile intervals cover the true coefficients about as often as they claim; smooth
random weights (exponential instead of counts) give intervals that are 10 to 20 % too short.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from chinchilla_xl.elementwise import Array
from chinchilla_xl.fit.newton import minimise
from chinchilla_xl.fit.objective import absent_terms, coefficients
from chinchilla_xl.fit.runs import FitError, Runs, checked
from chinchilla_xl.fit.search import search, starting_points

TOGETHER = 100
"""Draws followed at once: enough to spread numpy's overhead, few enough to stay in the cache."""

REVIVING_STARTS = 3
"""Besides the best fit, where a term of it is zero: enough to find the term again where it belongs,
and each costs as much as all the draws."""

PRECISION = 1e-6
"""Of the objective: in trials the draws came within a thousandth of a standard error."""

ONE_SIGMA = (0.158655, 0.841345)
"""Between these quantiles a normal variable lies within one standard deviation."""

FEWEST_WITHOUT = 20
"""Draws without a run that it takes to judge the influence of that run."""


def bootstrap(
    params: npt.ArrayLike,
    tokens: npt.ArrayLike,
    losses: npt.ArrayLike,
    count: int,
    *,
    seed: int = 0,
) -> Array:
    """Draw coefficients that fit the runs about as well as the best ones do.

    Every draw is the minimum of Eq. 4 for a table of as many runs, taken from the given ones
    with replacement; the search starts from the best fit, so a draw is the minimum nearest to
    it. The same seed gives the same draws, and ``fit`` uses these very draws.

    Parameters: ``params``, ``tokens``, ``losses`` as for ``fit``; ``count`` of draws, at least 0;
    ``seed`` of numpy's default generator. Returns (count, 5): columns A, B, E, alpha, beta.

    Raises FitError as ``fit`` does.

    Source: Efron 1979, doi:10.1214/aos/1176344552; the objective is Eq. 4 of Sardana et al.,
    arXiv 2401.00448, after Hoffmann et al. 2022, arXiv 2203.15556, Approach 3.

    >>> import numpy as np
    >>> params = np.repeat([1e8, 3e8, 1e9], 3)
    >>> tokens = np.tile([2e9, 2e10, 2e11], 3)
    >>> losses = 1.69 + 406.4 / params**0.34 + 410.7 / tokens**0.28
    >>> draws = bootstrap(params, tokens, losses, 20)
    >>> draws.shape
    (20, 5)
    """
    runs = checked(params, tokens, losses)
    theta, _ = search(runs)
    return coefficients(refit(runs, theta, resample(runs, count, seed)), runs)


def resample(runs: Runs, count: int, seed: int) -> Array:
    """How often each draw takes each run: (count, runs)."""
    if count < 0:
        raise FitError(f"count must be >= 0: {count}; 1000 is usual")
    chances = np.full(len(runs), 1 / len(runs))
    return np.random.default_rng(seed).multinomial(len(runs), chances, count).astype(np.float64)


def refit(runs: Runs, theta: Array, weights: Array) -> Array:
    """The minimum of each row of weights (draws, runs), searched from theta (5,): (draws, 5).

    A term that is absent from theta cannot come back by small steps, although it may belong in
    other draws; then the first starts of the search are followed as well, and the lowest kept.
    """
    starts = theta[None]
    if absent_terms(starts, runs).any():
        starts = np.concatenate([starts, starting_points(runs)[:REVIVING_STARTS]])
    draws = np.empty((len(weights), 5))
    at_once = TOGETHER // len(starts)
    for first in range(0, len(weights), at_once):
        block = weights[first : first + at_once]
        ends, values = minimise(
            np.tile(starts, (len(block), 1)),
            runs,
            np.repeat(block, len(starts), axis=0),
            precision=PRECISION,
            most_steps=60,
            damping=0.1,
        )
        lowest = values.reshape(len(block), -1).argmin(axis=1)
        ends = ends.reshape(len(block), -1, 5)
        draws[first : first + at_once] = ends[np.arange(len(block)), lowest]
    return draws


def spread(draws: Array) -> tuple[Array, Array]:
    """Median and standard error of each column.

    The standard error is half the width of the middle 68.3 %: for a normal scatter it is the
    standard deviation, and a few wild draws of A or B do not inflate it.
    """
    low, middle, high = np.quantile(draws, [ONE_SIGMA[0], 0.5, ONE_SIGMA[1]], axis=0)
    return middle, (high - low) / 2


def influence(draws: Array, weights: Array) -> Array:
    """Move of each column when a run is left out, in standard errors: (runs, columns).

    The draws that happen to lack a run show the fit without it, so no further fits are needed
    (the jackknife after bootstrap; Efron 1992, J. R. Stat. Soc. B 54). Zero
    where too few draws lack the run.
    """
    middle, _ = spread(draws)
    moves = np.zeros((weights.shape[1], draws.shape[1]))
    for run, counts in enumerate(weights.T):
        without = draws[counts == 0]
        if len(without) >= FEWEST_WITHOUT:
            moved, error = spread(without)
            # Exact data scatter by rounding errors only, which say nothing about the run.
            telling = error > 1e-9 * np.abs(middle)
            moves[run, telling] = (moved - middle)[telling] / error[telling]
    return moves
