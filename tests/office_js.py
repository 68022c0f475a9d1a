"""Cells as Office.js, the language of Excel's newer add-ins, delivers and takes them."""

from __future__ import annotations

from typing import Any

import parity
from chinchilla_xl.functions import CellError

ERROR_TYPES = {
    "Div0": "#DIV/0!",
    "Name": "#NAME?",
    "NotAvailable": "#N/A",
    "Null": "#NULL!",
    "Num": "#NUM!",
    "Ref": "#REF!",
    "Value": "#VALUE!",
}
"""Excel.ErrorCellValueType and what the cell shows."""


def arguments(case: parity.Case) -> list[Any]:
    """The arguments of a case: every cell and range is rows of cells, null is left out."""
    count = len(parity.BY_NAME[case.function].parameters)
    args = [_argument(arg) for arg in case.args]
    return [*args, *[None] * (count - len(args))]


def _argument(arg: Any) -> Any:
    if type(arg) is str and arg == parity.OMITTED:
        return None
    rows = arg if isinstance(arg, list) else [[arg]]
    return [[_cell(cell) for cell in row] for row in rows]


def _cell(cell: Any) -> Any:
    if not isinstance(cell, CellError):
        return cell
    kind = next(kind for kind, code in ERROR_TYPES.items() if code == cell.code)
    return {"type": "Error", "errorType": kind, "basicType": "Error", "basicValue": cell.code}


def rows(result: Any) -> list[list[Any]]:
    """The cells that a result fills."""
    return [[_shown(cell) for cell in row] for row in result]


def _shown(cell: Any) -> Any:
    if not isinstance(cell, dict):
        return cell
    assert cell["type"] == "Error", cell
    return CellError(ERROR_TYPES[cell["errorType"]])
