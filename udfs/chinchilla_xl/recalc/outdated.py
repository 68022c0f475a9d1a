"""What a recomputation with new inputs leaves behind where formulas were kept: values of the old ones.

They stand in the file as before, so it must be known which they are: the report names them, and
Excel, which would trust them, is asked to compute the file when it opens it.
"""

from __future__ import annotations

from chinchilla_xl.recalc.addresses import address, bare_sheet, parse_area
from chinchilla_xl.recalc.archive import Archive
from chinchilla_xl.recalc.calcchain import calculated_on_load
from chinchilla_xl.recalc.parts import WORKBOOK, DefinedName, read_workbook
from chinchilla_xl.recalc.report import Report


def mark_outdated(data: bytes, report: Report) -> bytes:
    """The file, asking for a full calculation; `report.outdated` names its cells that were kept."""
    if not report.kept:
        return data
    archive = Archive(data)
    kept = {item.cell for item in report.kept}
    names = read_workbook(archive).names
    report.outdated = [name.name for name in names if _cell(name) in kept]
    book = archive.text(WORKBOOK)
    asking = calculated_on_load(book)
    return data if asking == book else archive.replaced({WORKBOOK: [asking.encode()]})


def _cell(name: DefinedName) -> str | None:
    """The address of the single cell that a name stands for."""
    sheet, _, place = name.formula.rpartition("!")
    area = parse_area(place)
    if area is None or area.first != area.last:
        return None
    return address(bare_sheet(sheet), area.first)
