"""The pages of Figures 1, 2, 5 and 6: curves and heat maps from live formulas."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chinchilla_xl.elementwise import POSITIVE
from chinchilla_xl.workbooks import style
from chinchilla_xl.workbooks.columns import COUNTER, FAIL, Column, table
from chinchilla_xl.workbooks.grids import heat_map
from chinchilla_xl.workbooks.page import Book, Page
from chinchilla_xl.workbooks.paper import printed, tables
from chinchilla_xl.workbooks.paper.inputs import DEMAND, LOSS, STYLE_PARAMS

_CURVE = 41
"""Points of a curve."""

_WIDE = (36, 11, 21, 13, 13, 13, 13, 11, 11, 14, 25, 50)
_HEAT = (9, 13, *(7.5,) * DEMAND.count)
_DOWN = (LOSS, STYLE_PARAMS)
_TIMES = "TRANSPOSE(axis_demand)"


def pages(book: Book) -> list[Page]:
    """The pages of the figures, in order, to be filled by `FILLS`."""
    return [
        book.page("Figure 1", _WIDE, notes=3, about="two models of the same loss: FLOPs against demand"),
        book.page("Figure 2", _HEAT, notes=0, about="heat maps of the compute-optimal model over the Chinchilla-style one"),
        book.page("Figure 5", _WIDE, notes=3, about="loss against tokens per parameter by the laws of Table 1"),
        book.page("Figure 6", _HEAT, notes=0, about="heat maps of the cost-optimal model over the Chinchilla-style one"),
    ]  # fmt: skip


def _figure_1(page: Page) -> None:
    claim = printed.figure_1()
    page.title(
        "Figure 1: two models of the same loss",
        "The smaller one takes more FLOPs to train and fewer to serve: beyond the break-even it is the cheaper one.",
    )
    page.skip()
    page.freeze()
    page.band("Models", "Value", *[""] * 7, "Unit", "Name", "Source")
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
    page.band("Results", "Value", *[""] * 7, "Unit", "Name", "How it is computed")
    for name, label, formula, unit, note, look in results:
        page.results(name, label, formula, unit, note, look, [name])
    page.skip()
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
    page.skip()
    page.break_page()
    top, bottom = table(
        page, "figure_1",
        (
            Column("step", "Points of the curves", "step", style.WHOLE, range(_CURVE), look=COUNTER),
            Column("size", "Size", "parameters", style.COUNT,
                   formula="=figure_1_least_size*(figure_1_most_size/figure_1_least_size)^({step}/MAX(figure_1_step))"),
            Column("training", "Training tokens", "tokens", style.COUNT, formula="=TOKENS_FOR_LOSS(figure_1_loss,{size},coefficients)"),
            Column("inference", "Inference tokens", "tokens", style.COUNT, formula="=figure_1_most_demand*{step}/MAX(figure_1_step)"),
            Column("large_total", "FLOPs, style", "FLOPs", "0.00E+00",
                   formula="=figure_1_large*(training_flops_factor*figure_1_large_tokens+inference_flops_factor*{inference})"),
            Column("small_total", "FLOPs, smaller", "FLOPs", "0.00E+00",
                   formula="=figure_1_small*(training_flops_factor*figure_1_small_tokens+inference_flops_factor*{inference})"),
        ),
        _CURVE,
    )  # fmt: skip
    page.break_page()
    chart = page.book.file.add_chart({"type": "scatter", "subtype": "straight"})
    _line(chart, page, "same loss", 1, 2, (top, bottom), style.SERIES[0])
    for name, key, colour in (
        ("Chinchilla-style", "large", style.SERIES[2]),
        ("smaller, trained longer", "small", style.SERIES[1]),
    ):
        rows = [page.row_of(f"figure_1_{key}"), page.row_of(f"figure_1_{key}_tokens")]
        chart.add_series({
            "name": name, "categories": [page.name, rows[0], 1, rows[0], 1],
            "values": [page.name, rows[1], 1, rows[1], 1],
            "marker": {"type": "circle", "size": 9, "fill": {"color": colour}, "border": {"color": colour}},
        })  # fmt: skip
    page.chart(
        chart, "Models of the same loss",
        {"name": "parameters", "log_base": 10, "min": 1e9, "max": 1e11, "num_format": "0E+00", "crossing": "min"},
        {"name": "training tokens", "log_base": 10, "num_format": "0E+00", "crossing": "min"}, rows=20,
    )  # fmt: skip
    chart = page.book.file.add_chart({"type": "scatter", "subtype": "straight"})
    _line(chart, page, "Chinchilla-style", 3, 4, (top, bottom), style.SERIES[2])
    _line(chart, page, "smaller, trained longer", 3, 5, (top, bottom), style.SERIES[1])
    page.chart(
        chart, "Training and inference together",
        {"name": "inference tokens", "num_format": DEMAND.number_format, "min": 0},
        {"name": "cumulative FLOPs", "num_format": "0.0E+00", "min": 0}, rows=20,
    )  # fmt: skip
    page.finish()


def _line(
    chart: Any, page: Page, name: Any, x: int, y: int, rows: tuple[int, int], colour: str
) -> None:
    chart.add_series(
        {
            "name": name,
            "categories": [page.name, rows[0], x, rows[1], x],
            "values": [page.name, rows[0], y, rows[1], y],
            "marker": {"type": "none"},
            "line": {"color": colour, "width": 2},
        }
    )


def _heat_maps(
    page: Page, number: int, title: str, total: str, formulas: tuple[str, str, str]
) -> None:
    page.title(
        title,
        "Each cell: the best model over the Chinchilla-style one of the same loss, at that demand and loss. Green is low, red is high.",
    )
    page.freeze(len(_DOWN))
    names = ("total", "params", "tokens")
    titles = (f"a. {total}", "b. parameters", "c. training tokens")
    for name, text, formula in zip(names, titles, formulas, strict=True):
        page.skip()
        heat_map(
            page, f"figure_{number}_{name}", f"{text}: best over Chinchilla-style", formula, _DOWN, DEMAND,
        )  # fmt: skip
        if name == names[1]:
            page.break_page()
    page.finish()
    page.book.rule(
        f"Figure {number}: the best model never takes more than the Chinchilla-style one",
        f"=SUMPRODUCT((figure_{number}_total>1+check_tolerance)*1)",
        "The optimum is none: see the formulas of the figure.",
    )


def _figure_2(page: Page) -> None:
    style_flops = f"(axis_params*(training_flops_factor*axis_tokens+inference_flops_factor*{_TIMES}))"
    _heat_maps(
        page, 2, "Figure 2: compute-optimal over Chinchilla-style", "total FLOPs",
        (
            f"=OPT_FLOPS(axis_loss,{_TIMES},coefficients)/{style_flops}",
            f"=OPT_PARAMS(axis_loss,{_TIMES},coefficients)/axis_params",
            f"=OPT_TOKENS(axis_loss,{_TIMES},coefficients)/axis_tokens",
        ),
    )  # fmt: skip


def _figure_6(page: Page) -> None:
    demand = f"{_TIMES}*input_share,{_TIMES}*output_share,deployment"
    cost = f"(TRAIN_COST(axis_params,axis_tokens,deployment)+SERVE_COST(axis_params,{demand}))"
    _heat_maps(
        page, 6, "Figure 6: cost-optimal over Chinchilla-style", "total cost",
        (
            f"=OPT_COST(axis_loss,{demand},coefficients)/{cost}",
            f"=OPT_PARAMS(axis_loss,EFFECTIVE_TOKENS({demand}),coefficients)/axis_params",
            f"=OPT_TOKENS(axis_loss,EFFECTIVE_TOKENS({demand}),coefficients)/axis_tokens",
        ),
    )  # fmt: skip


def _figure_5(page: Page) -> None:
    page.title(
        "Figure 5: what the fits of Table 1 say of long training",
        "Loss of a model of one size against tokens per parameter. Fits to runs of few tokens per parameter fall too slowly or too fast beyond them.",
    )  # fmt: skip
    page.skip()
    page.freeze()
    page.band("Model", "Value", *[""] * 7, "Unit", "Name", "Source")
    for name, label, value, unit, source, look in (
        ("figure_5_params", "Size", 367e6, "parameters", "arXiv 2401.00448, Table 4: 370M", style.COUNT),
        ("figure_5_least_ratio", "Fewest tokens per parameter", 10, "tokens/param", "arXiv 2401.00448, Table 4", style.WHOLE),
        ("figure_5_most_ratio", "Most tokens per parameter", 10000, "tokens/param", "arXiv 2401.00448, Table 4", style.WHOLE),
    ):  # fmt: skip
        page.input(name, label, value, unit, source, look, POSITIVE)
    page.skip()
    fits = printed.fits()
    top, bottom = table(
        page, "figure_5",
        (
            Column("step", "Points of the curves", "step", style.WHOLE, range(_CURVE), look=COUNTER),
            Column("ratio", "Tokens/param", "tokens/param", style.RATIO,
                   formula="=figure_5_least_ratio*(figure_5_most_ratio/figure_5_least_ratio)^({step}/MAX(figure_5_step))"),
            Column("tokens", "Tokens", "tokens", style.COUNT, formula="=figure_5_params*{ratio}"),
            *(Column(f"law_{number}", f"Law {number}", "nats/token", style.LOSS,
                     formula=f"=CHINCHILLA_LOSS(figure_5_params,{{tokens}},table_1_law_{number})")
              for number, _ in enumerate(fits, start=1)),
        ),
        _CURVE,
    )  # fmt: skip
    page.break_page()
    chart = page.book.file.add_chart({"type": "scatter", "subtype": "straight"})
    for number, (fit, colour) in enumerate(zip(fits, style.SERIES, strict=False), start=1):
        _line(chart, page, f"{number}: {fit['data']}", 1, 2 + number, (top, bottom), colour)
    page.chart(
        chart, "Loss against tokens per parameter, by the laws of Table 1",
        {"name": "tokens per parameter", "log_base": 10, "min": 10, "max": 10000, "num_format": "#,##0"},
        {"name": "loss (nats per token)", "num_format": "0.0", "min": 2}, rows=24,
    )  # fmt: skip
    page.finish()


FILLS: tuple[Callable[[Page], None], ...] = (_figure_1, _figure_2, _figure_5, _figure_6)
"""What fills each page."""
