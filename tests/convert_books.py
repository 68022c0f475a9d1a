"""Workbooks for the tests of conversion, and what their cells hold."""

from __future__ import annotations

import io
import re

import xlsxwriter

from support import members

SHEET = "xl/worksheets/sheet1.xml"


def book(*formulas, names=(), array=(), more=None):
    """A workbook with these formulas in column A from row 10 on, dynamic arrays and names."""
    target = io.BytesIO()
    file = xlsxwriter.Workbook(target)
    sheet = file.add_worksheet("S")
    for row, number in enumerate((2.13, 2e11, 7e9, 2e12)):
        sheet.write(row, 1, number)
    for row, formula in enumerate(formulas, start=9):
        sheet.write_formula(row, 0, "=" + formula, None, 777 + row)
    for area, formula in array:
        sheet.write_dynamic_array_formula(area, "=" + formula, None, 555)
    for name, formula in names:
        file.define_name(name, "=" + formula)
    if more:
        more(file, sheet)
    file.close()
    return target.getvalue()


def formulas_of(data, part=SHEET):
    text = members(data)[part].decode()
    return re.findall(r'<c r="([A-Z]+\d+)"[^>]*?>\s*<f[^>]*>([^<]*)</f>', text)


def cell(data, place):
    text = members(data)[SHEET].decode()
    found = re.search(rf'<c r="{place}".*?</c>', text)
    assert found
    return found[0]
