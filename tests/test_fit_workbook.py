"""The fit workbook: coefficients of pasted runs, and a budget from them, against direct calls."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import scoreatpercentile

import chinchilla_xl as cx
from blocks import block, errors, numbers
from chinchilla_xl.recalc import recompute_bytes
from chinchilla_xl.workbooks import template
from paper import TABLE_2, TABLE_3, agrees, printed
from support import named_values

pytestmark = pytest.mark.once

FIRST = 8  # row of the first run
LAW = np.array([406.4, 410.7, 1.69, 0.336, 0.283])
READ, WRITTEN = 646e6 * 36 * 70, 646e6 * 36 * 145


def runs(params: np.ndarray, tokens: np.ndarray, losses: np.ndarray) -> dict[str, float]:
    """These runs in place of the 47 placeholders, of which some stay if they are more."""
    cells = {}
    for column, values in zip("BCD", (params, tokens, losses), strict=True):
        cells |= {f"Runs!{column}{FIRST + i}": float(v) for i, v in enumerate(values)}
    return cells


def grid(law: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """48 noiseless runs, one more than the placeholders."""
    params = np.repeat(np.geomspace(1e8, 6e9, 6), 8)
    tokens = params * np.tile(np.geomspace(5, 5000, 8), 6)
    A, B, E, alpha, beta = law
    return params, tokens, E + A / params**alpha + B / tokens**beta


@pytest.fixture(scope="module")
def fitted() -> bytes:
    return template("fit")


@pytest.fixture(scope="module")
def noiseless() -> bytes:
    return template("fit", runs(*grid(LAW)))


def filled(data: bytes) -> tuple[np.ndarray, ...]:
    count = int(named_values(data)["fit_points"])
    return tuple(
        block(data, f"run_{name}").ravel()[:count].astype(float)
        for name in ("params", "tokens", "loss")
    )


def test_recomputing_it_repeats_nothing_that_was_said_before_the_fit_had_spilled(fitted):
    _, report = recompute_bytes(fitted)
    assert (report.messages, report.kept) == ([], [])


def test_runs_counted_in_billions_fail_a_check():
    params, tokens, losses = grid(LAW)
    values = named_values(template("fit", runs(params / 1e9, tokens / 1e9, losses)))
    assert values["budget_params"] < 1e6
    assert values["failing_checks"] >= 1


def test_noiseless_runs_give_back_their_law(noiseless):
    np.testing.assert_allclose(numbers(noiseless, "fitted_law"), LAW, rtol=1e-9)
    values = named_values(noiseless)
    assert values["fit_verdict"] == "identified"
    assert values["fit_points"] == 48
    assert values["failing_checks"] == 0


def test_the_fit_is_fit_coeffs_of_the_runs(fitted):
    table = cx.fit_coeffs(*filled(fitted))
    np.testing.assert_allclose(
        numbers(fitted, "fitted_law"), table[1:6, 1].astype(float), rtol=1e-9
    )
    shown = block(fitted, "fitted_coefficients")
    for row in range(1, 6):
        np.testing.assert_allclose(
            shown[row, 1:].astype(float), table[row, 1:].astype(float), rtol=1e-7
        )
    assert len(table) == len(shown) == 15


def test_residuals_are_logs_of_fitted_over_measured(fitted):
    params, tokens, losses = filled(fitted)
    A, B, E, alpha, beta = numbers(fitted, "fitted_law")
    expected = np.log((E + A / params**alpha + B / tokens**beta) / losses)
    shown = block(fitted, "run_residual").ravel()
    np.testing.assert_allclose(shown[:47].astype(float), expected, rtol=1e-9, atol=1e-12)
    assert set(shown[47:]) == {"-"}
    chart = numbers(fitted, "run_shown_residual")
    assert np.all(chart[47:] == chart[46])


def test_the_budget_is_what_direct_calls_give(fitted):
    values = named_values(fitted)
    law = numbers(fitted, "fitted_law")
    priced = cx.effective_tokens(READ, WRITTEN)
    assert values["budget_params"] == pytest.approx(cx.opt_params(2.0, priced, law), rel=1e-9)
    assert values["budget_tokens"] == pytest.approx(cx.opt_tokens(2.0, priced, law), rel=1e-9)
    cost = cx.opt_cost(2.0, READ, WRITTEN, coeffs=law)
    assert values["budget_cost"] == pytest.approx(cost, rel=1e-9)
    style = cx.opt_params(2.0, 0.0, law)
    assert values["style_params"] == pytest.approx(style, rel=1e-9)
    assert values["style_cost"] > values["budget_cost"]


def test_the_draws_are_fit_samples_and_give_the_distribution(fitted):
    samples = cx.fit_samples(*filled(fitted), 500)
    np.testing.assert_allclose(numbers(fitted, "draws"), samples, rtol=1e-7)
    cost = np.array([cx.opt_cost(2.0, READ, WRITTEN, coeffs=law) for law in samples])
    np.testing.assert_allclose(numbers(fitted, "draw_cost"), cost, rtol=1e-6)
    values = named_values(fitted)
    ordered = np.sort(cost)
    for percent in (5, 25, 50, 75, 95):
        shown = values[f"p{percent:02d}_cost"]
        assert shown == pytest.approx(ordered[int(np.ceil(percent * 5)) - 1], rel=1e-6)
        assert shown == pytest.approx(scoreatpercentile(cost, percent), rel=0.02)
    edges = np.append(numbers(fitted, "bin_from"), numbers(fitted, "bin_to")[-1])
    np.testing.assert_array_equal(numbers(fitted, "bin_count"), np.histogram(cost, edges)[0])


@pytest.mark.parametrize("index", range(5))
def test_runs_of_the_papers_law_give_its_tables(index):
    compute, cost = TABLE_2[index], TABLE_3[index]
    size = printed(cost.params)
    loss = cx.chinchilla_loss(size, cx.chinchilla_tokens(size))
    data = template(
        "fit",
        runs(*grid(LAW))
        | {
            "target_loss": loss,
            "requests_per_month": printed(cost.tokens) / 215 / 10,
            "months": 10.0,
        },
    )
    values = named_values(data)
    assert agrees(values["style_params"], compute.params)
    assert agrees(values["style_tokens"], compute.training)
    assert agrees(values["style_cost"], cost.spent)
    assert agrees(values["budget_params"], cost.opt_params)
    assert agrees(values["budget_tokens"], cost.opt_training)
    assert agrees(values["budget_cost"], cost.opt_spent)
    assert values["p05_cost"] == pytest.approx(values["p95_cost"], rel=1e-6)
    assert errors(data) == []


def test_a_loss_below_e_is_out_of_reach_in_words_and_fails_a_check():
    data = template("fit", {"target_loss": 1.2})
    values = named_values(data)
    assert values["budget_cost"] == values["p50_cost"] == "out of reach"
    assert values["reaching_share"] == 0
    assert values["failing_checks"] == 1
    assert errors(data) == []


def test_a_loss_that_few_draws_reach_puts_the_upper_percentiles_out_of_reach(fitted):
    E = np.sort(numbers(fitted, "draw_E"))
    data = template("fit", {"target_loss": float((E[300] + E[301]) / 2)})
    values = named_values(data)
    assert values["reaching_share"] == pytest.approx(301 / 500)
    assert isinstance(values["p50_cost"], float)
    assert values["p75_cost"] == values["p95_cost"] == "out of reach"
    assert errors(data) == []


@pytest.mark.parametrize(
    "inputs",
    [
        {"requests_per_month": 0.0},
        {"requests_per_month": 1e18 / 215, "months": 1.0},
        {"training_MFU": 0.01, "input_MFU": 0.01, "output_MFU": 0.01},
    ],
)
def test_extreme_inputs_leave_no_error(inputs):
    assert errors(template("fit", inputs)) == []


def test_a_gap_in_the_runs_is_a_failing_check_and_the_fit_says_where():
    data = template("fit", {f"Runs!D{FIRST + 60}": 2.5})
    values = named_values(data)
    assert values["failing_checks"] >= 1
    assert block(data, "fitted_coefficients")[0, 0] == "#VALUE!"


def test_the_gravest_warning_stands_in_a_row_of_its_own(fitted):
    assert named_values(fitted)["fit_gravest_warning"] == "none"
    params, _, losses = grid(LAW)
    tokens = params * np.tile([10, 20, 30, 40], 12)
    data = template("fit", runs(params, tokens, losses))
    values = named_values(data)
    table = cx.fit_coeffs(params, tokens, losses)
    assert table[15, 0] == "warning"
    assert values["fit_gravest_warning"] == table[15, 1]
    assert values["fit_warnings"] == len(table) - 15
