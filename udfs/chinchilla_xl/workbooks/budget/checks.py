"""What the sheet Checks compares: inputs with their rules, and figures with a second way to them."""

from __future__ import annotations

from chinchilla_xl.workbooks.book import Book
from chinchilla_xl.workbooks.budget.models import MODEL_TITLES, MODELS
from chinchilla_xl.workbooks.budget.timeline import FIRST, LAST
from chinchilla_xl.workbooks.rules import TINY, too_small

_CENTRE = "INDEX({grid},MATCH(1,{side},0),MATCH(1,{top},0))"


def add(book: Book) -> None:
    """Add the checks of all sheets to the workbook."""
    _inputs(book)
    _models(book)
    _timeline(book)
    _tables(book)


def _inputs(book: Book) -> None:
    book.rule(
        "The target loss is above the law's E", "=IF(target_loss>coefficient_E,0,1)",
        "no model reaches a loss at or below E: raise the target loss, or choose another coefficient set",
    )  # fmt: skip


def _models(book: Book) -> None:
    sizes = "+".join(too_small(f"{model}_params") for model in MODELS)
    book.rule("No model is smaller than a million parameters", f"={sizes}", TINY)
    for model, title in zip(MODELS, MODEL_TITLES, strict=True):
        book.check(
            f"{title}: it reaches the target loss", f"={model}_loss", "=target_loss", "nats/token",
            "the target is too close to E, or the demand too large, for numbers of this size",
        )  # fmt: skip
    other = "mend the checks above first; if none fails, two functions disagree: report it with the file"
    book.check(
        "Chinchilla-style: CHINCHILLA_TOKENS agrees", "=chinchilla_style_tokens",
        "=CHINCHILLA_TOKENS(chinchilla_style_params,coefficients)", "tokens", other,
    )  # fmt: skip
    book.check(
        "Compute-optimal: OPT_FLOPS agrees", "=compute_optimal_flops",
        "=OPT_FLOPS(target_loss,inference_tokens,coefficients)", "FLOPs", other,
    )  # fmt: skip
    book.check(
        "Cost-optimal: OPT_COST agrees", "=cost_optimal_cost",
        "=OPT_COST(target_loss,input_tokens,output_tokens,deployment,coefficients)", "$", other,
    )  # fmt: skip
    book.rule(
        "Cost-optimal: no other model is cheaper",
        "=IF(cost_optimal_cost<=MIN(chinchilla_style_cost,compute_optimal_cost)*(1+check_tolerance),0,1)", other,
    )  # fmt: skip
    book.check(
        "Input and output tokens add up", "=input_tokens+output_tokens",
        "=selected_full_months*live_requests_per_month*(live_input_tokens_per_request+live_output_tokens_per_request)",
        "tokens", other,
    )  # fmt: skip


def _timeline(book: Book) -> None:
    longer = "+".join(
        f"IF({m}_months_before_service+live_months>COLUMNS(timeline_months),1,0)" for m in MODELS
    )
    book.rule(
        "Training and service end within the timeline", f"={longer}",
        f"the timeline has {LAST - FIRST + 1} months, so monthly and present costs are incomplete: more GPUs for training, or fewer months in service",
    )  # fmt: skip
    short = "mend the checks above first: the timeline may be too short for this plan"
    for model, title in zip(MODELS, MODEL_TITLES, strict=True):
        book.check(
            f"{title}: shares of training add up", f"={model}_training_shares", "=1", "share", short
        )
        book.check(
            f"{title}: monthly demand adds up", f"={model}_demand_shares", "=selected_full_months", "months", short,
        )  # fmt: skip
        book.check(
            f"{title}: the months add up to the total cost",
            f"={model}_timeline_training+{model}_timeline_data+{model}_timeline_serving", f"={model}_cost",
            "$", short,
        )  # fmt: skip
        book.check(
            f"{title}: present cost by NPV()",
            f"={model}_npv", f"=NPV((1+discount_rate)^(1/months_per_year)-1,{model}_monthly_cost)", "$",
            "mend the checks above first; if none fails, two ways to the present cost disagree: report it with the file",
        )  # fmt: skip
        book.check(
            f"{title}: discounted months add up", f"={model}_timeline_npv", f"={model}_npv", "$",
            "mend the checks above first; if none fails, two ways to the present cost disagree: report it with the file",
        )  # fmt: skip


def _tables(book: Book) -> None:
    other = "mend the checks above first; if none fails, a table does not meet the plan: report it with the file"
    book.rule(
        "Scenarios: each of them has a cost", "=COLUMNS(scenario_costs)-COUNT(scenario_costs)",
        "select the one that shows an error on Scenarios: the checks above say why",
    )  # fmt: skip
    book.check(
        "Scenarios: the selected one is in its place", "=selected_cost",
        "=INDEX(scenario_costs,1,scenario_number)", "$", other,
    )  # fmt: skip
    book.check("Scenarios: cost as on Results", "=selected_cost", "=cost_optimal_cost", "$", other)
    book.check(
        "Scenarios: present cost as on Timeline",
        "=selected_npv",
        "=cost_optimal_npv",
        "$",
        "mend the checks above first: the timeline may be too short for this plan",
    )
    for label, grid, side, top in (
        ("demand x quality", "cost_by_demand_and_quality", "demand_factors", "quality_factors"),
        ("price x MFU", "cost_by_price_and_mfu", "price_factors", "mfu_factors"),
        ("size x demand", "cost_by_size_and_demand", "size_factors", "size_demand_factors"),
    ):  # fmt: skip
        book.check(
            f"Sensitivity, {label}: the plan is in the grid",
            f"={_CENTRE.format(grid=grid, side=side, top=top)}", "=cost_optimal_cost", "$",
            "keep a factor of exactly 1 on both axes",
        )  # fmt: skip
    book.check(
        "Sensitivity: no size on the iso-loss curve is cheaper",
        "=MIN(INDEX(cost_by_size_and_demand,0,MATCH(1,size_demand_factors,0)))", "=cost_optimal_cost", "$", other,
    )  # fmt: skip
    book.check(
        "Tornado: the plan's case costs what the plan does",
        "=plan_cost",
        "=cost_optimal_cost",
        "$",
        other,
    )
    book.check(
        "Tornado: each rank is given once",
        "=SUM(tornado_ranks)",
        "=SUM(tornado_order)",
        "ranks",
        other,
    )
    book.check(
        "Break-even: the costs at the plan's demand are those of Results",
        "=SUM(INDEX(cost_by_tokens_served,MATCH(1,served_shares,0),0))",
        "=chinchilla_style_cost+compute_optimal_cost+cost_optimal_cost", "$",
        "keep a share of exactly 1 among the multiples of the demand",
    )  # fmt: skip
    book.rule(
        "Data: each stock is within its interval",
        "=SUMPRODUCT((INDEX(stock_words,0,1)<INDEX(stock_words,0,2))+(INDEX(stock_words,0,1)>INDEX(stock_words,0,3)))",
        other,
    )  # fmt: skip
