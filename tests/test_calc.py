"""The extension in the real LibreOffice Calc.

Other LibreOffices than the one on the path are tested too if CHINCHILLA_XL_SOFFICE names the folders
of their soffice, separated as in PATH.
"""

from __future__ import annotations

import io
import os
import shutil
from pathlib import Path

import openpyxl
import pytest

from calc_workbooks import alike, owed, shown, workbook
from chinchilla_xl import recompute, workbooks
from chinchilla_xl.addins.calc.extension import STORED
from chinchilla_xl.addins.calc.trial import Trial
from chinchilla_xl.recalc import recompute_bytes
from chinchilla_xl.soffice import Soffice
from parity import KINDS
from support import cached

PROGRAMS = [
    os.pathsep.join([folder, os.environ["PATH"]]) if folder else os.environ["PATH"]
    for folder in ["", *filter(None, os.environ.get("CHINCHILLA_XL_SOFFICE", "").split(os.pathsep))]
]

pytestmark = pytest.mark.skipif(
    shutil.which("soffice") is None and shutil.which("libreoffice") is None,
    reason="LibreOffice is not installed",
)


@pytest.fixture(scope="module", params=PROGRAMS, ids=lambda path: path.partition(os.pathsep)[0])
def calc(request):
    """A LibreOffice with the extension in a fresh profile, ready to convert files."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", request.param)
        folder = Path(request.getfixturevalue("tmp_path_factory").mktemp("calc"))
        trial = Trial(Soffice(), folder)
        if not trial.works and "python3-uno" in trial.status:
            pytest.skip(trial.status)
        yield Converter(trial, folder)


class Converter:
    def __init__(self, trial: Trial, folder: Path) -> None:
        self.trial, self.folder = trial, folder

    def saved(self, data: bytes) -> bytes:
        """The workbook as LibreOffice saves it after computing it."""
        (self.folder / "book.xlsx").write_bytes(data)
        failure = Soffice().convert(
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
def typed(calc):
    """The parity table as Calc computes formulas that were typed into it."""
    data, places = workbook(STORED)
    return cached(calc.saved(data))["F"], places


@pytest.fixture(scope="module")
def recalculated(calc):
    """The parity table as the libreoffice engine recalculates it."""
    data, places = workbook("")
    computed, report = recompute_bytes(data, engine="libreoffice")
    assert report.kept == []
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
        pairs = [(g, w) for gs, ws in zip(got, wanted, strict=False) for g, w in zip(gs, ws, strict=False)]
        if not fits and len(wanted) == len(wanted[0]) == 1:  # one value fills the array
            pairs = [(g, wanted[0][0]) for gs in got for g in gs]
        if not all(alike(g, w) for g, w in pairs):
            found.append((str(case)[:200], got[:6], wanted[:6]))
    return found
