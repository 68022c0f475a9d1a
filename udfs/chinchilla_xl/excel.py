"""The worksheet functions as xlwings functions: what Excel calls, by each of its three routes.

    from chinchilla_xl.excel import *

is all that the main.py of an xlwings project needs, whether the project is a classic add-in
(Excel for Windows over COM), xlwings Lite (Python in the browser) or xlwings Server. Every function
of the catalogue is marked with its help texts; nothing of its rules is repeated here. This module
only translates cells:

    from Excel                                   to WorksheetFunction.cells
    blank cell, omitted argument                 None
    error value (COM: a number; Office.js: an    CellError
      object)
    date, currency                               the number beneath, with all its digits

    from WorksheetFunction.cells                 to Excel
    CellError in Office.js                       a real error; #VALUE! with its message on hover
    CellError in classic                         text: the code, then a space and the message if
                                                 there is one ("#NUM! loss must be above ...")

Classic xlwings cannot return an error value, so the add-in's VBA turns texts that start with an
error's code into one (CVErr); no other result starts with "#". xlwings' own conversion is bypassed:
it reads an error as a blank, cuts a currency to four decimals, and on a server takes hundreds of
times as long.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from chinchilla_xl.addins.excel.vba import CATEGORY
from chinchilla_xl.errors import MissingExtra
from chinchilla_xl.functions import FUNCTIONS, CellError, WorksheetFunction
from chinchilla_xl.functions.cells import ERROR_CODES

try:
    import xlwings
    from xlwings.conversion import Accessor, ConversionContext, Pipeline
except ImportError as missing:
    raise MissingExtra("xlwings", "excel") from missing

__all__ = [function.name for function in FUNCTIONS]

# xlwings Server and xlwings Lite both say that they are no desktop Excel; the latter has no threads.
_SERVES_MANY = os.environ.get("XLWINGS_ON_SERVER") == "true" and sys.platform != "emscripten"

# COM delivers an error value as the HRESULT 0x800A0000 + xlErr..., a negative whole number.
_COM_ERROR_BASE = 0x800A0000 - 2**32
_COM_ERRORS = {
    2000: "#NULL!",
    2007: "#DIV/0!",
    2015: "#VALUE!",
    2023: "#REF!",
    2029: "#NAME?",
    2036: "#NUM!",
    2042: "#N/A",
}
_NEWEST_COM_ERROR = 2099  # 2043 to 2050 are #GETTING_DATA, #SPILL!, #CALC! and the like

_OFFICE_ERRORS = {
    "#NULL!": "Null",
    "#DIV/0!": "Div0",
    "#VALUE!": "Value",
    "#REF!": "Ref",
    "#NAME?": "Name",
    "#NUM!": "Num",
    "#N/A": "NotAvailable",
}
_ERRORS_IN_RANGES = 1.4
"""The first version of Office's custom-functions runtime that takes error values in results."""


class Cells(Accessor):
    """xlwings' converter between Excel's cells and those of `WorksheetFunction.cells`."""

    @classmethod
    def reader(cls, options: dict[str, Any]) -> Pipeline:  # noqa: ARG003 (xlwings' signature)
        """The stage that reads an argument."""
        return Pipeline([_read])

    @classmethod
    def writer(cls, options: dict[str, Any]) -> Pipeline:
        """The stage that hands over a result; `options` tell the version of Office's runtime."""
        return Pipeline([lambda context: _write(context, options)])


def _read(context: ConversionContext) -> None:
    value = context.value
    if context.range is not None:
        cells = context.range.api
        if cells.Areas.Count > 1:  # its values would be those of the first area alone
            context.value = CellError("#VALUE!", "an argument must be one range, not a union")
            return
        value = cells.Value2  # Value would cut currencies to four decimals
    translate = _from_office if context.engine.name == "officejs" else _from_com
    context.value = _each(translate, value)


def _each(translate: Callable[[Any], Any], value: Any) -> Any:
    """A cell, a row or rows of cells translated."""
    if isinstance(value, list | tuple):
        return [
            item if type(item) is float or item is None else _each(translate, item)
            for item in value
        ]
    return translate(value)


def _from_com(cell: Any) -> Any:
    if isinstance(cell, Decimal):
        return float(cell)
    if type(cell) is int:
        number = cell - _COM_ERROR_BASE
        if min(_COM_ERRORS) <= number <= _NEWEST_COM_ERROR:
            return CellError(_COM_ERRORS.get(number, "#VALUE!"))
    return cell


def _from_office(cell: Any) -> Any:
    if isinstance(cell, dict):
        value = cell.get("basicValue")
        if cell.get("type") == "Error" or cell.get("basicType") == "Error":
            return CellError(value if value in ERROR_CODES else "#VALUE!")
        return value
    # A blank cell as Pyodide delivers it, in a type of its own.
    return None if type(cell).__name__ == "JsNull" else cell


def _write(context: ConversionContext, options: dict[str, Any]) -> None:
    result = context.value
    rows = result if isinstance(result, list) else [[result]]
    if context.engine.name != "officejs":
        context.value = [[_to_com(cell) for cell in row] for row in rows]
        return
    if isinstance(result, CellError) and result.code == "#VALUE!":
        raise xlwings.XlwingsError(result.message or "an argument holds #VALUE!")
    if float(options["runtime"]) < _ERRORS_IN_RANGES:
        error = next((cell for row in rows for cell in row if isinstance(cell, CellError)), None)
        if error is not None:  # text would stand there instead, which a SUM passes over
            raise xlwings.XlwingsError(_to_com(error))
    context.value = [[_to_office(cell) for cell in row] for row in rows]


def _to_com(cell: Any) -> Any:
    return f"{cell.code} {cell.message}".rstrip() if isinstance(cell, CellError) else cell


def _to_office(cell: Any) -> Any:
    if isinstance(cell, CellError):
        return {"type": "Error", "errorType": _OFFICE_ERRORS[cell.code]}
    return cell


def _marked(function: WorksheetFunction) -> Callable[..., Any]:
    """The worksheet function as a plain one, with what xlwings and the wizards read of it."""

    def call(*args: Any) -> Any:
        return function.cells(*args)

    async def call_in_thread(*args: Any) -> Any:
        # The server's event loop answers other users meanwhile.
        return await asyncio.to_thread(function.cells, *args)

    marked: Callable[..., Any] = call_in_thread if _SERVES_MANY else call
    vars(marked).update(__signature__=function.__signature__)
    marked.__name__ = marked.__qualname__ = function.name
    marked.__doc__ = function.summary
    marked.__annotations__ = {}
    for parameter in function.parameters:
        marked = xlwings.arg(parameter.name, Cells, doc=parameter.text)(marked)
    marked = xlwings.ret(Cells)(marked)
    # Last: the others would set the category back.
    return xlwings.func(category=CATEGORY)(marked)


globals().update({function.name: _marked(function) for function in FUNCTIONS})
