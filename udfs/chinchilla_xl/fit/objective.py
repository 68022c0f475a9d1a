"""Eq. 4 of Sardana et al., its gradient and its curvature, for many laws at once.

A law is a row theta = (a, b, e, alpha, beta) with A = exp(a + alpha x_mean),
B = exp(b + beta y_mean), E = exp(e); x, y, t are the centred logarithms of ``Runs``. Arrays are
(laws, runs), or (laws, 5) for coefficients.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from chinchilla_xl.elementwise import Array
from chinchilla_xl.fit.runs import Runs

DELTA = 1e-3
"""Where the Huber loss turns from square to straight (Hoffmann et al. 2022, Eq. 3)."""

A, B, E, ALPHA, BETA = range(5)
"""Columns of theta."""

ABSENT = 1e-12
"""A term below this share of every predicted loss is zero."""

LARGEST_LOG = 709.0
"""Sizes near 1e300 call for an A beyond the floating-point numbers."""


class Expansion(NamedTuple):
    """Value and derivatives of the objective at each law."""

    value: Array
    """(laws,)"""
    gradient: Array
    """(laws, 5)"""
    hessian: Array
    """(laws, 5, 5), exact; may be indefinite."""
    gauss_newton: Array
    """(laws, 5, 5), never indefinite: every run taken as a spring of its present pull."""


def predict(theta: Array, runs: Runs) -> tuple[Array, Array, Array, Array]:
    """Shares of the size, data and floor term in the predicted loss, and the log residuals.

    The residual is LSE[a - alpha x, b - beta y, e] - t; taking out the largest term first keeps
    the exponentials from overflowing.
    """
    size = theta[:, A, None] - theta[:, ALPHA, None] * runs.x
    data = theta[:, B, None] - theta[:, BETA, None] * runs.y
    floor = theta[:, E, None]
    largest = np.maximum(np.maximum(size, data), floor)
    size -= largest
    data -= largest
    size, data, floor = np.exp(size, out=size), np.exp(data, out=data), np.exp(floor - largest)
    total = size + data
    total += floor
    size /= total
    data /= total
    floor /= total
    residual = np.log(total, out=total)
    residual += largest
    residual -= runs.t
    return size, data, floor, residual


def absent_terms(theta: Array, runs: Runs) -> npt.NDArray[np.bool_]:
    """Whether A, B, E of each law are zero as far as its predictions show: (laws, 3)."""
    *shares, _ = predict(theta, runs)
    return np.column_stack([share.max(axis=1) < ABSENT for share in shares])


def coefficients(theta: Array, runs: Runs) -> Array:
    """A, B, E, alpha, beta of each law: (laws, 5); a term that no prediction shows is zero."""
    logs = theta[:, : E + 1].copy()
    logs[:, A] += theta[:, ALPHA] * runs.x_mean
    logs[:, B] += theta[:, BETA] * runs.y_mean
    values = np.exp(np.minimum(logs, LARGEST_LOG))
    values[absent_terms(theta, runs)] = 0
    return np.column_stack([values, theta[:, ALPHA:]])


def objective(theta: Array, runs: Runs, weights: Array) -> Array:
    """Sum over runs of weight times Huber loss of the log residual, for each law: Eq. 4."""
    residual = predict(theta, runs)[-1]
    return _weighted_huber(residual, weights)


def expand(theta: Array, runs: Runs, weights: Array) -> Expansion:
    """Eq. 4 with its derivatives; weights are (laws, runs), or (1, runs) for all laws alike."""
    size, data, floor, residual = predict(theta, runs)
    value = _weighted_huber(residual, weights)
    inside = np.abs(residual) <= DELTA
    pull = np.clip(residual, -DELTA, DELTA)
    spring = DELTA / np.maximum(np.abs(residual), DELTA)
    spring *= weights
    pull *= weights

    slopes = np.empty((len(theta), 5, len(runs)))
    slopes[:, A] = size
    slopes[:, B] = data
    slopes[:, E] = floor
    np.multiply(size, -runs.x, out=slopes[:, ALPHA])
    np.multiply(data, -runs.y, out=slopes[:, BETA])
    across = slopes.transpose(0, 2, 1)

    gradient = (slopes @ pull[:, :, None])[:, :, 0]
    gauss_newton = (slopes * spring[:, None]) @ across
    bend = inside * weights
    bend -= pull
    hessian = (slopes * bend[:, None]) @ across
    # A log-sum-exp curves by its shares less the products of its slopes. The products are in
    # ``bend``; the shares are linear in each term, so most of these sums are gradient entries.
    for coefficient, exponent, position in ((A, ALPHA, runs.x), (B, BETA, runs.y)):
        hessian[:, coefficient, coefficient] += gradient[:, coefficient]
        hessian[:, coefficient, exponent] += gradient[:, exponent]
        hessian[:, exponent, coefficient] += gradient[:, exponent]
        hessian[:, exponent, exponent] -= (slopes[:, exponent] * pull) @ position
    hessian[:, E, E] += gradient[:, E]
    return Expansion(value, gradient, hessian, gauss_newton)


def _weighted_huber(residual: Array, weights: Array) -> Array:
    clipped = np.clip(residual, -DELTA, DELTA)
    total: Array = (weights * clipped * (residual - 0.5 * clipped)).sum(axis=1)
    return total
