"""Tables and defined names mean to us what they mean to LibreOffice, formula by formula.

`data/fidelity-names.txt` holds the formulas. One that needs #This Row stands beside the fourth row
of the table Costs, the others on a sheet of their own. A formula may also be kept, but few are.
"""

from __future__ import annotations

import io
from pathlib import Path

import pytest
import xlsxwriter

import libreoffice
from chinchilla_xl.recalc import recompute_bytes
from support import cached

pytestmark = [pytest.mark.once, libreoffice.needed]

FORMULAS = (Path(__file__).parent / "data" / "fidelity-names.txt").read_text("utf-8").splitlines()

NAMES = {
    "rate": "=0.08",
    "neg": "=-3",
    "label": '="a ""b"" c"',
    "flag": "=TRUE",
    "tenth": "=1/10",
    "percent": "=5%",
    "margin": "=Data!$A$1-Data!$A$2",
    "total": "=SUM(Data!$A$1:$A$10)",
    "average_price": "=AVERAGE(Costs[Price])",
    "bigger": "=IF(Data!$A$1>Data!$A$2,Data!$A$1,Data!$A$2)",
    "dynamic": "=OFFSET(Data!$A$1,0,0,COUNTA(Data!$A:$A),1)",
    "dynamic2": "=OFFSET(Data!$B$1,0,0,COUNTA(Data!$A:$A),1)",
    "dynamic_sum": "=SUM(OFFSET(Data!$A$1,0,0,COUNT(Data!$A:$A),1))",
    "upto": "=Data!$A$1:INDEX(Data!$A:$A,COUNTA(Data!$A:$A))",
    "upto2": "=Data!$A$2:INDEX(Data!$A$1:$A$20,Data!$E$1)",
    "between": "=INDEX(Data!$A$1:$A$10,2):INDEX(Data!$A$1:$A$10,Data!$E$1)",
    "last_three": "=OFFSET(Data!$A$1,COUNTA(Data!$A:$A)-3,0,3,1)",
    "last_value": "=INDEX(Data!$A:$A,COUNTA(Data!$A:$A))",
    "second": "=INDEX(Data!$A$1:$B$10,2,2)",
    "third": "=OFFSET(Data!$A$1,2,0)",
    "block": "=SUM(OFFSET(Data!$A$1,1,0,2,2))",
    "block_sum": "=OFFSET(Data!$A$1,1,0,2,2)",
    "column": "=Data!$B:$B",
    "column_total": "=SUM(Data!$B:$B)",
    "relative": "=Data!A1",
    "relative_row": "=Data!$B1",
    "relative_both": "=Data!B1",
    "relative_area": "=Data!A1:B2",
    "here": "=1",
    "Data!here": "=Data!$A$3",
    "'Other sheet'!here": "=20",
    "F!here": "=300",
    "level1": "=Data!$A$1*2",
    "level2": "=level1+1",
    "level3": "=level2*level1",
    "table_price": "=Costs[Price]",
    "table_all": "=Costs[[#All],[Price]]",
    "lookup_gpu": '=VLOOKUP("gpu",Costs,2,FALSE)',
    "constants": "={1,2,3}",
    "broken": "=#REF!",
    "first_cell": "=Data!$A$1",
}

COSTS = [["cpu", 3, 1], ["gpu", 7, 2], ["gas", 1.5, 4], ["disk", 0.25, 8], ["rent", 12, 16]]
ODD = ["x y", "#1", "[a],b", "it's", '"q"', "Q1 2024", "a-b"]


def workbook() -> bytes:
    target = io.BytesIO()
    book = xlsxwriter.Workbook(target)
    sheets = {name: book.add_worksheet(name) for name in ("F", "Data", "T", "Other sheet")}
    for row, number in enumerate([3, 1.5, 8, 5, 12.25, 7]):
        sheets["Data"].write(row, 0, number)
    for row, number in enumerate([1, 2, 3, 5, 8, 13, 21, 34]):
        sheets["Data"].write(row, 1, number)
    sheets["Data"].write("E1", 4)
    sheets["Data"].write("E2", 2)
    for row, (flow, day) in enumerate([(-5, 43831), (2, 43862), (3, 43891), (4, 44000)]):
        sheets["Data"].write(row, 6, flow)
        sheets["Data"].write(row, 7, day)
    sheets["T"].add_table(
        "B3:D9",
        {
            "name": "Costs",
            "data": COSTS,
            "total_row": True,
            "columns": [
                {"header": "Item", "total_string": "Total"},
                {"header": "Price", "total_function": "sum"},
                {"header": "Tokens", "total_function": "average"},
            ],
        },
    )
    for cell, total in (
        ("C9", "SUBTOTAL(109,Costs[Price])"),
        ("D9", "SUBTOTAL(101,Costs[Tokens])"),
    ):
        sheets["T"].write_formula(cell, "=" + total)  # LibreOffice knows no bare [Price]
    sheets["Other sheet"].add_table(
        "A1:G3",
        {
            "name": "Odd_1",
            "data": [[1, 2, 4, 8, 16, 32, 64], [100, 200, 400, 800, 1600, 3200, 6400]],
            "columns": [{"header": name} for name in ODD],
        },
    )
    sheets["Other sheet"].add_table(
        "J1:K2", {"name": "Bare", "data": [[5, 6], [7, 8]], "header_row": False}
    )
    for name, formula in NAMES.items():
        book.define_name(name, formula)
    for row, formula in enumerate(FORMULAS):
        sheets[place(row)[0]].write_formula(*place(row)[1:], "=" + formula)
    book.close()
    return target.getvalue()


def place(row: int) -> tuple[str, int, int]:
    """The sheet, row and column in which a formula stands, counted from 0."""
    return ("T", 6, 10 + row) if "#This Row" in FORMULAS[row] else ("F", row % 5, row // 5)


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    data = workbook()
    computed, report = recompute_bytes(data)
    theirs = libreoffice.recalculated(data, tmp_path_factory.mktemp("names"))
    return cached(computed), {k.cell: k.reason for k in report.kept}, theirs


@pytest.mark.parametrize("row", range(len(FORMULAS)), ids=FORMULAS)
def test_a_formula_with_tables_or_names_is_kept_or_computed_as_libreoffice_does(results, row):
    ours, kept, theirs = results
    title, line, column = place(row)
    cell = ours[title].cell(line + 1, column + 1)
    if f"{title}!{cell.coordinate}" not in kept:
        libreoffice.assert_alike(cell.value, theirs[title][cell.coordinate].value)


def test_most_formulas_with_tables_or_names_are_computed_not_kept(results):
    _, kept, _ = results
    assert len(FORMULAS) >= 60
    assert len(kept) < len(FORMULAS) / 10, kept
