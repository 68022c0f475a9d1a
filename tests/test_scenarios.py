"""The batch workbook: the same figures by formulas on its sheets, by sweep, and by direct calls."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

import chinchilla_xl as cx
from blocks import block, errors, numbers
from chinchilla_xl.recalc import recompute_bytes
from chinchilla_xl.workbooks import template
from chinchilla_xl.workbooks.batch.model import INPUTS, OUTPUTS
from paper import TABLE_3, agrees
from support import named_values, without

pytestmark = pytest.mark.once

NAMES = [output.name for output in OUTPUTS]


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    path = tmp_path_factory.mktemp("scenarios") / "batch.xlsx"
    path.write_bytes(template("batch"))
    return path


def test_sweep_reads_the_sheet_as_it_is_and_gives_what_the_sheet_shows(book):
    result = cx.sweep(book, book, [*NAMES, "result_of"], sheet="Scenarios")
    data = book.read_bytes()
    count = int(named_values(data)["scenario_count"])
    assert len(result) == count == 12
    assert list(result.columns[: len(INPUTS)]) == [given.name for given in INPUTS]
    assert result["error"].isna().all()
    for name in NAMES:
        shown = block(data, f"result_{name}").ravel()[:count].astype(float)
        np.testing.assert_allclose(result[name].astype(float), shown, rtol=1e-12, err_msg=name)
    assert result["result_of"].tolist() == result["scenario"].tolist()
    assert block(data, "result_scenario").ravel()[:count].tolist() == result["scenario"].tolist()


def test_the_command_reads_the_sheet_too(book, tmp_path):
    command = [sys.executable, "-m", "chinchilla_xl", "sweep", book, book, "--sheet", "Scenarios"]
    command += ["--outputs", "cost,params", "-o", "out.csv"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    shown = block(book.read_bytes(), "result_cost").ravel()[:12].astype(float)
    np.testing.assert_allclose(pd.read_csv(tmp_path / "out.csv")["cost"], shown, rtol=1e-12)


def test_the_last_scenarios_are_table_3(book):
    data = book.read_bytes()
    columns = {
        "loss": "target_loss", "training": "style_tokens", "spent": "style_cost",
        "opt_params": "params", "opt_training": "tokens", "opt_spent": "cost", "saved": "saved_share",
    }  # fmt: skip
    for figure, name in columns.items():
        shown = block(data, f"result_{name}").ravel()[7:12]
        for row, value in zip(TABLE_3, shown, strict=True):
            assert agrees(value, getattr(row, figure)), (row.params, figure, value)


def test_a_row_is_what_direct_calls_give(book):
    data = book.read_bytes()
    machines = [2.95, 989e12, 0.5, 2.95, 1979e12, 0.5, 0.01]  # the row "H100 for both"
    assert block(data, "result_scenario")[4, 0] == "H100 for both"
    loss = cx.chinchilla_loss(30e9, cx.chinchilla_tokens(30e9))
    read, written = 646e6 * 36 * 70, 646e6 * 36 * 145
    cost = cx.opt_cost(loss, read, written, machines)
    assert block(data, "result_cost")[4, 0] == pytest.approx(cost, rel=1e-12)
    params = cx.opt_params(loss, cx.effective_tokens(read, written, machines))
    assert block(data, "result_params")[4, 0] == pytest.approx(params, rel=1e-12)


def test_a_blank_cell_follows_the_model(book):
    data = template("batch", {"months": 12.0})
    before = block(book.read_bytes(), "used_months").ravel()
    after = block(data, "used_months").ravel()
    assert before[:12].tolist() == [36] * 7 + [1] * 5
    assert after[:12].tolist() == [12] * 7 + [1] * 5
    values = named_values(data)
    assert block(data, "result_cost")[0, 0] == pytest.approx(values["cost"], rel=1e-12)


def test_rows_up_to_the_last_one_filled_are_scenarios_as_for_sweep():
    data = template("batch", {"Scenarios!F16": 12.0})  # leaves two blank rows above it
    values = named_values(data)
    assert values["scenario_count"] == 15
    assert values["failing_checks"] == 0
    costs = block(data, "result_cost").ravel()
    assert costs[12] == costs[13] == pytest.approx(values["cost"], rel=1e-12)
    assert costs[14] < costs[13]
    assert costs[15] == "-"


@pytest.mark.parametrize(
    "inputs",
    [
        {"requests_per_month": 0.0},
        {"requests_per_month": 1e18 / 215, "months": 1.0},
        {"training_MFU": 0.01, "input_MFU": 0.01, "output_MFU": 0.01},
    ],
)
def test_extreme_inputs_leave_no_error(inputs):
    data = template("batch", inputs)
    assert errors(data) == []
    assert named_values(data)["failing_checks"] == 0


def test_a_blank_input_of_the_model_fails_a_check():
    data = without(template("batch"), "output_tokens_per_request")
    assert named_values(recompute_bytes(data)[0])["failing_checks"] == 1


@pytest.mark.parametrize("cell", ["target_params", "Scenarios!B3"])
def test_a_size_meant_in_billions_fails_a_check(cell):
    assert INPUTS[1].name == "target_params"  # the second column of Scenarios
    data, _ = recompute_bytes(template("batch"), {cell: 30.0})
    assert named_values(data)["failing_checks"] == 2  # the input, and the model that follows


def test_a_scenario_that_cannot_be_shows_its_error_and_a_failing_check():
    data, _ = recompute_bytes(template("batch"), {"Scenarios!M3": 45.0})
    assert named_values(data)["failing_checks"] >= 1
    assert block(data, "result_cost")[1, 0] == "#VALUE!"
    assert numbers(data, "cost").item() > 0
