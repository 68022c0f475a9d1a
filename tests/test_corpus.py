"""Malformed and hostile workbooks: one outcome each, within bounds of time and memory, and no harm."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from bad_archives import ARCHIVES
from bad_cells import CELLS, rows_of
from bad_parts import PARTS
from chinchilla_xl.errors import ChinchillaError
from chinchilla_xl.recalc import Report
from corpus import good
from measured import Outcome, runner

pytestmark = [
    pytest.mark.once,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="a child is forked for each file"),
]

CASES = ARCHIVES | PARTS | CELLS
SECONDS, MEGABYTES = 1.0, 300

each_case = pytest.mark.parametrize("case", CASES.values(), ids=CASES)


@pytest.fixture(scope="module")
def running():
    with runner() as found:
        yield found


@pytest.fixture
def file(case, tmp_path):
    path = tmp_path / "bad.xlsx"
    path.write_bytes(case.make())
    return path


def check_bounds(outcome: Outcome, times: float = 1.0) -> None:
    assert outcome.seconds <= SECONDS * times
    assert outcome.megabytes <= MEGABYTES * times


def test_no_two_cases_have_one_name():
    assert len(CASES) == len(ARCHIVES) + len(PARTS) + len(CELLS)
    assert len(CASES) >= 300


def test_the_workbook_that_is_mutated_is_good(running, tmp_path):
    path = tmp_path / "good.xlsx"
    path.write_bytes(good())
    outcome = running.run("recompute", path)
    assert outcome.error == ""
    assert (outcome.result["formulas"], outcome.result["changed"]) == (5, 5)
    assert outcome.result["kept"] == []


@each_case
def test_each_file_ends_with_a_report_or_its_own_error_in_time(running, case, file):
    before = file.read_bytes()
    outcome = running.run("recompute", file)
    check_bounds(outcome)
    assert os.listdir(file.parent) == ["bad.xlsx"]
    if outcome.error:
        assert ChinchillaError.__name__ in outcome.family, outcome.error
        assert outcome.family[0] == case.outcome.__name__, outcome.message
        assert outcome.message.startswith(f"{file}: ")
        assert case.words in outcome.message
        assert outcome.message.isprintable()
        assert len(outcome.message) < len(str(file)) + 220
        assert file.read_bytes() == before
    else:
        assert case.outcome is Report, outcome.result
        reasons = " | ".join(kept["reason"] for kept in outcome.result["kept"])
        assert case.words in reasons
        assert bool(case.words) == bool(reasons)


@pytest.mark.parametrize(
    "command",
    [
        ["show", "FILE"],
        ["fill", "FILE", "in.json", "-o", "out.xlsx", "--force"],
        ["sweep", "FILE", "in.csv", "--outputs", "Data!B3", "-o", "out.csv", "--force"],
    ],
    ids=lambda command: command[0],
)
@each_case
def test_no_command_shows_a_traceback(running, case, file, command):
    before = file.read_bytes()
    (file.parent / "in.json").write_text('{"size": 5}')
    (file.parent / "in.csv").write_text("size\n5\n")
    args = [str(file.parent / arg) if arg[:3] in ("in.", "out") else arg for arg in command]
    outcome = running.run("command", file, *args)
    assert outcome.error == ""
    check_bounds(outcome, times=3.0)  # a workbook may be read more than once
    code, _, error = outcome.result
    assert file.read_bytes() == before
    assert "Traceback" not in error
    assert code in (0, 1, 2, 3)
    if issubclass(case.outcome, ChinchillaError) and command[0] != "show":
        assert code in (2, 3)
        assert error.startswith("Error: ")
        assert error.count("\n") == 1
    assert not [name for name in os.listdir(file.parent) if name.endswith(".tmp")]


def test_a_batch_has_one_entry_for_every_bad_file(tmp_path):
    names = []
    for i, case in enumerate(CASES.values()):
        names.append(f"{i}.xlsx")
        (tmp_path / names[-1]).write_bytes(case.make())
    result = subprocess.run(
        [sys.executable, "-m", "chinchilla_xl", "recompute", *names, "--json", "--jobs", "2"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert result.returncode == 3
    assert "Traceback" not in result.stderr
    entries = json.loads(result.stdout)
    assert [entry["path"] for entry in entries] == names
    kinds = [entry.get("kind", "Report") for entry in entries]
    assert kinds == [case.outcome.__name__ for case in CASES.values()]
    assert sorted(os.listdir(tmp_path)) == sorted(names)


@pytest.mark.slow
def test_a_chain_of_100_000_cells_costs_no_more_than_as_many_cells_alone(running, tmp_path):
    rows = range(9, 100_008)
    seconds = []
    for name, formulas in (
        ("chained.xlsx", [f"A{i}*0.5+1" for i in rows]),
        ("alone.xlsx", [f"B{i}*0.5+1" for i in rows]),
    ):
        path = tmp_path / name
        path.write_bytes(rows_of(["1", *formulas])())
        outcome = running.run("recompute", path)
        assert outcome.error == ""
        seconds.append(outcome.seconds)
    assert seconds[0] <= 1.5 * seconds[1]
