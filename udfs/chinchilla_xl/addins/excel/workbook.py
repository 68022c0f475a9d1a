"""The add-in as bytes: xlwings' own quickstart add-in with our modules and ribbon in it.

xlwings' module stays but for the changes in `_CHANGES`, so the add-in needs exactly the version of
xlwings that built it: its VBA loads that version's xlwings64-<version>.dll.
"""

from __future__ import annotations

import io
import re
import tempfile
import zipfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from chinchilla_xl.addins.excel.vba import MODULE, functions_module
from chinchilla_xl.addins.sources import source
from chinchilla_xl.errors import MissingExtra, ProgramFailed

PROJECT = "chinchilla-xl"
"""What xlwings' VBA calls the add-in: its settings are in ~/.chinchilla-xl/chinchilla-xl.conf."""

XLWINGS_MODULE = "xlwings"
RELEASED_WITH = "0.37.8"
"""The xlwings whose VBA these changes were written for and tested with."""

WRITTEN = ("ChinchillaCalls", "ChinchillaRibbon")
_QUICKSTART = "quickstart_addin_ribbon.xlam"
_EXAMPLE = "RibbonMyAddin"
_DATE = (2024, 1, 1, 0, 0, 0)

_CHANGES = (
    ('PROJECT_NAME As String = "myaddin"', f'PROJECT_NAME As String = "{PROJECT}"'),
    # Settings come from the user's file alone: a sheet or folder of a workbook that somebody sent
    # could else name a program of its own as the interpreter.
    (
        'Optional default As String = "", Optional source As String = "")',
        'Optional default As String = "", Optional source As String = "user")',
    ),
    # No path of the active workbook in the command that starts Python: there may be none.
    (
        'PYTHONPATH = AddExcelDir & ";" & ActiveWorkbook.FullName &',
        'PYTHONPATH = AddExcelDir & ";" & ThisWorkbook.FullName &',
    ),
)


def addin() -> bytes:
    """The .xlam. The same sources, xlwings and pyopenvba give the same bytes."""
    try:
        from pyopenvba import ExcelFile
    except ImportError as missing:
        raise MissingExtra("pyopenvba", "excel") from missing
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "addin.xlam"
        path.write_bytes(_with_ribbon((_xlwings() / _QUICKSTART).read_bytes()))
        with ExcelFile(path) as book:
            project: Any = book.vba_project()
            project.delete_module(_EXAMPLE)
            changed = _changed(book.vba_modules()[XLWINGS_MODULE])
            book.set_module(XLWINGS_MODULE, changed)
            book.set_module("ThisWorkbook", _lines(_written("ThisWorkbook.cls")))
            for name in WRITTEN:
                project.add_module(name, _lines(_written(f"{name}.bas")))
            project.add_module(MODULE, _lines(functions_module()))
            book.save()
        return _undated(path.read_bytes())


def built_with(data: bytes) -> str | None:
    """The version of xlwings that the add-in `data` needs; None if it is no add-in of ours."""
    from pyopenvba import ExcelFile, PyOpenVBAError

    try:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "addin.xlam"
            path.write_bytes(data)
            with ExcelFile(path) as book:
                text = book.vba_modules().get(XLWINGS_MODULE, "")
    except (PyOpenVBAError, zipfile.BadZipFile, ValueError, KeyError):
        return None
    found = re.search(r'XLWINGS_VERSION As String = "([^"]+)"', text)
    return found[1] if found else None


def _xlwings() -> Path:
    """The folder of the installed xlwings; it is not imported, which takes a while."""
    spec = find_spec("xlwings")
    if spec is None or spec.origin is None:
        raise MissingExtra("xlwings", "excel")
    return Path(spec.origin).parent


def _written(name: str) -> str:
    return source("classic", name).decode("ascii")


def _lines(text: str) -> str:
    """Line ends as VBA has them."""
    return text.replace("\r\n", "\n").replace("\n", "\r\n")


def _changed(text: str) -> str:
    for old, new in _CHANGES:
        if text.count(old) != 1:
            raise ProgramFailed(
                f"the VBA of the installed xlwings is not the one that this release changes: {old!r} "
                f"is not in it once; pip install xlwings=={RELEASED_WITH}"
            )
        text = text.replace(old, new)
    return text


def _with_ribbon(quickstart: bytes) -> bytes:
    """The file of xlwings with our ribbon, and without the names of its example."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(quickstart)) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            if name == "customUI/customUI.xml":
                data = source("classic", "ribbon.xml")
            elif name == "xl/workbook.xml":
                data = data.replace(b"_myaddin.conf", f"_{PROJECT}.conf".encode())
                data = re.sub(rb"<mc:AlternateContent.*?</mc:AlternateContent>", b"", data)
            new.writestr(zipfile.ZipInfo(name, _DATE), data, zipfile.ZIP_DEFLATED)
    return target.getvalue()


def _undated(data: bytes) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            new.writestr(zipfile.ZipInfo(name, _DATE), old.read(name), zipfile.ZIP_DEFLATED)
    return target.getvalue()
