"""Claims about runs that cannot be fitted, or that leave something open."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chinchilla_xl.fit import FitError, bootstrap, diagnostics, fit
from chinchilla_xl.fit.diagnostics import open_exponents
from fit_datasets import Array, data_set, table_4

pytestmark = pytest.mark.once

SIZES = np.repeat([1e8, 3e8, 1e9, 3e9], 4)
DURATIONS = np.tile([2e9, 2e10, 2e11, 2e12], 4)


def losses_at(params: Array, tokens: Array) -> Array:
    return 1.69 + 406.4 / params**0.34 + 410.7 / tokens**0.28


LOSSES = losses_at(SIZES, DURATIONS)


def replaced(column: Array, row: int, value: float) -> Array:
    changed = column.copy()
    changed[row - 1] = value
    return changed


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            (SIZES, DURATIONS, replaced(LOSSES, 7, -1)),
            "losses must be finite and > 0: -1 in row 7; correct or remove that run",
        ),
        (
            (replaced(SIZES, 2, 0), DURATIONS, LOSSES),
            "params must be finite and > 0: 0 in row 2; correct or remove that run",
        ),
        (
            (SIZES, replaced(DURATIONS, 16, np.inf), LOSSES),
            "tokens must be finite and > 0: inf in row 16; correct or remove that run",
        ),
        (
            (SIZES, DURATIONS, replaced(LOSSES, 1, np.nan)),
            "losses must be finite and > 0: nan in row 1; correct or remove that run",
        ),
        (
            (SIZES, DURATIONS, [*LOSSES[:3], "2.1 nats", *LOSSES[4:]]),
            "losses must be numbers: '2.1 nats' in row 4; correct or remove that run",
        ),
        (
            (SIZES, [*DURATIONS[:9], None, *DURATIONS[10:]], LOSSES),
            "tokens must be numbers: a blank in row 10; correct or remove that run",
        ),
        (
            (SIZES, DURATIONS[:-1], LOSSES),
            "tokens must have as many values as params: 15 against 16; give one row for each run",
        ),
        (
            (SIZES, DURATIONS, LOSSES[:3]),
            "losses must have as many values as params: 3 against 16; give one row for each run",
        ),
        (
            (SIZES.reshape(4, 4), DURATIONS, LOSSES),
            "params must be one row or one column: shape (4, 4); give one value a run",
        ),
        ((1e9, DURATIONS, LOSSES), "params must be one row or one column: shape ()"),
        (([], [], []), "params and tokens must hold at least 5 distinct runs: 0"),
        (
            (SIZES[:4], DURATIONS[:4], LOSSES[:4]),
            "params and tokens must hold at least 5 distinct runs: 4; add runs of other sizes",
        ),
        (
            (np.tile(SIZES[:4], 3), np.tile(DURATIONS[:4], 3), np.tile(LOSSES[:4], 3)),
            "params and tokens must hold at least 5 distinct runs: 4",
        ),
        (
            (np.full(6, 1e9), np.geomspace(1e9, 1e12, 6), LOSSES[:6]),
            "params must hold at least 2 different values: all are 1e+09; add runs",
        ),
        (
            (np.geomspace(1e8, 1e10, 6), np.full(6, 2e10), LOSSES[:6]),
            "tokens must hold at least 2 different values: all are 2e+10; add runs",
        ),
    ],
)
def test_what_cannot_be_fitted_is_named_with_argument_rule_value_and_row(
    arguments: tuple[Array, Array, Array], message: str
) -> None:
    with pytest.raises(FitError, match=re.escape(message)):
        fit(*arguments)
    with pytest.raises(FitError, match=re.escape(message)):
        bootstrap(*arguments, 10)


def test_the_first_of_several_wrong_values_is_named() -> None:
    wrong = replaced(replaced(LOSSES, 3, -2), 9, 0)
    with pytest.raises(FitError, match=re.escape("losses must be finite and > 0: -2 in row 3;")):
        fit(SIZES, DURATIONS, wrong)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"confidence": 1.5}, "confidence must be between 0 and 1: 1.5; 0.95 is usual"),
        ({"confidence": 0.0}, "confidence must be between 0 and 1: 0; 0.95 is usual"),
        ({"confidence": 1.0}, "confidence must be between 0 and 1: 1; 0.95 is usual"),
        ({"draws": -1}, "draws must be 0 or at least 2: -1; 1000 is usual"),
        ({"draws": 1}, "draws must be 0 or at least 2: 1; 1000 is usual"),
    ],
)
def test_options_out_of_range_are_errors(options: dict[str, float], message: str) -> None:
    with pytest.raises(FitError, match=re.escape(message)):
        fit(SIZES, DURATIONS, LOSSES, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("count", [-5, -1])
def test_a_negative_number_of_draws_is_an_error(count: int) -> None:
    with pytest.raises(FitError, match=f"count must be >= 0: {count}; 1000 is usual"):
        bootstrap(SIZES, DURATIONS, LOSSES, count)


@pytest.mark.parametrize(
    ("low", "high", "found"),
    [
        ((0.1, 0.1), (0.5, 4.9), []),
        ((0, 0.1), (0.5, 0.5), ["alpha"]),
        ((0.1, 0), (0.5, 0.5), ["beta"]),
        ((0.1, 0.1), (5, 0.5), ["alpha"]),
        ((0, 0.1), (5, 5), ["alpha", "beta"]),
    ],
)
def test_an_exponent_whose_interval_reaches_a_bound_is_open(
    low: tuple[float, float], high: tuple[float, float], found: list[str]
) -> None:
    ends = (np.array([1, 1, 1, *exponents]) for exponents in (low, high))
    assert open_exponents(*ends) == found


def test_five_distinct_runs_are_enough() -> None:
    rows = [0, 3, 5, 10, 12]
    found = fit(SIZES[rows], DURATIONS[rows], LOSSES[rows], draws=0)
    assert found.distinct_points == 5
    assert np.abs(found.residuals).max() < 1e-9


def test_fit_errors_are_value_errors() -> None:
    assert issubclass(FitError, ValueError)


def test_runs_on_one_tokens_per_parameter_line_are_not_identified() -> None:
    params = np.geomspace(1e8, 1e10, 12)
    found = fit(params, 20 * params, losses_at(params, 20 * params), draws=50)
    assert found.verdict == "not identified"
    assert found.warnings[0] == (
        "All runs have about 20 tokens per parameter: the size and the data term can swap places "
        "and only their sum is known; add runs at other ratios."
    )
    assert np.isfinite(found.law.alpha)
    assert np.abs(found.residuals).max() < 1e-4


def test_a_narrow_range_of_ratios_is_reported() -> None:
    ratio = np.tile([10.0, 20.0, 40.0], 4)
    params = np.repeat(np.geomspace(1e8, 3e9, 4), 3)
    found = fit(params, ratio * params, losses_at(params, ratio * params), draws=50)
    (warning,) = found.warnings
    assert warning == (
        "Tokens per parameter range only from 10 to 40: the law is unsafe at other ratios; "
        "add runs over more than a tenfold range."
    )


@pytest.mark.parametrize(
    ("swap", "name", "pair"), [(False, "params", "A and alpha"), (True, "tokens", "B and beta")]
)
def test_two_sizes_or_token_counts_leave_a_term_open(swap: bool, name: str, pair: str) -> None:
    few, many = np.repeat([1e9, 1e11], 8), np.tile(np.geomspace(1e9, 1e12, 8), 2)
    params, tokens = (many, few) if swap else (few, many)
    found = fit(params, tokens, losses_at(params, tokens), draws=50)
    assert found.verdict == "not identified"
    assert found.warnings[0] == (
        f"Only 2 different {name}: {pair} cannot be told apart; add runs at a third."
    )
    assert "The runs hardly tell the coefficients apart" in found.warnings[1]


def test_a_large_condition_number_makes_the_fit_weakly_identified() -> None:
    params = np.tile([1e9, 1.1e9, 1.2e9], 6)
    tokens = np.repeat(np.geomspace(1e9, 1e12, 6), 3)
    found = fit(params, tokens, losses_at(params, tokens), draws=50)
    assert 1e3 < found.condition_number < 1e5
    assert found.verdict == "weakly identified"
    assert any("hardly tell the coefficients apart" in text for text in found.warnings)


def test_fewer_than_ten_distinct_runs_are_reported() -> None:
    rows = [0, 1, 2, 4, 6, 8, 9, 11]
    found = fit(SIZES[rows * 2], DURATIONS[rows * 2], LOSSES[rows * 2], draws=50)
    assert (found.points, found.distinct_points) == (16, 8)
    assert (
        "Only 8 distinct runs for five coefficients: the intervals may be too narrow; "
        "use at least 10." in found.warnings
    )


def test_a_floor_of_zero_is_reported() -> None:
    found = fit(SIZES, DURATIONS, LOSSES - 1.69, draws=50)
    assert found.law.E == found.low[2] == found.high[2] == 0
    assert (found.law.alpha, found.law.beta) == pytest.approx((0.34, 0.28), rel=1e-9)
    assert found.verdict == "weakly identified"
    assert found.warnings == ("E = 0: the runs show no irreducible loss.",)


def test_a_floor_of_zero_may_come_back_in_other_draws() -> None:
    """A table whose best fit has E = 0, though it was made with E = 1.8."""
    found = fit(*data_set(148).runs, draws=300)
    assert found.law.E == found.low[2] == 0
    assert found.high[2] > data_set(148).true_law[2]


def test_losses_that_ignore_the_size_are_not_identified() -> None:
    found = fit(SIZES, DURATIONS, 1.69 + 410.7 / DURATIONS**0.28, draws=50)
    assert found.verdict == "not identified"
    assert "alpha = 0 is at its bound: the losses hardly change with params." in found.warnings
    assert found.law.beta == pytest.approx(0.28, rel=1e-9)


def test_losses_that_ignore_the_data_are_not_identified() -> None:
    found = fit(SIZES, DURATIONS, 1.69 + 406.4 / SIZES**0.34, draws=50)
    assert found.verdict == "not identified"
    assert "beta = 0 is at its bound: the losses hardly change with tokens." in found.warnings


def test_an_exponent_at_its_upper_bound_is_reported() -> None:
    steep = 1.69 + 1e-6 * (1e9 / SIZES) ** 6 + 410.7 / DURATIONS**0.28
    found = fit(SIZES, DURATIONS, steep, draws=50)
    assert found.law.alpha == 5
    assert (
        "alpha = 5 is at its bound: a few runs, perhaps wrong ones, bend the law." in found.warnings
    )
    assert found.verdict == "weakly identified"


def test_exponents_stay_within_their_bounds_in_every_draw() -> None:
    rng = np.random.default_rng(1)
    draws = bootstrap(SIZES, DURATIONS, LOSSES * np.exp(0.3 * rng.normal(size=16)), 200)
    assert (draws >= 0).all()
    assert (draws[:, 3:] <= 5).all()
    assert np.isfinite(draws).all()


def test_a_run_that_decides_a_coefficient_is_named_by_its_row() -> None:
    """The only large model, whose loss was read 5 % too high."""
    params = np.append(np.repeat([1e8, 2e8, 4e8], 5), 1e10)
    tokens = np.append(np.tile(np.geomspace(2e9, 2e12, 5), 3), 1e11)
    noise = np.random.default_rng(0).normal(size=16)
    losses = losses_at(params, tokens) * np.exp(1e-3 * noise)
    assert fit(params, tokens, losses).warnings == ()
    losses[15] *= 1.05
    (warning,) = fit(params, tokens, losses).warnings
    assert re.fullmatch(
        r"Row 16 alone moves alpha by \d+\.\d standard errors: check that run\.", warning
    )


def test_runs_far_off_the_law_are_named_by_their_rows_the_farthest_first() -> None:
    params, tokens = table_4()
    losses = losses_at(params, tokens)
    losses[[4, 20]] *= 1.5, 3
    found = fit(params, tokens, losses, draws=0)
    np.testing.assert_allclose(found.residuals[[4, 20]], [-np.log(1.5), -np.log(3)], atol=0.01)
    assert [text for text in found.warnings if "off the law" in text] == [
        "The loss of row 21 is 3 times off the law: check that run.",
        "The loss of row 5 is 1.5 times off the law: check that run.",
    ]


def test_ten_distinct_runs_are_enough_not_to_be_reported() -> None:
    rows = [0, 1, 2, 3, 5, 6, 8, 11, 12, 15]
    found = fit(SIZES[rows], DURATIONS[rows], LOSSES[rows], draws=0)
    assert found.distinct_points == 10
    assert not any("distinct runs" in text for text in found.warnings)


@pytest.mark.parametrize(("widest", "narrow"), [(99.0, True), (101.0, False)])
def test_less_than_a_tenfold_range_of_ratios_is_reported(widest: float, narrow: bool) -> None:
    ratio = np.tile([10.0, 30.0, widest], 4)
    params = np.repeat(np.geomspace(1e8, 3e9, 4), 3)
    found = fit(params, ratio * params, losses_at(params, ratio * params), draws=0)
    assert any("Tokens per parameter range only" in text for text in found.warnings) == narrow


def test_the_condition_number_is_that_of_the_log_losses_in_the_log_coefficients() -> None:
    """By finite differences of the law itself, and numpy's condition number."""
    params, tokens = table_4()
    found = fit(params, tokens, losses_at(params, tokens), draws=0)
    x, y = (np.log(column) - np.log(column).mean() for column in (params, tokens))
    law = found.law
    a = np.log(law.A) - law.alpha * np.log(params).mean()
    b = np.log(law.B) - law.beta * np.log(tokens).mean()
    theta = np.array([a, b, np.log(law.E), law.alpha, law.beta])

    def log_losses(t: Array) -> Array:
        losses: Array = np.log(np.exp(t[0] - t[3] * x) + np.exp(t[1] - t[4] * y) + np.exp(t[2]))
        return losses

    steps = 1e-5 * np.eye(5)
    columns = [log_losses(theta + step) - log_losses(theta - step) for step in steps]
    jacobian = np.column_stack([column / np.linalg.norm(column) for column in columns])
    assert found.condition_number == pytest.approx(np.linalg.cond(jacobian), rel=1e-4)


@pytest.mark.parametrize(("move", "named"), [(1.45, 0), (-1.55, 1)])
def test_a_run_is_named_from_one_and_a_half_standard_errors_on(move: float, named: int) -> None:
    moves = np.zeros((12, 5))
    moves[7, 3] = move
    found = diagnostics._of_single_runs(moves)
    assert len(found) == named
    assert all(text.startswith("Row 8 alone moves alpha by 1.") for text in found)


def test_clean_runs_raise_no_warning() -> None:
    params, tokens = table_4()
    noise = np.random.default_rng(0).normal(size=47)
    assert fit(params, tokens, losses_at(params, tokens) * np.exp(1e-3 * noise)).warnings == ()


MAGNITUDES = st.floats(-250, 250)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(MAGNITUDES, MAGNITUDES, MAGNITUDES), min_size=5, max_size=12),
)
def test_any_positive_numbers_give_a_fit_or_a_fit_error(
    exponents: list[tuple[float, float, float]],
) -> None:
    """Warnings are errors here, so this also says that none escapes."""
    params, tokens, losses = 10.0 ** np.array(exponents).T
    try:
        found = fit(params, tokens, losses, draws=10)
    except FitError:
        return
    assert np.isfinite(found.objective)
    assert np.isfinite([found.low, found.high]).all()


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_few_whole_numbers_give_a_fit_or_a_fit_error(data: st.DataObject) -> None:
    """Small whole numbers make ties: equal sizes, equal ratios, repeated runs, equal losses."""
    count = data.draw(st.integers(5, 12))
    column = st.lists(st.integers(1, 4), min_size=count, max_size=count)
    try:
        found = fit(*(data.draw(column) for _ in range(3)), draws=10)
    except FitError:
        return
    assert np.isfinite(found.objective)
