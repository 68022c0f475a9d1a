"""The paper workbook: Tables 1 to 3 and Figures 1, 2, 5 and 6 of arXiv 2401.00448 from live formulas.

Printed figures stand beside computed ones; each must round to the printed digits or be one of the few
deviations that are named with their reason. ``printed`` reads what the paper prints, ``inputs`` has the
settings of its analysis, ``tables`` and ``figures`` build the pages.
"""

from __future__ import annotations

from typing import Any

from chinchilla_xl.workbooks.paper import figures, tables
from chinchilla_xl.workbooks.paper.inputs import fill_inputs, inputs_page
from chinchilla_xl.workbooks.standard import Words, framed

WORDS = Words(
    title="Beyond Chinchilla-Optimal, recomputed",
    purpose=(
        "Every figure of Tables 1 to 3 and the content of Figures 1, 2, 5 and 6 of arXiv 2401.00448, from live formulas.",
        "A computed figure passes if it rounds to the printed digits; the few that do not are named, with the reason.",
    ),
    steps=(
        "Look at Checks: the master check says whether every figure is as printed or a named deviation.",
        "On Table 1 to Table 3, compare figure by figure; the last column says why a figure deviates.",
        "Change an input (blue on yellow): another coefficient set, other prices or 215 output tokens a request show what the tables rest on.",
        "Use the pages as examples of the functions: a cell's formula can be copied into any workbook.",
    ),
    log=(
        (
            "The paper",
            "Sardana et al. 2024, arXiv 2401.00448v2",
            "2024-07-18; all printed figures",
        ),
        (
            "Chinchilla",
            "Hoffmann et al., arXiv 2203.15556",
            "2022-03-29; the law, the rounded coefficients",
        ),
        (
            "Coefficients",
            "arXiv 2401.00448, App. A, footnote 2",
            "after De Vries 2023; Secs. 2 and 6 rest on them",
        ),
    ),
    notes=(
        "Tables 2 and 3 and Figures 1, 2 and 6 rest on alpha = 0.336 and beta = 0.283, not on the rounded 0.34 and 0.28.",
        "Table 3: its caption says 70 input and 215 output tokens a request. Its figures come out if 215 is the whole request (70 + 145)",
        "and the tokens column is split in that proportion. Read literally, with the requests printed beside, every cost is about 10% higher.",
        "Table 1: the losses of the paper's 47 runs are not published. Its fits are therefore tried on runs of the same grid whose losses",
        "are those of each printed law: FIT_COEFFS must find that law again.",
    ),
)


def build(target: Any, host: str) -> None:
    """Write the paper workbook, without computed values, to a path or a file object."""
    with framed(target, host, WORDS) as book:
        inputs = inputs_page(book)
        pages = [*tables.pages(book), *figures.pages(book)]
        fill_inputs(inputs)
        for page, fill in zip(pages, (*tables.FILLS, *figures.FILLS), strict=True):
            fill(page)
