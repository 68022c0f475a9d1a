"""Claims about what a fit says of itself: its verdict, its warnings, the influence of its runs."""

from __future__ import annotations

import numpy as np
import pytest

from chinchilla_xl.fit import diagnostics, fit, resampling
from chinchilla_xl.fit.runs import Runs, checked
from fit_datasets import Array, data_set, table_4

pytestmark = pytest.mark.once

PARAMS, TOKENS = table_4()
RATIOS = (10.0, 10_000.0)
THETA = np.array([-0.5, -0.3, 0.5, 0.34, 0.28])


def runs_off_by(*residuals: float) -> Runs:
    """Runs that the law THETA predicts too high by these factors in the logarithm, then exactly."""
    x, y = np.log(PARAMS) - np.log(PARAMS).mean(), np.log(TOKENS) - np.log(TOKENS).mean()
    losses = np.exp(THETA[0] - THETA[3] * x) + np.exp(THETA[1] - THETA[4] * y) + np.exp(THETA[2])
    losses[: len(residuals)] *= np.exp(-np.array(residuals))
    return checked(PARAMS, TOKENS, losses)


def theta_with(column: int, value: float) -> Array:
    changed = THETA.copy()
    changed[column] = value
    return changed


@pytest.mark.parametrize(
    ("condition", "verdict"),
    [
        (1e3, "identified"),
        (np.nextafter(1e3, 2e3), "weakly identified"),
        (1e5, "weakly identified"),
        (np.nextafter(1e5, 2e5), "not identified"),
        (np.inf, "not identified"),
    ],
)
def test_above_1e3_the_condition_number_is_weak_and_above_1e5_hopeless(
    condition: float, verdict: str
) -> None:
    runs = runs_off_by()
    assert diagnostics.judge(THETA, runs, condition, RATIOS) == verdict
    told = any("hardly tell" in text for text in warnings(runs, condition=condition))
    assert told == (verdict != "identified")


@pytest.mark.parametrize(
    ("theta", "verdict"),
    [
        (theta_with(3, 0.0), "weakly identified"),
        (theta_with(3, 5.0), "weakly identified"),
        (theta_with(4, 0.0), "weakly identified"),
        (theta_with(4, 5.0), "weakly identified"),
        (theta_with(0, -60.0), "weakly identified"),
        (theta_with(1, -60.0), "weakly identified"),
        (theta_with(2, -60.0), "weakly identified"),
        (THETA, "identified"),
    ],
)
def test_a_coefficient_at_its_limit_makes_the_verdict_weak(theta: Array, verdict: str) -> None:
    assert diagnostics.judge(theta, runs_off_by(), 50.0, RATIOS) == verdict


@pytest.mark.parametrize(("low", "verdict"), [(0.0, "weakly identified"), (0.1, "identified")])
def test_an_open_interval_makes_the_verdict_weak(low: float, verdict: str) -> None:
    ends = np.full(5, low), np.full(5, 1.0)
    runs = runs_off_by()
    assert diagnostics.judge(THETA, runs, 50.0, RATIOS, ends) == verdict
    told = [
        f"The interval of {name} reaches from bound to bound or up to one: the runs are too few "
        "or too noisy to say what it is."
        for name in ("alpha", "beta")
    ]
    found = diagnostics.warnings(THETA, runs, 50.0, RATIOS, None, ends)
    assert list(found) == (told if low == 0 else [])


def warnings(
    runs: Runs,
    theta: Array = THETA,
    condition: float = 50.0,
    ratios: tuple[float, float] = RATIOS,
    moves: Array | None = None,
) -> tuple[str, ...]:
    return diagnostics.warnings(theta, runs, condition, ratios, moves)


@pytest.mark.parametrize(("highest", "line"), [(20.9, True), (21.1, False)])
def test_ratios_within_five_percent_are_one_line(highest: float, line: bool) -> None:
    ratios = (20.0, highest)
    assert diagnostics.on_one_line(ratios) == line
    (warning,) = warnings(runs_off_by(), ratios=ratios)
    assert warning.startswith(
        "All runs have about 20 tokens" if line else "Tokens per parameter range only from 20 to 21"
    )


def test_a_tenfold_range_of_ratios_is_still_narrow() -> None:
    (warning,) = warnings(runs_off_by(), ratios=(10.0, 100.0))
    assert warning.startswith("Tokens per parameter range only from 10 to 100")
    assert warnings(runs_off_by(), ratios=(10.0, np.nextafter(100, 101))) == ()


@pytest.mark.parametrize(("largest", "said"), [(9.9e5, 1), (1.1e6, 0)])
def test_counts_that_were_probably_meant_in_millions_are_warned_of(
    largest: float, said: int
) -> None:
    params, tokens = np.geomspace(largest / 100, largest, 12), np.geomspace(1e9, 1e12, 12)
    found = fit(params, tokens, 2 + 100 / params**0.3 + 100 / tokens**0.3, draws=0)
    assert sum("give plain counts, 16E9 and not 16" in w for w in found.warnings) == said


def test_swapped_columns_are_suspected() -> None:
    params, tokens = table_4()
    losses = 2 + 100 / params**0.3 + 100 / tokens**0.3
    words = "perhaps params and tokens are swapped"
    assert not any(words in w for w in fit(params, tokens, losses, draws=0).warnings)
    assert any(words in w for w in fit(tokens, params, losses, draws=0).warnings)


def test_an_absent_term_has_no_meaning_and_makes_the_condition_infinite() -> None:
    runs = runs_off_by()
    for column, text in (
        (0, "A = 0: the losses do not fall with params, and alpha has no meaning."),
        (1, "B = 0: the losses do not fall with tokens, and beta has no meaning."),
    ):
        theta = theta_with(column, -60.0)
        assert diagnostics.condition_number(theta, runs) == np.inf
        assert text in warnings(runs, theta)


def test_without_a_floor_the_condition_is_that_of_the_other_four_coefficients() -> None:
    """The residual is log(S + T) - t: its slopes are S/(S+T), T/(S+T) and these by -x, -y."""
    runs = runs_off_by()
    size = np.exp(THETA[0] - THETA[3] * runs.x)
    data = np.exp(THETA[1] - THETA[4] * runs.y)
    columns = np.array([size, data, -size * runs.x, -data * runs.y]) / (size + data)
    expected = np.linalg.cond((columns / np.linalg.norm(columns, axis=1, keepdims=True)).T)
    found = diagnostics.condition_number(theta_with(2, -60.0), runs)
    assert found == pytest.approx(expected, rel=1e-9)


def test_terms_that_are_alike_in_every_run_make_the_condition_infinite() -> None:
    """Eight tables on D = 16 N: which rounding errors remain differs."""
    theta = np.array([-0.3, -0.3, 0.5, 0.3, 0.3])
    for count in range(6, 14):
        params = np.geomspace(1e8, 1e10, count)
        runs = checked(params, 16 * params, np.full(count, 2.0))
        assert diagnostics.condition_number(theta, runs) == np.inf


def test_a_size_term_without_a_slope_is_a_floor_and_makes_the_condition_infinite() -> None:
    for scale in (-1.0, -0.5, 0.0):
        theta = np.array([scale, -0.3, 0.5, 0.0, 0.28])
        assert diagnostics.condition_number(theta, runs_off_by()) == np.inf


@pytest.mark.parametrize(("residual", "named"), [(0.101, True), (0.099, False), (-0.101, True)])
def test_a_run_is_far_off_from_ten_percent_on(residual: float, named: bool) -> None:
    found = warnings(runs_off_by(0.0, residual))
    factor = f"{np.exp(abs(residual)):.3g}"
    expected = f"The loss of row 2 is {factor} times off the law: check that run."
    assert found == ((expected,) if named else ())


@pytest.mark.parametrize(("residual", "named"), [(0.51, 1), (0.49, 0)])
def test_a_run_is_far_off_from_ten_times_the_median_on(residual: float, named: int) -> None:
    others = [0.05] * 30
    assert len(warnings(runs_off_by(residual, *others))) == named


def test_no_more_than_three_runs_are_named() -> None:
    found = warnings(runs_off_by(0.2, -0.6, 0.3, 0.5, 0.4))
    assert [text.split(" is ")[0] for text in found] == [
        f"The loss of row {row}" for row in (2, 4, 5)
    ]
    moves = np.zeros((47, 5))
    moves[:6, 3] = [2, -3, 4, 5, -6, 1.6]
    moves[7, :2] = 9  # A and B follow the exponents
    found = warnings(runs_off_by(), moves=moves)
    assert [text.split(":")[0] for text in found] == [
        "Row 5 alone moves alpha by 6.0 standard errors",
        "Row 4 alone moves alpha by 5.0 standard errors",
        "Row 3 alone moves alpha by 4.0 standard errors",
    ]


@pytest.mark.parametrize(("column", "name"), [(2, "E"), (3, "alpha"), (4, "beta")])
@pytest.mark.parametrize(("move", "named"), [(1.5, 1), (np.nextafter(1.5, 0), 0), (-1.5, 1)])
def test_a_run_that_moves_a_coefficient_by_one_and_a_half_errors_is_named(
    column: int, name: str, move: float, named: int
) -> None:
    moves = np.full((47, 5), 0.5)
    moves[46, column] = move
    found = warnings(runs_off_by(), moves=moves)
    expected = f"Row 47 alone moves {name} by 1.5 standard errors: check that run."
    assert found == (expected,) * named


def test_single_runs_are_not_named_where_the_coefficients_are_open() -> None:
    moves = np.full((47, 5), 9.0)
    found = warnings(runs_off_by(), condition=1e6, moves=moves)
    assert len(found) == 1
    assert "hardly tell the coefficients apart (condition number 1e+06)" in found[0]


def test_influence_is_the_move_of_the_median_without_the_run_in_its_standard_errors() -> None:
    rng = np.random.default_rng(3)
    draws = rng.normal(2.0, 0.1, (200, 2))
    weights = np.ones((200, 3))
    weights[:80, 0] = 0
    draws[:80, 1] += 0.4
    weights[:20, 1] = 0
    weights[:19, 2] = 0
    moves = resampling.influence(draws, weights)
    for run, without in ((0, draws[:80]), (1, draws[:20])):
        low, middle, high = np.percentile(without, [15.8655, 50, 84.1345], axis=0)
        expected = (middle - np.median(draws, axis=0)) / ((high - low) / 2)
        np.testing.assert_allclose(moves[run], expected, rtol=1e-9)
    assert moves[0, 1] > 1
    np.testing.assert_array_equal(moves[2], 0)  # nineteen draws are too few


def test_scatter_by_rounding_errors_is_no_influence() -> None:
    rng = np.random.default_rng(3)
    weights = np.ones((200, 1))
    weights[:100] = 0
    for scatter, tells in ((1e-10, False), (1e-8, True)):
        draws = 2.0 * (1 + scatter * rng.normal(size=(200, 1)))
        draws[:100] *= 1 + scatter
        assert (resampling.influence(draws, weights)[0, 0] != 0) == tells


def test_each_draw_takes_as_many_runs_as_there_are_each_with_the_same_chance() -> None:
    runs = checked(*data_set(8).runs)
    weights = resampling.resample(runs, 4000, 1)
    assert weights.shape == (4000, len(runs))
    np.testing.assert_array_equal(weights.sum(axis=1), len(runs))
    # The mean of 4,000 counts of variance 1 - 1/n scatters by 1/63; four times that.
    np.testing.assert_allclose(weights.mean(axis=0), 1, atol=4 / np.sqrt(4000))
