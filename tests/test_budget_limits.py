"""The budget workbook at its limits: extreme inputs, and impossible ones, which a check names."""

from __future__ import annotations

import pytest

from blocks import errors
from budget_book import MODELS, cached, named_values, values_with, with_inputs
from chinchilla_xl.recalc import recompute_bytes
from chinchilla_xl.workbooks import template
from support import without

pytestmark = pytest.mark.once


@pytest.fixture(scope="module")
def budget() -> bytes:
    return template("budget")


def test_the_smaller_of_two_demands_never_breaks_the_workbook(budget):
    values = values_with(budget, requests_per_month=0)
    for model in MODELS:
        assert values[f"{model}_params"] == pytest.approx(30e9, rel=1e-9)
        assert values[f"{model}_cost_per_million"] == "no demand"
    assert values["cost_optimal_saved"] == pytest.approx(0, abs=1e-3)
    assert values["cost_optimal_over_chinchilla_style_flops"] == "same model"
    assert values["master_check"].startswith("OK")


EXTREMES = [
    {"requests_per_month": 0},
    {"requests_per_month": 1e18 / 215 / 36},
    {"requests_per_month": 1e21},
    {"months": 1},
    {"months": 1, "ramp_start_share": 0},
    {"months": 60},
    {"training_MFU": 0.01, "input_MFU": 0.01, "output_MFU": 0.01},
    {"quality_by": "loss", "target_loss_given": 1.6901},
    {"quality_by": "loss", "target_loss_given": 20.0},
    {"target_params": 1e6},
    {"target_params": 1e15},
    {"training_fleet": 1},
    {"discount_rate": -0.4},
    {"GPU_price_decline": 0.99},
    {"data_price": 0.001},
    {"tokens_per_word": 0.5},
]

QUALITY = "Inputs, Target quality: every input keeps to its rule"
DEMAND = "Inputs, Demand: every input keeps to its rule"
GPUS = "Inputs, GPU pricing and utilisation: every input keeps to its rule"
TIME = "Inputs, Prices over time: every input keeps to its rule"
REST = "Inputs, Organisation: every input keeps to its rule"

IMPOSSIBLE = [
    ({"output_MFU": 45}, GPUS),
    ({"training_MFU": 0}, GPUS),
    ({"training_GPU_price": 0}, GPUS),
    ({"training_GPU_price": 150}, GPUS),  # cents
    ({"serving_GPU_peak": -1}, GPUS),
    ({"serving_GPU_peak": 624}, GPUS),  # TFLOP/s
    ({"high_training_GPU_peak": 312}, GPUS),  # in a scenario that is not the selected one
    ({"data_price": -1}, GPUS),
    ({"requests_per_month": -1}, DEMAND),
    ({"months": 0}, DEMAND),
    ({"months": 500}, DEMAND),
    ({"months": 2.5}, DEMAND),
    ({"low_months": 2.5}, DEMAND),
    ({"ramp_start_share": 3}, DEMAND),
    ({"high_ramp_start_share": 50}, DEMAND),
    ({"GPU_price_decline": 1.5}, TIME),
    ({"training_fleet": 0}, REST),
    ({"discount_rate": 10}, REST),
    ({"discount_rate": -1}, REST),
    ({"start_month": 2027}, REST),
    ({"tokens_per_word": 75}, REST),
    ({"scenario": "Best"}, "Inputs, Scenario: every input keeps to its rule"),
    ({"target_params": -5}, QUALITY),
    ({"target_params": 30}, QUALITY),
    ({"target_loss_given": 0}, QUALITY),
    ({"target_loss_given": 7.1}, QUALITY),  # a perplexity
    ({"quality_by": "losses"}, QUALITY),
    ({"quality_by": ""}, QUALITY),
    ({"quality_by": "loss", "target_loss_given": 20.0}, "No model is smaller than a million parameters"),
    ({"scenario": "Custom", "output_MFU": 45}, "Scenarios: each of them has a cost"),
    ({"quality_by": "loss", "target_loss_given": 1.69}, "The target loss is above the law's E"),
    ({"training_fleet": 4}, "Training and service end within the timeline"),
]  # fmt: skip


def failing(data: bytes) -> list[str]:
    """The checks that fail; every sheet says so below its title, if there are any."""
    book = cached(data)
    rows = book["Checks"].iter_rows(values_only=True)
    found = [row[0] for row in rows if row[3] == "CHECK"]
    assert book["Results"]["A2"].value.startswith("CHECK" if found else "OK")
    return found


@pytest.mark.parametrize("inputs", EXTREMES, ids=str)
def test_no_extreme_leaves_an_unexplained_error(budget, inputs):
    data = with_inputs(budget, **inputs)
    values = named_values(data)
    master = values["master_check"]
    assert master.startswith("CHECK" if failing(data) else "OK")
    if errors(data):
        # Every error is announced on every sheet, and a check says what to do.
        assert failing(data)
        assert master.startswith("CHECK")
    for model in MODELS:  # a sum over months that do not all fit is no figure
        beyond = isinstance(values[f"{model}_last_month"], float | int) and values[f"{model}_last_month"] > 72  # fmt: skip
        assert (values[f"{model}_npv"] == "beyond the timeline") == beyond


@pytest.mark.parametrize(("inputs", "check"), IMPOSSIBLE, ids=str)
def test_what_is_impossible_is_named_by_a_check(budget, inputs, check):
    assert check in failing(with_inputs(budget, **inputs))


@pytest.mark.parametrize(
    ("cell", "check"),
    [("output_tokens_per_request", DEMAND), ("requests_per_month", DEMAND), ("high_input_MFU", GPUS),
     ("GPU_price_decline", TIME), ("data_price", GPUS), ("start_month", REST), ("target_params", QUALITY)],
)  # fmt: skip
def test_a_blank_input_is_named_by_a_check(budget, cell, check):
    """It counts as 0 in most formulas: a demand or a price that nobody meant."""
    assert check in failing(recompute_bytes(without(budget, cell))[0])


def test_a_quality_that_is_given_by_neither_gives_no_cost(budget):
    values = named_values(with_inputs(budget, quality_by="losses"))
    assert values["target_loss"] == values["cost_optimal_cost"] == "#N/A"


def test_an_impossible_input_shows_errors_not_numbers_and_says_why(budget):
    data, report = recompute_bytes(budget, {"output_MFU": 45.0})
    values = named_values(data)
    assert values["cost_optimal_cost"] == values["cost_optimal_npv"] == "#VALUE!"
    assert report.complete
    assert any(
        "output MFU must be in (0, 1]: 45 (did you mean 0.45?)" in m for m in report.messages
    )
