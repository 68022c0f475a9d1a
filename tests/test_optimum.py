"""The optimum to its last digits: against 60-digit arithmetic, scipy, and what theory demands."""

from __future__ import annotations

import math
import warnings

import mpmath
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.optimize import brentq

import chinchilla_xl as cx
from chinchilla_xl import laws, optimum
from chinchilla_xl.constrained import constrained
from chinchilla_xl.costs import Deployment
from chinchilla_xl.laws import CHINCHILLA, Law, Laws

pytestmark = pytest.mark.once

DIGITS = 60
CASES = 1000
TINY, HUGE = mpmath.mpf(10) ** -300, mpmath.mpf(10) ** 300


def random_cases(seed: int, count: int) -> list[tuple[Law, float, float]]:
    """Laws with loss - E from 1e-12 to 1e3 and R from 0 to 1e20."""
    g = np.random.default_rng(seed)
    cases = []
    for i in range(count):
        law = Law(*10 ** g.uniform(0, 4, 2), g.uniform(0, 2), *g.uniform(0.05, 1.5, 2))
        loss = law.E + 10 ** g.uniform(-12, 3)
        burden = 0.0 if i % 10 == 0 else 10 ** g.uniform(0, 20)
        cases.append((law, float(loss), float(burden)))
    return cases


def exact(law: Law, loss: float, burden: float) -> tuple[mpmath.mpf, mpmath.mpf]:
    """N* and D* from Eq. 12 in log D, by bisection and Newton with 60 digits."""
    A, B, E, alpha, beta = (
        mpmath.mpf(float(c)) for c in (law.A, law.B, law.E, law.alpha, law.beta)
    )
    h, r = mpmath.mpf(loss) - E, mpmath.mpf(burden)

    def eq_12(x: mpmath.mpf) -> mpmath.mpf:
        data = B * mpmath.e ** (-beta * x)
        return mpmath.log((1 + beta / alpha) * data + beta / alpha * r * data * mpmath.e**-x) - mpmath.log(h)  # fmt: skip

    low = mpmath.log((1 + beta / alpha) * B / h) / beta
    high = low + mpmath.log(1 + r) + 1
    while eq_12(high) > 0:
        high += 10
    x = (low + high) / 2
    for _ in range(40):
        low, high = (x, high) if eq_12(x) > 0 else (low, x)
        x = (low + high) / 2
    x = mpmath.findroot(eq_12, x, tol=mpmath.mpf(10) ** -100, verify=False)
    tokens = mpmath.e**x
    return (A / (h - B * tokens**-beta)) ** (1 / alpha), tokens


def as_laws(cases: list[tuple[Law, float, float]]) -> Laws:
    columns = np.array([[c.A, c.B, c.E, c.alpha, c.beta] for c, _, _ in cases]).T
    return Laws(*(column[:, None] for column in columns))


def test_both_paths_agree_with_60_digit_arithmetic_to_1e_12():
    cases = random_cases(1, CASES)
    loss, burden = (np.array([[c[i]] for c in cases]) for i in (1, 2))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        together = np.hstack(optimum.optimal(loss, burden, as_laws(cases)))
        singly = [optimum.optimal(loss, burden, law) for law, loss, burden in cases]
    worst = 0.0
    with mpmath.workdps(DIGITS):
        for (law, loss_, burden_), row, pair in zip(cases, together, singly, strict=True):
            expected = exact(law, loss_, burden_)
            assert all(TINY < e < HUGE for e in expected), "the cases are all within floats"
            for value, e in [*zip(row, expected, strict=True), *zip(pair, expected, strict=True)]:
                worst = max(worst, float(abs(mpmath.mpf(float(value)) / e - 1)))
    assert worst < 1e-12


def test_where_demand_weighs_about_as_much_as_training_every_digit_holds_too():
    g = np.random.default_rng(3)
    for law, loss, _ in random_cases(3, 100):
        burden = float(optimum.optimal(loss, 0.0, law)[1] * 10 ** g.uniform(-2, 2))
        with mpmath.workdps(DIGITS):
            expected = tuple(map(float, exact(law, loss, burden)))
        assert optimum.optimal(loss, burden, law) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("beta", [0.05, 0.283, 1.0, 3.0])
def test_two_steps_solve_the_reduced_equation_to_a_few_units_of_the_last_digit(beta):
    centre = optimum._centre(beta)
    with mpmath.workdps(40):
        for s in np.linspace(-6, 20, 27):
            reduced = optimum._reduced(float(s), beta, centre, math.exp, math.log, math.sqrt)[0]
            exact = mpmath.findroot(
                lambda u, s=s: beta * u - mpmath.log1p(mpmath.exp(s - u)),
                max(centre, s / (1 + beta)),
            )
            # The error of log D is the relative error of D.
            assert abs(reduced - exact) < 1e-14 * max(1, abs(exact))


def test_brentq_agrees_to_1e_10_on_other_random_laws():
    for law, loss, burden in random_cases(2, 300):
        h = loss - law.E

        def eq_12(x: float, law: Law = law, h: float = h, burden: float = burden) -> float:
            first = math.log((1 + law.beta / law.alpha) * law.B) - law.beta * x
            share = law.beta / (law.alpha + law.beta)
            return first + np.logaddexp(0, math.log(burden * share) - x if burden else -math.inf) - math.log(h)  # fmt: skip

        x = brentq(eq_12, -200, 800, xtol=1e-13, rtol=8.9e-16)
        assert optimum.optimal(loss, burden, law)[1] == pytest.approx(math.exp(x), rel=1e-10)


coefficient = st.floats(0.05, 1.5)
random_laws = st.builds(
    Law, st.floats(1, 1e4), st.floats(1, 1e4), st.floats(0, 2), coefficient, coefficient
)
gaps = st.floats(1e-6, 10)
burdens = st.one_of(st.just(0.0), st.floats(1, 1e20))


def finite(*values: float) -> bool:
    return all(1e-250 < v < 1e250 for v in values)


@given(random_laws, gaps, burdens)
def test_the_first_order_condition_holds(law, gap, burden):
    # alpha A N^-alpha (1 + R/D) = beta B D^-beta ... (the Lagrangian of Eq. 3)
    params, tokens = optimum.optimal(law.E + gap, burden, law)
    assume(finite(params, tokens))
    left = law.alpha * law.A * params**-law.alpha
    right = law.beta * law.B * tokens**-law.beta * (1 + burden / tokens)
    assert left == pytest.approx(right, rel=1e-9)


@given(random_laws, gaps, st.floats(1e3, 1e15))
def test_the_envelope_theorem_gives_the_size_as_the_price_of_demand(law, gap, burden):
    """dC*/dR = N*, with C* = N* (D* + R)."""
    loss = law.E + gap
    params, tokens = optimum.optimal(loss, burden, law)
    assume(finite(params, tokens) and tokens / burden < 1e3)
    step = 1e-4 * burden

    def cost(r: float) -> float:
        n, d = optimum.optimal(loss, r, law)
        return n * (d + r)

    slope = (cost(burden + step) - cost(burden - step)) / (2 * step)
    assert slope == pytest.approx(params, rel=1e-5)


@given(st.floats(1.7, 8), st.floats(1e3, 1e18), st.floats(0.01, 100))
def test_the_share_of_cost_depends_on_demand_against_data_only(loss, demand, scale):
    # Scaling A by k^alpha and N by k leaves losses and tokens as they are.
    law = CHINCHILLA
    scaled = Law(law.A * scale**law.alpha, law.B, law.E, law.alpha, law.beta)
    params, tokens = optimum.optimal(loss, demand, law)
    bigger, same = optimum.optimal(loss, demand, scaled)
    assert bigger == pytest.approx(scale * params, rel=1e-11)
    assert same == pytest.approx(tokens, rel=1e-11)


@pytest.mark.parametrize("loss", [1.69, 1.0, -1.0, math.nan, math.inf, -math.inf])
def test_there_is_no_model_at_or_below_the_irreducible_loss(loss):
    assert all(map(math.isnan, optimum.optimal(loss, 1e12)))
    assert np.isnan(optimum.optimal(np.array([loss]), 1e12)).all()


@pytest.mark.parametrize("burden", [-1.0, -1e-300, math.nan, math.inf])
def test_there_is_no_model_for_a_demand_that_is_none(burden):
    assert all(map(math.isnan, optimum.optimal(2.0, burden)))
    assert np.isnan(optimum.optimal(np.array([2.0, 3.0]), burden)).all()


def test_blocks_do_not_show_in_the_result():
    block = optimum._BLOCK
    count = 3 * block + 7
    loss = np.linspace(1.7, 4, count)
    together = optimum.optimal(loss, 1e12)
    for i in (0, block - 1, block, count - 1):
        assert together[0][i] == pytest.approx(optimum.optimal(float(loss[i]), 1e12)[0], rel=1e-13)
    assert optimum.optimal(np.empty(0), 1.0)[0].size == 0


# --- prices per token and bounds ---


@pytest.mark.parametrize("burden", [0.0, 1e11, 1e15])
@pytest.mark.parametrize("price", [1e3, 1e8, 1e10, 1e13])
@pytest.mark.parametrize(
    ("law", "loss"), [(CHINCHILLA, 2.0), (CHINCHILLA, 4.0), (Law(1e3, 1e4, 1.0, 1.3, 1.2), 1.5)]
)
def test_with_a_price_per_token_no_neighbour_is_cheaper(burden, price, law, loss):
    params, tokens = map(float, constrained(loss, burden, law, token_price=price))
    assert laws.loss(params, tokens, law) == pytest.approx(loss, rel=1e-12)
    best = params * (tokens + burden) + price * tokens
    for factor in (1 - 1e-3, 1 + 1e-3):
        other = laws.params_for_loss(loss, tokens * factor, law)
        if math.isnan(other):
            assert factor < 1, "only on fewer tokens may no size reach the loss"
            continue
        assert other * (tokens * factor + burden) + price * tokens * factor > best


def test_a_price_per_token_solved_with_30_digits():
    law, loss, burden, price = CHINCHILLA, 2.0, 1e12, 5e9
    with mpmath.workdps(30):

        def cost_slope(x: mpmath.mpf) -> mpmath.mpf:
            def cost(y: mpmath.mpf) -> mpmath.mpf:
                tokens = mpmath.e**y
                gap = mpmath.mpf(loss) - law.E - law.B * tokens**-law.beta
                return (law.A / gap) ** (1 / mpmath.mpf(law.alpha)) * (tokens + burden) + price * tokens  # fmt: skip

            return mpmath.diff(cost, x)

        start = math.log(float(constrained(loss, burden, token_price=price)[1])) + 0.01
        expected = mpmath.e ** mpmath.findroot(cost_slope, start, verify=False)
    assert float(constrained(loss, burden, token_price=price)[1]) == pytest.approx(
        float(expected), rel=1e-10
    )


@given(st.floats(1.75, 5), burdens, st.floats(1e-6, 1e12))
def test_data_that_costs_money_means_less_data_and_a_larger_model(loss, burden, price):
    params, tokens = optimum.optimal(loss, burden)
    larger, fewer = constrained(loss, burden, token_price=price)
    assert fewer <= tokens * (1 + 1e-9)
    assert larger >= params * (1 - 1e-9)


@pytest.mark.parametrize("burden", [0.0, 1e12])
def test_a_vanishing_price_per_token_changes_nothing(burden):
    losses = np.linspace(1.8, 4, 50)
    free = optimum.optimal(losses, burden)
    np.testing.assert_allclose(constrained(losses, burden, token_price=1e-9), free, rtol=1e-12)


@pytest.mark.parametrize("price", [5e8, 5e9])
def test_the_unit_of_size_does_not_matter_to_a_price_per_token(price):
    law = CHINCHILLA
    in_billions = Law(law.A / 1e9**law.alpha, law.B, law.E, law.alpha, law.beta)
    params, tokens = constrained(2.0, 1e12, token_price=price)
    billions, same = constrained(2.0, 1e12, in_billions, token_price=price / 1e9)
    np.testing.assert_allclose((billions * 1e9, same), (params, tokens), rtol=1e-12)


@given(st.floats(1.75, 5), burdens, st.floats(0.05, 20), st.floats(0.05, 20))
def test_bounds_bind_exactly_when_they_must(loss, burden, size_factor, data_factor):
    params, tokens = optimum.optimal(loss, burden)
    max_params, max_tokens = params * size_factor, tokens * data_factor
    n, d = map(float, constrained(loss, burden, max_params=max_params, max_tokens=max_tokens))
    needed = laws.tokens_for_loss(loss, max_params)
    if math.isnan(needed) or needed > max_tokens:
        assert math.isnan(n)
        assert math.isnan(d)
        return
    assert n <= max_params * (1 + 1e-12)
    assert d <= max_tokens * (1 + 1e-12)
    assert laws.loss(n, d) == pytest.approx(loss, rel=1e-9)
    assert (n == max_params) == (size_factor < 1)
    assert (d == max_tokens) == (data_factor < 1)
    if size_factor >= 1 and data_factor >= 1:
        assert (n, d) == pytest.approx((params, tokens), rel=1e-12)


def test_the_only_model_within_the_bounds_is_found():
    only = laws.tokens_for_loss(2.0, 5e9)
    assert tuple(map(float, constrained(2.0, 1e12, max_params=5e9, max_tokens=only))) == (5e9, only)


def test_a_plan_is_the_cheapest_within_its_bounds():
    free = cx.opt_plan(2.0, 1e12, 1e12, header=False)[0]
    bound = cx.opt_plan(2.0, 1e12, 1e12, None, None, 5e9, header=False)[0]
    np.testing.assert_allclose(free[5], cx.opt_cost(2.0, 1e12, 1e12), rtol=1e-12)
    assert free[0] > 5e9
    assert bound[0] == 5e9
    assert bound[5] > free[5]
    np.testing.assert_allclose(bound[6:12], free[6:12])
    data = cx.opt_plan(2.0, 1e12, 1e12, max_tokens=1e12, header=False)[0]
    assert data[1] == 1e12
    assert data[5] > free[5]


def test_the_plan_is_what_the_other_functions_say():
    head, row = cx.opt_plan(2.0, 1e12, 2e12)
    plan = dict(zip(head, row, strict=True))
    effective = cx.effective_tokens(1e12, 2e12)
    assert plan["params"] == pytest.approx(cx.opt_params(2.0, effective), rel=1e-12)
    assert plan["tokens"] == pytest.approx(cx.opt_tokens(2.0, effective), rel=1e-12)
    assert plan["total $"] == pytest.approx(cx.opt_cost(2.0, 1e12, 2e12), rel=1e-12)
    style = plan["Chinchilla-style params"]
    assert plan["Chinchilla-style tokens"] == pytest.approx(cx.chinchilla_tokens(style), rel=1e-12)
    assert plan["saved $"] == pytest.approx(plan["Chinchilla-style total $"] - plan["total $"])
    assert plan["saved share"] == pytest.approx(
        1 - plan["total $"] / plan["Chinchilla-style total $"]
    )


def test_plans_of_several_cases_are_rows_and_bad_cases_spoil_only_themselves():
    cells = cx.opt_plan.cells([[2.0], [1.0], [None]], 1e12, 1e12)
    assert cells[0][0] == "params"
    assert all(isinstance(c, float) for c in cells[1])
    assert {str(c) for c in cells[2]} == {"#NUM!"}
    assert {str(c) for c in cells[3]} == {"#N/A"}
    assert len(cx.opt_plan.cells([[2.0], [2.1]], 1e12, 1e12, None, None, None, None, False)) == 2
    assert "one row or one column of cases: 2 x 2" in cx.opt_plan.cells([[2.0, 2.1]], [[1e9], [1e10]], 1.0).message  # fmt: skip


def test_a_plan_that_cannot_be_says_which_bounds():
    cells = cx.opt_plan.cells(2.0, 1e12, 1e12, None, None, 1e9, 1e12, False)
    assert cells[0][0].code == "#NUM!"
    assert cells[0][0].message == (
        "no model within max_params = 1e+09 and max_tokens = 1e+12 reaches the loss"
    )


def test_data_with_a_price_is_an_eighth_assumption():
    machines = [1.5, 3.12e14, 0.5, 1.1, 6.24e14, 0.5, 0.01]
    labels = {"training GPU $/h": 1.5, "training GPU peak": 3.12e14, "training MFU": 0.5,
              "serving GPU $/h": 1.1, "serving GPU peak": 6.24e14, "input MFU": 0.5,
              "output MFU": 0.01, "data $/token": 1e-6}  # fmt: skip
    dear = cx.opt_cost(2.0, 1e12, 1e12, [*machines, 1e-6])
    assert dear == cx.opt_cost(2.0, 1e12, 1e12, labels)
    assert dear > cx.opt_cost(2.0, 1e12, 1e12, machines)
    priced = Deployment(data_price=1e-6)
    assert cx.train_cost(7e9, 1e12, priced) == pytest.approx(cx.train_cost(7e9, 1e12) + 1e6)
    head, row = cx.opt_plan(2.0, 1e12, 1e12, priced)
    plan = dict(zip(head, row, strict=True))
    assert plan["total $"] == pytest.approx(dear, rel=1e-12)
    assert cx.opt_cost([2.0, 1.0], 1e12, 1e12, priced)[0] == pytest.approx(dear, rel=1e-12)
    assert math.isnan(cx.opt_cost([2.0, 1.0], 1e12, 1e12, priced)[1])
