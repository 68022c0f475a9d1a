"""The parity table as a workbook, recomputed without a spreadsheet program."""

from __future__ import annotations

from typing import Any

import openpyxl
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.formula import ArrayFormula

import parity
from chinchilla_xl.functions import CellError
from chinchilla_xl.functions.cells import ERROR_CODES
from chinchilla_xl.recalc import recompute_bytes
from support import cached, saved


def results(cases: tuple[parity.Case, ...]) -> list[list[list[Any]]]:
    """The cells that each case's formula fills."""
    data, report = recompute_bytes(saved(workbook(cases)))
    assert not report.kept, report.kept
    sheet = cached(data)["Results"]
    found, top = [], 1
    for case in cases:
        height, width = _size(case)
        area = sheet.iter_rows(top, top + height - 1, 1, width, values_only=True)
        found.append([[_cell(value) for value in row] for row in area])
        top += height
    return found


def workbook(cases: tuple[parity.Case, ...]) -> openpyxl.Workbook:
    """Arguments in one sheet, each a range of its own; formulas below each other in another."""
    book = openpyxl.Workbook()
    arguments, formulas = book.active, book.create_sheet("Results")
    arguments.title = "Arguments"
    top, at = 1, 1
    for case in cases:
        references, left, tallest = [], 1, 1
        for arg in case.args:
            if type(arg) is str and arg == parity.OMITTED:
                references.append("")
                continue
            rows = arg if isinstance(arg, list) else [[arg]]
            for i, row in enumerate(rows):
                for j, cell in enumerate(row):
                    arguments.cell(at + i, left + j).value = _content(cell)
            last = f"{get_column_letter(left + len(rows[0]) - 1)}{at + len(rows) - 1}"
            references.append(f"Arguments!{get_column_letter(left)}{at}:{last}")
            left += len(rows[0])
            tallest = max(tallest, len(rows))
        height, width = _size(case)
        area = f"A{top}:{get_column_letter(width)}{top + height - 1}"
        formula = f"={case.function}({','.join(references)})"
        formulas[f"A{top}"] = ArrayFormula(area, formula)
        top += height
        at += tallest
    return book


def _content(cell: Any) -> Any:
    if isinstance(cell, CellError):
        return cell.code
    return '=""' if isinstance(cell, str) and not cell else cell


def _size(case: parity.Case) -> tuple[int, int]:
    rows = parity.expected_rows(case)
    return len(rows), len(rows[0])


def _cell(value: Any) -> Any:
    return CellError(value) if isinstance(value, str) and value in ERROR_CODES else value
