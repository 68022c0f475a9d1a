"""LibreOffice as the engine, as it is installed: what it computes, and what is kept."""

from __future__ import annotations

import io
import shutil
import tempfile

import openpyxl
import pytest
import xlsxwriter

import chinchilla_xl as cx
from chinchilla_xl.addins.calc.trial import Trial
from chinchilla_xl.recalc import Failure, Report, libreoffice, recompute_bytes
from chinchilla_xl.recalc.external import External
from engine_books import OLD, needs_libreoffice, reasons, values, workbook
from libreoffice import counted_starts, group_runs
from support import cached, members

pytestmark = pytest.mark.once

COMPUTED = {
    "B1": ("=A1*3", 0.1 * 3),
    "B2": ("=side^2", 9),
    "B3": ("=SUM(B1:B2)", 9.3),
    "B4": ('=A4&" "&TEXT(A1,"0.00")', "txt 0.10"),
    "B5": ("=A1>0", True),
    "B6": ("=1/0", "#DIV/0!"),
    "B7": ('=MATCH("zz",A1:A2,0)', "#N/A"),
    "B8": ("=B7+1", "#N/A"),
    "B9": ("=IFERROR(B6,5)", 5),
    "B10": ('=FIND("q",A4)', "#VALUE!"),
    "B11": ('=""', ""),
    "B12": ("=B10&B4", "#VALUE!"),
    "B13": ("=IF(AND(A3:A3,B5),ROWS(A1:A4),0)", 4),
    "B14": ("=A3+1", 2),
}
KEPT = {
    "C1": ("=CHINCHILLA_LOSS(30E9,1.56E12)", "LibreOffice does not know CHINCHILLA_LOSS: it needs"),
    "C2": ("=IFERROR(_xldudf_OPT_PARAMS(2,1E12),7)", "LibreOffice does not know OPT_PARAMS"),
    "C3": ("=IFERROR(the_loss,7)", "LibreOffice does not know CHINCHILLA_LOSS"),
    "C4": ("=IFERROR(C1,7)", "it needs S!C1, which was kept"),
    "C5": ("=SUM(C4:C4)*2", "it needs S!C1, which was kept"),
    "C6": ("=SUM(C:C)", "it needs S!C1, which was kept"),
    "C7": ("=NOSUCHFUNCTION(1)", "LibreOffice does not know NOSUCHFUNCTION: a newer version may"),
    "C8": ("=NOSUCHNAME+1", "LibreOffice gives #NAME?, where Excel may not"),
    "C9": ("=1+", "LibreOffice gives #N/A, where Excel may not"),
    "C11": ("=SUM(A1:A4)", "LibreOffice counts TRUE in a range as a number, which Excel"),
    "C10": ('=INDIRECT("A2")', "it needs S!"),
}


@pytest.fixture(scope="module")
def by_libreoffice():
    if shutil.which("soffice") is None:
        pytest.skip("LibreOffice is not installed")
    formulas = {a: f for a, (f, _) in (COMPUTED | KEPT).items()}
    arrays = {"E1:E2": "=A1:A2*2", "F1": "=A1:A2*2", "G1:G3": "=A1:A2*2", "H1": "=SUM(A1:A2*2)"}
    data = workbook(formulas, arrays)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Trial, "works", False)
        patch.setattr(Trial, "status", "it needs a Python")
        new, report = recompute_bytes(data, engine="libreoffice")
        yield data, new, report


@pytest.mark.parametrize("address", COMPUTED)
def test_libreoffice_computes(by_libreoffice, address):
    _, new, report = by_libreoffice
    expected = COMPUTED[address][1]
    value = cached(new)["S"][address].value
    assert address not in reasons(report)
    if type(expected) in (int, float):
        assert value == pytest.approx(expected, rel=1e-14)
    else:
        assert (value or "") == expected


@pytest.mark.parametrize("address", KEPT)
def test_what_libreoffice_cannot_compute_is_kept_with_what_rests_on_it(by_libreoffice, address):
    _, new, report = by_libreoffice
    assert cached(new)["S"][address].value == OLD
    assert reasons(report)[address].startswith(KEPT[address][1])


def test_dynamic_arrays_are_computed_if_their_size_is_that_of_the_file(by_libreoffice):
    _, new, report = by_libreoffice
    sheet = cached(new)["S"]
    assert [sheet["E1"].value, sheet["E2"].value, sheet["H1"].value] == pytest.approx([0.2, 6, 6.2])
    assert "a dynamic array that now fills 2 x 1 cells instead of 1 x 1" in reasons(report)["F1"]
    assert "a dynamic array that now fills 2 x 1 cells instead of 3 x 1" in reasons(report)["G1"]
    assert sheet["F1"].value == sheet["G1"].value == OLD
    assert sheet["F2"].value is None


def test_libreoffice_changes_nothing_but_values(by_libreoffice):
    data, new, report = by_libreoffice
    old, after = members(data), members(new)
    part = "xl/worksheets/sheet1.xml"
    assert {n: d for n, d in old.items() if n != part} == {
        n: d for n, d in after.items() if n != part
    }
    before = openpyxl.load_workbook(io.BytesIO(data))["S"]
    for row in openpyxl.load_workbook(io.BytesIO(new))["S"]:
        for cell in row:
            formula = before[cell.coordinate].value
            if isinstance(formula, str):
                assert cell.value == formula
    again, second = recompute_bytes(new, engine="libreoffice")
    assert again == new
    assert (second.changed, second.stale) == (0, 0)
    assert reasons(second) == reasons(report)


def test_dependents_are_counted_at_the_formula_that_they_rest_on(by_libreoffice):
    _, _, report = by_libreoffice
    count = {kept.cell: kept.dependents for kept in report.kept}
    assert sum(count.values()) == sum(
        "it needs S!" in reason for reason in reasons(report).values()
    )
    assert count["S!C4"] == 0


@needs_libreoffice
def test_libreoffice_and_the_embedded_engine_agree_on_numbers_that_are_not_cached():
    data = workbook({f"B{i}": f"=A2^{i}/7+SQRT({i})" for i in range(1, 60)})
    theirs, ours = (
        values(recompute_bytes(data, {"side": 1.7}, engine=engine)[0])
        for engine in ("libreoffice", "formualizer")
    )
    assert theirs.pop("A4") == ours.pop("A4")
    assert len(theirs) == 62
    assert theirs == pytest.approx(ours, rel=1e-13)
    assert theirs["A2"] == 1.7


@needs_libreoffice
def test_libreoffice_takes_many_files_a_start_and_leaves_nothing_behind(tmp_path, monkeypatch):
    starts = counted_starts(monkeypatch)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temp"))
    (tmp_path / "temp").mkdir()
    paths = []
    for i in range(6):
        paths.append(tmp_path / f"b{i}.xlsx")
        paths[-1].write_bytes(workbook({"B1": f"=A2*{i}"}))
    (tmp_path / "b6.xlsx").write_bytes(b"nothing")
    outcomes = list(cx.recompute_all([*paths, tmp_path / "b6.xlsx"], engine="libreoffice"))
    assert [type(o) for o in outcomes] == [Report] * 6 + [Failure]
    assert [cached(p.read_bytes())["S"]["B1"].value for p in paths] == [0, 3, 6, 9, 12, 15]
    assert len(starts) == 1
    assert list((tmp_path / "temp").iterdir()) == []
    assert all(not group_runs(pid) for pid in starts)


@needs_libreoffice
def test_several_libreoffices_work_side_by_side(tmp_path, monkeypatch):
    starts = counted_starts(monkeypatch)
    monkeypatch.setattr(libreoffice.LibreOffice, "batch", 2)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temp"))
    (tmp_path / "temp").mkdir()
    paths = [tmp_path / f"b{i}.xlsx" for i in range(5)]
    for i, path in enumerate(paths):
        path.write_bytes(workbook({"B1": f"=A2*{i}"}))
    outcomes = list(cx.recompute_all(paths, engine="libreoffice", jobs=2))
    assert {o.path for o in outcomes} == {str(path) for path in paths}
    assert all(isinstance(o, Report) for o in outcomes)
    assert [values(p.read_bytes())["B1"] for p in paths] == [0, 3, 6, 9, 12]
    assert len(starts) == 3
    assert list((tmp_path / "temp").iterdir()) == []


@needs_libreoffice
def test_a_file_that_nobody_foresaw_costs_only_itself(tmp_path, monkeypatch):
    original = External._result

    def fail(self, item, saved):
        if item._texts and "B9" in str(item._texts):
            raise KeyError("a mistake of ours")
        return original(self, item, saved)

    monkeypatch.setattr(External, "_result", fail)
    paths = [tmp_path / f"b{i}.xlsx" for i in range(3)]
    for i, path in enumerate(paths):
        path.write_bytes(workbook({"B1": "=B9+1" if i == 1 else "=A2*2"}))
    outcomes = list(cx.recompute_all(paths, engine="libreoffice"))
    assert [type(o) for o in outcomes] == [Report, Failure, Report]
    assert outcomes[1].error == "an unforeseen error: 'a mistake of ours'"


@needs_libreoffice
def test_libreoffice_reads_and_writes_numbers_alike_in_every_language(monkeypatch):
    for name in ("LC_ALL", "LANG"):
        monkeypatch.setenv(name, "de_DE.UTF-8")
    formulas = {"B1": '=TEXT(1234.5,"#,##0.0")', "B2": '=VALUE("1.5")', "B3": '=A1&""'}
    data = workbook(formulas)
    theirs, ours = (
        values(recompute_bytes(data, engine=engine)[0]) for engine in ("libreoffice", "formualizer")
    )
    assert theirs == ours
    assert [theirs[cell] for cell in formulas] == ["1,234.5", 1.5, "0.1"]


def test_xlsm_files_keep_their_macros(tmp_path):
    if shutil.which("soffice") is None:
        pytest.skip("LibreOffice is not installed")
    target = io.BytesIO()
    book = xlsxwriter.Workbook(target)
    book.add_vba_project(io.BytesIO(b"not a real one"), is_stream=True)
    sheet = book.add_worksheet("S")
    sheet.write_formula("A1", "=1+1", None, OLD)
    book.close()
    path = tmp_path / "book.xlsm"
    path.write_bytes(target.getvalue())
    report = cx.recompute(path, engine="libreoffice")
    assert report.changed == 1
    assert members(path.read_bytes())["xl/vbaProject.bin"] == b"not a real one"
    assert cached(path.read_bytes())["S"]["A1"].value == 2
