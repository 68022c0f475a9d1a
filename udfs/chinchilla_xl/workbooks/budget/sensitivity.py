"""Sensitivity: how the total cost depends on demand, quality, prices and size; a formula a grid.

Each grid is one dynamic array formula of a column against a row. The second uses that dearer or
busier serving weighs as more demand: a price times s and an output MFU times m cost what s times
the input and s/m times the output tokens do.
"""

from __future__ import annotations

from collections.abc import Sequence

from chinchilla_xl.elementwise import POSITIVE
from chinchilla_xl.workbooks import style
from chinchilla_xl.workbooks.book import Book
from chinchilla_xl.workbooks.charts import put_chart
from chinchilla_xl.workbooks.page import Page, letter

_DEMAND = (0.1, 0.25, 0.5, 1, 2, 4, 10)
_QUALITY = (0.1, 0.25, 0.5, 1, 2, 4, 10)
_PRICES = (0.5, 0.75, 0.9, 1, 1.1, 1.5, 2)
_MFUS = (0.5, 0.75, 0.9, 1, 1.5, 2, 4)
_SIZES = (0.25, 0.5, 0.75, 1, 1.5, 2, 4, 8, 16)

FIRST = 3
"""The column where the grids start: label and factor, axis, workings stand before it."""

CENTRE = 3
"""The place of the factor 1 on every axis, counted from 0."""


def fill(book: Book) -> None:
    """Build the sheet."""
    page = Page(
        book, "Sensitivity", (32, 16, 14, *[10.5] * 7, 11, 44), notes=2, about="total cost over demand x quality, GPU price x MFU, model size",
    )  # fmt: skip
    page.title(
        "Sensitivity",
        "Total cost of the selected scenario in US dollars at the prices of the first month, around the plan (factor 1). Green is cheap, red dear.",
    )
    page.skip()
    page.freeze()
    _demand_by_quality(page)
    page.skip()
    _price_by_mfu(page)
    page.break_page()
    _size_by_demand(page)
    _size_chart(page)
    page.finish()


def _factors(
    page: Page, name: str, label: str, values: Sequence[float], unit: str
) -> None:  # fmt: skip
    """The factors along the top of a grid."""
    page.inputs(
        name, label, values, unit, "assumption; 1 is the plan", '"x "0.00', POSITIVE, [name], first=FIRST,
    )  # fmt: skip


def _top(
    page: Page, key: str, label: str, formula: str, unit: str, how: str, number_format: str, count: int
) -> None:  # fmt: skip
    """A row of workings along the top of a grid, named after its key."""
    columns = (FIRST, FIRST + count - 1)
    page.workings(key, label, formula, unit, how, number_format, columns, bold=True)
    page.name_cells(key, page.row_of(key), columns)


def _side(
    page: Page, name: str, factors: tuple[str, str], values: Sequence[float],
    columns: Sequence[tuple[str, str, str]],
) -> tuple[int, int]:  # fmt: skip
    """Factors down the side of a grid and what follows from them, as (name, formula, format).

    {factor} in a formula is the cell of the factor in the same row.
    """
    rows = page.input_column(name, factors[0], values, factors[1], POSITIVE)
    for column, (key, formula, number_format) in enumerate(columns, start=1):
        for row in range(rows[0], rows[1] + 1):
            text = formula.replace("{factor}", f"$A{row + 1}")
            page.formula(row, column, text, number_format, bold=column == len(columns))
        page.name_cells(key, rows, column)
    for _ in values:
        page.describe("factor; $", "assumption; 1 is the plan")
        page.row += 1
    return rows


def _demand_by_quality(page: Page) -> None:
    count = len(_QUALITY)
    page.band("Demand x quality", last="How it is computed")
    _factors(page, "quality_factors", "Factor on the size of equal quality", _QUALITY, "factor")
    _top(page, "quality_sizes", "Chinchilla-style model as good", "={quality_factors}*chinchilla_style_params",
         "parameters", "factor x size of the Chinchilla-style model of the target loss", style.COUNT, count)  # fmt: skip
    _top(page, "quality_losses", "Its loss", "=CHINCHILLA_LOSS({quality_sizes},CHINCHILLA_TOKENS({quality_sizes},coefficients),coefficients)",
         "nats/token", "CHINCHILLA_LOSS of that size on CHINCHILLA_TOKENS", style.LOSS, count)  # fmt: skip
    page.band(
        "Factor on demand",
        "Input tokens",
        "Output tokens",
        *["$"] * 7,
        "$",
        "OPT_COST: each cell its own best size",
    )
    rows = _side(
        page, "demand_factors", ("Factor on demand", '"x "0.00'), _DEMAND,
        (("grid_input_tokens", "={factor}*input_tokens", style.COUNT), ("grid_output_tokens", "={factor}*output_tokens", style.COUNT)),
    )  # fmt: skip
    page.spill(
        "cost_by_demand_and_quality", rows, (FIRST, FIRST + count - 1),
        "=OPT_COST(quality_losses,grid_input_tokens,grid_output_tokens,deployment,coefficients)",
        style.DOLLARS, heat=True,
    )  # fmt: skip


def _price_by_mfu(page: Page) -> None:
    count = len(_MFUS)
    page.band("GPU price x MFU of serving", last="How it is computed")
    _factors(page, "mfu_factors", "Factor on output MFU", _MFUS, "factor")
    _top(page, "grid_mfus", "Output MFU", "={mfu_factors}*live_output_MFU",
         "fraction", "factor x output MFU", style.MFU, count)  # fmt: skip
    page.band(
        "Factor on price",
        "Serving GPU price",
        "",
        *["$"] * 7,
        "$",
        "OPT_COST: each cell its own best size",
    )
    rows = _side(
        page, "price_factors", ("Factor on serving GPU price", '"x "0.00'), _PRICES,
        (("grid_prices", "={factor}*live_serving_GPU_price", style.PRICE),),
    )  # fmt: skip
    page.spill(
        "cost_by_price_and_mfu", rows, (FIRST, FIRST + count - 1),
        "=OPT_COST(target_loss,input_tokens*price_factors,output_tokens*price_factors/mfu_factors,deployment,coefficients)",
        style.DOLLARS, heat=True,
    )  # fmt: skip


def _size_by_demand(page: Page) -> None:
    count = len(_DEMAND)
    page.band("Model size on the iso-loss curve", last="How it is computed")
    page.results(
        "floor", "Smallest size that can reach the loss",
        "=(coefficient_A/(target_loss-coefficient_E))^(1/coefficient_alpha)", "parameters",
        "(A / (L - E))^(1/alpha): below it no amount of data is enough (Eq. 1)", style.COUNT,
        ["smallest_params"],
    )  # fmt: skip
    _factors(page, "size_demand_factors", "Factor on demand", _DEMAND, "factor")
    for kind in ("input", "output"):
        _top(page, f"size_{kind}_tokens", f"{kind.capitalize()} tokens", f"={{size_demand_factors}}*{kind}_tokens",
             "tokens", "factor x lifetime tokens", style.COUNT, count)  # fmt: skip
    page.band(
        "Factor on size above the smallest",
        "Model size",
        "Training tokens",
        *["$"] * 7,
        "$",
        "TRAIN_COST, TOKENS_FOR_LOSS, SERVE_COST",
    )
    rows = _side(
        page, "size_factors", ("Factor on size above the smallest", '"x "0.00'), _SIZES,
        (("grid_sizes", "=smallest_params+{factor}*(cost_optimal_params-smallest_params)", style.COUNT),),
    )  # fmt: skip
    page.spill(
        "grid_size_tokens", rows, 2, "=TOKENS_FOR_LOSS(target_loss,grid_sizes,coefficients)", style.COUNT,
    )  # fmt: skip
    page.spill(
        "cost_by_size_and_demand", rows, (FIRST, FIRST + count - 1),
        "=TRAIN_COST(grid_sizes,TOKENS_FOR_LOSS(target_loss,grid_sizes,coefficients),deployment)"
        "+SERVE_COST(grid_sizes,size_input_tokens,size_output_tokens,deployment)",
        style.DOLLARS, heat=True,
    )  # fmt: skip


def _size_chart(page: Page) -> None:
    chart = page.book.file.add_chart({"type": "scatter", "subtype": "straight_with_markers"})
    top = page.row - len(_SIZES)
    bottom = page.row - 1
    factors = page.row_of("size_demand_factors")
    for place, colour in zip((CENTRE - 1, CENTRE, CENTRE + 1), style.SERIES, strict=False):
        column = FIRST + place
        chart.add_series({
            "name": f"='{page.name}'!${letter(column)}${factors + 1}",
            "categories": [page.name, top, 1, bottom, 1],
            "values": [page.name, top, column, bottom, column],
            "line": {"color": colour, "width": 1.75},
            "marker": {"type": "circle", "size": 5, "fill": {"color": colour}, "border": {"color": colour}},
        })  # fmt: skip
    put_chart(
        page, chart, "Total cost along the iso-loss curve, by factor on demand",
        {"name": "model size, parameters", "log_base": 10, "num_format": style.COUNT, "crossing": "min"},
        {"name": "US dollars", "num_format": style.AXIS_DOLLARS},
    )  # fmt: skip
