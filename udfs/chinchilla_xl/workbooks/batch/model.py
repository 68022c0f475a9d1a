"""The page of the model: the inputs that a scenario can set, and what follows from them."""

from __future__ import annotations

from dataclasses import dataclass

from chinchilla_xl.elementwise import NON_NEGATIVE, POSITIVE
from chinchilla_xl.workbooks import blocks, rules, style
from chinchilla_xl.workbooks.blocks import Input
from chinchilla_xl.workbooks.book import Book
from chinchilla_xl.workbooks.page import Page
from chinchilla_xl.workbooks.rules import Between

INPUTS = (
    Input("scenario", "Name of the scenario", "Base", "text", "assumption", style.PLAIN, Between(1, 40, "length")),
    Input("target_params", "Chinchilla-style model of this size", 30e9, "parameters",
          "assumption (row 4 of Tables 2 and 3 of arXiv 2401.00448)", style.COUNT, rules.PARAMS),
    Input("requests_per_month", "Requests a month", 646e6, "requests",
          "assumption (by default, with the rows below, 5T tokens in all)", style.COUNT, NON_NEGATIVE),
    *blocks.REQUEST,
    Input("months", "Months in service", 36, "months", "assumption", style.WHOLE, POSITIVE),
    *blocks.MACHINES,
)  # fmt: skip
"""What a scenario can set, in the order of the columns of the scenarios; the deployment's are the last."""


@dataclass(frozen=True, slots=True)
class Output:
    """A result: its formula in the names of inputs and of earlier results."""

    name: str
    label: str
    formula: str
    unit: str
    note: str
    number_format: str


OUTPUTS = (
    Output("style_tokens", "Training tokens, Chinchilla-style", "=CHINCHILLA_TOKENS({target_params},coefficients)",
           "tokens", "CHINCHILLA_TOKENS", style.COUNT),
    Output("target_loss", "Target loss", "=CHINCHILLA_LOSS({target_params},{style_tokens},coefficients)",
           "nats/token", "CHINCHILLA_LOSS", style.LOSS),
    Output("input_tokens", "Lifetime input tokens", "={requests_per_month}*{months}*{input_tokens_per_request}",
           "tokens", "requests a month x months x tokens a request", style.COUNT),
    Output("output_tokens", "Lifetime output tokens", "={requests_per_month}*{months}*{output_tokens_per_request}",
           "tokens", "requests a month x months x tokens a request", style.COUNT),
    Output("params", "Cost-optimal size",
           "=OPT_PARAMS({target_loss},EFFECTIVE_TOKENS({input_tokens},{output_tokens},{deployment}),coefficients)",
           "parameters", "OPT_PARAMS with EFFECTIVE_TOKENS as demand", style.COUNT),
    Output("tokens", "Its training tokens",
           "=OPT_TOKENS({target_loss},EFFECTIVE_TOKENS({input_tokens},{output_tokens},{deployment}),coefficients)",
           "tokens", "OPT_TOKENS with EFFECTIVE_TOKENS as demand", style.COUNT),
    Output("training_cost", "Cost of training", "=TRAIN_COST({params},{tokens},{deployment})",
           "$", "TRAIN_COST", style.DOLLARS),
    Output("serving_cost", "Cost of serving", "=SERVE_COST({params},{input_tokens},{output_tokens},{deployment})",
           "$", "SERVE_COST", style.DOLLARS),
    Output("cost", "Total cost", "={training_cost}+{serving_cost}", "$", "training + serving", style.DOLLARS),
    Output("style_cost", "Total cost, Chinchilla-style",
           "=TRAIN_COST({target_params},{style_tokens},{deployment})+SERVE_COST({target_params},{input_tokens},{output_tokens},{deployment})",
           "$", "TRAIN_COST + SERVE_COST", style.DOLLARS),
    Output("saved_share", "Share of cost saved", "=({style_cost}-{cost})/{style_cost}", "share",
           "difference / cost of the Chinchilla-style model", style.PERCENT),
    Output("saved", "Cost saved", "={saved_share}*{style_cost}", "$", "share x cost of the Chinchilla-style model",
           style.DOLLARS),
)  # fmt: skip
"""Each may be an output of a sweep, by its name."""


def fill(book: Book) -> None:
    """Build the sheet."""
    page = Page(
        book, "Model", (40, 18, 14, 26, 56), notes=3, about="what all scenarios share, and the model itself",
    )  # fmt: skip
    page.title(
        "Model",
        "What a scenario leaves blank has the value that stands here; sweep sets these cells row by row.",
    )
    page.skip()
    page.freeze()
    page.band("Scaling law", "Value", last="Source")
    blocks.law(page)
    page.skip()
    page.band("Inputs of a scenario", "Value", last="Source")
    first = page.row
    for given in INPUTS:
        page.input(*given)
    machines = first + len(INPUTS) - len(blocks.MACHINES)
    page.name_cells("deployment", (machines, page.row - 1), (0, 1))
    page.skip()
    page.break_page()
    page.band("Results", "Value", last="How it is computed")
    page.results(
        "result_of", "Result of the scenario", "=scenario", "text", "the name above", style.PLAIN, ["result_of"],
    )  # fmt: skip
    names = {name: name for name in [given.name for given in INPUTS] + [o.name for o in OUTPUTS]}
    names["deployment"] = "deployment"
    for output in OUTPUTS:
        page.results(
            output.name, output.label, output.formula.format_map(names), output.unit, output.note,
            output.number_format, [output.name], bold=output.name == "cost",
        )  # fmt: skip
    page.finish()
    book.check(
        "Model: the total is what OPT_COST gives",
        "=OPT_COST(target_loss,input_tokens,output_tokens,deployment,coefficients)", "=cost", "$",
        "Formulas were changed: see Model.",
    )  # fmt: skip
