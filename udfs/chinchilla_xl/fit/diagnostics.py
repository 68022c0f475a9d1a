"""What a fit cannot tell: which coefficients the runs leave open, and which run decides them."""

from __future__ import annotations

from typing import Literal

import numpy as np

from chinchilla_xl.coefficients import NAMES
from chinchilla_xl.elementwise import Array
from chinchilla_xl.fit.newton import LARGEST_EXPONENT
from chinchilla_xl.fit.objective import ALPHA, BETA, LARGEST_LOG, A, B, E, absent_terms, predict
from chinchilla_xl.fit.runs import Runs

Verdict = Literal["identified", "weakly identified", "not identified"]

WEAK = 1e3
"""Condition number: an error of 0.1 % in the losses can move log coefficients by about one."""

HOPELESS = 1e5
"""Condition number: an error of one part in 100,000 can do so, less than losses are known to."""

ONE_RATIO = 1.05
"""Tokens per parameter that differ by less lie on one line D = c N, as far as rounding shows."""

NARROW = 10.0
"""Sardana et al., Table 1: runs at 10 to 100 tokens per parameter alone gave alpha = 0.08 where
all runs gave 0.18."""

TOO_FEW_VALUES = 2
"""Two sizes show one difference in loss, which no A and alpha in particular explains."""

SINGLY = 1e6
"""Largest count of a column below which it was probably meant in millions or billions."""

FEW_RUNS = 10
"""In simulations the 95 % intervals covered the truth 87 to 98 % of the time with 8 runs, 71 to
76 % with 6."""

NOTABLE = 1.5
"""Standard errors by which leaving out one run must move a coefficient to be reported: without
outliers, 0 to 3 % of simulated tables have such a run."""

FAR_OFF = 0.1
"""Log residual, 10%: no run of a sound table misses the law by so much."""

FAR_FROM_THE_REST = 10.0
"""And that many times more than half of the runs do."""

NAMED_RUNS = 3


def condition_number(theta: Array, runs: Runs) -> float:
    """Ratio of the best to the worst determined direction of the log coefficients.

    Of the Jacobian of the log residuals in (log A, log B, log E, alpha, beta), at centred log
    params and tokens, each column scaled to length one. Infinite when a coefficient has no
    effect at all, or the very effect of others; a floor of zero is a finding, not a gap, and its
    column is left out.
    """
    size, data, floor, _ = (part[0] for part in predict(theta[None], runs))
    jacobian = np.column_stack([size, data, floor, -size * runs.x, -data * runs.y])
    absent = absent_terms(theta[None], runs)[0]
    if absent[A] or absent[B]:
        return float("inf")
    if absent[E]:
        jacobian = np.delete(jacobian, E, axis=1)
    jacobian = jacobian / np.linalg.norm(jacobian, axis=0)
    strengths = np.linalg.svd(jacobian, compute_uv=False)
    if strengths[-1] <= strengths[0] * len(runs) * np.finfo(np.float64).eps:
        return float("inf")
    return float(strengths[0] / strengths[-1])


def on_one_line(ratio_range: tuple[float, float]) -> bool:
    """Whether D = c N for all runs: then the size and the data term can swap places."""
    return ratio_range[1] <= ONE_RATIO * ratio_range[0]


def judge(
    theta: Array,
    runs: Runs,
    condition: float,
    ratio_range: tuple[float, float],
    intervals: tuple[Array, Array] | None = None,
) -> Verdict:
    """Whether the runs determine all five coefficients; (low, high) of each, if known, count too."""
    if on_one_line(ratio_range) or condition > HOPELESS:
        return "not identified"
    if condition > WEAK or bounds_hit(theta) or absent_terms(theta[None], runs).any():
        return "weakly identified"
    if intervals is not None and open_exponents(*intervals):
        return "weakly identified"
    return "identified"


def open_exponents(low: Array, high: Array) -> list[str]:
    """The exponents whose interval reaches a bound: the runs are too noisy to say what they are."""
    return [
        NAMES[column]
        for column in (ALPHA, BETA)
        if low[column] <= 0 or high[column] >= LARGEST_EXPONENT
    ]


def bounds_hit(theta: Array) -> list[tuple[str, float]]:
    """The exponents that ended at 0 or 5: (name, bound)."""
    return [
        (NAMES[column], bound)
        for column in (ALPHA, BETA)
        for bound in (0.0, LARGEST_EXPONENT)
        if theta[column] == bound
    ]


def warnings(
    theta: Array,
    runs: Runs,
    condition: float,
    ratio_range: tuple[float, float],
    moves: Array | None,
    intervals: tuple[Array, Array] | None = None,
) -> tuple[str, ...]:
    """What to know before using the fit, the gravest first; one plain sentence each.

    ``moves`` (runs, 5) is the influence of each run in standard errors, if it is known.
    """
    found = [*_of_the_design(runs, condition, ratio_range), *_of_the_law(theta, runs)]
    found.extend(
        f"The interval of {name} reaches from bound to bound or up to one: the runs are too few or "
        "too noisy to say what it is."
        for name in (open_exponents(*intervals) if intervals is not None else ())
    )
    found.extend(_of_far_runs(theta, runs))
    # Where the coefficients are open, every run moves them; that says nothing about the run.
    if moves is not None and judge(theta, runs, condition, ratio_range) != "not identified":
        found.extend(_of_single_runs(moves))
    return tuple(found)


def _of_the_design(runs: Runs, condition: float, ratio_range: tuple[float, float]) -> list[str]:
    low, high = ratio_range
    found = []
    for name, column, pair in (
        ("params", runs.params, "A and alpha"),
        ("tokens", runs.tokens, "B and beta"),
    ):
        if np.unique(column).size == TOO_FEW_VALUES:
            found.append(
                f"Only {TOO_FEW_VALUES} different {name}: {pair} cannot be told apart; "
                "add runs at a third."
            )
        if (largest := column.max()) < SINGLY:
            found.append(
                f"The largest {name} is {largest:g}: give plain counts, 16E9 and not 16, since "
                "whatever takes these coefficients counts so."
            )
    if high < 1:
        found.append(
            f"No run has more than {high:.3g} tokens per parameter: perhaps params and tokens are swapped."
        )
    if on_one_line(ratio_range):
        found.append(
            f"All runs have about {low:.3g} tokens per parameter: the size and the data term can "
            "swap places and only their sum is known; add runs at other ratios."
        )
    elif high <= NARROW * low:
        found.append(
            f"Tokens per parameter range only from {low:.3g} to {high:.3g}: the law is unsafe at "
            "other ratios; add runs over more than a tenfold range."
        )
    if condition > WEAK:
        found.append(
            f"The runs hardly tell the coefficients apart (condition number {condition:.2g}): "
            "use the law between the runs, not its single coefficients."
        )
    if runs.distinct < FEW_RUNS:
        found.append(
            f"Only {runs.distinct} distinct runs for five coefficients: the intervals may be too "
            f"narrow; use at least {FEW_RUNS}."
        )
    return found


def _of_the_law(theta: Array, runs: Runs) -> list[str]:
    without_size, without_data, without_floor = absent_terms(theta[None], runs)[0]
    found = []
    if without_size:
        found.append("A = 0: the losses do not fall with params, and alpha has no meaning.")
    if without_data:
        found.append("B = 0: the losses do not fall with tokens, and beta has no meaning.")
    if without_floor:
        found.append("E = 0: the runs show no irreducible loss.")
    for name, bound in bounds_hit(theta):
        meaning = (
            f"the losses hardly change with {'params' if name == 'alpha' else 'tokens'}"
            if bound == 0
            else "a few runs, perhaps wrong ones, bend the law"
        )
        found.append(f"{name} = {bound:g} is at its bound: {meaning}.")
    return found


def _of_far_runs(theta: Array, runs: Runs) -> list[str]:
    """Sentences on runs so far off the law that it passes them by: their pull is bounded."""
    residuals = np.abs(predict(theta[None], runs)[-1][0])
    order = np.argsort(-residuals, kind="stable")[:NAMED_RUNS]
    far = max(FAR_OFF, FAR_FROM_THE_REST * float(np.median(residuals)))
    return [
        f"The loss of row {run + 1} is {np.exp(min(residuals[run], LARGEST_LOG)):.3g} times off the law: check that "
        "run."
        for run in order[residuals[order] > far]
    ]


def _of_single_runs(moves: Array) -> list[str]:
    """Sentences on the runs that move alpha, beta or E the most; A and B follow the exponents."""
    columns = [E, ALPHA, BETA]
    strongest = np.abs(moves[:, columns]).max(axis=1)
    order = np.argsort(-strongest, kind="stable")[:NAMED_RUNS]
    found = []
    for run in order[strongest[order] >= NOTABLE]:
        column = max(columns, key=lambda c: abs(moves[run, c]))
        found.append(
            f"Row {run + 1} alone moves {NAMES[column]} by {abs(moves[run, column]):.1f} standard "
            "errors: check that run."
        )
    return found
