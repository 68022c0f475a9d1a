"""Excel for Windows as far as xlwings' own Windows code asks for it, on any system.

`import_xlwings` gives xlwings with its real modules for Windows (_xlwindows, udfs, com_server) over
stand-ins for pywin32; `Workbook` and `Range` stand in for Excel's COM objects, and `call` does what
the VBA of an add-in does in a cell. Needs a fresh process: `python tests/excel_com.py` computes the
parity table and prints the results as JSON.
"""

from __future__ import annotations

import ctypes
import datetime as dt
import importlib
import json
import sys
from types import ModuleType, SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

MISSING = -2147352572
"""What VBA hands over for an optional argument that is left out (DISP_E_PARAMNOTFOUND)."""

ERRORS = {
    "#NULL!": -2146826288,
    "#DIV/0!": -2146826281,
    "#VALUE!": -2146826273,
    "#REF!": -2146826265,
    "#NAME?": -2146826259,
    "#NUM!": -2146826252,
    "#N/A": -2146826246,
}
"""What pywin32 makes of error values, by observation in xlwings' own table."""

RANGE_INTERFACE = "{00020846-0000-0000-C000-000000000046}"


class ComError(Exception):
    """pywintypes.com_error."""


class _PyIDispatch:
    """The type of a COM object that is not wrapped yet."""


def _pywin32() -> dict[str, ModuleType]:
    """Modules with the classes that xlwings inherits from or tests for; the rest are mocks."""
    pywintypes = MagicMock(
        com_error=ComError, error=OSError, TimeType=type("TimeType", (dt.datetime,), {}), IID=str
    )
    pythoncom = MagicMock(
        com_error=ComError,
        ole_error=ComError,
        IID_IDispatch="IDispatch",
        TypeIIDs={"IDispatch": _PyIDispatch},
        CoInitialize=lambda: None,
        __file__="pythoncom.dll",
    )
    client = MagicMock(
        Dispatch=lambda com_object, **_: com_object,
        **{
            name: type(name, (), {})
            for name in ("CDispatch", "DispatchBaseClass", "CoClassBaseClass")
        },
    )

    def unwrap(com_object: Any) -> Any:
        if type(com_object).__name__ == "XLPythonObject":
            return com_object
        raise TypeError  # as for every object that is not a wrapped Python one

    util = MagicMock(unwrap=unwrap, wrap=lambda wrapped: wrapped)
    server = MagicMock(util=util)
    return {
        "pywintypes": pywintypes,
        "pythoncom": pythoncom,
        "win32api": MagicMock(),
        "win32con": MagicMock(),
        "win32event": MagicMock(),
        "win32gui": MagicMock(),
        "win32process": MagicMock(GetWindowThreadProcessId=lambda _: (0, 4711)),
        "win32timezone": MagicMock(TimeZoneInfo=SimpleNamespace(utc=lambda: dt.UTC)),
        "win32com": MagicMock(client=client, server=server),
        "win32com.client": client,
        "win32com.server": server,
        "win32com.server.dispatcher": MagicMock(),
        "win32com.server.policy": MagicMock(),
        "win32com.server.util": util,
    }


def import_xlwings() -> Any:
    """xlwings with the modules that it uses on Windows."""
    import asyncio  # noqa: F401  # these choose their implementation by sys.platform
    import multiprocessing  # noqa: F401
    import subprocess  # noqa: F401
    import sysconfig
    import tempfile  # noqa: F401

    import numpy as np  # noqa: F401

    sysconfig.get_paths()
    assert "xlwings" not in sys.modules, "a fresh process is needed"
    sys.modules |= _pywin32()
    ctypes.oledll = ctypes.windll = MagicMock()
    platform, sys.platform = sys.platform, "win32"
    load_dll, ctypes.PyDLL = ctypes.PyDLL, MagicMock()
    try:
        import xlwings
    finally:
        sys.platform, ctypes.PyDLL = platform, load_dll
    assert xlwings.func is xlwings.udfs.xlfunc
    # Without a licence key: with one, importing functions would look for a configuration sheet.
    xlwings.__pro__ = xlwings.udfs.__pro__ = False
    return xlwings


class Workbook:
    """A workbook that takes a VBA module and remembers what the wizard is told of functions."""

    def __init__(self, name: str = "Book1.xlsm") -> None:
        self.Name = name
        self.Worksheets: list[Any] = []
        self.Application = SimpleNamespace(
            Hwnd=1, Version="16.0", MacroOptions=self._describe, WorksheetFunction=MagicMock()
        )
        self.VBProject = SimpleNamespace(VBComponents=_Components(self))
        self.vba = ""
        self.wizard: dict[str, dict[str, Any]] = {}

    def _describe(self, macro: str, **options: Any) -> None:
        self.wizard[macro.rpartition("!")[2]] = options


class _Components:
    def __init__(self, book: Workbook) -> None:
        self._book = book

    def __call__(self, name: str) -> str:
        return name

    def Remove(self, _: str) -> None: ...

    def Import(self, path: str) -> None:
        with open(path, encoding="utf-8") as module:  # noqa: PTH123
            self._book.vba = module.read()


class Range:
    """A range of cells, with values as COM delivers them."""

    def __init__(self, book: Workbook, rows: list[list[Any]], *, areas: int = 1) -> None:
        values = tuple(tuple(row) for row in rows)
        single = len(values) == 1 and len(values[0]) == 1
        self.Value2 = values[0][0] if single else values
        self.Areas = SimpleNamespace(Count=areas)
        self.Row = self.Column = 1
        self.Rows = SimpleNamespace(Count=len(values))
        self.Columns = SimpleNamespace(Count=len(values[0]))
        self.Count = len(values) * len(values[0])
        self.Worksheet = SimpleNamespace(Name="Sheet1", Parent=book)
        self.Application = book.Application
        kind = SimpleNamespace(GetTypeAttr=lambda: SimpleNamespace(iid=RANGE_INTERFACE))
        self._oleobj_ = SimpleNamespace(GetTypeInfo=lambda: kind)

    @property
    def Value(self) -> Any:
        raise AssertionError("Value cuts currencies to four decimals: Value2 is to be read")

    def GetAddress(self, *_: Any, **__: Any) -> str:
        return "$A$1"


def call(book: Workbook, function: str, *args: Any) -> Any:
    """What a cell of the workbook gets from one of our functions."""
    caller = Range(book, [[None]])
    module = "chinchilla_xl.excel"
    return (
        sys.modules["xlwings.com_server"].XLPython().CallUDF(module, function, args, book, caller)
    )


def to_com(cell: Any) -> Any:
    """A cell of the parity table as COM delivers it: every number is a float."""
    code = getattr(cell, "code", None)
    if code is not None:
        return ERRORS[code]
    return float(cell) if type(cell) is int else cell


def main() -> None:
    """Compute the parity table, each argument as a range and, again, as the values of one."""
    import parity

    import_xlwings()
    importlib.import_module("chinchilla_xl.excel")
    book = Workbook()
    results = []
    for case in parity.cases():
        ranges, values = [], []
        for arg in case.args:
            rows = [[to_com(c) for c in row] for row in (arg if isinstance(arg, list) else [[arg]])]
            omitted = type(arg) is str and arg == parity.OMITTED
            ranges.append(MISSING if omitted else Range(book, rows))
            values.append(MISSING if omitted else Range(book, rows).Value2)
        missing = [MISSING] * (len(parity.BY_NAME[case.function].parameters) - len(case.args))
        by_range = call(book, case.function, *ranges, *missing)
        by_value = call(book, case.function, *values, *missing)
        results.append([by_range, by_value])
    json.dump(results, sys.stdout, allow_nan=False)


if __name__ == "__main__":
    main()
