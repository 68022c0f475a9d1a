"""Dates in recomputed workbooks: both date systems, and dates that stand in texts."""

from __future__ import annotations

import openpyxl
import pytest

from chinchilla_xl.recalc import recompute_bytes
from support import members, saved

pytestmark = pytest.mark.once


def test_dates_are_serial_numbers_in_both_date_systems():
    for epoch, expected in ((openpyxl.utils.datetime.WINDOWS_EPOCH, 45292), (openpyxl.utils.datetime.MAC_EPOCH, 43830)):  # fmt: skip
        book = openpyxl.Workbook()
        book.epoch = epoch
        book.active["A1"] = "=DATE(2024,1,1)"
        book.active["A2"] = "=YEAR(A1)"
        data, _ = recompute_bytes(saved(book))
        part = members(data)["xl/worksheets/sheet1.xml"]
        assert b"<v>%d</v>" % expected in part
        assert b"<v>2024</v>" in part


def test_dates_of_1904_are_read_and_written_four_years_on():
    book = openpyxl.Workbook()
    book.epoch = openpyxl.utils.datetime.MAC_EPOCH
    for row, formula in enumerate(
        ["=EDATE(43830,1)", "=EOMONTH(43830,0)", "=MONTH(43830)", '=TEXT(43830,"yyyy-mm-dd")',
         "=WEEKDAY(43830)", "=DATE(2024,3,1)-DATE(2024,1,1)", '=DATEDIF(43830,44196,"y")'], start=1
    ):  # fmt: skip
        book.active.cell(row, 1, formula)
    data, report = recompute_bytes(saved(book))
    values = [cached_number(data, row) for row in range(1, 8)]
    expected = [43861, 43860, 1, "2024-01-01", 2, 60, 1]
    kept = {k.cell for k in report.kept}
    for row, (value, right) in enumerate(zip(values, expected, strict=True), start=1):
        assert value == right or f"Sheet!A{row}" in kept, (row, value)
    assert len(kept) <= 2


@pytest.mark.parametrize("epoch", ["WINDOWS_EPOCH", "MAC_EPOCH"])
def test_a_date_as_every_language_writes_it_is_computed_and_any_other_text_kept(epoch):
    book = openpyxl.Workbook()
    book.epoch = getattr(openpyxl.utils.datetime, epoch)
    computed = {
        '=YEAR("2024-02-29")': 2024, '=DAYS("2024-03-01","2024-01-01")': 60,
        '=EOMONTH("2024-02-01",0)-DATE(2024,2,1)': 28, '=WEEKDAY("2024-03-01")': 6,
    }  # fmt: skip
    kept = ['=YEAR("2023-02-29")', '=YEAR("Jan 5, 2024")', '=DAYS("1/2/2024","2024-01-01")']
    for row, formula in enumerate([*computed, *kept], start=1):
        book.active.cell(row, 1, formula)
    data, report = recompute_bytes(saved(book))
    assert [k.formula for k in report.kept] == kept
    assert [cached_number(data, row) for row in range(1, 5)] == list(computed.values())


def cached_number(data: bytes, row: int) -> object:
    """The value of a cell of column A as its part spells it."""
    part = members(data)["xl/worksheets/sheet1.xml"].decode()
    start = part.index(f'<c r="A{row}"')
    text = part[part.index("<v>", start) + 3 : part.index("</v>", start)]
    return float(text) if text.replace(".", "").isdigit() else text
