"""The command line, run as a user runs it: whole output and exit code."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time

import openpyxl
import pytest

from chinchilla_xl.recalc.addresses import parse_cell
from chinchilla_xl.workbooks import template
from engine_books import needs_libreoffice
from support import cached, saved


def run(*args: object, cwd=None, env=None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "chinchilla_xl", *map(str, args)]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd, env=env)


def book(path, formula: str):
    workbook = openpyxl.Workbook()
    workbook.active["A1"], workbook.active["B1"] = 2.0, formula
    path.write_bytes(saved(workbook))
    return path


def test_functions_lists_the_catalogue_and_describes_one():
    from chinchilla_xl.functions import FUNCTIONS

    listing = run("functions")
    assert listing.returncode == 0
    for function in FUNCTIONS:
        assert function.name in listing.stdout
    one = run("functions", "opt_cost")
    assert one.returncode == 0
    assert one.stdout.startswith(
        "OPT_COST(loss, input_tokens, output_tokens, [deployment], [coeffs])\n"
    )
    assert "Example: =OPT_COST(2.13, 4.9E10, 1.51E11)" in one.stdout
    none = run("functions", "nothing")
    assert (none.returncode, "there is no function 'nothing'" in none.stderr) == (2, True)


def test_new_builds_a_workbook_and_does_not_replace_one_unasked(tmp_path):
    first = run("new", "budget", "b.xlsx", "--set", "months=12", cwd=tmp_path)
    assert (first.returncode, first.stdout) == (0, "b.xlsx\n")
    again = run("new", "budget", "b.xlsx", cwd=tmp_path)
    assert again.returncode == 2
    assert "b.xlsx exists already: choose another name or give --force" in again.stderr
    assert run("new", "budget", "b.xlsx", "--force", cwd=tmp_path).returncode == 0
    other = run("new", "nothing", "c.xlsx", cwd=tmp_path)
    assert (other.returncode, other.stderr) == (
        2,
        "Error: there is no template 'nothing': choose one of budget, compare, fit, batch, paper\n",
    )


def test_recompute_reports_what_it_did_and_exits_with_0(tmp_path):
    book(tmp_path / "a.xlsx", "=A1*2")
    result = run("recompute", "a.xlsx", "--set", "Sheet!A1=21", cwd=tmp_path)
    assert (result.returncode, result.stdout, result.stderr) == (
        0,
        "a.xlsx: 1 formulas, 1 values changed\n",
        "",
    )
    assert cached((tmp_path / "a.xlsx").read_bytes()).active["B1"].value == 42


def test_recompute_exits_with_1_if_a_formula_kept_its_value(tmp_path):
    book(tmp_path / "a.xlsx", "=RAND()")
    result = run("recompute", "a.xlsx", cwd=tmp_path)
    assert (result.returncode, result.stdout, result.stderr) == (
        1,
        "a.xlsx: 1 formulas, 0 values changed, 1 kept\n",
        (
            "  kept Sheet!B1 =RAND(): RAND: a random number\n"
            "  perhaps out of date: Sheet!B1; Excel computes them when it opens the file\n"
        ),
    )


def test_formulas_kept_for_one_reason_share_a_line_and_so_do_those_that_rest_on_them(tmp_path):
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    sheet["A1"] = 2.0
    for row in range(1, 41):
        sheet[f"B{row}"] = "=RAND()*\n2" if row == 1 else "=RAND()"
        sheet[f"C{row}"] = f"=B{row}+A$1"
        sheet[f"D{row}"] = f"=A1:A{row + 1}"
    sheet["E1"] = '=CELL("width",A1)' + "+1" * 40
    (tmp_path / "a.xlsx").write_bytes(saved(workbook))
    result = run("recompute", "a.xlsx", cwd=tmp_path)
    assert (result.returncode, result.stdout) == (
        1,
        "a.xlsx: 121 formulas, 0 values changed, 121 kept\n",
    )
    assert result.stderr.splitlines() == [
        "  kept Sheet!B1 =RAND()* 2 and 39 more: RAND: a random number (up to 1 cell rests on each)",
        "  kept Sheet!D1 =A1:A2 and 39 more: A1:A2 is a range where the cell holds a single value",
        '  kept Sheet!E1 =CELL("width",A1)' + "+1" * 29 + "+ ...: CELL: it asks about the spreadsheet program",
        "  kept Sheet!C1 =B1+A$1 and 39 more that rest on such cells: it needs Sheet!B1, which has no value",
        "  perhaps out of date: Sheet!B1, Sheet!C1, Sheet!D1, Sheet!E1, Sheet!B2 and 116 more; Excel computes them when it opens the file",
    ]  # fmt: skip
    [report] = json.loads(run("recompute", "a.xlsx", "--json", cwd=tmp_path).stdout)
    assert len({kept["cell"] for kept in report["kept"]}) == 121
    reasons = {kept["cell"]: kept["reason"] for kept in report["kept"]}
    assert reasons["Sheet!C7"] == "it needs Sheet!B7, which has no value"


@pytest.mark.parametrize(
    "engine", ["formualizer", pytest.param("libreoffice", marks=needs_libreoffice)]
)
def test_what_is_kept_is_told_in_the_order_of_sheets_and_cells_in_every_run(tmp_path, engine):
    book = openpyxl.Workbook()
    first, second = book.active, book.create_sheet("Next")
    for row in range(1, 40):
        first.cell(row, 2, '=_xlfn.STOCKHISTORY("X",1)' if row % 9 == 5 else f"=A{row}")
        first.cell(row, 3, f"=SUM(B1:B{row})")
        second.cell(row, 1, f"=Sheet!C{40 - row}+Sheet!B{row}")
    book.save(tmp_path / "b.xlsx")
    command = "recompute", "b.xlsx", "-o", "out.xlsx", "--engine", engine, "--json"
    runs = [
        run(*command, cwd=tmp_path, env=os.environ | {"PYTHONHASHSEED": seed}).stdout
        for seed in ("1", "2")
    ]
    assert runs[0] == runs[1]
    [report] = json.loads(runs[0])
    places = [item["cell"].split("!") for item in report["kept"]]
    order = [(sheet != "Sheet", parse_cell(cell)) for sheet, cell in places]
    assert order == sorted(order)
    assert len(order) > 60


def test_functions_that_look_like_cells_are_reasons_of_their_own(capsys):
    from chinchilla_xl.cli_support import print_formulas
    from chinchilla_xl.recalc import Kept

    why = "not among the functions that are computed"
    print_formulas(
        "kept", [Kept("A1", "=FN1()", f"FN1: {why}", 0), Kept("A2", "=FN2()", f"FN2: {why}", 0)]
    )
    assert capsys.readouterr().err.count("\n") == 2


@pytest.mark.parametrize("check", [[], ["--check"]])
def test_recompute_writes_one_workbook_to_the_file_that_is_named(tmp_path, check):
    source = book(tmp_path / "a.xlsx", "=A1*2").read_bytes()
    result = run("recompute", "a.xlsx", "-o", "new/b.xlsx", *check, cwd=tmp_path)
    assert (result.returncode, result.stderr) == (len(check), "")
    assert result.stdout.startswith("new/b.xlsx: 1 formulas, 1 values ")
    written = tmp_path / "new" / "b.xlsx"
    assert written.exists() is not bool(check)
    if not check:
        assert cached(written.read_bytes()).active["B1"].value == 4
        again = run("recompute", "a.xlsx", "-o", "new/b.xlsx", "--set", "Sheet!A1=3", cwd=tmp_path)
        assert again.returncode == 0
        assert cached(written.read_bytes()).active["B1"].value == 6
    assert (tmp_path / "a.xlsx").read_bytes() == source


@pytest.mark.parametrize(("name", "made"), [("b.xlsx", True), ("b.xlsx/", False), ("b", False)])
def test_recompute_writes_into_a_folder_whatever_it_is_called(tmp_path, name, made):
    book(tmp_path / "a.xlsx", "=A1*2")
    if made:
        (tmp_path / name).mkdir()
    result = run("recompute", "a.xlsx", "-o", name, cwd=tmp_path)
    assert (result.returncode, result.stderr) == (0, "")
    assert cached((tmp_path / name / "a.xlsx").read_bytes()).active["B1"].value == 4


def test_recompute_goes_on_after_a_bad_file_and_exits_with_3(tmp_path):
    book(tmp_path / "a.xlsx", "=A1*2")
    (tmp_path / "bad.xlsx").write_bytes(b"nothing")
    result = run("recompute", "bad.xlsx", "a.xlsx", "-o", "out", cwd=tmp_path)
    assert (result.returncode, result.stderr) == (3, "bad.xlsx: not an .xlsx or .xlsm file\n")
    assert result.stdout.replace("\\", "/") == "out/a.xlsx: 1 formulas, 1 values changed\n"
    assert cached((tmp_path / "out" / "a.xlsx").read_bytes()).active["B1"].value == 4
    assert cached((tmp_path / "a.xlsx").read_bytes()).active["B1"].value is None


def test_recompute_prints_json(tmp_path):
    book(tmp_path / "a.xlsx", "=OPT_PARAMS(1,1E9)")
    result = run("recompute", "a.xlsx", "none.xlsx", "--json", cwd=tmp_path)
    good, bad = json.loads(result.stdout)
    assert result.returncode == 3
    assert good["messages"] == ["OPT_PARAMS gave #NUM!: loss must be above the law's E = 1.69: 1"]
    assert bad == {
        "path": "none.xlsx", "kind": "WorkbookError", "error": "there is no such file"
    }  # fmt: skip


def test_an_unknown_input_names_the_nearest(tmp_path):
    run("new", "budget", "b.xlsx", cwd=tmp_path)
    result = run("recompute", "b.xlsx", "--set", "monts=3", cwd=tmp_path)
    assert result.returncode == 2
    assert "the workbook has no name 'monts' (did you mean months?)" in result.stderr


def test_show_prints_the_named_cells_and_ends_with_the_path(tmp_path):
    run("new", "budget", "b.xlsx", cwd=tmp_path)
    result = run("show", "b.xlsx", cwd=tmp_path)
    assert result.returncode == 0
    lines = result.stdout.splitlines()
    assert lines[-1] == "b.xlsx"
    total = next(line.split() for line in lines if line.startswith("Total cost "))
    assert total == ["Total", "cost", "$10.75M", "$6.33M", "$4.52M", "$"]
    assert run("show", "none.xlsx", cwd=tmp_path).returncode == 3


def test_show_heads_each_block_with_what_its_columns_are(tmp_path):
    run("new", "budget", "b.xlsx", cwd=tmp_path)
    run("new", "compare", "c.xlsx", cwd=tmp_path)
    shown = run("show", "b.xlsx", cwd=tmp_path).stdout
    prices = shown[shown.index("Models: What the size accounts for") :].splitlines()
    assert prices[0].split()[-1] == "Cost-optimal"
    [price] = [line.split() for line in prices if line.startswith("Training GPU price ")][:1]
    assert price[-1] == "$/h"
    monthly = shown[shown.index("Timeline: Cost-optimal model") :].splitlines()
    assert monthly[0].split() == ["Timeline:", "Cost-optimal", "model", "Total"]
    assert [line.split("  ")[0] for line in monthly[1:4]] == [
        "Share of training done", "Share of full demand", "Training, at first month's prices",
    ]  # fmt: skip
    assert shown.count("Timeline: ") == 3
    table = run("show", "c.xlsx", cwd=tmp_path).stdout.split("Table of models: ")
    names, units = table[0].splitlines()[-1], table[1].splitlines()[0]
    assert names.split()[-2:] == ["Training", "tokens"]
    assert units.split()[-2:] == ["parameters", "tokens"]
    assert "\u2026" not in shown + "".join(table), "a figure is cut off"


@pytest.mark.parametrize("command", [[], ["functions"], ["new"], ["recompute"], ["show"]])
def test_every_command_has_help(command):
    result = run(*command, "--help")
    assert result.returncode == 0
    assert "Usage:" in result.stdout


def test_the_bar_shows_what_is_done_how_fast_and_the_errors():
    import io

    from rich.console import Console

    from chinchilla_xl.cli_support import bar

    out = Console(file=io.StringIO(), force_terminal=True, width=120, color_system=None)
    with bar("files", out) as shown:
        task = shown.add_task("", total=8, errors="2 errors")
        shown.tasks[0].start_time -= 2.0
        for done in range(1, 5):
            time.sleep(0.05)
            shown.update(task, completed=done)
        shown.refresh()
    text = out.file.getvalue()
    assert "4/8 files" in text
    rate = re.search(r"([0-9.]+) files/s", text)
    assert rate is not None
    assert 0.1 < float(rate[1]) <= 2
    assert "2 errors" in text
    assert "0:00:0" in text  # the time left


def test_fill_reports_in_json(tmp_path):
    book(tmp_path / "a.xlsx", "=A1*2")
    (tmp_path / "in.json").write_text('{"Sheet!A1": 4}')
    result = run("fill", "a.xlsx", "in.json", "-o", "b.xlsx", "--json", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    report = json.loads(result.stdout)
    assert {k: report[k] for k in ("path", "output", "formulas", "changed", "kept")} == {
        "path": "a.xlsx", "output": "b.xlsx", "formulas": 1, "changed": 1, "kept": [],
    }  # fmt: skip


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="Excel may be here")
@pytest.mark.parametrize("command", ["recompute", "fill", "sweep"])
def test_an_engine_that_is_not_here_is_refused_in_one_line(tmp_path, command):
    book(tmp_path / "a.xlsx", "=A1*2")
    (tmp_path / "in.json").write_text('{"Sheet!A1": 4}')
    (tmp_path / "in.csv").write_text("Sheet!A1\n3\n")
    args = {
        "recompute": ["a.xlsx"],
        "fill": ["a.xlsx", "in.json", "-o", "b.xlsx"],
        "sweep": ["a.xlsx", "in.csv", "--outputs", "Sheet!B1", "-o", "c.csv"],
    }[command]
    result = run(command, *args, "--engine", "excel", cwd=tmp_path)
    assert (result.returncode, result.stdout) == (3, "")
    assert result.stderr == (
        "Error: Excel is to be had on Windows and macOS only: use the engine libreoffice "
        "or formualizer\n"
    )


def test_help_needs_no_calculation_engine(tmp_path):
    code = (
        "import sys; sys.modules['formualizer'] = None; sys.argv = ['x', 'recompute', '--help'];"
        "from chinchilla_xl.cli import main; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    assert "--engine [formualizer|excel|libreoffice]" in done.stdout


def test_inputs_that_break_the_workbooks_rules_are_refused_before_anything_is_written(tmp_path):
    (tmp_path / "b.xlsx").write_bytes(template("budget"))
    before = (tmp_path / "b.xlsx").read_bytes()
    for given, words in (
        ("months=-3", "Months in service must be a whole number from 1 to 60: -3"),
        ("output_mfu=45", "Output MFU must be in (0, 1]: 45 (did you mean 0.45?)"),
        ("quality_by=size", "Quality is given by must be one of: params, loss: 'size'"),
    ):
        done = run("recompute", "b.xlsx", "--set", given, cwd=tmp_path)
        assert done.returncode == 2
        assert done.stderr.count("\n") == 1
        assert f"is refused by the workbook: {words}" in done.stderr
        assert (tmp_path / "b.xlsx").read_bytes() == before


def test_what_excel_keeps_beside_an_open_workbook_is_passed_over(tmp_path):
    (tmp_path / "b.xlsx").write_bytes(template("batch"))
    (tmp_path / "~$b.xlsx").write_bytes(b"\x04user" + bytes(160))
    done = run("recompute", "b.xlsx", "~$b.xlsx", "--check", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    alone = run("recompute", "~$b.xlsx", cwd=tmp_path)
    assert alone.returncode == 3


def test_show_tells_what_each_cell_is_called(tmp_path):
    (tmp_path / "b.xlsx").write_bytes(template("batch"))
    listing = run("show", "b.xlsx", "--names", cwd=tmp_path).stdout.splitlines()
    [line] = [line.split() for line in listing if line.startswith("target_params ")]
    assert line[1:3] == ["Model!B15", "30.00B"]
    known = set(openpyxl.load_workbook(tmp_path / "b.xlsx").defined_names)
    assert {line.split()[0] for line in listing[1:] if line[:1].strip()} <= known
