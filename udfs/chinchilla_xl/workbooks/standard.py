"""The frame of every template: About (the cover) before its own pages, Checks and Sources after."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import chinchilla_xl
from chinchilla_xl.coefficients import NAMES, published
from chinchilla_xl.hardware import chips
from chinchilla_xl.workbooks import style
from chinchilla_xl.workbooks.book import CELLS_HOST, LAMBDA_HOST, Book
from chinchilla_xl.workbooks.page import MASTER_CHECK, Page

TOLERANCE = 1e-9
"""Two figures agree if they differ by no more than this share: 64-bit arithmetic leaves less."""

_ADDIN_FUNCTIONS = "CHINCHILLA_LOSS, OPT_PLAN and so on come from chinchilla-xl; without it this file shows the values computed last (LibreOffice: but for grids, #NAME?)."
_FUNCTIONS = {
    LAMBDA_HOST: "CX.CHINCHILLA_LOSS, CX.OPT_PLAN and so on are names of this file (Formulas, Name Manager): Excel 365 or 2024 computes it, with no add-in and no macro; fits are values.",
    CELLS_HOST: "the cells hold the whole computation: Excel 2021, LibreOffice 24.8, Google Sheets or newer compute it, with no add-in and no macro; fits are values. Older ones show the values computed last.",
}
"""What the cover says of the functions, by host."""

METHOD = (
    "Method",
    "arXiv 2401.00448 (Sardana et al. 2024)",
    "2024-07-18; Eqs. 1, 3 and 6, prices and MFUs of Sec. 6",
)
"""Where the formulas come from, as an entry of the log."""

REQUESTS_OF_TABLE_3 = "Demand: Table 3 of arXiv 2401.00448 says 70 input and 215 output tokens a request; its figures come out if 215 is the whole request (70 + 145)."


@dataclass(frozen=True, slots=True)
class Words:
    """What a template says of itself: on its cover, and as notes on the page Sources.

    An entry of the log is what it is, where it comes from, and the date.
    """

    title: str
    purpose: Sequence[str]
    steps: Sequence[str]
    log: Sequence[tuple[str, str, str]]
    notes: Sequence[str]


@contextmanager
def framed(target: Any, host: str, words: Words) -> Iterator[Book]:
    """A workbook to add pages and checks to; it is framed and written to `target` at the end."""
    book = Book(target, words.title, host, checked=True)
    about = Page(book, "About", (26, 40, 80), notes=2)
    yield book
    book.checks[:0] = book.checks_of_inputs()
    # Every page exists before the first of these is filled: the cover lists them all.
    checks, sources = _checks_page(book), _sources_page(book)
    _fill_checks(checks)
    _fill_sources(sources, words.notes)
    _fill_about(about, words)
    book.file.close()


def _fill_about(page: Page, words: Words) -> None:
    """Purpose, how to use it, contents with links, legend, version, and the log of sources."""
    page.title(words.title, *words.purpose)
    page.skip()
    page.band("How to use it")
    for number, step in enumerate(words.steps, start=1):
        page.note(f"Step {number}", step)
    page.skip()
    page.band("Contents", "What is there")
    link = page.book.format(font_color=style.GREEN, underline=1)
    for name, about in page.book.contents.items():
        if name != page.name:
            page.sheet.write_url(page.row, 0, f"internal:'{name}'!A1", link, name)
            page.sheet.write(page.row, 1, about, page.book.format())
            page.row += 1
    page.skip()
    page.band("Legend")
    for word, meaning, look in style.LEGEND:
        page.sheet.write(page.row, 0, word, page.book.format(**{**look, "align": "left"}))
        page.sheet.write(page.row, 1, meaning, page.book.format())
        page.row += 1
    page.skip()
    page.band("Version")
    page.note("Template", f"made by chinchilla-xl {chinchilla_xl.__version__}")
    page.note("Functions", _FUNCTIONS.get(page.book.host, _ADDIN_FUNCTIONS))
    page.note(
        "Protection", "Sheets are protected without a password: unprotect them to change more than inputs."
    )  # fmt: skip
    page.skip()
    page.band("Source log", "Where it comes from", "Date, and what it is used for")
    for what, where, when in words.log:
        page.text(what, where, when)
    page.sheet.freeze_panes(2, 0)
    page.sheet.fit_to_pages(1, 1)
    page.finish()


def _checks_page(book: Book) -> Page:
    """The page of the checks, to be filled once all are known."""
    return Page(
        book, "Checks", (54, 15, 15, 9, 12, 58), about="every check, and the master check that each sheet shows",
    )  # fmt: skip


def _fill_checks(page: Page) -> None:
    """One row a check; the master check counts those that fail."""
    page.title(
        "Checks",
        "Two figures computed in different ways must agree; a rule must have no violations.",
        "While a check fails, no result should be used; what to do stands beside it.",
    )
    page.skip()
    first, last = page.row + 5, page.row + 4 + len(page.book.checks)
    statuses = f"$D${first + 1}:$D${last + 1}"
    page.band("Master check", "Value", last="How it is computed")
    page.results(
        "failing", "Checks that fail", f'=COUNTIF({statuses},"CHECK")', "checks",
        "count of CHECK below", style.WHOLE, ["failing_checks"],
    )  # fmt: skip
    page.constant(
        "check_tolerance", "Tolerance", TOLERANCE, "share",
        "differences below this share of the expected figure (of 1, if that is smaller) are rounding",
        "0E+00",
    )  # fmt: skip
    page.label("Master check", bold=True)
    text = f'=IF(failing_checks=0,"OK: all "&ROWS({statuses})&" checks pass","CHECK: "&failing_checks&" of "&ROWS({statuses})&" checks fail, see the sheet Checks")'
    page.status(page.row, 1, text, align="left")
    page.name_cells(MASTER_CHECK, page.row, 1)
    page.row += 1
    page.freeze()
    page.band("Check", "Found", "Expected", "Status", last="If it says CHECK")
    assert page.row == first
    for check in page.book.checks:
        page.wrapped(page.row, 0, check.label)
        row = page.row + 1
        for column, formula in ((1, check.found), (2, check.expected)):
            # Beyond 1E+6 in E notation, as counts and dollars of any size must fit.
            page.formula(page.row, column, formula, "[>=1E+6]0.000000E+00;#,##0.0000")
        gap = f"ABS(B{row}-C{row})<=check_tolerance*MAX(1,ABS(C{row}))"
        page.status(
            page.row, 3, f'=IF(AND(ISNUMBER(B{row}),ISNUMBER(C{row})),IF({gap},"OK","CHECK"),"CHECK")', align="center"
        )  # fmt: skip
        page.describe(check.unit, check.remedy)
        page.row += 1
    page.finish()


def _sources_page(book: Book) -> Page:
    """The page of the published figures and the notes."""
    return Page(
        book, "Sources", (22, 12, 12, 12, 12, 12, 72), notes=1, about="published coefficients, chips, prices and notes",
    )  # fmt: skip


def _fill_sources(page: Page, notes: Sequence[str]) -> None:
    """Coefficient sets and chips, named as the templates look them up, and notes.

    Names: coefficient_names, coefficient_sets, coefficient_table.
    """
    page.title("Sources", "Every published figure that this workbook uses or offers.")
    page.skip()
    page.freeze()
    page.band("Coefficient set", *NAMES, "Source")
    heading, last = page.heading_row, page.heading_row + len(published())
    page.name_cells("coefficient_names", heading, (1, len(NAMES)))
    page.name_cells("coefficient_sets", (heading + 1, last), 0)
    page.name_cells("coefficient_table", (heading + 1, last), (1, len(NAMES)))
    for published_set in published().values():
        numbers = [getattr(published_set.law, name) for name in NAMES]
        page.text(published_set.name, *numbers, published_set.source, fixed=True)
    page.text("Unit: E, A and B so that the loss is in nats per token; alpha and beta have none.")
    page.skip()
    page.band("Chip", "BF16 peak", "FP8 peak", "INT8 peak", "low $/h", "high $/h", "Price source")
    for chip in chips().values():
        for price in chip.prices:
            page.text(
                chip.name, chip.bf16, chip.fp8 or "-", chip.int8 or "-", price.low, price.high,
                f"{price.source} ({price.date})", fixed=True,
            )  # fmt: skip
    page.text("Peaks are dense operations per second. Prices are dated copies, not quotes.")
    page.skip()
    page.band("Notes")
    for note in notes:
        page.text(note)
    page.sheet.fit_to_pages(1, 1)
    page.finish()
