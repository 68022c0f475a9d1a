"""The pages of the scenarios: the table itself, the inputs that each row comes to, and its results."""

from __future__ import annotations

from typing import Any

from chinchilla_xl.workbooks import blocks, style
from chinchilla_xl.workbooks.batch.model import INPUTS, OUTPUTS
from chinchilla_xl.workbooks.blocks import Input
from chinchilla_xl.workbooks.book import Book
from chinchilla_xl.workbooks.charts import stacked_bars
from chinchilla_xl.workbooks.columns import COUNTER, Column, table
from chinchilla_xl.workbooks.page import Page
from chinchilla_xl.workbooks.rules import TINY, too_small

SHEET = "Scenarios"
COUNT = 100
"""Scenarios that the sheet Results has room for."""

_CHARTED = 20

_H100 = {"training_GPU_price": 2.95, "training_GPU_peak": 989e12, "serving_GPU_price": 2.95, "serving_GPU_peak": 1979e12}  # fmt: skip
_EXAMPLES: tuple[dict[str, Any], ...] = (
    {"scenario": "Base"},
    {"scenario": "A tenth of the demand", "requests_per_month": 64.6e6},
    {"scenario": "Ten times the demand", "requests_per_month": 6.46e9},
    {"scenario": "GPUs a quarter cheaper", "training_GPU_price": 1.125, "serving_GPU_price": 0.825},
    {"scenario": "H100 for both", **_H100},
    {"scenario": "Output MFU of 5%", "output_MFU": 0.05},
    {"scenario": "Quality of 70B", "target_params": 70e9},
    *(
        {"scenario": f"Table 3, {size / 1e9:g}B", "target_params": size,
         "requests_per_month": tokens / 215, "months": 1}
        for size, tokens in ((1e9, 50e9), (7e9, 200e9), (13e9, 1e12), (30e9, 5e12), (70e9, 10e12))
    ),
)  # fmt: skip


def fill_table(book: Book) -> None:
    """The table that sweep reads: names of inputs in its first row, nothing above or beside."""
    page = Page(
        book, SHEET, (30, *(_width(given.name) for given in INPUTS[1:])), notes=0, about="the table: one row a scenario, blank cells keep the value of Model",
    )  # fmt: skip
    page.sheet.repeat_rows(0)
    page.band(*(given.name for given in INPUTS))
    page.freeze()
    first, last = page.row, page.row + COUNT - 1
    for column, given in enumerate(INPUTS):
        cell = book.format(**{"num_format": given.number_format, **style.INPUT, **_side(given)})
        for number in range(COUNT):
            value = _EXAMPLES[number].get(given.name) if number < len(_EXAMPLES) else None
            page.sheet.write(first + number, column, value, cell)
        page.name_cells(f"scenario_{given.name}s", (first, last), column)
        page.hold((first, last), column, given.label, given.rule, blank=True)
    page.name_cells("scenario_rows", (first, last), (0, len(INPUTS) - 1))
    page.row = last + 1
    page.finish()


def _width(heading: str) -> float:
    """The width of a column that shows its heading in bold and figures such as 1,234.56B."""
    return max(12.0, 1.1 * len(heading) + 2)


def _side(given: Input) -> dict[str, Any]:
    return {"align": "left"} if given.name == "scenario" else {}


def fill_used(book: Book) -> None:
    """The inputs of each scenario: its own, or what Model says where it is blank."""
    page = Page(
        book, "Inputs used", (7, 7, 7, 30, *(_width(given.name) for given in INPUTS[1:])), notes=0, about="the inputs that each scenario comes to",
    )  # fmt: skip
    page.title(
        "Inputs used", "The scenario's own value, or that of Model where its cell is blank. Rows below the last scenario show -.",
    )  # fmt: skip
    page.skip()
    page.freeze(4)
    columns = [
        Column("row", "Row", "count", style.WHOLE, range(1, COUNT + 1), look=COUNTER),
        Column("filled", "Filled", "row or 0", style.WHOLE, formula='=IF(SUMPRODUCT((INDEX(scenario_rows,{row},0)<>"")*1)>0,{row},0)'),
        Column("used", "Used", "1 or 0", style.WHOLE, formula="=IF({row}<=MAX(used_filled),1,0)"),
    ]  # fmt: skip
    for given in INPUTS:
        own = f"INDEX(scenario_{given.name}s,{{row}})"
        columns.append(
            Column(given.name, given.name, given.unit, given.number_format,
                   formula=f'=IF({{used}}=0,"-",IF({own}="",{given.name},{own}))', words=given.name == "scenario")
        )  # fmt: skip
    rows = table(page, "used", columns, COUNT)
    right = len(columns) - 1
    page.name_cells("used_machines", rows, (right - len(blocks.MACHINES) + 1, right))
    page.finish()


def fill_results(book: Book) -> None:
    """One row of results a scenario, a summary, and a chart."""
    page = Page(
        book, "Results", (7, 30, *(15,) * len(OUTPUTS)), notes=0, about="the results of each scenario, as sweep gives them",
    )  # fmt: skip
    page.title(
        "Results", "The same formulas as on Model, for each row of Scenarios. Rows below the last scenario show -.",
    )  # fmt: skip
    page.skip()
    page.freeze(2)
    _summary(page)
    page.skip()
    cells = {given.name: f"INDEX(used_{given.name},{{row}})" for given in INPUTS}
    cells |= {output.name: f"{{{output.name}}}" for output in OUTPUTS}
    cells["deployment"] = "INDEX(used_machines,{row},0)"
    columns = [
        Column("row", "Row", "count", style.WHOLE, range(1, COUNT + 1), look=COUNTER),
        Column(
            "scenario",
            "Scenario",
            "",
            style.PLAIN,
            formula="=INDEX(used_scenario,{row})",
            words=True,
        ),
    ]
    for output in OUTPUTS:
        formula = output.formula.removeprefix("=").format_map(cells)
        columns.append(
            Column(output.name, output.label, output.unit, output.number_format,
                   formula=f'=IF(INDEX(used_used,{{row}})=0,"-",{formula})')
        )  # fmt: skip
    top, _ = table(page, "result", columns, COUNT)
    page.skip()
    places = {column.key: place for place, column in enumerate(columns)}
    parts = {"training": places["training_cost"], "serving": places["serving_cost"]}
    stacked_bars(
        page, f"Lifetime cost of the first {_CHARTED} scenarios", "scenario", places["scenario"],
        parts, (top, top + _CHARTED - 1), height=28,
    )  # fmt: skip
    page.finish()
    book.rule(
        "Results: every scenario has one", "=SUM(used_used)-COUNT(result_cost)",
        "A scenario has an input that the model cannot take: see the rows of Results with an error.",
    )  # fmt: skip
    book.rule(
        "Results: no model is smaller than a million parameters",
        f"={too_small('result_params')}",
        TINY,
    )
    book.rule(
        "Results: no cost-optimal model costs more than the Chinchilla-style one",
        "=SUMPRODUCT((result_saved_share<0-check_tolerance)*1)",
        "Formulas were changed: see Results.",
    )  # fmt: skip


def _summary(page: Page) -> None:
    page.band("Summary", "", "Value", "Unit", "How it is computed")
    for name, label, formula, unit, note, look in (
        ("scenario_count", "Scenarios", "=SUM(used_used)", "count", "rows down to the last that is filled", style.WHOLE),
        ("lowest_total", "Lowest total cost", "=MIN(result_cost)", "$", "MIN", style.DOLLARS),
        ("median_total", "Median total cost", "=MEDIAN(result_cost)", "$", "MEDIAN", style.DOLLARS),
        ("highest_total", "Highest total cost", "=MAX(result_cost)", "$", "MAX", style.DOLLARS),
    ):  # fmt: skip
        page.sheet.write(page.row, 1, label, page.book.format(indent=1))
        page.formula(page.row, 2, formula, look)
        page.name_cells(name, page.row, 2)
        for place, word in ((3, unit), (4, note)):
            page.sheet.write(
                page.row, place, word, page.book.format(font_color=style.GREY, indent=1)
            )
        page.row += 1
