"""The page of settings that the paper's tables and figures rest on."""

from __future__ import annotations

from chinchilla_xl.elementwise import POSITIVE
from chinchilla_xl.workbooks import blocks, style
from chinchilla_xl.workbooks.book import Book
from chinchilla_xl.workbooks.columns import COUNTER, Column, table
from chinchilla_xl.workbooks.grids import SHORT_COUNT, Axis
from chinchilla_xl.workbooks.page import Page

_MARKS = 25
DEMAND = Axis("axis_demand", "inference tokens", _MARKS, SHORT_COUNT)
LOSS = Axis("axis_loss", "loss", _MARKS, "0.000")
STYLE_PARAMS = Axis("axis_params", "its size", _MARKS, SHORT_COUNT)


def inputs_page(book: Book) -> Page:
    """The page, to be filled by `fill_inputs`."""
    return Page(
        book, "Inputs", (40, 16, 12, 16, 12, 12, 25, 50), notes=3,
        about="settings of the paper's Secs. 2 and 6, axes of the heat maps",
    )  # fmt: skip


def fill_inputs(page: Page) -> None:
    """Settings, then the marks of the heat maps' axes."""
    page.title("Inputs", "The settings of the paper; change them to see what its figures rest on.")
    page.skip()
    page.freeze()
    page.band("Scaling law", "Value", last="Source")
    blocks.law(page)
    blocks.flops_factors(page)
    page.skip()
    page.band("Request", "Value", last="Source")
    blocks.request(page)
    page.results(
        "input_share", "Share of input tokens",
        "=input_tokens_per_request/(input_tokens_per_request+output_tokens_per_request)",
        "share", "input tokens / all tokens of a request", style.PERCENT, ["input_share"],
    )  # fmt: skip
    page.results(
        "output_share", "Share of output tokens", "=1-input_share",
        "share", "1 - share of input tokens", style.PERCENT, ["output_share"],
    )  # fmt: skip
    page.constant(
        "caption_output_tokens", "Output tokens a request by Table 3's caption", 215, "tokens",
        "arXiv 2401.00448, Table 3: read literally", style.WHOLE,
    )  # fmt: skip
    page.skip()
    page.band("GPU pricing and utilisation", "Value", last="Source")
    blocks.machines(page)
    page.skip()
    page.band("Pass rule", "Value", last="Source")
    page.constant(
        "half_a_digit", "A figure passes if it is as near as this", 0.5 * (1 + 1e-9),
        "digits", "of its last printed digit: it rounds to what is printed", "0.0",
    )  # fmt: skip
    page.skip()
    page.band("Axes of Figures 2 and 6", "Value", last="Source")
    page.input(
        "least_demand", "Fewest inference tokens", 1e9, "tokens", "assumption: left edge",
        style.COUNT, POSITIVE,
    )  # fmt: skip
    page.input(
        "most_demand", "Most inference tokens", 1e15, "tokens", "assumption: right edge",
        style.COUNT, POSITIVE,
    )  # fmt: skip
    page.input(
        "worst_loss", "Highest loss", 2.6, "nats/token", "assumption: upper edge",
        style.LOSS, POSITIVE,
    )  # fmt: skip
    page.input(
        "best_loss", "Lowest loss", 1.85, "nats/token", "assumption: lower edge; above E of the law",
        style.LOSS, POSITIVE,
    )  # fmt: skip
    page.skip()
    table(
        page, "axis",
        (
            Column("step", "Step of the axes", "count", style.WHOLE, range(_MARKS), look=COUNTER),
            Column("demand", "Inference tokens", "tokens", style.COUNT,
                   formula="=least_demand*(most_demand/least_demand)^({step}/MAX(axis_step))"),
            Column("loss", "Loss", "nats/token", style.LOSS,
                   formula="=worst_loss+(best_loss-worst_loss)*{step}/MAX(axis_step)"),
            Column("params", "Chinchilla-style size", "parameters", style.COUNT,
                   formula="=OPT_PARAMS({loss},0,coefficients)"),
            Column("tokens", "Its tokens", "tokens", style.COUNT,
                   formula="=OPT_TOKENS({loss},0,coefficients)"),
        ),
        _MARKS,
    )  # fmt: skip
    page.finish()
    page.book.check(
        "Axes: a Chinchilla-style size reaches the lowest loss",
        "=CHINCHILLA_LOSS(MAX(axis_params),MAX(axis_tokens),coefficients)", "=best_loss", "nats/token",
        "The lowest loss must be above E of the coefficient set: raise it on Inputs.",
    )  # fmt: skip
