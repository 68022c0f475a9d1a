"""The search for the lowest minimum of Eq. 4: starts on a grid of exponents, then Newton.

Eq. 4 has many poor local minima, most of them with a term that has died out, and it is the starts
that decide which one a search ends in. For fixed exponents the law is linear in A, B and E;
solving for those exactly leaves a surface in (alpha, beta) alone, whose lowest points are the
starts worth following.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np

from chinchilla_xl.elementwise import Array
from chinchilla_xl.fit.newton import minimise
from chinchilla_xl.fit.objective import A, B, E, objective, predict
from chinchilla_xl.fit.runs import Runs

EXPONENTS = np.array([0.03, 0.08, 0.15, 0.23, 0.32, 0.43, 0.57, 0.8, 1.2, 2.0])
"""Finest where the exponents of Sardana et al., Table 1, lie: 0.08 to 0.34."""

STARTS = 12
FAINT = 1e-3
"""Share of the lowest loss that an absent term starts with: at log 0 no step could revive it."""

RACE = {12: 4, 40: 2, 80: 1}
"""After so many Newton steps, follow only the best so many: the ranking has settled by then."""

NEGLIGIBLE = 3e-3
"""A term that never makes up this share of the loss is tried at zero."""

TO_ZERO = 35.0
"""Taken off a log coefficient, this puts the term below the rounding error of the loss."""


def search(runs: Runs) -> tuple[Array, float]:
    """The law of the lowest objective: theta (5,) and Eq. 4 there.

    A minimum at A, B or E = 0 lies at minus infinity in the logarithm, which no search reaches;
    so a term that has all but died out is cut off, and the rest polished without it.
    """
    weights = np.ones((1, len(runs)))
    theta, value = minimise(starting_points(runs), runs, weights, keep=RACE)
    best = np.argmin(value)
    law, lowest = theta[best], value[best]
    *shares, _ = predict(law[None], runs)
    dying = [column for column, share in enumerate(shares) if share.max() < NEGLIGIBLE]
    if dying:
        without = law.copy()
        without[dying] -= TO_ZERO
        theta, value = minimise(without[None], runs, weights)
        if value[0] < lowest:
            law, lowest = theta[0], value[0]
    return law, float(lowest)


def starting_points(runs: Runs) -> Array:
    """The most promising theta = (a, b, e, alpha, beta), best first: (starts, 5)."""
    alpha, beta = (grid.ravel() for grid in np.meshgrid(EXPONENTS, EXPONENTS, indexing="ij"))
    # Each term in units of its largest value and of the lowest loss, so that none overflows.
    x_least, y_least, t_least = runs.x.min(), runs.y.min(), runs.t.min()
    size = np.exp(-np.outer(alpha, runs.x - x_least))
    data = np.exp(-np.outer(beta, runs.y - y_least))
    terms = np.stack([size, data, np.ones_like(size)], axis=1) * np.exp(t_least - runs.t)
    coefficients = _non_negative_least_squares(terms)
    absent = coefficients <= FAINT
    logs = np.log(np.maximum(coefficients, FAINT)) + t_least
    logs[:, A] += alpha * x_least
    logs[:, B] += beta * y_least
    theta = np.column_stack([logs, alpha, beta])
    score = objective(theta, runs, np.ones((1, len(runs))))

    order = np.argsort(score, kind="stable")
    # Newton seldom kills a term that it starts with, so a law without a floor needs its own start.
    floorless = order[absent[order, E] & ~absent[order, :E].any(axis=1)][:1]
    starts: Array = theta[np.concatenate([order[:STARTS], floorless])]
    return starts


def _non_negative_least_squares(terms: Array) -> Array:
    """Coefficients >= 0 (laws, 3) that bring each law's terms (laws, 3, runs) closest to one.

    With three terms it is quickest to try every choice of terms that are present and to keep
    the best whose coefficients all come out positive.
    """
    gram = terms @ terms.transpose(0, 2, 1)
    target = terms.sum(axis=2)
    # Losses that span hundreds of decades leave nothing of a term: keep the division defined.
    size = np.maximum(np.sqrt(np.diagonal(gram, axis1=1, axis2=2)), 1e-150)
    gram /= size[:, :, None] * size[:, None, :]
    target /= size

    best = np.zeros_like(target)
    explained = np.zeros(len(target))
    choices = [choice for count in (1, 2, 3) for choice in combinations((A, B, E), count)]
    for present in map(np.array, choices):
        # The ridge only matters where two terms are the same, as at alpha = beta on D = c N.
        square = gram[:, present][:, :, present] + 1e-13 * np.eye(len(present))
        wanted = target[:, present]
        solution = np.linalg.solve(square, wanted[:, :, None])[:, :, 0]
        gain = (solution * wanted).sum(axis=1)
        better = (solution >= 0).all(axis=1) & (gain > explained)
        rows = np.flatnonzero(better)
        best[rows] = 0
        best[np.ix_(rows, present)] = solution[rows]
        explained[rows] = gain[rows]
    scaled: Array = best / size
    return scaled
