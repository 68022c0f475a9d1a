"""Sardana et al., arXiv 2401.00448, Tables 2 and 3 and the claims of Secs. 2 and 6: through Python,
through formulas in a workbook, and through the budget template."""

from __future__ import annotations

import numpy as np
import openpyxl
import pytest

import chinchilla_xl as cx
from chinchilla_xl.workbooks import template
from paper import (
    CAPTION_COSTS_HIGHER_BY,
    INPUT_SHARE,
    OUTPUT_SHARE,
    PRINTED_OTHERWISE,
    REQUESTS,
    TABLE_2,
    TABLE_3,
    agrees,
    check,
    columns,
    printed,
)
from support import named_values, recomputed


def test_every_figure_printed_otherwise_is_really_not_what_the_formulas_give():
    for (table, params, attribute), text in PRINTED_OTHERWISE.items():
        rows = TABLE_2 if table == "Table 2" else TABLE_3
        row = next(r for r in rows if r.params == params)
        assert not agrees(printed(getattr(row, attribute)), text)


def test_table_2_through_python_arrays():
    params, demand = columns(TABLE_2, "params"), columns(TABLE_2, "tokens")
    tokens = cx.chinchilla_tokens(params)
    loss = cx.chinchilla_loss(params, tokens)
    spent = 6 * params * tokens + 2 * params * demand
    best = cx.opt_flops(loss, demand)
    check(
        "Table 2",
        TABLE_2,
        {
            "loss": loss,
            "training": tokens,
            "spent": spent,
            "opt_params": cx.opt_params(loss, demand),
            "opt_training": cx.opt_tokens(loss, demand),
            "opt_spent": best,
            "saved": 1 - best / spent,
        },
    )


def table_3(read: np.ndarray, written: np.ndarray) -> dict[str, np.ndarray]:
    params = columns(TABLE_3, "params")
    tokens = cx.chinchilla_tokens(params)
    loss = cx.chinchilla_loss(params, tokens)
    effective = cx.effective_tokens(read, written)
    spent = cx.train_cost(params, tokens) + cx.serve_cost(params, read, written)
    best = cx.opt_cost(loss, read, written)
    return {
        "loss": loss,
        "training": tokens,
        "spent": spent,
        "opt_params": cx.opt_params(loss, effective),
        "opt_training": cx.opt_tokens(loss, effective),
        "opt_spent": best,
        "saved": 1 - best / spent,
    }


def test_table_3_holds_if_215_tokens_are_the_whole_request():
    demand = columns(TABLE_3, "tokens")
    check("Table 3", TABLE_3, table_3(demand * INPUT_SHARE, demand * OUTPUT_SHARE))


def test_table_3_is_a_tenth_too_low_if_its_caption_is_read_literally():
    requests = np.array([printed(r) for r in REQUESTS])
    literal = table_3(70 * requests, 215 * requests)
    low, high = CAPTION_COSTS_HIGHER_BY
    for attribute in ("spent", "opt_spent"):
        ratio = literal[attribute] / columns(TABLE_3, attribute)
        assert np.all((low < ratio) & (ratio < high)), (attribute, ratio)


WORKBOOK_COLUMNS = {
    # column -> (attribute of Table 2, formula), (attribute of Table 3, formula)
    "E": ("training", "=CHINCHILLA_TOKENS(A{r})"),
    "F": ("loss", "=CHINCHILLA_LOSS(A{r},E{r})"),
}
TABLE_2_FORMULAS = {
    "G": ("spent", "=6*A{r}*E{r}+2*A{r}*B{r}"),
    "H": ("opt_params", "=OPT_PARAMS(F{r},B{r})"),
    "I": ("opt_training", "=OPT_TOKENS(F{r},B{r})"),
    "J": ("opt_spent", "=OPT_FLOPS(F{r},B{r})"),
    "K": ("saved", "=1-J{r}/G{r}"),
}
TABLE_3_FORMULAS = {
    "G": ("spent", "=TRAIN_COST(A{r},E{r})+SERVE_COST(A{r},C{r},D{r})"),
    "H": ("opt_params", "=OPT_PARAMS(F{r},EFFECTIVE_TOKENS(C{r},D{r}))"),
    "I": ("opt_training", "=OPT_TOKENS(F{r},EFFECTIVE_TOKENS(C{r},D{r}))"),
    "J": ("opt_spent", "=OPT_COST(F{r},C{r},D{r})"),
    "K": ("saved", "=1-J{r}/G{r}"),
}


@pytest.mark.parametrize(
    ("table", "rows", "formulas"),
    [("Table 2", TABLE_2, TABLE_2_FORMULAS), ("Table 3", TABLE_3, TABLE_3_FORMULAS)],
)
def test_tables_through_formulas_in_a_workbook(tmp_path, table, rows, formulas):
    book = openpyxl.Workbook()
    sheet = book.active
    formulas = WORKBOOK_COLUMNS | formulas
    for r, row in enumerate(rows, start=2):
        demand = printed(row.tokens)
        cells = (printed(row.params), demand, demand * INPUT_SHARE, demand * OUTPUT_SHARE)
        for column, value in zip("ABCD", cells, strict=True):
            sheet[f"{column}{r}"] = value
        for column, (_, formula) in formulas.items():
            sheet[f"{column}{r}"] = formula.format(r=r)
    computed, report = recomputed(book, tmp_path)
    assert report.complete
    for column, (attribute, _) in formulas.items():
        values = [computed.active[f"{column}{r}"].value for r in range(2, 7)]
        check(table, rows, {attribute: values})


@pytest.mark.parametrize("index", range(5))
def test_both_tables_through_the_budget_template(index):
    compute, cost = TABLE_2[index], TABLE_3[index]
    months = 10
    values = named_values(
        template(
            "budget",
            {
                "target_params": printed(cost.params),
                "requests_per_month": printed(cost.tokens) / 215 / months,
                "months": months,
                "ramp_months": 0,
            },
        )
    )
    models = {
        "compute_optimal": (
            "Table 2",
            compute,
            {"spent": "chinchilla_style_flops", "opt_spent": "flops", "saved": "flops_saved"},
        ),
        "cost_optimal": (
            "Table 3",
            cost,
            {"spent": "chinchilla_style_cost", "opt_spent": "cost", "saved": "saved_share"},
        ),
    }
    for model, (table, row, keys) in models.items():
        names = {
            "loss": "target_loss",
            "params": "chinchilla_style_params",
            "training": "chinchilla_style_tokens",
            "spent": keys["spent"],
            "opt_params": f"{model}_params",
            "opt_training": f"{model}_tokens",
            "opt_spent": f"{model}_{keys['opt_spent']}",
            "saved": f"{model}_{keys['saved']}",
        }
        check(table, (row,), {a: [values[name]] for a, name in names.items()})


def chinchilla(params: float) -> tuple[float, float]:
    tokens = cx.chinchilla_tokens(params)
    return tokens, cx.chinchilla_loss(params, tokens)


def test_sec_2_a_7b_quality_model_with_1e11_tokens_is_6b_on_118_percent_of_the_data():
    tokens, loss = chinchilla(7e9)
    assert agrees(cx.opt_params(loss, 1e11), "6B")
    assert agrees(cx.opt_tokens(loss, 1e11) / tokens, "1.18")


def test_sec_2_a_30b_quality_model_with_1e13_tokens_saves_28_percent():
    tokens, loss = chinchilla(30e9)
    spent = 6 * 30e9 * tokens + 2 * 30e9 * 1e13
    assert agrees(1 - cx.opt_flops(loss, 1e13) / spent, "28%")
    assert agrees(cx.opt_params(loss, 1e13), "13.6B")
    assert agrees(cx.opt_tokens(loss, 1e13) / tokens, "2.84")


def test_figure_1_a_7b_model_of_13b_quality_saves_17_percent_at_2e12_tokens():
    tokens, loss = chinchilla(13e9)
    smaller = cx.Law(406.4, 410.7, 1.69, 0.336, 0.283)
    left = loss - smaller.E - smaller.A * 7e9**-smaller.alpha
    small_tokens = (smaller.B / left) ** (1 / smaller.beta)
    spent = 6 * 13e9 * tokens + 2 * 13e9 * 2e12
    spent_small = 6 * 7e9 * small_tokens + 2 * 7e9 * 2e12
    assert agrees(spent - spent_small, "1.7e22")
    assert agrees(1 - spent_small / spent, "17%")


@pytest.mark.parametrize(
    ("written", "saved", "params", "data"),
    [(145, "17%", "16B", "3.35T"), (215, "19%", "15.7B", "3.51T")],
    ids=["215 a request", "caption"],
)
def test_sec_6_a_30b_quality_model_with_1_5b_requests(written, saved, params, data):
    tokens, loss = chinchilla(30e9)
    # The table's reading counts 285 tokens a request, of which 215 are split 70/145.
    requests = 1.5e9 * 285 / 215 if written == 145 else 1.5e9
    read, wrote = 70 * requests, written * requests
    spent = cx.train_cost(30e9, tokens) + cx.serve_cost(30e9, read, wrote)
    effective = cx.effective_tokens(read, wrote)
    assert agrees(1 - cx.opt_cost(loss, read, wrote) / spent, saved)
    assert agrees(cx.opt_params(loss, effective), params)
    assert agrees(cx.opt_tokens(loss, effective), data)


def test_sec_6_a_70b_quality_model_with_2t_tokens_costs_36_percent_more_than_need_be():
    tokens, loss = chinchilla(70e9)
    read, written = 2e12 * INPUT_SHARE, 2e12 * OUTPUT_SHARE
    spent = cx.train_cost(70e9, tokens) + cx.serve_cost(70e9, read, written)
    assert agrees(spent / cx.opt_cost(loss, read, written) - 1, "36%")
    flops = 6 * 70e9 * tokens + 2 * 70e9 * 2e12
    assert agrees(flops / cx.opt_flops(loss, 2e12) - 1, "1.3%")


def test_sec_6_the_70b_claim_is_39_5_percent_by_the_caption():
    tokens, loss = chinchilla(70e9)
    read, written = 7.02e9 * 70, 7.02e9 * 215
    spent = cx.train_cost(70e9, tokens) + cx.serve_cost(70e9, read, written)
    assert agrees(spent / cx.opt_cost(loss, read, written) - 1, "39.5%")
