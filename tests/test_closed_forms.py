"""What has an answer in closed form: budgets, data for a loss, break-even, overhead, Kaplan's law."""

from __future__ import annotations

import math

import mpmath
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import chinchilla_xl as cx
from chinchilla_xl.costs import Deployment
from parity import BY_NAME

pytestmark = pytest.mark.once


@given(st.floats(1e18, 1e28))
def test_the_optimal_model_of_a_budget_spends_it_and_is_chinchilla_style(flops):
    params, tokens, loss = cx.chinchilla_opt(flops)[0]
    assert 6 * params * tokens == pytest.approx(flops, rel=1e-12)
    assert tokens == pytest.approx(cx.chinchilla_tokens(params), rel=1e-11)
    for factor in (0.9, 1.1):
        assert cx.chinchilla_loss(params * factor, tokens / factor) > loss


@given(st.floats(1e7, 1e13), st.floats(1e8, 1e16))
def test_tokens_for_loss_inverts_the_law(params, tokens):
    loss = cx.chinchilla_loss(params, tokens)
    assert cx.chinchilla_loss(params, cx.tokens_for_loss(loss, params)) == pytest.approx(loss, rel=1e-13)  # fmt: skip


def test_a_model_too_small_for_a_loss_is_told_the_smallest_size():
    cell = cx.tokens_for_loss.cells(1.96, 1e9)
    assert cell.code == "#NUM!"
    smallest = (406.4 / (1.96 - 1.69)) ** (1 / 0.336)
    assert cell.message == f"params must be above {smallest:.4g} to reach loss 1.96: 1e+09"
    assert math.isfinite(cx.tokens_for_loss(1.96, smallest * 1.001))
    assert math.isnan(cx.tokens_for_loss(1.96, smallest * 0.999))


def test_at_break_even_both_models_have_cost_the_same():
    even = cx.breakeven_tokens(13e9, 5.77e11, 7e9, 1.47e12)
    costs = [6 * n * d + 2 * n * even for n, d in ((13e9, 5.77e11), (7e9, 1.47e12))]
    assert costs[0] == pytest.approx(costs[1], rel=1e-14)
    assert even == cx.breakeven_tokens(7e9, 1.47e12, 13e9, 5.77e11)
    assert math.isnan(cx.breakeven_tokens(13e9, 5.77e11, 7e9, 1e11)), "better at every demand"
    assert math.isnan(cx.breakeven_tokens(7e9, 5.77e11, 7e9, 1e12)), "the same size"


@given(st.floats(0.12, 50), st.floats(1e19, 1e26))
def test_the_overhead_is_what_a_model_off_the_optimum_needs_whatever_the_budget(ratio, flops):
    params, _, loss = cx.chinchilla_opt(flops)[0]
    tokens = cx.tokens_for_loss(loss, params * ratio)
    assume(math.isfinite(tokens))
    extra = 6 * params * ratio * tokens / flops - 1
    assert cx.compute_overhead(ratio) == pytest.approx(extra, rel=1e-6, abs=1e-9)


def test_the_overhead_is_none_at_the_optimum_and_endless_at_the_floor():
    assert cx.compute_overhead(1.0) == 0
    floor = (1 + 0.336 / 0.283) ** (-1 / 0.336)
    assert floor == pytest.approx(0.097, abs=5e-4)
    assert math.isnan(cx.compute_overhead(floor * 0.999))
    assert cx.compute_overhead(floor * 1.001) > 1e3


@pytest.mark.parametrize("ratio", [1 - 1e-9, 1 + 1e-9, 1 - 1e-5, 1 + 1e-4, 0.9])
def test_the_overhead_near_the_optimum_keeps_its_digits(ratio):
    with mpmath.workdps(50):
        k, alpha, beta = (mpmath.mpf(x) for x in (ratio, 0.336, 0.283))
        exact = k * (1 - (k**-alpha - 1) * beta / alpha) ** (-1 / beta) - 1
        assert cx.compute_overhead(ratio) == pytest.approx(float(exact), rel=1e-5, abs=1e-17)


def test_reasons_say_the_rule_that_a_case_breaks():
    overhead = cx.compute_overhead.cells(0.05)
    assert overhead.message.startswith("size_ratio must be above 0.09")
    same = cx.breakeven_tokens.cells(7e9, 1e12, 7e9, 2e12)
    assert same.message == "the models must differ in size: both have 7e+09 parameters"
    better = cx.breakeven_tokens.cells(13e9, 5.77e11, 7e9, 1e11)
    assert better.message == "one model costs less at every demand: it is the smaller and takes less training"  # fmt: skip


def test_effective_tokens_refuse_a_data_price():
    with pytest.raises(cx.ArgumentError, match="use OPT_PLAN or OPT_COST"):
        cx.effective_tokens(1e11, 1e12, Deployment(data_price=1e-6))


def test_an_eighth_assumption_that_is_blank_is_none():
    machines = [1.5, 3.12e14, 0.5, 1.1, 6.24e14, 0.5, 0.01, None]
    assert cx.opt_cost(2.0, 1e12, 1e12, machines) == cx.opt_cost(2.0, 1e12, 1e12)


def test_underflow_is_no_answer():
    assert math.isnan(cx.tokens_for_loss(1e300, 7e9))


def test_a_loss_that_only_a_size_beyond_numbers_reaches_is_no_answer():
    machines = [1.5, 3.12e14, 0.5, 1.1, 6.24e14, 0.5, 0.01, 1e-6]
    for function, args in (
        ("TOKENS_FOR_LOSS", (1e-100, 1e15, [[2087.0, 14707.0, 0.0, 0.11, 0.19]])),
        ("OPT_COST", (1.7, 1e12, 1e12, [machines], [[406.4, 410.7, 1.69, 0.001, 0.001]])),
    ):
        found = BY_NAME[function].cells(*args)
        assert (found.code, "failed" in found.message) == ("#NUM!", False), found.message


def test_kaplans_law_has_its_two_limits():
    assert cx.kaplan_loss(1e9, 1e30) == pytest.approx((8.8e13 / 1e9) ** 0.076, rel=1e-6)
    assert cx.kaplan_loss(1e30, 1e9) == pytest.approx((5.4e13 / 1e9) ** 0.095, rel=1e-6)
