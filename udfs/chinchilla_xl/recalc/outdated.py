"""What a recomputation leaves behind where formulas were kept: values that are perhaps out of date.

After new inputs they may belong to the old ones; so they may in a file that asks Excel for a full
calculation, as one does that was recomputed with new inputs before. They stand in the file as they
were, so it must be known which they are: the report tells, and Excel, which would trust them, is
asked to compute the file when it opens it.
"""

from __future__ import annotations

from collections.abc import Mapping

from chinchilla_xl.recalc.addresses import address
from chinchilla_xl.recalc.archive import Archive
from chinchilla_xl.recalc.calcchain import asks_for_calculation, calculated_on_load
from chinchilla_xl.recalc.inputs import Input
from chinchilla_xl.recalc.parts import WORKBOOK, read_workbook
from chinchilla_xl.recalc.report import Report


def mark_outdated(data: bytes, report: Report, inputs: Mapping[str, Input]) -> bytes:
    """The file, asking for a full calculation if need be; `report.outdated` tells its kept cells."""
    if not report.kept:
        return data
    archive = Archive(data)
    book = archive.text(WORKBOOK)
    asked = asks_for_calculation(book)
    if not inputs and not asked:
        return data
    kept = dict.fromkeys(item.cell for item in report.kept)
    named = {
        name.name: cell
        for name in read_workbook(archive).names
        if name.cell
        and (cell := address(*name.cell)) in kept
        and not name.name.startswith("_xlnm.")
    }
    cells = set(named.values())
    report.outdated = [*named, *(cell for cell in kept if cell not in cells)]
    if asked:
        return data
    return archive.replaced({WORKBOOK: [calculated_on_load(book).encode()]})
