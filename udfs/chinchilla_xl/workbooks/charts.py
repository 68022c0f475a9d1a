"""Charts: the look of all of them, their place on a page, and the kinds that several sheets have."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chinchilla_xl.workbooks import style
from chinchilla_xl.workbooks.page import ROW_HEIGHT, Page

_GRID = {"visible": True, "line": {"color": "#D9D9D9"}}
_DOLLARS = {"name": "US dollars", "num_format": style.AXIS_DOLLARS}


def put_chart(
    page: Page,
    chart: Any,
    title: str,
    x_axis: dict[str, Any],
    y_axis: dict[str, Any],
    *,
    legend: bool = True,
    rows: int = 17,
    width: int = 760,
) -> None:
    """Put a chart with titles, light gridlines and a legend below what was written so far.

    It starts a new page in print if it does not fit on the current one.
    """
    chart.set_title({"name": title, "name_font": {"size": 12}, "overlay": False})
    chart.set_x_axis(x_axis)
    chart.set_y_axis({"major_gridlines": _GRID, **y_axis})
    chart.set_legend({"position": "bottom"} if legend else {"none": True})
    chart.set_size({"width": width, "height": ROW_HEIGHT * (rows - 1)})
    page.keep_together(rows)
    page.skip()
    page.sheet.insert_chart(page.row, 0, chart, {"description": title, "object_position": 1})
    page.skip(rows)


def line(
    chart: Any, page: Page, name: Any, x: int, y: int, rows: tuple[int, int], colour: str
) -> None:
    """Add a line through the cells of column y, over those of column x, to a chart."""
    chart.add_series({
        "name": name,
        "categories": [page.name, rows[0], x, rows[1], x],
        "values": [page.name, rows[0], y, rows[1], y],
        "marker": {"type": "none"},
        "line": {"color": colour, "width": 2},
    })  # fmt: skip


def stacked_dollars(
    page: Page, keys: tuple[str, str], columns: tuple[int, int], title: str, axis: str
) -> None:
    """Two rows of dollars on top of each other, a column for each heading of the last band."""
    chart = page.book.file.add_chart({"type": "column", "subtype": "stacked"})
    first, last = columns
    for key, colour in zip(keys, (style.SERIES[0], style.SERIES[2]), strict=True):
        row = page.row_of(key)
        chart.add_series({
            "name": [page.name, row, 0],
            "categories": [page.name, page.heading_row, first, page.heading_row, last],
            "values": [page.name, row, first, row, last],
            "fill": {"color": colour},
            "gap": 80,
        })  # fmt: skip
    put_chart(page, chart, title, {"name": axis}, _DOLLARS)


def stacked_bars(
    page: Page, title: str, axis: str, names: int, parts: Mapping[str, int], rows: tuple[int, int],
    *, height: int,
) -> None:  # fmt: skip
    """A bar of dollars for each row, made up of its parts, by their columns; `names` has its name."""
    chart = page.book.file.add_chart({"type": "bar", "subtype": "stacked"})
    first, last = rows
    for (part, column), colour in zip(parts.items(), style.SERIES[1:], strict=False):
        chart.add_series({
            "name": part,
            "categories": [page.name, first, names, last, names],
            "values": [page.name, first, column, last, column],
            "fill": {"color": colour},
            "gap": 60,
        })  # fmt: skip
    put_chart(
        page, chart, title,
        {**_DOLLARS, "label_position": "high", "major_gridlines": _GRID},
        {"name": axis, "reverse": True, "major_gridlines": {"visible": False}}, rows=height,
    )  # fmt: skip
