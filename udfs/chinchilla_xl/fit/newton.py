"""A damped Newton search that follows many laws to their minima at once."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from chinchilla_xl.elementwise import Array
from chinchilla_xl.fit.objective import ALPHA, BETA, Expansion, expand
from chinchilla_xl.fit.runs import Runs

LARGEST_EXPONENT = 5.0
"""Unbounded, one outlier at the smallest size can send alpha towards minus infinity."""

LONGEST_STEP = 2.5
"""In any log coefficient or exponent: beyond it the quadratic model means nothing."""

NEARLY_FREE = 1e-3
"""Damping below which a step is Newton's, so that a small promise means that a minimum is near."""

STUCK = 1e10
"""Damping at which steps no longer change the objective: rounding has the last word."""

WILD = 1e100
"""A scaled step that no sound matrix yields."""

ON_DIAGONAL = np.arange(5)


def minimise(
    theta: Array,
    runs: Runs,
    weights: Array,
    *,
    precision: float = 1e-13,
    most_steps: int = 500,
    damping: float = 1e-2,
    keep: Mapping[int, int] | None = None,
) -> tuple[Array, Array]:
    """Follow each start to a minimum of Eq. 4 with 0 <= alpha, beta <= 5.

    A step solves (H + damping M) step = gradient, H the exact curvature and M Gauss-Newton's:
    with little damping it is Newton's, with much a short step downhill. A step that raises the
    objective is not taken and the damping grows.

    theta (starts, 5), within the bounds, and weights (starts or 1, runs); a start is finished
    when a step promises less than ``precision`` times the objective. ``keep`` maps step numbers to
    how many starts stay in the race from there on. Returns theta (starts, 5) and the objectives
    (starts,).
    """
    weights = np.broadcast_to(weights, (len(theta), len(runs)))
    rounding = 1e-28 * len(runs)

    final_theta, final_value = theta.copy(), np.full(len(theta), np.inf)
    racing = np.arange(len(theta))
    here = expand(theta, runs, weights)
    damp = np.full(len(theta), damping)
    for number in range(1, most_steps + 1):
        step, promise = _step(theta, here, damp)
        trial = theta - step
        np.clip(trial[:, ALPHA:], 0, LARGEST_EXPONENT, out=trial[:, ALPHA:])
        there = expand(trial, runs, weights)

        downhill = (promise > 0) & (there.value <= here.value)
        as_promised = downhill & (here.value - there.value >= 0.25 * promise)
        settled = (np.abs(promise) <= precision * here.value) & (damp <= NEARLY_FREE)
        finished = settled | (damp > STUCK) | (here.value < rounding)

        theta = np.where(downhill[:, None], trial, theta)
        here = _choose(downhill, there, here)
        # Factors tried out on 200 tables: good steps must free the search fast, bad ones brake it.
        damp = np.select(
            [as_promised, downhill], [damp * 0.04, damp * 1.5], np.maximum(damp, 1e-6) * 6
        )
        final_theta[racing], final_value[racing] = theta, here.value
        if keep and number in keep:
            finished |= here.value > np.sort(final_value)[: keep[number]][-1]
        if finished.all():
            break
        if finished.any():
            on = ~finished
            racing, theta, weights, damp = racing[on], theta[on], weights[on], damp[on]
            here = Expansion(*(array[on] for array in here))
    return final_theta, final_value


def _step(theta: Array, here: Expansion, damp: Array) -> tuple[Array, Array]:
    """The damped Newton step of each law, and the fall of the objective that it promises."""
    matrix = here.hessian + damp[:, None, None] * here.gauss_newton
    curvature = np.diagonal(here.gauss_newton, axis1=1, axis2=2)
    # A term that has died out curves nothing: the floor keeps its step finite.
    scale = 1 / np.sqrt(curvature + 1e-13 * curvature.max(axis=1, keepdims=True))
    matrix *= scale[:, :, None] * scale[:, None, :]
    matrix[:, ON_DIAGONAL, ON_DIAGONAL] += 1e-3 * damp[:, None] + 1e-13
    gradient = here.gradient * scale

    exponents, slope = theta[:, ALPHA:], here.gradient[:, ALPHA:]
    held = ((exponents <= 0) & (slope > 0)) | ((exponents >= LARGEST_EXPONENT) & (slope < 0))
    for column, stuck in ((ALPHA, held[:, 0]), (BETA, held[:, 1])):
        matrix[stuck, column, :] = 0
        matrix[stuck, :, column] = 0
        matrix[stuck, column, column] = 1
        gradient[stuck, column] = 0

    scaled_step = _solve(matrix, gradient)
    # Singular to rounding: no step, and no promise that could pass for a minimum or for success.
    wild = ~(np.abs(scaled_step).max(axis=1) < WILD)
    scaled_step[wild] = 0
    promise = (gradient * scaled_step).sum(axis=1)
    promise[wild] = np.nan
    step = scaled_step * scale
    longest = np.abs(step).max(axis=1)
    shorten = LONGEST_STEP / np.maximum(longest, LONGEST_STEP)
    return step * shorten[:, None], promise * shorten


def _solve(matrices: Array, vectors: Array) -> Array:
    """Solve each (5, 5) system, of which one may on rare occasions be singular."""
    columns = vectors[:, :, None]
    try:
        solutions = np.linalg.solve(matrices, columns)
    except np.linalg.LinAlgError:
        # Two terms alike in every run (D = c N) can cancel to the last bit; a nudge parts them.
        size = np.abs(matrices).max(axis=(1, 2), keepdims=True)
        solutions = np.linalg.solve(matrices + 1e-9 * size * np.eye(5), columns)
    return np.asarray(solutions[:, :, 0], dtype=np.float64)


def _choose(moved: npt.NDArray[np.bool_], there: Expansion, here: Expansion) -> Expansion:
    """Take the expansion at the new place for each law that moved there."""
    one, two = moved[:, None], moved[:, None, None]
    return Expansion(
        value=np.where(moved, there.value, here.value),
        gradient=np.where(one, there.gradient, here.gradient),
        hessian=np.where(two, there.hessian, here.hessian),
        gauss_newton=np.where(two, there.gauss_newton, here.gauss_newton),
    )
