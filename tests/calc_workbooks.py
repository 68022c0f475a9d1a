"""The parity table as a workbook for Calc, and what Calc owes where it is not as Python is."""

from __future__ import annotations

import io
from typing import Any

import xlsxwriter
from xlsxwriter.utility import xl_range, xl_rowcol_to_cell

from chinchilla_xl.functions import CellError
from parity import NA, OMITTED, VALUE, Case, cases, expected_rows

ERRORS = {"#DIV/0!": "=1/0", "#N/A": "=NA()", "#REF!": "=#REF!", "#NAME?": "=NOSUCHNAME"}


def workbook(prefix: str) -> tuple[bytes, list[tuple[Case, str]]]:
    """Every case as an array formula on the sheet F, and the range that each fills."""
    target = io.BytesIO()
    book = xlsxwriter.Workbook(target)
    data, formulas = book.add_worksheet("Data"), book.add_worksheet("F")
    places = []
    data_row = row = 0
    for case in cases():
        words = []
        for arg in case.args:
            word, height = _argument(data, data_row, arg)
            words.append(word)
            data_row += height
        expected = expected_rows(case)
        area = xl_range(row, 0, row + len(expected) - 1, len(expected[0]) - 1)
        formulas.write_array_formula(area, f"{{={prefix}{case.function}({','.join(words)})}}")
        places.append((case, area))
        row += len(expected)
    book.close()
    return target.getvalue(), places


def _argument(data: Any, row: int, arg: Any) -> tuple[str, int]:
    """The argument as a formula holds it, and the rows that it takes on the sheet Data."""
    if type(arg) is str:
        return ("", 0) if arg == OMITTED else (f'"{arg}"', 0)
    if isinstance(arg, int | float) and not isinstance(arg, bool):
        return repr(arg).upper(), 0
    rows = arg if isinstance(arg, list) else [[arg]]
    for i, cells in enumerate(rows):
        for j, cell in enumerate(cells):
            if isinstance(cell, CellError):
                data.write_formula(row + i, j, ERRORS[cell.code], None, cell.code)
            elif cell == "":
                data.write_formula(row + i, j, '=""')
            elif cell is not None:
                data.write(row + i, j, cell)
    last = row + len(rows) - 1, len(rows[0]) - 1
    if not isinstance(arg, list):
        return "Data!" + xl_rowcol_to_cell(row, 0, row_abs=True, col_abs=True), 1
    return "Data!" + xl_range(row, 0, *last), len(rows)


def owed(case: Case, *, typed: bool) -> list[list[Any]]:
    """What Calc must show: the parity table's answer, save where Calc cannot tell arguments apart.

    An error in a range is an error of the whole argument. To a formula as it was typed TRUE is 1 and
    a blank cell alone is 0, which an optional argument takes for a blank (even if it is FALSE), but a
    flag for FALSE; a recalculation by the engine knows better.
    """
    rows = expected_rows(case)
    if (typed and any(arg is True for arg in case.args)) or case.args[7:] == (1.0,):
        return _called(case, [1.0 if arg is True else arg for arg in case.args])
    errors = [
        cell
        for arg in case.args
        if isinstance(arg, list)
        for cells in arg
        for cell in cells
        if isinstance(cell, CellError)
    ]
    if errors:
        error = CellError(VALUE) if typed else errors[0]
        return [[error] * len(rows[0])] * len(rows)
    if any(isinstance(arg, list) and [""] in arg for arg in case.args):
        return [[CellError(NA) if str(cell) == VALUE else cell for cell in row] for row in rows]
    if typed and case.kind == "blank":
        return _called(case, [0.0 if arg is None else arg for arg in case.args])
    if case.kind == "deployment" and case.args[-1] is False:
        return _called(case, [*case.args[:-1], None])
    return rows


def _called(case: Case, args: list[Any]) -> list[list[Any]]:
    """What the function gives for the arguments as Calc has understood them."""
    from chinchilla_xl.functions import FUNCTIONS

    [function] = [f for f in FUNCTIONS if f.name == case.function]
    flags = [p.name == "header" for p in function.parameters]
    taken = [
        None if type(arg) is str and arg == OMITTED else bool(arg) if flag else arg
        for arg, flag in zip(args, flags, strict=False)
    ]
    result = function.cells(*taken)
    return result if isinstance(result, list) else [[result]]


def shown(sheet: Any, area: str) -> list[list[Any]]:
    """The cells of a range as openpyxl reads them."""
    found = sheet[area]
    return (
        [[cell.value for cell in row] for row in found]
        if isinstance(found, tuple)
        else [[found.value]]
    )


def alike(cell: Any, wanted: Any) -> bool:
    """Whether a cell shows what is owed: numbers to 15 digits, errors by their code."""
    if isinstance(wanted, float):
        return isinstance(cell, int | float) and abs(cell - wanted) <= 1e-9 * abs(wanted)
    return str(cell) == str(wanted)
