"""The page of bootstrap draws of the fit, with the cost-optimal model of each."""

from __future__ import annotations

from chinchilla_xl.coefficients import NAMES
from chinchilla_xl.workbooks import style
from chinchilla_xl.workbooks.book import Book
from chinchilla_xl.workbooks.fitting.budget import UNREACHED
from chinchilla_xl.workbooks.page import Page

COUNT = 500
"""Draws."""


def fill(book: Book) -> None:
    """Build the sheet."""
    page = Page(
        book, "Draws", (40, *(13,) * 7, 14, 50), about="bootstrap draws of the fit, with the cost by each",
    )  # fmt: skip
    page.title(
        "Draws",
        "Each row is the law fitted to as many runs drawn with replacement (FIT_SAMPLES), and the cost-optimal model by it.",
    )
    page.skip()
    page.freeze()
    page.band("Draws", "Value", last="How it is computed")
    page.constant(
        "draw_count", "Draws", COUNT, "count", "as many rows as stand below", style.WHOLE,
    )  # fmt: skip
    page.skip()
    page.band("Draw", *NAMES, "Size", "Cost", last="How it is computed")
    rows = (page.row, page.row + COUNT - 1)
    fixed = book.format(num_format=style.WHOLE, align="left", font_color=style.GREY)
    for number, row in enumerate(range(rows[0], rows[1] + 1), start=1):
        page.sheet.write(row, 0, number, fixed)
    page.spill(
        "draws", rows, (1, len(NAMES)), "=FIT_SAMPLES(run_params,run_tokens,run_loss,draw_count)", "#,##0.0000",
    )  # fmt: skip
    for place, name in enumerate(NAMES, start=1):
        page.name_cells(f"draw_{name}", rows, place)
    demand = "EFFECTIVE_TOKENS(input_tokens,output_tokens,deployment)"
    page.spill(
        "draw_params", rows, 6, f'=IF(draw_E<target_loss,OPT_PARAMS(target_loss,{demand},draws),"{UNREACHED}")', style.COUNT,
    )  # fmt: skip
    page.spill(
        "draw_cost", rows, 7,
        f'=IF(draw_E<target_loss,OPT_COST(target_loss,input_tokens,output_tokens,deployment,draws),"{UNREACHED}")', style.DOLLARS,
    )  # fmt: skip
    page.describe("parameters, $", "FIT_SAMPLES; OPT_PARAMS, OPT_COST by each draw")
    page.row = rows[1] + 1
    page.finish()
