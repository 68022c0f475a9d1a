"""Kept formulas: which values are perhaps out of date, and what Excel is asked."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import openpyxl
import pytest
import xlsxwriter

from chinchilla_xl.cli_support import print_outcome
from chinchilla_xl.recalc import Report, recompute_bytes
from chinchilla_xl.recalc.archive import Archive
from chinchilla_xl.recalc.calcchain import calculated_on_load
from chinchilla_xl.recalc.parts import WORKBOOK
from chinchilla_xl.workbooks import template

pytestmark = pytest.mark.once


@pytest.fixture
def book() -> bytes:
    """A total that rests on INDIRECT, which is kept, and a sum that does not; values as of 3."""
    target = io.BytesIO()
    with xlsxwriter.Workbook(target, {"in_memory": True}) as made:
        sheet = made.add_worksheet("My plan")
        sheet.write("A1", 3)
        for cell, formula, value in (
            ("B1", '=INDIRECT("A1")*2', 6),
            ("C1", "=B1+1", 7),
            ("D1", "=A1+1", 4),
        ):
            sheet.write_formula(cell, formula, None, value)
        for name, cell in (("size", "$A$1"), ("total", "$C$1"), ("sum", "$D$1")):
            made.define_name(name, f"='My plan'!{cell}")
    data = target.getvalue()
    parts = Archive(data)
    as_excel_saves = parts.text(WORKBOOK).replace(' fullCalcOnLoad="1"', "")
    return parts.replaced({WORKBOOK: [as_excel_saves.encode()]})


def asks(data: bytes) -> bool:
    return 'fullCalcOnLoad="1"' in Archive(data).text(WORKBOOK)


def test_kept_cells_are_told_by_name_or_address_after_new_inputs_and_excel_is_asked(book):
    new, report = recompute_bytes(book, {"size": 5.0})
    assert report.outdated == ["total", "'My plan'!B1"]
    assert asks(new)
    sheet = openpyxl.load_workbook(io.BytesIO(new), data_only=True).active
    assert [cell.value for cell in sheet[1]] == [5, 6, 7, 6]


def test_without_new_inputs_the_kept_values_stand_and_nothing_is_asked(book):
    new, report = recompute_bytes(book)
    assert (report.outdated, len(report.kept)) == ([], 1)
    assert new == book


def test_a_second_run_without_inputs_tells_the_same_and_changes_nothing(book):
    new, first = recompute_bytes(book, {"size": 5.0})
    again, second = recompute_bytes(new)
    assert again == new
    assert (second.outdated, second.kept) == (first.outdated, first.kept)


def test_where_a_file_asks_for_a_calculation_nothing_is_computed_from_kept_values(book):
    asking = calculated_on_load(Archive(book).text(WORKBOOK))
    wrong = Archive(book).text("xl/worksheets/sheet1.xml").replace("<v>7</v>", "<v>99</v>")
    parts = {WORKBOOK: [asking.encode()], "xl/worksheets/sheet1.xml": [wrong.encode()]}
    _, report = recompute_bytes(Archive(book).replaced(parts))
    assert [item.cell for item in report.kept] == ["'My plan'!B1", "'My plan'!C1"]
    assert report.outdated == ["total", "'My plan'!B1"]


def test_where_all_is_computed_nothing_is_asked():
    new, report = recompute_bytes(template("budget"), {"months": 12.0})
    assert (report.outdated, report.kept) == ([], [])
    assert not asks(new)


def test_the_command_names_them_in_one_line(book, tmp_path: Path):
    (tmp_path / "b.xlsx").write_bytes(book)
    command = [sys.executable, "-m", "chinchilla_xl", "recompute", "b.xlsx", "--set", "size=5"]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert result.stderr.splitlines()[-1] == (
        "  perhaps out of date: total, 'My plan'!B1; Excel computes them when it opens the file"
    )


def test_of_many_cells_the_first_five_are_told(capsys):
    report = Report("b.xlsx", "b.xlsx", outdated=list("abcdefg"))
    print_outcome(report, check=False)
    assert "  perhaps out of date: a, b, c, d, e and 2 more; Excel" in capsys.readouterr().err
