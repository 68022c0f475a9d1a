"""The page of Figure 1: two models of the same loss, their bills, and where these cross."""

from __future__ import annotations

from chinchilla_xl.elementwise import POSITIVE
from chinchilla_xl.workbooks import style
from chinchilla_xl.workbooks.charts import line, put_chart
from chinchilla_xl.workbooks.columns import COUNTER, FAIL, Column, table
from chinchilla_xl.workbooks.page import Page
from chinchilla_xl.workbooks.paper import printed, tables
from chinchilla_xl.workbooks.paper.inputs import DEMAND

WIDTHS = (36, 11, 21, 13, 13, 13, 13, 11, 11, 14, 25, 50)
_POINTS = 41


def fill(page: Page) -> None:
    """Two models, what is printed of them, points of the curves, charts."""
    page.title(
        "Figure 1: two models of the same loss",
        "The smaller one takes more FLOPs to train and fewer to serve: beyond the break-even it is the cheaper one.",
    )
    page.skip()
    page.freeze()
    _models(page)
    page.skip()
    _claims(page)
    page.skip()
    page.break_page()
    rows = _curves(page)
    page.break_page()
    _charts(page, rows)
    page.finish()


def _models(page: Page) -> None:
    claim = printed.figure_1()
    page.band("Models", "Value", last="Source")
    rows = (
        ("figure_1_large", "Chinchilla-style model", claim["large"].value, "parameters", "arXiv 2401.00448, Fig. 1", style.COUNT),
        ("figure_1_small", "Smaller model of the same loss", claim["small"].value, "parameters", "arXiv 2401.00448, Fig. 1", style.COUNT),
        ("figure_1_demand", "Demand at which they are compared", claim["inference"].value, "tokens", "arXiv 2401.00448, Sec. 2", style.COUNT),
        ("figure_1_most_demand", "Demand at the right edge of the chart", 4e12, "tokens", "assumption", style.COUNT),
        ("figure_1_least_size", "Smallest size on the curve", 3.2e9, "parameters", "assumption: large enough to reach the loss", style.COUNT),
        ("figure_1_most_size", "Largest size on the curve", 1e11, "parameters", "assumption", style.COUNT),
    )  # fmt: skip
    for name, label, value, unit, source, look in rows:
        page.input(name, label, value, unit, source, look, POSITIVE)
    page.skip()
    results = (
        ("figure_1_large_tokens", "Training tokens of the Chinchilla-style model", "=CHINCHILLA_TOKENS(figure_1_large,coefficients)", "tokens", "CHINCHILLA_TOKENS", style.COUNT),
        ("figure_1_loss", "Loss of both models", "=CHINCHILLA_LOSS(figure_1_large,figure_1_large_tokens,coefficients)", "nats/token", "CHINCHILLA_LOSS", style.LOSS),
        ("figure_1_small_tokens", "Training tokens of the smaller model", "=TOKENS_FOR_LOSS(figure_1_loss,figure_1_small,coefficients)", "tokens", "TOKENS_FOR_LOSS", style.COUNT),
        ("figure_1_breakeven", "Break-even", "=BREAKEVEN_TOKENS(figure_1_large,figure_1_large_tokens,figure_1_small,figure_1_small_tokens)", "inference tokens", "BREAKEVEN_TOKENS", style.COUNT),
        ("figure_1_large_flops", "FLOPs of the Chinchilla-style model", "=figure_1_large*(training_flops_factor*figure_1_large_tokens+inference_flops_factor*figure_1_demand)", "FLOPs", "Eq. 3", "0.000E+00"),
        ("figure_1_small_flops", "FLOPs of the smaller model", "=figure_1_small*(training_flops_factor*figure_1_small_tokens+inference_flops_factor*figure_1_demand)", "FLOPs", "Eq. 3", "0.000E+00"),
        ("figure_1_saved", "FLOPs saved", "=figure_1_large_flops-figure_1_small_flops", "FLOPs", "difference", "0.000E+00"),
        ("figure_1_saved_share", "Share of FLOPs saved", "=figure_1_saved/figure_1_large_flops", "share", "FLOPs saved / those of the Chinchilla-style model", "0.00%"),
    )  # fmt: skip
    page.band("Results", "Value", last="How it is computed")
    for name, label, formula, unit, note, look in results:
        page.results(name, label, formula, unit, note, look, [name])


def _claims(page: Page) -> None:
    claim = printed.figure_1()
    tables.compare(
        page, "comparison_figure_1", ["FLOPs saved at the demand", "Share of FLOPs saved at the demand"],
        (Column("model", "Model", "", style.PLAIN, [claim["small"].text] * 2, words=True),
         Column("figure", "Figure", "", style.PLAIN, ["figure_1_saved", "figure_1_saved_share"], words=True)),
        [claim["saved"], claim["saved_share"]], [claim["saved"], claim["saved_share"]], ["", ""],
        ["0.000E+00", "0.00%"], ["FLOPs", "share"], '=IF({figure}="figure_1_saved",figure_1_saved,figure_1_saved_share)',
    )  # fmt: skip
    page.book.rule(
        "Figure 1: the savings are as printed", f'=COUNTIF(comparison_figure_1_verdict,"{FAIL}")',
        "Inputs differ from the paper's settings: see Figure 1 and Inputs.",
    )  # fmt: skip
    page.book.check(
        "Figure 1: at the break-even both models have taken the same FLOPs",
        "=figure_1_large*(training_flops_factor*figure_1_large_tokens+inference_flops_factor*figure_1_breakeven)",
        "=figure_1_small*(training_flops_factor*figure_1_small_tokens+inference_flops_factor*figure_1_breakeven)",
        "FLOPs", "There is no break-even if the second model is not smaller, or too small to reach the loss.",
    )  # fmt: skip


def _curves(page: Page) -> tuple[int, int]:
    return table(
        page, "figure_1",
        (
            Column("step", "Points of the curves", "step", style.WHOLE, range(_POINTS), look=COUNTER),
            Column("size", "Size", "parameters", style.COUNT,
                   formula="=figure_1_least_size*(figure_1_most_size/figure_1_least_size)^({step}/MAX(figure_1_step))"),
            Column("training", "Training tokens", "tokens", style.COUNT, formula="=TOKENS_FOR_LOSS(figure_1_loss,{size},coefficients)"),
            Column("inference", "Inference tokens", "tokens", style.COUNT, formula="=figure_1_most_demand*{step}/MAX(figure_1_step)"),
            Column("large_total", "FLOPs, style", "FLOPs", "0.00E+00",
                   formula="=figure_1_large*(training_flops_factor*figure_1_large_tokens+inference_flops_factor*{inference})"),
            Column("small_total", "FLOPs, smaller", "FLOPs", "0.00E+00",
                   formula="=figure_1_small*(training_flops_factor*figure_1_small_tokens+inference_flops_factor*{inference})"),
        ),
        _POINTS,
    )  # fmt: skip


def _charts(page: Page, points: tuple[int, int]) -> None:
    chart = page.book.file.add_chart({"type": "scatter", "subtype": "straight"})
    line(chart, page, "same loss", 1, 2, points, style.SERIES[0])
    for name, key, colour in (
        ("Chinchilla-style", "large", style.SERIES[2]),
        ("smaller, trained longer", "small", style.SERIES[1]),
    ):
        x, y = page.row_of(f"figure_1_{key}"), page.row_of(f"figure_1_{key}_tokens")
        chart.add_series({
            "name": name, "categories": [page.name, x, 1, x, 1],
            "values": [page.name, y, 1, y, 1],
            "marker": {"type": "circle", "size": 9, "fill": {"color": colour}, "border": {"color": colour}},
        })  # fmt: skip
    put_chart(
        page, chart, "Models of the same loss",
        {"name": "parameters", "log_base": 10, "min": 1e9, "max": 1e11, "num_format": "0E+00", "crossing": "min"},
        {"name": "training tokens", "log_base": 10, "num_format": "0E+00", "crossing": "min"}, rows=20,
    )  # fmt: skip
    chart = page.book.file.add_chart({"type": "scatter", "subtype": "straight"})
    line(chart, page, "Chinchilla-style", 3, 4, points, style.SERIES[2])
    line(chart, page, "smaller, trained longer", 3, 5, points, style.SERIES[1])
    put_chart(
        page, chart, "Training and inference together",
        {"name": "inference tokens", "num_format": DEMAND.number_format, "min": 0},
        {"name": "cumulative FLOPs", "num_format": "0.0E+00", "min": 0}, rows=20,
    )  # fmt: skip
