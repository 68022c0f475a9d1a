"""Conversions keep what a formula means, or leave it and say so; Excel opens what they write."""

from __future__ import annotations

import io
import re
import time
import zipfile

import pytest

from chinchilla_xl.editions import lambda_names
from chinchilla_xl.recalc import recompute_bytes
from chinchilla_xl.recalc.archive import Archive
from chinchilla_xl.recalc.calcchain import calculated_on_load
from chinchilla_xl.recalc.conversion import converted
from convert_books import SHEET, book, cell, formulas_of
from support import members

pytestmark = pytest.mark.once

PARAMS, LOSS = (lambda_names()[name].formula for name in ("OPT_PARAMS", "CHINCHILLA_LOSS"))
OWN = "_xlfn.LAMBDA(_xlpm.x,_xlpm.y,_xlpm.x+1)"
CHAIN = "xl/calcChain.xml"


def with_chain(data):
    """The workbook as Excel would have saved it: with a calculation chain of its cells."""
    old = members(data)
    chain = '<calcChain><c r="A10" i="1"/><c r="A11" i="1"/></calcChain>'
    types = old["[Content_Types].xml"].replace(
        b"</Types>", b'<Override PartName="/xl/calcChain.xml" ContentType="x/calcChain+xml"/></Types>'
    )  # fmt: skip
    relations = old["xl/_rels/workbook.xml.rels"].replace(
        b"</Relationships>",
        b'<Relationship Id="rId99" Type="http://x/calcChain" Target="calcChain.xml"/></Relationships>',
    )
    parts = {
        CHAIN: [chain.encode()], "[Content_Types].xml": [types],
        "xl/_rels/workbook.xml.rels": [relations],
        "xl/workbook.xml": [re.sub(rb"<calcPr.*?/>", b'<calcPr calcId="191029"/>', old["xl/workbook.xml"])],
    }  # fmt: skip
    return Archive(data).replaced(parts)


@pytest.mark.parametrize("edition", ["lambda", "addin"])
def test_a_calculation_chain_of_other_formulas_goes_so_that_excel_repairs_nothing(edition):
    data = with_chain(book("OPT_PARAMS(B1,B2)", "CHINCHILLA_OPT(5.76E23)"))
    if edition == "addin":
        data = with_chain(converted(data, "lambda")[0])
    new = converted(data, edition)[0]
    assert CHAIN not in members(new)
    assert zipfile.ZipFile(io.BytesIO(new)).testzip() is None
    for part in ("[Content_Types].xml", "xl/_rels/workbook.xml.rels"):
        assert b"calcChain" not in members(new)[part]
        assert b"styles.xml" in members(new)[part]
    recompute_bytes(new)


def test_a_calculation_chain_stays_where_no_formula_changes():
    data = with_chain(book("SUM(B1:B4)"))
    assert converted(data, "lambda")[0] == data


def test_excel_is_asked_to_compute_what_has_become_lambdas():
    """A file that Excel saved without the add-in holds #NAME?, or worse what IFERROR made of it."""
    data = with_chain(book("IFERROR(OPT_PARAMS(B1,B2),0)"))
    book_part = members(converted(data, "lambda")[0])["xl/workbook.xml"].decode()
    assert '<calcPr calcId="191029" fullCalcOnLoad="1"/>' in book_part


def test_what_asks_for_a_calculation_already_stays():
    for settings in (
        '<x:calcPr fullCalcOnLoad="true"/>',
        "<workbook/>",
        '<calcPr fullCalcOnLoad="1"></calcPr>',
    ):
        assert calculated_on_load(settings) == settings
    assert calculated_on_load('<calcPr fullCalcOnLoad="0" a="b"/>') == (
        '<calcPr a="b" fullCalcOnLoad="1"/>'
    )


@pytest.mark.parametrize(
    "formula",
    ["OPT_PARAMS(B1:B4*2,B2)", "OPT_PARAMS(CHINCHILLA_LOSS(-B1:B4,B1),B2)", "COEFFS(C1:C2&C3)"],
)
def test_a_plain_cell_that_computes_with_the_range_in_its_own_row_is_left(formula):
    data = book(formula)
    there, report = converted(data, "lambda")
    assert [left.formula for left in report.left] == ["=" + formula]
    assert formulas_of(there) == formulas_of(data)


@pytest.mark.parametrize(
    "formula",
    ["OPT_PARAMS(B1:B4,B2)", "OPT_PARAMS(B:B,B2,)", "OPT_PARAMS({2,3},C1)", "OPT_PARAMS(OFFSET(B1,0,0,4),B2)",
     "OPT_PARAMS(CHINCHILLA_LOSS(B1:B4,B1),T[x])"],
)  # fmt: skip
def test_a_plain_cell_that_hands_ranges_on_whole_shows_the_first_value(formula):
    data = book(formula)
    there, report = converted(data, "lambda")
    assert report.complete
    [(_, text)] = formulas_of(there)
    assert text.startswith("_xlfn.SINGLE(CX.OPT_PARAMS(")
    assert formulas_of(converted(there, "addin")[0]) == formulas_of(data)


def test_a_single_value_of_computed_ranges_stays_a_dynamic_array():
    formula = "_xlfn.SINGLE(CX.OPT_PARAMS(B1:B4*2,B2))"
    data = book(array=[("A10", formula)], names=[("CX.OPT_PARAMS", PARAMS)])
    new = cell(converted(data, "addin")[0], "A10")
    assert '<f t="array" ref="A10">_xlfn.SINGLE(OPT_PARAMS(B1:B4*2,B2))</f>' in new
    assert 'cm="1"' in new


def test_a_name_that_means_something_else_on_a_sheet_is_not_taken_for_one_value():
    def more(file, sheet):
        file.add_worksheet("T")
        file.define_name("size", "=S!$B$1:$B$4")
        file.define_name("T!size", "=T!$B$1")

    data = book("CHINCHILLA_LOSS(size,2E12)+1", more=more)
    there, report = converted(data, "lambda")
    assert [left.cell for left in report.left] == ["S!A10"]
    assert formulas_of(there) == formulas_of(data)


def test_a_lambda_is_not_taken_for_the_users_own_function_of_that_name():
    names = [("OPT_PARAMS", OWN), ("CX.OPT_PARAMS", PARAMS)]
    data = book("OPT_PARAMS(B1,B2)", array=[("A12", "CX.OPT_PARAMS(B1,B2)")], names=names)
    back, report = converted(data, "addin")
    assert formulas_of(back) == formulas_of(data)
    [left] = report.left
    assert (left.cell, left.reason) == ("S!A12", "the workbook has a name OPT_PARAMS of its own")
    assert not report.removed
    old, new = (cell(recompute_bytes(data)[0], place) for place in ("A10", "A12"))
    assert "<v>3.13</v>" in old
    assert "<v>3.13</v>" not in new


def test_a_let_is_not_taken_for_the_users_own_function_of_that_name():
    written, _ = converted(book("KAPLAN_LOSS(B3,B4)", names=[("KAPLAN_LOSS", OWN)]), "cells")
    assert "_xlfn.LET(" in formulas_of(written)[0][1]
    assert "<v>7000000001</v>" not in cell(recompute_bytes(written)[0], "A10")


def test_a_lambda_of_the_users_own_on_one_sheet_is_not_ours():
    names = [("CX.OPT_PARAMS", PARAMS), ("S!CX.OPT_PARAMS", OWN)]
    data = book(array=[("A10", "CX.OPT_PARAMS(B1,B2)")], names=names)
    assert "<v>3.13</v>" in cell(recompute_bytes(data)[0], "A10")
    assert converted(data, "addin")[0] == data


def test_a_lambda_behind_the_workbooks_own_name_is_called_or_kept():
    formulas = [("A10", "[0]!CX.OPT_PARAMS(B1,B2)"), ("A11", "S!CX.CHINCHILLA_LOSS(B3,B4)")]
    names = [("CX.OPT_PARAMS", PARAMS), ("CX.CHINCHILLA_LOSS", LOSS)]
    back, report = converted(book(array=formulas, names=names), "addin")
    assert formulas_of(back) == [("A10", "OPT_PARAMS(B1,B2)"), formulas[1]]
    assert report.removed == ["CX.OPT_PARAMS"]
    assert [left.cell for left in report.left] == ["S!A11"]


def test_bounds_of_colour_scales_and_data_bars_change_too():
    def more(file, sheet):
        scale = {"type": "2_color_scale", "min_type": "formula", "max_type": "formula"}
        limits = {"min_value": "=OPT_PARAMS($B$1,$B$2)", "max_value": '=IF($B$1>1,9E99,"a""b")'}
        sheet.conditional_format("B1:B4", scale | limits)

    data = book("1", more=more)
    there, report = converted(data, "lambda")
    assert (report.formulas, report.complete) == (1, True)
    assert 'val="CX.OPT_PARAMS($B$1,$B$2)"' in members(there)[SHEET].decode()
    back, _ = converted(there, "addin")
    assert members(back)[SHEET] == members(data)[SHEET]


def test_many_groups_of_cells_that_share_formulas_take_no_longer_each():
    def seconds(groups):
        rows = "".join(
            f'<row r="{r}"><c r="A{r}"><f t="shared" ref="A{r}:B{r}" si="{r}">SUM(C{r})</f></c>'
            f'<c r="B{r}"><f t="shared" si="{r}"/></c></row>'
            for r in range(20, 20 + groups)
        )
        data = book("OPT_PARAMS(B1,B2)")
        sheet = members(data)[SHEET].replace(b"</sheetData>", rows.encode() + b"</sheetData>")
        data = Archive(data).replaced({SHEET: [sheet]})
        start = time.process_time()
        converted(data, "lambda")
        return time.process_time() - start

    seconds(100)
    assert seconds(4000) < 12 * seconds(1000)


@pytest.mark.parametrize("opened", ["(", "ABS(", "OPT_PARAMS(1,"])
def test_a_formula_nested_beyond_all_measure_is_left(opened):
    deep = opened * 1200 + "OPT_PARAMS(B1,B2)" + ")" * 1200
    data = book(deep, "OPT_PARAMS(B1,B2)")
    there, report = converted(data, "lambda")
    [left] = report.left
    assert (left.cell, left.reason) == ("S!A10", "it is nested too deep")
    assert report.formulas == 1
    converted(there, "addin")
