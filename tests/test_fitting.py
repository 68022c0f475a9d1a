"""FIT_COEFFS, FIT_SAMPLES and `chinchilla-xl fit`: the fit as users meet it."""

from __future__ import annotations

import io
import math
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import xlsxwriter

import chinchilla_xl as cx
from chinchilla_xl.coefficients import NAMES
from chinchilla_xl.fit import bootstrap, fit
from chinchilla_xl.functions import CellError
from chinchilla_xl.recalc import recompute_bytes
from chinchilla_xl.workbooks import template
from fit_datasets import table_4
from support import cached, named_values

pytestmark = pytest.mark.once

PARAMS, TOKENS = table_4()
LOSSES = cx.chinchilla_loss(PARAMS, TOKENS) * np.exp(
    np.random.default_rng(3).normal(0, 2e-3, PARAMS.size)
)


def column(values) -> list[list[object]]:
    return [[None if v is None else float(v)] for v in values]


def test_the_table_is_the_fit_with_its_diagnostics():
    table = cx.fit_coeffs(PARAMS, TOKENS, LOSSES)
    found = fit(PARAMS, TOKENS, LOSSES)
    assert table[0].tolist() == ["coefficient", "estimate", "standard error", "low", "high"]
    assert table[1:6, 0].tolist() == list(NAMES)
    assert table[1:6, 1].tolist() == [getattr(found.law, name) for name in NAMES]
    np.testing.assert_array_equal(table[1:6, 3].astype(float), found.low)
    labels = dict(zip(table[6:, 0], table[6:, 1:].tolist(), strict=True))
    assert labels["verdict"][0] == "identified"
    assert labels["points"][0] == 47
    assert labels["range of params"][2:] == [PARAMS.min(), PARAMS.max()]
    assert labels["condition number"][0] == found.condition_number


def test_the_truth_lies_in_the_intervals():
    table = cx.fit_coeffs(PARAMS, TOKENS, LOSSES, 0.99)
    truth = cx.coeffs("chinchilla")[0].astype(float)
    assert (table[1:6, 3].astype(float) < truth).all()
    assert (truth < table[1:6, 4].astype(float)).all()


def test_every_cell_of_the_table_holds_something_a_cell_can_hold():
    for runs in ((PARAMS, TOKENS, LOSSES), (PARAMS, 20 * PARAMS, LOSSES)):
        for row in cx.fit_coeffs.cells(*map(column, runs)):
            for cell in row:
                assert isinstance(cell, float | str)
                assert cell != ""
                assert isinstance(cell, str) or math.isfinite(cell)


def test_runs_on_one_line_are_marked_not_identified_and_still_shown():
    table = cx.fit_coeffs(PARAMS, 20 * PARAMS, cx.chinchilla_loss(PARAMS, 20 * PARAMS))
    labels = dict(zip(table[:, 0], table[:, 1], strict=True))
    assert labels["verdict"] == "not identified"
    assert labels["condition number"] == "infinite" or labels["condition number"] > 1e5
    assert isinstance(labels["alpha"], float)
    assert any("tokens per parameter" in str(row[1]) for row in table if row[0] == "warning")


def test_the_table_goes_into_every_other_function_as_coeffs():
    table = cx.fit_coeffs(PARAMS, TOKENS, LOSSES)
    law = [float(x) for x in table[1:6, 1]]
    assert cx.opt_params(2.3, 1e11, table) == cx.opt_params(2.3, 1e11, law)
    cells = cx.fit_coeffs.cells(column(PARAMS), column(TOKENS), column(LOSSES))
    assert cx.opt_cost.cells(2.3, 1e11, 1e11, None, cells) == cx.opt_cost(
        2.3, 1e11, 1e11, None, law
    )


def test_samples_give_the_distribution_of_a_result():
    draws = cx.fit_samples(PARAMS, TOKENS, LOSSES, 200)
    np.testing.assert_array_equal(draws, bootstrap(PARAMS, TOKENS, LOSSES, 200))
    sizes = cx.opt_params(2.3, 1e11, draws)
    assert sizes.shape == (200, 1)
    low, high = np.percentile(sizes, [1, 99])
    assert low < cx.opt_params(2.3, 1e11) < high


def test_blank_rows_below_the_runs_are_left_out_and_blanks_among_them_are_named():
    def with_blanks(values, *rows):
        return column([None if i in rows else v for i, v in enumerate([*values, None, None])])

    full = cx.fit_coeffs.cells(column(PARAMS), column(TOKENS), column(LOSSES))
    assert cx.fit_coeffs.cells(*(with_blanks(c) for c in (PARAMS, TOKENS, LOSSES))) == full
    cell = cx.fit_coeffs.cells(with_blanks(PARAMS), with_blanks(TOKENS, 4), with_blanks(LOSSES))
    assert cell.code == "#VALUE!"
    assert cell.message == "tokens must be numbers: a blank in row 5; correct or remove that run"


@pytest.mark.parametrize(
    ("change", "code", "message"),
    [
        (lambda n, d, y: (n, d, [CellError("#REF!"), *y[1:]]), "#REF!", "losses holds #REF! in row 1"),
        (lambda n, d, y: (n, d, ["2.1", *y[1:]]), "#VALUE!", "losses must be numbers: '2.1' in row 1 (did you mean 2.1 without quotes?); correct or remove that run"),
        (lambda n, d, y: (n, d, ["3,44628", *y[1:]]), "#VALUE!", "losses must be numbers: '3,44628' in row 1 (did you mean 3.44628?); correct or remove that run"),
        (lambda n, d, y: (n, d, [True, *y[1:]]), "#VALUE!", "losses must be numbers: True in row 1; correct or remove that run"),
        (lambda n, d, y: (n, d, [-1.0, *y[1:]]), "#VALUE!", "losses must be finite and > 0: -1 in row 1; correct or remove that run"),
        (lambda n, d, y: (n, d, y[1:]), "#VALUE!", "losses must have as many values as params: 46 against 47; give one row for each run"),
        (lambda n, d, y: (n, d, 2.0), "#VALUE!", "losses must be one row or one column of runs: one cell"),
        (lambda n, d, y: ([n, n], d, y), "#VALUE!", "params must be one row or one column of runs: 2 x 47"),
        (lambda n, d, y: (n[:4], d[:4], y[:4]), "#VALUE!", "params and tokens must hold at least 5 distinct runs: 4; add runs of other sizes or token counts"),
    ],
)  # fmt: skip
def test_runs_that_cannot_be_fitted_are_refused_with_row_and_value(change, code, message):
    runs = change(PARAMS.tolist(), TOKENS.tolist(), LOSSES.tolist())
    for cell in (cx.fit_coeffs.cells(*runs), cx.fit_samples.cells(*runs, 10.0)):
        assert (cell.code, cell.message) == (code, message)


@pytest.mark.parametrize("count", [0.0, -1.0, 1.5, 1e9])
def test_the_number_of_draws_is_a_whole_number(count):
    cell = cx.fit_samples.cells(column(PARAMS), column(TOKENS), column(LOSSES), count)
    assert cell.message == f"count must be a whole number from 1 to 100,000: {count:g}"


def test_confidence_is_between_0_and_1():
    cell = cx.fit_coeffs.cells(column(PARAMS), column(TOKENS), column(LOSSES), 95.0)
    assert cell.message == "confidence must be between 0 and 1: 95"


def test_use_far_outside_the_runs_is_warned_of():
    table = cx.fit_coeffs(PARAMS, TOKENS, LOSSES)
    with pytest.warns(cx.ExtrapolationWarning, match="OPT_PARAMS: params of .* more than 10 times"):
        cx.opt_params(1.8, 1e11, table)
    with pytest.warns(cx.ExtrapolationWarning, match=r"CHINCHILLA_LOSS: tokens of 1e\+14"):
        cx.chinchilla_loss(1e9, 1e14, table)
    with pytest.warns(cx.ExtrapolationWarning) as caught:
        cx.opt_plan(1.8, 1e9, 1e9, coeffs=table)
    assert [str(w.message)[:18] for w in caught] == ["OPT_PLAN: params o", "OPT_PLAN: tokens o"]
    cx.opt_params(2.3, 1e11, table)  # no warning: warnings are errors in these tests


def test_both_functions_work_in_a_workbook_with_percentile():
    target = io.BytesIO()
    book = xlsxwriter.Workbook(target)
    sheet = book.add_worksheet("Runs")
    for i, row in enumerate(zip(PARAMS, TOKENS, LOSSES, strict=True)):
        sheet.write_row(i, 0, row)
    runs = "A1:A47,B1:B47,C1:C47"
    sheet.write_dynamic_array_formula("E1", f"=FIT_COEFFS({runs})")
    sheet.write_formula("L1", "=OPT_PARAMS(2.3,1E11,E1:I15)")
    sheet.write_formula("L2", f"=PERCENTILE(OPT_PARAMS(2.3,1E11,FIT_SAMPLES({runs},100)),0.05)")
    sheet.write_formula("L3", "=OPT_PARAMS(1.8,1E11,E1:I15)")
    book.close()
    data, report = recompute_bytes(target.getvalue())
    assert report.complete, report.kept
    cells = cached(data)["Runs"]
    assert cells["E2"].value == "A"
    table = cx.fit_coeffs(PARAMS, TOKENS, LOSSES)
    # The file holds the runs with 16 digits.
    assert cells["F5"].value == pytest.approx(table[4, 1], rel=1e-9)
    assert cells["L1"].value == pytest.approx(cx.opt_params(2.3, 1e11, table), rel=1e-9)
    draws = cx.fit_samples(PARAMS, TOKENS, LOSSES, 100)
    expected = np.percentile(cx.opt_params(2.3, 1e11, draws), 5)
    assert cells["L2"].value == pytest.approx(expected, rel=1e-6)
    assert any("more than 10 times outside the runs" in message for message in report.messages)


# --- the command line ---


def run(*args: object, cwd) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "chinchilla_xl", "fit", *map(str, args)]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd)


FRAME = pd.DataFrame(
    {"Model Size": PARAMS, "Train Tokens": TOKENS, "val_loss": LOSSES, "note": "x"}
)


@pytest.mark.parametrize("kind", ["csv", "xlsx", "parquet"])
def test_runs_are_read_from_every_format_and_columns_guessed(tmp_path, kind):
    path = tmp_path / f"runs.{kind}"
    writer = {"csv": FRAME.to_csv, "xlsx": FRAME.to_excel, "parquet": FRAME.to_parquet}[kind]
    writer(path, index=False)
    result = run(path.name, cwd=tmp_path)
    assert (result.returncode, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    assert lines[:3] == [
        "params read from: Model Size",
        "tokens read from: Train Tokens",
        "loss read from: val_loss",
    ]
    alpha = next(line.split() for line in lines if line.startswith("alpha"))
    assert float(alpha[1]) == pytest.approx(cx.fit_coeffs(PARAMS, TOKENS, LOSSES)[4, 1], rel=1e-5)


@pytest.mark.parametrize(("titles", "units"), [(1, True), (5, True), (19, False)])
def test_runs_below_titles_and_units_are_found_in_a_sheet(tmp_path, titles, units):
    head = pd.DataFrame([FRAME.columns.tolist()], columns=FRAME.columns)
    unit = pd.DataFrame([["parameters", "tokens", "nats/token", None]], columns=FRAME.columns)
    filled = pd.DataFrame([[None, None, None, "-"]] * 3, columns=FRAME.columns)
    above = pd.DataFrame([["Our runs", None, None, None]] * titles, columns=FRAME.columns)
    lines = pd.concat([above, head, *[unit] * units, FRAME, filled], ignore_index=True)
    with pd.ExcelWriter(tmp_path / "runs.xlsx") as book:
        pd.DataFrame({"About": ["this"]}).to_excel(book, sheet_name="About", index=False)
        lines.to_excel(book, sheet_name="Runs", index=False, header=False)
    result = run("runs.xlsx", "--sheet", "Runs", cwd=tmp_path)
    assert (result.returncode, result.stderr) == (0, "")
    FRAME.to_csv(tmp_path / "runs.csv", index=False)
    assert result.stdout == run("runs.csv", cwd=tmp_path).stdout


def test_the_sheet_of_runs_in_the_template_is_read(tmp_path):
    (tmp_path / "fit.xlsx").write_bytes(template("fit"))
    result = run("fit.xlsx", "--sheet", "Runs", cwd=tmp_path)
    assert (result.returncode, result.stderr) == (0, "")
    assert "params read from: Parameters\ntokens read from: Training tokens\n" in result.stdout
    coefficient = named_values(template("fit"))["fitted_alpha"]
    assert f"{coefficient:.6g}" in result.stdout


def test_tokens_follow_from_flops(tmp_path):
    frame = pd.DataFrame({"N": PARAMS, "C": 6 * PARAMS * TOKENS, "loss": LOSSES})
    frame.to_csv(tmp_path / "runs.csv", index=False)
    result = run("runs.csv", cwd=tmp_path)
    assert "tokens read from: C / (6 x N)" in result.stdout
    assert f"{cx.fit_coeffs(PARAMS, TOKENS, LOSSES)[1, 1]:.6g}" in result.stdout


@pytest.mark.parametrize(
    ("frame", "args", "code", "message"),
    [
        (FRAME.drop(columns="val_loss"), [], 2, "no column of loss was found among Model Size, Train Tokens, note: name it with --loss"),
        (FRAME.drop(columns="Train Tokens"), [], 2, "no column of tokens or FLOPs was found among"),
        (FRAME, ["--loss", "los"], 2, "there is no column 'los' (did you mean val_loss?): the file has Model Size"),
        (FRAME.assign(val_loss=0.0), [], 2, "losses must be finite and > 0: 0 in row 1"),
        (FRAME, ["-o", "fit.csv"], 2, "the file must end in .xlsx: fit.csv"),
        (FRAME.head(0), [], 3, "it holds no rows"),
        (FRAME.rename(columns={"Model Size": "", "val_loss": ""}), [], 2, "no column of params was found among Train Tokens, note: name it with --params, or let the names of the columns be the first line"),
    ],
)  # fmt: skip
def test_what_cannot_be_fitted_is_said_in_one_line(tmp_path, frame, args, code, message):
    frame.to_csv(tmp_path / "runs.csv", index=False)
    result = run("runs.csv", *args, cwd=tmp_path)
    assert result.returncode == code
    assert message in result.stderr
    assert "Traceback" not in result.stderr


def test_nothing_is_overwritten_unasked_and_the_runs_never(tmp_path):
    FRAME.to_excel(tmp_path / "runs.xlsx", index=False)
    before = (tmp_path / "runs.xlsx").read_bytes()
    for args in (["-o", "runs.xlsx"], ["-o", "runs.xlsx", "--force"], ["--png", "runs.xlsx"]):
        assert run("runs.xlsx", *args, cwd=tmp_path).returncode == 2
    assert (tmp_path / "runs.xlsx").read_bytes() == before
    (tmp_path / "old.png").write_bytes(b"old")
    assert run("runs.xlsx", "--png", "old.png", cwd=tmp_path).returncode == 2
    assert (tmp_path / "old.png").read_bytes() == b"old"
    assert run("runs.xlsx", "--png", "old.png", "--force", cwd=tmp_path).returncode == 0
    assert (tmp_path / "old.png").read_bytes().startswith(b"\x89PNG")


def test_lines_longer_than_the_first_are_refused_not_shifted(tmp_path):
    lines = [
        "params,tokens,loss",
        *(f"{n},{d},{y},9" for n, d, y in zip(PARAMS, TOKENS, LOSSES, strict=True)),
    ]
    (tmp_path / "runs.csv").write_text("\n".join(lines))
    result = run("runs.csv", cwd=tmp_path)
    assert result.returncode == 3
    assert "it cannot be read as a table" in result.stderr


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_any_usual_separator_is_read_and_blank_lines_at_the_end_left_out(tmp_path, separator):
    frame = FRAME.drop(columns="note")
    frame.to_csv(tmp_path / "runs.csv", index=False, sep=separator)
    with (tmp_path / "runs.csv").open("a") as file:
        file.write(2 * separator + "\n")
    assert run("runs.csv", cwd=tmp_path).returncode == 0


def test_a_column_of_flops_that_is_named_beats_a_guessed_one_of_tokens(tmp_path):
    FRAME.assign(flops=6 * PARAMS * TOKENS * 2).to_csv(tmp_path / "runs.csv", index=False)
    result = run("runs.csv", "--flops", "flops", cwd=tmp_path)
    assert "tokens read from: flops / (6 x Model Size)" in result.stdout
    both = run("runs.csv", "--flops", "flops", "--tokens", "Train Tokens", cwd=tmp_path)
    assert (both.returncode, "not both" in both.stderr) == (2, True)
    same = run("runs.csv", "--loss", "Model Size", cwd=tmp_path)
    assert (same.returncode, "a column of its own" in same.stderr) == (2, True)


def test_one_bad_cell_is_named_with_its_own_row(tmp_path):
    losses = [*LOSSES[:4], "diverged", *LOSSES[5:]]
    FRAME.assign(val_loss=losses).to_csv(tmp_path / "runs.csv", index=False)
    result = run("runs.csv", cwd=tmp_path)
    assert "losses must be numbers: 'diverged' in row 5" in result.stderr


def test_runs_that_show_no_effect_still_make_a_report(tmp_path):
    FRAME.assign(val_loss=2.0).to_csv(tmp_path / "runs.csv", index=False)
    result = run("runs.csv", "-o", "fit.xlsx", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert "warning: " in result.stdout
    for row in cached((tmp_path / "fit.xlsx").read_bytes())["Runs"].iter_rows(
        min_row=2, values_only=True
    ):
        assert row[4] == pytest.approx(2.0)


def test_the_table_of_such_a_fit_is_refused_as_coeffs_in_words():
    table = cx.fit_coeffs(PARAMS, TOKENS, np.full(47, 2.0))
    with pytest.raises(cx.ArgumentError, match="the loss does not depend on params or on tokens"):
        cx.opt_params(2.5, 1e11, table)


def test_noise_is_not_called_identified():
    noise = np.random.default_rng(0).uniform(1, 5, 47)
    table = cx.fit_coeffs(PARAMS, TOKENS, noise)
    labels = dict(zip(table[:, 0], table[:, 1], strict=True))
    assert labels["verdict"] != "identified"


def test_a_run_far_off_the_law_is_named_although_it_does_not_pull():
    losses = LOSSES.copy()
    losses[10] *= 1e6
    table = cx.fit_coeffs(PARAMS, TOKENS, losses)
    assert any("row 11 is 1e+06 times off the law" in str(cell) for cell in table[:, 1])


def test_a_range_of_one_cell_is_that_cell():
    runs = [column(c) for c in (PARAMS, TOKENS, LOSSES)]
    assert cx.fit_coeffs.cells(*runs, [[0.9]]) == cx.fit_coeffs.cells(*runs, 0.9)
    assert cx.fit_samples.cells(*runs, [[3.0]]) == cx.fit_samples.cells(*runs, 3.0)
    assert cx.fit_coeffs.cells(*runs, [[0.9], [0.95]]).message == (
        "confidence must be a single number: 2 given"
    )
    assert cx.fit_coeffs.cells(CellError("#REF!"), *runs[1:]).code == "#REF!"


def test_files_that_are_no_tables_are_refused(tmp_path):
    (tmp_path / "runs.txt").write_text("1,2,3")
    (tmp_path / "bad.xlsx").write_bytes(b"PK nothing")
    (tmp_path / "bad.parquet").write_bytes(b"nothing")
    for name in ("runs.txt", "bad.xlsx", "bad.parquet", "none.csv"):
        result = run(name, cwd=tmp_path)
        assert result.returncode == 3, name
        assert result.stderr.count("\n") == 1


def test_the_report_holds_coefficients_runs_residuals_and_charts(tmp_path):
    FRAME.to_csv(tmp_path / "runs.csv", index=False)
    result = run("runs.csv", "-o", "fit.xlsx", "--png", "fit.png", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert result.stdout.splitlines()[-2:] == ["fit.xlsx", "fit.png"]
    assert (tmp_path / "fit.png").read_bytes().startswith(b"\x89PNG")
    data = (tmp_path / "fit.xlsx").read_bytes()
    book = cached(data)
    assert len(book["Fit"]._charts) == 3
    rows = list(book["Runs"].iter_rows(min_row=2, values_only=True))
    found = fit(PARAMS, TOKENS, LOSSES)
    assert len(rows) == 47
    for row in rows:
        index = row[0] - 1
        # Files hold numbers with 16 digits.
        assert row[1:4] == pytest.approx((PARAMS[index], TOKENS[index], LOSSES[index]), rel=1e-15)
        assert row[5] == pytest.approx(found.residuals[index], abs=1e-12)
