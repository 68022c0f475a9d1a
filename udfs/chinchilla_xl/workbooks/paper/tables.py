"""The pages of Tables 2 and 3: the tables from live formulas, then figure by figure against print."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from chinchilla_xl.elementwise import NON_NEGATIVE, POSITIVE
from chinchilla_xl.workbooks import style
from chinchilla_xl.workbooks.book import Book
from chinchilla_xl.workbooks.columns import FAIL, NAMED, PASS, Column, table
from chinchilla_xl.workbooks.page import Page
from chinchilla_xl.workbooks.paper import printed, table_1
from chinchilla_xl.workbooks.paper.printed import FIGURES, Figure

_WIDTHS = (31, 9, 15, 12, 14, 12, 12, 13, 12, 15, 17, 38)

_HEADINGS = {
    2: ("Loss", "Training tokens", "FLOPs", "Optimal size", "Optimal tokens", "Optimal FLOPs", "FLOPs saved"),
    3: ("Loss", "Training tokens", "Cost", "Optimal size", "Optimal tokens", "Optimal cost", "Cost saved"),
}  # fmt: skip
_UNITS = {
    2: ("nats/token", "tokens", "FLOPs", "parameters", "tokens", "FLOPs", "share"),
    3: ("nats/token", "tokens", "$", "parameters", "tokens", "$", "share"),
}
_FORMATS = {
    2: (style.LOSS, style.COUNT, "0.000E+00", style.COUNT, style.COUNT, "0.000E+00", "0.00%"),
    3: (style.LOSS, style.COUNT, style.DOLLARS, style.COUNT, style.COUNT, style.DOLLARS, "0.00%"),
}
_STYLE = {
    "training": "=CHINCHILLA_TOKENS({params},coefficients)",
    "loss": "=CHINCHILLA_LOSS({params},{training},coefficients)",
    "saved": "=({spent}-{opt_spent})/{spent}",
}
_FORMULAS: Mapping[int, Mapping[str, str]] = {
    2: _STYLE | {
        "spent": "=training_flops_factor*{params}*{training}+inference_flops_factor*{params}*{tokens}",
        "opt_params": "=OPT_PARAMS({loss},{tokens},coefficients)",
        "opt_training": "=OPT_TOKENS({loss},{tokens},coefficients)",
        "opt_spent": "=OPT_FLOPS({loss},{tokens},coefficients)",
    },
    3: _STYLE | {
        "spent": "=TRAIN_COST({params},{training},deployment)+SERVE_COST({params},{tokens}*input_share,{tokens}*output_share,deployment)",
        "opt_params": "=OPT_PARAMS({loss},EFFECTIVE_TOKENS({tokens}*input_share,{tokens}*output_share,deployment),coefficients)",
        "opt_training": "=OPT_TOKENS({loss},EFFECTIVE_TOKENS({tokens}*input_share,{tokens}*output_share,deployment),coefficients)",
        "opt_spent": "=OPT_COST({loss},{tokens}*input_share,{tokens}*output_share,deployment,coefficients)",
    },
}  # fmt: skip
_TITLES = {
    2: ("Table 2: compute-optimal models",
        "For each Chinchilla-style model and its demand: the model of the same loss that takes the fewest FLOPs of training and inference (Eq. 3)."),
    3: ("Table 3: cost-optimal models",
        "For each Chinchilla-style model and its demand: the model of the same loss that costs least, training and serving together (Eq. 6)."),
}  # fmt: skip


def pages(book: Book) -> list[Page]:
    """The pages of the tables, in order, to be filled by `FILLS`."""
    abouts = ("coefficients fitted to the paper's runs, and fitted again to runs of its grid",
              "compute-optimal models against print", "cost-optimal models against print")  # fmt: skip
    widths = (table_1.WIDTHS, _WIDTHS, _WIDTHS)
    return [
        Page(book, f"Table {number}", width, notes=2, about=about)
        for number, width, about in zip((1, 2, 3), widths, abouts, strict=True)
    ]


def _fill(page: Page, number: int) -> None:
    page.title(*_TITLES[number])
    page.skip()
    page.freeze()
    rows = printed.rows(number)
    models = [row["params"].text for row in rows]
    looks = zip(
        FIGURES, _HEADINGS[number], _UNITS[number], _FORMATS[number], strict=True
    )  # fmt: skip
    figures = [
        Column(key, heading, unit, look, formula=_FORMULAS[number][key])
        for key, heading, unit, look in looks
    ]
    prefix = f"table_{number}"
    top, bottom = table(
        page, prefix,
        (
            Column("model", "From live formulas: model", "as the paper names it", style.PLAIN, models, words=True),
            Column("params", "Size", "parameters", style.COUNT, [row["params"].value for row in rows], POSITIVE),
            Column("tokens", "Demand", "tokens", style.COUNT, [row["tokens"].value for row in rows], NON_NEGATIVE),
            *figures,
        ),
        len(rows), cases=[f"{prefix}_{model}" for model in models], source=f"arXiv 2401.00448, Table {number}",
    )  # fmt: skip
    page.name_cells(f"{prefix}_computed", (top, bottom), (3, 2 + len(FIGURES)))
    page.name_cells(f"{prefix}_figures", top - 2, (3, 2 + len(FIGURES)))
    if number == 3:
        page.skip()
        _caption(page, models, [row["requests"] for row in rows], [row["spent"] for row in rows])
    page.skip()
    page.break_page()
    _compare(page, number, models, rows)
    page.finish()


def _caption(
    page: Page, models: Sequence[str], requests: Sequence[Figure], costs: Sequence[Figure]
) -> None:
    """Table 3 read as its caption says: requests as printed, 70 and 215 tokens each."""
    read, written = "{requests}*input_tokens_per_request", "{requests}*caption_output_tokens"
    size, data = (f"INDEX(table_3_{key},MATCH({{model}},table_3_model,0))" for key in ("params", "training"))  # fmt: skip
    loss = "INDEX(table_3_loss,MATCH({model},table_3_model,0))"
    table(
        page, "caption",
        (
            Column("model", "Read as the caption says: model", "as the paper names it", style.PLAIN, models, words=True),
            Column("requests", "Requests", "requests", style.COUNT, [figure.value for figure in requests], NON_NEGATIVE),
            Column("spent", "Cost", "$", style.DOLLARS,
                   formula=f"=TRAIN_COST({size},{data},deployment)+SERVE_COST({size},{read},{written},deployment)"),
            Column("opt_spent", "Optimal cost", "$", style.DOLLARS,
                   formula=f"=OPT_COST({loss},{read},{written},deployment,coefficients)"),
            Column("saved", "Cost saved", "share", "0.00%", formula="=({spent}-{opt_spent})/{spent}"),
            Column("printed", "Printed cost", "$", style.DOLLARS, [cost.value for cost in costs]),
            Column("above", "Above print", "share", style.PERCENT, formula="=({spent}-{printed})/{printed}"),
        ),
        len(models), cases=[f"caption_{model}" for model in models], source="arXiv 2401.00448, Table 3",
    )  # fmt: skip


def _compare(
    page: Page, number: int, models: Sequence[str], rows: Sequence[Mapping[str, Figure]]
) -> None:
    """One row a figure: as printed, as the equations give it, as computed, and the verdict."""
    deviations = printed.deviations(number)
    headings = dict(zip(FIGURES, _HEADINGS[number], strict=True))
    formats = dict(zip(FIGURES, _FORMATS[number], strict=True))
    units = dict(zip(FIGURES, _UNITS[number], strict=True))
    cells = [(row, model, key) for key in FIGURES for row, model in zip(rows, models, strict=True)]
    figures = [row[key] for row, _, key in cells]
    named = [deviations.get((model, key)) for _, model, key in cells]
    expected = [
        figure if deviation is None else deviation.computed
        for figure, deviation in zip(figures, named, strict=True)
    ]
    looks = [formats[key] for _, _, key in cells]
    prefix = f"comparison_{number}"
    compare(
        page, prefix,
        [f"{headings[key]} of {model}" for _, model, key in cells],
        (
            Column("model", "Model", "row", style.PLAIN, [model for _, model, _ in cells], words=True),
            Column("figure", "Figure", "column", style.PLAIN, [headings[key] for _, _, key in cells], words=True),
        ),
        figures, expected, [d.reason if d else "" for d in named], looks, [units[key] for _, _, key in cells],
        f"=INDEX(table_{number}_computed,MATCH({{model}},table_{number}_model,0),MATCH({{figure}},table_{number}_figures,0))",
    )  # fmt: skip
    page.book.rule(
        f"Table {number}: every figure is as printed or a named deviation",
        f'=COUNTIF({prefix}_verdict,"{FAIL}")',
        f"Inputs differ from the paper's settings, or a formula was changed: see Table {number}.",
    )
    page.book.check(
        f"Table {number}: figures that pass and named deviations make up the table",
        f'=COUNTIF({prefix}_verdict,"{PASS}")+COUNTIF({prefix}_verdict,"{NAMED}*")',
        f"=ROWS(table_{number}_model)*COLUMNS(table_{number}_figures)", "figures",
        f"A figure fails or is left out of the comparison: see Table {number}.",
    )  # fmt: skip
    page.book.check(
        f"Table {number}: the optimal models reach the loss of the Chinchilla-style ones",
        f"=SUMPRODUCT(CHINCHILLA_LOSS(table_{number}_opt_params,table_{number}_opt_training,coefficients))",
        f"=SUM(table_{number}_loss)", "nats/token",
        "OPT_PARAMS and OPT_TOKENS do not belong together: see the formulas of the table.",
    )  # fmt: skip


def compare(
    page: Page,
    prefix: str,
    labels: Sequence[str],
    keys: Sequence[Column],
    figures: Sequence[Figure],
    expected: Sequence[Figure],
    reasons: Sequence[str],
    formats: Sequence[str],
    units: Sequence[str],
    computed: str,
) -> None:
    """A table that holds computed figures against printed ones, with a column of verdicts.

    A figure passes if it rounds to the printed digits. If it does not, but rounds to the figure that
    the paper's equations are known to give instead, it is a named deviation; else it fails.
    """
    table(
        page, prefix,
        (
            Column("label", "Figure by figure", "", style.PLAIN, labels, words=True),
            *keys,
            Column("text", "As printed", "", style.PLAIN, [f.text for f in figures],
                   look={"align": "right"}),
            Column("printed", "Printed", "", "", [f.value for f in figures], formats=formats),
            Column("expected", "Equations give", "", "", [f.value for f in expected], formats=formats),
            Column("digit", "Last digit", "", "0.0E+00", [f.digit for f in expected]),
            Column("computed", "Computed", "", "", formula=computed, formats=formats),
            Column("off", "Off print by", "last digits", "[<100]0.000;0.0E+0", formula="=ROUND(ABS({computed}-{printed})/{digit},9)"),
            Column("verdict", "Verdict", PASS, style.PLAIN,
                   formula=f'=IF({{off}}<=half_a_digit,"{PASS}",IF(ABS({{computed}}-{{expected}})<=half_a_digit*{{digit}},"{NAMED} deviation","{FAIL}"))',
                   look={"align": "center"}),
            Column("unit", "Unit", "", style.PLAIN, units, words=True),
            Column("reason", "Why it deviates", "", style.PLAIN, reasons, words=True),
        ),
        len(labels), verdict="verdict",
    )  # fmt: skip


FILLS: tuple[Callable[[Page], None], ...] = (
    lambda page: table_1.fill(page, compare),
    lambda page: _fill(page, 2),
    lambda page: _fill(page, 3),
)
"""What fills each page."""
