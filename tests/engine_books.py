"""Small workbooks for the tests of the engines, and what a report or a process list says of them."""

from __future__ import annotations

import io
import os
import shutil
import subprocess

import pytest
import xlsxwriter

from chinchilla_xl.recalc import Report
from support import cached

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


def runs(pid: int) -> bool:
    state = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return bool(state.stdout.strip()) and not state.stdout.startswith("Z")
