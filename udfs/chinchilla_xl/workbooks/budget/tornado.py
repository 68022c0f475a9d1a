"""Tornado: the total cost when one assumption after the other is low or high, the best size each.

The sheet Cases holds the workings, a column a case: the plan with one assumption changed by its
factor, as a deployment and a demand of its own.
"""

from __future__ import annotations

from chinchilla_xl.elementwise import POSITIVE
from chinchilla_xl.workbooks import style
from chinchilla_xl.workbooks.book import Book
from chinchilla_xl.workbooks.budget.inputs import MACHINES
from chinchilla_xl.workbooks.charts import put_chart
from chinchilla_xl.workbooks.page import Page, letter

_SIZE = "Chinchilla-style model as good"
_SERVICE = "Service, in full-demand months"

_PLAN = (
    ("requests", "Requests a month", "live_requests_per_month", "requests", style.COUNT),
    ("input", "Input tokens a request", "live_input_tokens_per_request", "tokens", style.RATIO),
    ("output", "Output tokens a request", "live_output_tokens_per_request", "tokens", style.RATIO),
    ("months", _SERVICE, "selected_full_months", "months", style.RATIO),
    *((a.name, a.label, f"live_{a.name}", a.unit, a.number_format) for a in MACHINES),
    ("size", _SIZE, "chinchilla_style_params", "parameters", style.COUNT),
)
"""Key, label, the plan's value, unit and format of everything that a case is made of."""

_STILL = ("Training GPU peak", "Serving GPU peak", "Data price")
"""What the table leaves out: a peak acts as the price over it does, and data is free by default."""

ASSUMPTIONS = tuple(label for _, label, *_ in _PLAN if label not in _STILL)
"""The assumptions that swing."""

_LOW, _HIGH = 0.75, 1.25
_COUNT = len(ASSUMPTIONS)
_TITLES = ("Low factor", "High factor", "Cost if low", "Cost if high", "Change if low", "Change if high", "Swing", "Swing / plan", "Rank")  # fmt: skip

_PLAN_COLUMN, _FIRST = 1, 2
_LAST = _FIRST + 2 * _COUNT - 1
_SPAN = (_PLAN_COLUMN, _LAST)
_CASES = ("Plan", *["low"] * _COUNT, *["high"] * _COUNT)


def fill(book: Book) -> None:
    """Build the sheets Tornado and Cases."""
    page = Page(
        book, "Tornado", (32, *[12] * len(_TITLES), 11, 44), notes=2, about="which assumption moves the total cost most",
    )  # fmt: skip
    cases = Page(
        book, "Cases", (36, 10, *[9.5] * (2 * _COUNT), 11, 58), notes=2, about="workings of the tornado: one case a column",
    )  # fmt: skip
    page.title(
        "Tornado",
        "Total cost of the selected scenario at the prices of the first month, in US dollars, when one assumption is low or high and the best size follows.",
        "Low and High are factors on the plan's figure; utilisations stop at 100%. Of equal swings the upper row ranks first.",
    )
    page.skip()
    page.freeze()
    top = page.row + 1
    _table(page, top)
    page.skip()
    _sorted(page)
    _chart(page)
    page.finish()
    _cases(cases)


def _table(page: Page, top: int) -> None:
    page.band("Assumption", *_TITLES, last="How it is computed")
    bottom = top + _COUNT - 1
    for column, (which, factor) in enumerate((("low", _LOW), ("high", _HIGH)), start=1):
        page.input_column(
            f"tornado_{which}_factors", f"The {which} factor", [factor] * _COUNT, '"x "0.00',
            POSITIVE, column=column,
        )  # fmt: skip
    for row, label in enumerate(ASSUMPTIONS, start=top):
        line = row + 1
        place = f"ROWS(A${top + 1}:A{line})"
        page.label(label)
        formulas = (
            (f"=INDEX(tornado_low_costs,1,{place})", style.DOLLARS),
            (f"=INDEX(tornado_high_costs,1,{place})", style.DOLLARS),
            (f"=D{line}-plan_cost", style.SIGNED_DOLLARS),
            (f"=E{line}-plan_cost", style.SIGNED_DOLLARS),
            (f"=ABS(E{line}-D{line})", style.DOLLARS),
            # Rounded, or the last digits, which no two programs share, would order equal swings.
            (f"=ROUND(H{line}/plan_cost,6)", style.PERCENT),
            (f"=SUMPRODUCT((tornado_swings>I{line})+0)+SUMPRODUCT((I${top + 1}:I{line}=I{line})+0)", style.WHOLE),
        )  # fmt: skip
        for column, (formula, number_format) in enumerate(formulas, start=3):
            page.formula(row, column, formula, number_format)
        page.describe("factor; $", "OPT_COST on the sheet Cases, against the plan")
        page.row += 1
    for name, column in (
        ("names", 0), ("low_change", 5), ("high_change", 6), ("swings", 8), ("ranks", 9),
    ):  # fmt: skip
        page.name_cells(f"tornado_{name}", (top, bottom), column)


def _sorted(page: Page) -> None:
    page.band(
        "By swing, largest first",
        "Rank",
        "Change if low",
        "Change if high",
        last="How it is computed",
    )
    first = page.row
    for _ in ASSUMPTIONS:
        line = page.row + 1
        page.formula(page.row, 1, f"=ROWS(E${first + 1}:E{line})", style.WHOLE)  # E is empty
        found = f"MATCH(B{line},tornado_ranks,0)"
        page.formula(page.row, 0, f"=INDEX(tornado_names,{found})", align="left")
        page.formula(page.row, 2, f"=INDEX(tornado_low_change,{found})", style.SIGNED_DOLLARS)
        page.formula(page.row, 3, f"=INDEX(tornado_high_change,{found})", style.SIGNED_DOLLARS)
        page.describe("$", "the assumption of this rank in the table above")
        page.row += 1
    page.name_cells("tornado_order", (first, page.row - 1), 1)


def _chart(page: Page) -> None:
    chart = page.book.file.add_chart({"type": "bar"})
    top, bottom = page.row - _COUNT, page.row - 1
    for column, name, colour in ((2, "if low", style.SERIES[1]), (3, "if high", style.SERIES[2])):
        chart.add_series({
            "name": name,
            "categories": [page.name, top, 0, bottom, 0],
            "values": [page.name, top, column, bottom, column],
            "fill": {"color": colour},
            "overlap": 100,
            "gap": 40,
        })  # fmt: skip
    put_chart(
        page, chart, "Change of the total cost when one assumption is low or high",
        {"name": "change in US dollars", "num_format": style.SIGNED_DOLLARS, "label_position": "high"},
        {"name": "assumption", "reverse": True, "label_position": "low", "major_gridlines": {"visible": False}},
        rows=20, width=980,
    )  # fmt: skip


def _cases(page: Page) -> None:
    page.title("Cases", "Workings of the sheet Tornado: a column a case.")
    page.skip()
    page.band("Case", *_CASES, last="How it is computed")
    page.freeze(_FIRST)
    page.sheet.repeat_columns(0, _PLAN_COLUMN)
    page.fixed(
        "place", "Place of the assumption in the table", [0, *[*range(1, _COUNT + 1)] * 2],
        "number", "the rows of Tornado; 0: the plan itself",
    )  # fmt: skip
    page.fixed(
        "which", "Low (1) or high (2)", [0, *[1] * _COUNT, *[2] * _COUNT],
        "number", "the columns of Tornado; 0: the plan itself",
    )  # fmt: skip
    page.sheet.set_row(page.row, 54)  # long names, in several lines
    page.workings(
        "name", "Assumption that changes", '=IF({place}=0,"none",INDEX(tornado_names,{place}))',
        "name", "from Tornado", style.PLAIN, _SPAN, text_wrap=True,
    )  # fmt: skip
    page.workings(
        "factor", "Its factor",
        "=IF({which}=0,1,IF({which}=1,INDEX(tornado_low_factors,{place}),INDEX(tornado_high_factors,{place})))",
        "factor", "from Tornado", style.FACTOR, _SPAN,
    )  # fmt: skip
    page.skip()
    page.band("Figures of the case", *_CASES, last="How it is computed")
    unit = letter(page.notes)
    for key, label, source, its_unit, number_format in _PLAN:
        line = page.row + 1
        here = f"{source}*IF($A{line}={{name}},{{factor}},1)"
        capped = f"MIN(MAX(1,{source}),{here})"  # an impossible plan stays impossible
        page.workings(
            key, label, f'=IF(${unit}{line}="fraction",{capped},{here})', its_unit,
            "the plan's figure x the factor, if it is the one that changes", number_format, _SPAN,
        )  # fmt: skip
    page.skip()
    page.band("Cost of the case", *_CASES, last="How it is computed")
    machines = f"{{{MACHINES[0].name}}}:{{{MACHINES[-1].name}}}"
    for key, label, formula, its_unit, how, number_format in (
        ("input_tokens", "Input tokens", "={requests}*{months}*{input}", "tokens", "requests x months x tokens a request", style.COUNT),
        ("output_tokens", "Output tokens", "={requests}*{months}*{output}", "tokens", "requests x months x tokens a request", style.COUNT),
        ("loss", "Target loss", "=CHINCHILLA_LOSS({size},CHINCHILLA_TOKENS({size},coefficients),coefficients)",
         "nats/token", "CHINCHILLA_LOSS of the Chinchilla-style model", style.LOSS),
        ("cost", "Total cost", f"=OPT_COST({{loss}},{{input_tokens}},{{output_tokens}},{machines},coefficients)",
         "$", "OPT_COST: the best size of the case", style.DOLLARS),
    ):  # fmt: skip
        page.workings(key, label, formula, its_unit, how, number_format, _SPAN)
    row = page.row_of("cost")
    page.name_cells("plan_cost", row, _PLAN_COLUMN)
    page.name_cells("tornado_low_costs", row, (_FIRST, _FIRST + _COUNT - 1))
    page.name_cells("tornado_high_costs", row, (_FIRST + _COUNT, _LAST))
    page.sheet.set_print_scale(68)
    page.sheet.set_v_pagebreaks([_FIRST + _COUNT, _LAST + 1])
    page.finish()
