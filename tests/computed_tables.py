"""The computed tables of docs/: one question by every coefficient set, and the paper's claims beside ours."""

from __future__ import annotations

import chinchilla_xl as cx
from chinchilla_xl.coefficients import NAMES, Law, published
from chinchilla_xl.workbooks.paper import printed
from docs_markdown import table
from paper import INPUT_SHARE, OUTPUT_SHARE


def coefficient_table() -> list[str]:
    """One question by every set of coefficients."""
    plans = {s.name: _plan(s.law) for s in published().values()}
    rows = [
        (
            f"`{name}`", _count(plan["Chinchilla-style tokens"]),
            f"{plan['Chinchilla-style tokens per parameter']:.0f}", _count(plan["params"]),
            _count(plan["tokens"]), f"{plan['tokens per parameter']:,.0f}",
            _dollars(plan["Chinchilla-style total $"]), _dollars(plan["total $"]), f"{plan['saved share']:.0%}",
        )
        for name, plan in plans.items()
    ]  # fmt: skip
    heads = (
        "set", "D, Chinchilla-style", "D/N", "N, cost-optimal", "D", "D/N",
        "cost, Chinchilla-style", "cost-optimal", "saved",
    )  # fmt: skip
    sizes, costs = ([plan[key] for plan in plans.values()] for key in ("params", "total $"))
    return [
        *table(heads, rows),
        "",
        f"The answer to one question ranges from {_count(min(sizes))} to {_count(max(sizes))} parameters and from",
        f"{_dollars(min(costs))} to {_dollars(max(costs))}.",
    ]


def _plan(law: Law) -> dict[str, float]:
    """What a law makes of 30B quality and 5T tokens: OPT_PLAN, by its headings."""
    loss = cx.chinchilla_loss(30e9, cx.chinchilla_tokens(30e9, law), law)
    headings, figures = cx.opt_plan(loss, 5e12 * INPUT_SHARE, 5e12 * OUTPUT_SHARE, coeffs=law)
    return dict(zip(headings, figures, strict=True))


def paper_table(number: int) -> list[str]:
    """Table 2 or 3: each printed figure beside the computed one, bold where a digit differs."""
    total = {2: "FLOPs", 3: "cost"}[number]
    heads = ("model", "demand", "loss", "D", total, "N\\*", "D\\*", f"{total}\\*", "saved")
    rows = []
    for row in printed.rows(number):
        model, demand = row["params"], row["tokens"]
        figures = _equations(number, model.value, demand.value)
        cells = [model.text, demand.text]
        for key in printed.FIGURES:
            named = (model.text, key) in printed.deviations(number)
            text = f"**{row[key].text}**" if named else row[key].text
            cells.append(f"{text} / {_precise(figures[key], key)}")
        rows.append(cells)
    return table(heads, rows)


def _equations(number: int, params: float, demand: float) -> dict[str, float]:
    tokens = cx.chinchilla_tokens(params)
    loss = cx.chinchilla_loss(params, tokens)
    if number == 2:
        spent, best, weight = (
            6 * params * tokens + 2 * params * demand,
            cx.opt_flops(loss, demand),
            demand,
        )
    else:
        read, written = demand * INPUT_SHARE, demand * OUTPUT_SHARE
        spent = cx.train_cost(params, tokens) + cx.serve_cost(params, read, written)
        best, weight = cx.opt_cost(loss, read, written), cx.effective_tokens(read, written)
    return {
        "loss": loss, "training": tokens, "spent": spent, "opt_params": cx.opt_params(loss, weight),
        "opt_training": cx.opt_tokens(loss, weight), "opt_spent": best, "saved": 1 - best / spent,
    }  # fmt: skip


def deviation_table() -> list[str]:
    """The figures that the paper prints otherwise than its equations give them."""
    words = {
        "training": "training tokens", "spent": "FLOPs", "opt_params": "optimal size",
        "opt_training": "optimal tokens", "opt_spent": "optimal cost", "saved": "saved",
    }  # fmt: skip
    rows = []
    for number in (2, 3):
        by_model = {row["params"].text: row for row in printed.rows(number)}
        for (model, key), deviation in printed.deviations(number).items():
            row = by_model[model]
            value = _equations(number, row["params"].value, row["tokens"].value)[key]
            rows.append(
                (str(number), model, words[key], row[key].text, _precise(value, key), deviation.reason)
            )  # fmt: skip
    return table(("table", "row", "figure", "printed", "computed", "likely reason"), rows)


def caption_table() -> list[str]:
    """The costs of Table 3 by the two readings of its caption."""
    rows = []
    for row in printed.rows(3):
        params, requests = row["params"].value, row["requests"].value
        tokens = cx.chinchilla_tokens(params)
        literal = cx.train_cost(params, tokens) + cx.serve_cost(
            params, 70 * requests, 215 * requests
        )
        whole = _equations(3, params, row["tokens"].value)["spent"]
        cost = row["spent"]
        rows.append(
            (row["params"].text, row["requests"].text, f"${cost.text}", _dollars(whole), _dollars(literal), f"{literal / cost.value - 1:+.0%}")
        )  # fmt: skip
    heads = (
        "model",
        "requests",
        "printed cost",
        "215 tokens are the request",
        "70 and 215 tokens",
        "above print",
    )
    return table(heads, rows)


def law_table() -> list[str]:
    """Table 1: coefficients as printed, which are published sets here."""
    rows = [(f["data"], f"`{f['set']}`", *(f[c] for c in NAMES)) for f in printed.fits()]
    return table(("fitted to", "set", *NAMES), rows)


def claim_table() -> list[str]:
    """What the text says of Secs. 2 and 6, beside what the functions give."""
    rows = []

    def claim(where: str, what: str, said: str, value: str) -> None:
        rows.append((where, what, said, value))

    tokens, loss = _style(7e9)
    claim("Sec. 2", "7B quality, 1e11 tokens: size", "6B", _count(cx.opt_params(loss, 1e11)))
    claim("Sec. 2", "... and data, times", "1.18", f"{cx.opt_tokens(loss, 1e11) / tokens:.3f}")
    tokens, loss = _style(30e9)
    saved = 1 - cx.opt_flops(loss, 1e13) / (6 * 30e9 * tokens + 2 * 30e9 * 1e13)
    claim("Sec. 2", "30B quality, 1e13 tokens: FLOPs saved", "28%", f"{saved:.1%}")
    claim("Sec. 2", "... size", "13.6B", _count(cx.opt_params(loss, 1e13)))
    claim("Sec. 2", "... data, times", "2.84", f"{cx.opt_tokens(loss, 1e13) / tokens:.3f}")
    # 1.5B requests are 285 tokens each in the tables' column, of which 70/215 are input.
    for name, scale, written in (("", 285 / 215, 145), (", as the caption says", 1.0, 215)):
        read, wrote = 70 * 1.5e9 * scale, written * 1.5e9 * scale
        spent = cx.train_cost(30e9, tokens) + cx.serve_cost(30e9, read, wrote)
        weight = cx.effective_tokens(read, wrote)
        saved = 1 - cx.opt_cost(loss, read, wrote) / spent
        what = f"30B quality, 1.5B requests{name}: cost saved"
        claim("Sec. 6", what, "17%", f"{saved:.1%}")
        claim("Sec. 6", "... size", "16B", _count(cx.opt_params(loss, weight)))
        claim("Sec. 6", "... data", "3.35T", _count(cx.opt_tokens(loss, weight)))
    tokens, loss = _style(13e9)
    smaller = cx.tokens_for_loss(loss, 7e9)
    spent, less = (6 * n * d + 2 * n * 2e12 for n, d in ((13e9, tokens), (7e9, smaller)))
    what = "13B quality, 2e12 tokens, a 7B model: FLOPs saved"
    claim("Fig. 1", what, "1.7e22", f"{spent - less:.3g}".replace("e+", "e"))
    claim("Fig. 1", "... share", "17%", f"{1 - less / spent:.1%}")
    tokens, loss = _style(70e9)
    above = (6 * 70e9 * tokens + 2 * 70e9 * 2e12) / cx.opt_flops(loss, 2e12) - 1
    claim("Sec. 6", "70B quality, 2T tokens: FLOPs above the optimum", "1.3%", f"{above:.2%}")
    for name, read, wrote in (
        ("", 2e12 * INPUT_SHARE, 2e12 * OUTPUT_SHARE),
        (", 7.02B requests as the caption says", 70 * 7.02e9, 215 * 7.02e9),
    ):
        spent = cx.train_cost(70e9, tokens) + cx.serve_cost(70e9, read, wrote)
        above = spent / cx.opt_cost(loss, read, wrote) - 1
        what = f"70B quality, 2T tokens{name}: cost above the optimum"
        claim("Sec. 6", what, "36%", f"{above:.1%}")
    return table(("where", "claim", "printed", "computed"), rows)


def _style(params: float) -> tuple[float, float]:
    tokens = cx.chinchilla_tokens(params)
    return tokens, cx.chinchilla_loss(params, tokens)


def _count(value: float) -> str:
    return _scaled(value, {"T": 1e12, "B": 1e9, "M": 1e6})


def _dollars(value: float) -> str:
    return f"${_scaled(value, {'M': 1e6, 'K': 1e3})}"


def _scaled(value: float, units: dict[str, float]) -> str:
    for unit, size in units.items():
        if value >= size:
            digits = ".3g" if value < 1000 * size else ",.0f"
            return f"{value / size:{digits}}{unit}"
    return f"{value:.0f}"


def _precise(value: float, key: str) -> str:
    """A figure with a digit or two more than the paper prints."""
    if key == "loss":
        return f"{value:.4f}"
    if key == "saved":
        return f"{value:.2%}"
    for unit, size in (("T", 1e12), ("B", 1e9), ("M", 1e6), ("K", 1e3)):
        if size <= value < 1000 * size:
            return f"{value / size:.5g}{unit}"
    return f"{value:.4g}".replace("e+", "e")
