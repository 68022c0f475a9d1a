"""The extension in the real LibreOffice Calc.

Other LibreOffices than the one on the path are tested too if CHINCHILLA_XL_SOFFICE names the folders
of their soffice, separated as in PATH.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import openpyxl
import pytest
from click.testing import CliRunner

import chinchilla_xl as cx
from calc_workbooks import alike, owed, shown, workbook
from chinchilla_xl import recompute, workbooks
from chinchilla_xl.addins.calc.extension import STORED, unpack
from chinchilla_xl.addins.calc.trial import Trial
from chinchilla_xl.cli import cli
from chinchilla_xl.functions import FUNCTIONS
from chinchilla_xl.recalc import recompute_bytes
from chinchilla_xl.recalc.calc_names import rename_file
from chinchilla_xl.soffice import Soffice, environment
from libreoffice import counted_starts, group_runs
from parity import KINDS
from support import cached, least, needed, saved

PROGRAMS = [
    os.pathsep.join([folder, os.environ["PATH"]]) if folder else os.environ["PATH"]
    for folder in ["", *filter(None, os.environ.get("CHINCHILLA_XL_SOFFICE", "").split(os.pathsep))]
]

pytestmark = pytest.mark.skipif(
    shutil.which("soffice") is None and shutil.which("libreoffice") is None,
    reason="LibreOffice is not installed",
)


@pytest.fixture(scope="module", params=PROGRAMS, ids=lambda path: path.partition(os.pathsep)[0])
def prepared(request, tmp_path_factory):
    """A LibreOffice with the extension in a fresh profile, ready to convert files."""
    with on_path(request.param):
        made = Converter(tmp_path_factory.mktemp("calc"), request.param)
        if not made.trial.works and "python3-uno" in made.trial.status:
            needed(False, made.trial.status)
    return made


@pytest.fixture
def calc(prepared):
    """That LibreOffice, as the one that is found on the path."""
    with on_path(prepared.path):
        yield prepared


@contextlib.contextmanager
def on_path(path: str):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", path)
        yield


class Converter:
    def __init__(self, folder: Path, path: str, installed: Path | None = None) -> None:
        self.folder, self.path = folder, path
        self.soffice = Soffice()
        self.trial = Trial(self.soffice, folder, installed)

    def saved(self, data: bytes) -> bytes:
        """The workbook as LibreOffice saves it after computing it."""
        (self.folder / "book.xlsx").write_bytes(data)
        failure = self.soffice.convert(
            ["book.xlsx"], "xlsx:Calc MS Excel 2007 XML", folder=self.folder,
            out=self.folder / "out", arguments=self.trial.arguments, timeout=120,
        )  # fmt: skip
        saved = self.folder / "out" / "book.xlsx"
        assert saved.exists(), failure
        return saved.read_bytes()


def test_calc_computes_and_says_with_what(calc):
    assert calc.trial.works, calc.trial.status
    assert "numpy" in calc.trial.status


@pytest.fixture(scope="module")
def typed(prepared):
    """The parity table as Calc computes formulas that were typed into it."""
    data, places = workbook(STORED)
    return cached(prepared.saved(data))["F"], places


@pytest.fixture(scope="module")
def recalculated(prepared):
    """The parity table as the libreoffice engine recalculates it."""
    data, places = workbook("")
    with on_path(prepared.path):
        computed, report = recompute_bytes(data, engine="libreoffice")
    kept = {k.cell.removeprefix("F!") for k in report.kept}
    assert all("counts TRUE in a range" in k.reason for k in report.kept)
    assert len(kept) < 5
    places = [(case, area) for case, area in places if area.partition(":")[0] not in kept]
    return cached(computed)["F"], places


@pytest.mark.parametrize("kind", KINDS)
def test_a_typed_call_gives_what_the_parity_table_says(typed, kind):
    assert differences(*typed, kind, typed=True) == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_recalculated_call_gives_what_the_parity_table_says(recalculated, kind):
    assert differences(*recalculated, kind, typed=False) == []


def differences(sheet, places, kind, *, typed):
    found = []
    of_kind = [(case, area) for case, area in places if case.kind == kind]
    assert of_kind
    for case, area in of_kind:
        got, wanted = shown(sheet, area), owed(case, typed=typed)
        fits = len(got) == len(wanted) and len(got[0]) == len(wanted[0])
        pairs = [
            (g, w)
            for gs, ws in zip(got, wanted, strict=False)
            for g, w in zip(gs, ws, strict=False)
        ]
        if not fits and len(wanted) == len(wanted[0]) == 1:  # one value fills the array
            pairs = [(g, wanted[0][0]) for gs in got for g in gs]
        if not all(alike(g, w) for g, w in pairs):
            found.append((str(case)[:200], got[:6], wanted[:6]))
    return found


@pytest.mark.once
@pytest.mark.parametrize("template", workbooks.TEMPLATES)
def test_calc_computes_every_template_as_the_default_engine_does(calc, template, tmp_path):
    path = tmp_path / f"{template}.xlsx"
    workbooks.new(template, path, {})
    inputs = CHANGED[template]
    ours, _ = recompute_bytes(path.read_bytes(), inputs)
    theirs, report = recompute_bytes(path.read_bytes(), inputs, engine="libreoffice")
    assert report.kept == []
    assert report.changed > least(
        template, 5
    )  # values that were there are no proof that anything was computed
    values = cached(theirs)
    compared = 0
    for sheet in cached(ours):
        for row in sheet.iter_rows():
            for cell in row:
                other = values[sheet.title][cell.coordinate].value
                wanted = float(cell.value) if type(cell.value) is int else cell.value
                noise = (
                    isinstance(wanted, float) and abs(wanted) < 1e-12
                )  # of equal figures' difference
                same = abs(other) < 1e-12 if noise else alike(other, wanted)
                assert same, f"{sheet.title}!{cell.coordinate}"
                compared += isinstance(wanted, float)
    assert compared > least(template, 50)


CHANGED = {
    "budget": {"target_params": 70e9, "months": 24.0},
    "compare": {"months": 24.0, "demand_growth": 0.05},
    "fit": {"months": 24.0, "target_loss": 2.05},
    "batch": {"months": 12.0},
    "paper": {"training_MFU": 0.4},
}


def test_nothing_is_left_behind(tmp_path, monkeypatch):
    path = tmp_path / "budget.xlsx"
    workbooks.new("budget", path, {})
    starts = counted_starts(monkeypatch)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    recompute(path, engine="libreoffice")
    assert starts
    assert not any(map(group_runs, tuple(starts)))
    assert [p.name for p in tmp_path.iterdir()] == ["budget.xlsx"]


def test_a_file_that_calc_saved_gets_the_plain_names_for_excel(calc, tmp_path):
    book = openpyxl.Workbook()
    book.active["A1"] = f'={STORED}OPT_PARAMS(2.13,2E11)&"{STORED}OPT_PARAMS("'
    path = tmp_path / "saved.xlsx"
    path.write_bytes(calc.saved(saved(book)))
    rename_file(path, for_calc=False)
    formula = openpyxl.load_workbook(path).active["A1"].value
    assert formula.startswith("=OPT_PARAMS(2.13,")
    assert formula.endswith(f'"{STORED}OPT_PARAMS("')
    number, stored, _ = cached(path.read_bytes()).active["A1"].value.partition(STORED)
    assert stored
    assert float(number) == pytest.approx(cx.opt_params(2.13, 2e11), rel=1e-12)


def test_a_file_with_plain_names_is_bound_after_renaming(calc, tmp_path):
    book = openpyxl.Workbook()
    book.active["A1"] = "=_xldudf_CHINCHILLA_LOSS(7E9,2E12)"
    book.active["A2"] = "=opt_params(A1,SUM(2E11,OPT_TOKENS(2.5,1E9)))"
    path = tmp_path / "book.xlsx"
    path.write_bytes(saved(book))
    assert rename_file(path, for_calc=True) == 2
    sheet = cached(calc.saved(path.read_bytes())).active
    assert sheet["A1"].value == pytest.approx(cx.chinchilla_loss(7e9, 2e12), rel=1e-12)
    demand = 2e11 + cx.opt_tokens(2.5, 1e9)
    assert sheet["A2"].value == pytest.approx(cx.opt_params(sheet["A1"].value, demand), rel=1e-9)


def test_plain_names_are_bound_as_they_are_since_24_8(calc):
    if not version(calc) >= (24, 8):
        pytest.skip("LibreOffice is older than 24.8")
    book = openpyxl.Workbook()
    book.active["A1"] = "=CHINCHILLA_LOSS(7E9,2E12)"
    computed = calc.saved(saved(book))
    assert cached(computed).active["A1"].value == pytest.approx(cx.chinchilla_loss(7e9, 2e12))
    formula = openpyxl.load_workbook(io.BytesIO(computed)).active["A1"].value
    assert formula == "=CHINCHILLA_LOSS(7000000000,2000000000000)"


def version(calc) -> tuple[int, ...]:
    said = subprocess.run(
        [calc.soffice.path, "--version"], capture_output=True, text=True, check=True
    )
    found = re.search(r"LibreOffice (\d+)\.(\d+)", said.stdout)
    assert found is not None
    return int(found[1]), int(found[2])


def test_another_python_is_told_what_to_run(calc, tmp_path):
    other = Converter(tmp_path / "trial", calc.path, recorded(tmp_path, python="3.99"))
    assert not other.trial.works
    assert "built by Python 3.99" in other.trial.status
    assert "run: pip install chinchilla-xl" in other.trial.status
    book = openpyxl.Workbook()
    book.active["A1"] = f"={STORED}CHINCHILLA_LOSS(7E9,2E12)"
    assert cached(other.saved(saved(book))).active["A1"].value == "#NAME?"


def test_missing_packages_are_named(calc, tmp_path):
    other = Converter(tmp_path / "trial", calc.path, recorded(tmp_path, folders=["/nowhere"]))
    assert not other.trial.works
    assert "No module named 'chinchilla_xl'" in other.trial.status


def recorded(folder: Path, **changes: object) -> Path:
    """The extension, unpacked, as built in another environment."""
    place = folder / "extension"
    unpack(place)
    environment = json.loads((place / "environment.json").read_text())
    (place / "environment.json").write_text(json.dumps(environment | changes))
    return place


def test_the_engine_keeps_our_functions_and_says_why_when_the_extension_does_not_work(
    calc, monkeypatch
):
    monkeypatch.setattr(Trial, "works", False)
    monkeypatch.setattr(Trial, "status", "no Python")
    book = openpyxl.Workbook()
    book.active["A1"] = "=IFERROR(CHINCHILLA_LOSS(7E9,2E12),0)"
    _, report = recompute_bytes(saved(book), engine="libreoffice")
    assert [k.reason for k in report.kept] == [
        "LibreOffice does not know CHINCHILLA_LOSS: no Python; --engine formualizer computes it"
    ]


def test_it_is_installed_tried_and_removed_by_the_command(calc, tmp_path):
    folder = ["--host", "calc", "--folder", str(tmp_path / "extensions")]
    installed = run("addin", "install", *folder)
    assert installed.exit_code == 0
    assert "start it with: soffice -env:BUNDLED_EXTENSIONS=file://" in installed.output
    status = run("addin", "status", *folder)
    assert status.exit_code == 0
    assert f"LibreOffice computes: chinchilla-xl {cx.__version__} from " in status.output
    assert run("addin", "uninstall", *folder).exit_code == 0
    assert not list((tmp_path / "extensions").iterdir())
    status = run("addin", "status", *folder)
    assert status.exit_code == 1
    assert "not installed" in status.output


def run(*arguments: str):
    return CliRunner().invoke(cli, list(arguments))


@pytest.fixture(scope="module")
def session(prepared):
    """What a person sees who types into Calc (calc_live.py)."""
    python = with_uno(prepared)
    if python is None or prepared.path != PROGRAMS[0]:
        pytest.skip("no Python with uno for this LibreOffice")
    pipe = f"chinchilla-xl-{os.getpid()}"
    listen = f"--accept=pipe,name={pipe};urp;"
    process = subprocess.Popen(
        [prepared.soffice.path, *prepared.trial.arguments, "--headless", "--norestore", listen],
        env=environment(), start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        script = Path(__file__).with_name("calc_live.py")
        done = subprocess.run(
            [python, str(script), pipe], capture_output=True, text=True, timeout=120, check=False
        )
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def with_uno(prepared) -> str | None:
    beside = Path(prepared.soffice.path).resolve().with_name("python")
    for python in (str(beside), "/usr/bin/python3"):
        if Path(python).exists():
            tried = subprocess.run([python, "-c", "import uno"], capture_output=True, check=False)
            if tried.returncode == 0:
                return python
    return None


def test_a_typed_formula_recalculates_when_an_input_changes(session):
    seen = session["editing"]
    losses = [cx.chinchilla_loss(n, 2e12) for n in (7e9, 13e9)]
    sizes = [cx.opt_params(loss, 5e12) for loss in losses]
    assert seen["before"] == pytest.approx([losses[0], sizes[0]], rel=1e-12)
    assert seen["after"] == pytest.approx([losses[1], sizes[1]], rel=1e-12)


def test_an_array_formula_fills_a_grid(session):
    column, row = [[13e9], [1e9]], [[1e12, 2e12]]
    expected = cx.chinchilla_loss(column, row)
    assert session["editing"]["grid"] == [pytest.approx(list(r), rel=1e-12) for r in expected]


def test_a_refused_argument_is_explained_by_the_status_function(session):
    assert session["editing"]["error"] == ["#NUM!", 503]
    assert "CHINCHILLA_LOSS: #NUM! params must be > 0: -1.3e+10" in session["editing"]["status"]


def test_the_function_wizard_shows_the_texts_of_the_catalogue(session):
    for function in FUNCTIONS:
        text, arguments = session["wizard"][function.name]
        assert text == f"{function.summary} Example: {function.example}"
        assert arguments == [[p.name, p.text] for p in function.parameters]


def test_a_call_costs_microseconds(session):
    seconds = session["timing"]
    assert seconds["value"] == pytest.approx(cx.chinchilla_loss(7e9 + 19_999e5, 2e12 + 19_999))
    beyond = min(seconds["ours"]) - min(seconds["native"])
    assert beyond / 20_000 < 100e-6  # about 10 on an idle machine


@pytest.mark.slow
def test_a_sheet_of_20000_calls_takes_at_most_thrice_a_native_one(calc):
    seconds = {}
    for formula in (
        "1.69+406.4/A{0}^0.336+410.7/B{0}^0.283",
        f"{STORED}CHINCHILLA_LOSS(A{{0}},B{{0}})",
    ):
        book = openpyxl.Workbook(write_only=True)
        sheet = book.create_sheet()
        for i in range(1, 20_001):
            sheet.append([7e9 + 1e5 * i, 2e12 + i, "=" + formula.format(i)])
        data = saved(book)
        times = []
        for _ in range(3):
            start = time.perf_counter()
            calc.saved(data)
            times.append(time.perf_counter() - start)
        seconds[formula] = min(times)
    native, ours = seconds.values()
    assert ours < 3 * native, f"{ours:.2f} s against {native:.2f} s"
