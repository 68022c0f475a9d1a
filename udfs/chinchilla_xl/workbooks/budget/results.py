"""Results: the three models in full: size, data, compute, calendar, dollars, present value."""

from __future__ import annotations

from chinchilla_xl.workbooks import style
from chinchilla_xl.workbooks.book import Book
from chinchilla_xl.workbooks.budget.inputs import BEYOND
from chinchilla_xl.workbooks.budget.models import COLUMNS, MODEL_TITLES, MODELS
from chinchilla_xl.workbooks.charts import stacked_dollars
from chinchilla_xl.workbooks.page import Page

Row = tuple[str, str, str, str, str, str]
"""Key, label, formula ({model} is the model's name), unit, how it is computed, number format."""

_BOLD = {"cost", "saved_share", "npv", "npv_saved_share"}

_SIZE: tuple[Row, ...] = (
    ("params", "Model size", "={model}_size", "parameters", "from Models", style.COUNT),
    ("tokens", "Training tokens", "={model}_data", "tokens", "from Models", style.COUNT),
    ("ratio", "Tokens per parameter", "={tokens}/{params}", "tokens/param",
     "training tokens / model size", style.RATIO),
    ("loss", "Loss", "=CHINCHILLA_LOSS({params},{tokens},coefficients)", "nats/token",
     "CHINCHILLA_LOSS, Eq. 1", style.LOSS),
)  # fmt: skip

_COMPUTE: tuple[Row, ...] = (
    ("training_flops", "FLOPs of training", "=train_FLOPs_per_token*{params}*{tokens}", "FLOPs",
     "6 N D, Eq. 3", style.SCIENTIFIC),
    ("serving_flops", "FLOPs of serving", "=serve_FLOPs_per_token*{params}*inference_tokens", "FLOPs",
     "2 N D_inf, Eq. 3", style.SCIENTIFIC),
    ("flops", "Lifetime FLOPs", "={training_flops}+{serving_flops}", "FLOPs",
     "training + serving, Eq. 3", style.SCIENTIFIC),
    ("flops_saved", "Share of FLOPs saved", "=1-{flops}/chinchilla_style_flops", "share",
     "1 - FLOPs / those of the Chinchilla-style model; below 0 where cheap FLOPs replace dear ones", style.PERCENT),
)  # fmt: skip

_DOLLARS: tuple[Row, ...] = (
    ("training_cost", "Cost of training", "=TRAIN_COST({params},{tokens},deployment)", "$",
     "TRAIN_COST, first term of Eq. 6, data included", style.DOLLARS),
    ("data_cost", "of which data", "={tokens}*live_data_price", "$", "tokens x data price", style.DOLLARS),
    ("serving_cost", "Cost of serving", "=SERVE_COST({params},input_tokens,output_tokens,deployment)", "$",
     "SERVE_COST, second term of Eq. 6", style.DOLLARS),
    ("cost", "Total cost", "={training_cost}+{serving_cost}", "$", "training + serving", style.DOLLARS),
    ("saved", "Cost saved", "=chinchilla_style_cost-{cost}", "$",
     "cost of the Chinchilla-style model - this one's", style.DOLLARS),
    ("saved_share", "Share of cost saved", "={saved}/chinchilla_style_cost", "share",
     "cost saved / cost of the Chinchilla-style model", style.PERCENT),
    ("cost_per_million", "Cost per million tokens served",
     '=IF(inference_tokens=0,"no demand",{cost}/inference_tokens*one_million)', "$/M tokens",
     "total cost / lifetime inference tokens, training included", "$#,##0.00"),
    ("marginal_cost", "of which serving",
     '=IF(inference_tokens=0,"no demand",{serving_cost}/inference_tokens*one_million)', "$/M tokens",
     "cost of serving / lifetime inference tokens", "$#,##0.00"),
)  # fmt: skip

_CALENDAR: tuple[Row, ...] = (
    ("training_gpu_hours", "GPU-hours of training",
     "=TRAIN_COST({params},{tokens},machines)/live_training_GPU_price", "GPU-hours",
     "cost of training without data / training GPU price", style.COUNT),
    ("training_days", "Days of training", "={training_gpu_hours}/(training_fleet*hours_per_day)", "days",
     "GPU-hours / (GPUs for training x hours a day)", style.RATIO),
    ("training_months", "Months of training", "={training_days}/days_per_month", "months",
     "days / days a month", style.RATIO),
    ("months_before_service", "Months before service", "=ROUNDUP({training_months},0)", "months",
     "whole months; service starts with the next", style.WHOLE),
    ("last_month", "Month in which service ends", "={months_before_service}+live_months", "month",
     "months before service + months in service", style.WHOLE),
    ("serving_gpu_hours", "GPU-hours of serving", "={serving_cost}/live_serving_GPU_price", "GPU-hours",
     "cost of serving / serving GPU price", style.COUNT),
    ("month_cost", "Cost of a month at full demand",
     "=SERVE_COST({params},live_requests_per_month*live_input_tokens_per_request,live_requests_per_month*live_output_tokens_per_request,deployment)",
     "$/month", "SERVE_COST of a month's tokens", style.DOLLARS),
    ("serving_gpus", "GPUs to serve full demand",
     "={month_cost}/live_serving_GPU_price/(hours_per_day*days_per_month)", "GPUs",
     "cost of a month / GPU price / hours a month", style.RATIO),
)  # fmt: skip


def fill(book: Book) -> None:
    """Build the sheet."""
    page = Page(
        book, "Results", (38, 17, 17, 17, 13, 60), about="the three models: size, data, dollars, present value, GPU-hours, days",
    )  # fmt: skip
    page.title(
        "Results",
        "Chinchilla-style: least compute of training. Compute-optimal: least FLOPs over the whole life. Cost-optimal: least dollars.",
    )
    page.skip()
    page.freeze()
    page.band("Selection", "Value", last="How it is computed")
    page.results("scenario", "Scenario", "=scenario", "choice", "selected on Inputs", style.PLAIN, ["shown_scenario"])  # fmt: skip
    page.results("target", "Target loss", "=target_loss", "nats/token", "from Inputs", style.LOSS, ["shown_target_loss"])  # fmt: skip
    page.results("demand", "Lifetime inference tokens", "=inference_tokens", "tokens", "from Scenarios", style.COUNT, ["shown_inference_tokens"])  # fmt: skip
    page.skip()
    _block(page, "Model", _SIZE)
    _block(page, "Compute", _COMPUTE)
    _block(page, "Cost at the prices of the first month", _DOLLARS)
    for key in ("params", "tokens"):
        page.name_cells(f"model_{key}", page.row_of(key), COLUMNS)
    page.name_cells("model_training_cost", page.row_of("training_cost"), COLUMNS)
    page.break_page()
    _block(page, "GPU-hours and calendar", _CALENDAR)
    _block(page, "Cost over time", _over_time())
    stacked_dollars(
        page,
        ("training_cost", "serving_cost"),
        COLUMNS,
        "Lifetime cost by model, at the prices of the first month",
        "model",
    )
    stacked_dollars(
        page,
        ("npv_training", "npv_serving"),
        COLUMNS,
        "Present cost by model, with falling GPU prices and discounting",
        "model",
    )
    page.finish()


def _over_time() -> tuple[Row, ...]:
    """Each from the model's own rows of the timeline, if that holds them all."""
    within = f"=IF({{last_month}}>COLUMNS(timeline_months),{BEYOND},"
    both = "=IF(AND(ISNUMBER(chinchilla_style_npv),ISNUMBER({npv})),"
    return (
        ("timeline_total", "Cost at each month's prices", f"{within}{{model}}_timeline_cost)", "$",
         "total of Timeline: GPU prices fall", style.DOLLARS),
        ("npv_training", "Present cost of training",
         f"{within}SUMPRODUCT({{model}}_monthly_training,timeline_prices,timeline_factors)+SUMPRODUCT({{model}}_monthly_data,timeline_factors))",
         "$", "training x GPU price index x discount factor + data x discount factor", style.DOLLARS),
        ("npv_serving", "Present cost of serving",
         f"{within}SUMPRODUCT({{model}}_monthly_serving,timeline_prices,timeline_factors))", "$",
         "serving x GPU price index x discount factor", style.DOLLARS),
        ("npv", "Present cost (NPV)", f"{within}{{npv_training}}+{{npv_serving}})", "$", "training + serving", style.DOLLARS),
        ("npv_saved", "Present cost saved", f"{both}chinchilla_style_npv-{{npv}},{BEYOND})", "$",
         "that of the Chinchilla-style model - this one's", style.DOLLARS),
        ("npv_saved_share", "Share of present cost saved", f"{both}{{npv_saved}}/chinchilla_style_npv,{BEYOND})", "share",
         "saved / that of the Chinchilla-style model", style.PERCENT),
    )  # fmt: skip


def _block(page: Page, title: str, rows: tuple[Row, ...]) -> None:
    page.band(title, *MODEL_TITLES, last="How it is computed")
    for key, label, formula, unit, how, number_format in rows:
        names = [f"{model}_{key}" for model in MODELS]
        page.results(
            key, label, formula, unit, how, number_format, names,
            bold=key in _BOLD, each={"model": MODELS},
        )  # fmt: skip
    page.skip()
