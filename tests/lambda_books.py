"""Workbooks that call the functions with no add-in, computed by two independent spreadsheets.

A call is a function, its arguments as parity.Case has them, and the size of its result. Arguments
stand in cells of one sheet, formulas below each other on another; `spell` turns a function and the
references to its arguments into the formula: the call of a defined name that holds a LAMBDA, or the
whole computation as one LET.
"""

from __future__ import annotations

import io
import os
import re
import subprocess
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import openpyxl
import xlsxwriter
from xlsxwriter.utility import xl_range, xl_range_abs, xl_rowcol_to_cell

from chinchilla_xl.editions import inlined, lambda_names
from chinchilla_xl.functions import CellError
from libreoffice import PROFILE
from parity import OMITTED

NAMES = lambda_names()
Spelling = Callable[[str, Sequence[str]], str]
Rows = list[list[Any]]

ERROR_FORMULAS = {"#DIV/0!": "=1/0", "#N/A": "=NA()", "#REF!": "=#REF!", "#NAME?": "=NOSUCHNAME"}


@dataclass(frozen=True)
class Call:
    """One formula: what it calls, with what, and the cells that it fills."""

    function: str
    args: tuple[Any, ...]
    size: tuple[int, int] = (1, 1)
    typed: bool = False
    """Whether single numbers and texts stand in the formula itself."""


def by_name(function: str, words: Sequence[str]) -> str:
    """The call of the defined name, with no commas for what is left out at the end."""
    words = list(words)
    while words and not words[-1]:
        words.pop()
    return f"{NAMES[function].name}({','.join(words)})"


def for_formulon(formula: str) -> str:
    """A LAMBDA with [k] for an optional parameter: formulon does not know the stored form, _xlop.k."""
    return re.sub(r"_xlop\.(\w+)", r"[_xlpm.\1]", formula)


def workbook(calls: Iterable[Call], spell: Spelling, *, dynamic: bool = True) -> bytes:
    """The calls as formulas that spill, or as array formulas over their whole result."""
    target = io.BytesIO()
    book = xlsxwriter.Workbook(target)
    arguments, results = book.add_worksheet("Arguments"), book.add_worksheet("Results")
    if spell is by_name:
        for entry in NAMES.values():
            book.define_name(entry.name, "=" + for_formulon(entry.formula))
    top = at = 0
    for call in calls:
        words, tallest, left = [], 1, 0
        for arg in call.args:
            if type(arg) is str and arg == OMITTED:
                words.append("")
                continue
            if call.typed and type(arg) in (float, str):
                words.append(f'"{arg}"' if isinstance(arg, str) else f"{arg:.15G}")
                continue
            rows = arg if isinstance(arg, list) else [[arg]]
            _write(arguments, at, left, rows)
            last = at + len(rows) - 1, left + len(rows[0]) - 1
            words.append("Arguments!" + _reference(at, left, *last))
            left += len(rows[0])
            tallest = max(tallest, len(rows))
        at += tallest
        height, width = call.size
        formula = "=" + spell(call.function, words)
        if dynamic:
            results.write_dynamic_array_formula(top, 0, top, 0, formula)
        else:
            results.write_array_formula(xl_range(top, 0, top + height - 1, width - 1), formula)
        top += height
    book.close()
    return target.getvalue()


def _reference(row: int, column: int, last_row: int, last_column: int) -> str:
    if (row, column) == (last_row, last_column):
        return xl_rowcol_to_cell(row, column, row_abs=True, col_abs=True)
    return xl_range_abs(row, column, last_row, last_column)


def _write(sheet: Any, top: int, left: int, rows: Rows) -> None:
    for i, row in enumerate(rows):
        for j, cell in enumerate(row):
            if isinstance(cell, CellError):
                sheet.write_formula(top + i, left + j, ERROR_FORMULAS[cell.code], None, cell.code)
            elif cell == "" and cell is not None:
                sheet.write_formula(top + i, left + j, '=""', None, "")
            elif isinstance(cell, bool):
                sheet.write_boolean(top + i, left + j, cell)
            elif isinstance(cell, str):
                sheet.write_string(top + i, left + j, cell)
            elif cell is not None:
                sheet.write_number(top + i, left + j, cell)


def by_formulon(data: bytes, calls: Iterable[Call]) -> list[Rows]:
    """What each call's cells hold after a calculation by formulon."""
    import formulon

    with formulon.Workbook.load(data) as book:
        assert book.read_diagnostics().undecoded_formula_count == 0
        assert book.read_diagnostics().undecoded_defined_name_count == 0
        book.recalc()
        found, top = [], 0
        for call in calls:
            height, width = call.size
            spill = book.spill_info(1, top, 0)
            if spill.engaged:
                height, width = spill.rows, spill.cols
            found.append(
                [
                    [_from_formulon(book.get_value(1, top + i, j)) for j in range(width)]
                    for i in range(height)
                ]
                if spill.engaged or call.size == (1, 1)
                else [[_from_formulon(book.get_value(1, top, 0))]]
            )
            top += call.size[0]
    return found


def _from_formulon(value: Any) -> Any:
    from formulon import ValueKind, error_display_name

    if value.kind is ValueKind.ERROR:
        return CellError(error_display_name(value.error_code))
    return value.to_python()


def by_libreoffice(data: bytes, calls: Iterable[Call], soffice: Path, folder: Path) -> list[Rows]:
    """What each call's cells hold after a calculation by LibreOffice, in a profile of its own."""
    profile = folder / "profile"
    (profile / "user").mkdir(parents=True, exist_ok=True)
    (profile / "user" / "registrymodifications.xcu").write_text(PROFILE)
    (folder / "in.xlsx").write_bytes(data)
    subprocess.run(
        [soffice, f"-env:UserInstallation={profile.as_uri()}", "--headless", "--convert-to",
         "xlsx", "--outdir", folder / "out", folder / "in.xlsx"],
        check=True, capture_output=True, timeout=900,
    )  # fmt: skip
    book = openpyxl.load_workbook(folder / "out" / "in.xlsx", data_only=True)
    sheet = book["Results"]
    found, top = [], 1
    for call in calls:
        height, width = call.size
        area = sheet.iter_rows(top, top + height - 1, 1, width, values_only=True)
        found.append([[_from_file(value) for value in row] for row in area])
        top += height
    return found


def _from_file(value: Any) -> Any:
    return CellError(value) if isinstance(value, str) and value.startswith("#") else value


def newer_libreoffice() -> Path | None:
    """The soffice of the first folder in CHINCHILLA_XL_SOFFICE, which .ci/newer-libreoffice prints."""
    for folder in filter(None, os.environ.get("CHINCHILLA_XL_SOFFICE", "").split(os.pathsep)):
        return Path(folder) / "soffice"
    return None


__all__ = ["NAMES", "Call", "by_formulon", "by_libreoffice", "by_name", "inlined", "workbook"]
