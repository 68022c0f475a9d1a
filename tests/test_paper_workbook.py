"""The paper workbook: every figure held against print, heat maps and curves against direct calls."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import brentq

import chinchilla_xl as cx
from blocks import block, errors, numbers
from chinchilla_xl.workbooks import template
from chinchilla_xl.workbooks.paper import printed as text
from paper import PRINTED_OTHERWISE, TABLE_2, TABLE_3, agrees, printed
from support import named_values

pytestmark = pytest.mark.once

FIGURES = ("loss", "training", "spent", "opt_params", "opt_training", "opt_spent", "saved")


@pytest.fixture(scope="module")
def paper() -> bytes:
    return template("paper")


@pytest.mark.parametrize(("number", "rows"), [(2, TABLE_2), (3, TABLE_3)])
def test_every_computed_figure_is_the_papers(paper, number, rows):
    values = named_values(paper)
    for row in rows:
        for figure in FIGURES:
            value = values[f"table_{number}_{row.params}_{figure}"]
            assert agrees(value, getattr(row, figure)), (row.params, figure, value)


@pytest.mark.parametrize(("number", "rows"), [(2, TABLE_2), (3, TABLE_3)])
def test_the_verdicts_name_the_deviations_and_pass_the_rest(paper, number, rows):
    verdicts = block(paper, f"comparison_{number}_verdict").ravel()
    texts = block(paper, f"comparison_{number}_text").ravel()
    reasons = block(paper, f"comparison_{number}_reason").ravel()
    cells = [(row.params, figure) for figure in FIGURES for row in rows]
    assert len(cells) == len(verdicts) == 35
    for (model, figure), verdict, shown, reason in zip(
        cells, verdicts, texts, reasons, strict=True
    ):
        otherwise = PRINTED_OTHERWISE.get((f"Table {number}", model, figure))
        row = next(r for r in rows if r.params == model)
        assert shown == (otherwise or getattr(row, figure))
        assert verdict == ("named deviation" if otherwise else "pass"), (model, figure)
        assert bool(reason) == (otherwise is not None)


def test_a_figure_that_is_neither_printed_nor_named_fails():
    data = template("paper", {"output_tokens_per_request": 215.0})
    values = named_values(data)
    assert values["master_check"].startswith("CHECK")
    verdicts = block(data, "comparison_3_verdict").ravel().tolist()
    assert verdicts.count("FAIL") > 10
    assert set(block(data, "comparison_2_verdict").ravel()) == {"pass", "named deviation"}


def test_a_deviation_has_to_be_the_named_one():
    data = template("paper", {"coefficient_set": "hoffmann-rounded"})
    verdicts = block(data, "comparison_2_verdict").ravel().tolist()
    assert "named deviation" not in verdicts[5:10]
    assert "FAIL" in verdicts


def test_by_the_caption_costs_are_a_tenth_higher(paper):
    above = numbers(paper, "caption_above")
    assert len(above) == len(TABLE_3)
    assert np.all((above > 0.05) & (above < 0.15))


def test_table_1_is_printed_and_found_again_by_fits(paper):
    coefficients = numbers(paper, "table_1_coefficients")
    for row, fit in zip(coefficients, text.fits(), strict=True):
        for value, name in zip(row, ("A", "B", "E", "alpha", "beta"), strict=True):
            assert agrees(value, fit[name])
    np.testing.assert_allclose(numbers(paper, "found_coefficients"), coefficients[:4], rtol=1e-7)
    assert len(text.runs()) == 47


def axes(data: bytes) -> tuple[np.ndarray, np.ndarray]:
    return numbers(data, "axis_demand"), numbers(data, "axis_loss")[:, None]


def test_figure_2_is_what_arrays_give(paper):
    demand, loss = axes(paper)
    assert (demand[0], demand[-1]) == (1e9, pytest.approx(1e15))
    size, data = cx.opt_params(loss, 0.0), cx.opt_tokens(loss, 0.0)
    expected = cx.opt_flops(loss, demand) / (size * (6 * data + 2 * demand))
    np.testing.assert_allclose(numbers(paper, "figure_2_total"), expected, rtol=1e-12)
    expected = cx.opt_params(loss, demand) / size
    np.testing.assert_allclose(numbers(paper, "figure_2_params"), expected, rtol=1e-12)
    expected = cx.opt_tokens(loss, demand) / data
    np.testing.assert_allclose(numbers(paper, "figure_2_tokens"), expected, rtol=1e-12)


def test_figure_6_is_what_arrays_give(paper):
    demand, loss = axes(paper)
    read, written = demand * 70 / 215, demand * 145 / 215
    size, data = cx.opt_params(loss, 0.0), cx.opt_tokens(loss, 0.0)
    expected = cx.opt_cost(loss, read, written) / (
        cx.train_cost(size, data) + cx.serve_cost(size, read, written)
    )
    np.testing.assert_allclose(numbers(paper, "figure_6_total"), expected, rtol=1e-12)
    expected = cx.opt_params(loss, cx.effective_tokens(read, written)) / size
    np.testing.assert_allclose(numbers(paper, "figure_6_params"), expected, rtol=1e-12)


def test_figure_2_is_where_eq_12_has_its_root(paper):
    """Eq. 12 solved by bisection: independent of the package's own solver."""
    B, E, alpha, beta = 410.7, 1.69, 0.336, 0.283
    demand, loss = axes(paper)
    shares, sizes = numbers(paper, "figure_2_tokens"), numbers(paper, "axis_tokens")
    for i, j in ((0, 24), (12, 12), (24, 3)):

        def eq_12(log_tokens, level=loss[i, 0], wanted=demand[j]):
            tokens = np.exp(log_tokens)
            return (
                (E - level)
                + (beta * B / alpha + B) * tokens**-beta
                + (wanted * beta * B / (3 * alpha)) * tokens ** (-beta - 1)
            )

        root = np.exp(brentq(eq_12, np.log(1e8), np.log(1e20), xtol=1e-14))
        assert shares[i, j] * sizes[i] == pytest.approx(root, rel=1e-9)


def test_figure_1_has_the_papers_savings_and_a_common_loss(paper):
    values = named_values(paper)
    claim = text.figure_1()
    assert agrees(values["figure_1_saved"], claim["saved"].text)
    assert agrees(values["figure_1_saved_share"], claim["saved_share"].text)
    loss = cx.chinchilla_loss(13e9, cx.chinchilla_tokens(13e9))
    assert values["figure_1_loss"] == pytest.approx(loss, rel=1e-12)
    curve = cx.chinchilla_loss(numbers(paper, "figure_1_size"), numbers(paper, "figure_1_training"))
    np.testing.assert_allclose(curve, loss, rtol=1e-12)
    even = values["figure_1_breakeven"]
    totals = numbers(paper, "figure_1_large_total") > numbers(paper, "figure_1_small_total")
    np.testing.assert_array_equal(totals, numbers(paper, "figure_1_inference") > even)


def test_figure_5_is_the_laws_of_table_1(paper):
    tokens = numbers(paper, "figure_5_tokens")
    for number, fit in enumerate(text.fits(), start=1):
        law = [printed(fit[name]) for name in ("A", "B", "E", "alpha", "beta")]
        expected = law[2] + law[0] / 367e6 ** law[3] + law[1] / tokens ** law[4]
        np.testing.assert_allclose(numbers(paper, f"figure_5_law_{number}"), expected, rtol=1e-12)


@pytest.mark.parametrize(
    "inputs",
    [
        {"table_2_1B_tokens": 0.0, "table_3_70B_tokens": 1e18, "most_demand": 1e18},
        {"training_MFU": 0.01, "output_MFU": 0.01, "input_tokens_per_request": 0.0},
        {"figure_1_demand": 1e18, "figure_1_most_demand": 1e18, "coefficient_set": "besiroglu"},
    ],
)
def test_extreme_inputs_leave_no_error(inputs):
    assert errors(template("paper", inputs)) == []
