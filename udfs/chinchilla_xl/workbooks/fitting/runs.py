"""The page of training runs: room to paste them, what the fit says of each, and points for charts."""

from __future__ import annotations

import numpy as np

from chinchilla_xl import laws
from chinchilla_xl.elementwise import POSITIVE
from chinchilla_xl.workbooks import style
from chinchilla_xl.workbooks.book import Book
from chinchilla_xl.workbooks.columns import COUNTER, Column, table
from chinchilla_xl.workbooks.page import Page
from chinchilla_xl.workbooks.paper import printed

COUNT = 200
"""Runs that there is room for."""

CHARTED = (9, 10)
"""The columns of tokens per parameter and residual of the points of the chart."""

_NOISE = 0.005


def fill(book: Book) -> tuple[Page, tuple[int, int]]:
    """Build the sheet; it and its first and last row of runs."""
    page = Page(
        book, "Runs", (8, 16, 16, 13, 9, 14, 14, 14, 10, 14, 14, 30, 34), about="paste training runs here; fitted losses and residuals",
    )  # fmt: skip
    page.title(
        "Runs",
        "Paste parameters, tokens and final losses over the blue cells, from the first row on, without gaps; clear what is left over.",
        "The last columns are the points of the chart: rows below the last run repeat it, so that the chart has no gaps.",
    )  # fmt: skip
    page.skip()
    page.freeze()
    params, tokens, losses = _placeholders()
    columns = (
        Column("run", "Run", "number", style.WHOLE, range(1, COUNT + 1), look=COUNTER),
        Column("params", "Parameters", "parameters", style.COUNT, params, POSITIVE),
        Column("tokens", "Training tokens", "tokens", style.COUNT, tokens, POSITIVE),
        Column("loss", "Final loss", "nats/token", style.LOSS, losses, POSITIVE),
        Column("filled", "Filled", "run or 0", style.WHOLE, formula="=IF(COUNT({params}:{loss})>0,{run},0)"),
        Column("fitted", "Fitted loss", "nats/token", style.LOSS,
               formula='=IF({filled}>0,CHINCHILLA_LOSS({params},{tokens},fitted_law),"-")'),
        Column("residual", "Log residual", "log ratio", "0.00%", formula='=IF({filled}>0,LN({fitted}/{loss}),"-")'),
        Column("ratio", "Tokens/param", "tokens/param", style.RATIO, formula='=IF({filled}>0,{tokens}/{params},"-")'),
        Column("shown", "Shown", "run", style.WHOLE, formula="=MAX(1,MIN({run},MAX(run_filled)))"),
        Column("shown_ratio", "Chart: ratio", "tokens/param", style.RATIO, formula="=INDEX(run_ratio,{shown})"),
        Column("shown_residual", "Chart: residual", "", "0.00%", formula="=INDEX(run_residual,{shown})"),
    )  # fmt: skip
    rows = table(page, "run", columns, COUNT, source="your own; placeholders are synthetic")
    page.finish()
    book.rule(
        "Runs: no gaps, and every row is complete", "=MAX(run_filled)-MIN(COUNT(run_params),COUNT(run_tokens),COUNT(run_loss))",
        "A run lacks a figure, or there is a blank row above the last run: see Runs.",
    )  # fmt: skip
    return page, rows


def _placeholders() -> tuple[list[float], list[float], list[float]]:
    """Synthetic runs on the grid of the paper's Table 4."""
    grid = printed.runs()
    params = np.array([size for _, size, _ in grid])
    tokens = params * np.array([ratio for *_, ratio in grid])
    noise = np.exp(_NOISE * np.random.default_rng(0).standard_normal(params.size))
    losses = np.round(laws.loss(params, tokens) * noise, 5)
    return params.tolist(), tokens.tolist(), losses.tolist()
