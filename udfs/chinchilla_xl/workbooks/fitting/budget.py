"""The pages of inputs and of the budget that follows from the fitted law."""

from __future__ import annotations

from chinchilla_xl.elementwise import NON_NEGATIVE, POSITIVE
from chinchilla_xl.workbooks import blocks, style
from chinchilla_xl.workbooks.book import Book
from chinchilla_xl.workbooks.charts import put_chart
from chinchilla_xl.workbooks.columns import COUNTER, Column, table
from chinchilla_xl.workbooks.page import Page
from chinchilla_xl.workbooks.rules import TINY, Between, too_small

_PERCENTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
_BINS = 20
UNREACHED = "out of reach"


def fill_inputs(book: Book) -> None:
    """Target, demand, machines."""
    page = Page(
        book, "Inputs", (40, 16, 6, 6, 6, 14, 25, 50), notes=3, about="target loss, demand, GPUs, confidence",
    )  # fmt: skip
    page.title(
        "Inputs",
        "Edit the blue cells; the runs stand on the next sheet. Prices are assumptions, not quotes.",
    )
    page.skip()
    page.freeze()
    page.band("Target quality", "Value", last="Source")
    page.input(
        "target_loss", "Target loss", 2.0, "nats/token", "assumption; on the data and tokeniser of the runs",
        style.LOSS, POSITIVE,
    )  # fmt: skip
    page.input(
        "fit_confidence", "Confidence of the intervals", 0.95, "share", "assumption", style.PERCENT,
        Between(0.5, 0.999),
    )  # fmt: skip
    page.skip()
    page.band("Demand", "Value", last="Source")
    page.input("requests_per_month", "Requests a month", 646e6, "requests",
               "assumption (by default, with the rows below, 5T tokens in all)", style.COUNT, NON_NEGATIVE)  # fmt: skip
    blocks.request(page)
    page.input("months", "Months in service", 36, "months", "assumption", style.WHOLE, POSITIVE)
    for kind in ("input", "output"):
        page.results(
            kind, f"Lifetime {kind} tokens", f"=requests_per_month*months*{kind}_tokens_per_request",
            "tokens", "requests a month x months x tokens a request", style.COUNT, [f"{kind}_tokens"],
        )  # fmt: skip
    page.skip()
    page.band("GPU pricing and utilisation", "Value", last="Source")
    blocks.machines(page)
    page.finish()


def fill(book: Book) -> None:
    """The budget by the fitted law, percentiles over the draws, and a histogram."""
    page = Page(
        book, "Budget", (40, 16, 16, 16, 16, 14, 50), about="the budget by the fitted law, with its distribution",
    )  # fmt: skip
    page.title(
        "Budget",
        "The model of the target loss that costs least by the fitted law, and the distribution of its cost over bootstrap draws of the fit.",
    )
    page.skip()
    page.freeze()
    _best(page)
    page.skip()
    _percentiles(page)
    page.skip()
    _histogram(page)
    page.finish()


def _best(page: Page) -> None:
    page.band("By the fitted law", "Cost-optimal", "Chinchilla-style", last="How it is computed")
    demand = "EFFECTIVE_TOKENS(input_tokens,output_tokens,deployment)"
    page.results(
        "demand", "Demand that the size accounts for", f"={demand}", "tokens",
        "EFFECTIVE_TOKENS; the Chinchilla-style model accounts for none", style.COUNT, ["budget_demand"],
    )  # fmt: skip
    page.formula(page.row - 1, 2, "=0*budget_demand", style.COUNT)
    names = ("budget", "style")
    reach = f'IF(target_loss>fitted_E,{{}},"{UNREACHED}")'
    number = f'=IF(ISNUMBER({{{{params}}}}),{{}},"{UNREACHED}")'
    for key, label, formula, unit, note, look in (
        ("params", "Model size", "=" + reach.format("OPT_PARAMS(target_loss,{demand},fitted_law)"), "parameters", "OPT_PARAMS with the fitted coefficients", style.COUNT),
        ("tokens", "Training tokens", "=" + reach.format("OPT_TOKENS(target_loss,{demand},fitted_law)"), "tokens", "OPT_TOKENS with the fitted coefficients", style.COUNT),
        ("training_cost", "Cost of training", number.format("TRAIN_COST({params},{tokens},deployment)"), "$", "TRAIN_COST", style.DOLLARS),
        ("serving_cost", "Cost of serving", number.format("SERVE_COST({params},input_tokens,output_tokens,deployment)"), "$", "SERVE_COST", style.DOLLARS),
        ("cost", "Total cost", number.format("{training_cost}+{serving_cost}"), "$", "training + serving", style.DOLLARS),
    ):  # fmt: skip
        page.results(
            key, label, formula, unit, note, look, [f"{name}_{key}" for name in names], bold=key == "cost",
        )  # fmt: skip
    for key, label, role in (
        ("size_beyond", "Size over the largest run", "params"),
        ("tokens_beyond", "Tokens over those of the longest run", "tokens"),
    ):
        page.results(
            key, label, number.format(f"{{{role}}}/MAX(run_{role})"), "ratio",
            "extrapolation: what the law is asked for beyond the runs it was fitted to", style.RATIO,
            [f"{name}_{key}" for name in names],
        )  # fmt: skip
    page.book.check(
        "Budget: the total is what OPT_COST gives",
        "=IF(target_loss>fitted_E,OPT_COST(target_loss,input_tokens,output_tokens,deployment,fitted_law),0)",
        "=IF(ISNUMBER(budget_cost),budget_cost,0)", "$", "Formulas were changed: see Budget.",
    )  # fmt: skip
    sizes = f"{too_small('budget_params')}+{too_small('style_params')}"
    page.book.rule("Budget: no model is smaller than a million parameters", f"={sizes}", TINY)
    page.book.rule(
        "Budget: the target loss is above the fitted E",
        "=IF(target_loss>fitted_E,0,1)",
        "No model reaches this loss by the fitted law: raise the target loss on Inputs.",
    )


def _percentiles(page: Page) -> None:
    table(
        page, "percentile",
        (
            Column("share", "Distribution over the draws: percentile", "share of draws", "0%", _PERCENTILES, look=COUNTER),
            Column("rank", "Rank", "draw", style.WHOLE, formula="=MAX(1,ROUNDUP({share}*draw_count,0))"),
            Column("cost", "Total cost", "$", style.DOLLARS,
                   formula=f'=IF({{rank}}>COUNT(draw_cost),"{UNREACHED}",SMALL(draw_cost,{{rank}}))'),
            Column("params", "Model size", "parameters", style.COUNT,
                   formula=f'=IF({{rank}}>COUNT(draw_params),"{UNREACHED}",SMALL(draw_params,{{rank}}))'),
        ),
        len(_PERCENTILES), cases=[f"p{round(100 * share):02d}" for share in _PERCENTILES],
    )  # fmt: skip
    page.skip()
    page.band("Reach", "Value", last="How it is computed")
    page.results(
        "reach", "Draws that reach the target loss", "=COUNT(draw_cost)/draw_count", "share",
        "draws whose E is below it", style.PERCENT, ["reaching_share"],
    )  # fmt: skip
    page.results(
        "spread", "Cost at 95% over cost at 5%", f'=IF(AND(ISNUMBER(p95_cost),ISNUMBER(p05_cost)),p95_cost/p05_cost,"{UNREACHED}")', "ratio",
        "how much the runs leave open", "0.00", ["cost_spread"],
    )  # fmt: skip


def _histogram(page: Page) -> None:
    span = "(MAX(draw_cost)*(1+check_tolerance)/(MIN(draw_cost)*(1-check_tolerance)))"
    least = "MIN(draw_cost)*(1-check_tolerance)"
    page.keep_together(_BINS + 2)
    rows = table(
        page, "bin",
        (
            Column("number", "Histogram of the cost: bin", "number", style.WHOLE, range(1, _BINS + 1), look=COUNTER),
            Column("from", "Above", "$", style.DOLLARS,
                   formula=f"=IF(COUNT(draw_cost)=0,0,{least}*{span}^(({{number}}-1)/MAX(bin_number)))"),
            Column("to", "Up to", "$", style.DOLLARS, formula=f"=IF(COUNT(draw_cost)=0,0,{least}*{span}^({{number}}/MAX(bin_number)))"),
            Column("count", "Draws", "count", style.WHOLE, formula="=SUMPRODUCT((draw_cost>{from})*(draw_cost<={to}))"),
            Column("share", "Share", "of all draws", style.PERCENT, formula="={count}/draw_count"),
        ),
        _BINS,
    )  # fmt: skip
    chart = page.book.file.add_chart({"type": "column"})
    chart.add_series({
        "name": "share of draws", "categories": [page.name, rows[0], 2, rows[1], 2],
        "values": [page.name, rows[0], 4, rows[1], 4], "fill": {"color": style.SERIES[1]}, "gap": 10,
    })  # fmt: skip
    put_chart(
        page, chart, "Lifetime cost over the bootstrap draws", {"name": "cost up to (US dollars)", "num_format": style.DOLLARS},
        {"name": "share of draws", "num_format": "0%", "min": 0}, legend=False,
    )  # fmt: skip
    page.book.check(
        "Budget: the histogram has every draw that reaches the loss", "=SUM(bin_count)", "=COUNT(draw_cost)", "draws",
        "The bins leave out draws: see Budget.",
    )  # fmt: skip
