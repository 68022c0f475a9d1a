"""The budget workbook: the paper's figures, and every table against a second way to it."""

from __future__ import annotations

import io
import shutil
from datetime import datetime
from importlib.util import find_spec

import numpy as np
import openpyxl
import pandas as pd
import pytest

import chinchilla_xl as cx
from blocks import block
from budget_book import MODELS, cached, named_values, values_with, with_inputs
from chinchilla_xl.costs import ASSUMPTIONS, Deployment
from chinchilla_xl.recalc import recompute_bytes
from chinchilla_xl.workbooks import template
from paper import CAPTION_COSTS_HIGHER_BY, REQUESTS, TABLE_2, TABLE_3, agrees, printed


@pytest.fixture(scope="module")
def budget() -> bytes:
    return template("budget")


def series(data: bytes, name: str) -> np.ndarray:
    return block(data, name)[0].astype(float)


def demand(tokens: float) -> dict[str, float]:
    """Inputs that serve so many tokens, without a ramp."""
    return {"months": 10, "ramp_months": 0, "requests_per_month": tokens / 2150}


@pytest.mark.parametrize(("compute", "cost"), list(zip(TABLE_2, TABLE_3, strict=True)))
def test_tables_2_and_3_come_out_of_the_template(budget, compute, cost):
    values = values_with(
        budget, target_params=printed(compute.params), **demand(printed(compute.tokens))
    )
    assert values["inference_tokens"] == pytest.approx(printed(compute.tokens), rel=1e-12)
    assert agrees(values["target_loss"], compute.loss)
    assert agrees(values["chinchilla_style_tokens"], compute.training)
    assert agrees(values["chinchilla_style_flops"], compute.spent)
    assert agrees(values["compute_optimal_params"], compute.opt_params)
    assert agrees(values["compute_optimal_tokens"], compute.opt_training)
    assert agrees(values["compute_optimal_flops"], compute.opt_spent)
    assert agrees(values["compute_optimal_flops_saved"], compute.saved)
    assert agrees(values["chinchilla_style_cost"], cost.spent)
    assert agrees(values["cost_optimal_params"], cost.opt_params)
    assert agrees(values["cost_optimal_tokens"], cost.opt_training)
    assert agrees(values["cost_optimal_cost"], cost.opt_spent)
    assert agrees(values["cost_optimal_saved_share"], cost.saved)


@pytest.mark.parametrize(("row", "requests"), list(zip(TABLE_3, REQUESTS, strict=True)))
def test_the_captions_reading_of_table_3_costs_about_a_tenth_more(budget, row, requests):
    values = values_with(
        budget, target_params=printed(row.params), months=10, ramp_months=0,
        requests_per_month=printed(requests) / 10, output_tokens_per_request=215,
    )  # fmt: skip
    low, high = CAPTION_COSTS_HIGHER_BY
    for model, cost in (("chinchilla_style", row.spent), ("cost_optimal", row.opt_spent)):
        assert low < values[f"{model}_cost"] / printed(cost) < high


def test_it_has_about_five_trillion_tokens_and_the_papers_settings_by_default(budget):
    values = named_values(budget)
    assert values["inference_tokens"] == pytest.approx(5e12, rel=1e-4)
    for a in ASSUMPTIONS:
        assert values[f"live_{a.label.replace(' ', '_')}"] == a.default


def test_quality_may_be_given_as_a_loss(budget):
    values = values_with(budget, quality_by="loss", target_loss_given=2.1, **demand(1e12))
    assert values["target_loss"] == 2.1
    inputs = values["input_tokens"], values["output_tokens"]
    assert values["compute_optimal_params"] == pytest.approx(cx.opt_params(2.1, 1e12), rel=1e-9)
    assert values["cost_optimal_cost"] == pytest.approx(cx.opt_cost(2.1, *inputs), rel=1e-9)


def test_another_coefficient_set_reaches_every_result(budget):
    before = named_values(budget)
    after = values_with(budget, coefficient_set="besiroglu")
    assert after["coefficient_A"] == 482.01
    loss = cx.chinchilla_loss(30e9, cx.chinchilla_tokens(30e9, "besiroglu"), "besiroglu")
    assert after["target_loss"] == loss
    for name in ("cost_optimal_params", "low_params", "plan_cost", "cost_optimal_npv"):
        assert after[name] != before[name]


def test_the_selector_takes_one_of_the_scenarios_that_stand_side_by_side(budget):
    base = named_values(budget)
    assert base["low_cost"] < base["base_cost"] < base["high_cost"]
    for scenario in ("Low", "High", "Custom"):
        chosen = values_with(budget, scenario=scenario)
        prefix = f"{scenario.lower()}_"
        for key in ("params", "tokens", "training_cost", "serving_cost", "cost", "npv"):
            assert chosen[f"cost_optimal_{key}"] == pytest.approx(base[f"{prefix}{key}"], rel=1e-9)
        assert chosen["base_cost"] == base["base_cost"]
        assert chosen["master_check"].startswith("OK")


def test_a_scenario_is_what_its_own_inputs_give(budget):
    values = values_with(budget, custom_requests_per_month=1e9, custom_output_MFU=0.03, custom_data_price=1e-7)  # fmt: skip
    deployment = Deployment(output_mfu=0.03, data_price=1e-7)
    inputs = values["custom_input_tokens"], values["custom_output_tokens"]
    plan = cx.opt_plan(values["target_loss"], *inputs, deployment, header=False)[0]
    assert inputs[0] == pytest.approx(1e9 * 70 * values["custom_full_months"], rel=1e-12)
    for key, place in (("params", 0), ("tokens", 1), ("cost", 5), ("chinchilla_cost", 11), ("saved", 12)):  # fmt: skip
        if key not in ("chinchilla_cost", "saved"):
            assert values[f"custom_{key}"] == pytest.approx(plan[place], rel=1e-9)
    # The Chinchilla-style model buys its data, too.
    assert values["custom_saved"] == pytest.approx(plan[12], rel=1e-9)


def by_hand(values: dict[str, object], model: str) -> pd.DataFrame:
    """A model's months, from its totals and the inputs alone."""
    months = np.arange(1, 73)
    length = values[f"{model}_training_gpu_hours"] / 512 / 24 / (365.25 / 12)
    trained = np.clip(length - (months - 1), 0, 1) / length
    served = months - np.ceil(length)
    served = np.where((served > 0) & (served <= values["live_months"]), served, 0)
    first, ramp = values["live_ramp_start_share"], values["live_ramp_months"]
    share = np.where(served > ramp, 1.0, first + (1 - first) * (served - 1) / max(ramp, 1))
    share = np.where(served > 0, share, 0)
    compute = values[f"{model}_training_cost"] - values[f"{model}_data_cost"]
    frame = pd.DataFrame({"month": months, "trained": trained, "served": served, "demand": share})
    frame["training"] = compute * trained
    frame["data"] = values[f"{model}_data_cost"] * trained
    frame["serving"] = values[f"{model}_serving_cost"] * share / share.sum()
    price = (1 - values["live_GPU_price_decline"]) ** ((months - 1) / 12)
    frame["cost"] = (frame["training"] + frame["serving"]) * price + frame["data"]
    frame["sum"] = frame["cost"].cumsum()
    frame["present"] = frame["cost"] / (1 + values["discount_rate"]) ** (months / 12)
    return frame


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("inputs", [{}, {"scenario": "High", "high_data_price": 2e-7, "discount_rate": 0.2}])  # fmt: skip
def test_the_timeline_is_what_numpy_makes_of_the_totals(budget, model, inputs):
    data = with_inputs(budget, **inputs)
    values = named_values(data)
    frame = by_hand(values, model)
    for column in frame.columns[1:]:
        np.testing.assert_allclose(
            series(data, f"{model}_monthly_{column}"), frame[column], rtol=1e-9, atol=1e-6
        )
    present = frame["present"].sum()
    assert values[f"{model}_npv"] == pytest.approx(present, rel=1e-9)
    assert values[f"{model}_npv_training"] + values[f"{model}_npv_serving"] == pytest.approx(
        present
    )
    undiscounted = frame[["training", "data", "serving"]].to_numpy().sum()
    assert values[f"{model}_cost"] == pytest.approx(undiscounted, rel=1e-9)


def test_months_are_calendar_months_from_the_first_on(budget):
    data = with_inputs(budget, start_month=(datetime(2027, 11, 1) - datetime(1899, 12, 30)).days)
    dates = block(data, "timeline_dates")[0]
    found = pd.to_datetime([str(d) for d in dates])
    assert list(found) == list(pd.date_range("2027-11-01", periods=72, freq="MS"))


def test_break_even_is_where_the_costs_meet(budget):
    data = with_inputs(budget)
    values = named_values(data)
    pairs = {
        f"{MODELS[b]}_over_{MODELS[a]}": (MODELS[a], MODELS[b]) for a, b in ((0, 1), (0, 2), (1, 2))
    }
    deployment = Deployment()
    for key, (one, other) in pairs.items():
        sizes = [values[f"{m}_{k}"] for m in (one, other) for k in ("params", "tokens")]
        assert values[f"{key}_flops"] == pytest.approx(cx.breakeven_tokens(*sizes), rel=1e-12)
        tokens = values[f"{key}_dollars"]
        mix = tokens * 70 / 215, tokens * 145 / 215
        costs = [
            deployment.training_cost(n, d) + deployment.serving_cost(n, *mix)
            for n, d in (sizes[:2], sizes[2:])
        ]
        assert costs[0] == pytest.approx(costs[1], rel=1e-9)
        sums = [by_hand(values, m)["sum"].to_numpy() for m in (one, other)]
        dearer = np.flatnonzero(sums[0] <= sums[1])
        assert values[f"{key}_month"] == dearer.max() + 2  # counted from 1, the month after
    np.testing.assert_allclose(
        block(data, "cost_by_tokens_served").astype(float),
        [
            [values[f"{m}_training_cost"] + share * values[f"{m}_serving_cost"] for m in MODELS]
            for share in block(data, "served_shares")[:, 0]
        ],
        rtol=1e-12,
    )


def test_each_grid_is_one_formula_and_every_cell_a_call_of_its_own(budget):
    data = with_inputs(budget, data_price=1e-8)
    values = named_values(data)
    deployment = Deployment(data_price=1e-8)
    loss, read, written = (values[n] for n in ("target_loss", "input_tokens", "output_tokens"))
    n_chin, n_opt = values["chinchilla_style_params"], values["cost_optimal_params"]
    floor = (406.4 / (loss - 1.69)) ** (1 / 0.336)
    assert values["smallest_params"] == pytest.approx(floor, rel=1e-12)

    def quality(f: float, q: float) -> float:
        size = n_chin * q
        target = cx.chinchilla_loss(size, cx.chinchilla_tokens(size))
        return cx.opt_cost(target, read * f, written * f, deployment)

    def price(p: float, m: float) -> float:
        changed = Deployment(serve_price=1.10 * p, output_mfu=0.01 * m, data_price=1e-8)
        return cx.opt_cost(loss, read, written, changed)

    def size(s: float, f: float) -> float:
        n = floor + s * (n_opt - floor)
        d = cx.tokens_for_loss(loss, n)
        return cx.train_cost(n, d, deployment) + cx.serve_cost(n, read * f, written * f, deployment)

    for grid, side, top, direct in (
        ("cost_by_demand_and_quality", "demand_factors", "quality_factors", quality),
        ("cost_by_price_and_mfu", "price_factors", "mfu_factors", price),
        ("cost_by_size_and_demand", "size_factors", "size_demand_factors", size),
    ):
        rows, columns = block(data, side)[:, 0], block(data, top)[0]
        expected = [[direct(float(r), float(c)) for c in columns] for r in rows]
        np.testing.assert_allclose(block(data, grid).astype(float), expected, rtol=1e-9)
        [(sheet, place)] = cached(data).defined_names[grid].destinations
        formulas = openpyxl.load_workbook(io.BytesIO(data))[sheet][place.replace("$", "")]
        assert sum(cell.data_type == "f" for row in formulas for cell in row) == 1


def test_the_tornado_is_what_direct_calls_give(budget):
    data = with_inputs(budget, input_MFU=0.9)
    values = named_values(data)
    loss, read, written = (values[n] for n in ("target_loss", "input_tokens", "output_tokens"))
    plan = {"input_mfu": 0.9}

    def cost(*, target: float = loss, more_in: float = 1, more_out: float = 1, **changed: float) -> float:  # fmt: skip
        return cx.opt_cost(target, read * more_in, written * more_out, Deployment(**{**plan, **changed}))  # fmt: skip

    def better(f: float) -> float:
        size = values["chinchilla_style_params"] * f
        return cx.chinchilla_loss(size, cx.chinchilla_tokens(size))

    direct = {
        "Requests a month": lambda f: cost(more_in=f, more_out=f),
        "Input tokens a request": lambda f: cost(more_in=f),
        "Output tokens a request": lambda f: cost(more_out=f),
        "Service, in full-demand months": lambda f: cost(more_in=f, more_out=f),
        "Training GPU price": lambda f: cost(train_price=1.5 * f),
        "Training MFU": lambda f: cost(train_mfu=0.5 * f),
        "Serving GPU price": lambda f: cost(serve_price=1.1 * f),
        "Input MFU": lambda f: cost(input_mfu=min(1.0, 0.9 * f)),
        "Output MFU": lambda f: cost(output_mfu=0.01 * f),
        "Chinchilla-style model as good": lambda f: cost(target=better(f)),
    }
    base = cost()
    names = [str(n) for n in block(data, "tornado_names")[:, 0]]
    assert names == list(direct)
    low = block(data, "tornado_low_change")[:, 0].astype(float)
    high = block(data, "tornado_high_change")[:, 0].astype(float)
    np.testing.assert_allclose(low, [direct[n](0.75) - base for n in names], rtol=1e-6, atol=1e-3)
    np.testing.assert_allclose(high, [direct[n](1.25) - base for n in names], rtol=1e-6, atol=1e-3)
    swings = block(data, "tornado_swings")[:, 0].astype(float)
    np.testing.assert_allclose(swings, np.abs(high - low) / base, rtol=0, atol=1e-6)
    ranks = block(data, "tornado_ranks")[:, 0].astype(int)
    assert sorted(ranks) == list(range(1, 11))
    assert all(np.diff(swings[np.argsort(ranks)]) <= 0)


def test_assumptions_that_swing_alike_keep_the_order_of_their_rows(budget):
    """Requests, months and serving price multiply the same cost; engines differ in its last digit."""
    names = block(budget, "tornado_names")[:, 0].tolist()
    alike = ["Requests a month", "Service, in full-demand months", "Serving GPU price"]
    places = [names.index(name) for name in alike]
    changes = block(budget, "tornado_high_change")[places, 0].astype(float)
    assert changes == pytest.approx([changes[0]] * 3, rel=1e-12)
    first, second, third = block(budget, "tornado_ranks")[places, 0]
    assert (second, third) == (first + 1, first + 2)


def test_data_needed_is_a_share_of_the_stock_in_tokens_of_its_year(budget):
    data = with_inputs(budget)
    values = named_values(data)
    aggregate = 7.41e14 * 1.0715 ** (2026 - 2022) * 1.33
    for model in MODELS:
        share = values[f"{model}_tokens"] / aggregate
        assert values[f"{model}_expected_share"] == pytest.approx(share, rel=1e-12)
        assert values[f"{model}_least_share"] < share < values[f"{model}_most_share"]
    assert block(data, "stock_words").shape == (6, 3)


def test_every_assumption_moves_the_cost_its_way(budget):
    before = named_values(budget)["cost_optimal_cost"]
    for a in ASSUMPTIONS[:7]:
        value = min(1.0, a.default * 1.5) if a.unit == "fraction" else a.default * 1.5
        after = values_with(budget, **{a.label.replace(" ", "_"): value})["cost_optimal_cost"]
        assert (after > before) == (a.unit == "$/h"), a.label


def test_gpu_hours_days_and_machines_follow_from_flops(budget):
    values = named_values(budget)
    flops = 6 * values["cost_optimal_params"] * values["cost_optimal_tokens"]
    hours = flops / (3.12e14 * 0.5) / 3600
    assert values["cost_optimal_training_flops"] == pytest.approx(flops, rel=1e-12)
    assert values["cost_optimal_training_gpu_hours"] == pytest.approx(hours, rel=1e-12)
    assert values["cost_optimal_training_days"] == pytest.approx(hours / 512 / 24, rel=1e-12)
    month = values["cost_optimal_serving_cost"] / values["selected_full_months"]
    assert values["cost_optimal_serving_gpus"] == pytest.approx(month / 1.10 / 730.5, rel=1e-12)
    per_million = values["cost_optimal_cost"] / values["inference_tokens"] * 1e6
    assert values["cost_optimal_cost_per_million"] == pytest.approx(per_million, rel=1e-12)


def test_a_sweep_keeps_it_loaded_and_gives_what_recomputation_gives(budget, tmp_path):
    (tmp_path / "b.xlsx").write_bytes(budget)
    frame = pd.DataFrame(
        {"months": [12.0, 48.0, 12.0, 36.0], "output_MFU": [0.02, 1.0, 0.005, 0.01]}
    )
    names = ["cost_optimal_npv", "failing_checks", "cost_optimal_over_chinchilla_style_month"]
    result = cx.sweep(tmp_path / "b.xlsx", frame, names)
    for row in result.to_dict("records"):
        data, _ = recompute_bytes(budget, {n: row[n] for n in frame.columns})
        expected = named_values(data)
        for name in names:
            if isinstance(expected[name], str):
                assert row[name] == expected[name]
            else:
                assert row[name] == pytest.approx(expected[name], rel=1e-12)


@pytest.mark.slow
@pytest.mark.skipif(
    find_spec("chinchilla_xl.addins") is None or shutil.which("soffice") is None,
    reason="no LibreOffice, or no extension for it in this version",
)
@pytest.mark.parametrize(("compute", "cost"), list(zip(TABLE_2, TABLE_3, strict=True)))
def test_libreoffice_with_our_extension_gives_the_same_tables(budget, compute, cost):
    inputs = {"target_params": printed(compute.params), **demand(printed(compute.tokens))}
    data, report = recompute_bytes(budget, inputs, engine="libreoffice")
    assert report.complete, report.kept
    values = named_values(data)
    assert agrees(values["compute_optimal_flops"], compute.opt_spent)
    assert agrees(values["cost_optimal_cost"], cost.opt_spent)
    for name, expected in values_with(budget, **inputs).items():
        if isinstance(expected, int | float):
            assert values[name] == pytest.approx(expected, rel=1e-9, abs=1e-6), name
        else:
            assert values[name] == expected, name
