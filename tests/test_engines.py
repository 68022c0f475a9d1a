"""The engines behind one interface: LibreOffice as installed, and Excel by a stand-in for xlwings.

No Excel was at hand for these tests: the stand-in has the names and signatures of xlwings (which a
test compares with the package itself), and lets the embedded engine do Excel's part.
"""

from __future__ import annotations

import inspect
import io
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
import types
from pathlib import Path

import openpyxl
import pytest
import xlsxwriter

import chinchilla_xl as cx
from chinchilla_xl import soffice
from chinchilla_xl.addins.calc.trial import Trial
from chinchilla_xl.errors import ProgramFailed, ProgramMissing, ProgramTimeout
from chinchilla_xl.recalc import Failure, Report, excel, libreoffice, recompute_bytes
from chinchilla_xl.recalc.addresses import parse_area, parse_cell
from chinchilla_xl.recalc.engines import Book, open_engine
from chinchilla_xl.recalc.external import External
from chinchilla_xl.recalc.parts import DefinedName as Name
from chinchilla_xl.recalc.parts import Workbook
from chinchilla_xl.recalc.references import Dependents
from support import cached, members

OLD = 77.5
needs_libreoffice = pytest.mark.skipif(
    shutil.which("soffice") is None, reason="LibreOffice is not installed"
)
posix = pytest.mark.skipif(os.name != "posix", reason="processes as POSIX knows them")


def workbook(formulas: dict[str, str], arrays: dict[str, str] | None = None, **inputs) -> bytes:
    """Formulas on the sheet S, each with the value OLD, beside A1:A4 and what `inputs` adds."""
    target = io.BytesIO()
    book = xlsxwriter.Workbook(target)
    sheet = book.add_worksheet("S")
    cells = {"A1": 0.1, "A2": 3, "A3": True, "A4": "txt"} | inputs
    for address, value in cells.items():
        sheet.write(address, value)
    for address, formula in formulas.items():
        sheet.write_formula(address, formula, None, OLD)
    for area, formula in (arrays or {}).items():
        sheet.write_dynamic_array_formula(area, formula, None, OLD)
    book.define_name("the_loss", "=CHINCHILLA_LOSS(30E9,1.56E12)")
    book.define_name("side", "=S!$A$2")
    book.close()
    return target.getvalue()


def values(data: bytes) -> dict[str, object]:
    return {c.coordinate: c.value for row in cached(data)["S"] for c in row if c.value is not None}


def reasons(report: Report) -> dict[str, str]:
    return {kept.cell.removeprefix("S!"): kept.reason for kept in report.kept}


# --- LibreOffice ---

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


def counted_starts(monkeypatch) -> list[int]:
    starts: list[int] = []
    original = subprocess.Popen

    class Counted(original):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            starts.append(self.pid)

    monkeypatch.setattr(soffice.subprocess, "Popen", Counted)
    return starts


def group_runs(pid: int) -> bool:
    try:
        os.killpg(pid, 0)
    except ProcessLookupError:
        return False
    # What has ended but was not waited for by its adoptive parent still counts as a process.
    states = subprocess.run(
        ["ps", "-o", "stat=", "-g", str(pid)], capture_output=True, text=True, check=False
    )
    return any(not state.startswith("Z") for state in states.stdout.split())


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


@pytest.fixture
def fake_soffice(tmp_path, monkeypatch):
    """A stand-in for soffice that runs the given lines of shell."""

    def make(lines: str) -> Path:
        folder = tmp_path / "bin"
        folder.mkdir(exist_ok=True)
        script = folder / "soffice"
        script.write_text(f"#!/bin/sh\n{lines}\n")
        script.chmod(script.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
        return script

    return make


@posix
def test_a_program_that_hangs_is_stopped_with_all_that_it_started(
    fake_soffice, tmp_path, monkeypatch
):
    fake_soffice(f"sleep 600 & echo $! > {tmp_path}/child\nwait")
    monkeypatch.setattr(soffice, "STARTING", 0.5)
    (tmp_path / "temp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temp"))
    path = tmp_path / "b.xlsx"
    path.write_bytes(workbook({"B1": "=A2"}))
    before = path.read_bytes()
    [outcome] = cx.recompute_all([path], engine="libreoffice", timeout=0.5)
    assert outcome == Failure(str(path), "ProgramTimeout", "LibreOffice was stopped after 0.5 s")
    assert path.read_bytes() == before
    assert not runs(int((tmp_path / "child").read_text()))
    assert list((tmp_path / "temp").iterdir()) == []


@posix
@needs_libreoffice
def test_libreoffice_that_is_killed_leaves_no_socket(monkeypatch):
    seen = []
    kill = soffice._kill

    def spy(process):
        profile = process.args[1].partition("=")[2]
        seen.append((socket := soffice._socket_of(profile), socket.exists()))
        kill(process)

    monkeypatch.setattr(soffice, "_kill", spy)
    monkeypatch.setattr(soffice, "STARTING", 0.0)
    data = workbook({f"B{i}": f"=SUM(A$1:A{i})" for i in range(1, 4000)})
    for timeout in (0.3, 0.6, 1.2, 2.4, 4.8):  # somewhere between its start and its end
        program = libreoffice.LibreOffice(timeout)
        [result] = program.saved([data])
        program.close()
        if seen[-1][1]:
            break
    assert isinstance(result, ProgramTimeout)
    assert seen[-1][1]
    assert not any(socket.exists() for socket, _ in seen)


def runs(pid: int) -> bool:
    state = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return bool(state.stdout.strip()) and not state.stdout.startswith("Z")


@posix
def test_a_program_that_fails_says_why(fake_soffice):
    fake_soffice('echo "Error: source file could not be loaded" >&2; exit 0')
    with pytest.raises(ProgramFailed, match="Error: source file could not be loaded"):
        recompute_bytes(workbook({"B1": "=A2"}), engine="libreoffice")
    fake_soffice("exit 3")
    with pytest.raises(ProgramFailed, match="it ended with code 3"):
        recompute_bytes(workbook({"B1": "=A2"}), engine="libreoffice")


@posix
def test_what_a_program_saved_damaged_is_refused(fake_soffice, tmp_path):
    fake_soffice("mkdir saved; echo nothing > saved/0.xlsx")
    with pytest.raises(ProgramFailed, match=r"what LibreOffice saved cannot be read: not an .xlsx"):
        recompute_bytes(workbook({"B1": "=A2"}), engine="libreoffice")


@posix
@needs_libreoffice
@pytest.mark.skipif(shutil.which("unzip") is None, reason="unzip is not installed")
def test_a_workbook_that_takes_the_program_along_costs_only_itself(fake_soffice, tmp_path):
    real = shutil.which("soffice")
    # Crashes on any start that holds the workbook with the word POISON.
    fake_soffice(
        "for f in *.xlsx; do unzip -p $f xl/sharedStrings.xml | grep -q POISON && exit 9; done\n"
        f'exec {real} "$@"'
    )
    books = [workbook({"B1": f"=A2*{i}"}, Z9="POISON" if i == 1 else "fine") for i in range(3)]
    engine = open_engine("libreoffice")
    good, bad, also_good = engine.recompute([Book(b, {}) for b in books])
    engine.close()
    assert isinstance(bad, ProgramFailed)
    assert values(good[0])["B1"] == 0
    assert values(also_good[0])["B1"] == 6


def test_a_program_that_is_missing_is_named_with_the_way_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(soffice, "_PLACES", ())
    with pytest.raises(ProgramMissing, match=r"LibreOffice .soffice. is not installed: "):
        recompute_bytes(workbook({}), engine="libreoffice")
    with pytest.raises(cx.ArgumentError, match="engine must be one of formualizer, excel, libre"):
        recompute_bytes(workbook({}), engine="gnumeric")


@posix
def test_ctrl_c_stops_the_program(fake_soffice, tmp_path):
    fake_soffice(f"echo $$ >> {tmp_path}/pids\nsleep 600")
    for name in ("a.xlsx", "b.xlsx"):
        (tmp_path / name).write_bytes(workbook({"B1": "=A2"}))
    command = [sys.executable, "-m", "chinchilla_xl", "recompute", "a.xlsx", "b.xlsx"]
    process = subprocess.Popen(
        [*command, "--engine", "libreoffice"],
        cwd=tmp_path, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    deadline = time.monotonic() + 30
    while not (tmp_path / "pids").exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=30)
    assert process.returncode == 130, error
    assert "Traceback" not in error
    assert not any(runs(int(pid)) for pid in (tmp_path / "pids").read_text().split())


# --- which formulas rest on which cells ---

OUTLINE = Workbook(
    {"S": "s", "Other sheet": "o"},
    ("S", "Other sheet"),
    (
        Name("total", "S!$B$1:$B$9", None),
        Name("nested", "total*2", None),
        Name("moving", "OFFSET(S!$A$1,1,0)", None),
        Name("local", "S!$Z$1", "S"),
    ),
    date1904=False,
)


@pytest.mark.parametrize(
    ("formula", "rests"),
    [
        ("B2+1", True), ("$B$2", True), ("B3", False), ("SUM(A1:C3)", True), ("SUM(C1:D9)", False),
        ("SUM(B:B)", True), ("SUM(C:C)", False), ("SUM(2:2)", True), ("SUM(3:4)", False),
        ("'Other sheet'!B2", False), ("S!B2", True), ("total", True), ("nested+1", True),
        ("moving", True), ("local", True), ("INDIRECT(A9)", True), ("OFFSET(Q1,1,1)", True),
        ("A1:INDEX(Q1:Q9,2)", True), ("Table1[x]", True), ("nowhere!A1", True),
        ('"B2"', False), ("IF(TRUE,1,2)", False), ("_xlfn.LET(_xlpm.x,2,_xlpm.x*3)", False),
        ("unknown_name", True), ("A1#", True), ("SUM(S:T!B2)", True),
    ],
)  # fmt: skip
def test_what_a_formula_rests_on_is_told_from_its_text(formula, rests):
    place = ("S", parse_cell("Z1"))
    found = Dependents([(place, formula, None)], OUTLINE).new("S", parse_area("B2"))
    assert found == ([place] if rests else [])


def test_what_rests_on_a_cell_through_others_is_found_once():
    def at(address: str) -> tuple:
        return ("S", parse_cell(address))

    chain = [(at(f"A{i + 1}"), f"A{i}+1", None) for i in range(1, 2000)]
    graph = Dependents(
        [
            *chain,
            (at("C1"), "SUM(A1900:A1950)", None),
            (at("D1"), "C1*2", parse_area("D1:D3")),  # an array that fills D1:D3
            (at("E1"), "D3", None),
            (at("F1"), "F2", None),
        ],
        OUTLINE,
    )
    found = graph.new("S", parse_area("A1"))
    assert len(found) == 1999 + 3
    assert at("E1") in found
    assert at("F1") not in found
    assert graph.new("S", parse_area("A5")) == []


# --- Excel ---


class StandIn(types.ModuleType):
    """What this package uses of xlwings; `App.instances` are those that were started."""

    def __init__(self, binary: Path) -> None:
        super().__init__("xlwings")
        module = self
        self.apps: list[App] = []
        self.on_open = self.on_save = lambda path: None
        self.quits = True

        class Book:
            def __init__(self, path: str) -> None:
                self.path = Path(path)

            def save(self, path=None, password=None) -> None:
                assert module.calculated
                module.on_save(self.path)
                self.path.write_bytes(recompute_bytes(self.path.read_bytes())[0])

            def close(self) -> None:
                module.closed += 1

        class Books:
            def open(self, fullname=None, update_links=None, read_only=None) -> Book:
                assert update_links is False
                assert module.apps[-1].api.AutomationSecurity == 3
                module.on_open(Path(fullname))
                return Book(fullname)

        class App:
            def __init__(self, visible=None, spec=None, add_book=True, impl=None) -> None:
                assert (visible, add_book) == (False, False)
                self.process = subprocess.Popen([binary, "600"])
                self.pid = self.process.pid
                self.books = Books()
                self.api = types.SimpleNamespace(CalculateFullRebuild=self._rebuild)
                module.apps.append(self)

            def _rebuild(self) -> None:
                assert self.display_alerts is self.screen_updating is self.enable_events is False
                module.calculated = True

            def quit(self) -> None:
                if module.quits:
                    self.process.terminate()
                    self.process.wait()
                else:
                    raise OSError("Excel does not answer")

        self.App, self.Book, self.Books = App, Book, Books
        self.calculated, self.closed = False, 0


@pytest.fixture
def standin(tmp_path, monkeypatch):
    """xlwings on a Windows whose processes are those of this machine."""
    if shutil.which("sleep") is None or shutil.which("ps") is None:
        pytest.skip("stands in for Excel with the programs sleep and ps")
    binary = tmp_path / "Microsoft Excel"
    shutil.copy(shutil.which("sleep"), binary)
    module = StandIn(binary)
    monkeypatch.setitem(sys.modules, "xlwings", module)
    monkeypatch.setattr(excel.platform, "system", lambda: "Windows")
    monkeypatch.setattr(excel, "_QUITTING", 1.0)

    def output(*command: str) -> str:
        if command[0] == "tasklist":
            assert command[2:] == (
                "/FI",
                f"PID eq {command[3][7:]}",
                "/FI",
                "IMAGENAME eq EXCEL.EXE",
            )
            return command[3][7:] if runs(int(command[3][7:])) else "INFO: No tasks"
        assert command[:4] == ("taskkill", "/F", "/T", "/PID")
        os.kill(int(command[4]), signal.SIGKILL)
        return ""

    monkeypatch.setattr(excel, "_output", output)
    yield module
    for app in module.apps:
        app.process.kill()
        app.process.wait()


EXCELS = workbook(
    {"B1": "=A2*2", "B2": "=CHINCHILLA_LOSS(30E9,1.56E12)", "B3": "=IFERROR(B2,7)",
     "B4": "=_xlfn.XLOOKUP(3,A1:A3,A1:A3)", "B5": "=IFERROR([1]!OTHER(1),7)"},
    {"E1": "=_xlfn.SEQUENCE(A2)"},
)  # fmt: skip


@posix
def test_excel_recalculates_a_private_copy_and_is_gone(standin, tmp_path):
    opened = []
    standin.on_open = opened.append
    path = tmp_path / "b.xlsx"
    path.write_bytes(EXCELS)
    report = cx.recompute(path, engine="excel")
    found = values(path.read_bytes())
    assert found["B1"] == 6
    assert [found[f"E{i}"] for i in (1, 2, 3)] == [1, 2, 3]
    formulas = openpyxl.load_workbook(path)["S"]
    assert formulas["E1"].value.ref == "E1:E3"
    kept = reasons(report)
    assert kept["B2"] == (
        "Excel does not know CHINCHILLA_LOSS: add-ins are not loaded here; "
        "--engine formualizer computes it"
    )
    assert kept["B3"] == "it needs S!B2, which was kept"
    assert kept["B5"].startswith("Excel does not know OTHER")
    assert found["B2"] == found["B3"] == found["B5"] == OLD
    assert len(kept) == 3
    assert opened[0] != path
    assert not opened[0].exists()
    assert standin.closed == 1
    assert [app.process.poll() is not None for app in standin.apps] == [True]


@posix
def test_excel_stays_open_for_a_batch_and_goes_on_after_a_bad_file(standin, tmp_path):
    def refuse(path: Path) -> None:
        if len(standin.seen) == 1:
            standin.seen.append(path)
            raise OSError("Excel cannot open the file\nbecause")
        standin.seen.append(path)

    standin.seen = []
    standin.on_open = refuse
    paths = []
    for i in range(4):
        paths.append(tmp_path / f"b{i}.xlsx")
        paths[-1].write_bytes(workbook({"B1": f"=A2*{i}"}))
    outcomes = list(cx.recompute_all(paths, engine="excel", jobs=4))
    assert [type(o) for o in outcomes] == [Report, Failure, Report, Report]
    assert outcomes[1].error == ("Excel did not recalculate it: Excel cannot open the file because")
    assert [values(p.read_bytes())["B1"] for p in paths] == [0, OLD, 6, 9]
    assert len(standin.apps) == 2  # a new one after the failure
    assert all(app.process.poll() is not None for app in standin.apps)


@posix
def test_excel_that_hangs_is_ended(standin):
    def hang(path: Path) -> None:
        standin.apps[-1].process.wait(30)  # a call returns when the process is gone
        raise OSError("the remote procedure call failed")

    standin.on_save = hang
    engine = open_engine("excel", timeout=0.5)
    start = time.monotonic()
    [result] = engine.recompute([Book(workbook({"B1": "=A2"}), {})])
    engine.close()
    assert time.monotonic() - start < 10
    assert isinstance(result, ProgramTimeout)
    assert str(result) == "Excel was stopped after 0.5 s"
    assert all(app.process.poll() is not None for app in standin.apps)


@posix
def test_excel_that_does_not_quit_is_ended(standin):
    standin.quits = False
    new, report = recompute_bytes(workbook({"B1": "=A2*2"}), engine="excel")
    assert values(new)["B1"] == 6
    assert report.complete
    [app] = standin.apps
    assert app.process.wait(5) == -signal.SIGKILL


@posix
def test_on_macos_only_a_process_called_excel_is_ended(tmp_path, monkeypatch):
    monkeypatch.setattr(excel.platform, "system", lambda: "Darwin")
    binary = tmp_path / "Microsoft Excel"
    shutil.copy(shutil.which("sleep"), binary)
    for command, ended in (([binary, "60"], True), (["sleep", "60"], False)):
        process = subprocess.Popen(command)
        try:
            excel._end(process.pid, 0.2)
            time.sleep(0.2)
            assert (process.poll() is not None) is ended
        finally:
            process.kill()
            process.wait()


def test_excel_elsewhere_is_refused_in_one_line():
    if sys.platform in ("win32", "darwin"):
        pytest.skip("Excel may be here")
    with pytest.raises(ProgramMissing, match=r"^Excel is to be had on Windows and macOS only: use"):
        open_engine("excel")


def test_xlwings_missing_is_said_with_the_extra(monkeypatch):
    monkeypatch.setattr(excel.platform, "system", lambda: "Windows")
    monkeypatch.setitem(sys.modules, "xlwings", None)
    with pytest.raises(cx.ChinchillaError, match=r"pip install 'chinchilla-xl\[excel\]'"):
        open_engine("excel")


def test_the_stand_in_has_the_names_of_xlwings(tmp_path):
    xlwings = pytest.importorskip("xlwings", reason="the extra [excel] is not installed")
    module = StandIn(tmp_path)
    for ours, theirs in (
        (module.App.__init__, xlwings.App.__init__),
        (module.App.quit, xlwings.App.quit),
        (module.Books.open, xlwings.main.Books.open),
        (module.Book.save, xlwings.Book.save),
        (module.Book.close, xlwings.Book.close),
    ):
        used = list(inspect.signature(ours).parameters)
        assert used == list(inspect.signature(theirs).parameters)[: len(used)]
    for name in ("pid", "display_alerts", "screen_updating", "enable_events", "api", "books"):
        assert isinstance(inspect.getattr_static(xlwings.App, name), property)
