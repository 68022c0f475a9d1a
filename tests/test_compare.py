"""The compare workbook: models, costs, break-evens and the cheapest, against direct calls."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import chinchilla_xl as cx
from blocks import block, errors, numbers
from chinchilla_xl.recalc import recompute_bytes
from chinchilla_xl.workbooks import template
from paper import TABLE_2, TABLE_3, agrees, printed
from support import named_values, without

pytestmark = pytest.mark.once

GIVEN = [
    (137e9, 168e9),
    (175e9, 300e9),
    (178e9, 300e9),
    (280e9, 300e9),
    (530e9, 270e9),
    (70e9, 1.4e12),
]
REQUESTS = 646e6 * 36
READ, WRITTEN = 70 * REQUESTS, 145 * REQUESTS


@pytest.fixture(scope="module")
def compare() -> bytes:
    return template("compare")


@pytest.fixture(scope="module")
def models() -> tuple[np.ndarray, np.ndarray]:
    """Sizes and tokens of the nine models, by direct calls."""
    style = cx.chinchilla_tokens(30e9)
    loss = cx.chinchilla_loss(30e9, style)
    priced = cx.effective_tokens(READ, WRITTEN)
    own = [
        (30e9, style),
        (cx.opt_params(loss, READ + WRITTEN), cx.opt_tokens(loss, READ + WRITTEN)),
        (cx.opt_params(loss, priced), cx.opt_tokens(loss, priced)),
    ]
    return tuple(np.array([*own, *GIVEN]).T)


def test_every_model_is_what_direct_calls_give(compare, models):
    params, tokens = models
    for name, expected in {
        "params": params,
        "tokens": tokens,
        "loss": cx.chinchilla_loss(params, tokens),
        "training_cost": cx.train_cost(params, tokens),
        "serving_cost": cx.serve_cost(params, READ, WRITTEN),
        "cost": cx.train_cost(params, tokens) + cx.serve_cost(params, READ, WRITTEN),
        "flops": 6 * params * tokens + 2 * params * (READ + WRITTEN),
    }.items():
        np.testing.assert_allclose(
            block(compare, f"model_{name}").ravel()[:9].astype(float), expected, rtol=1e-12
        )


@pytest.mark.parametrize("index", range(5))
def test_rows_of_tables_2_and_3_give_the_papers_costs(index):
    compute, cost = TABLE_2[index], TABLE_3[index]
    values = named_values(
        template(
            "compare",
            {
                "target_params": printed(cost.params),
                "model_1_given_params": printed(cost.params),
                "requests_per_month": printed(cost.tokens) / 215 / 10,
                "months": 10.0,
            },
        )
    )
    assert agrees(values["target_loss"], cost.loss)
    assert agrees(values["model_1_tokens"], cost.training)
    assert agrees(values["model_1_cost"], cost.spent)
    assert agrees(values["model_1_flops"], compute.spent)
    assert agrees(values["model_2_params"], compute.opt_params)
    assert agrees(values["model_2_tokens"], compute.opt_training)
    assert agrees(values["model_2_flops"], compute.opt_spent)
    assert agrees(values["model_3_params"], cost.opt_params)
    assert agrees(values["model_3_tokens"], cost.opt_training)
    assert agrees(values["model_3_cost"], cost.opt_spent)


def test_costs_over_time_are_those_of_the_requests_so_far(compare, models):
    params, tokens = models
    grid = numbers(compare, "cumulative_cost")
    served = REQUESTS * np.minimum(np.arange(61), 36)[:, None] / 36
    expected = cx.train_cost(params, tokens) + cx.serve_cost(params, 70 * served, 145 * served)
    np.testing.assert_allclose(grid[:, :9], expected, rtol=1e-12)
    assert not grid[:, 9].any()


def test_growth_of_demand_reaches_every_month():
    data = template("compare", {"demand_growth": 0.05, "months": 24.0})
    requests = numbers(data, "month_requests")
    np.testing.assert_allclose(requests[1:25], 646e6 * 1.05 ** np.arange(24), rtol=1e-12)
    assert not requests[0]
    assert not requests[25:].any()
    assert named_values(data)["master_check"].startswith("OK")


def test_break_evens_are_where_both_models_cost_the_same(compare, models):
    params, tokens = models
    dollars, flops = block(compare, "breakeven_dollars"), block(compare, "breakeven_flops")
    read, written = 70 / 215, 145 / 215
    found = 0
    for i, j in itertools.product(range(9), repeat=2):
        sizes, data = params[[i, j]], tokens[[i, j]]
        if dollars[i, j] == "never":
            assert flops[i, j] == "never"
            dear = cx.train_cost(sizes, data) + cx.serve_cost(sizes, 0.0, 0.0)
            more = cx.serve_cost(sizes, 1e15, 1e15)
            assert (dear[0] - dear[1]) * (more[0] - more[1]) >= 0
            continue
        found += 1
        even = dollars[i, j]
        totals = cx.train_cost(sizes, data) + cx.serve_cost(sizes, even * read, even * written)
        assert totals[0] == pytest.approx(totals[1], rel=1e-9)
        assert flops[i, j] == pytest.approx(cx.breakeven_tokens(*np.array([sizes, data]).T.ravel()))
    assert found >= 30


def test_the_cheapest_by_demand_is_the_cheapest(compare, models):
    params, tokens = models
    demand = numbers(compare, "by_demand")[:, None]
    np.testing.assert_allclose(demand.ravel(), np.geomspace(1e10, 1e14, 25), rtol=1e-12)
    cost = cx.train_cost(params, tokens) + cx.serve_cost(
        params, demand * 70 / 215, demand * 145 / 215
    )
    names = block(compare, "model_name").ravel()
    loss = cx.chinchilla_loss(params, tokens)
    comparable = np.abs(loss - loss[0]) <= 0.01
    assert comparable.tolist() == [True] * 3 + [False] * 6
    assert block(compare, "cheapest_all").ravel().tolist() == names[cost.argmin(axis=1)].tolist()
    least = np.where(comparable, cost, np.inf)
    assert (
        block(compare, "cheapest_comparable").ravel().tolist()
        == names[least.argmin(axis=1)].tolist()
    )
    np.testing.assert_allclose(numbers(compare, "cheapest_comparable_cost"), least.min(axis=1))


def test_models_of_unequal_loss_are_marked(compare):
    quality = block(compare, "model_quality").ravel().tolist()
    assert quality[:3] == ["pass: comparable"] * 3
    assert quality[3:8] == ["not comparable: worse"] * 5
    assert quality[8:] == ["not comparable: better", "-"]


def test_an_own_model_can_be_sized_to_the_target_loss():
    data = template("compare", {"model_10_given_name": "own", "model_10_given_sizing": "to the target loss", "model_10_given_params": 10e9})  # fmt: skip
    values = named_values(data)
    assert values["model_10_tokens"] == pytest.approx(
        cx.tokens_for_loss(values["target_loss"], 10e9), rel=1e-12
    )
    assert values["model_10_quality"] == "pass: comparable"
    assert values["master_check"].startswith("OK")


def test_a_model_too_small_for_the_loss_is_left_out_and_checked():
    data = template("compare", {"model_10_given_name": "tiny", "model_10_given_sizing": "to the target loss", "model_10_given_params": 1e6})  # fmt: skip
    values = named_values(data)
    assert values["model_10_quality"].startswith("FAIL")
    assert values["model_10_cost"] == "-"
    assert values["failing_checks"] == 1
    assert errors(data) == []


@pytest.mark.parametrize(
    "inputs",
    [
        {"requests_per_month": 0.0},
        {"requests_per_month": 1e18 / 215, "months": 1.0},
        {"training_MFU": 0.01, "input_MFU": 0.01, "output_MFU": 0.01},
        {"input_tokens_per_request": 0.0, "output_tokens_per_request": 0.0},
    ],
)
def test_extreme_inputs_leave_no_error(inputs):
    data = template("compare", inputs)
    assert errors(data) == []
    assert named_values(data)["failing_checks"] == 0


@pytest.mark.parametrize(
    "inputs",
    [
        {"months": 12.5}, {"months": 500.0}, {"months": -1.0}, {"demand_growth": -2.0}, {"loss_tolerance": -1.0},
        {"model_4_given_sizing": "as give"}, {"model_4_given_sizing": ""}, {"model_10_given_params": 7e9},
        {"target_params": 30.0}, {"model_1_given_params": 137.0}, {"model_1_given_tokens": 168.0},
    ],
)  # fmt: skip
def test_inputs_past_the_rules_of_their_cells_fail_a_check(compare, inputs):
    """A script sets them, or somebody pastes them."""
    data, report = recompute_bytes(compare, inputs)
    assert report.complete
    assert named_values(data)["failing_checks"] >= 1


@pytest.mark.parametrize("name", ["requests_per_month", "output_tokens_per_request", "input_MFU"])
def test_a_blank_input_fails_a_check(compare, name):
    assert named_values(recompute_bytes(without(compare, name))[0])["failing_checks"] >= 1


def test_demand_may_fall_to_almost_nothing():
    assert named_values(template("compare", {"demand_growth": -0.99}))["failing_checks"] == 0
