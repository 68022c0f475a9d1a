"""Recomputation: what is computed, what is kept, what is written."""

from __future__ import annotations

import io
import zipfile

import openpyxl
import pytest
import xlsxwriter
from openpyxl.chart import BarChart, Reference
from openpyxl.comments import Comment
from openpyxl.formatting.rule import ColorScaleRule
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.formula import ArrayFormula

import chinchilla_xl as cx
from chinchilla_xl.recalc import recompute_bytes
from support import cached, computed_cells, members, saved

FORMULAS = {
    "A1": 7e9, "A2": 2e12, "A3": None, "A4": "text", "A5": True, "A6": 0.5,
    "B1": "=CHINCHILLA_LOSS(A1,A2)", "B2": "=B1*2+SUM(A1:A2)", "B3": '="a<b & ""c"" "&A4',
    "B4": "=A1>A2", "B5": "=1/0", "B6": "=A3", "B7": "=sum(a1, a2)", "B8": "=A6%",
}  # fmt: skip


def test_every_kind_of_value_is_computed_and_written():
    values, report = computed_cells(FORMULAS)
    assert report.complete
    assert report.formulas == report.changed == 8
    loss = cx.chinchilla_loss(7e9, 2e12)
    assert values["B1"] == loss
    assert values["B2"] == loss * 2 + 7e9 + 2e12
    assert values["B3"] == 'a<b & "c" text'
    assert values["B4"] is False
    assert values["B5"] == "#DIV/0!"
    assert values["B6"] == 0
    assert values["B7"] == 7e9 + 2e12
    assert values["B8"] == 0.005


def test_our_functions_reach_the_sheet_with_their_errors_and_messages():
    values, report = computed_cells(
        {
            "A1": "=OPT_PARAMS(1.5,1E12)",
            "A2": "=OPT_PARAMS(2,Z9)",
            "A3": '=OPT_PARAMS("2",1E12)',
            "A4": "=OPT_PARAMS(1/0,1E12)",
            "A5": '=OPT_COST(2,1E12,1E12,,"besiroglu")',
            "A6": '=OPT_COST(2,1E12,1E12, ,"besiroglu")',
            "A7": "=IFERROR(OPT_PARAMS(1.5,1E12),-1)",
            "A8": "=SUM(OPT_PARAMS(B1:B2,1E12))",
            "B1": 2.0,
            "B2": 2.1,
            "A9": "=COEFFS()",
            "A10": '=INDEX(COEFFS("besiroglu"),1,2)',
        }
    )
    assert report.complete, report.kept
    assert values["A1"] == "#NUM!"
    assert values["A2"] == "#N/A"
    assert values["A3"] == "#VALUE!"
    assert values["A4"] == "#DIV/0!"
    assert values["A5"] == values["A6"] == cx.opt_cost(2.0, 1e12, 1e12, coeffs="besiroglu")
    assert values["A7"] == -1
    assert values["A8"] == cx.opt_params([2.0, 2.1], 1e12).sum()
    assert values["A9"] == "set"
    assert values["A10"] == 2085.43
    assert "OPT_PARAMS gave #NUM!: loss must be above the law's E = 1.69: 1.5" in report.messages


@pytest.mark.parametrize(
    "spelled",
    [
        "OPT_PARAMS",
        "opt_params",
        "_xldudf_OPT_PARAMS",
        "_xldudf_CX_OPT_PARAMS",
        "_xll.OPT_PARAMS",
        "_xlfn.OPT_PARAMS",
        "_xludf.OPT_PARAMS",
        "_xll.opt_params",
        "[1]!OPT_PARAMS",
    ],
)
def test_every_spelling_of_our_functions_is_understood(spelled):
    values, report = computed_cells({"A1": f"={spelled}(2,1E12)"})
    assert report.complete, report.kept
    assert values["A1"] == cx.opt_params(2.0, 1e12)


@pytest.mark.parametrize(
    ("formula", "reason"),
    [
        ("=A1:A3*2", "A1:A3 is a range where the cell holds a single value"),
        ("=SUM(A1:A3*2)", "A1:A3 is a range where SUM takes a single value"),
        ("=SQRT(A1:A3)", "A1:A3 is a range where SQRT takes a single value"),
        ("=SUM(SQRT(A1:A3))", "A1:A3 is a range where SQRT takes a single value"),
        ("=SUMIF(A1:A3,A1:A3)", "A1:A3 is a range where SUMIF takes a single value"),
        ("=Sizes+1", "Sizes is a range where the cell holds a single value"),
        ("=OPT_PARAMS(A1:A3*1,1)", "A1:A3 is a range where OPT_PARAMS takes a single value"),
        ("=OPT_PARAMS(A1:A3,1)+1", "OPT_PARAMS is a range where the cell holds a single value"),
        ("=MDETERM(A1:B2)", "MDETERM: not among the functions that are computed"),
        ("=RAND()", "RAND: a random number"),
        ("=CEILING(A1,)", "CEILING: with an omitted argument"),
        ("=XMATCH(2,A1:A3,1)", "XMATCH: an approximate lookup"),
        ("=VLOOKUP(2,A:B,2,TRUE)", "VLOOKUP: an approximate lookup of this form"),
        ('=TEXT(A1,"0.0E+00")', "TEXT: in this format"),
        ("=A1:A2 A2:A3", "an intersection of ranges"),
        ("=SUM((A1,A2))", "a union of ranges"),
        ("=Table1[x]", "there is no table Table1"),
        ("=[1]Sheet1!A1", "a link to another workbook"),
        ("=SUM(Sheet:Sheet2!A1)", "a reference across sheets"),
        ("=Computed", "PERCENTRANK: not among the functions that are computed"),
        ("=A1+", "it cannot be parsed"),
        ("=C1", "it is part of a circular reference"),
        ("=SOMEONE.ELSES(A1)", "SOMEONE.ELSES: not among the functions that are computed"),
    ],
)
def test_what_cannot_be_computed_faithfully_keeps_its_value_and_is_reported(formula, reason):
    book = openpyxl.Workbook()
    sheet = book.active
    for row in range(1, 4):
        sheet.cell(row, 1, row)
    sheet["C1"], sheet["D1"] = formula, "=A1+1"
    book.defined_names["Sizes"] = DefinedName("Sizes", attr_text="Sheet!$A$1:$A$3")
    book.defined_names["Computed"] = DefinedName(
        "Computed", attr_text="PERCENTRANK(Sheet!$A$1:$A$3,2)"
    )
    before = with_cached(saved(book), "C1", b"41")
    after, report = recompute_bytes(before)
    assert [(k.cell, k.formula, k.reason) for k in report.kept] == [("Sheet!C1", formula, reason)]
    assert cached(after).active["C1"].value == 41
    assert cached(after).active["D1"].value == 2


def with_cached(data: bytes, address: str, value: bytes) -> bytes:
    """The workbook with a cached value put into a formula cell that has none."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(target, "w") as new:
        for info in old.infolist():
            content = old.read(info)
            if info.filename == "xl/worksheets/sheet1.xml":
                start = content.index(b'<c r="%s"' % address.encode())
                at = content.index(b"<v", start)
                end = content.index(b"</c>", start)
                content = content[:at] + b"<v>%s</v>" % value + content[end:]
            new.writestr(info, content)
    return target.getvalue()


def test_what_rests_on_a_value_that_does_not_exist_is_kept_too():
    values, report = computed_cells(
        {"A1": "=RAND()", "A2": "=A1+1", "A3": "=IFERROR(A2,0)", "A4": "=SUM(A1:A3)", "A5": "=1+1"}
    )
    assert {k.cell for k in report.kept} == {"Sheet!A1", "Sheet!A2", "Sheet!A3", "Sheet!A4"}
    assert [values[f"A{r}"] for r in range(1, 6)] == [None, None, None, None, 2]


def test_array_formulas_over_a_fixed_area_repeat_cut_and_pad():
    values, report = computed_cells(
        {
            "A1": 1.0, "A2": 2.0, "A3": 3.0,
            "B1": ArrayFormula("B1:B4", "=A1:A3*2"),
            "B2": None, "B3": None, "B4": None,
            "C1": ArrayFormula("C1:D2", "=A1:A3+10"),
            "C2": None, "D1": None, "D2": None,
            "E1": ArrayFormula("E1", "=SUM(A1:A3*A1:A3)"),
            "F1": ArrayFormula("F1:F2", "=CHINCHILLA_LOSS(A1:A2*1E9,1E12)"),
            "F2": None,
        }
    )  # fmt: skip
    assert report.complete, report.kept
    assert [values[f"B{r}"] for r in range(1, 5)] == [2, 4, 6, "#N/A"]
    assert [values[a] for a in ("C1", "C2", "D1", "D2")] == [11, 12, 11, 12]
    assert values["E1"] == 14
    assert values["F2"] == cx.chinchilla_loss(2e9, 1e12)


def dynamic_workbook(count: int) -> bytes:
    target = io.BytesIO()
    book = xlsxwriter.Workbook(target)
    sheet = book.add_worksheet("S")
    sheet.write(0, 0, count)
    sheet.write_dynamic_array_formula("C2:C4", "=SEQUENCE(A1)*10", None, 7)
    sheet.write(9, 4, "below")
    sheet.write_formula("E1", "=SUM(C2:C9)")
    book.close()
    return target.getvalue()


@pytest.mark.parametrize("count", [1, 2, 3, 6])
def test_a_dynamic_array_grows_and_shrinks(count):
    data, report = recompute_bytes(dynamic_workbook(3), {"S!A1": float(count)})
    assert report.complete
    sheet = cached(data)["S"]
    column = [sheet.cell(row, 3).value for row in range(2, 9)]
    assert column == [10.0 * i for i in range(1, count + 1)] + [None] * (7 - count)
    assert sheet["E1"].value == sum(column[:count])
    assert sheet["E10"].value == "below"
    part = members(data)["xl/worksheets/sheet1.xml"]
    area = b"C2" if count == 1 else b"C2:C%d" % (count + 1)
    assert b'ref="%s"' % area in part
    assert recompute_bytes(data)[0] == data


def rich_workbook() -> bytes:
    """Charts, comments, conditional formats, validations, an image and a VBA part."""
    book = openpyxl.Workbook()
    sheet = book.active
    for row in range(1, 6):
        sheet.append([row, f"=A{row}*2", "=OPT_PARAMS(2,1E12)"])
    chart = BarChart()
    chart.add_data(Reference(sheet, min_col=2, min_row=1, max_row=5))
    sheet.add_chart(chart, "E2")
    sheet["A1"].comment = Comment("a comment", "somebody")
    sheet.conditional_formatting.add(
        "A1:A5",
        ColorScaleRule(start_type="min", start_color="AA0000", end_type="max", end_color="00AA00"),
    )
    validation = DataValidation(type="whole", operator="between", formula1="1", formula2="9")
    sheet.add_data_validation(validation)
    validation.add("A1:A5")
    sheet.merge_cells("G1:H2")
    book.create_sheet("Hidden").sheet_state = "hidden"
    target = io.BytesIO(saved(book))
    with zipfile.ZipFile(target, "a") as archive:
        archive.writestr("xl/vbaProject.bin", b"\xd0\xcf\x11\xe0 some macros")
        archive.writestr("xl/media/image1.png", bytes(range(256)) * 20)
        archive.comment = b"an archive comment"
    return target.getvalue()


def test_every_other_member_comes_back_identical_and_a_second_run_changes_nothing():
    before = rich_workbook()
    after, report = recompute_bytes(before)
    assert report.complete
    assert report.changed == 10
    old, new = members(before), members(after)
    assert list(old) == list(new)
    differing = [name for name in old if old[name] != new[name]]
    assert differing == ["xl/worksheets/sheet1.xml"]
    again, second = recompute_bytes(after)
    assert again == after
    assert second.changed == 0
    with zipfile.ZipFile(io.BytesIO(after)) as archive:
        assert archive.testzip() is None
        assert archive.comment == b"an archive comment"


def test_untouched_members_are_the_same_bytes_still_compressed():
    before = rich_workbook()
    after, _ = recompute_bytes(before)
    with zipfile.ZipFile(io.BytesIO(before)) as a, zipfile.ZipFile(io.BytesIO(after)) as b:
        for name in ("xl/media/image1.png", "xl/charts/chart1.xml", "xl/styles.xml"):
            one, two = a.getinfo(name), b.getinfo(name)
            size = 30 + len(name) + one.compress_size
            old = before[one.header_offset : one.header_offset + size]
            assert after[two.header_offset : two.header_offset + size] == old


def test_only_values_change_in_a_sheet():
    import re

    before = rich_workbook()
    after, _ = recompute_bytes(before)

    def without_values(data: bytes) -> bytes:
        part = members(data)["xl/worksheets/sheet1.xml"]
        return re.sub(rb"<v>[^<]*</v>|<v ?/>", b"", part)

    assert without_values(before) == without_values(after)


def test_inputs_are_written_by_name_and_by_address():
    book = openpyxl.Workbook()
    book.active.title = "My Sheet"
    book.active["A1"], book.active["B1"] = 1.0, "=A1*2"
    book.active["A2"], book.active["B2"] = "old", '=A2&"!"'
    book.active["B3"] = "=D9+1"
    book.defined_names["size"] = DefinedName("size", attr_text="'My Sheet'!$A$1")
    data, _ = recompute_bytes(
        saved(book), {"SIZE": 21.0, "'My Sheet'!A2": "n<e>w", "My Sheet!D9": 4.0}
    )
    sheet = cached(data).active
    assert [sheet[a].value for a in ("A1", "B1", "A2", "B2", "D9", "B3")] == [
        21, 42, "n<e>w", "n<e>w!", 4, 5,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("sise", "no name 'sise' .did you mean size"),
        ("both", "'both' must be a single cell"),
        ("Nowhere!A1", "no sheet 'Nowhere'"),
        ("Sheet!B1", "Sheet!B1 holds a formula"),
        ("Sheet!A1:A2", "must be a single cell"),
        ("Sheet!A0", "must be a name or a cell such as Inputs!B7"),
        ("Sheet!D99999999", "must be a name or a cell such as Inputs!B7"),
    ],
)
def test_inputs_that_fit_nothing_are_refused(name, message):
    book = openpyxl.Workbook()
    book.active["B1"] = "=A1"
    book.defined_names["size"] = DefinedName("size", attr_text="Sheet!$A$1")
    book.defined_names["both"] = DefinedName("both", attr_text="Sheet!$A$1:$A$2")
    with pytest.raises(cx.ArgumentError, match=message):
        recompute_bytes(saved(book), {name: 1.0})


PREFIXED = b"""<?xml version="1.0"?>
<x:worksheet xmlns:x="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><x:sheetData>
<x:row r='1'><x:c r='A1'><x:v>4</x:v></x:c><x:c t="n" r="B1" s="0"><x:f>A1*2</x:f><x:v>1</x:v></x:c></x:row>
<x:row><x:c><x:v>5</x:v></x:c><x:c><x:f>A2*2</x:f></x:c></x:row>
</x:sheetData></x:worksheet>"""


def test_prefixes_single_quotes_and_cells_without_addresses_are_read():
    target = io.BytesIO()
    plain = saved(openpyxl.Workbook())
    with zipfile.ZipFile(target, "w") as new:
        for name, content in members(plain).items():
            new.writestr(name, PREFIXED if name == "xl/worksheets/sheet1.xml" else content)
    after, report = recompute_bytes(target.getvalue())
    part = members(after)["xl/worksheets/sheet1.xml"]
    assert report.changed == 2
    assert b'<x:c r="B1" s="0"><x:f>A1*2</x:f><x:v>8</x:v></x:c>' in part
    assert b"<x:c><x:f>A2*2</x:f><x:v>10</x:v></x:c>" in part
    assert part.replace(b' t="n"', b"").startswith(PREFIXED[:60])


def test_a_workbook_with_macros_is_recomputed_and_keeps_them():
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as new:
        for name, content in members(rich_workbook()).items():
            kind = b"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"
            macros = b"application/vnd.ms-excel.sheet.macroEnabled.main+xml"
            new.writestr(name, content.replace(kind, macros))
    data, report = recompute_bytes(target.getvalue())
    assert report.complete
    assert [cached(data).active[f"B{row}"].value for row in range(1, 6)] == [2, 4, 6, 8, 10]
    assert members(data)["xl/vbaProject.bin"] == members(target.getvalue())["xl/vbaProject.bin"]


def test_shared_formulas_are_computed_for_every_follower():
    sheet_xml = (
        b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
        b'<row r="1"><c r="A1"><v>1</v></c><c r="B1"><f t="shared" ref="B1:B3" si="0">A1+1</f></c>'
        b'</row><row r="2"><c r="A2"><v>2</v></c><c r="B2"><f t="shared" si="0"/></c></row>'
        b'<row r="3"><c r="A3"><v>3</v></c><c r="B3"><f t="shared" si="0"/></c></row>'
        b"</sheetData></worksheet>"
    )
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as new:
        for name, content in members(saved(openpyxl.Workbook())).items():
            new.writestr(name, sheet_xml if name == "xl/worksheets/sheet1.xml" else content)
    after, report = recompute_bytes(target.getvalue())
    assert report.complete
    assert [cached(after).active[f"B{r}"].value for r in (1, 2, 3)] == [2, 3, 4]
