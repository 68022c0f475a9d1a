"""Charts that several sheets have."""

from __future__ import annotations

from chinchilla_xl.workbooks import style
from chinchilla_xl.workbooks.page import Page


def stacked_dollars(
    page: Page, keys: tuple[str, str], columns: tuple[int, int], title: str, axis: str
) -> None:
    """Two rows of dollars on top of each other, a column for each heading of the last band."""
    chart = page.book.file.add_chart({"type": "column", "subtype": "stacked"})
    for key, colour in zip(keys, (style.SERIES[0], style.SERIES[2]), strict=True):
        chart.add_series({
            "name": [page.name, page.row_of(key), 0],
            "categories": [page.name, page.heading_row, columns[0], page.heading_row, columns[1]],
            "values": page.area(key, key, columns),
            "fill": {"color": colour},
            "gap": 80,
        })  # fmt: skip
    page.chart(
        chart, title, {"name": axis}, {"name": "US dollars", "num_format": style.AXIS_DOLLARS}
    )  # fmt: skip
