"""Structured references: each is one area of cells, or the formula is kept."""

from __future__ import annotations

import io
import zipfile

import openpyxl
import pytest
import xlsxwriter
from openpyxl.worksheet.table import Table as NewTable

import chinchilla_xl as cx
from chinchilla_xl.errors import BrokenFile
from chinchilla_xl.recalc import recompute_bytes
from chinchilla_xl.recalc.addresses import Cell, parse_area
from chinchilla_xl.recalc.parts import Table
from chinchilla_xl.recalc.structured import TableReferences
from chinchilla_xl.recalc.syntax import KeepError
from support import cached, members, saved

pytestmark = pytest.mark.once


def table(name: str, sheet: str, area: str, header: int, total: int, *columns: str) -> Table:
    found = parse_area(area)
    assert found is not None
    return Table(name, sheet, found, header, total, columns)


TABLES = TableReferences(
    [
        table("Costs", "T", "B3:D9", 1, 1, "Item", "Price", "Q1 2024"),
        table("Odd_1", "My S", "A1:E3", 1, 0, "a]b", "#1", "it's", "two\nlines", "=A1"),
        table("Bare", "T", "G1:H2", 0, 0, "Column1", "Column2"),
        table("Twice", "T", "J1:K3", 1, 0, "x", "X"),
        table("Same", "T", "M1:N3", 1, 0, "x", "y"),
        table("SAME", "T", "P1:Q3", 1, 0, "x", "y"),
        table("Wide", "T", "S1:U3", 1, 0, "x", "y"),
    ]
)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("SUM(Costs[Price])", "SUM($C$4:$C$8)"),
        ("SUM(costs[PRICE],Costs[])", "SUM($C$4:$C$8,$B$4:$D$8)"),
        ("Costs[@Price]*Costs[@[Q1 2024]]", "$C5*$D5"),
        ("SUM(Costs[@])", "SUM($B5:$D5)"),
        ("SUM(Costs[@[Price]:[Q1 2024]])", "SUM($C5:$D5)"),
        ("Costs[[#This Row],[Price]]", "$C5"),
        ("Costs[[#this row],[price]:[item]]", "$B5:$C5"),
        ("Costs[#This Row]", "$B5:$D5"),
        ("Costs[[#This Row],Price]", "$C5"),  # as XlsxWriter writes Costs[@Price]
        ("[@Price]+SUM([Price])", "$C5+SUM($C$4:$C$8)"),
        ("[[#Totals],[Price]]", "$C$9"),
        ("Costs[#All]", "$B$3:$D$9"),
        ("Costs[[#All],[Price]]", "$C$3:$C$9"),
        ("Costs[#Headers]", "$B$3:$D$3"),
        ("Costs[#Data]", "$B$4:$D$8"),
        ("Costs[#Totals]", "$B$9:$D$9"),
        ("Costs[ [#Headers], [Price] ]", "$C$3"),
        ("Costs[[#Headers],[Item]:[Price]]", "$B$3:$C$3"),
        ("Costs[[#Data],[#Headers],[Price]]", "$C$3:$C$8"),
        ("Costs[[#Data],[#Totals],[Price]]", "$C$4:$C$9"),
        ("Odd_1[a']b]", "'My S'!$A$2:$A$3"),
        ("Odd_1['#1]", "'My S'!$B$2:$B$3"),
        ("Odd_1[it''s]", "'My S'!$C$2:$C$3"),
        ("Odd_1[[it''s]:['#1]]", "'My S'!$B$2:$C$3"),
        ("Odd_1[two\nlines]", "'My S'!$D$2:$D$3"),
        ("Odd_1[two_x000a_lines]", "'My S'!$D$2:$D$3"),
        ("Odd_1[=A1]", "'My S'!$E$2:$E$3"),
        ("Bare[#All]", "$G$1:$H$2"),
        ('"Costs[Price]"&A1', '"Costs[Price]"&A1'),
        ("'Costs[Price]'!A1", "'Costs[Price]'!A1"),
        ("[1]Sheet1!A1", "[1]Sheet1!A1"),
        ("[1]!OPT_PARAMS(A1,2)", "[1]!OPT_PARAMS(A1,2)"),
    ],
)
def test_a_structured_reference_is_one_area(text, written):
    assert TABLES.resolved(text, "T", Cell(5, 3)) == written


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Nowhere[x]", "there is no table Nowhere"),
        ("Costs[Nothing]", "the table has no such column"),
        ("Costs[ Price]", "the table has no such column"),
        ("Costs[[Price]:[Nothing]]", "the table has no such column"),
        ("Twice[x]", "the table has no such column"),
        ("Same[x]", "there is no table Same"),
        ("Wide[x]", "the table has no such cells"),
        ("Odd_1[#Totals]", "the table has no such cells"),
        ("Bare[#Headers]", "the table has no such cells"),
        ("Odd_1[[#This Row],[it''s]]", "the formula is in none of the table's rows"),
        ("Bare[@Column1]", "the formula is in none of the table's rows"),
        ("Costs[[Price],[Item]]", "of this form"),
        ("Costs[[#This Row],[#Data]]", "of this form"),
        ("Costs[[#Headers],[#Totals]]", "of this form"),
        ("Costs[[#Headers]:[Price]]", "of this form"),
        ("Costs[[Item],Price]", "of this form"),
        ("Costs[[Item]:[Price]:[Q1 2024]]", "of this form"),
        ("Costs[[Price],[#Headers]]", "of this form"),
        ("Costs[#Nothing]", "of this form"),
        ("Costs[@@Price]", "of this form"),
        ("[1]!Costs[Price]", "a link to another workbook"),
        ("Book!Costs[Price]", "a link to another workbook"),
    ],
)
def test_a_structured_reference_open_to_doubt_keeps_the_formula(text, words):
    with pytest.raises(KeepError, match=words):
        TABLES.resolved(text, "T", Cell(5, 3))


@pytest.mark.parametrize(("row", "inside"), [(3, False), (4, True), (8, True), (9, False)])
def test_this_row_is_one_of_the_rows_between_headers_and_totals(row, inside):
    if inside:
        assert TABLES.resolved("Costs[@Price]", "T", Cell(row, 20)) == f"$C{row}"
    else:
        with pytest.raises(KeepError, match="in none of the table's rows"):
            TABLES.resolved("Costs[@Price]", "T", Cell(row, 20))


def budget() -> bytes:
    """A table with a calculated column and totals as XlsxWriter writes them, and its users."""
    target = io.BytesIO()
    book = xlsxwriter.Workbook(target)
    plan, other = book.add_worksheet("Plan"), book.add_worksheet("Other")
    plan.add_table(
        "B2:E6",
        {
            "name": "Runs",
            "total_row": True,
            "data": [[7e9, 2e12], [1e9, 1e11], [1e8, 1e10]],
            "columns": [
                {"header": "Params", "total_string": "All"},
                {"header": "Tokens [T]", "total_function": "sum"},
                {"header": "Loss", "formula": "=CHINCHILLA_LOSS([@Params],[@[Tokens '[T']]])"},
                {"header": "Share", "formula": "=Runs[@Params]/SUM(Runs[Params])", "total_function": "sum"},
            ],
        },
    )  # fmt: skip
    other.write_formula("A1", "=SUM(RUNS[share])")
    other.write_formula("A2", "=MIN(Runs[Loss])")
    other.write_formula("A3", "=SUMIFS(Runs[Tokens '[T']],Runs[Params],\">500000000\")")
    other.write_formula("A4", "=Runs[[#This Row],[Params]]", None, 77)
    other.write_formula("A5", "=Runs", None, 77)
    other.write_dynamic_array_formula("C1:C3", "=Runs[Params]*2")
    book.close()
    return target.getvalue()  # fmt: skip


def test_calculated_columns_totals_and_other_sheets_are_computed():
    data, report = recompute_bytes(budget(), {"Plan!B3": 8e9})
    plan, other = cached(data)["Plan"], cached(data)["Other"]
    losses = [cx.chinchilla_loss(n, d) for n, d in ((8e9, 2e12), (1e9, 1e11), (1e8, 1e10))]
    assert [plan[f"D{row}"].value for row in (3, 4, 5)] == losses
    assert plan["C6"].value == 2e12 + 1e11 + 1e10
    assert plan["E3"].value == pytest.approx(8e9 / 9.1e9)
    assert plan["E6"].value == other["A1"].value == pytest.approx(1)
    assert (other["A2"].value, other["A3"].value) == (min(losses), 2.1e12)
    assert [other[f"C{row}"].value for row in (1, 2, 3)] == [1.6e10, 2e9, 2e8]
    assert {k.cell: k.reason for k in report.kept} == {
        "Other!A4": "Runs[[#This Row],[Params]]: the formula is in none of the table's rows",
        "Other!A5": "Plan!$B$3:$E$5 is a range where the cell holds a single value",
    }
    assert (other["A4"].value, other["A5"].value) == (77, 77)


def test_the_formulas_in_the_file_stay_as_they_are():
    before = budget()
    after, _ = recompute_bytes(before)
    old, new = (openpyxl.load_workbook(io.BytesIO(data)) for data in (before, after))
    for sheet in old:
        for row in sheet.iter_rows():
            for cell in row:
                new_cell = new[sheet.title][cell.coordinate]
                assert str(getattr(cell.value, "text", cell.value)) == str(
                    getattr(new_cell.value, "text", new_cell.value)
                ) or not str(cell.value).startswith("=")


def test_a_table_as_openpyxl_writes_it_is_known():
    book = openpyxl.Workbook()
    sheet = book.active
    for row in (["a", "b c"], [1, 2], [3, 4]):
        sheet.append(row)
    sheet.add_table(NewTable(displayName="T1", ref="A1:B3"))
    sheet["D1"] = "=SUM(T1[b c])"
    sheet["D2"] = "=SUM(T1[[#This Row],[a]:[b c]])"
    data, report = recompute_bytes(saved(book))
    assert report.complete
    assert [cached(data).active[f"D{row}"].value for row in (1, 2)] == [6, 3]


def with_table_part(change: bytes | None, to: bytes = b"") -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as new:
        for name, content in members(budget()).items():
            if name != "xl/tables/table1.xml":
                new.writestr(name, content)
            elif change is not None:
                new.writestr(name, content.replace(change, to))
    return target.getvalue()


def test_a_broken_table_part_is_refused_and_a_useless_one_is_no_table():
    with pytest.raises(BrokenFile, match=r"xl/tables/table1\.xml is not well-formed"):
        recompute_bytes(with_table_part(b"</table>"))
    for change, to in (
        (None, b""),
        (b' ref="B2:E6" totals', b" totals"),
        (b'totalsRowCount="1"', b'totalsRowCount="x"'),
    ):
        _, report = recompute_bytes(with_table_part(change, to))
        reasons = {k.cell: k.reason for k in report.kept}
        assert reasons["Other!A2"] == "there is no table Runs"
        assert reasons["Plan!E3"] == "there is no table Runs"
