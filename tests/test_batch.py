"""Many workbooks at a time: processes, executors, time limits, checks, filling."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import openpyxl
import pytest
from openpyxl.workbook.defined_name import DefinedName

import chinchilla_xl as cx
from chinchilla_xl.recalc import Failure, Report
from chinchilla_xl.workbooks import template
from support import cached, named_values, saved

pytestmark = pytest.mark.once


def workbook(factor: int) -> bytes:
    book = openpyxl.Workbook()
    book.active["A1"], book.active["B1"] = 2.0, f"=A1*{factor}"
    book.defined_names["size"] = DefinedName("size", attr_text="Sheet!$A$1")
    return saved(book)


def slow_workbook() -> bytes:
    """Fits that take a minute together."""
    book = openpyxl.Workbook()
    for row in range(1, 61):
        book.active.append([1e8 * row, 1e10 * (row % 7 + 1), 2 + 1 / row])
    for row in range(1, 400):
        book.active[f"E{row}"] = f"=INDEX(FIT_SAMPLES(A1:A60,B1:B60,C1:C60,{5000 + row}),1,1)"
    return saved(book)


@pytest.fixture
def files(tmp_path):
    paths = []
    for i in range(5):
        path = tmp_path / f"book{i}.xlsx"
        path.write_bytes(workbook(i))
        paths.append(path)
    (tmp_path / "bad.xlsx").write_bytes(b"nothing")
    return [*paths, tmp_path / "bad.xlsx"]


def check_outcomes(files, outcomes, folder):
    assert len(outcomes) == len(files)
    failures = [o for o in outcomes if isinstance(o, Failure)]
    assert failures == [Failure(str(files[-1]), "UnsupportedFile", "not an .xlsx or .xlsm file")]
    for i, path in enumerate(files[:-1]):
        assert cached((folder / path.name).read_bytes()).active["B1"].value == 3 * i
        assert cached(path.read_bytes()).active["B1"].value is None


@pytest.mark.parametrize("jobs", [1, 2])
def test_every_file_has_its_own_outcome(files, tmp_path, jobs):
    out = tmp_path / "out"
    outcomes = list(cx.recompute_all(files, out, {"size": 3.0}, jobs=jobs))
    check_outcomes(files, outcomes, out)


def test_any_executor_takes_the_work(files, tmp_path):
    out = tmp_path / "out"
    with ThreadPoolExecutor(2) as executor:
        outcomes = list(cx.recompute_all(files, out, {"size": 3.0}, executor=executor))
    check_outcomes(files, outcomes, out)


@pytest.mark.filterwarnings("default")  # Dask's own
def test_a_dask_cluster_takes_the_work(files, tmp_path):
    distributed = pytest.importorskip("distributed", reason="the extra [cluster] is not installed")
    out = tmp_path / "out"
    with (
        distributed.LocalCluster(
            n_workers=1, threads_per_worker=1, processes=False, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        outcomes = list(cx.recompute_all(files, out, {"size": 3.0}, executor=client.get_executor()))
    check_outcomes(files, outcomes, out)


def test_a_scheduler_that_does_not_answer_is_named(files, tmp_path):
    result = run("recompute", files[0].name, "--scheduler", "tcp://127.0.0.1:9", cwd=tmp_path)
    assert result.returncode == 2
    assert "no Dask scheduler answers at tcp://127.0.0.1:9" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_file_that_takes_too_long_is_stopped_and_left_as_it_was(files, tmp_path):
    slow = tmp_path / "slow.xlsx"
    slow.write_bytes(slow_workbook())
    before = slow.read_bytes()
    start = time.monotonic()
    outcomes = list(cx.recompute_all([slow, *files[:-1]], jobs=2, timeout=8.0))
    assert time.monotonic() - start < 40
    assert [o for o in outcomes if isinstance(o, Failure)] == [
        Failure(str(slow), "TimeoutError", "stopped after 8 s")
    ]
    assert slow.read_bytes() == before
    assert sum(isinstance(o, Report) for o in outcomes) == 5


def test_a_time_limit_with_an_executor_is_refused(files):
    with ThreadPoolExecutor(1) as executor:
        outcomes = cx.recompute_all(files, executor=executor, timeout=1.0)
        with pytest.raises(cx.ArgumentError, match="an executor cannot stop a task"):
            next(outcomes)


def test_two_results_may_not_meet(tmp_path):
    with pytest.raises(cx.ArgumentError, match="two files would be written to"):
        next(cx.recompute_all([tmp_path / "x" / "a.xlsx", tmp_path / "y" / "a.xlsx"], tmp_path))


@pytest.mark.skipif(os.name != "posix", reason="signals as POSIX knows them")
def test_an_interrupt_leaves_no_half_written_file(files, tmp_path):
    slow = tmp_path / "slow.xlsx"
    slow.write_bytes(slow_workbook())
    before = slow.read_bytes()
    command = [sys.executable, "-m", "chinchilla_xl", "recompute", "slow.xlsx", "book1.xlsx"]
    process = subprocess.Popen(
        [*command, "--jobs", "2"], cwd=tmp_path, stderr=subprocess.PIPE, stdout=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    try:
        time.sleep(5)
        process.send_signal(signal.SIGINT)
        _, error = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 130
    assert "Traceback" not in error
    assert slow.read_bytes() == before


def run(*args: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "chinchilla_xl", *map(str, args)]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd)


def test_check_writes_nothing_and_finds_values_out_of_date(files, tmp_path):
    before = files[1].read_bytes()
    stale = run("recompute", "--check", files[1].name, cwd=tmp_path)
    assert (stale.returncode, stale.stdout) == (1, "book1.xlsx: 1 formulas, 1 values out of date\n")
    assert files[1].read_bytes() == before
    run("recompute", files[1].name, cwd=tmp_path)
    fresh = run("recompute", "--check", files[1].name, cwd=tmp_path)
    assert (fresh.returncode, fresh.stdout) == (0, "book1.xlsx: 1 formulas, 0 values out of date\n")


def test_reports_stand_in_the_order_of_the_files(files, tmp_path):
    result = run("recompute", *(f.name for f in files), "--jobs", 2, "--json", cwd=tmp_path)
    assert result.returncode == 3
    assert [r["path"] for r in json.loads(result.stdout)] == [f.name for f in files]


# --- fill ---

TOML = 'target_params = 70e9\nmonths = 12\nquality_by = "params"\n[output_MFU]\nvalue = 0.02\nunit = "fraction"\n'
JSON = (
    '{"target_params": 70e9, "months": 12, "quality_by": "params", "output_MFU": {"value": 0.02}}'
)
CSV = "name,value,unit\ntarget_params,70e9,parameters\nmonths,12,\nquality_by,params,\noutput_MFU,0.02,fraction\n"  # fmt: skip


@pytest.fixture(scope="module")
def budget() -> bytes:
    return template("budget")


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("toml", TOML),
        ("json", JSON),
        ("csv", CSV),
        ("csv", CSV.replace(",", ";")),
        ("csv", CSV.replace("name,value,unit", "Name,VALUE,Unit")),
    ],
)
def test_inputs_are_filled_from_every_format(budget, tmp_path, kind, text):
    (tmp_path / "b.xlsx").write_bytes(budget)
    (tmp_path / f"in.{kind}").write_text(text)
    result = run("fill", "b.xlsx", f"in.{kind}", "-o", "out.xlsx", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    filled = named_values((tmp_path / "out.xlsx").read_bytes())
    inputs = {"target_params": 70e9, "months": 12.0, "output_MFU": 0.02}
    expected = named_values(template("budget", inputs))
    assert filled == expected
    assert (tmp_path / "b.xlsx").read_bytes() == budget


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({"monts": 3}, "the workbook has no name 'monts' (did you mean months?)"),
        ({"output_MFU": 45}, "output_MFU is refused by the workbook: Output MFU must be in (0, 1]: 45"),
        ({"months": "many"}, "months is refused by the workbook: Months in service must be a whole number from 1 to 60: 'many'"),
        ({"output_MFU": "0,02"}, "must be in (0, 1]: '0,02' (did you mean 0.02?)"),
        ({"target_params": "70.000.000.000"}, "'70.000.000.000' (did you mean 70000000000?)"),
        ({"months": 0}, "months is refused by the workbook: Months in service must be a whole number from 1 to 60: 0"),
        ({"quality_by": "size"}, "quality_by is refused by the workbook: Quality is given by must be one of: params, loss: 'size'"),
        ({"months": {"value": 3, "unit": "years"}}, "months is given in years, but the workbook has it in months"),
        ({"target_loss": 2.0}, "holds a formula"),
        ({"months": [1]}, "months must be a number, a date, TRUE, FALSE or text: [1]"),
        ({"months": {"worth": 3}}, "months must be a value, or value and unit"),
        ({"monts": 1, "output_MFU": 2}, "; output_MFU is refused"),
    ],
)  # fmt: skip
def test_inputs_that_do_not_fit_are_refused_before_anything_is_written(
    budget, tmp_path, inputs, message
):
    (tmp_path / "b.xlsx").write_bytes(budget)
    with pytest.raises(cx.ArgumentError) as refused:
        cx.fill(tmp_path / "b.xlsx", inputs, tmp_path / "out.xlsx")
    assert message in str(refused.value)
    assert not (tmp_path / "out.xlsx").exists()


def test_files_of_inputs_that_cannot_be_read_are_refused_in_words(budget, tmp_path):
    (tmp_path / "b.xlsx").write_bytes(budget)
    for name, text, words in (
        ("in.toml", "months = ", "in.toml: it cannot be read"),
        ("in.json", "[1, 2]", "inputs must be given as names with values"),
        ("in.csv", "months,12\n", "the first line must name the columns"),
        ("in.csv", "name,value\nmonths,1\nmonths,2\n", "months is given twice"),
        ("in.yaml", "months: 1", "inputs must be in a .toml, .json or .csv file"),
    ):
        (tmp_path / name).write_text(text)
        result = run("fill", "b.xlsx", name, "-o", "out.xlsx", cwd=tmp_path)
        assert result.returncode in (2, 3)
        assert words in result.stderr
        assert not (tmp_path / "out.xlsx").exists()


def test_workbooks_of_one_outline_in_threads_are_as_good_as_one_by_one(tmp_path):
    # Their formulas are judged once for all of them, in each thread.
    paths = []
    for i in range(12):
        book = openpyxl.Workbook()
        book.active["A1"] = float(i + 1)
        formulas = (
            "=A1-1",
            '=A1&"x"',
            "=SUM(A1:A1)",
            "=NOSUCH(A1)",
            "=ROUND(A1/3,2)",
            "=IF(A1>3,1,2)",
        )
        for row, formula in enumerate(formulas[i % 3 :], start=2):
            book.active.cell(row, 1, formula)
        paths.append(tmp_path / f"{i}.xlsx")
        book.save(paths[-1])
    with ThreadPoolExecutor(4) as executor:
        reports = {
            Path(r.path): r for r in cx.recompute_all(paths, tmp_path / "out", executor=executor)
        }
    for path in paths:
        alone = cx.recompute(path, tmp_path / "alone.xlsx")
        assert (tmp_path / "alone.xlsx").read_bytes() == (tmp_path / "out" / path.name).read_bytes()
        assert [k.reason for k in reports[path].kept] == [k.reason for k in alone.kept]
