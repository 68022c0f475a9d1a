"""A formula that cells share is computed in each of them as if it stood there.

`copied` writes the formula of each cell out, by rules of its own; the engine moves the one text that
the file has. Both must agree, in a block that goes down and to the right of the leader.
"""

from __future__ import annotations

import io
import zipfile
from itertools import product
from xml.sax.saxutils import escape

import openpyxl
import pytest
from openpyxl.workbook.defined_name import DefinedName

from chinchilla_xl.recalc import recompute_bytes
from chinchilla_xl.recalc.addresses import Cell
from chinchilla_xl.recalc.syntax import copied
from support import cached, members, saved

pytestmark = pytest.mark.once

BLOCK = [Cell(row, column) for row, column in product(range(2, 7), range(6, 9))]  # F2:H6
LEADER = BLOCK[0]

FORMULAS = (
    "A2-B2",
    "$A2-B$2+$C$3",
    "A2-B2-C2",
    "IF(A2<B2,A2-$B$3,0)",
    "SUM(A2:C2)/SUM($A$1:$C$9)-A1",
    "SUM(A$1:B2)",
    "SUM($A:$B)-A2",
    "SUM($8:$9)-A2",
    'A2&" A2 "&B2',
    "'It''s A1'!A2-Sheet1!B2",
    "SUM('It''s A1'!A2:B3)",
    "A3>B2+5",
    "-A2^2+B2%",
    "CHINCHILLA_LOSS(A2*1E9,B2*1E11)-$A2",
    "CHINCHILLA_LOSS(A2*1E9,B2*1E11,)",
    "IFERROR(A2/(B2-B2),C2)",
    "INDEX($A$1:$C$9,2,2)+a2",
    "SUMPRODUCT(A2:A4,B2:B4)",
    "ROUND(A2*1.005,2)",
    "rate*A2",
    "LOG10(A2)+1E2*B2-1.5E-3",
    "Über1!A2+Sheet1!$B2",
    "SUM(Über1!A2:$B$9,A2)-rate",
    "((A2))-(B2)%",
    "A2=B2+1.19",
    "XFD1048576+A2-B2",
)


def workbook(elements: dict[Cell, str]) -> bytes:
    """Numbers in A1:E9 of two sheets, and the given formula elements in the first."""
    book = openpyxl.Workbook()
    book.active.title = "Sheet1"
    for sheet in (book.active, book.create_sheet("It's A1"), book.create_sheet("Über1")):
        for row, column in product(range(1, 10), range(1, 6)):
            sheet.cell(row, column, round(7.3 * row + 1.7**column, 3))
    for cell in elements:
        book["Sheet1"].cell(*cell, "=1")
    book.defined_names["rate"] = DefinedName("rate", attr_text="Sheet1!$B$2")
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as new:
        for name, content in members(saved(book)).items():
            text = content.decode("utf-8", "surrogateescape")
            if name == "xl/worksheets/sheet1.xml":
                for cell, element in elements.items():
                    old = f'<c r="{cell}"><f>1</f><v /></c>'
                    assert old in text
                    text = text.replace(old, f'<c r="{cell}">{element}</c>')
            new.writestr(name, text.encode("utf-8", "surrogateescape"))
    return target.getvalue()


def values(elements: dict[Cell, str]) -> tuple[list[object], list[str]]:
    data, report = recompute_bytes(workbook(elements))
    sheet = cached(data)["Sheet1"]
    return [sheet[str(cell)].value for cell in BLOCK], [k.cell for k in report.kept]


@pytest.mark.parametrize("formula", FORMULAS)
def test_a_shared_formula_is_as_good_as_its_copies(formula):
    shared = dict.fromkeys(BLOCK, '<f t="shared" si="3"/>')
    shared[LEADER] = f'<f t="shared" ref="F2:H6" si="3">{escape(formula)}</f>'
    own = {c: copied(formula, LEADER, c) for c in BLOCK}
    copies = {c: f"<f>{escape(text)}</f>" for c, text in own.items() if text is not None}
    found, kept = values(shared)
    if len(copies) == len(BLOCK):
        assert (found, kept) == values(copies)
        assert kept == []
    else:  # whole columns that move: left to the reader of the report
        assert len(kept) >= len(BLOCK) - len(copies)


def test_one_member_that_is_kept_parts_the_group():
    # The third row's sum leaves a residue of rounding, which is kept; the others are computed.
    elements = dict.fromkeys(BLOCK, '<f t="shared" si="0"/><v>-1</v>')
    elements[LEADER] = '<f t="shared" ref="F2:H6" si="0">SUM(A2,-$A$4,2^-50)</f><v>-1</v>'
    data, report = recompute_bytes(workbook(elements))
    sheet = cached(data)["Sheet1"]
    kept = {k.cell.rpartition("!")[2] for k in report.kept}
    assert kept == {"F4"}
    assert sheet["F4"].value == -1
    assert sheet["F5"].value == pytest.approx(7.3)
    assert sheet["H6"].value == pytest.approx(sheet["C6"].value - sheet["A4"].value)
    part = members(data)["xl/worksheets/sheet1.xml"]
    assert part.count(b't="shared"') == len(BLOCK)
