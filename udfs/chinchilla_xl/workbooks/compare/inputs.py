"""The page of inputs: target quality, demand, machines, and the table of models."""

from __future__ import annotations

from chinchilla_xl.elementwise import NON_NEGATIVE, POSITIVE
from chinchilla_xl.workbooks import blocks, rules, style
from chinchilla_xl.workbooks.book import Book
from chinchilla_xl.workbooks.columns import Column, table
from chinchilla_xl.workbooks.page import Page
from chinchilla_xl.workbooks.rules import Between

COUNT = 10
"""Models that there is room for."""

MOST_MONTHS = 60
"""The longest service that the sheet Over time has room for."""

CASES = [f"model_{number}" for number in range(1, COUNT + 1)]
"""What the names of a model's cells start with."""

SIZING = ("as given", "Chinchilla-style", "to the target loss", "compute-optimal", "cost-optimal")
"""Ways of sizing a model, in the order that the formulas choose by."""

_MEANINGS = (
    "parameters and training tokens as given",
    "parameters as given; training tokens for which that size is Chinchilla-optimal",
    "parameters as given; training tokens with which that size reaches the target loss",
    "the model of the target loss that takes the fewest FLOPs over its life (Eq. 3)",
    "the model of the target loss that costs least over its life (Eq. 6)",
)
_MODELS: tuple[tuple[str | None, str | None, float | None, float | None], ...] = (
    ("Chinchilla-style 30B", SIZING[1], 30e9, None),
    ("Compute-optimal", SIZING[3], None, None),
    ("Cost-optimal", SIZING[4], None, None),
    ("LaMDA", SIZING[0], 137e9, 168e9),
    ("GPT-3", SIZING[0], 175e9, 300e9),
    ("Jurassic", SIZING[0], 178e9, 300e9),
    ("Gopher", SIZING[0], 280e9, 300e9),
    ("MT-NLG", SIZING[0], 530e9, 270e9),
    ("Chinchilla", SIZING[0], 70e9, 1.4e12),
    (None, None, None, None),
)


def fill(book: Book) -> None:
    """Build the sheet Inputs and the sheet with the table of models."""
    page = Page(
        book, "Inputs", (40, 18, 10, 10, 10, 14, 25, 50), notes=3, about="target quality, demand and GPUs",
    )  # fmt: skip
    page.title("Inputs", "Edit the blue cells. Prices are assumptions, not quotes.")
    page.skip()
    page.freeze()
    _quality(page)
    page.skip()
    _demand(page)
    page.skip()
    page.band("GPU pricing and utilisation", "Value", last="Source")
    blocks.machines(page)
    page.finish()
    _models(book)


def _quality(page: Page) -> None:
    page.band("Target quality", "Value", last="Source")
    page.input(
        "target_params", "Chinchilla-style model of this size", 30e9, "parameters",
        "assumption (row 4 of Tables 2 and 3 of arXiv 2401.00448)", style.COUNT, rules.PARAMS,
    )  # fmt: skip
    page.input(
        "loss_tolerance", "Tolerance of the loss", 0.01, "nats/token",
        "assumption: models within it of the target loss count as comparable", style.LOSS, NON_NEGATIVE,
    )  # fmt: skip
    blocks.law(page)
    blocks.flops_factors(page)


def _demand(page: Page) -> None:
    page.band("Demand", "Value", last="Source")
    page.input(
        "requests_per_month", "Requests in the first month", 646e6, "requests",
        "assumption (by default, with the rows below, 5T tokens in all)", style.COUNT, NON_NEGATIVE,
    )  # fmt: skip
    page.input(
        "demand_growth", "Growth of requests a month", 0, "share a month",
        "assumption; negative: a fall", style.PERCENT, Between(-0.99, 1),
    )  # fmt: skip
    blocks.request(page)
    page.input(
        "months", "Months in service", 36, "months", "assumption", style.WHOLE,
        Between(1, MOST_MONTHS, "whole"),
    )  # fmt: skip
    page.input(
        "least_demand", "Least demand on the sheet By demand", 1e10, "tokens", "assumption",
        style.COUNT, POSITIVE,
    )  # fmt: skip
    page.input(
        "most_demand", "Most demand on the sheet By demand", 1e14, "tokens", "assumption",
        style.COUNT, POSITIVE,
    )  # fmt: skip


def _models(book: Book) -> None:
    page = Page(
        book, "Table of models", (13, 26, 20, 16, 16, 34, 52), about="which models are compared: names and sizes, rows may stay blank",
    )  # fmt: skip
    page.title(
        "Table of models",
        "One row a model. Rows may stay blank, and cells that a way of sizing does not need.",
    )
    page.skip()
    page.freeze()
    names, ways, params, tokens = zip(*_MODELS, strict=True)
    table(
        page, "given",
        (
            Column("label", "Row", "", style.PLAIN, [f"Model {n}" for n in range(1, COUNT + 1)], words=True),
            Column("name", "Name", "text", style.PLAIN, names, Between(1, 40, "length"), words=True),
            Column("sizing", "Way of sizing", "choice", style.PLAIN, ways, SIZING, words=True),
            Column("params", "Parameters", "parameters", style.COUNT, params, rules.PARAMS),
            Column("tokens", "Training tokens", "tokens", style.COUNT, tokens, rules.TOKENS),
        ),
        COUNT, cases=[f"{case}_given" for case in CASES],
        source="assumption; LaMDA to Chinchilla: arXiv 2203.15556, Table 1",
    )  # fmt: skip
    page.skip()
    page.band("Ways of sizing", "What it means")
    page.name_cells("sizing_ways", (page.row, page.row + len(SIZING) - 1), 0)
    for way, meaning in zip(SIZING, _MEANINGS, strict=True):
        page.note(way, meaning)
    page.finish()
