"""What the embedded engine computes is what LibreOffice computes, formula by formula.

`data/fidelity.txt` holds formulas over the data below, at least one for nearly every function that
`trusted` lists. A formula may also be kept, but then nothing is compared.
"""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
import xlsxwriter

import libreoffice
from chinchilla_xl.recalc import recompute_bytes, trusted
from support import cached

pytestmark = [pytest.mark.once, libreoffice.needed]

MULTIPLES = [
    f"{function}({number},{rest})"
    for function in ("CEILING", "FLOOR", "CEILING.MATH", "FLOOR.MATH")
    for number in (7.3, -7.3, 2.5, 6, -6, 0, -1234.567)
    for rest in ("2", "-2", "0.5", "-1", "0.05", "0", "3,0", "3,1", "-3,-1")
    if "," not in rest or "MATH" in function
]
FORMULAS = [
    *(Path(__file__).parent / "data" / "fidelity.txt").read_text("utf-8").splitlines(),
    *MULTIPLES,
]

DATA = (
    [3, -1.5, 8, 0, 12.25, 7, 7, -4, 100, 0.5],
    [1, 2, 3, 5, 8, 13, 21, 34, 55, 89],
    ["apple", "Banana", "cherry", "date", "Elder", "fig", "grape", "apple", "", "x y"],
    [43831, 43862, 43891, 44000, 44105, 44196, 44197, 45000, 45658, 46000],
    [1, None, True, "t", 5, None, 0, -2, None, 9],
)

# LibreOffice counts TRUE in a range as a number; Excel, and so we, do not.
EXCELS_OWN = {
    "AVERAGE(E1:E10)": 2.6,
    "COUNT(E1:E10)": 5,
    "SUM(E1:E10)": 13,
    "COUNTIF(E1:E10,TRUE)": 1,
}

LIBREOFFICE_LACKS = frozenset(
    """
    ARRAYTOTEXT CHOOSECOLS CHOOSEROWS DROP FILTER HSTACK LET SEQUENCE SORT SORTBY TAKE TEXTAFTER
    TEXTBEFORE TEXTSPLIT TOCOL TOROW UNIQUE VSTACK XLOOKUP XMATCH
    """.split()
)
"""Of version 7.4; these were compared with a second engine by hand."""

CLOCK = {"NOW", "TODAY"}


def workbook() -> bytes:
    target = io.BytesIO()
    book = xlsxwriter.Workbook(target, {"use_future_functions": True})
    sheet, formulas = book.add_worksheet("Data"), book.add_worksheet("F")
    for column, cells in enumerate(DATA):
        for row, cell in enumerate(cells):
            if cell is not None:
                sheet.write(row, column, cell)
    for row, formula in enumerate(FORMULAS):
        formulas.write_formula(row, 0, "=" + on_data(formula))
    book.close()
    return target.getvalue()


def on_data(formula: str) -> str:
    """The formula with its references on the sheet Data."""
    pattern = re.compile(
        r'("[^"]*")|((?<![\w!$.:])\$?[A-E]\$?\d{1,2}(?::\$?[A-E]\$?\d{1,2})?(?![\w(])'
        r"|(?<![\w!$.:])(?:A:A|B:B|1:1)(?!\w))"
    )
    if "Data!" in formula:
        return formula
    return pattern.sub(lambda m: m[1] or "Data!" + m[2], formula)


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """Our values, the rows we kept, and LibreOffice's values."""
    folder = tmp_path_factory.mktemp("fidelity")
    data = workbook()
    computed, report = recompute_bytes(data)
    kept = {k.cell for k in report.kept}
    theirs = libreoffice.recalculated(data, folder)["F"]
    return cached(computed)["F"], kept, theirs


@pytest.mark.parametrize("row", range(len(FORMULAS)), ids=FORMULAS)
def test_a_formula_is_kept_or_computed_as_libreoffice_does(results, row):
    ours, kept, theirs = results
    if f"F!A{row + 1}" in kept:
        return
    expected = EXCELS_OWN.get(FORMULAS[row], theirs.cell(row + 1, 1).value)
    libreoffice.assert_alike(ours.cell(row + 1, 1).value, expected)


def test_nearly_every_trusted_function_is_among_those_compared(results):
    _, kept, _ = results
    compared = {
        name
        for row, formula in enumerate(FORMULAS)
        if f"F!A{row + 1}" not in kept
        for name in re.findall(r"([A-Z][A-Z0-9.]*)\(", formula.upper())
    }
    missing = trusted.FUNCTIONS - compared - LIBREOFFICE_LACKS - CLOCK
    assert not missing, sorted(missing)


def test_most_formulas_are_computed_not_kept(results):
    _, kept, _ = results
    assert len(FORMULAS) >= 300
    assert len(kept) < len(FORMULAS) / 4
