"""The budget workbook as a file: names, values, validations, and inputs that change it."""

from __future__ import annotations

import io
import re
from pathlib import Path

import openpyxl
import pytest

import chinchilla_xl as cx
from chinchilla_xl.costs import ASSUMPTIONS
from chinchilla_xl.functions import FUNCTIONS
from chinchilla_xl.recalc import recompute_bytes
from chinchilla_xl.workbooks import template
from support import cached, members, named_values


@pytest.fixture(scope="module")
def budget() -> bytes:
    return template("budget")


def test_it_is_the_same_bytes_every_time(budget):
    assert template("budget") == budget


def test_the_ready_workbook_is_what_the_code_builds(budget):
    committed = Path(__file__).resolve().parent.parent / "templates" / "budget.xlsx"
    old, new = members(committed.read_bytes()), members(budget)
    assert list(old) == list(new)
    differing = [name for name in old if to_12_digits(old[name]) != to_12_digits(new[name])]
    assert not differing, "run make templates"


def to_12_digits(part: bytes) -> bytes:
    """A part with its values rounded: exp and log differ in their last digit between machines."""
    return re.sub(rb"<v>([-+.0-9E]+)</v>", lambda m: b"<v>%.12g</v>" % float(m[1]), part)


def test_every_cell_holds_a_computed_value_and_none_an_error(budget):
    formulas = openpyxl.load_workbook(io.BytesIO(budget))
    values = cached(budget)
    count = 0
    for sheet in formulas:
        for row in sheet.iter_rows():
            for cell in row:
                if cell.data_type == "f":
                    value = values[sheet.title][cell.coordinate].value
                    assert value is not None, cell.coordinate
                    assert not str(value).startswith("#"), (cell.coordinate, value)
                    count += 1
    assert count > 90


def test_it_asks_no_program_to_recalculate_it(budget):
    workbook = members(budget)["xl/workbook.xml"]
    assert b"fullCalcOnLoad" not in workbook
    assert b'calcId="191029"' in workbook


def test_recomputing_it_changes_nothing(budget):
    again, report = recompute_bytes(budget)
    assert again == budget
    assert report.complete


def test_no_name_is_that_of_a_function_or_looks_like_a_cell(budget):
    names = {name.upper() for name in openpyxl.load_workbook(io.BytesIO(budget)).defined_names}
    assert not names & {function.name for function in FUNCTIONS}
    assert not [n for n in names if re.fullmatch(r"[A-Z]{1,3}[0-9]+|R[0-9]*C[0-9]*", n)]


def test_every_input_is_named_validated_and_explained(budget):
    book = openpyxl.load_workbook(io.BytesIO(budget))
    named = {
        (sheet, place.replace("$", ""))
        for definition in book.defined_names.values()
        for sheet, place in definition.destinations
    }
    count = 0
    for sheet in book:
        validated = {str(v.sqref): v for v in sheet.data_validations.dataValidation}
        for row in sheet.iter_rows():
            for cell in row:
                is_input = cell.font.color is not None and cell.font.color.rgb == "FF0000FF"
                if not is_input or cell.value == "Blue on yellow: an input, to be edited":
                    continue
                count += 1
                assert (sheet.title, cell.coordinate) in named, cell.coordinate
                rule = validated[cell.coordinate]
                assert " must be " in rule.error
                assert rule.showErrorMessage
    assert count == 4 + 4 + 7 + 9


def test_quality_may_be_given_as_a_loss():
    values = named_values(
        template("budget", {"quality_by": "loss", "target_loss_given": 2.1, "months": 1.0})
    )
    demand = values["inference_tokens"]
    assert demand == 646e6 * 215
    assert values["target_loss"] == 2.1
    assert values["compute_optimal_params"] == cx.opt_params(2.1, demand)
    assert values["cost_optimal_cost"] == pytest.approx(
        cx.opt_cost(2.1, 646e6 * 70, 646e6 * 145), rel=1e-12
    )


def test_another_coefficient_set_reaches_every_result(budget):
    before = named_values(budget)
    after = named_values(template("budget", {"coefficient_set": "besiroglu"}))
    assert after["coefficient_A"] == 482.01
    assert after["target_loss"] == cx.chinchilla_loss(
        30e9, cx.chinchilla_tokens(30e9, "besiroglu"), "besiroglu"
    )
    assert after["cost_optimal_params"] != before["cost_optimal_params"]
    assert after["low_params"] != before["low_params"]


def test_the_base_scenario_is_the_budget(budget):
    values = named_values(budget)
    for key in ("params", "tokens", "training_cost", "serving_cost", "cost", "saved"):
        assert values[f"base_{key}"] == pytest.approx(values[f"cost_optimal_{key}"], rel=1e-12)
    assert values["low_cost"] < values["base_cost"] < values["high_cost"]


def test_every_price_reaches_the_cost(budget):
    before = named_values(budget)["cost_optimal_cost"]
    for assumption in ASSUMPTIONS[:7]:
        name = assumption.label.replace(" ", "_")
        value = min(1.0, assumption.default * 1.5) if assumption.unit == "fraction" else assumption.default * 1.5  # fmt: skip
        after = named_values(template("budget", {name: value}))["cost_optimal_cost"]
        dearer = assumption.unit == "$/h"
        assert (after > before) == dearer, name


def test_gpu_hours_are_dollars_over_the_price(budget):
    values = named_values(budget)
    flops = 6 * values["cost_optimal_params"] * values["cost_optimal_tokens"]
    hours = flops / (3.12e14 * 0.5) / 3600
    assert values["cost_optimal_training_gpu_hours"] == pytest.approx(hours, rel=1e-12)


def test_an_impossible_input_shows_errors_not_numbers_and_says_why():
    data, report = recompute_bytes(template("budget"), {"output_MFU": 45.0})
    values = named_values(data)
    assert values["cost_optimal_cost"] == "#VALUE!"
    assert any(
        "output MFU must be in (0, 1]: 45 (did you mean 0.45?)" in m for m in report.messages
    )


def test_zero_demand_makes_every_model_chinchilla_style():
    values = named_values(template("budget", {"requests_per_month": 0.0}))
    assert values["cost_optimal_params"] == pytest.approx(30e9, rel=1e-9)
    assert values["cost_optimal_saved"] == pytest.approx(0, abs=1e-3)
