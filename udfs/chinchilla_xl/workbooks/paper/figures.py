"""The pages of Figures 2, 5 and 6, heat maps and curves from live formulas; and the list of all."""

from __future__ import annotations

from collections.abc import Callable

from chinchilla_xl.elementwise import POSITIVE
from chinchilla_xl.workbooks import style
from chinchilla_xl.workbooks.book import Book
from chinchilla_xl.workbooks.charts import line, put_chart
from chinchilla_xl.workbooks.columns import COUNTER, Column, table
from chinchilla_xl.workbooks.grids import heat_map
from chinchilla_xl.workbooks.page import Page
from chinchilla_xl.workbooks.paper import figure_1, printed
from chinchilla_xl.workbooks.paper.inputs import DEMAND, LOSS, STYLE_PARAMS

_CURVE = 41
"""Points of a curve."""

_HEAT = (9, 13, *(7.5,) * DEMAND.count)
_DOWN = (LOSS, STYLE_PARAMS)
_TIMES = "TRANSPOSE(axis_demand)"


def pages(book: Book) -> list[Page]:
    """The pages of the figures, in order, to be filled by `FILLS`."""
    return [
        Page(book, "Figure 1", figure_1.WIDTHS, notes=3, about="two models of the same loss: FLOPs against demand"),
        Page(book, "Figure 2", _HEAT, notes=0, about="heat maps of the compute-optimal model over the Chinchilla-style one"),
        Page(book, "Figure 5", figure_1.WIDTHS, notes=3, about="loss against tokens per parameter by the laws of Table 1"),
        Page(book, "Figure 6", _HEAT, notes=0, about="heat maps of the cost-optimal model over the Chinchilla-style one"),
    ]  # fmt: skip


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
    style_flops = (
        f"(axis_params*(training_flops_factor*axis_tokens+inference_flops_factor*{_TIMES}))"
    )
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
    page.band("Model", "Value", last="Source")
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
        line(chart, page, f"{number}: {fit['data']}", 1, 2 + number, (top, bottom), colour)
    put_chart(
        page, chart, "Loss against tokens per parameter, by the laws of Table 1",
        {"name": "tokens per parameter", "log_base": 10, "min": 10, "max": 10000, "num_format": "#,##0"},
        {"name": "loss (nats per token)", "num_format": "0.0", "min": 2}, rows=24,
    )  # fmt: skip
    page.finish()


FILLS: tuple[Callable[[Page], None], ...] = (figure_1.fill, _figure_2, _figure_5, _figure_6)
"""What fills each page."""
