"""The page of the fit: FIT_COEFFS on the runs, live, with charts of intervals and residuals."""

from __future__ import annotations

from chinchilla_xl.coefficients import NAMES
from chinchilla_xl.workbooks import style
from chinchilla_xl.workbooks.book import Book
from chinchilla_xl.workbooks.columns import Column, table
from chinchilla_xl.workbooks.fits import (
    COEFFICIENT,
    TABLE_ROWS,
    WARNING_ROWS,
    interval_chart,
    residual_chart,
)
from chinchilla_xl.workbooks.fitting.runs import CHARTED
from chinchilla_xl.workbooks.page import Page

_FIT = "FIT_COEFFS(run_params,run_tokens,run_loss,fit_confidence)"


def fill(book: Book, runs: Page, rows: tuple[int, int]) -> None:
    """Build the sheet."""
    page = Page(
        book, "Fit", (32, 16, 16, 16, 16, 14, 50), about="coefficients with intervals, verdict, warnings, charts",
    )  # fmt: skip
    page.title(
        "Fit",
        "L = E + A/N^alpha + B/D^beta by FIT_COEFFS (Eq. 4 of arXiv 2401.00448). The table goes into any function as its coeffs.",
    )
    page.skip()
    page.freeze()
    page.band("Fitted by FIT_COEFFS", last="How it is computed")
    first = page.row
    page.spill(
        "fitted_coefficients", (first, first + TABLE_ROWS - 1), (0, len(NAMES) - 1),
        f"={_FIT}", COEFFICIENT,
    )  # fmt: skip
    page.sheet.write(first, 6, "FIT_COEFFS of the runs; warnings, if any, stand below", book.format(font_color=style.GREY, indent=1))  # fmt: skip
    for offset, name in enumerate(NAMES, start=1):
        page.name_cells(f"fitted_{name}", first + offset, 1)
    page.name_cells("fitted_law", (first + 1, first + len(NAMES)), 1)
    page.row = first + TABLE_ROWS + WARNING_ROWS
    page.skip()
    page.band("Verdict", "Value", last="How it is computed")
    for name, label, place, unit, look in (
        ("fit_verdict", "Verdict", 7, "words", style.PLAIN),
        ("fit_points", "Runs", 10, "count", style.WHOLE),
        ("fit_condition_number", "Condition number", 15, "ratio", style.SCIENTIFIC),
    ):
        page.results(
            name, label, f"=INDEX(fitted_coefficients,{place},2)", unit, "from the table above", look, [name],
        )  # fmt: skip
    page.results(
        "fit_warnings", "Warnings", f"=ROWS({_FIT})-ROWS(fitted_coefficients)", "count",
        "rows of FIT_COEFFS beyond the table; LibreOffice shows no warnings below the table", style.WHOLE, ["fit_warnings"],
    )  # fmt: skip
    # The table's own cells are too narrow for sentences: the first, the gravest, has a row of its own.
    page.label("Gravest warning")
    gravest = f'=IF(fit_warnings=0,"none",INDEX({_FIT},ROWS(fitted_coefficients)+1,2))'
    page.formula(page.row, 1, gravest, align="left")
    page.name_cells("fit_gravest_warning", page.row, 1)
    page.row += 1
    page.skip()
    tops = _relative(page)
    interval_chart(page, tops, "intervals")
    residual_chart(
        page, runs, rows, CHARTED, {"log_base": 10, "num_format": "#,##0", "crossing": "min"},
    )  # fmt: skip
    page.finish()
    book.rule(
        "Fit: the runs identify the law", '=IF(fit_verdict="not identified",1,0)',
        "All runs lie on one line of tokens per parameter, or nearly: add runs at other ratios.",
    )  # fmt: skip
    book.check(
        "Fit: it rests on all runs", "=fit_points", "=MAX(run_filled)", "runs",
        "FIT_COEFFS leaves runs out: see Runs.",
    )  # fmt: skip


def _relative(page: Page) -> tuple[int, int]:
    """Estimates as shares of themselves, with what the intervals are below and above."""
    estimate, low, high = (f"INDEX(fitted_coefficients,{{position}},{n})" for n in (2, 4, 5))
    page.keep_together(len(NAMES) + 2)
    return table(
        page, "interval",
        (
            Column("name", "Relative to the estimate", "", style.PLAIN, NAMES, words=True),
            Column("estimate", "Estimate", "share", style.PERCENT, formula=f"=IFERROR({estimate}/{estimate},0)"),
            Column("below", "Below", "share", style.PERCENT, formula=f"=IFERROR(({estimate}-{low})/{estimate},0)"),
            Column("above", "Above", "share", style.PERCENT, formula=f"=IFERROR(({high}-{estimate})/{estimate},0)"),
            Column("high", "High", "share", style.PERCENT, formula=f"=IFERROR({high}/{estimate},0)"),
            Column("position", "Row", "of the table", style.WHOLE, range(2, 2 + len(NAMES))),
        ),
        len(NAMES),
    )  # fmt: skip
