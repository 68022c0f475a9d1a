"""The page of results by model: size, loss, quality against the target, and costs."""

from __future__ import annotations

from chinchilla_xl.workbooks import style
from chinchilla_xl.workbooks.book import Book
from chinchilla_xl.workbooks.charts import stacked_bars
from chinchilla_xl.workbooks.columns import FAIL, NAMED, PASS, Column, table
from chinchilla_xl.workbooks.compare.inputs import CASES, COUNT, MOST_MONTHS
from chinchilla_xl.workbooks.page import Page
from chinchilla_xl.workbooks.rules import TINY, too_small

_PARAMS = (
    "=CHOOSE({way}+1,0,N({given_params}),N({given_params}),N({given_params}),"
    "OPT_PARAMS(target_loss,inference_tokens,coefficients),"
    "OPT_PARAMS(target_loss,priced_demand,coefficients))"
)
_TOKENS = (
    "=IF({params}>0,CHOOSE({way},N({given_tokens}),CHINCHILLA_TOKENS({params},coefficients),"
    "IFERROR(TOKENS_FOR_LOSS(target_loss,{params},coefficients),0),"
    "OPT_TOKENS(target_loss,inference_tokens,coefficients),"
    "OPT_TOKENS(target_loss,priced_demand,coefficients)),0)"
)
_GIVEN = "&".join(f"INDEX(given_{c},{{row}})" for c in ("name", "sizing", "params", "tokens"))
_QUALITY = (
    f'=IF({{used}}=0,IF({_GIVEN}="","-","{FAIL}: way, size or tokens lacking"),'
    f'IF(ABS({{gap}})<=loss_tolerance,"{PASS}: comparable",IF({{gap}}>0,"{NAMED}: worse","{NAMED}: better")))'
).replace(NAMED, "not comparable")


def fill(book: Book) -> None:
    """Build the sheet."""
    page = Page(
        book, "Models", (28, 8, 11, 11, 8, 8, 9, 26, 9, 11, 11, 11, 11, 12, 12, 38), about="size, loss, quality and costs of each model",
    )  # fmt: skip
    page.title(
        "Models",
        "Costs of models of unequal loss must not be compared: the column Quality says which are within the tolerance of the target loss.",
    )
    page.skip()
    page.freeze()
    _target(page)
    page.skip()
    _table(page)
    page.skip()
    _chart(page)
    page.finish()
    _checks(book)


def _target(page: Page) -> None:
    page.band("Target and demand", "", "Value", last="How it is computed")
    rows = (
        ("style_tokens", "Training tokens of the target", "=CHINCHILLA_TOKENS(target_params,coefficients)",
         "tokens", "CHINCHILLA_TOKENS of the target size", style.COUNT),
        ("target_loss", "Target loss", "=CHINCHILLA_LOSS(target_params,style_tokens,coefficients)",
         "nats/token", "CHINCHILLA_LOSS", style.LOSS),
        ("input_tokens", "Lifetime input tokens", "=SUM(month_input)", "tokens", "sum over the months in service", style.COUNT),
        ("output_tokens", "Lifetime output tokens", "=SUM(month_output)", "tokens", "sum over the months in service", style.COUNT),
        ("inference_tokens", "Lifetime inference tokens", "=input_tokens+output_tokens", "tokens", "D_inf of Eq. 3", style.COUNT),
        ("priced_demand", "Demand weighed by price", "=EFFECTIVE_TOKENS(input_tokens,output_tokens,deployment)",
         "tokens", "EFFECTIVE_TOKENS", style.COUNT),
        ("lowest_cost", "Lowest cost at the target loss", "=OPT_COST(target_loss,input_tokens,output_tokens,deployment,coefficients)",
         "$", "OPT_COST: no model of that loss costs less", style.DOLLARS),
        ("lowest_flops", "Fewest FLOPs at the target loss", "=OPT_FLOPS(target_loss,inference_tokens,coefficients)",
         "FLOPs", "OPT_FLOPS: no model of that loss takes fewer", style.SCIENTIFIC),
        ("input_share", "Share of input tokens",
         "=IF(input_tokens_per_request+output_tokens_per_request=0,1,input_tokens_per_request/(input_tokens_per_request+output_tokens_per_request))",
         "share", "of a request's tokens", style.PERCENT),
        ("output_share", "Share of output tokens", "=1-input_share", "share", "1 - share of input tokens", style.PERCENT),
    )  # fmt: skip
    for name, label, formula, unit, note, look in rows:
        page.results(name, label, formula, unit, note, look, [name], first=2)


def _table(page: Page) -> None:
    columns = (
        Column("name", "Model", "", style.PLAIN, formula='=IF({used}=1,INDEX(given_name,{row})&"","-")', words=True),
        Column("row", "Row", "count", style.WHOLE, range(1, COUNT + 1)),
        Column("params", "Size", "parameters", style.COUNT,
               formula=_PARAMS.replace("{given_params}", "INDEX(given_params,{row})")),
        Column("tokens", "Tokens", "tokens", style.COUNT,
               formula=_TOKENS.replace("{given_tokens}", "INDEX(given_tokens,{row})")),
        Column("way", "Way", "number", style.WHOLE, formula='=IF(INDEX(given_sizing,{row})="",0,IFERROR(MATCH(INDEX(given_sizing,{row}),sizing_ways,0),0))'),
        Column("used", "Used", "1 or 0", style.WHOLE, formula="=IF({params}*{tokens}>0,1,0)"),
        Column("loss", "Loss", "nats/token", style.LOSS, formula='=IF({used}=1,CHINCHILLA_LOSS({params},{tokens},coefficients),"-")'),
        Column("quality", "Quality", "against the target", style.PLAIN,
               formula=_QUALITY.replace("{gap}", "({loss}-target_loss)"), look={"align": "center"}),
        Column("comparable", "Compare", "1 or 0", style.WHOLE, formula=f'=IF(LEFT({{quality}},LEN("{PASS}"))="{PASS}",1,0)'),
        Column("flops", "FLOPs", "FLOPs", style.SCIENTIFIC,
               formula='=IF({used}=1,{params}*(training_flops_factor*{tokens}+inference_flops_factor*inference_tokens),"-")'),
        Column("training_cost", "Training", "$", style.DOLLARS, formula='=IF({used}=1,TRAIN_COST({params},{tokens},deployment),"-")'),
        Column("serving_cost", "Serving", "$", style.DOLLARS,
               formula='=IF({used}=1,SERVE_COST({params},input_tokens,output_tokens,deployment),"-")'),
        Column("cost", "Total", "$", style.DOLLARS, formula='=IF({used}=1,{training_cost}+{serving_cost},"-")', look={"bold": True}),
        Column("above", "Above lowest", "share", style.PERCENT, formula='=IF({used}=1,({cost}-lowest_cost)/lowest_cost,"-")'),
    )  # fmt: skip
    table(page, "model", columns, COUNT, cases=CASES, verdict="quality")


def _chart(page: Page) -> None:
    top = page.row - 1 - COUNT
    stacked_bars(
        page, "Lifetime cost by model (compare only models of equal loss)", "model", 0,
        {"training": 10, "serving": 11}, (top, top + COUNT - 1), height=17,
    )  # fmt: skip


def _checks(book: Book) -> None:
    book.rule(
        "Inputs: months, growth and tolerance are possible",
        "=IF(AND(INT(months)=months,months>=1,months<=MAX(month_number)),0,1)"
        "+IF(demand_growth>-1,0,1)+IF(loss_tolerance>=0,0,1)",
        f"Whole months, from 1 to {MOST_MONTHS}; growth above -100%; a tolerance of at least 0.",
    )
    book.rule(
        "Models: none is smaller than a million parameters", f"={too_small('model_params')}", TINY
    )
    book.rule(
        "Models: every row that is filled gives a model",
        f'=COUNTIF(model_quality,"{FAIL}*")',
        "A row lacks a way of sizing, parameters or tokens, or its size cannot reach the target loss: see Table of models.",
    )
    book.rule(
        "Models: none of the target loss or better costs less than the optimum",
        "=SUMPRODUCT((model_loss<=target_loss)*(model_cost<lowest_cost*(1-check_tolerance)))",
        "OPT_COST is not the lowest: prices or formulas were changed; see Models.",
    )
    book.rule(
        "Models: none of the target loss or better takes fewer FLOPs than the optimum",
        "=SUMPRODUCT((model_loss<=target_loss)*(model_flops<lowest_flops*(1-check_tolerance)))",
        "OPT_FLOPS is not the lowest: see Models.",
    )
    book.check(
        "Models: the months' requests make up the lifetime tokens",
        "=SUM(month_requests)*(input_tokens_per_request+output_tokens_per_request)", "=inference_tokens", "tokens",
        "The timeline was changed: see Over time.",
    )  # fmt: skip
