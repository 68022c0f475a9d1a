"""Workbooks rewritten between the add-in's functions and LAMBDA names, and all else left alone."""

from __future__ import annotations

import io
import re
import zipfile

import openpyxl
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

import chinchilla_xl
from chinchilla_xl.cli import cli
from chinchilla_xl.editions import lambda_names
from chinchilla_xl.errors import ArgumentError, BrokenFile, UnsupportedFile
from chinchilla_xl.functions import FUNCTIONS
from chinchilla_xl.recalc import recompute_bytes
from chinchilla_xl.recalc.archive import Archive
from chinchilla_xl.recalc.calls import from_cells, is_lambda_of, to_addin, to_cells, to_lambda
from chinchilla_xl.recalc.conversion import converted
from convert_books import SHEET, book, cell, formulas_of
from support import members

OURS = {entry.name.upper(): function for function, entry in lambda_names().items()}


@pytest.mark.parametrize(
    "stored",
    [
        "OPT_PARAMS",
        "_xldudf_OPT_PARAMS",
        "_xll.OPT_PARAMS",
        "[1]!OPT_PARAMS",
        "opt_params",
        "CHINCHILLA.XL.OPT_PARAMS",
        "_xldudf_NS_OPT_PARAMS",
    ],
)
def test_every_stored_spelling_of_a_function_becomes_its_name(stored):
    assert to_lambda(f"1+{stored}(B1, B2 )*2") == "1+CX.OPT_PARAMS(B1, B2 )*2"


def test_what_is_no_call_of_ours_stays_to_the_space():
    for formula in (
        'IF( A1 = "OPT_PARAMS(1)" ,  1,2)', "'OPT_PARAMS(x)'!A1", "T[OPT_PARAMS (x)]", "OPT_PARAMS",
        "MY_OPT_PARAMS(1)", "{1,2;3,4}", 'SUM (A1:A3 B2:B3) & "é"',
    ):  # fmt: skip
        assert to_lambda(formula) == formula


def test_arguments_with_commas_quotes_and_accents_keep_their_places():
    formula = "OPT_PARAMS('é, a'!B1,{1,2},,CHINCHILLA_LOSS(\"é,(\",T[[#This Row],[a, b]]))"
    expected = formula.replace("OPT_P", "CX.OPT_P").replace("CHINCHILLA_L", "CX.CHINCHILLA_L")
    assert to_lambda(formula) == expected
    assert to_addin(expected, OURS) == formula


pieces = st.sampled_from(["A1", "$B$2", "S!C3", "1.5", '"é(,"', "rate", "A1:A3", "", "{1,2;3,4}"])


def _calls(inner):
    known = st.sampled_from([f for f in FUNCTIONS if f.name in lambda_names()])
    ours = known.flatmap(
        lambda f: st.lists(inner, min_size=1, max_size=max(1, len(f.parameters))).map(
            lambda args: f"{f.name}({','.join(args)})"
        )
    )
    sums = st.tuples(inner, inner).map(lambda pair: f"({pair[0] or 1} + {pair[1] or 2})")
    theirs = st.tuples(inner, inner).map(lambda pair: f"IF( {pair[0]} , {pair[1]})")
    return ours | sums | theirs


expressions = st.recursive(pieces, _calls, max_leaves=8).filter(bool)


@given(expressions)
@settings(deadline=None, max_examples=150)
def test_there_and_back_gives_the_same_formula(formula):
    assert to_addin(to_lambda(formula), OURS) == formula


@given(expressions.filter(lambda text: "COEFFS()" not in text))
@settings(deadline=None, max_examples=60)
def test_what_is_written_out_has_one_let(formula):
    try:
        written = to_cells(formula)
    except ArgumentError:
        return  # with more arguments, or fewer, than the function has
    assert len(re.findall(r"LET\(", written)) <= 1


@pytest.mark.parametrize(
    "formula",
    [
        "OPT_PARAMS(A1,B1)", "1+OPT_PARAMS(CHINCHILLA_LOSS(A1,B1+2),C1,D1:D5)",
        "OPT_PLAN(A1,B1,C1,,,,,FALSE)", "INDEX(OPT_PLAN(A1,B1,C1,E1:F9,D1:D5),1,2)",
        "OPT_PARAMS(A1,EFFECTIVE_TOKENS(OPT_FLOPS(A1,B1),TRAIN_COST(A2,OPT_TOKENS(A1,A3))))",
        "SUM(OPT_COST(A1:A3,B1,C1),SERVE_COST(A1,B1,C1,deployment))",
        "CHOOSE(E19,CHINCHILLA_TOKENS(C19,c),OPT_TOKENS(A1,B1,c),OPT_TOKENS(A1,B2,c),0)",
        "OPT_PARAMS(1.69,406.4)+OPT_PARAMS(0,1)+INDEX(COEFFS(),2,1)+IF(A1,KAPLAN_LOSS(1,1),0)",
    ],
)  # fmt: skip
def test_what_is_written_out_is_read_as_the_call_it_stands_for(formula):
    assert from_cells(to_cells(formula)) == formula


def test_a_let_that_was_touched_anywhere_is_not_taken_for_ours():
    written = to_cells("OPT_PARAMS(A1,B1)")
    places = [match.start() for match in re.finditer(r"(?<=[a-z_)])[-+*/](?=[_(a-z])", written)]
    assert len(places) > 20
    for place in places:
        other = "+" if written[place] != "+" else "-"
        touched = f"{written[:place]}{other}{written[place + 1 :]}"
        assert from_cells(touched) == touched


@pytest.mark.parametrize(
    "formula",
    [
        "LET(x,5,x+1)",
        "_xlfn.LET(_xlpm.x,5,_xlpm.x+A1)",
        "_xlfn.LET(_xlpm.x,5)",
        "_xlfn.LET(A1,1,2)",
        "_xlfn.LAMBDA(_xlpm.p,_xlfn.LET(_xlpm.q,_xlpm.p,_xlpm.q*2))(3)",
    ],
)
def test_somebodys_own_let_stays(formula):
    assert from_cells(formula) == formula


def test_capitals_and_spaces_do_not_make_a_lambda_another():
    formula = lambda_names()["OPT_PARAMS"].formula
    assert is_lambda_of("OPT_PARAMS", formula.replace(",", " , ").replace("LN(", "ln( "))
    assert not is_lambda_of("OPT_PARAMS", formula.replace("_xlpm.loss", "_xlpm.los"))
    assert not is_lambda_of("OPT_TOKENS", formula)


def test_names_come_with_comments_and_go_with_the_last_call():
    data = book("OPT_PARAMS(B1,B2)", names=[("mine", "S!$B$1")])
    there, report = converted(data, "lambda")
    text = members(there)["xl/workbook.xml"].decode()
    assert "CX.OPT_PARAMS" in report.added
    assert 'name="CX.OPT_PARAMS" comment="' in text
    for name in openpyxl.load_workbook(io.BytesIO(there)).defined_names.values():
        if name.name.startswith("CX."):
            entry = lambda_names()[name.name.removeprefix("CX.")]
            assert (name.attr_text, name.comment) == (entry.formula, entry.comment)
    back, report = converted(there, "addin")
    assert report.removed
    assert members(back)["xl/workbook.xml"] == members(data)["xl/workbook.xml"]


def test_names_are_added_to_a_workbook_that_has_none():
    data = book("OPT_PARAMS(B1,B2)")
    there, _ = converted(data, "lambda")
    assert "CX.OPT_PARAMS" in openpyxl.load_workbook(io.BytesIO(there)).defined_names
    back, _ = converted(there, "addin")
    assert members(back)["xl/workbook.xml"] == members(data)["xl/workbook.xml"]


def test_a_cell_that_calls_a_lambda_is_a_dynamic_array_with_its_old_value():
    there, _ = converted(book("OPT_PARAMS(B1,B2)"), "lambda")
    assert cell(there, "A10") == (
        '<c r="A10" cm="1"><f t="array" ref="A10">CX.OPT_PARAMS(B1,B2)</f><v>786</v></c>'
    )
    assert b"sheetMetadata" in members(there)["xl/_rels/workbook.xml.rels"]
    assert b"/xl/metadata.xml" in members(there)["[Content_Types].xml"]
    assert zipfile.ZipFile(io.BytesIO(there)).testzip() is None


def test_a_plain_cell_shows_one_value_of_a_table_as_before():
    data = book("CHINCHILLA_OPT(5.76E23)")
    there, report = converted(data, "lambda")
    assert formulas_of(there) == [("A10", "_xlfn.SINGLE(CX.CHINCHILLA_OPT(5.76E23))")]
    assert report.complete
    assert (
        cell(recompute_bytes(there)[0], "A10").partition("<v>")[2]
        == (cell(recompute_bytes(data)[0], "A10").partition("<v>")[2])
    )
    assert cell(converted(there, "addin")[0], "A10") == cell(data, "A10")


def test_a_formula_that_might_spill_where_it_did_not_is_left_and_listed():
    data = book("OPT_PARAMS(B1:B2,B2)*2", "OPT_PARAMS(B1,B2)*2")
    there, report = converted(data, "lambda")
    [left] = report.left
    assert left.cell == "S!A10"
    assert left.formula == "=OPT_PARAMS(B1:B2,B2)*2"
    assert [text for _, text in formulas_of(there)] == [
        "OPT_PARAMS(B1:B2,B2)*2", "CX.OPT_PARAMS(B1,B2)*2",
    ]  # fmt: skip


def test_functions_without_a_lambda_are_left_and_listed(tmp_path):
    path, out = tmp_path / "in.xlsx", tmp_path / "out.xlsx"
    path.write_bytes(book("OPT_PARAMS(B1,B2)", "ROWS(FIT_COEFFS(B1:B4,B1:B4,B1:B4))"))
    result = CliRunner().invoke(cli, ["convert", str(path), str(out), "--edition", "lambda"])
    assert result.exit_code == 1
    assert "left S!A11 =ROWS(FIT_COEFFS(B1:B4,B1:B4,B1:B4)): FIT_COEFFS has no LAMBDA" in (
        result.stderr
    )
    assert [text for _, text in formulas_of(out.read_bytes())] == [
        "CX.OPT_PARAMS(B1,B2)", "ROWS(FIT_COEFFS(B1:B4,B1:B4,B1:B4))",
    ]  # fmt: skip


def test_a_name_of_the_users_own_in_the_place_of_ours_is_refused():
    data = book("OPT_PARAMS(B1,B2)", names=[("CX.OPT_PARAMS", "S!$B$1")])
    with pytest.raises(UnsupportedFile, match=r"a name CX\.OPT_PARAMS of its own"):
        converted(data, "lambda")


def test_the_users_own_function_of_our_name_is_not_ours():
    own = "_xlfn.LAMBDA(_xlpm.x,_xlpm.x+1)"
    data = book("OPT_PARAMS(B1)+CHINCHILLA_LOSS(B3,B4)", names=[("OPT_PARAMS", own)])
    there, _ = converted(data, "lambda")
    assert formulas_of(there) == [("A10", "OPT_PARAMS(B1)+CX.CHINCHILLA_LOSS(B3,B4)")]


def test_a_lambda_that_somebody_has_changed_stays_where_it_is():
    changed = lambda_names()["OPT_PARAMS"].formula.replace("_xlpm.loss", "_xlpm.target")
    data = book(array=[("A10", "CX.OPT_PARAMS(B1,B2)")], names=[("CX.OPT_PARAMS", changed)])
    back, report = converted(data, "addin")
    assert back == data
    assert not report.formulas


def test_a_lambda_that_is_handed_on_is_left_with_its_name():
    formula = "_xlfn.MAP(B1:B2,B3:B4,CX.CHINCHILLA_LOSS)+CX.OPT_PARAMS(B1,B2)"
    loss = lambda_names()["CHINCHILLA_LOSS"].formula
    params = lambda_names()["OPT_PARAMS"].formula
    data = book(
        array=[("A10:A11", formula)],
        names=[("CX.CHINCHILLA_LOSS", loss), ("CX.OPT_PARAMS", params)],
    )
    back, report = converted(data, "addin")
    assert [left.cell for left in report.left] == ["S!A10"]
    assert "CX.CHINCHILLA_LOSS" not in report.removed
    assert formulas_of(back) == formulas_of(data)


def test_formulas_outside_of_cells_change_too():
    def more(file, sheet):
        sheet.conditional_format(
            "B1:B4", {"type": "formula", "criteria": "=OPT_PARAMS(B1,B2)>1", "format": None}
        )
        sheet.data_validation("C1", {"validate": "custom", "value": "=C1<OPT_PARAMS($B$1,$B$2)"})
        columns = [{"header": "x"}, {"header": "loss", "formula": "=CHINCHILLA_LOSS([@x],2E12)"}]
        sheet.add_table("E1:F3", {"columns": columns, "data": [[7e9], [8e9]]})

    data = book("1", names=[("size", "OPT_PARAMS(S!$B$1,S!$B$2)")], more=more)
    there, report = converted(data, "lambda")
    assert report.complete
    sheet, table = members(there)[SHEET].decode(), members(there)["xl/tables/table1.xml"].decode()
    assert "<formula>CX.OPT_PARAMS(B1,B2)&gt;1</formula>" in sheet
    assert "<formula1>C1&lt;CX.OPT_PARAMS($B$1,$B$2)</formula1>" in sheet
    assert ">CX.CHINCHILLA_LOSS(" in table
    names = openpyxl.load_workbook(io.BytesIO(there)).defined_names
    assert names["size"].attr_text == "CX.OPT_PARAMS(S!$B$1,S!$B$2)"
    back, _ = converted(there, "addin")
    assert members(back)["xl/tables/table1.xml"] == members(data)["xl/tables/table1.xml"]
    assert members(back)["xl/workbook.xml"] == members(data)["xl/workbook.xml"]


def test_cells_that_share_a_formula_get_their_own():
    data = book("1")
    sheet = members(data)[SHEET].decode()
    shared = (
        '<c r="A10"><f t="shared" ref="A10:A11" si="0">OPT_PARAMS($B$1,B2)</f><v>1</v></c></row>'
        '<row r="11"><c r="A11"><f t="shared" si="0"/><v>2</v></c>'
    )
    sheet = re.sub(r'<c r="A10".*?</c>', shared, sheet)
    data = Archive(data).replaced({SHEET: [sheet.encode()]})
    there, report = converted(data, "lambda")
    assert report.formulas == 2
    assert formulas_of(there) == [
        ("A10", "CX.OPT_PARAMS($B$1,B2)"), ("A11", "CX.OPT_PARAMS($B$1,B3)"),
    ]  # fmt: skip


def test_other_members_of_the_file_stay_byte_for_byte():
    def more(file, sheet):
        chart = file.add_chart({"type": "line"})
        chart.add_series({"values": "=S!$B$1:$B$4"})
        sheet.insert_chart("D5", chart)
        sheet.write_comment("B1", "a note")

    data = book("OPT_PARAMS(B1,B2)", more=more)
    old, new = members(data), members(converted(data, "lambda")[0])
    differing = {part for part in new if old.get(part) != new[part]}
    assert differing == {
        SHEET, "xl/workbook.xml", "xl/metadata.xml", "xl/_rels/workbook.xml.rels",
        "[Content_Types].xml",
    }  # fmt: skip


def test_a_workbook_with_nothing_to_convert_is_copied_and_says_so(tmp_path):
    path, out = tmp_path / "in.xlsx", tmp_path / "out.xlsx"
    path.write_bytes(book("SUM(B1:B4)"))
    result = CliRunner().invoke(cli, ["convert", str(path), str(out), "--edition", "lambda"])
    assert (result.exit_code, result.output) == (0, f"{out}: nothing to convert: a copy\n")
    assert out.read_bytes() == path.read_bytes()


def test_a_let_of_too_many_steps_is_refused():
    plans = "+".join(f"INDEX(OPT_PLAN(A{i},B{i},C{i},D1:E8,F1:F5,G1,H1),2,1)" for i in range(1, 4))
    with pytest.raises(ArgumentError, match="more than the 126 steps of a LET"):
        to_cells(plans)


def test_a_formula_beyond_what_excel_holds_is_refused_with_its_cell():
    long = "+".join(["OPT_PARAMS(B1,B2)"] * 430)
    with pytest.raises(UnsupportedFile, match=r"S!A10: .* more than 8,192 characters"):
        converted(book(long), "lambda")


def test_a_bad_file_is_refused_and_nothing_is_written(tmp_path):
    path, out = tmp_path / "in.xlsx", tmp_path / "out.xlsx"
    path.write_bytes(book("OPT_PARAMS(B1,B2)")[:-40])
    with pytest.raises(BrokenFile, match=re.escape(str(path))):
        chinchilla_xl.convert(path, out, "lambda")
    with pytest.raises(ArgumentError, match="edition must be addin or lambda: 'cells'"):
        chinchilla_xl.convert(path, out, "cells")
    assert not out.exists()


def test_office_spellings_come_back_as_office_spellings():
    data = book(array=[("A10", "_xldudf_OPT_PARAMS(B1,B2)")])
    there, _ = converted(data, "lambda")
    assert formulas_of(there) == [("A10", "CX.OPT_PARAMS(B1,B2)")]
    assert formulas_of(converted(there, "addin", office=True)[0]) == formulas_of(data)
