"""The workbook that `chinchilla-xl fit -o` writes: coefficients, runs, residuals and charts."""

from __future__ import annotations

import math
from itertools import groupby
from typing import Any

import numpy as np

from chinchilla_xl.coefficients import NAMES
from chinchilla_xl.fit import Fit
from chinchilla_xl.functions.fitting import fit_table
from chinchilla_xl.workbooks import style
from chinchilla_xl.workbooks.book import Book
from chinchilla_xl.workbooks.charts import put_chart
from chinchilla_xl.workbooks.fits import interval_chart, residual_chart
from chinchilla_xl.workbooks.page import Page
from chinchilla_xl.workbooks.runs import RunsTable

TITLE = "Fit of a scaling law to training runs"

_LEAST_COUNT = 1e6
"""Runs below this are in units of their own, such as billions of parameters."""

_COEFFICIENT = "#,##0.0000"
_MOST_SERIES = 8
"""More sizes than this share a series with their neighbours, so that the chart stays readable."""


def build(target: Any, table: RunsTable, found: Fit) -> None:
    """Write the report, without computed values, to a path or a file object."""
    book = Book(target, TITLE)
    report = Page(book, "Fit", (32, 18, 18, 18, 18, 60), notes=1)
    runs = Page(book, "Runs", (8, 18, 18, 18, 18, 18, 18), notes=0)
    order = np.lexsort((_numbers(table.tokens), _numbers(table.params)))
    first = _fill_runs(runs, table, found, order)
    _fill_report(report, table, found)
    _loss_chart(report, runs, table, order, first)
    ratios = _numbers(table.tokens) / _numbers(table.params)
    rows = (first, first + len(table.losses) - 1)
    residual_chart(report, runs, rows, (6, 5), _log_axis(ratios))
    report.finish()
    runs.finish()
    book.file.close()


def _numbers(cells: list[Any]) -> Any:
    return np.array(cells, dtype=np.float64)


def _fill_report(page: Page, table: RunsTable, found: Fit) -> None:
    page.title(
        TITLE,
        "L(N, D) = E + A/N^alpha + B/D^beta by Eq. 4 of arXiv 2401.00448 (Approach 3 of Hoffmann "
        "et al. 2022): figures of the day it was made.",
        "For figures that follow the runs: =FIT_COEFFS(params, tokens, losses). Either table goes "
        "into any function of chinchilla-xl as its coeffs.",
        *(f"{role} read from: {column}" for role, column in table.chosen.items()),
    )
    page.skip()
    head, *rows = fit_table(found).tolist()
    first = page.row
    page.band(*head, "")
    for row in rows:
        if row[0] == "warning":  # a sentence runs across the columns that it leaves empty
            page.note(row[0], row[1])
            continue
        whole = all(isinstance(cell, str) or float(cell).is_integer() for cell in row)
        page.text(*row, number_format=style.WHOLE if whole else _COEFFICIENT)
    page.name_cells("fitted_coefficients", (first, page.row - 1), (0, 4))
    page.sheet.freeze_panes(first, 1)
    page.skip()
    _interval_chart(page, found)


def _interval_chart(page: Page, found: Fit) -> None:
    estimates = np.array([getattr(found.law, name) for name in NAMES])
    shown = [i for i, estimate in enumerate(estimates) if estimate > 0]
    page.break_page()
    page.band("Relative to the estimate", "estimate", "below", "above", "high")
    top = page.row
    for i in shown:
        low, high = float(found.low[i] / estimates[i]), float(found.high[i] / estimates[i])
        page.text(NAMES[i], 1.0, 1 - low, high - 1, high, number_format=style.PERCENT)
    last = page.row - 1
    interval_chart(page, (top, last), f"{found.confidence:.0%} intervals")


def _fill_runs(page: Page, table: RunsTable, found: Fit, order: Any) -> int:
    """The runs by size and tokens, each with its prediction; the row of the first."""
    page.band("run", "params", "tokens", "loss", "fitted loss", "log residual", "tokens/param")
    page.sheet.freeze_panes(page.row, 1)
    first = page.row
    page.sheet.repeat_rows(first - 1)
    plain = (
        _numbers(table.params).max() < _LEAST_COUNT or _numbers(table.tokens).max() < _LEAST_COUNT
    )
    count = style.PLAIN if plain else style.COUNT
    look = (style.WHOLE, count, count, style.LOSS, style.LOSS, "0.00%", style.RATIO)
    usable = all(getattr(found.law, name) > 0 for name in ("A", "B", "alpha", "beta"))
    for index in order:
        row = page.row + 1
        loss = float(table.losses[index]) * math.exp(found.residuals[index])
        fitted: tuple[Any, Any] = (loss, float(found.residuals[index]))
        if usable:
            fitted = (
                f"=CHINCHILLA_LOSS(B{row},C{row},fitted_coefficients)",
                f"=LN(E{row}/D{row})",
            )
        cells = (
            int(index) + 1, table.params[index], table.tokens[index], table.losses[index],
            *fitted,
            f"=C{row}/B{row}",
        )  # fmt: skip
        for column, (cell, number_format) in enumerate(zip(cells, look, strict=True)):
            page.sheet.write(page.row, column, cell, page.book.format(num_format=number_format))
        page.row += 1
    return first


def _loss_chart(report: Page, runs: Page, table: RunsTable, order: Any, first: int) -> None:
    chart = report.book.file.add_chart({"type": "scatter"})
    sizes = _numbers(table.params)[order]
    distinct = np.unique(sizes)
    share = math.ceil(len(distinct) / _MOST_SERIES)
    group = np.searchsorted(distinct, sizes) // share
    start = first
    for (_, members), colour in zip(groupby(group), style.LINES, strict=False):
        stop = start + len(list(members)) - 1
        span = [runs.name, start, 2, stop, 2]
        low, high = sizes[start - first], sizes[stop - first]
        name = _short(low) if low == high else f"{_short(low)} to {_short(high)}"
        chart.add_series(
            {
                "name": name,
                "categories": span,
                "values": [runs.name, start, 3, stop, 3],
                "marker": {"type": "circle", "size": 5, "fill": {"color": colour},
                           "border": {"color": colour}},
            }
        )  # fmt: skip
        if low == high:
            chart.add_series(
                {
                    "name": f"{name}, fitted",
                    "categories": span,
                    "values": [runs.name, start, 4, stop, 4],
                    "marker": {"type": "none"},
                    "line": {"color": colour, "width": 1.25},
                }
            )
        start = stop + 1
    lowest = math.floor(_numbers(table.losses).min() * 5) / 5
    put_chart(
        report, chart, "Loss against tokens, by size (points: runs; lines: fitted)",
        {"name": "training tokens", **_log_axis(_numbers(table.tokens))},
        {"name": "nats per token", "min": lowest, "num_format": "0.0"},
    )  # fmt: skip


def _log_axis(values: Any) -> dict[str, Any]:
    return {
        "log_base": 10,
        "min": 10 ** math.floor(math.log10(values.min())),
        "max": 10 ** math.ceil(math.log10(values.max())),
        "num_format": "0E+00",
        "crossing": "min",
    }


def _short(size: float) -> str:
    for factor, suffix in ((1e12, "T"), (1e9, "B"), (1e6, "M")):
        if size >= factor:
            return f"{size / factor:.3g}{suffix}"
    return f"{size:.3g}"
