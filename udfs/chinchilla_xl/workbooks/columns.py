"""Tables whose rows are cases (models, runs, scenarios) and whose columns are inputs and figures.

A page's own rows go label by label; here each column has a unit, a rule or a formula, and a name for
all its cells. `page` has the look of single rows, this module that of whole tables.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from xlsxwriter.utility import xl_rowcol_to_cell

from chinchilla_xl.workbooks import style
from chinchilla_xl.workbooks.page import Page
from chinchilla_xl.workbooks.rules import Rule

PASS, NAMED, FAIL = "pass", "named", "FAIL"
"""What the column of verdicts says starts with one of these."""

COUNTER: dict[str, Any] = {"align": "left", "border": 0, "font_color": style.GREY}
"""The look of a column that only counts its rows."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table.

    With a `rule` its cells are inputs that hold `values` (None: blank); with a `formula` each cell
    computes it, {key} standing for the cell of the column `key` in the same row; else its cells hold
    fixed `values`. `key` names the column's cells as {prefix}_{key}.
    """

    key: str
    heading: str
    unit: str
    number_format: str
    values: Sequence[Any] = ()
    rule: Rule | None = None
    formula: str = ""
    formats: Sequence[str] = ()
    """Number formats of the rows, where they differ."""
    words: bool = False
    """Whether the cells hold words, which stand at the left."""
    look: dict[str, Any] = field(default_factory=dict)


def table(
    page: Page,
    prefix: str,
    columns: Sequence[Column],
    count: int,
    *,
    first: int = 0,
    cases: Sequence[str] = (),
    verdict: str = "",
    source: str = "",
) -> tuple[int, int]:
    """Write a table of `count` rows from column `first` on; its first and last row.

    Names: {prefix}_{key} for each column, and, with `cases`, {case}_{key} for each cell that is an
    input or a formula. `verdict` is the key of the column that is coloured by how its texts start.
    `source` is where its inputs come from; it stands with their units in each row,
    in the page's two columns of words.
    """
    headings = [""] * first + [column.heading for column in columns]
    page.band(*headings, last="Source" if source else "")
    _units(page, columns, first)
    top, bottom = page.row, page.row + count - 1
    places = {column.key: first + i for i, column in enumerate(columns)}
    for column in columns:
        place = places[column.key]
        if prefix:
            page.name_cells(f"{prefix}_{column.key}", (top, bottom), place)
        if column.rule is not None:
            page.hold(
                (top, bottom),
                place,
                column.heading,
                column.rule,
                blank=None in column.values or len(column.values) < count,
            )
        for i in range(count):
            _cell(page, column, top + i, place, i, places)
            if cases and (column.rule is not None or column.formula):
                page.name_cells(f"{cases[i]}_{column.key}", top + i, place)
    if source:
        units = dict.fromkeys(column.unit for column in columns if column.rule is not None)
        for page.row in range(top, bottom + 1):
            page.describe(", ".join(units), source)
    if verdict:
        _colour(page, (top, bottom), places[verdict])
    page.row = bottom + 1
    return top, bottom


def _units(page: Page, columns: Sequence[Column], first: int) -> None:
    """The row of units; the headings above it stand as their cells do."""
    for place, column in enumerate(columns, start=first):
        words = column.words or not place
        look = {"align": "left", "indent": 1 if place else 0} if words else {"align": "right"}
        heading = {"bold": True, "font_color": "#FFFFFF", "bg_color": style.BAND, **look}
        page.wrapped(page.row - 1, place, column.heading, **heading)
        page.sheet.write(
            page.row, place, column.unit, page.book.format(font_color=style.GREY, **look)
        )  # fmt: skip
    page.row += 1


def _cell(
    page: Page, column: Column, row: int, place: int, i: int, places: dict[str, int]
) -> None:  # fmt: skip
    number_format = column.formats[i] if column.formats else column.number_format
    look: dict[str, Any] = {"align": "left", "indent": 1 if place else 0} if column.words else {}
    look |= column.look
    if column.formula:
        cells = {key: xl_rowcol_to_cell(row, at) for key, at in places.items()}
        page.formula(row, place, column.formula.format_map(cells), number_format, **look)
        return
    value = column.values[i] if i < len(column.values) else None
    kind = style.INPUT if column.rule is not None else {}
    if column.rule is None and isinstance(value, int | float):
        kind = style.FIXED
    look = {"num_format": number_format, **kind, **look}
    page.sheet.write(row, place, value, page.book.format(**look))


def _colour(page: Page, rows: tuple[int, int], place: int) -> None:
    """Green for a pass, amber for what is to be known, red for a failure."""
    for word, colour in ((PASS, style.GREEN), (NAMED, "#9C5700"), (FAIL, "#C00000")):
        page.sheet.conditional_format(
            rows[0], place, rows[1], place,
            {
                "type": "text", "criteria": "begins with", "value": word,
                "format": page.book.file.add_format({"font_color": colour, "bold": True}),
            },
        )  # fmt: skip
