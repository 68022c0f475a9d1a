"""A workbook with the values cached in its file, read by openpyxl, which trusts what it reads."""

from __future__ import annotations

import io
import warnings
from typing import Any

from chinchilla_xl.errors import BrokenFile, MissingExtra
from chinchilla_xl.recalc.archive import Archive
from chinchilla_xl.recalc.parts import Workbook, check_xml

try:
    import openpyxl
except ImportError as missing:
    raise MissingExtra("openpyxl", "recalc") from missing


def read_cached(data: bytes, archive: Archive, outline: Workbook) -> Any:
    """The openpyxl workbook of `data`, whose archive and outline have been found sound."""
    for name in sorted(archive.names):
        if name.endswith((".xml", ".rels")) and not name.startswith("customXml/"):
            check_xml(archive.read(name), name)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of features that are not kept: nothing is saved
            book = openpyxl.load_workbook(io.BytesIO(data), data_only=True)
    except Exception as e:  # noqa: BLE001 (openpyxl raises whatever a file provokes)
        reason = str(e).splitlines()[0][:160] if str(e) else type(e).__name__
        raise BrokenFile(f"its values cannot be read: {reason}") from None
    lost = [title for title in outline.sheets if title not in book.sheetnames]
    if lost:
        raise BrokenFile(f"the sheet {lost[0]!r} cannot be read")
    return book
