"""Defined names that hold more than a fixed reference: each means what its formula, written out, does."""

from __future__ import annotations

import openpyxl
import pandas as pd
import pytest
from openpyxl.workbook.defined_name import DefinedName

import chinchilla_xl as cx
from chinchilla_xl.recalc import Report, recompute_bytes
from support import cached, saved

pytestmark = pytest.mark.once

ROWS = [(3, 10), (1.5, 20), (8, 30), (5, 40)]


def workbook(
    formulas: dict[str, str], names: dict[str, str], local: dict[tuple[str, str], str] | None = None
) -> bytes:
    """A sheet S with four rows of numbers, a sheet 'Other one', formulas on S and names."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "S"
    other = book.create_sheet("Other one")
    for row, (a, b) in enumerate(ROWS, start=1):
        sheet.cell(row, 1, a)
        sheet.cell(row, 2, b)
        other.cell(row, 1, a * 100)
    for address, formula in formulas.items():
        title, _, cell = address.rpartition("!")
        book[title or "S"][cell] = "=" + formula
    for name, formula in names.items():
        book.defined_names[name] = DefinedName(name, attr_text=formula)
    for (title, name), formula in (local or {}).items():
        book[title].defined_names[name] = DefinedName(name, attr_text=formula)
    return saved(book)


def outcome(
    formula: str, names: dict[str, str], local: dict[tuple[str, str], str] | None = None
) -> tuple[object, Report]:
    data, report = recompute_bytes(workbook({"D9": formula}, names, local))
    return cached(data)["S"]["D9"].value, report


def value(formula: str, names: dict[str, str], **more: object) -> object:
    found, report = outcome(formula, names, **more)  # type: ignore[arg-type]
    assert report.complete, report.kept
    return found


def reason(formula: str, names: dict[str, str], **more: object) -> str:
    _, report = outcome(formula, names, **more)  # type: ignore[arg-type]
    [kept] = report.kept
    assert (kept.cell, kept.formula) == ("S!D9", "=" + formula)
    return kept.reason


LAMBDA = "_xlfn.LAMBDA(_xlpm.a,_xlpm.b,_xlpm.a*2+_xlpm.b)"
SHADOW = "_xlfn.LAMBDA(_xlpm.x,_xlfn.LET(_xlpm.t,100,_xlpm.x+_xlpm.t))"
OPTIONAL = "_xlfn.LAMBDA(_xlpm.a,_xlop.k,IF(_xlfn.ISOMITTED(_xlpm.k),_xlpm.a*10,_xlpm.a*_xlpm.k))"


@pytest.mark.parametrize(
    ("formula", "names", "expected"),
    [
        ("MYCOST(A1,B1)", {"MYCOST": LAMBDA}, 16),
        ("mycost(A1+1,-B1)^2", {"MyCost": LAMBDA}, 4),
        ("MYCOST(MYCOST(1,2),MYCOST(3,4))", {"MYCOST": LAMBDA}, 18),
        ("SUM(MYCOST(1,2),3)", {"MYCOST": LAMBDA}, 7),
        ("TWICE(5)", {"TWICE": "_xlfn.LAMBDA(_xlpm.z,MYCOST(_xlpm.z,rate))", "MYCOST": LAMBDA, "rate": "0.5"}, 10.5),
        ("TOTAL(A1:A4)", {"TOTAL": "_xlfn.LAMBDA(_xlpm.r,SUM(_xlpm.r))"}, 17.5),
        ("NEGATE(2+3)*2", {"NEGATE": "_xlfn.LAMBDA(_xlpm.v,-_xlpm.v)"}, -10),
        ("2^NEGATE(1)", {"NEGATE": "_xlfn.LAMBDA(_xlpm.v,-_xlpm.v)"}, 0.5),
        ("CONST()", {"CONST": "_xlfn.LAMBDA(42)"}, "kept"),
        ("ADD100(5)", {"ADD100": SHADOW}, 105),
        # The caller's own t is not the t inside the name.
        ("_xlfn.LET(_xlpm.t,7,ADD100(_xlpm.t))", {"ADD100": SHADOW}, 107),
        ("_xlfn.LET(_xlpm.t,7,ADD100(_xlpm.t)+_xlpm.t)", {"ADD100": SHADOW}, 114),
        ("ADD100(ADD100(1))", {"ADD100": SHADOW}, 201),
        # A variable shadows a name, but not in the value that it is given.
        ("_xlfn.LET(_xlpm.rate,_xlpm.rate+1,_xlpm.rate)", {}, "kept"),
        ("_xlfn.LET(rate,rate+1,rate*10)", {"rate": "1/4"}, 12.5),
        ("_xlfn.LET(rate,rate+1,rate*10)", {"rate": "0.25"}, 12.5),
        ("SCALE(4)", {"SCALE": OPTIONAL}, 40),
        ("SCALE(4,2)", {"SCALE": OPTIONAL}, 8),
        ("OUR(2)", {"OUR": "_xlfn.LAMBDA(_xlpm.l,OPT_PARAMS(_xlpm.l,1E12))"}, cx.opt_params(2.0, 1e12)),
        ("best", {"best": "OPT_PARAMS(2,S!$B$1*1E11)"}, cx.opt_params(2.0, 1e12)),
        ("best", {"best": "_xldudf_CX_OPT_PARAMS(2,1E12)"}, cx.opt_params(2.0, 1e12)),
        ("best", {"best": 'OPT_COST(2,1E12,1E12,,"besiroglu")'}, cx.opt_cost(2.0, 1e12, 1e12, coeffs="besiroglu")),
        ("SUM(OFFSET(A1,1,0):B2)", {}, 21.5),
        ("NPV(0.1,part)", {"part": "S!$A$1:INDEX(S!$A$1:$A$9,S!$A$1)"}, 3 / 1.1 + 1.5 / 1.21 + 8 / 1.331),
        ("[0]!rate*2", {"rate": "1/4"}, 0.5),
        ("[0]!MYCOST(1,2)", {"MYCOST": LAMBDA}, 4),
    ],
)  # fmt: skip
def test_a_name_is_computed_as_its_formula(formula, names, expected):
    if expected == "kept":
        assert reason(formula, names)
    else:
        assert value(formula, names) == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize(
    ("formula", "names", "words"),
    [
        ("a", {"a": "b+1", "b": "a+1"}, "the name a rests on itself"),
        ("FACT_(3)", {"FACT_": "_xlfn.LAMBDA(_xlpm.n,IF(_xlpm.n<2,1,_xlpm.n*FACT_(_xlpm.n-1)))"}, "rests on itself"),
        ("MYCOST(1)", {"MYCOST": LAMBDA}, "MYCOST: called with 1 arguments"),
        ("MYCOST(1,2,3)", {"MYCOST": LAMBDA}, "MYCOST: called with 3 arguments"),
        ("MYCOST(1,)", {"MYCOST": LAMBDA}, "called with an omitted argument"),
        ("MYCOST+1", {"MYCOST": LAMBDA}, "holds a LAMBDA, which is not called"),
        ("rate(1)", {"rate": "1/4"}, "the name rate is no function"),
        ("SCALE(4)", {"SCALE": "_xlfn.LAMBDA(_xlpm.a,_xlop.k,_xlpm.a+_xlpm.k)"}, "k is an omitted argument"),
        ("D_(1)", {"D_": "_xlfn.LAMBDA(_xlpm.f,_xlpm.f(2))"}, "is a variable that is called"),
        ("where", {"where": "SUM($A$1:$A$3)"}, "the name where refers to no sheet"),
        ("where", {"where": "SUM(!$A$1:$A$3)"}, "there is no"),
        ("gone", {"gone": "Missing!$A$1+1"}, "there is no sheet Missing"),
        ("linked", {"linked": "[1]Sheet1!$A$1"}, "a link to another workbook"),
        ("union", {"union": "S!$A$1,S!$A$2"}, "a union of ranges"),
        ("cross", {"cross": "S!$A$1:$A$4 S!$A$2:$B$2"}, "an intersection of ranges"),
        ("odd", {"odd": "1+"}, "it cannot be parsed"),
        ("odd", {"odd": "SUM(1"}, "the name odd cannot be parsed"),
        ("odd", {"odd": "RAND()"}, "RAND: a random number"),
        ("odd", {"odd": "unknown+1"}, "rests on unknown, which is no name"),
        ("odd", {"odd": "nothing[x]"}, "there is no table nothing"),
        ("above", {"above": "S!A1048576"}, "leaves the sheet"),
        ("left", {"left": "S!XFD1"}, "leaves the sheet"),
        ("column", {"column": "SUM(S!B:B)"}, "leaves the sheet"),
        ("A1:A4*2", {}, "A1:A4 is a range where the cell holds a single value"),
        ("doubled", {"doubled": "S!$A$1:$A$4*2"}, "is a range where the cell holds a single value"),
        ("SUM(doubled)", {"doubled": "S!$A$1:$A$4*2"}, "is a range where SUM takes a single value"),
        ("SUM(both)", {"both": "S!$A$1:INDEX('Other one'!$A$1:$A$4,2)"}, "from one sheet to another"),
        ("SUM(back)", {"back": "S!$A$3:INDEX(S!$A$1:$A$4,2)"}, "the engine cannot compute it"),
        ("COUNT(none)", {"none": "OFFSET(S!$A$1,0,0,0,1)"}, "the engine cannot compute it"),
        ("COUNTA(none)", {"none": "OFFSET(S!$A$1,-1,0)"}, "the engine cannot compute it"),
        ("SUM(A1:A2:INDEX(A1:A4,2))", {}, "what is no"),
        ("SUM(A1:INDEX(A1:B4,2))", {}, "what is no single cell"),
        ("SUM(A1:OFFSET(A1,1,0,2,1))", {}, "what is no single cell"),
        ("SUM(up)", {"up": "OFFSET(S!$A$4,0,0,-2,1)"}, "the engine cannot compute it"),
        ("SUM(part)", {"part": "OFFSET(S!$A$1,0,0,S!$A$2,1)"}, "the engine cannot compute it"),
    ],
)  # fmt: skip
def test_a_name_open_to_doubt_keeps_the_formula(formula, names, words):
    assert words in reason(formula, names)


def test_a_name_local_to_a_sheet_hides_the_global_one_there_alone():
    formulas = {"D9": "size*2", "Other one!D9": "size*2", "D10": "'Other one'!size+S!size"}
    local = {("S", "size"): "S!$A$1", ("Other one", "size"): "'Other one'!$A$1+1"}
    data, report = recompute_bytes(workbook(formulas, {"size": "7"}, local))
    assert report.complete, report.kept
    book = cached(data)
    assert (book["S"]["D9"].value, book["Other one"]["D9"].value) == (6, 602)
    assert book["S"]["D10"].value == 304
    one = {("S", "size"): "S!$A$1"}
    data, report = recompute_bytes(workbook(formulas, {"size": "7"}, one))
    assert cached(data)["Other one"]["D9"].value == 14
    assert [(k.cell, k.reason) for k in report.kept] == [
        ("S!D10", "the name size is not local to the sheet 'Other one'")
    ]


def test_a_global_name_that_rests_on_a_local_one_is_kept():
    names = {"whole": "part+1", "part": "1/3"}
    assert value("whole", names) == pytest.approx(4 / 3)
    local = {("Other one", "part"): "5"}
    assert "rests on part, local to some sheets" in reason("whole", names, local=local)


def test_a_relative_name_means_another_cell_in_every_cell():
    formulas = {f"D{row}": "left_of*10" for row in (1, 2, 3)} | {
        "E2": "SUM(down_to_4)",
        "E4": "SUM(down_to_4)",
    }
    names = {"left_of": "S!$A1", "down_to_4": "S!$A1:$A$4"}
    data, report = recompute_bytes(workbook(formulas, names))
    assert report.complete, report.kept
    sheet = cached(data)["S"]
    assert [sheet[f"D{row}"].value for row in (1, 2, 3)] == [30, 15, 80]
    assert (sheet["E2"].value, sheet["E4"].value) == (14.5, 5)


def test_a_dynamic_range_sees_what_is_computed_after_it_and_what_changes(tmp_path):
    names = {
        "sizes": "OFFSET(S!$G$1,0,0,COUNT(S!$A:$A),1)",
        "up_to": "S!$G$1:INDEX(S!$G:$G,S!$F$1)",
    }
    formulas = {"D9": "SUM(sizes)", "D10": "SUM(up_to)", "F1": "COUNT(A1:A4)"}
    formulas |= {f"G{row}": f"A{row}*E9" for row in (1, 2, 3, 4)} | {"E9": "2+B1-10"}
    data = workbook(formulas, names)
    scenarios = pd.DataFrame({"S!B1": [10, 11, 8], "S!A4": [5, 0, 1]})
    path = tmp_path / "dynamic.xlsx"
    path.write_bytes(data)
    swept = cx.sweep(path, scenarios, ["S!D9", "S!D10"])
    for row, scenario in enumerate(scenarios.to_dict("records")):
        factor = 2 + scenario["S!B1"] - 10
        expected = (12.5 + scenario["S!A4"]) * factor
        assert swept["S!D9"][row] == swept["S!D10"][row] == pytest.approx(expected)
        anew, _ = recompute_bytes(data, scenario)
        assert cached(anew)["S"]["D9"].value == pytest.approx(expected)


@pytest.mark.parametrize("formula", ["SUM(sizes)", "SUM(S!$G$1:INDEX(S!$H:$H,2))"])
def test_what_a_dynamic_range_reaches_keeps_it_if_that_was_kept(formula):
    names = {"sizes": "OFFSET(S!$F$1,0,0,4,S!$A$1)"}
    formulas = {"D9": formula, "D10": "D9+1", "G2": "RAND()", "D11": "SUM(OFFSET(A1,0,0,2,1))"}
    _, report = recompute_bytes(workbook(formulas, names))
    reasons = {k.cell: k.reason for k in report.kept}
    assert set(reasons) == {"S!G2", "S!D9", "S!D10"}
    assert reasons["S!D9"] == "it needs S!G2, which has no value"
    assert [k.dependents for k in report.kept if k.cell == "S!G2"] == [2]


def test_ranges_of_different_sizes_are_an_error_in_excel_and_kept_here():
    names = {"long": "OFFSET(S!$A$1,0,0,4,1)", "short": "OFFSET(S!$B$1,0,0,3,1)"}
    assert value('SUMIFS(long,long,">2")', names) == 16
    assert reason('SUMIFS(long,short,">2")', names) == "the engine cannot compute it"
    assert reason('COUNTIFS(long,">2",short,">2")', names) == "the engine cannot compute it"
