"""Sweeps: a row of outputs for each row of inputs, on a workbook that stays loaded."""

from __future__ import annotations

import io
import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import BrokenExecutor, Future, ThreadPoolExecutor

import numpy as np
import openpyxl
import pandas as pd
import pytest
import xlsxwriter
from openpyxl.workbook.defined_name import DefinedName

import chinchilla_xl as cx
from chinchilla_xl.recalc import sweep as sweep_module
from chinchilla_xl.recalc.calculation import Calculation
from chinchilla_xl.recalc.live import LiveWorkbook
from engine_books import needs_libreoffice
from support import named_values, saved, small_budget

pytestmark = pytest.mark.once

OUTPUTS = ["cost_optimal_cost", "cost_optimal_params", "target_loss"]


@pytest.fixture(scope="module")
def budget(tmp_path_factory):
    path = tmp_path_factory.mktemp("sweep") / "budget.xlsx"
    path.write_bytes(small_budget())
    return path


def scenarios(count: int) -> pd.DataFrame:
    g = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "target_params": 10 ** g.uniform(9, 11, count),
            "months": g.integers(1, 60, count).astype(float),
            "output_MFU": g.uniform(0.005, 0.5, count),
        }
    )


def test_every_row_is_what_a_recomputation_with_its_inputs_gives(budget):
    frame = scenarios(6)
    result = cx.sweep(budget, frame, OUTPUTS)
    assert list(result.columns) == [*frame.columns, *OUTPUTS, "error"]
    for row in result.to_dict("records"):
        expected = named_values(small_budget({name: row[name] for name in frame.columns}))
        for name in OUTPUTS:
            assert row[name] == pytest.approx(expected[name], rel=1e-12)
        assert pd.isna(row["error"])


def test_staying_loaded_changes_nothing(budget, monkeypatch):
    frame = scenarios(30)
    live = cx.sweep(budget, frame, OUTPUTS)
    sweep_module._live.cache_clear()
    monkeypatch.setattr(Calculation, "may_live", False)
    pd.testing.assert_frame_equal(live, cx.sweep(budget, frame, OUTPUTS), rtol=1e-12)
    sweep_module._live.cache_clear()


def test_a_blank_leaves_the_workbooks_own_value_and_nothing_leaks_into_the_next_row(budget):
    frame = pd.DataFrame({"months": [12.0, None, 36.0], "target_params": [None, 70e9, None]})
    result = cx.sweep(budget, frame, OUTPUTS)
    base = named_values(budget.read_bytes())
    for name in OUTPUTS:
        assert result[name][2] == pytest.approx(base[name], rel=1e-12)
    other = named_values(small_budget({"target_params": 70e9}))
    assert result["cost_optimal_cost"][1] == pytest.approx(other["cost_optimal_cost"], rel=1e-12)


def test_an_error_stays_in_its_row_and_says_why(budget):
    frame = pd.DataFrame({"target_params": [30e9, 1e-300, 7e9]})
    result = cx.sweep(budget, frame, ["cost_optimal_cost"])
    assert result["error"].isna().tolist() == [True, False, True]
    assert result["cost_optimal_cost"][1] == "#NUM!"
    assert "CHINCHILLA_TOKENS has no finite answer for these arguments" in result["error"][1]
    text = cx.sweep(budget, pd.DataFrame({"months": [3.0, "many"]}), ["target_loss"])
    assert "Months must be > 0: 'many'" in text["error"][1]


@pytest.mark.parametrize(
    "engine", ["formualizer", pytest.param("libreoffice", marks=needs_libreoffice)]
)
def test_a_scenario_that_breaks_the_workbooks_rules_gets_no_result(budget, engine):
    frame = pd.DataFrame({"output_MFU": [0.01, 45.0, 0.02], "months": [36.0, 36.0, -3.0]})
    result = cx.sweep(budget, frame, ["target_loss"], engine=engine)
    assert result["target_loss"].isna().tolist() == [False, True, True]
    assert result["error"][1:].tolist() == [
        "output_MFU is refused by the workbook: output MFU must be in (0, 1]: 45 (did you mean 0.45?)",
        "months is refused by the workbook: Months must be > 0: -3",
    ]


def test_a_text_in_a_column_leaves_the_numbers_beside_it_numbers(budget, tmp_path):
    (tmp_path / "s.csv").write_text("target_params\n7B\n7e9\ninf\n")
    found = cx.sweep(budget, tmp_path / "s.csv", ["target_loss"])
    alone = cx.sweep(budget, pd.DataFrame({"target_params": [7e9]}), ["target_loss"])
    assert found["target_loss"][1] == alone["target_loss"][0]
    assert "must be > 0: '7B' (did you mean 7E9?)" in found["error"][0]
    assert "must be > 0: 'inf'" in found["error"][2]


def test_processes_and_executors_share_the_rows(budget):
    frame = scenarios(60)
    expected = cx.sweep(budget, frame, OUTPUTS)
    pd.testing.assert_frame_equal(cx.sweep(budget, frame, OUTPUTS, jobs=2), expected)
    with ThreadPoolExecutor(1) as executor:
        pd.testing.assert_frame_equal(cx.sweep(budget, frame, OUTPUTS, executor=executor), expected)


def test_workbooks_with_arrays_or_kept_formulas_are_calculated_anew():
    target = io.BytesIO()
    book = xlsxwriter.Workbook(target)
    sheet = book.add_worksheet("S")
    sheet.write("A1", 3)
    sheet.write_dynamic_array_formula("B1", "=SEQUENCE(A1)")
    sheet.write_formula("C1", "=SUM(B1:B9)")
    book.close()
    live = LiveWorkbook(target.getvalue())
    assert [live.run({"S!A1": float(n)}, ["S!C1"])["S!C1"] for n in (5, 2, 4)] == [15, 3, 10]
    kept = openpyxl.Workbook()
    kept.active["A1"], kept.active["B1"], kept.active["C1"] = 1.0, "=RAND()*A1", "=B1+1"
    live = LiveWorkbook(saved(kept))
    with pytest.raises(cx.ArgumentError, match=r"Sheet!C1 was not computed: it needs Sheet!B1"):
        live.run({"Sheet!A1": 2.0}, ["Sheet!C1"])


@pytest.mark.parametrize(
    ("frame", "outputs", "message"),
    [
        (pd.DataFrame({"monts": [1.0]}), ["target_loss"], "no name 'monts' .did you mean months"),
        (pd.DataFrame({"months": [1.0]}), ["target_los"], "no name 'target_los'"),
        (pd.DataFrame({"months": [1.0]}), [], "outputs must name at least one cell"),
        (pd.DataFrame({"months": []}), ["target_loss"], "hold no rows"),
        (pd.DataFrame({"months": [1.0]}), ["months"], "months stands twice"),
        (pd.DataFrame({"target_loss": [1.0]}), ["months"], "target_loss holds a formula"),
        (pd.DataFrame({"error": [1.0]}), ["months"], "'error' is the column of errors"),
    ],
)
def test_what_fits_nothing_is_refused_before_any_row(budget, frame, outputs, message):
    with pytest.raises(cx.ArgumentError, match=message):
        cx.sweep(budget, frame, outputs)


class BrokenOffError(Exception):
    pass


def test_a_sweep_that_was_broken_off_does_only_the_rest(budget, tmp_path, monkeypatch):
    frame, output = scenarios(80), tmp_path / "out.csv"

    def stop(done: int, *_: int) -> None:
        if done >= 50:
            raise BrokenOffError

    with pytest.raises(BrokenOffError):
        cx.sweep(budget, frame, OUTPUTS, output, progress=stop)
    assert not output.exists()
    journal = tmp_path / "out.csv.journal"
    with journal.open("a") as file:
        file.write('[50, {"cost_op')  # the line at which the power went
    calls: list[int] = []
    original = sweep_module.run_rows

    def counted(path, digest, rows, *rest):
        calls.extend(index for index, _ in rows)
        return original(path, digest, rows, *rest)

    monkeypatch.setattr(sweep_module, "run_rows", counted)
    result = cx.sweep(budget, frame, OUTPUTS, output)
    assert calls == list(range(50, 80))
    assert not journal.exists()
    written = pd.read_csv(output)
    np.testing.assert_allclose(written["cost_optimal_cost"], result["cost_optimal_cost"])
    assert len(written) == 80


def test_a_journal_of_other_scenarios_is_not_used(budget, tmp_path):
    output = tmp_path / "out.csv"
    (tmp_path / "out.csv.journal").write_text("another question\n" + json.dumps([0, {"x": 1}]))
    result = cx.sweep(budget, scenarios(3), OUTPUTS, output)
    assert result["error"].isna().all()


KILLED = """
import os, signal, sys
import pandas as pd
from chinchilla_xl.recalc import sweep as module

original = module.run_rows

def logged(path, digest, rows, *rest):
    with open("calls", "a") as file:
        file.writelines(f"{index}\\n" for index, _ in rows)
    return original(path, digest, rows, *rest)

def die(done, total, errors):
    if done >= int(sys.argv[2]):
        os.kill(os.getpid(), signal.SIGKILL)

module.run_rows = logged
frame = pd.read_csv("in.csv")
module.sweep(sys.argv[1], frame, ["target_loss"], "out.csv", progress=die)
"""


@pytest.mark.skipif(os.name != "posix", reason="signals as POSIX knows them")
def test_a_sweep_that_is_killed_resumes_with_no_row_done_again(budget, tmp_path):
    frame = scenarios(120)
    frame.to_csv(tmp_path / "in.csv", index=False)
    for stop, code in ((50, -signal.SIGKILL), (100, -signal.SIGKILL), (1000, 0)):
        command = [sys.executable, "-c", KILLED, str(budget), str(stop)]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == code, done.stderr
        assert (tmp_path / "out.csv").exists() is (code == 0)
    calls = [int(line) for line in (tmp_path / "calls").read_text().splitlines()]
    assert calls == list(range(120))
    written = pd.read_csv(tmp_path / "out.csv")
    expected = cx.sweep(budget, frame, ["target_loss"])
    np.testing.assert_allclose(written["target_loss"], expected["target_loss"])
    assert sorted(p.name for p in tmp_path.iterdir()) == ["calls", "in.csv", "out.csv"]


@pytest.mark.skipif(os.name != "posix", reason="signals as POSIX knows them")
def test_ctrl_c_leaves_no_half_written_file_and_says_how_to_go_on(budget, tmp_path):
    scenarios(3000).to_csv(tmp_path / "in.csv", index=False)
    command = [sys.executable, "-m", "chinchilla_xl", "sweep", str(budget), "in.csv"]
    command += ["--outputs", "target_loss", "-o", "out.csv", "--jobs", "2"]
    process = subprocess.Popen(
        command, cwd=tmp_path, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    journal = tmp_path / "out.csv.journal"
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not (journal.exists() and journal.stat().st_size > 200):
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=60)
    assert process.returncode == 130, error
    assert "Traceback" not in error
    assert error.startswith("interrupted after ")
    assert error.endswith(" of 3000 scenarios: the same command goes on from there\n")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in.csv", "out.csv.journal"]


@pytest.mark.skipif(os.name != "posix", reason="signals as POSIX knows them")
def test_a_worker_that_is_killed_costs_no_row(budget):
    killed: list[int] = []

    def kill(*_: int) -> None:
        workers = multiprocessing.active_children()
        if not killed and workers:
            killed.append(workers[0].pid)
            os.kill(workers[0].pid, signal.SIGKILL)

    frame = scenarios(200)
    result = cx.sweep(budget, frame, OUTPUTS, jobs=2, progress=kill)
    assert killed
    pd.testing.assert_frame_equal(result, cx.sweep(budget, frame, OUTPUTS))


class Fragile(ThreadPoolExecutor):
    """Loses every task that holds row 3."""

    def submit(self, function, *args):
        if any(index == 3 for index, _ in args[2]):
            lost: Future = Future()
            lost.set_exception(BrokenExecutor("a process was\nterminated"))
            return lost
        return super().submit(function, *args)


def test_a_row_that_takes_its_worker_along_is_the_only_one_with_an_error(budget):
    with Fragile(1) as executor:
        result = cx.sweep(budget, scenarios(30), OUTPUTS, executor=executor)
    assert result["error"][3] == "its worker was lost: a process was"
    assert result["error"].notna().sum() == 1
    assert result[OUTPUTS].notna().all(axis=1).sum() == 29


def test_a_scenario_that_takes_too_long_is_stopped_and_reported_in_its_row(tmp_path):
    book = openpyxl.Workbook()
    for row in range(1, 61):
        book.active.append([1e8 * row, 1e10 * (row % 7 + 1), 2 + 1 / row])
    book.active["E1"] = 1.0
    for row in range(1, 400):
        book.active[f"F{row}"] = f"=INDEX(FIT_SAMPLES(A1:A60,B1:B60,C1:C60,E1+{row}),1,1)*0+E1"
    (tmp_path / "slow.xlsx").write_bytes(saved(book))
    frame = pd.DataFrame({"Sheet!E1": [5000.0, 6000.0]})
    start = time.monotonic()
    result = cx.sweep(tmp_path / "slow.xlsx", frame, ["Sheet!F1"], jobs=2, timeout=3.0)
    assert time.monotonic() - start < 30
    assert result["error"].tolist() == ["stopped after 3 s"] * 2
    with ThreadPoolExecutor(1) as executor, pytest.raises(cx.ArgumentError, match="cannot stop"):
        cx.sweep(tmp_path / "slow.xlsx", frame, ["Sheet!F1"], executor=executor, timeout=1.0)


@needs_libreoffice
def test_libreoffice_runs_a_sweep_too(tmp_path):
    book = openpyxl.Workbook()
    book.active["A1"], book.active["B1"], book.active["C1"] = 2.0, "=A1^2", "=OPT_PARAMS(A1,1)"
    book.active["D1"] = "text"
    path = tmp_path / "b.xlsx"
    path.write_bytes(saved(book))
    frame = pd.DataFrame({"Sheet!A1": [3.0, 4.0, None]})
    result = cx.sweep(path, frame, ["Sheet!B1", "Sheet!D1"], engine="libreoffice")
    assert result["Sheet!B1"].tolist() == [9, 16, 4]
    assert result["Sheet!D1"].tolist() == ["text"] * 3
    assert result["error"].isna().all()
    kept = cx.sweep(path, frame, ["Sheet!C1"], engine="libreoffice")
    assert kept["error"].str.startswith("Sheet!C1 was not computed: LibreOffice does not").all()


def test_results_of_a_kind_that_cannot_be_written_are_refused_before_any_row(budget, tmp_path):
    with pytest.raises(cx.ArgumentError, match=r"results must go to a .csv, .xlsx or .parquet"):
        cx.sweep(budget, scenarios(2), OUTPUTS, tmp_path / "out.txt")
    assert list(tmp_path.iterdir()) == []


def test_the_report_of_a_sweep_is_json(budget, tmp_path):
    (tmp_path / "in.csv").write_text("output_MFU\n0.01\n45\n")
    command = [sys.executable, "-m", "chinchilla_xl", "sweep", budget, "in.csv", "--json"]
    command += ["--outputs", "cost_optimal_cost", "-o", "out.csv"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    report = json.loads(done.stdout)
    assert (report["output"], report["scenarios"]) == ("out.csv", 2)
    [error] = report["errors"]
    assert error["row"] == 2
    assert "output MFU must be in (0, 1]: 45" in error["error"]


@pytest.mark.parametrize("kind", ["csv", "xlsx", "parquet"])
def test_the_command_reads_and_writes_every_format(budget, tmp_path, kind):
    frame = scenarios(4)
    {"csv": frame.to_csv, "xlsx": frame.to_excel, "parquet": frame.to_parquet}[kind](
        tmp_path / f"in.{kind}", index=False
    )
    command = [sys.executable, "-m", "chinchilla_xl", "sweep", budget, f"in.{kind}"]
    command += ["--outputs", ",".join(OUTPUTS), "-o", f"out.{kind}"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"out.{kind}: 4 scenarios\n", "")
    read = {"csv": pd.read_csv, "xlsx": pd.read_excel, "parquet": pd.read_parquet}[kind]
    np.testing.assert_allclose(
        read(tmp_path / f"out.{kind}")["target_loss"],
        cx.sweep(budget, frame, OUTPUTS)["target_loss"],
    )
    again = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert again.returncode == 2
    assert "exists already" in again.stderr


def test_names_of_one_cell_are_enough_for_any_workbook(tmp_path):
    book = openpyxl.Workbook()
    book.active["A1"], book.active["B1"] = 2.0, "=A1^2"
    book.defined_names["side"] = DefinedName("side", attr_text="Sheet!$A$1")
    path = tmp_path / "b.xlsx"
    path.write_bytes(saved(book))
    result = cx.sweep(path, pd.DataFrame({"side": [3.0, 4.0]}), ["Sheet!B1"])
    assert result["Sheet!B1"].tolist() == [9, 16]
