"""Grids of one spilled formula over inference tokens and loss, coloured as heat maps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chinchilla_xl.workbooks import style
from chinchilla_xl.workbooks.page import Page

SHORT_COUNT = '[>=1E+12]#,##0.0,,,,"T";[>=1E+9]#,##0.0,,,"B";#,##0.0,,"M"'
"""Counts along an axis: 31.6B."""

RATIO = "[>=1000]0.0E+0;[>=10]#,##0;0.00"
"""Ratios from a hundredth to a million in the least width."""


@dataclass(frozen=True, slots=True)
class Axis:
    """The marks of an axis: a name for a column of cells, how many, and their number format."""

    name: str
    heading: str
    count: int
    number_format: str


def heat_map(
    page: Page,
    name: str,
    title: str,
    formula: str,
    down: Sequence[Axis],
    across: Axis,
    number_format: str = RATIO,
) -> None:
    """A grid under its title: marks of `down` at the left, of `across` above, one formula within.

    The formula gives one value per mark of `down` (a column) and of `across` (a row). Each row of
    marks is one spilled formula too; the name of the grid is `name`.
    """
    page.band(title)
    left = len(down)
    heading = page.book.format(bold=True, align="right", bottom=1)
    for column, axis in enumerate(down):
        page.sheet.write(page.row, column, f"{axis.heading} \N{DOWNWARDS ARROW}", heading)
    top = page.row + 1
    right, bottom = left + across.count - 1, top + down[0].count - 1
    marks = page.row
    page.spill(
        f"{name}_across", marks, (left, right), f"=TRANSPOSE({across.name})", across.number_format
    )
    for column, axis in enumerate(down):
        page.spill(
            f"{name}_down_{column + 1}", (top, bottom), column, f"={axis.name}", axis.number_format,
        )  # fmt: skip
    page.spill(name, (top, bottom), (left, right), formula, number_format, heat=True)
    page.row = bottom + 1
    quiet = page.book.format(font_color=style.GREY)
    page.sheet.write(page.row, left, f"{across.heading} \N{RIGHTWARDS ARROW}", quiet)
    page.skip(2)
