"""Break-even: the demand, and the month of the plan, from which a smaller model is ahead."""

from __future__ import annotations

from chinchilla_xl.elementwise import NON_NEGATIVE
from chinchilla_xl.workbooks import style
from chinchilla_xl.workbooks.book import Book
from chinchilla_xl.workbooks.budget import timeline
from chinchilla_xl.workbooks.budget.inputs import BEYOND
from chinchilla_xl.workbooks.budget.models import COLUMNS, MODEL_TITLES, MODELS
from chinchilla_xl.workbooks.charts import line, put_chart
from chinchilla_xl.workbooks.page import Page

_SERVED = (0, 0.05, 0.1, 0.25, 0.5, 0.75, 1, 1.5, 2)
"""Shares of the lifetime demand at which the costs are drawn."""

_KEYS = tuple(f"{MODELS[b]}_over_{MODELS[a]}" for a, b in timeline.PAIRS)
_PAIR_TITLES = tuple(f"{MODEL_TITLES[b]} v {MODEL_TITLES[a]}" for a, b in timeline.PAIRS)


def fill(book: Book) -> None:
    """Build the sheet."""
    page = Page(
        book, "Break-even", (40, 28, 28, 28, 11, 56), about="the demand and the month from which a smaller model is ahead",
    )  # fmt: skip
    page.title(
        "Break-even",
        "A smaller model trained on more data costs more before it serves, and less for every token served.",
    )
    page.skip()
    page.freeze()
    _pairs(page)
    page.skip()
    _served(page)
    _month_chart(page)
    page.finish()


def _pairs(page: Page) -> None:
    page.band("Which model overtakes which", *_PAIR_TITLES, last="How it is computed")
    for key, label, places in (
        ("first", "Model that is overtaken (its place on Results)", [a + 1 for a, _ in timeline.PAIRS]),
        ("second", "Model that overtakes (its place on Results)", [b + 1 for _, b in timeline.PAIRS]),
    ):  # fmt: skip
        page.fixed(
            key, label, places, "number", "1 Chinchilla-style, 2 compute-optimal, 3 cost-optimal"
        )
    one = {k: f"INDEX(model_{k},1,{{first}})" for k in ("params", "tokens", "training_cost")}
    other = {k: f"INDEX(model_{k},1,{{second}})" for k in ("params", "tokens", "training_cost")}
    serving = "SERVE_COST({size},share_of_input,share_of_output,deployment)"
    same = f"ABS({other['params']}/{one['params']}-1)<=check_tolerance"
    overtaken = (
        f'=IF({{rate_one}}<={{rate_other}}*(1+check_tolerance),IF({same},"same model","none"),'
        f"MAX(0,({other['training_cost']}-{one['training_cost']})/({{rate_one}}-{{rate_other}})))"
    )
    rows = (
        ("flops", "Break-even by FLOPs",
         f'=IF({same},"same model",IFERROR(BREAKEVEN_TOKENS({one["params"]},{one["tokens"]},{other["params"]},{other["tokens"]}),"none"))',
         "tokens", "BREAKEVEN_TOKENS: tokens served after which it has cost fewer FLOPs; none: one costs less at every demand", style.COUNT),
        ("rate_one", "Serving a token with the first", f"={serving.format(size=one['params'])}",
         "$/token", "SERVE_COST of one token of the request mix", style.SCIENTIFIC),
        ("rate_other", "Serving a token with the second", f"={serving.format(size=other['params'])}",
         "$/token", "SERVE_COST of one token of the request mix", style.SCIENTIFIC),
        ("dollars", "Break-even by dollars", overtaken,
         "tokens", "(more dollars of training) / (fewer dollars a token), at the prices of the first month; 0: from the start", style.COUNT),
        ("share", "as a share of the lifetime demand",
         '=IF(ISNUMBER({dollars}),IF(inference_tokens=0,"no demand",{dollars}/inference_tokens),{dollars})',
         "share", "break-even by dollars / lifetime inference tokens", style.PERCENT),
    )  # fmt: skip
    _mix(page)
    for key, label, formula, unit, how, number_format in rows:
        page.results(
            key, label, formula, unit, how, number_format, [f"{k}_{key}" for k in _KEYS]
        )  # fmt: skip
    _months(page)


def _mix(page: Page) -> None:
    for kind in ("input", "output"):
        page.results(
            kind, f"{kind.capitalize()} share of a token served",
            f"=IF(inference_tokens=0,0,{kind}_tokens/inference_tokens)", "share",
            f"lifetime {kind} tokens / lifetime inference tokens", style.PERCENT, [f"share_of_{kind}"],
        )  # fmt: skip


def _months(page: Page) -> None:
    """The month after the last in which the first model's cumulative cost is not higher."""
    page.mark("month")
    page.label("Month in which it is reached", bold=True)
    for column, (a, b) in enumerate(timeline.PAIRS, start=1):
        ahead = f"MAX({MODELS[a]}_ahead_of_{MODELS[b]})"
        end = f"MAX({MODELS[a]}_last_month,{MODELS[b]}_last_month)"
        reached = f'IF({ahead}<COLUMNS(timeline_months),{ahead}+1,"not in the plan")'
        page.formula(
            page.row, column, f"=IF({end}>COLUMNS(timeline_months),{BEYOND},{reached})", style.WHOLE, bold=True,
        )  # fmt: skip
        page.name_cells(f"{_KEYS[column - 1]}_month", page.row, column)
    page.describe(
        "month",
        "the month after the last in which the first model's cumulative cost on Timeline is not higher",
    )
    page.row += 1
    page.results(
        "date", "Calendar month", "=IF(ISNUMBER({month}),INDEX(timeline_dates,1,{month}),{month})",
        "month", "from Timeline", style.MONTH, [f"{k}_date" for k in _KEYS],
    )  # fmt: skip


def _served(page: Page) -> None:
    page.band("Total cost by tokens served", *MODEL_TITLES, last="How it is computed")
    rows = page.input_column(
        "served_shares", "Share of the lifetime demand", _SERVED, '"x "0.00', NON_NEGATIVE
    )
    page.spill(
        "cost_by_tokens_served", rows, COLUMNS,
        "=TRAIN_COST(model_params,model_tokens,deployment)"
        "+SERVE_COST(model_params,served_shares*input_tokens,served_shares*output_tokens,deployment)",
        style.DOLLARS,
    )  # fmt: skip
    for _ in _SERVED:
        page.describe("$", "one formula: training + serving this multiple of the lifetime demand")
        page.row += 1
    chart = page.book.file.add_chart({"type": "scatter", "subtype": "straight"})
    for column, colour in zip(range(COLUMNS[0], COLUMNS[1] + 1), style.SERIES, strict=False):
        line(chart, page, [page.name, page.heading_row, column], 0, column, rows, colour)
    put_chart(
        page, chart, "Total cost by tokens served, at the prices of the first month",
        {"name": "multiple of the lifetime demand", "num_format": "0.0", "min": 0, "max": _SERVED[-1]},
        {"name": "US dollars", "num_format": style.AXIS_DOLLARS},
    )  # fmt: skip


def _month_chart(page: Page) -> None:
    chart = page.book.file.add_chart({"type": "line"})
    for model, title, colour in zip(MODELS, MODEL_TITLES, style.SERIES, strict=False):
        chart.add_series({
            "name": title,
            "categories": "=timeline_dates",
            "values": f"={model}_monthly_sum",
            "line": {"color": colour, "width": 2},
        })  # fmt: skip
    put_chart(
        page, chart, "Cumulative cost by month, at each month's prices",
        {"name": "month", "num_format": "mmm yy", "date_axis": True, "major_unit": 6, "major_unit_type": "months"},
        {"name": "US dollars", "num_format": style.AXIS_DOLLARS},
        rows=19,
    )  # fmt: skip
