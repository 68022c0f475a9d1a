"""Laws, optimum and costs: claims that must hold whatever the numbers."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.optimize import brentq, minimize_scalar

import chinchilla_xl as cx
from chinchilla_xl import laws, optimum
from chinchilla_xl.coefficients import CHINCHILLA, published
from chinchilla_xl.constrained import constrained
from chinchilla_xl.costs import SEC_6, Deployment
from chinchilla_xl.hardware import chips
from chinchilla_xl.laws import Law

sizes = st.floats(1e6, 1e13)
token_counts = st.floats(1e6, 1e16)
losses = st.floats(1.7, 10)
demands = st.one_of(st.just(0.0), st.floats(1e3, 1e18))


@given(sizes, token_counts, st.floats(1.01, 100))
def test_loss_falls_with_more_params_and_with_more_tokens(params, tokens, factor):
    loss = cx.chinchilla_loss(params, tokens)
    assert cx.chinchilla_loss(params * factor, tokens) < loss
    assert cx.chinchilla_loss(params, tokens * factor) < loss
    assert loss > CHINCHILLA.E


@given(sizes)
def test_chinchilla_tokens_balance_both_terms_of_the_law(params):
    law = CHINCHILLA
    tokens = cx.chinchilla_tokens(params)
    left = law.alpha * law.A * params**-law.alpha
    assert left == pytest.approx(law.beta * law.B * tokens**-law.beta, rel=1e-12)


@given(sizes)
def test_a_chinchilla_style_model_reaches_its_loss_with_the_least_training(params):
    tokens = cx.chinchilla_tokens(params)
    loss = cx.chinchilla_loss(params, tokens)
    for factor in (0.9, 1.1):
        other = laws.tokens_for_loss(loss, params * factor)
        assert params * factor * other > params * tokens


@given(losses, demands, st.floats(0.5, 2))
def test_the_optimum_beats_its_neighbours_on_the_iso_loss_curve(loss, demand, factor):
    assume(abs(factor - 1) > 1e-3)
    params, tokens = optimum.optimal_for_inference(loss, demand)
    assert laws.loss(params, tokens) == pytest.approx(loss, rel=1e-12)
    neighbour = laws.tokens_for_loss(loss, params * factor)
    assume(math.isfinite(neighbour))
    best = optimum.lifetime_flops(params, tokens, demand)
    assert best < optimum.lifetime_flops(params * factor, neighbour, demand)


@given(losses)
def test_without_demand_the_optimum_is_chinchilla_style(loss):
    params, tokens = optimum.optimal(loss, 0.0)
    assert tokens == pytest.approx(laws.chinchilla_tokens(params), rel=1e-12)


@given(losses, st.floats(1e6, 1e17), st.floats(1.1, 10))
def test_more_demand_means_a_smaller_model_and_more_tokens(loss, demand, factor):
    params, tokens = optimum.optimal_for_inference(loss, demand)
    smaller, longer = optimum.optimal_for_inference(loss, demand * factor)
    assert smaller < params
    assert longer > tokens


@pytest.mark.parametrize("name", list(published()))
@pytest.mark.parametrize("burden", [1e6, 1e11, 1e14])
def test_eq_12_solved_by_brentq_gives_the_same_tokens(name, burden):
    law = published()[name].law
    loss = law.E + 0.3
    h = loss - law.E

    def eq_12(log_tokens: float) -> float:
        tokens = math.exp(log_tokens)
        first = (law.beta * law.B / law.alpha + law.B) * tokens**-law.beta
        second = burden * law.beta * law.B / law.alpha * tokens ** (-law.beta - 1)
        return math.log(first + second) - math.log(h)

    expected = math.exp(brentq(eq_12, 0, 200, xtol=1e-14, rtol=1e-15))
    assert optimum.optimal(loss, burden, law)[1] == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("demand", [0.0, 1e11, 1e13])
def test_the_lowest_cost_is_what_a_blind_search_finds(demand):
    loss = 2.0

    def cost(log_params: float) -> float:
        params = math.exp(log_params)
        tokens = laws.tokens_for_loss(loss, params)
        return cx.train_cost(params, tokens) + cx.serve_cost(params, demand, 2 * demand)

    floor = math.log((CHINCHILLA.A / (loss - CHINCHILLA.E)) ** (1 / CHINCHILLA.alpha))
    found = minimize_scalar(
        cost, bounds=(floor + 1e-6, floor + 8), method="bounded", options={"xatol": 1e-10}
    )
    assert cx.opt_cost(loss, demand, 2 * demand) == pytest.approx(found.fun, rel=1e-9)


prices = st.builds(
    Deployment,
    st.floats(0.1, 20), st.floats(1e13, 1e16), st.floats(0.05, 1),
    st.floats(0.1, 20), st.floats(1e13, 1e16), st.floats(0.05, 1), st.floats(0.001, 1),
)  # fmt: skip


@given(losses, demands, demands, prices)
def test_the_lowest_cost_is_training_plus_serving_of_the_optimal_model(loss, read, written, prices):
    effective = cx.effective_tokens(read, written, prices)
    params, tokens = cx.opt_params(loss, effective), cx.opt_tokens(loss, effective)
    total = cx.train_cost(params, tokens, prices) + cx.serve_cost(params, read, written, prices)
    assert cx.opt_cost(loss, read, written, prices) == pytest.approx(total, rel=1e-12)


@given(losses, demands, demands, prices, st.floats(0.01, 100))
def test_doubling_every_price_doubles_the_dollars_and_keeps_the_model(loss, read, written, p, k):
    dearer = Deployment(
        p.train_price * k, p.train_peak, p.train_mfu, p.serve_price * k, p.serve_peak,
        p.input_mfu, p.output_mfu,
    )  # fmt: skip
    assert cx.opt_cost(loss, read, written, dearer) == pytest.approx(
        k * cx.opt_cost(loss, read, written, p), rel=1e-12
    )
    effective = cx.effective_tokens(read, written, p)
    assert cx.effective_tokens(read, written, dearer) == pytest.approx(effective, rel=1e-12)


def test_the_price_of_a_token_is_its_flops_on_the_machine():
    # 7B, 1M output tokens: 2 N FLOPs each at 1% of 6.24e14 op/s for $1.10 an hour.
    hours = 2 * 7e9 * 1e6 / (0.01 * 6.24e14) / 3600
    assert cx.serve_cost(7e9, 0.0, 1e6) == pytest.approx(hours * 1.10, rel=1e-14)
    hours = 6 * 7e9 * 1e12 / (0.5 * 3.12e14) / 3600
    assert cx.train_cost(7e9, 1e12) == pytest.approx(hours * 1.50, rel=1e-14)


def test_equal_machines_and_utilisation_make_dollars_count_as_flops():
    same = Deployment(2.0, 1e15, 0.4, 2.0, 1e15, 0.4, 0.4)
    assert same.burden(1e12, 2e12) == pytest.approx(1e12, rel=1e-14)
    assert cx.effective_tokens(1e12, 2e12, same) == pytest.approx(3e12, rel=1e-14)


@pytest.mark.parametrize(
    ("name", "optimal_params"),
    [("hoffmann-rounded", 32e9), ("chinchilla", 42e9), ("besiroglu", 72e9)],
)
def test_the_coefficient_set_dominates_the_answer(name, optimal_params):
    # The size that 5.76e23 training FLOPs are best spent on, by 6 N D = C.
    law = published()[name].law
    params = brentq(lambda n: 6 * n * laws.chinchilla_tokens(n, law) - 5.76e23, 1e9, 1e13, xtol=1)
    assert params == pytest.approx(optimal_params, rel=0.02)


@pytest.mark.parametrize("law", [s.law for s in published().values()], ids=list(published()))
def test_every_published_set_is_a_law(law):
    assert law.check() is law


def test_a_law_is_refused_with_the_coefficient_and_the_rule():
    with pytest.raises(cx.ArgumentError, match=r"coefficient beta must be finite and > 0: -0\.3"):
        Law(1.0, 1.0, 1.0, 0.3, -0.3).check()
    with pytest.raises(cx.ArgumentError, match="coefficient A must be finite and > 0: inf"):
        Law(math.inf, 1.0, 1.0, 0.3, 0.3).check()


def test_only_dense_peaks_are_listed():
    sparse = {2615e12: "MI300X", 9000e12: "B200-HGX", 1970e12: "H200"}
    for peak, name in sparse.items():
        assert chips()[name].bf16 != peak
    for chip in chips().values():
        assert chip.int8 is None or chip.int8 >= 2 * chip.bf16 * 0.99
        assert all(0 < p.low <= p.high and p.source and p.date for p in chip.prices)


def test_the_defaults_of_sec_6_are_the_a100s_of_the_hardware_list():
    assert chips()["A100-80GB"].bf16 == SEC_6.train_peak
    assert chips()["A100-40GB"].int8 == SEC_6.serve_peak
    assert SEC_6.train_price in {p.low for p in chips()["A100-80GB"].prices}
    assert SEC_6.serve_price in {p.low for p in chips()["A100-40GB"].prices}


def test_the_mathematics_gives_nan_outside_its_domain_without_warning():
    values = np.array([-1.0, 0.0, np.nan])
    assert np.isnan(laws.loss(values, 1e9)).all()
    assert np.isnan(laws.chinchilla_tokens(values)).all()
    assert np.isnan(optimum.optimal(1.69 + np.array([0.0, -1.0]), 1.0)).all()
    assert np.isnan(optimum.optimal(2.0, np.array([-1.0, np.nan]))).all()
    assert np.isnan(laws.tokens_for_loss(2.0, 1e6))


@pytest.mark.parametrize(
    ("formula", "arguments"),
    [
        (laws.loss, (7e9, 1e12)),
        (laws.chinchilla_tokens, (7e9,)),
        (laws.tokens_for_loss, (2.0, 7e9)),
        (laws.params_for_loss, (2.0, 1e12)),
        (laws.compute_overhead, (0.5,)),
        (laws.breakeven_tokens, (13e9, 5.77e11, 7e9, 1.47e12)),
        (laws.kaplan_loss, (175e9, 300e9)),
        (optimum.lifetime_flops, (7e9, 1e12, 1e12)),
        (SEC_6.burden, (1e12, 1e12)),
        (SEC_6.effective_tokens, (1e12, 1e12)),
        (SEC_6.training_cost, (7e9, 1e12)),
        (SEC_6.serving_cost, (7e9, 1e12, 1e12)),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_formula_takes_lists_as_it_takes_numbers_and_is_nan_for_what_is_none(formula, arguments):
    one = formula(*arguments)
    assert formula(*([a, a] for a in arguments)) == pytest.approx([one, one], rel=1e-14)
    for wrong in (math.nan, -1.0):
        assert math.isnan(formula(wrong, *arguments[1:]))
        assert np.isnan(formula([wrong], *arguments[1:])).all()


@pytest.mark.parametrize("huge", [1e200, np.array([1e200])])
def test_what_exceeds_a_float_has_no_value(huge):
    assert np.isnan(optimum.lifetime_flops(huge, huge, 0.0)).all()
    assert np.isnan(SEC_6.training_cost(huge, huge)).all()


def test_the_optimal_model_of_several_budgets_is_that_of_each():
    one = laws.chinchilla_optimal(5.76e23)
    for of_all, of_one in zip(laws.chinchilla_optimal([5.76e23, -1.0]), one, strict=True):
        assert of_all[0] == pytest.approx(of_one, rel=1e-14)
        assert np.isnan(of_all[1])


def test_lifetime_flops_are_six_a_token_of_training_and_two_a_token_served():
    assert optimum.lifetime_flops(7e9, 1e12, 3e12) == 6 * 7e9 * 1e12 + 2 * 7e9 * 3e12


@pytest.mark.parametrize("burden", [0.0, 1e12])
def test_with_a_data_price_no_neighbour_costs_fewer_dollars(burden):
    priced = Deployment(data_price=1e-5)

    def dollars(params: float, tokens: float) -> float:
        return priced.training_cost(params, tokens) + priced.serving_cost(params, burden, burden)

    demand = priced.burden(burden, burden)
    params, tokens = map(float, constrained(2.0, demand, token_price=priced.token_price))
    for factor in (1 - 1e-3, 1 + 1e-3):
        fewer = laws.tokens_for_loss(2.0, params * factor)
        assert dollars(params * factor, fewer) > dollars(params, tokens)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"train_price": math.inf}, "training GPU price must be > 0: inf"),
        ({"train_price": 0.0}, "training GPU price must be > 0: 0"),
        ({"train_mfu": 1.5}, "training MFU must be in (0, 1]: 1.5 (did you mean 0.015?)"),
        ({"input_mfu": 100.0}, "input MFU must be in (0, 1]: 100 (did you mean 1?)"),
        ({"output_mfu": 100.5}, "output MFU must be in (0, 1]: 100.5"),
        ({"data_price": -1.0}, "data price must be >= 0: -1"),
    ],
)
def test_a_deployment_is_refused_with_the_rule_and_the_likely_intention(given, message):
    with pytest.raises(cx.ArgumentError, match=f"^{re.escape(message)}$"):
        Deployment(**given)


def test_a_deployment_is_its_eight_numbers_and_stays_so():
    assert repr(Deployment()) == (
        "Deployment(train_price=1.5, train_peak=312000000000000.0, train_mfu=0.5, serve_price=1.1, "
        "serve_peak=624000000000000.0, input_mfu=0.5, output_mfu=0.01, data_price=0.0)"
    )
    with pytest.raises(AttributeError):
        Deployment().train_price = 2.0
