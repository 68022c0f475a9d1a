"""Inputs: every assumption, those that a scenario drives in four columns with the selected one.

A scenario-driven assumption `x` has the cells x (Base), low_x, high_x, custom_x, and live_x, the
one of the selected scenario, which all formulas of the workbook take.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from chinchilla_xl.elementwise import NON_NEGATIVE, POSITIVE
from chinchilla_xl.workbooks import blocks, rules, style
from chinchilla_xl.workbooks.book import Book
from chinchilla_xl.workbooks.page import Page
from chinchilla_xl.workbooks.rules import Between, Rule

BY_PARAMS, BY_LOSS = "params", "loss"
"""How the target quality is given."""

SCENARIOS = ("Low", "Base", "High", "Custom")
PREFIXES = ("low_", "", "high_", "custom_")
"""What the names of a scenario's cells start with."""

LIVE, FIRST, LAST = 1, 2, 5
"""The columns of the selected scenario and of the four, here and on the sheet Scenarios."""

MOST_MONTHS = 60
"""The longest service that the timeline has room for, beside a year of training."""

BEYOND = '"beyond the timeline"'
"""What stands for a sum over months if the timeline does not hold them all."""

_FIGURES = ("Low", "Base", "High", "Custom")


@dataclass(frozen=True, slots=True)
class Driven:
    """A scenario-driven assumption with its values in Low, Base and High; Custom starts as Base."""

    name: str
    label: str
    values: tuple[float | str, ...]
    unit: str
    source: str
    number_format: str
    rule: Rule


_LOW_AND_HIGH: dict[str, tuple[float, float]] = {
    "training_GPU_price": (1.20, 1.90),
    "training_MFU": (0.60, 0.40),
    "serving_GPU_price": (0.90, 1.40),
    "input_MFU": (0.60, 0.40),
    "output_MFU": (0.015, 0.0075),
}
"""Low is the scenario of low cost. MFU of 40-60% is Sec. 6's range, the rest assumptions."""


def _driven(given: blocks.Input) -> Driven:
    """An input of other templates with its Low and High; without, it is the same in all."""
    low, high = _LOW_AND_HIGH.get(given.name, (given.value, given.value))
    return Driven(given.name, given.label, (low, given.value, high), *given[3:])


_DEMAND = (
    Driven("requests_per_month", "Requests a month at full demand", (174.2e6, 696.8e6, 2787.2e6),
           "requests", "assumption (Base, with the rows below: 5T tokens in all)", style.COUNT, NON_NEGATIVE),
    *map(_driven, blocks.REQUEST),
    Driven("months", "Months in service", (36, 36, 36), "months", "assumption", style.WHOLE,
           Between(1, MOST_MONTHS, "whole")),
    Driven("ramp_months", "Months until full demand", (12, 6, 3), "months",
           "assumption; 0: full demand from the first month of service", style.WHOLE, Between(0, MOST_MONTHS, "whole")),
    Driven("ramp_start_share", "Demand in the first month of service", (0.10, 0.25, 0.50),
           "share of full", "assumption; demand then grows by the same amount each month", style.PERCENT, rules.SHARE),
)  # fmt: skip

MACHINES = tuple(
    _driven(given._replace(source=f"Base: {given.source}"))
    for given in (*blocks.MACHINES, blocks.DATA_PRICE)
)
"""A deployment's numbers, in the order that the functions expect; the last is the data price."""

_TRENDS = (
    Driven("GPU_price_decline", "Fall of GPU prices a year", (0.30, 0.20, 0.10), "share a year",
           "assumption; month by month, from the first month on; negative: a rise", style.PERCENT, Between(-1, 0.99)),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Given:
    """Where the inputs stand that the sheet Scenarios reads column by column."""

    rows: dict[str, int]

    def cell(self, name: str) -> str:
        """The cell of a driven assumption, in the column where the formula stands."""
        return f"Inputs!{{column}}{self.rows[name] + 1}"

    @property
    def machines(self) -> str:
        """The cells of a deployment with the data price."""
        first, last = self.rows[MACHINES[0].name], self.rows[MACHINES[-1].name]
        return f"Inputs!{{column}}{first + 1}:{{column}}{last + 1}"

    @property
    def compute(self) -> str:
        """The cells of a deployment without the data price."""
        first, last = self.rows[MACHINES[0].name], self.rows[MACHINES[-2].name]
        return f"Inputs!{{column}}{first + 1}:{{column}}{last + 1}"


def fill(book: Book) -> Given:
    """Build the sheet."""
    page = Page(
        book, "Inputs", (38, 12, 11, 11, 11, 11, 13, 25, 50), notes=3, about="all assumptions, in four scenarios, with units and sources",
    )  # fmt: skip
    page.title(
        "Inputs",
        "Edit the blue cells. Names for --set and fill: the one shown is Base; low_, high_ and custom_ before it are the others.",
        "Prices are assumptions, not quotes; Low, Base and High are low, medium and high cost: fewer requests at lower prices, and so on.",
    )
    page.skip()
    page.freeze()
    _scenario(page)
    page.skip()
    _quality(page)
    page.skip()
    rows: dict[str, int] = {}
    _block(page, "Demand", _DEMAND, rows)
    page.skip()
    page.break_page()
    first = page.row + 1
    _block(page, "GPU pricing and utilisation", MACHINES, rows)
    page.name_cells("deployment", (first, page.row - 1), (0, LIVE))
    page.name_cells("machines", (first, page.row - 2), (0, LIVE))
    page.skip()
    _block(page, "Prices over time", _TRENDS, rows)
    page.skip()
    _single(page)
    page.skip()
    _constants(page)
    page.finish()
    return Given(rows)


def _scenario(page: Page) -> None:
    page.band("Scenario", "Value", *_FIGURES, last="Source")
    page.name_cells("scenario_names", page.heading_row, (FIRST, LAST))
    page.input("scenario", "Selected scenario", "Base", "choice", "drives every sheet but Scenarios, which shows all four", style.PLAIN, SCENARIOS)  # fmt: skip
    page.results(
        "number", "Its number", "=MATCH(scenario,scenario_names,0)", "number",
        "its place among the four", style.WHOLE, ["scenario_number"],
    )  # fmt: skip


def _quality(page: Page) -> None:
    page.band("Target quality", "Value", last="Source")
    page.input(
        "quality_by", "Quality is given by", BY_PARAMS, "choice",
        f'"{BY_PARAMS}": as good as a Chinchilla-style model of that size; "{BY_LOSS}": as a loss',
        style.PLAIN, (BY_PARAMS, BY_LOSS),
    )  # fmt: skip
    page.input(
        "target_params", "Chinchilla-style model of this size", 30e9, "parameters",
        "assumption (row 4 of the paper's Tables 2 and 3)", style.COUNT, rules.PARAMS,
    )  # fmt: skip
    page.input(
        "target_loss_given", "Or this loss", 1.96, "nats/token",
        f'assumption; used only if quality is given by "{BY_LOSS}"', style.LOSS, rules.LOSS,
    )  # fmt: skip
    blocks.law(page)
    page.results(
        "style_tokens", "Training tokens of that Chinchilla-style model",
        "=CHINCHILLA_TOKENS(target_params,coefficients)",
        "tokens", "CHINCHILLA_TOKENS", style.COUNT, ["quality_tokens"],
    )  # fmt: skip
    page.results(
        "style_loss", "Loss of that Chinchilla-style model",
        "=CHINCHILLA_LOSS(target_params,quality_tokens,coefficients)",
        "nats/token", "CHINCHILLA_LOSS", style.LOSS, ["quality_loss"],
    )  # fmt: skip
    page.results(
        "loss", "Target loss",
        f'=IF(quality_by="{BY_LOSS}",target_loss_given,IF(quality_by="{BY_PARAMS}",quality_loss,NA()))',
        "nats/token", "the one that quality is given by", style.LOSS, ["target_loss"], bold=True,
    )  # fmt: skip


def _block(
    page: Page, title: str, assumptions: Sequence[Driven], rows: dict[str, int]
) -> None:  # fmt: skip
    page.band(title, "Selected", *_FIGURES, last="Source")
    for a in assumptions:
        rows[a.name] = page.row
        line = page.row + 1
        page.formula(
            page.row, LIVE, f"=INDEX(C{line}:F{line},1,scenario_number)", a.number_format
        )  # fmt: skip
        page.name_cells(f"live_{a.name}", page.row, LIVE)
        page.inputs(
            a.name, a.label, (*a.values, a.values[1]), a.unit, a.source, a.number_format, a.rule,
            [f"{prefix}{a.name}" for prefix in PREFIXES], first=FIRST,
        )  # fmt: skip


def _single(page: Page) -> None:
    page.band("Organisation", "Value", last="Source")
    page.input("training_fleet", "GPUs for training", 512, "GPUs", "assumption", style.WHOLE, POSITIVE)  # fmt: skip
    page.input("discount_rate", "Discount rate a year", 0.10, "share a year", "assumption", style.PERCENT, Between(-0.5, 1))  # fmt: skip
    page.input(
        "start_month", "First month of training", date(2026, 1, 1), "month",
        "assumption; the first of a month", style.MONTH, Between(date(2000, 1, 1), date(2099, 12, 1), "date"),
    )  # fmt: skip
    page.input(
        "tokens_per_word", "Tokens a word", 1.33, "tokens/word",
        "assumption: a token is about 3/4 of an English word; turns stocks of words into tokens",
        style.FACTOR, Between(0.5, 10),
    )  # fmt: skip


def _constants(page: Page) -> None:
    page.band("Constants", "Value", last="Source")
    constants = (
        ("train_FLOPs_per_token", "Training FLOPs a token and parameter", 6, "FLOPs",
         "6 N D, arXiv 2401.00448, Eq. 3", style.WHOLE),
        ("serve_FLOPs_per_token", "Inference FLOPs a token and parameter", 2, "FLOPs",
         "2 N D_inf, arXiv 2401.00448, Eq. 3", style.WHOLE),
        ("hours_per_day", "Hours a day", 24, "hours", "definition; GPUs train around the clock", style.WHOLE),
        ("days_per_month", "Days a month", 365.25 / 12, "days", "365.25 days over 12 months", "0.0000"),
        ("months_per_year", "Months a year", 12, "months", "definition", style.WHOLE),
        ("one_million", "One million", 1_000_000, "tokens", "for prices per million tokens", style.WHOLE),
        ("stock_year", "Year of the stock of text", 2022, "year", "Villalobos et al. 2022, arXiv 2211.04325", "0"),
    )  # fmt: skip
    for name, label, value, unit, source, number_format in constants:
        page.constant(name, label, value, unit, source, number_format)
