"""The budget workbook: what a model costs over its life, and how much a better size saves.

Pages: Budget (inputs, results, chart), Scenarios (Low, Base and High side by side), Sources.
The defaults are the settings of Sec. 6 of arXiv 2401.00448.
"""

from __future__ import annotations

from typing import Any

from chinchilla_xl.coefficients import DEFAULT_SET, NAMES, published
from chinchilla_xl.costs import ASSUMPTIONS
from chinchilla_xl.elementwise import NON_NEGATIVE, POSITIVE
from chinchilla_xl.workbooks import style
from chinchilla_xl.workbooks.page import Book, Page
from chinchilla_xl.workbooks.standard import fill_sources, sources_page

TITLE = "Lifetime budget of a language model"

BY_PARAMS, BY_LOSS = "params", "loss"
"""How the target quality is given."""

MODELS = ("chinchilla_style", "compute_optimal", "cost_optimal")
"""The columns of the results; the names of their cells start so."""

SCENARIOS = ("low", "base", "high")
"""The columns of the scenario table; the names of their cells start so."""

_MACHINES = [a for a in ASSUMPTIONS if not a.optional]

_FACTORS = {
    "train_price": "*{price_factor}",
    "serve_price": "*{price_factor}",
    "output_mfu": "*{output_MFU_factor}",
}
"""What a scenario multiplies an assumption of the Budget page by."""

_FORMATS = {"$/h": style.PRICE, "fraction": style.PERCENT}


def build(target: Any, host: str) -> None:
    """Write the budget workbook, without computed values, to a path or a file object."""
    book = Book(target, TITLE, host)
    budget = book.page("Budget", (44, 18, 18, 18, 14, 78))
    scenarios = book.page("Scenarios", (44, 18, 18, 18, 14, 78))
    sources = sources_page(book)
    _fill_budget(budget)
    _fill_scenarios(scenarios)
    fill_sources(sources, _NOTES)
    book.file.close()


def _fill_budget(page: Page) -> None:
    page.title(
        TITLE,
        "Training plus serving, for a target quality and a demand: the size that costs least, "
        "against the Chinchilla-style size.",
        "Method: Sardana et al., Beyond Chinchilla-Optimal, arXiv 2401.00448 (Eqs. 1, 3 and 6). "
        "Prices are assumptions, not quotes: edit them.",
    )
    page.legend()
    page.sheet.freeze_panes(page.row - 1, 1)
    _quality(page)
    page.skip()
    _demand(page)
    page.skip()
    _machines(page)
    page.skip()
    page.break_page()
    _results(page)
    _chart(page, "training_cost", "serving_cost", "Lifetime cost by model", "model")
    page.finish()


def _quality(page: Page) -> None:
    page.band("Target quality", "Value", "", "", "Unit", "Source")
    page.input(
        "quality_by", "Quality is given by", BY_PARAMS, "choice",
        f'"{BY_PARAMS}": as good as a Chinchilla-style model of that size; "{BY_LOSS}": as a loss',
        style.PLAIN, (BY_PARAMS, BY_LOSS),
    )  # fmt: skip
    page.input(
        "target_params", "Chinchilla-style model of this size", 30e9, "parameters",
        "assumption (row 4 of the paper's Tables 2 and 3)", style.COUNT, POSITIVE,
    )  # fmt: skip
    page.input(
        "target_loss_given", "Or this loss", 1.96, "nats/token",
        f'assumption; used only if quality is given by "{BY_LOSS}"', style.LOSS, POSITIVE,
    )  # fmt: skip
    page.input(
        "coefficient_set", "Coefficient set of the scaling law", DEFAULT_SET, "choice",
        "see Sources; losses of different sets cannot be compared", style.PLAIN,
        tuple(published()),
    )  # fmt: skip
    first, last = page.row, page.row + len(NAMES) - 1
    page.name_cells("coefficients", (first, last), (1, 1))
    for name in NAMES:
        page.results(
            name, name,
            "=INDEX(coefficient_table,MATCH(coefficient_set,coefficient_sets,0),"
            f"MATCH($A{page.row + 1},coefficient_names,0))",
            "", "of Eq. 1, L = E + A/N^alpha + B/D^beta; looked up in Sources", style.PLAIN,
            [f"coefficient_{name}", "", ""],
        )  # fmt: skip
    page.results(
        "style_tokens", "Training tokens of that Chinchilla-style model",
        "=CHINCHILLA_TOKENS(target_params,coefficients)",
        "tokens", "CHINCHILLA_TOKENS", style.COUNT, ["quality_tokens", "", ""],
    )  # fmt: skip
    page.results(
        "style_loss", "Loss of that Chinchilla-style model",
        "=CHINCHILLA_LOSS(target_params,quality_tokens,coefficients)",
        "nats/token", "CHINCHILLA_LOSS", style.LOSS, ["quality_loss", "", ""],
    )  # fmt: skip
    page.results(
        "loss", "Target loss",
        f'=IF(quality_by="{BY_LOSS}",target_loss_given,quality_loss)',
        "nats/token", "the one that quality is given by", style.LOSS, ["target_loss", "", ""],
        bold=True,
    )  # fmt: skip


def _demand(page: Page) -> None:
    page.band("Demand", "Value", "", "", "Unit", "Source")
    page.input(
        "requests_per_month", "Requests a month", 646e6, "requests",
        "assumption (by default, with the rows below, 5T tokens in all)", style.COUNT,
        NON_NEGATIVE,
    )  # fmt: skip
    page.input(
        "input_tokens_per_request", "Input tokens a request", 70, "tokens",
        "arXiv 2401.00448, Sec. 6", style.WHOLE, NON_NEGATIVE,
    )  # fmt: skip
    page.input(
        "output_tokens_per_request", "Output tokens a request", 145, "tokens",
        "arXiv 2401.00448, Sec. 6, with 215 tokens as the whole request (see Sources)",
        style.WHOLE, NON_NEGATIVE,
    )  # fmt: skip
    page.input("months", "Months in service", 36, "months", "assumption", style.WHOLE, POSITIVE)
    for kind in ("input", "output"):
        page.results(
            kind, f"Lifetime {kind} tokens",
            f"=requests_per_month*months*{kind}_tokens_per_request",
            "tokens", "requests a month x months x tokens a request", style.COUNT,
            [f"{kind}_tokens", "", ""],
        )  # fmt: skip
    page.results(
        "inference", "Lifetime inference tokens", "=input_tokens+output_tokens",
        "tokens", "D_inf of Eq. 3", style.COUNT, ["inference_tokens", "", ""], bold=True,
    )  # fmt: skip


def _machines(page: Page) -> None:
    page.band("GPU pricing and utilisation", "Value", "", "", "Unit", "Source")
    first = page.row
    for a in _MACHINES:
        page.input(
            _input_name(a.label), _capital(a.label), a.default, a.unit, a.source,
            _FORMATS.get(a.unit, style.SCIENTIFIC), a.domain,
        )  # fmt: skip
    page.name_cells("deployment", (first, page.row - 1), (0, 1))


def _input_name(label: str) -> str:
    return label.replace(" ", "_")


def _capital(label: str) -> str:
    return label[0].upper() + label[1:]


def _results(page: Page) -> None:
    page.band(
        "Results",
        "Chinchilla-style",
        "Compute-optimal",
        "Cost-optimal",
        "Unit",
        "How it is computed",
    )
    page.mark("demand")
    page.sheet.write(page.row, 0, "Demand that the size accounts for", page.book.format())
    for column, model in enumerate(MODELS, start=1):
        page.name_cells(f"{model}_demand", (page.row, page.row), (column, column))
    number = page.book.format(num_format=style.COUNT, align="right")
    page.sheet.write(page.row, 1, 0, number)
    page.formula(page.row, 2, "=inference_tokens", style.COUNT)
    page.formula(
        page.row, 3, "=EFFECTIVE_TOKENS(input_tokens,output_tokens,deployment)", style.COUNT
    )
    page.describe("tokens", "none; D_inf; EFFECTIVE_TOKENS, which weighs tokens by their price")
    page.row += 1
    rows = (
        ("params", "Model size", "=OPT_PARAMS(target_loss,{demand},coefficients)",
         "parameters", "OPT_PARAMS, N* of Eq. 3", style.COUNT),
        ("tokens", "Training tokens", "=OPT_TOKENS(target_loss,{demand},coefficients)",
         "tokens", "OPT_TOKENS, D* of Eq. 3", style.COUNT),
        ("ratio", "Tokens per parameter", "={tokens}/{params}",
         "tokens/param", "training tokens / model size", style.RATIO),
        ("flops", "Lifetime FLOPs", "=6*{params}*{tokens}+2*{params}*inference_tokens",
         "FLOPs", "6 N D + 2 N D_inf, Eq. 3", style.SCIENTIFIC),
        ("training_cost", "Cost of training", "=TRAIN_COST({params},{tokens},deployment)",
         "$", "TRAIN_COST, first term of Eq. 6", style.DOLLARS),
        ("serving_cost", "Cost of serving",
         "=SERVE_COST({params},input_tokens,output_tokens,deployment)",
         "$", "SERVE_COST, second term of Eq. 6", style.DOLLARS),
        ("cost", "Total cost", "={training_cost}+{serving_cost}",
         "$", "training + serving", style.DOLLARS),
        ("training_gpu_hours", "GPU-hours of training", "={training_cost}/training_GPU_price",
         "GPU-hours", "cost of training / training GPU price", style.COUNT),
        ("serving_gpu_hours", "GPU-hours of serving", "={serving_cost}/serving_GPU_price",
         "GPU-hours", "cost of serving / serving GPU price", style.COUNT),
    )  # fmt: skip
    for key, label, formula, unit, note, number_format in rows:
        names = [f"{model}_{key}" for model in MODELS]
        page.results(key, label, formula, unit, note, number_format, names, bold=key == "cost")
    savings = (
        ("flops_saved", "Share of FLOPs saved", "=1-{flops}/chinchilla_style_flops",
         "share", "1 - FLOPs / those of the Chinchilla-style model; below 0 where cheap FLOPs replace dear ones", style.PERCENT),
        ("saved", "Cost saved", "=chinchilla_style_cost-{cost}",
         "$", "cost of the Chinchilla-style model - this one's", style.DOLLARS),
        ("saved_share", "Share of cost saved", "={saved}/chinchilla_style_cost",
         "share", "cost saved / cost of the Chinchilla-style model", style.PERCENT),
    )  # fmt: skip
    for key, label, formula, unit, note, number_format in savings:
        names = ["", *(f"{model}_{key}" for model in MODELS[1:])]
        page.results(
            key, label, formula, unit, note, number_format, names, bold=key != "flops_saved"
        )


def _chart(page: Page, first: str, second: str, title: str, axis: str) -> None:
    chart = page.book.file.add_chart({"type": "column", "subtype": "stacked"})
    heading = page.heading_row
    for key, colour in ((first, "#2F5597"), (second, "#F4B183")):
        chart.add_series(
            {
                "name": [page.name, page.area(key, key, (0, 0))[1], 0],
                "categories": [page.name, heading, 1, heading, 3],
                "values": page.area(key, key, (1, 3)),
                "fill": {"color": colour},
                "gap": 80,
            }
        )
    page.chart(
        chart, title, {"name": axis}, {"name": "US dollars", "num_format": style.DOLLARS}
    )  # fmt: skip


def _fill_scenarios(page: Page) -> None:
    page.title(
        "Scenarios",
        "Demand, GPU prices and utilisation of the Budget page times a factor each; "
        "the size is the cost-optimal one of that scenario.",
    )
    page.skip()
    page.sheet.freeze_panes(page.row, 1)
    page.band("Factors", *(s.capitalize() for s in SCENARIOS), "Unit", "Source")
    factors = (
        ("demand", "Demand", (0.25, 1, 4), NON_NEGATIVE),
        ("price", "GPU prices", (0.8, 1, 1.25), POSITIVE),
        ("output_MFU", "Output MFU", (1, 1, 1), POSITIVE),
    )
    for key, label, values, rule in factors:
        names = [f"{s}_{key}_factor" for s in SCENARIOS]
        page.inputs(
            f"{key}_factor", label, values, "factor", "assumption", style.FACTOR, rule, names
        )
    page.skip()
    page.band("Demand", *(s.capitalize() for s in SCENARIOS), "Unit", "How it is computed")
    for kind in ("input", "output"):
        page.results(
            kind, f"Lifetime {kind} tokens", f"={kind}_tokens*{{demand_factor}}", "tokens",
            "Budget x factor", style.COUNT, [f"{s}_{kind}_tokens" for s in SCENARIOS],
        )  # fmt: skip
    page.skip()
    page.band("GPU pricing and utilisation", *(s.capitalize() for s in SCENARIOS), "Unit", "")
    for a in _MACHINES:
        factor = _FACTORS.get(a.field, "")
        page.results(
            a.field, _capital(a.label), f"={_input_name(a.label)}{factor}", a.unit,
            "Budget x factor" if factor else "Budget", _FORMATS.get(a.unit, style.SCIENTIFIC),
            [f"{s}_{a.field}" for s in SCENARIOS],
        )  # fmt: skip
    page.skip()
    page.band("Results", *(s.capitalize() for s in SCENARIOS), "Unit", "How it is computed")
    machines = f"{{{_MACHINES[0].field}}}:{{{_MACHINES[-1].field}}}"
    demand = f"EFFECTIVE_TOKENS({{input}},{{output}},{machines})"
    chinchilla_cost = (
        f"=TRAIN_COST(chinchilla_style_params,chinchilla_style_tokens,{machines})"
        f"+SERVE_COST(chinchilla_style_params,{{input}},{{output}},{machines})"
    )
    rows = (
        ("params", "Model size", f"=OPT_PARAMS(target_loss,{demand},coefficients)",
         "parameters", "OPT_PARAMS with EFFECTIVE_TOKENS as demand", style.COUNT),
        ("tokens", "Training tokens", f"=OPT_TOKENS(target_loss,{demand},coefficients)",
         "tokens", "OPT_TOKENS with EFFECTIVE_TOKENS as demand", style.COUNT),
        ("training_cost", "Cost of training", f"=TRAIN_COST({{params}},{{tokens}},{machines})",
         "$", "TRAIN_COST", style.DOLLARS),
        ("serving_cost", "Cost of serving",
         f"=SERVE_COST({{params}},{{input}},{{output}},{machines})",
         "$", "SERVE_COST", style.DOLLARS),
        ("cost", "Total cost", "={training_cost}+{serving_cost}",
         "$", "training + serving", style.DOLLARS),
        ("chinchilla", "Total cost of the Chinchilla-style model",
         chinchilla_cost,
         "$", "TRAIN_COST + SERVE_COST", style.DOLLARS),
        ("saved", "Cost saved", "={chinchilla}-{cost}", "$", "difference", style.DOLLARS),
        ("share", "Share of cost saved", "={saved}/{chinchilla}",
         "share", "cost saved / cost of the Chinchilla-style model", style.PERCENT),
    )  # fmt: skip
    for key, label, formula, unit, note, number_format in rows:
        names = [f"{s}_{'chinchilla_cost' if key == 'chinchilla' else key}" for s in SCENARIOS]
        page.results(
            key, label, formula, unit, note, number_format, names, bold=key in ("cost", "share")
        )
    _chart(page, "training_cost", "serving_cost", "Lifetime cost by scenario", "scenario")
    page.finish()


_NOTES = (
    "Demand: Table 3 of arXiv 2401.00448 says 70 input and 215 output tokens a request.",
    "Its figures come out when 215 is the whole request (70 + 145); read literally, every cost is",
    "about 10% higher. Enter 215 output tokens a request for that reading.",
    "MFU: training 40-60%, input near training, output about 1% (arXiv 2401.00448, Sec. 6).",
    "Coefficients: the choice dominates every answer. At 5.76E23 FLOPs the optimal size is 32B",
    "(hoffmann-rounded), 42B (chinchilla) or 72B (besiroglu).",
)
