"""Data: the tokens that each model is trained on against the stock of text there is."""

from __future__ import annotations

from typing import Any

from chinchilla_xl import data
from chinchilla_xl.workbooks import style
from chinchilla_xl.workbooks.book import Book
from chinchilla_xl.workbooks.budget.models import MODEL_TITLES, MODELS
from chinchilla_xl.workbooks.charts import put_chart
from chinchilla_xl.workbooks.page import Page, letter

_SOURCE = "Villalobos et al. 2022, arXiv 2211.04325"
_STOCK, _LOW, _HIGH, _GROWTH = 1, 2, 3, 4
_TOKENS, _TOKENS_LOW, _TOKENS_HIGH = 5, 6, 7
_SHARE = 8
_COLUMNS = ("Stock", "Low", "High", "Growth", "Tokens", "Low", "High", *MODEL_TITLES)


def fill(book: Book) -> None:
    """Build the sheet."""
    page = Page(
        book, "Data", (28, *[10] * 7, *[16] * 3, 19, 42), notes=2, about="training tokens needed against the stock of text",
    )  # fmt: skip
    page.title(
        "Data",
        "Training tokens of each model as a share of the stock of text in the first month of training; intervals as published.",
        "Stocks are words of 2022, grown by their yearly rate (sources without a published rate: not grown) and turned into tokens.",
    )
    page.skip()
    page.freeze()
    page.band("Needed", *["", "", "", "", "", "", ""], *MODEL_TITLES, last="How it is computed")
    page.mark("needed")
    page.label("Training tokens")
    for column, model in enumerate(MODELS, start=_SHARE):
        page.formula(page.row, column, f"={model}_tokens", style.COUNT)
    page.describe("tokens", "from Results")
    page.row += 1
    page.mark("years")
    page.label("Years since the stocks were estimated")
    page.formula(page.row, _TOKENS, "=MAX(0,YEAR(start_month)-stock_year)", style.WHOLE)
    page.name_cells("stock_years", page.row, _TOKENS)
    page.describe("years", "year of the first month - year of the stock")
    page.row += 1
    page.skip()
    page.band("Share of the stock", *_COLUMNS, last="Source")
    stocks = data.load("text_stock.toml")
    top = page.row
    for stock in stocks.values():
        _row(page, stock)
    bottom = page.row - 1
    for name, first, last in (
        ("stock_words", _STOCK, _HIGH), ("stock_tokens", _TOKENS, _TOKENS_HIGH), ("stock_shares", _SHARE, _SHARE + 2),
    ):  # fmt: skip
        page.name_cells(name, (top, bottom), (first, last))
    page.skip()
    _extremes(page, bottom)
    _chart(page, top, bottom)
    page.finish()


def _row(page: Page, stock: dict[str, Any]) -> None:
    line = page.row + 1
    page.label(stock["label"])
    words = page.book.format(num_format=style.SCIENTIFIC, **style.FIXED)
    share = page.book.format(num_format="0.00%", **style.FIXED)
    for column, key in ((_STOCK, "words"), (_LOW, "low"), (_HIGH, "high")):
        page.sheet.write(page.row, column, stock[key], words)
    page.sheet.write(page.row, _GROWTH, stock.get("growth", "unknown"), share)
    grown = f"(1+N(${letter(_GROWTH)}{line}))^stock_years*tokens_per_word"
    for column, source in ((_TOKENS, _STOCK), (_TOKENS_LOW, _LOW), (_TOKENS_HIGH, _HIGH)):
        page.formula(page.row, column, f"={letter(source)}{line}*{grown}", style.SCIENTIFIC)
    needed = page.row_of("needed") + 1
    for column in range(_SHARE, _SHARE + len(MODELS)):
        page.formula(
            page.row, column, f"={letter(column)}${needed}/$F{line}", "[>=10]#,##0%;[>=0.1]0%;0.00%"
        )  # fmt: skip
    page.describe("words; tokens; share", _SOURCE)
    page.row += 1


def _extremes(page: Page, bottom: int) -> None:
    """How the share of the aggregate stock moves within the published interval."""
    page.band("Share of all sources together", *[""] * 7, *MODEL_TITLES, last="How it is computed")
    for label, column, key in (
        ("if the stock is at its high end", _TOKENS_HIGH, "least_share"),
        ("if the stock is as estimated", _TOKENS, "expected_share"),
        ("if the stock is at its low end", _TOKENS_LOW, "most_share"),
    ):  # fmt: skip
        page.results(
            key, label, f"={{needed}}/${letter(column)}${bottom + 1}", "share",
            "training tokens / stock in tokens",
            "[>=10]#,##0%;[>=0.1]0%;0.00%", [f"{m}_{key}" for m in MODELS], first=_SHARE,
        )  # fmt: skip


def _chart(page: Page, top: int, bottom: int) -> None:
    chart = page.book.file.add_chart({"type": "column"})
    for place, (title, colour) in enumerate(zip(MODEL_TITLES, style.SERIES, strict=False)):
        column = _SHARE + place
        chart.add_series({
            "name": title,
            "categories": [page.name, top, 0, bottom, 0],
            "values": [page.name, top, column, bottom, column],
            "fill": {"color": colour},
            "gap": 80,
        })  # fmt: skip
    put_chart(
        page, chart, "Training tokens as a share of the stock of text (log scale; 100% is all there is)",
        {"name": "source of text", "label_position": "low"},
        {"name": "share of the stock", "log_base": 10, "num_format": "0.###%", "crossing": "min"},
        rows=19, width=980,
    )  # fmt: skip
