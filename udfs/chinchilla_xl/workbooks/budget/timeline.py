"""Timeline: the selected scenario month by month, for each of the three models.

Training takes its months first; service starts in the month after. Prices are those of the first
month times an index; payments fall at the end of a month and are discounted to the start of the
first.
"""

from __future__ import annotations

from typing import Any

from chinchilla_xl.workbooks import style
from chinchilla_xl.workbooks.book import Book
from chinchilla_xl.workbooks.budget.inputs import MOST_MONTHS, PREFIXES, SCENARIOS
from chinchilla_xl.workbooks.budget.models import MODEL_TITLES, MODELS
from chinchilla_xl.workbooks.page import Page, letter

UNIT, TOTAL, FIRST = 1, 2, 3
"""The columns of unit, total and first month."""

LAST = FIRST + MOST_MONTHS + 11
"""The column of the last month: a year of training and the longest service."""

PAIRS = ((0, 1), (0, 2), (1, 2))
"""Models that are compared month by month, as places in MODELS."""

_YEAR = 12
_SPAN = (FIRST, LAST)
_HOW = "How it is computed"


def fill(book: Book) -> None:
    """Build the sheet."""
    months = LAST - FIRST + 1
    page = Page(
        book, "Timeline", (40, 8, 10, *[9] * months, 96), notes=1, about="month by month: training, ramp, prices, costs, discounting",
    )  # fmt: skip
    page.title(
        "Timeline",
        "How each row is computed stands at the right end.",
        "Costs fall at the end of each month.",
    )
    page.skip()
    page.band("Month", "Unit", "Total", *[""] * months, _HOW)
    page.row -= 1
    _formulas(
        page, "month", f"=COLUMNS(${letter(FIRST)}{page.row}:{{above}})", "0", name="timeline_months",
        bold=True, font_color="#FFFFFF", bg_color=style.BAND,
    )  # fmt: skip
    page.freeze(FIRST)
    page.sheet.repeat_rows(0, page.row - 1)
    page.sheet.repeat_columns(0, TOTAL)
    _row(
        page, "date", "Calendar month", "month", "=EDATE(start_month,{month}-1)",
        "first month of training + months since", "mmm yy", name="timeline_dates",
    )  # fmt: skip
    _row(
        page, "price", "GPU price index, selected", "index",
        "=(1-live_GPU_price_decline)^(({month}-1)/months_per_year)",
        "1 in the first month, then falling by the yearly rate", "0.000", name="timeline_prices",
    )  # fmt: skip
    for title, prefix in zip(SCENARIOS, PREFIXES, strict=True):
        _row(
            page, f"{prefix}index", f"GPU price index, {title}", "index",
            f"=(1-{prefix}GPU_price_decline)^(({{month}}-1)/months_per_year)",
            "as above, with the yearly rate of this scenario", "0.000",
        )  # fmt: skip
    # The selected one, then the four: as the columns of the sheet Scenarios.
    page.name_cells("scenario_prices", (page.row_of("price"), page.row - 1), _SPAN)
    _row(
        page, "factor", "Discount factor", "factor", "=1/(1+discount_rate)^({month}/months_per_year)",
        "1 / (1 + discount rate)^(months / 12), end of month", "0.000", name="timeline_factors",
    )  # fmt: skip
    for model, title in zip(MODELS, MODEL_TITLES, strict=True):
        page.skip()
        _model(page, model, title)
    page.skip()
    _heading(page, "Which is ahead")
    for pair in PAIRS:
        (model, other), (title, other_title) = (
            [words[place] for place in pair] for words in (MODELS, MODEL_TITLES)
        )
        _row(
            page, f"{model}_{other}", f"{title} not dearer than {other_title.lower()}", "month",
            f"=IF({{{model}_sum}}<={{{other}_sum}}*(1+check_tolerance),{{month}},0)",
            "the month's number while its cumulative cost is no higher, else 0", "0",
            name=f"{model}_ahead_of_{other}",
        )  # fmt: skip
    page.sheet.set_print_scale(60)
    page.sheet.set_v_pagebreaks(list(range(FIRST + _YEAR, LAST + 2, _YEAR)))
    page.finish()


def _heading(page: Page, title: str) -> None:
    look = {"bold": True, "bg_color": "#D9E2F3"}
    for column in range(LAST + 2):
        page.sheet.write(page.row, column, "" if column else title, page.book.format(**look))
    page.row += 1


def _row(
    page: Page, key: str, label: str, unit: str, formula: str, how: str, number_format: str,
    *, name: str = "", total: str = "",
) -> None:  # fmt: skip
    """One formula over all months, with its label, unit, and how it is computed."""
    page.label(label)
    quiet = page.book.format(font_color=style.GREY, indent=1)
    page.sheet.write(page.row, UNIT, unit, quiet)
    page.sheet.write(page.row, LAST + 1, how, quiet)
    _formulas(page, key, formula, number_format, name=name, total=total)


def _formulas(
    page: Page, key: str, formula: str, number_format: str, *, name: str, total: str = "", **look: Any
) -> None:  # fmt: skip
    """One formula over all months under a name, and their sum if it has a name.

    {key} is the cell of that row in the month, {above} the cell above, {sofar} all up to that.
    """
    page.mark(key)
    line = page.row + 1
    first, last = letter(FIRST), letter(LAST)
    for column in range(FIRST, LAST + 1):
        above = f"{letter(column)}{line - 1}"
        words = {"above": above, "sofar": f"${first}{line - 1}:{above}"}
        page.formula(
            page.row, column, page.filled(formula, column, words), number_format, **look
        )  # fmt: skip
    if name:
        page.name_cells(name, page.row, _SPAN)
    if total:
        summed = style.RATIO if "%" in number_format else number_format
        page.formula(page.row, TOTAL, f"=SUM({first}{line}:{last}{line})", summed)
        page.name_cells(total, page.row, TOTAL)
    page.row += 1


def _model(page: Page, model: str, title: str) -> None:
    _heading(page, f"{title} model")
    length, start = f"{model}_training_months", f"{model}_months_before_service"
    rows = (
        ("trained", "Share of training done", "share", f"=(MIN({{month}},{length})-MIN({{month}}-1,{length}))/{length}",
         "part of the training months that falls into this month", "0%;-0%;-", "training_shares"),
        ("served", "Month of service", "month", f"=IF({{month}}>{start}+live_months,0,MAX(0,{{month}}-{start}))",
         "counted from the month after training; 0 before and after", "0;-0;-", ""),
        ("demand", "Share of full demand", "share",
         "=IF({served}=0,0,IF({served}>live_ramp_months,1,live_ramp_start_share+(1-live_ramp_start_share)*({served}-1)/live_ramp_months))",
         "first share, then as much more each month as reaches 100% after the ramp", "0%;-0%;-", "demand_shares"),
        ("training", "Training, at first month's prices", "$", f"=({model}_training_cost-{model}_data_cost)*{{trained}}",
         "cost of training without data x share done", style.DOLLARS, "timeline_training"),
        ("data", "Training data", "$", f"={model}_data_cost*{{trained}}", "cost of data x share of training done", style.DOLLARS, "timeline_data"),
        ("serving", "Serving, at first month's prices", "$", f"={model}_month_cost*{{demand}}",
         "cost of a month at full demand x share of full demand", style.DOLLARS, "timeline_serving"),
        ("cost", "Cost, at the month's prices", "$", "=({training}+{serving})*{price}+{data}",
         "(training + serving) x GPU price index + data", style.DOLLARS, "timeline_cost"),
        ("sum", "Cumulative cost", "$", "=SUM({sofar})", "sum of the row above up to this month", style.DOLLARS, ""),
        ("present", "Cost, discounted", "$", "={cost}*{factor}", "cost x discount factor", style.DOLLARS, "timeline_npv"),
    )  # fmt: skip
    for key, label, unit, formula, how, number_format, total in rows:
        text = formula
        for own, *_ in rows:  # this model's rows, by their keys on the page
            text = text.replace(f"{{{own}}}", f"{{{model}_{own}}}")
        _row(
            page, f"{model}_{key}", label, unit, text, how, number_format,
            name=f"{model}_monthly_{key}", total=total and f"{model}_{total}",
        )  # fmt: skip
