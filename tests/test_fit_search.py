"""Claims about how the fit searches: its starts, its steps, and when it stops."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
from scipy.optimize import nnls

from chinchilla_xl.fit import newton, resampling, search
from chinchilla_xl.fit.newton import LONGEST_STEP, minimise
from chinchilla_xl.fit.objective import (
    Expansion,
    absent_terms,
    coefficients,
    expand,
    objective,
)
from chinchilla_xl.fit.runs import Runs, checked
from fit_datasets import Array, data_set, iso_flops, table_4

pytestmark = pytest.mark.once

NOISY = checked(*data_set(10).runs)
ALONE = np.ones((1, len(NOISY)))
BEST, _ = search.search(NOISY)


def law_on_the_grid(floor: float, unit: float = 1.0) -> tuple[Runs, Array]:
    """Exact losses of a law whose exponents are on the grid of starts; its theta."""
    params, tokens = table_4()
    losses = unit * (floor + 400 / params**0.32 + 3000 / tokens**0.43)
    runs = checked(params, tokens, losses)
    a, b = np.log(400 * unit) - 0.32 * runs.x_mean, np.log(3000 * unit) - 0.43 * runs.y_mean
    with np.errstate(divide="ignore"):
        return runs, np.array([a, b, np.log(floor * unit), 0.32, 0.43])


def near_the_minimum(*shifts: float) -> Array:
    """Laws beside the best one for the noisy runs, each off by as much in every coefficient."""
    return BEST + np.array(shifts)[:, None] * [1, -1, 1, 1, -1]


@pytest.mark.parametrize("unit", [1.0, 50.0])
def test_a_law_with_exponents_on_the_grid_is_the_first_start(unit: float) -> None:
    runs, theta = law_on_the_grid(1.7, unit)
    np.testing.assert_allclose(search.starting_points(runs)[0], theta, rtol=0, atol=1e-6)


def test_starts_are_a_dozen_different_laws_and_one_without_a_floor() -> None:
    runs, theta = law_on_the_grid(0.0)
    starts = search.starting_points(runs)
    assert len(np.unique(starts[:12, 3:], axis=0)) == 12
    assert len(starts) == 13
    # The floor starts at a thousandth of the lowest loss: at zero no step could revive it.
    faint = np.log(1e-3) + runs.t.min()
    expected = [theta[0], theta[1], faint, theta[3], theta[4]]
    np.testing.assert_allclose(starts[-1], expected, rtol=0, atol=1e-6)


def test_starts_are_the_best_laws_of_the_grid_the_best_first() -> None:
    runs = checked(*data_set(12).runs)
    starts = search.starting_points(runs)[:12]
    values = objective(starts, runs, np.ones((1, len(runs))))
    assert (np.diff(values) >= 0).all()


@pytest.mark.parametrize("scale", [1.0, 1e-9])
def test_non_negative_coefficients_are_those_of_scipy(scale: float) -> None:
    """Random terms, in many of which some coefficient is zero; one term far below the others."""
    rng = np.random.default_rng(1)
    terms = rng.uniform(-0.7, 1, (200, 3, 15)) * np.array([1, scale, 1])[:, None]
    expected = np.array([nnls(each.T, np.ones(15))[0] for each in terms])
    assert 40 < (expected == 0).any(axis=1).sum() < 160
    found = search._non_negative_least_squares(terms)
    np.testing.assert_allclose(found * [1, scale, 1], expected * [1, scale, 1], atol=1e-9)


def test_terms_that_are_alike_share_their_coefficient() -> None:
    terms = np.ones((1, 3, 6))
    terms[0, 2] = [1, 2, 3, 4, 5, 6]
    found = search._non_negative_least_squares(terms)[0]
    assert found[:2].sum() == pytest.approx(1)
    assert found[2] == pytest.approx(0, abs=1e-6)


def test_a_term_that_underflows_in_every_run_has_no_coefficient() -> None:
    terms = np.array([[np.zeros(6), np.ones(6), np.arange(1.0, 7)]])
    found = search._non_negative_least_squares(terms)[0]
    np.testing.assert_allclose(found, [0, 1, 0], atol=1e-6)


def test_an_undamped_step_is_newtons() -> None:
    theta = near_the_minimum(1e-3, -2e-3)
    here = expand(theta, NOISY, ALONE)
    step, promise = newton._step(theta, here, np.zeros(2))
    expected = np.linalg.solve(here.hessian, here.gradient[:, :, None])[:, :, 0]
    np.testing.assert_allclose(step, expected, rtol=1e-6)
    np.testing.assert_allclose(promise, (here.gradient * expected).sum(axis=1), rtol=1e-6)


def test_damping_adds_gauss_newton_and_a_thousandth_of_its_diagonal() -> None:
    theta = near_the_minimum(0.02, -0.01)
    here = expand(theta, NOISY, ALONE)
    for damp in (0.3, 50.0):
        step, promise = newton._step(theta, here, np.full(2, damp))
        springs = here.gauss_newton
        diagonal = np.stack([np.diag(np.diag(one)) for one in springs])
        matrix = here.hessian + damp * (springs + 1e-3 * diagonal)
        expected = np.linalg.solve(matrix, here.gradient[:, :, None])[:, :, 0]
        np.testing.assert_allclose(step, expected, rtol=1e-9)
        np.testing.assert_allclose(promise, (here.gradient * expected).sum(axis=1), rtol=1e-9)


def test_a_step_is_the_same_beside_others_and_in_any_unit_of_the_weights() -> None:
    theta = near_the_minimum(0.02, 0.02, 0.02)
    weights = np.array([[1e-20], [1.0], [1e20]]) * ALONE
    step, promise = newton._step(theta, expand(theta, NOISY, weights), np.full(3, 0.3))
    np.testing.assert_allclose(step, step[[1, 1, 1]], rtol=1e-9)
    np.testing.assert_allclose(promise, promise[1] * np.array([1e-20, 1, 1e20]), rtol=1e-9)


def test_a_term_that_has_died_out_does_not_move() -> None:
    theta = near_the_minimum(0.0)
    theta[0, 0] -= 1000
    step, _ = newton._step(theta, expand(theta, NOISY, ALONE), np.full(1, 0.1))
    assert step[0, 0] == step[0, 3] == 0
    assert np.isfinite(step).all()


def test_long_steps_are_shortened_in_their_direction_and_promise_less() -> None:
    theta = near_the_minimum(0.5, -0.001)
    here = expand(theta, NOISY, ALONE)
    full = np.linalg.solve(here.hessian, here.gradient[:, :, None])[:, :, 0]
    assert np.abs(full[0]).max() > LONGEST_STEP > np.abs(full[1]).max()
    step, promise = newton._step(theta, here, np.zeros(2))
    share = np.array([LONGEST_STEP / np.abs(full[0]).max(), 1])
    np.testing.assert_allclose(step, full * share[:, None], rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(promise, (here.gradient * full).sum(axis=1) * share, rtol=1e-6)


@pytest.mark.parametrize("column", [3, 4])
@pytest.mark.parametrize(("bound", "slope"), [(0.0, 1e-3), (5.0, -1e-3)])
@pytest.mark.parametrize("damp", [0.0, 1e6])
def test_an_exponent_pressed_against_its_bound_is_left_out_of_the_step(
    column: int, bound: float, slope: float, damp: float
) -> None:
    theta = near_the_minimum(1e-3)
    here = expand(theta, NOISY, ALONE)
    theta[0, column] = bound
    here.gradient[0, column] = slope
    step, promise = newton._step(theta, here, np.full(1, damp))
    assert step[0, column] == 0
    rest = [other for other in range(5) if other != column]
    springs = here.gauss_newton[0]
    matrix = here.hessian[0] + damp * (springs + 1e-3 * np.diag(np.diag(springs)))
    expected = np.linalg.solve(matrix[np.ix_(rest, rest)], here.gradient[0, rest])
    np.testing.assert_allclose(step[0, rest], expected, rtol=1e-6)
    assert promise[0] == pytest.approx(here.gradient[0, rest] @ expected, rel=1e-6)


@pytest.mark.parametrize("column", [3, 4])
@pytest.mark.parametrize(("bound", "slope"), [(0.0, -0.5), (5.0, 0.5)])
def test_an_exponent_at_its_bound_is_free_to_come_back(
    column: int, bound: float, slope: float
) -> None:
    theta = near_the_minimum(1e-3)
    here = expand(theta, NOISY, ALONE)
    theta[0, column] = bound
    here.gradient[0, column] = slope
    step, _ = newton._step(theta, here, np.full(1, 1e6))
    assert step[0, column] * slope > 0


def test_a_step_without_a_number_is_no_step_and_promises_nothing() -> None:
    theta = near_the_minimum(1e-3, 1e-3)
    here = expand(theta, NOISY, ALONE)
    alone, _ = newton._step(theta, here, np.zeros(2))
    here.hessian[1, 0, 0] = np.nan
    step, promise = newton._step(theta, here, np.zeros(2))
    np.testing.assert_array_equal(step[1], 0)
    assert np.isnan(promise[1])
    np.testing.assert_array_equal(step[0], alone[0])


def test_a_singular_system_is_solved_downhill_and_leaves_its_neighbours_alone() -> None:
    """Five equal equations, 1e-12 x = 1e-12 ones, beside a sound system of another size."""
    matrices = np.array([np.full((5, 5), 1e-12), 1e6 * np.eye(5)])
    right = np.array([[1, 1, 1, 1, 1.5], [1, 2, 3, 4, 5]])
    downhill, sound = newton._solve(matrices, right)
    np.testing.assert_allclose(sound, right[1] / 1e6, rtol=1e-8)
    # (1e-12 J + 1e-21 I) x = r has x = (r - mean(r)) / 1e-21 + mean(r) / (5e-12 + 1e-21).
    mean = right[0].mean()
    np.testing.assert_allclose(downhill, (right[0] - mean) / 1e-21 + mean / 5e-12, rtol=1e-6)


@pytest.mark.parametrize("column", [3, 4])
def test_at_a_bound_the_objective_is_level_in_the_other_coefficients(column: int) -> None:
    """A law too steep for its bound: the conditions of Karush, Kuhn and Tucker."""
    params = np.repeat(np.geomspace(1e8, 3e9, 4), 4)
    tokens = np.tile(np.geomspace(2e9, 2e12, 4), 4)
    x, y = np.log(params / params.max()), np.log(tokens / tokens.max())
    steep, plain = (x, y) if column == 3 else (y, x)
    losses = 1.69 + 1e-6 * np.exp(-7 * steep) + 0.2 * np.exp(-0.3 * plain)
    runs = checked(params, tokens, losses)
    theta, value = search.search(runs)
    gradient = expand(theta[None], runs, np.ones((1, 16))).gradient[0]
    assert theta[column] == 5
    assert gradient[column] < 0
    rest = [other for other in range(5) if other != column]
    np.testing.assert_allclose(gradient[rest], 0, atol=1e-7 * value)


@pytest.fixture
def expansions(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many laws each call of the search expands; the first call is at the starts."""
    calls: list[int] = []

    def counted(theta: Array, runs: Runs, weights: Array) -> Expansion:
        calls.append(len(theta))
        return expand(theta, runs, weights)

    monkeypatch.setattr(newton, "expand", counted)
    return calls


def test_the_race_goes_on_with_the_best_few(expansions: list[int]) -> None:
    starts = search.starting_points(NOISY)
    minimise(starts, NOISY, ALONE, keep={2: 5, 3: 1}, most_steps=4)
    assert expansions == [len(starts), len(starts), len(starts), 5, 1]


def test_a_race_of_one_start_is_won_by_it() -> None:
    starts = near_the_minimum(0.1)
    raced, value = minimise(starts, NOISY, ALONE, keep={1: 1, 2: 1, 3: 4})
    alone, lowest = minimise(starts, NOISY, ALONE)
    np.testing.assert_array_equal(raced, alone)
    np.testing.assert_array_equal(value, lowest)


@pytest.mark.parametrize("most", [1, 3])
def test_no_more_steps_are_taken_than_asked_for(most: int, expansions: list[int]) -> None:
    starts = near_the_minimum(0.1)
    _, value = minimise(starts, NOISY, ALONE, most_steps=most)
    assert expansions == [1] * (most + 1)
    assert value[0] <= objective(starts, NOISY, ALONE)[0]


def test_newton_doubles_the_digits_near_a_minimum(expansions: list[int]) -> None:
    starts = near_the_minimum(1e-4)
    minimise(starts, NOISY, ALONE, damping=1e-9)
    assert len(expansions) <= 5


def test_after_a_refused_step_the_damping_soon_tells() -> None:
    starts = near_the_minimum(0.5)
    before = objective(starts, NOISY, ALONE)
    _, refused = minimise(starts, NOISY, ALONE, damping=1e-14, most_steps=1)
    _, taken = minimise(starts, NOISY, ALONE, damping=1e-14, most_steps=10)
    assert refused == before
    assert taken < before


def test_a_small_promise_under_heavy_damping_is_not_the_end() -> None:
    starts = near_the_minimum(0.01)
    _, lowest = minimise(BEST[None], NOISY, ALONE)
    _, found = minimise(starts, NOISY, ALONE, damping=1e8, precision=1e-6)
    np.testing.assert_allclose(found, lowest, rtol=1e-5)


def test_a_draw_of_a_sound_table_takes_five_steps(expansions: list[int]) -> None:
    runs = checked(*data_set(7).runs)
    theta, _ = search.search(runs)
    expansions.clear()
    resampling.refit(runs, theta, resampling.resample(runs, 200, 0))
    assert sum(expansions) <= 5 * 200


def test_exact_losses_end_the_search_at_rounding(expansions: list[int]) -> None:
    runs, theta = law_on_the_grid(1.7)
    minimise(theta[None] + 1e-3, runs, np.ones((1, len(runs))))
    assert len(expansions) <= 10


def test_coefficients_are_capped_below_the_largest_float() -> None:
    params, tokens = iso_flops()
    runs = checked(params, tokens, np.full(len(params), 2.0))
    theta = np.array([[709, 709, 0.5, 0.0, 0.0], [709, 900, 0.5, 0.0, 0.0]])
    found = coefficients(theta, runs)
    largest = float(mpmath.exp(709))
    np.testing.assert_allclose(found[0, :2], largest, rtol=1e-12)
    assert found[1, 1] == pytest.approx(largest, rel=1e-12)


def test_a_term_is_absent_below_a_trillionth_of_every_loss() -> None:
    params, tokens = iso_flops()
    runs = checked(params, tokens, np.full(len(params), 2.0))
    theta = np.array([[np.log(share), 0, 0, 0, 0] for share in (1.9e-12, 2.1e-12)])
    np.testing.assert_array_equal(absent_terms(theta, runs), [[True, False, False], [False] * 3])
