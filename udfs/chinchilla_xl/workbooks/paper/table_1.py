"""The page of Table 1: the printed coefficients, and fits that must find them again.

The losses of the paper's 47 runs are not published. Runs of the same grid (its Table 4) whose losses
are those of a printed law stand in for them: FIT_COEFFS must find that law.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chinchilla_xl.coefficients import NAMES
from chinchilla_xl.workbooks import style
from chinchilla_xl.workbooks.columns import FAIL, Column, table
from chinchilla_xl.workbooks.fits import COEFFICIENT, TABLE_ROWS, WARNING_ROWS
from chinchilla_xl.workbooks.page import Page
from chinchilla_xl.workbooks.paper import printed
from chinchilla_xl.workbooks.paper.printed import Figure

WIDTHS = (38, 24, 13, 11, 12, 12, 12, 12, 12, 14, 9, 18)


def fill(page: Page, compare: Callable[..., None]) -> None:
    """Coefficients by COEFFS, figure by figure against print; the runs; the fits."""
    page.title(
        "Table 1: coefficients of fitted laws",
        "L = E + A/N^alpha + B/D^beta, fitted to runs of up to so many tokens per parameter; and fitted again to runs of the paper's grid.",
    )  # fmt: skip
    page.skip()
    page.freeze()
    _laws(page)
    page.skip()
    page.break_page()
    _runs(page)
    page.skip()
    page.break_page()
    _fits(page)
    page.skip()
    page.break_page()
    _compare(page, compare)
    page.finish()


def _laws(page: Page) -> None:
    fits = printed.fits()
    page.band("Coefficients by COEFFS: data", "Set", *NAMES)
    page.name_cells("table_1_names", page.heading_row, (2, 1 + len(NAMES)))
    first = page.row
    for number, fit in enumerate(fits, start=1):
        page.label(fit["data"])
        page.sheet.write(page.row, 1, fit["set"], page.book.format(indent=1))
        page.spill(
            f"table_1_law_{number}", page.row, (2, 1 + len(NAMES)),
            f"=COEFFS($B{page.row + 1})", "0.###",
        )  # fmt: skip
        page.row += 1
    page.name_cells("table_1_data", (first, page.row - 1), 0)
    page.name_cells("table_1_coefficients", (first, page.row - 1), (2, 1 + len(NAMES)))


def _own() -> list[tuple[int, dict[str, Any]]]:
    """The fits to the paper's own runs, with their row of the table from 1."""
    return [(i, fit) for i, fit in enumerate(printed.fits(), start=1) if "limit" in fit]


def _runs(page: Page) -> None:
    runs = printed.runs()
    columns = (
        Column("label", "Runs of the paper's Table 4", "", style.PLAIN,
               [f"{name} at {ratio:g} tokens/param" for name, _, ratio in runs], words=True),
        Column("ratio", "Tokens/param", "tokens/param", style.WHOLE, [ratio for *_, ratio in runs]),
        Column("params", "Size", "parameters", style.COUNT, [params for _, params, _ in runs]),
        Column("tokens", "Tokens", "tokens", style.COUNT, formula="={params}*{ratio}"),
    )  # fmt: skip
    top, _ = table(page, "grid", columns, len(runs))
    heading = page.book.format(bold=True, font_color="#FFFFFF", bg_color=style.BAND, align="right")
    unit = page.book.format(font_color=style.GREY, align="right")
    for column, (number, fit) in enumerate(_own(), start=len(columns)):
        count = sum(ratio <= fit["limit"] for *_, ratio in runs)
        rows = (top, top + count - 1)
        for key, place in (("params", 2), ("tokens", 3)):
            page.name_cells(f"runs_{number}_{key}", rows, place)
        page.sheet.write(top - 2, column, f"Loss, law {number}", heading)
        page.sheet.write(top - 1, column, "nats/token", unit)
        page.spill(
            f"runs_{number}_loss", rows, column,
            f"=CHINCHILLA_LOSS(runs_{number}_params,runs_{number}_tokens,table_1_law_{number})", style.LOSS,
        )  # fmt: skip


def _fits(page: Page) -> None:
    for number, fit in _own():
        page.band(f"FIT_COEFFS on runs of {fit['data']}")
        rows = (page.row, page.row + TABLE_ROWS - 1)
        page.spill(
            f"fit_{number}", rows, (0, len(NAMES) - 1),
            f"=FIT_COEFFS(runs_{number}_params,runs_{number}_tokens,runs_{number}_loss)", COEFFICIENT,
        )  # fmt: skip
        page.name_cells(f"fit_{number}_estimates", (rows[0] + 1, rows[0] + len(NAMES)), 1)
        page.row = rows[1] + 1 + WARNING_ROWS
    page.band("Found again by FIT_COEFFS: data", "", *NAMES)
    first = page.row
    for number, fit in _own():
        page.label(fit["data"])
        page.spill(
            f"fit_{number}_law", page.row, (2, 1 + len(NAMES)), f"=TRANSPOSE(fit_{number}_estimates)", "0.###",
        )  # fmt: skip
        page.row += 1
    page.name_cells("found_data", (first, page.row - 1), 0)
    page.name_cells("found_coefficients", (first, page.row - 1), (2, 1 + len(NAMES)))


def _compare(page: Page, compare: Callable[..., None]) -> None:
    """COEFFS against print, then what FIT_COEFFS found again."""
    for prefix, source, fits, label, remedy in (
        ("comparison_1", "table_1", printed.fits(), "every coefficient is as printed",
         "COEFFS gives other coefficients than the paper prints: see Table 1."),
        ("comparison_fits", "found", [fit for _, fit in _own()], "FIT_COEFFS finds every law again",
         "FIT_COEFFS does not find the law behind noiseless runs: see Table 1."),
    ):  # fmt: skip
        cells = [(fit, name) for fit in fits for name in NAMES]
        figures = [Figure.read(fit[name]) for fit, name in cells]
        found = "found again, " if source == "found" else ""
        compare(
            page, prefix,
            [f"{name}, {found}{fit['data']}" for fit, name in cells],
            (
                Column("data", "Data", "row", style.PLAIN, [fit["data"] for fit, _ in cells], words=True),
                Column("figure", "Coefficient", "column", style.PLAIN, [name for _, name in cells], words=True),
            ),
            figures, figures, [""] * len(cells), ["0.000"] * len(cells), ["" if name in ("alpha", "beta") else "nats" for _, name in cells],
            f"=INDEX({source}_coefficients,MATCH({{data}},{source}_data,0),MATCH({{figure}},table_1_names,0))",
        )  # fmt: skip
        page.skip()
        page.book.rule(f"Table 1: {label}", f'=COUNTIF({prefix}_verdict,"{FAIL}")', remedy)
