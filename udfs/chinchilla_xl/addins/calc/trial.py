"""The extension tried in a LibreOffice with a profile of its own: does it compute, if not, why?"""

from __future__ import annotations

import csv
import io
import math
import shutil
from functools import cached_property
from pathlib import Path

from chinchilla_xl.addins.calc.extension import IDENTIFIER, STATUS, STORED, unpack
from chinchilla_xl.functions import FUNCTIONS
from chinchilla_xl.soffice import Soffice, new_profile

_TIMEOUT = 60.0
_SHEET = """<?xml version="1.0" encoding="UTF-8"?>
<office:document xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"
 xmlns:of="urn:oasis:names:tc:opendocument:xmlns:of:1.2"
 xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" office:version="1.2"
 office:mimetype="application/vnd.oasis.opendocument.spreadsheet"><office:body><office:spreadsheet>
<table:table table:name="trial"><table:table-row>{cells}</table:table-row></table:table>
</office:spreadsheet></office:body></office:document>
"""
_CELL = '<table:table-cell table:formula="of:={formula}"/>'

NO_PYTHON = (
    "LibreOffice does not load the extension: it has no Python. "
    "apt install python3-uno (Debian, Ubuntu), dnf install libreoffice-pyuno (Fedora)"
)


class Trial:
    """An extension in a fresh profile below `folder`: this package's, or an installed one.

    `arguments` make soffice use both, `profile` the profile alone. `works` and `status` start it once.
    """

    def __init__(self, soffice: Soffice, folder: Path, installed: Path | None = None) -> None:
        self._soffice = soffice
        self._folder = folder
        bundled = folder / "extensions"
        place = bundled / IDENTIFIER
        if installed is None:
            unpack(place)
        else:
            shutil.copytree(installed, place)
        self.profile = new_profile(folder)
        self.arguments = [*self.profile, f"-env:BUNDLED_EXTENSIONS={bundled.as_uri()}"]

    @cached_property
    def _cells(self) -> list[str]:
        """What Calc shows for the status and for a call whose result is known."""
        formulas = [f"{STORED}{STATUS}()", f"{STORED}CHINCHILLA_LOSS(7E9;2E12)"]
        cells = "".join(_CELL.format(formula=formula) for formula in formulas)
        (self._folder / "trial.fods").write_text(_SHEET.format(cells=cells), "utf-8")
        failure = self._soffice.convert(
            ["trial.fods"],
            "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,false",
            folder=self._folder,
            out=self._folder,
            arguments=self.arguments,
            timeout=_TIMEOUT,
        )
        try:
            text = (self._folder / "trial.csv").read_text("utf-8")
        except OSError:
            return [str(failure), ""]
        return next(csv.reader(io.StringIO(text)), ["", ""])

    @cached_property
    def works(self) -> bool:
        """Whether Calc gives the number that Python gives."""
        [loss] = [f for f in FUNCTIONS if f.name == "CHINCHILLA_LOSS"]
        try:
            return math.isclose(float(self._cells[1]), loss(7e9, 2e12), rel_tol=1e-9)
        except ValueError:
            return False

    @cached_property
    def status(self) -> str:
        """One line: what computes the functions, or what to do so that something does."""
        said = self._cells[0].partition("\n")[0]
        return NO_PYTHON if said in ("", "#NAME?") or said.startswith(("Err:", "#")) else said
