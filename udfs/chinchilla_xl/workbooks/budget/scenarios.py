"""Scenarios: the cost-optimal model and its money in all four scenarios at once.

Every formula takes its scenario's column of the sheet Inputs, so that no selection hides another.
"""

from __future__ import annotations

from chinchilla_xl.workbooks import style
from chinchilla_xl.workbooks.book import Book
from chinchilla_xl.workbooks.budget.inputs import BEYOND, LAST, LIVE, SCENARIOS, Given
from chinchilla_xl.workbooks.charts import stacked_dollars
from chinchilla_xl.workbooks.page import Page, letter

_PREFIXES = ("selected_", *(f"{scenario.lower()}_" for scenario in SCENARIOS))
"""What the names of the results start with."""

_TITLES = ("Selected", *SCENARIOS)


def fill(book: Book, given: Given) -> None:
    """Build the sheet."""
    page = Page(
        book, "Scenarios", (38, 12, 12, 12, 12, 12, 12, 56), about="the cost-optimal model of all four scenarios, side by side",
    )  # fmt: skip
    page.title(
        "Scenarios",
        "The cost-optimal model of each scenario; the target quality and the coefficient set are the same in all.",
    )
    page.skip()
    page.freeze()
    _demand(page, given)
    page.skip()
    _plan(page, given)
    page.skip()
    _present_value(page, given)
    page.name_cells("scenario_costs", page.row_of("cost"), (LIVE + 1, LAST))
    stacked_dollars(
        page, ("training_cost", "serving_cost"), (LIVE + 1, LAST),
        "Lifetime cost of the cost-optimal model by scenario", "scenario",
    )  # fmt: skip
    page.finish()


def _row(
    page: Page, key: str, label: str, formula: str, unit: str, note: str, number_format: str,
    suffix: str = "", *, bold: bool = False,
) -> None:  # fmt: skip
    """A row of one formula in five columns."""
    names = [f"{prefix}{suffix or key}" for prefix in _PREFIXES]
    page.results(
        key, label, formula, unit, note, number_format, names, bold=bold, first=LIVE
    )  # fmt: skip


def _demand(page: Page, given: Given) -> None:
    page.band("Demand", *_TITLES, last="How it is computed")
    cell = given.cell
    rows = (
        ("ramp", "Months of ramp within the service",
         f"=MIN({cell('months')},{cell('ramp_months')})", "months", "no more than there is service", style.WHOLE),
        ("top", "Demand in the last of them",
         f"=IF({{ramp}}=0,1,{cell('ramp_start_share')}+(1-{cell('ramp_start_share')})*({{ramp}}-1)/{cell('ramp_months')})",
         "share of full", "first share, then as much more each month as reaches 100% after the ramp", style.PERCENT),
        ("full_months", "Service, in months of full demand",
         f"={cell('months')}-{{ramp}}+{{ramp}}*AVERAGE({cell('ramp_start_share')},{{top}})",
         "months", "months at full demand + months of ramp x their average share", style.RATIO),
        ("input_tokens", "Lifetime input tokens",
         f"={{full_months}}*{cell('requests_per_month')}*{cell('input_tokens_per_request')}",
         "tokens", "months of full demand x requests a month x tokens a request", style.COUNT),
        ("output_tokens", "Lifetime output tokens",
         f"={{full_months}}*{cell('requests_per_month')}*{cell('output_tokens_per_request')}",
         "tokens", "months of full demand x requests a month x tokens a request", style.COUNT),
        ("inference_tokens", "Lifetime inference tokens", "={input_tokens}+{output_tokens}",
         "tokens", "D_inf of Eq. 3", style.COUNT),
    )  # fmt: skip
    for key, label, formula, unit, note, number_format in rows:
        _row(page, key, label, formula, unit, note, number_format, bold=key == "inference_tokens")
    for key in ("input_tokens", "output_tokens", "inference_tokens"):
        row = page.row_of(key)
        page.name_cells(key, row, LIVE)


def _plan(page: Page, given: Given) -> None:
    page.band("Cost-optimal model", *_TITLES, last="How it is computed")
    plan = f"OPT_PLAN(target_loss,{{input_tokens}},{{output_tokens}},{given.machines},coefficients,,,FALSE)"
    serving = f"SERVE_COST({{params}},{{input_tokens}},{{output_tokens}},{given.machines})"
    chinchilla = (
        f"=TRAIN_COST(chinchilla_style_params,chinchilla_style_tokens,{given.machines})"
        f"+SERVE_COST(chinchilla_style_params,{{input_tokens}},{{output_tokens}},{given.machines})"
    )
    rows = (
        ("params", "Model size", f"=INDEX({plan},1,1)", "parameters", "OPT_PLAN, N* of Eq. 6", style.COUNT),
        ("tokens", "Training tokens", "=TOKENS_FOR_LOSS(target_loss,{params},coefficients)", "tokens", "TOKENS_FOR_LOSS, Eq. 1 solved for D", style.COUNT),
        ("training_cost", "Cost of training", f"=TRAIN_COST({{params}},{{tokens}},{given.machines})", "$",
         "TRAIN_COST, data included", style.DOLLARS),
        ("serving_cost", "Cost of serving", f"={serving}", "$", "SERVE_COST at the prices of the first month", style.DOLLARS),
        ("cost", "Lifetime cost", "={training_cost}+{serving_cost}", "$", "training + serving", style.DOLLARS),
        ("chinchilla_cost", "Lifetime cost of the Chinchilla-style model", chinchilla, "$",
         "TRAIN_COST + SERVE_COST", style.DOLLARS),
        ("saved", "Cost saved", "={chinchilla_cost}-{cost}", "$", "difference", style.DOLLARS),
        ("saved_share", "Share of cost saved", "={saved}/{chinchilla_cost}", "share",
         "cost saved / cost of the Chinchilla-style model", style.PERCENT),
        ("gpu_hours", "GPU-hours of training",
         f"=TRAIN_COST({{params}},{{tokens}},{given.compute})/{given.cell('training_GPU_price')}",
         "GPU-hours", "cost of training without data / GPU price", style.COUNT),
        ("days", "Days of training", "={gpu_hours}/(training_fleet*hours_per_day)", "days",
         "GPU-hours / (GPUs x hours a day)", style.RATIO),
    )  # fmt: skip
    for key, label, formula, unit, note, number_format in rows:
        _row(
            page, key, label, formula, unit, note, number_format, bold=key in ("cost", "saved_share")
        )  # fmt: skip


def _present_value(page: Page, given: Given) -> None:
    """In one formula each, apart from the timeline, so that each is a check of the other."""
    page.band("Present value", *_TITLES, last="How it is computed")
    cell = given.cell
    column = f"COLUMNS(${letter(LIVE)}{page.row}:{{column}}{page.row})"
    prices = f"INDEX(scenario_prices,{column},0)"  # one row a column of this sheet
    within = f"=IF({{start}}+{cell('months')}>COLUMNS(timeline_months),{BEYOND},"
    trained = (
        "((timeline_months<={length})+(timeline_months>{length})*(timeline_months-1<{length})"
        "*({length}-timeline_months+1))/{length}"
    )
    served = (
        f"(timeline_months>{{start}})*(timeline_months<={{start}}+{cell('months')})"
        f"*((timeline_months>{{start}}+{{ramp}})+(timeline_months<={{start}}+{{ramp}})"
        f"*({cell('ramp_start_share')}+(1-{cell('ramp_start_share')})*(timeline_months-{{start}}-1)/MAX(1,{cell('ramp_months')})))"
    )
    rows = (
        ("length", "Months of training", "={days}/days_per_month", "months", "days / days a month", style.RATIO),
        ("start", "Months before service", "=ROUNDUP({length},0)", "months", "whole months; service starts with the next", style.WHOLE),
        ("data_cost", "Cost of training data", f"={{tokens}}*{cell('data_price')}", "$", "tokens x data price", style.DOLLARS),
        ("npv_training", "Present cost of training",
         f"{within}({{training_cost}}-{{data_cost}})*SUMPRODUCT({trained}*{prices}*timeline_factors)+{{data_cost}}*SUMPRODUCT({trained}*timeline_factors))",
         "$", "share trained in each month x price index (not for data) x discount factor", style.DOLLARS),
        ("npv_serving", "Present cost of serving",
         f"{within}IF({{full_months}}=0,0,{{serving_cost}}/{{full_months}}*SUMPRODUCT({served}*{prices}*timeline_factors)))",
         "$", "cost of a month of full demand x share of full demand x price index x discount factor", style.DOLLARS),
        ("npv", "Present cost", f"{within}{{npv_training}}+{{npv_serving}})", "$", "training + serving", style.DOLLARS),
    )  # fmt: skip
    for key, label, formula, unit, note, number_format in rows:
        suffix = "" if key.startswith(("npv", "data")) else f"training_{key}"
        _row(
            page, key, label, formula, unit, note, number_format, suffix, bold=key == "npv"
        )  # fmt: skip
