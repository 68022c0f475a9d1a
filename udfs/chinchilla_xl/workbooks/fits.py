"""What sheets that show a fit share: the size of FIT_COEFFS' table, and two charts."""

from __future__ import annotations

from typing import Any

from chinchilla_xl.workbooks import style
from chinchilla_xl.workbooks.charts import put_chart
from chinchilla_xl.workbooks.page import Page

TABLE_ROWS = 15
"""Rows of FIT_COEFFS' table before its warnings."""

WARNING_ROWS = 5
"""Rows that are left empty for warnings."""

COEFFICIENT = "[>=1E+6]0.00E+00;#,##0.0000"
"""Coefficients, and the ranges of the runs below them."""


def interval_chart(page: Page, rows: tuple[int, int], name: str) -> None:
    """Estimates as 1 with error bars, from rows of name, estimate, below, above and high end."""
    first, last = rows
    chart = page.book.file.add_chart({"type": "line"})
    categories = [page.name, first, 0, last, 0]
    chart.add_series(
        {
            "name": name,
            "categories": categories,
            "values": [page.name, first, 1, last, 1],
            "line": {"none": True},
            "marker": {"type": "diamond", "size": 9, "fill": {"color": style.SERIES[0]}},
            "y_error_bars": {
                "type": "custom",
                "plus_values": f"='{page.name}'!$D${first + 1}:$D${last + 1}",
                "minus_values": f"='{page.name}'!$C${first + 1}:$C${last + 1}",
            },
        }
    )
    # Axes are scaled to values, not to error bars: an invisible series makes room for these.
    chart.add_series(
        {"name": "high", "categories": categories, "values": [page.name, first, 4, last, 4],
         "line": {"none": True}, "marker": {"type": "none"}}
    )  # fmt: skip
    put_chart(
        page, chart, f"Coefficients with their {name}, as shares of the estimates",
        {"name": "coefficient"}, {"name": "share of the estimate", "num_format": "0%", "min": 0}, legend=False, rows=15,
    )  # fmt: skip


def residual_chart(
    page: Page, runs: Page, rows: tuple[int, int], columns: tuple[int, int], axis: dict[str, Any]
) -> None:
    """Log residuals (second column) against tokens per parameter (first), on a log axis."""
    (first, last), (ratio, residual) = rows, columns
    chart = page.book.file.add_chart({"type": "scatter"})
    chart.add_series(
        {
            "name": "log residual",
            "categories": [runs.name, first, ratio, last, ratio],
            "values": [runs.name, first, residual, last, residual],
            "marker": {"type": "circle", "size": 5, "fill": {"color": style.SERIES[0]}},
        }
    )
    put_chart(
        page, chart, "Residuals against tokens per parameter",
        {"name": "tokens per parameter", "label_position": "low", **axis},
        {"name": "log of fitted over measured", "num_format": "0.00%"}, legend=False, rows=15,
    )  # fmt: skip
