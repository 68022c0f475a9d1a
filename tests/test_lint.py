"""Lint: each rule finds what breaks it, where it is, and nothing in a sound workbook."""

from __future__ import annotations

import io
import re
import subprocess
import sys
import zipfile

import openpyxl
import pytest
from openpyxl.styles import Font
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.datavalidation import DataValidation

from chinchilla_xl.errors import WorkbookError
from chinchilla_xl.lint import lint_bytes
from chinchilla_xl.recalc import recompute_bytes
from chinchilla_xl.recalc.addresses import Cell
from support import members, saved

pytestmark = pytest.mark.once


def sound() -> openpyxl.Workbook:
    """A user's sheet: an input, a row of equal formulas, a total."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["Sales", 1, 2, 3, 4, 5])
    sheet.append(["Growth", 1.1])
    for column in "BCDEF":
        sheet[f"{column}3"] = f"={column}1*$B$2"
        sheet[f"{column}4"] = f"={column}3-{column}1"
    sheet["H3"], sheet["H4"] = "=SUM(B3:F3)", "=SUM(B4:F4)"
    return book


def findings(book: openpyxl.Workbook, *, compute: bool = True) -> list[tuple[str, str, bool]]:
    data = saved(book)
    if compute:
        data, _ = recompute_bytes(data)
    return [(f.rule, f.place, f.advice) for f in lint_bytes(data)]


def test_a_sound_workbook_gets_only_advice():
    found = findings(sound())
    assert all(advice for _, _, advice in found)
    assert {rule for rule, _, _ in found} == {"no-print-area", "no-page-setup", "no-frozen-panes"}


def put(**cells):
    def change(book):
        for address, content in cells.items():
            book.active[address] = content

    return change


def hide_sheet(book):
    book.create_sheet("Secret").sheet_state = "hidden"


def hide_row(book):
    book.active.row_dimensions[3].hidden = True


def hide_column(book):
    book.active.column_dimensions["C"].hidden = True


def broken_name(book):
    book.defined_names["lost"] = DefinedName("lost", attr_text="Sheet!#REF!")


@pytest.mark.parametrize(
    ("change", "rule", "place"),
    [
        (put(D3="=D1*$B$2+C1"), "inconsistent-formula", "Sheet!D3"),
        (put(D3=42), "number-over-formula", "Sheet!D3"),
        (put(H5="=H3*1.37"), "hard-coded-number", "Sheet!H5"),
        (put(H5="=ROUND(H3*3,2)"), "hard-coded-number", "Sheet!H5"),
        (put(H5="=1/0"), "error-value", "Sheet!H5"),
        (put(H5="=OFFSET(B3,0,1)"), "volatile", "Sheet!H5"),
        (put(H5="=TODAY()-H3"), "volatile", "Sheet!H5"),
        (put(H5="=H3*unheard_of"), "unknown-name", "Sheet!H5"),
        (put(H5='=IF(H3>H4,"FAIL","OK")'), "check-fails", "Sheet!H5"),
        (put(H5="='[1]Other'!A1"), "external-link", "Sheet!H5"),
        (hide_sheet, "hidden-sheet", "Secret"),
        (hide_row, "hidden-row", "Sheet"),
        (hide_column, "hidden-column", "Sheet"),
        (broken_name, "broken-name", "workbook"),
    ],
)
def test_each_rule_finds_what_breaks_it(change, rule, place):
    book = sound()
    change(book)
    assert (rule, place, False) in findings(book)


@pytest.mark.parametrize(
    "formula", ["=ROUND(H3,2)", "=INDEX(B3:F3,1,4)", "=H3*12/100", "=1-H3", "=EDATE(B1,6)"]
)
def test_places_digits_and_units_of_time_are_no_assumptions(formula):
    book = sound()
    book.active["H6"] = formula
    assert "hard-coded-number" not in {rule for rule, _, _ in findings(book)}


def test_a_total_may_end_a_row_and_a_formula_may_follow_its_column():
    book = sound()
    for row in (3, 4):
        book.active[f"G{row}"] = f"=SUM(B{row}:F{row})"
        book.active[f"H{row}"] = f"=G{row}/B{row}"
    assert "inconsistent-formula" not in {rule for rule, _, _ in findings(book)}


def test_a_value_that_is_out_of_date_is_found_where_it_is():
    data, _ = recompute_bytes(saved(sound()))
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as new:
        for name, part in members(data).items():
            new.writestr(name, re.sub(rb'(<c r="D3".*?<v>)[^<]*', rb"\g<1>7", part))
    [found] = [f for f in lint_bytes(target.getvalue()) if not f.advice]
    assert (found.rule, found.cell) == ("stale-value", Cell(3, 4))


def test_values_that_are_missing_are_found_once_a_sheet():
    missing = [f for f in findings(sound(), compute=False) if f[0] == "no-value"]
    assert missing == [("no-value", "Sheet!B3", False)]


def test_blue_cells_are_inputs_and_lack_what_our_templates_have():
    book = sound()
    sheet = book.active
    for address in ("B1", "B2", "J9"):
        sheet[address] = 1.5
        sheet[address].font = Font(color="FF0000FF")
    rule = DataValidation(type="decimal", operator="greaterThan", formula1="0")
    rule.add("B2")
    sheet.add_data_validation(rule)
    book.defined_names["growth"] = DefinedName("growth", attr_text="Sheet!$B$2")
    found = findings(book)
    assert ("no-name", "Sheet!B1", True) in found
    assert ("no-name", "Sheet!B2", True) not in found
    assert ("no-unit", "Sheet!B2", True) in found
    assert ("no-source", "Sheet!B2", True) in found
    assert ("no-validation", "Sheet!B2", True) in found  # it has one, without a message
    assert ("unused-input", "Sheet!J9", True) in found
    assert ("unused-input", "Sheet!B1", True) not in found


def test_what_is_no_workbook_is_refused():
    with pytest.raises(WorkbookError):
        lint_bytes(b"nothing")


def run(*args: object, cwd) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "chinchilla_xl", "lint", *map(str, args)]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd)


def test_the_command_says_where_and_what_and_exits_with_1_if_there_are_findings(tmp_path):
    book = sound()
    book.active["H5"] = "=H3*1.37"
    (tmp_path / "a.xlsx").write_bytes(recompute_bytes(saved(book))[0])
    result = run("a.xlsx", "--no-advice", cwd=tmp_path)
    assert (result.returncode, result.stderr) == (1, "")
    assert result.stdout == (
        "Sheet!H5: hard-coded-number: =H3*1.37 has 1.37 in it: give it a cell with name, unit and "
        "source\na.xlsx: 1 findings, 0 pieces of advice\n"
    )
    (tmp_path / "b.xlsx").write_bytes(recompute_bytes(saved(sound()))[0])
    assert run("b.xlsx", cwd=tmp_path).returncode == 0
    assert run("none.xlsx", cwd=tmp_path).returncode == 3
