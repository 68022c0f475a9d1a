"""Excel as the engine, by a stand-in for xlwings.

No Excel was at hand for these tests: the stand-in has the names and signatures of xlwings (which a
test compares with the package itself), and lets the embedded engine do Excel's part.
"""

from __future__ import annotations

import inspect
import os
import shutil
import signal
import subprocess
import sys
import time
import types
from pathlib import Path

import openpyxl
import pytest

import chinchilla_xl as cx
from chinchilla_xl.errors import ProgramMissing, ProgramTimeout
from chinchilla_xl.recalc import Failure, Report, excel, recompute_bytes
from chinchilla_xl.recalc.engines import Book, open_engine
from engine_books import OLD, posix, reasons, runs, values, workbook

pytestmark = pytest.mark.once


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
    with pytest.raises(cx.ChinchillaError, match=r'pip install "chinchilla-xl\[excel\]"'):
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
