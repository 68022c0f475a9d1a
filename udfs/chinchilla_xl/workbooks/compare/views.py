"""The pages of costs over time and by demand, and of the break-evens of every pair of models."""

from __future__ import annotations

from chinchilla_xl.workbooks import style
from chinchilla_xl.workbooks.book import Book
from chinchilla_xl.workbooks.charts import line, put_chart
from chinchilla_xl.workbooks.columns import COUNTER, Column, table
from chinchilla_xl.workbooks.compare.inputs import COUNT, MOST_MONTHS
from chinchilla_xl.workbooks.page import Page

_DEMANDS = 25

_ACROSS_PARAMS, _ACROSS_TOKENS = "TRANSPOSE(model_params)", "TRANSPOSE(model_tokens)"
_ACROSS_USED = "TRANSPOSE(model_used)"


def fill_time(book: Book) -> None:
    """Cumulative cost of each model, month by month."""
    page = Page(
        book, "Over time", (7, 10, 10, 10, 11, 12, *(15,) * COUNT), notes=0, about="cumulative cost month by month",
    )  # fmt: skip
    page.title(
        "Over time",
        "Cumulative cost in US dollars: training before the first month, then serving; after the last month in service it stays. Unused rows are 0.",
    )  # fmt: skip
    page.skip()
    page.freeze()
    top = page.row + 2  # below the headings and the units
    columns = (
        Column("number", "Month", "months", style.WHOLE, range(MOST_MONTHS + 1), look=COUNTER),
        Column("requests", "Requests", "requests", style.COUNT,
               formula="=IF(AND({number}>0,{number}<=months),requests_per_month*(1+demand_growth)^({number}-1),0)"),
        Column("input", "Input", "tokens", style.COUNT, formula="={requests}*input_tokens_per_request"),
        Column("output", "Output", "tokens", style.COUNT, formula="={requests}*output_tokens_per_request"),
        Column("all_input", "Input so far", "tokens", style.COUNT, formula=f"=SUM($C${top + 1}:{{input}})"),
        Column("all_output", "Output so far", "tokens", style.COUNT, formula=f"=SUM($D${top + 1}:{{output}})"),
    )  # fmt: skip
    first, last = table(page, "month", columns, MOST_MONTHS + 1)
    left = len(columns)
    _model_names(page, "over_time_models", first - 2, left)
    page.spill(
        "cumulative_cost", (first, last), (left, left + COUNT - 1),
        f"=IF({_ACROSS_USED}=1,TRAIN_COST({_ACROSS_PARAMS},{_ACROSS_TOKENS},deployment)+SERVE_COST({_ACROSS_PARAMS},month_all_input,month_all_output,deployment),0)",
        style.DOLLARS,
    )  # fmt: skip
    page.name_cells("final_cost", last, (left, left + COUNT - 1))
    page.skip()
    page.band("Comparable models only (within the tolerance of the target loss), else 0")
    page.text("Month")
    page.row -= 1
    _model_names(page, "comparable_time_models", page.row, left)
    below = (page.row + 1, page.row + 1 + MOST_MONTHS)
    page.spill("comparable_time", below, 0, "=month_number", style.WHOLE)
    page.spill(
        "comparable_cumulative_cost", below, (left, left + COUNT - 1),
        "=IF(TRANSPOSE(model_comparable)=1,cumulative_cost,0)", style.DOLLARS,
    )  # fmt: skip
    page.row = below[1] + 1
    for title, (top, bottom), names in (
        ("Cumulative cost", (first, last), first - 2),
        ("Cumulative cost of the comparable models (others are 0)", below, below[0] - 1),
    ):
        chart = book.file.add_chart({"type": "line"})
        for number in range(COUNT):
            column = left + number
            line(
                chart,
                page,
                [page.name, names, column],
                0,
                column,
                (top, bottom),
                style.LINES[number],
            )
        put_chart(
            page, chart, title, {"name": "months in service", "interval_unit": 6, "interval_tick": 6},
            {"name": "US dollars", "num_format": style.AXIS_DOLLARS, "min": 0}, rows=19,
        )  # fmt: skip
    page.finish()
    book.check(
        "Over time: the last month's costs are those of the sheet Models",
        "=SUM(final_cost)", "=SUM(model_cost)", "$", "The timeline was changed: see Over time.",
    )  # fmt: skip


def fill_demand(book: Book) -> None:
    """Cost of each model over a range of demands, and the cheapest, of all and of the comparable."""
    workings = Page(
        book, "Demand workings", (12, 12, *(15,) * COUNT), notes=0, about="costs by demand, and which is lowest",
    )  # fmt: skip
    _fill_workings(workings)
    page = Page(
        book, "By demand", (10, 14, 26, 14, 26, 14, 14), notes=0, about="the cheapest model by demand, with its name",
    )  # fmt: skip
    page.title(
        "By demand",
        "The cheapest model for demands of the same mix of input and output tokens. Optimal models keep the size of the sheet Models.",
        "The cheapest of all may be a worse model: plan with the cheapest of those within the tolerance of the target loss.",
    )  # fmt: skip
    page.skip()
    page.freeze()
    table(
        page, "cheapest",
        (
            Column("row", "Row", "count", style.WHOLE, range(1, _DEMANDS + 1), look=COUNTER),
            Column("demand", "Demand", "tokens", style.COUNT, formula="=INDEX(by_demand,{row},1)"),
            Column("comparable", "Cheapest comparable", "model", style.PLAIN, words=True, look={"bold": True},
                   formula='=IFERROR(INDEX(model_name,MATCH(1,INDEX(is_lowest_comparable,{row},0),0)),"none")'),
            Column("comparable_cost", "Its cost", "$", style.DOLLARS, formula='=IF({comparable}="none","-",MIN(INDEX(comparable_cost,{row},0)))'),
            Column("all", "Cheapest of all", "model", style.PLAIN, words=True,
                   formula='=IFERROR(INDEX(model_name,MATCH(1,INDEX(is_lowest,{row},0),0)),"none")'),
            Column("all_cost", "Its cost", "$", style.DOLLARS, formula='=IF({all}="none","-",MIN(INDEX(demand_cost,{row},0)))'),
            Column("lowest", "Lowest possible", "$, at target loss", style.DOLLARS,
                   formula="=OPT_COST(target_loss,{demand}*input_share,{demand}*output_share,deployment,coefficients)"),
        ),
        _DEMANDS,
    )  # fmt: skip
    chart = book.file.add_chart({"type": "scatter", "subtype": "straight"})
    top = workings.row_of("costs")
    rows = (top, top + _DEMANDS - 1)
    for number in range(COUNT):
        column = 2 + number
        line(
            chart, workings, [workings.name, top - 1, column], 1, column, rows, style.LINES[number]
        )
    put_chart(
        page, chart, "Lifetime cost by demand (compare only models of equal loss)",
        {"name": "inference tokens", "log_base": 10, "num_format": "0E+00"},
        {"name": "US dollars", "log_base": 10, "num_format": style.AXIS_DOLLARS, "crossing": "min"}, rows=24,
    )  # fmt: skip
    page.finish()
    book.rule(
        "By demand: no comparable model of the target loss or better costs less than the lowest possible",
        "=SUMPRODUCT((cheapest_comparable_cost<cheapest_lowest*(1-check_tolerance))*(MIN(model_loss)>=target_loss))",
        "OPT_COST is not the lowest: see Demand workings.",
    )  # fmt: skip


def _fill_workings(page: Page) -> None:
    page.title(
        "Demand workings", "Lifetime cost in US dollars of each model over a range of demands, and where it is lowest. Unused rows show -.",
    )  # fmt: skip
    page.skip()
    page.freeze(2)
    demand = "by_demand*input_share,by_demand*output_share,deployment"
    cost = f"TRAIN_COST({_ACROSS_PARAMS},{_ACROSS_TOKENS},deployment)+SERVE_COST({_ACROSS_PARAMS},{demand})"
    blocks = (
        ("demand_cost", "Cost", f'=IF({_ACROSS_USED}=1,{cost},"-")', style.DOLLARS),
        ("comparable_cost", "Cost of comparable models", '=IF(TRANSPOSE(model_comparable)=1,demand_cost,"-")', style.DOLLARS),
        ("is_lowest", "Lowest of all: 1", f"=IF({_ACROSS_USED}=1,IF(demand_cost<=lowest_by_demand,1,0),0)", style.WHOLE),
        ("is_lowest_comparable", "Lowest of the comparable: 1",
         "=IF(TRANSPOSE(model_comparable)=1,IF(comparable_cost<=lowest_comparable_by_demand,1,0),0)", style.WHOLE),
    )  # fmt: skip
    for name, title, formula, look in blocks:
        page.band(title)
        _model_names(page, f"{name}_models", page.row, 2)
        first = "Row" if name == "demand_cost" else "Lowest" if name.startswith("is_") else ""
        page.text(first, "Demand")
        if name == "demand_cost":
            page.mark("costs")
        rows = (page.row, page.row + _DEMANDS - 1)
        if name == "demand_cost":
            _steps(page, rows)
        else:
            page.spill(f"{name}_demand", rows, 1, "=by_demand", style.COUNT)
        if name.startswith("is_"):
            source, lowest = (
                ("demand_cost", "lowest_by_demand")
                if name == "is_lowest"
                else ("comparable_cost", "lowest_comparable_by_demand")
            )
            for row in range(rows[0], rows[1] + 1):
                least = page.row_of("costs") + row - rows[0] + 1
                page.formula(row, 0, f"=MIN(INDEX({source},A{least},0))", style.DOLLARS)
            page.name_cells(lowest, rows, 0)
        page.spill(name, rows, (2, 1 + COUNT), formula, look)
        page.row = rows[1] + 2
    page.finish()


def _steps(page: Page, rows: tuple[int, int]) -> None:
    """The row numbers, and the demands in equal ratios."""
    fixed = page.book.format(**style.FIXED)
    for number, row in enumerate(range(rows[0], rows[1] + 1), start=1):
        page.sheet.write(row, 0, number, fixed)
        page.formula(
            row, 1, f"=least_demand*(most_demand/least_demand)^((A{row + 1}-1)/(MAX(demand_rows)-1))", style.COUNT,
        )  # fmt: skip
    page.name_cells("demand_rows", rows, 0)
    page.name_cells("by_demand", rows, 1)


def fill_breakeven(book: Book) -> None:
    """Break-even tokens of every pair, in dollars and in FLOPs."""
    page = Page(
        book, "Break-even", (22, 22, *(15,) * COUNT), notes=0, about="demand at which two models have cost the same, every pair",
    )  # fmt: skip
    page.title(
        "Break-even",
        "Inference tokens at which the model of the row and that of the column have cost the same; beyond it the smaller one is ahead.",
        "never: one of the two costs less at every demand (or it is the same model). Where the column Quality says so, the pair is not comparable.",
    )  # fmt: skip
    page.skip()
    page.freeze(2)
    pairs = f"(model_params-{_ACROSS_PARAMS})*(model_params*model_tokens-{_ACROSS_PARAMS}*{_ACROSS_TOKENS})<0"
    shares = "input_share,output_share,deployment"
    blocks = (
        ("breakeven_dollars", "In US dollars, training and serving, with the mix of tokens of Inputs",
         (f"(TRAIN_COST({_ACROSS_PARAMS},{_ACROSS_TOKENS},deployment)-TRAIN_COST(model_params,model_tokens,deployment))"
          f"/(SERVE_COST(model_params,{shares})-SERVE_COST({_ACROSS_PARAMS},{shares}))")),
        ("breakeven_flops", "In FLOPs, training and inference",
         f"BREAKEVEN_TOKENS(model_params,model_tokens,{_ACROSS_PARAMS},{_ACROSS_TOKENS})"),
    )  # fmt: skip
    for name, title, tokens in blocks:
        page.band(title)
        page.sheet.write(page.row, 0, "Inference tokens", page.book.format(font_color=style.GREY))
        _model_names(page, f"{name}_models", page.row, 2)
        page.row += 1
        rows = (page.row, page.row + COUNT - 1)
        page.spill(f"{name}_rows", rows, 0, "=model_name")
        page.spill(f"{name}_quality", rows, 1, "=model_quality")
        page.spill(
            name, rows, (2, 1 + COUNT),
            f'=IF(model_used*{_ACROSS_USED}=0,"-",IF({pairs},{tokens},"never"))', style.COUNT,
        )  # fmt: skip
        page.row = rows[1] + 2
    page.finish()
    book.check(
        "Break-even: as many pairs have one in dollars as in FLOPs", "=COUNT(breakeven_dollars)",
        "=COUNT(breakeven_flops)", "pairs", "Sizes or formulas were changed: see Break-even.",
    )  # fmt: skip


def _model_names(page: Page, name: str, row: int, left: int) -> None:
    """The models' names above a grid, as one spilled formula."""
    page.spill(name, row, (left, left + COUNT - 1), "=TRANSPOSE(model_name)")
