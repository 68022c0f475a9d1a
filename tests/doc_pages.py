"""Writes what docs/ takes from the code: a page for each function, and the tables that are computed.

python tests/doc_pages.py

The pages are kept in docs/, so that they can be read where no site is built; a test compares them.
"""

from __future__ import annotations

import csv
import re
import textwrap
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import openpyxl
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.formula import ArrayFormula

import chinchilla_xl as cx
from chinchilla_xl.coefficients import NAMES, published
from chinchilla_xl.costs import ASSUMPTIONS
from chinchilla_xl.functions import FUNCTIONS, WorksheetFunction
from chinchilla_xl.recalc import recompute_bytes
from chinchilla_xl.workbooks.paper import printed
from support import cached, saved

HOW = "write the pages anew with: python tests/doc_pages.py"
DOCS = Path(__file__).resolve().parent.parent / "docs"
ROWS, COLUMNS = 24, 16
"""The part of a result that a page can show."""

INPUT_SHARE, OUTPUT_SHARE = 70 / 215, 145 / 215
"""The reading of Table 3 that gives its figures: 215 tokens are the whole request."""

GROUPS = {
    "Loss and training": (
        "CHINCHILLA_LOSS", "CHINCHILLA_TOKENS", "CHINCHILLA_OPT", "TOKENS_FOR_LOSS",
        "COMPUTE_OVERHEAD", "KAPLAN_LOSS",
    ),
    "The optimum in FLOPs": ("OPT_PARAMS", "OPT_TOKENS", "OPT_FLOPS", "BREAKEVEN_TOKENS"),
    "Dollars": ("OPT_COST", "OPT_PLAN", "TRAIN_COST", "SERVE_COST", "EFFECTIVE_TOKENS"),
    "Coefficients": ("COEFFS", "FIT_COEFFS", "FIT_SAMPLES"),
}  # fmt: skip


def function_pages() -> dict[str, str]:
    """File under docs/ -> text, for every function and for their list."""
    by_name = {function.name: function for function in FUNCTIONS}
    assert sorted(by_name) == sorted(name for group in GROUPS.values() for name in group)
    pages = {f"functions/{name}.md": _page(function) for name, function in by_name.items()}
    return pages | {"functions/index.md": _list(by_name)}


def _list(by_name: dict[str, WorksheetFunction]) -> str:
    lines = [
        "# Functions",
        "",
        "The same in every spreadsheet program and in Python, where they have lower-case names. Each page is",
        "written from the texts that the function wizards show; its examples are run by the tests.",
        "",
    ]
    for group, names in GROUPS.items():
        rows = [(f"[{name}]({name}.md)", _escape(by_name[name].summary)) for name in names]
        lines += [f"## {group}", "", *_table(("function", "what it gives"), rows), ""]
    lines += [
        "## Units",
        "",
        "Parameters, tokens and FLOPs are plain counts (7B parameters are `7E9`), losses are in nats per token,",
        "money is in $; an MFU is a fraction (`0.45`, not `45`). A range gives a result for each of its cells; a",
        "column against a row gives a grid.",
        "",
        "## Errors",
        "",
        *_table(
            ("error", "what it means"),
            (
                ("#NUM!", "there is no answer: a number outside its domain, or a loss that the law cannot reach"),
                ("#VALUE!", "an argument cannot be used: a text for a number, ranges that do not fit, a name that no set has"),
                ("#N/A", "a cell that is needed is blank"),
                ("any other", "the error was in the argument, and is passed on"),
            ),
        ),
        "",
        "In a range an error stays in its element. In Python an element without an answer is NaN, and an",
        "argument that cannot be used raises `ArgumentError` with a sentence that says why. Where each",
        "spreadsheet program shows that sentence is in [the same answer by every route](../parity.md).",
        "",
        "## Deployments",
        "",
        "The argument `deployment` is two columns, labels and values, in any order, or the numbers alone in this",
        "order. A label that is left out has its default.",
        "",
        *_table(
            ("label", "unit", "rule", "default", "source of the default"),
            ((a.label, a.unit, _rule(a.domain.rule), f"{a.default:g}", _linked(a.source)) for a in ASSUMPTIONS),
        ),
        "",
        "## Coefficient sets",
        "",
        "The argument `coeffs` is the name of one of these, five numbers in this order, the table of",
        "[FIT_COEFFS](FIT_COEFFS.md), or any number of rows of five, one result each. What the choice does to an",
        "answer is shown in [the model](../model.md#what-a-coefficient-set-does).",
        "",
        *_table(
            ("name", *NAMES, "source"),
            (
                (f"`{s.name}`", *(f"{getattr(s.law, c):g}" for c in NAMES), _linked(_joined(s.source, s.note)))
                for s in published().values()
            ),
        ),
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def _page(function: WorksheetFunction) -> str:
    paragraphs = textwrap.dedent(f"    {function.__doc__}").strip().split("\n\n")
    told, examples = [], []
    for paragraph in paragraphs[1:]:
        (examples if paragraph.startswith(">>>") else told).append(paragraph)
    arguments = (
        (
            f"`{p.name}`",
            "required" if i < function.required else "optional",
            _escape(p.text.removeprefix("optional: ")),
            _rule(p.domain.rule) if p.domain is not None else "",
        )
        for i, p in enumerate(function.parameters)
    )
    lines = [
        f"# {function.name}",
        "",
        "```text",
        f"={function.syntax}",
        "```",
        "",
        _linked(_escape(function.summary)),
        "",
        *(line for p in told for line in (_linked(_escape(" ".join(p.split()))), "")),
        "## Arguments",
        "",
        *_table(("argument", "", "meaning", "must be"), arguments),
        "",
        *_more(function),
        "## Example",
        "",
        "In a cell:",
        "",
        "```text",
        function.example,
        "```",
        "",
        *_shown(function),
        "",
        "In Python:",
        "",
        "```python",
        *_imports(function, examples),
        *"\n\n".join(examples).splitlines(),
        "",
        "```",
    ]
    return "\n".join(lines) + "\n"


def _more(function: WorksheetFunction) -> list[str]:
    anchors = {"coeffs": "coefficient-sets", "deployment": "deployments"}
    names = [p.name for p in function.parameters if p.name in anchors]
    links = [f"[`{name}`](index.md#{anchors[name]})" for name in names]
    return [f"More on {' and '.join(links)}; on [errors](index.md#errors).", ""] if links else []


def _imports(function: WorksheetFunction, examples: Iterable[str]) -> list[str]:
    numpy = [">>> import numpy as np"] if any("np." in e for e in examples) else []
    return [*numpy, f">>> from chinchilla_xl import {function.name.lower()}"]


def _shown(function: WorksheetFunction) -> list[str]:
    """What the example gives in a workbook whose cells A1:C48 hold docs/runs-example.csv."""
    rows = _computed(function.example)
    if "A2:" in function.example:
        where = "With the runs of [runs-example.csv](../runs-example.csv) in A1:C48 it"
    else:
        where = "It"
    if len(rows) == len(rows[0]) == 1:
        return [f"{where} gives {_cell(rows[0][0])}."]
    cells = [[_cell(cell) for cell in row] for row in rows]
    if len(cells) == ROWS:
        return [
            f"{where} gives a row for each draw, of which these are the first:",
            "",
            *_table([" "] * len(cells[0]), cells[:3]),
        ]
    if len(cells) == 2:
        columns = list(zip(*cells, strict=True))
        return [
            f"{where} gives two rows, headings and figures, here as columns:",
            "",
            *_table(("heading", "figure"), columns),
        ]
    heads = cells.pop(0) if isinstance(rows[0][1], str) else [" "] * len(cells[0])
    return [f"{where} gives:", "", *_table(heads, cells)]


def _computed(formula: str) -> list[list[Any]]:
    book = openpyxl.Workbook()
    with (DOCS / "runs-example.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.reader(file):
            book.active.append([float(c) if c[0].isdigit() else c for c in row])
    area = f"E1:{get_column_letter(4 + COLUMNS)}{ROWS}"
    book.active["E1"] = ArrayFormula(area, formula)
    data, report = recompute_bytes(saved(book))
    assert report.complete, report.kept
    cells = cached(data).active[area]
    if all(cell.value == cells[0][0].value for row in cells for cell in row):
        return [[cells[0][0].value]]  # a single value fills its area
    rows = [[cell.value for cell in row] for row in cells]
    width = sum(any(row[j] != "#N/A" for row in rows) for j in range(COLUMNS))
    rows = [row[:width] for row in rows if row[0] != "#N/A"]
    return rows[:1] if all(row == rows[0] for row in rows) else rows


def coefficient_table() -> list[str]:
    """One question by every set of coefficients."""
    optima = _optima()
    rows = []
    for s, plan in zip(published().values(), optima, strict=True):
        (
            size,
            tokens,
            ratio,
            _,
            _,
            cost,
            _,
            style_tokens,
            style_ratio,
            _,
            _,
            style_cost,
            _,
            saved,
        ) = plan
        rows.append(
            (
                f"`{s.name}`", _count(style_tokens), f"{style_ratio:.0f}", _count(size), _count(tokens),
                f"{ratio:,.0f}", _dollars(style_cost), _dollars(cost), f"{saved:.0%}",
            )
        )  # fmt: skip
    heads = (
        "set", "tokens, Chinchilla-style", "per parameter", "size, cost-optimal", "tokens", "per parameter",
        "cost, Chinchilla-style", "cost-optimal", "saved",
    )  # fmt: skip
    # Of OPT_PLAN's columns 0 is the size, 5 the cost.
    sizes, costs = [plan[0] for plan in optima], [plan[5] for plan in optima]
    return [
        *_table(heads, rows),
        "",
        f"The answer to one question ranges from {_count(min(sizes))} to {_count(max(sizes))} parameters and from",
        f"{_dollars(min(costs))} to {_dollars(max(costs))}.",
    ]


def _optima() -> list[Any]:
    """What each set makes of 30B quality and 5T tokens: rows of OPT_PLAN."""
    found = []
    for s in published().values():
        loss = cx.chinchilla_loss(30e9, cx.chinchilla_tokens(30e9, s.law), s.law)
        read, written = 5e12 * INPUT_SHARE, 5e12 * OUTPUT_SHARE
        found.append(cx.opt_plan(loss, read, written, coeffs=s.law, header=False)[0])
    return found


def paper_tables() -> dict[int, list[str]]:
    """Tables 2 and 3, each printed figure beside the computed one where these differ in a digit."""
    heads = {
        2: ("model", "demand", "loss", "D", "FLOPs", "N\\*", "D\\*", "FLOPs\\*", "saved"),
        3: ("model", "demand", "loss", "D", "cost", "N\\*", "D\\*", "cost\\*", "saved"),
    }
    return {n: _table(heads[n], _paper_rows(n)) for n in (2, 3)}


def _paper_rows(table: int) -> list[list[str]]:
    lines = []
    for row in printed.rows(table):
        model, figures = row["params"], _equations(table, row["params"].value, row["tokens"].value)
        cells = [model.text, row["tokens"].text]
        for key in printed.FIGURES:
            named = (model.text, key) in printed.deviations(table)
            value = _precise(figures[key], key)
            cells.append(
                f"**{row[key].text}** / {value}" if named else f"{row[key].text} / {value}"
            )
        lines.append(cells)
    return lines


def _equations(table: int, params: float, demand: float) -> dict[str, float]:
    tokens = cx.chinchilla_tokens(params)
    loss = cx.chinchilla_loss(params, tokens)
    if table == 2:
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
    for table in (2, 3):
        by_model = {row["params"].text: row for row in printed.rows(table)}
        for (model, key), deviation in printed.deviations(table).items():
            row = by_model[model]
            value = _equations(table, row["params"].value, row["tokens"].value)[key]
            rows.append(
                (
                    str(table),
                    model,
                    words[key],
                    row[key].text,
                    _precise(value, key),
                    deviation.reason,
                )
            )
    return _table(("table", "row", "figure", "printed", "computed", "likely reason"), rows)


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
    return _table(heads, rows)


def law_table() -> list[str]:
    """Table 1: coefficients as printed, which are published sets here."""
    rows = [(f["data"], f"`{f['set']}`", *(f[c] for c in NAMES)) for f in printed.fits()]
    return _table(("fitted to", "set", *NAMES), rows)


def claim_table() -> list[str]:
    """What the text says of Secs. 2 and 6, beside what the functions give."""
    rows = []

    def claim(where: str, what: str, said: str, value: str) -> None:
        rows.append((where, what, said, value))

    tokens, loss = _style(7e9)
    claim("Sec. 2", "7B quality, 1e11 tokens: size", "6B", _count(cx.opt_params(loss, 1e11)))
    claim("Sec. 2", "... and data, times", "1.18", f"{cx.opt_tokens(loss, 1e11) / tokens:.3f}")
    tokens, loss = _style(30e9)
    spent = 6 * 30e9 * tokens + 2 * 30e9 * 1e13
    claim(
        "Sec. 2",
        "30B quality, 1e13 tokens: FLOPs saved",
        "28%",
        f"{1 - cx.opt_flops(loss, 1e13) / spent:.1%}",
    )
    claim("Sec. 2", "... size", "13.6B", _count(cx.opt_params(loss, 1e13)))
    claim("Sec. 2", "... data, times", "2.84", f"{cx.opt_tokens(loss, 1e13) / tokens:.3f}")
    # 1.5B requests are 285 tokens each in the tables' column, of which 70/215 are input.
    for name, scale, written, said in (
        ("", 285 / 215, 145, ("17%", "16B", "3.35T")),
        (", as the caption says", 1.0, 215, ("17%", "16B", "3.35T")),
    ):
        read, wrote = 70 * 1.5e9 * scale, written * 1.5e9 * scale
        spent = cx.train_cost(30e9, tokens) + cx.serve_cost(30e9, read, wrote)
        weight = cx.effective_tokens(read, wrote)
        claim(
            "Sec. 6",
            f"30B quality, 1.5B requests{name}: cost saved",
            said[0],
            f"{1 - cx.opt_cost(loss, read, wrote) / spent:.1%}",
        )
        claim("Sec. 6", "... size", said[1], _count(cx.opt_params(loss, weight)))
        claim("Sec. 6", "... data", said[2], _count(cx.opt_tokens(loss, weight)))
    tokens, loss = _style(13e9)
    smaller = cx.tokens_for_loss(loss, 7e9)
    spent, less = (6 * n * d + 2 * n * 2e12 for n, d in ((13e9, tokens), (7e9, smaller)))
    claim(
        "Fig. 1",
        "13B quality, 2e12 tokens, a 7B model: FLOPs saved",
        "1.7e22",
        f"{spent - less:.3g}".replace("e+", "e"),
    )
    claim("Fig. 1", "... share", "17%", f"{1 - less / spent:.1%}")
    tokens, loss = _style(70e9)
    flops = 6 * 70e9 * tokens + 2 * 70e9 * 2e12
    claim(
        "Sec. 6",
        "70B quality, 2T tokens: FLOPs above the optimum",
        "1.3%",
        f"{flops / cx.opt_flops(loss, 2e12) - 1:.2%}",
    )
    for name, read, wrote in (
        ("", 2e12 * INPUT_SHARE, 2e12 * OUTPUT_SHARE),
        (", 7.02B requests as the caption says", 70 * 7.02e9, 215 * 7.02e9),
    ):
        spent = cx.train_cost(70e9, tokens) + cx.serve_cost(70e9, read, wrote)
        claim(
            "Sec. 6",
            f"70B quality, 2T tokens{name}: cost above the optimum",
            "36%",
            f"{spent / cx.opt_cost(loss, read, wrote) - 1:.1%}",
        )
    return _table(("where", "claim", "printed", "computed"), rows)


def _style(params: float) -> tuple[float, float]:
    tokens = cx.chinchilla_tokens(params)
    return tokens, cx.chinchilla_loss(params, tokens)


BLOCKS: dict[str, dict[str, Callable[[], list[str]]]] = {
    "model.md": {"coefficient sets": coefficient_table},
    "reproduction.md": {
        "Table 1": law_table,
        "claims": claim_table,
        "Table 2": lambda: paper_tables()[2],
        "Table 3": lambda: paper_tables()[3],
        "Table 3 by its caption": caption_table,
        "deviations": deviation_table,
    },
}
"""Page -> the name of a table in it -> what computes it; the page marks where it stands."""


def with_blocks(page: str) -> str:
    """The page with its tables computed anew."""
    text = (DOCS / page).read_text(encoding="utf-8")
    for name, compute in BLOCKS[page].items():
        start, end = f"<!-- {name}: written by tests/doc_pages.py -->\n", "<!-- end -->"
        pattern = re.escape(start) + r".*?" + re.escape(end)
        block = start + "\n" + "\n".join(compute()) + "\n\n" + end
        text, count = re.subn(pattern, lambda _, block=block: block, text, flags=re.DOTALL)
        assert count == 1, f"{page} must mark the place of {name!r} once"
    return text


def _table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> list[str]:
    heads = list(heads)
    lines = [f"| {' | '.join(cells)} |" for cells in (heads, *rows)]
    return [lines[0], "|" + "---|" * len(heads), *lines[1:]]


def _cell(value: Any) -> str:
    if isinstance(value, str):
        return _escape(value)
    return f"{value:.5G}" if 1e-3 <= abs(value) < 1e5 else f"{value:.4G}"


def _rule(rule: str) -> str:
    return _escape("" if rule == "a number" else rule)


def _escape(text: str) -> str:
    """Text in which Markdown finds nothing to mark up."""
    return re.sub(r"([*_<>|#\[\]])", r"\\\1", text)


def _linked(text: str) -> str:
    return re.sub(r"arXiv (\d{4}\.\d{5})", r"[arXiv \1](https://arxiv.org/abs/\1)", text)


def _joined(source: str, note: str) -> str:
    return f"{source}. {note}" if note else source


def _count(value: float) -> str:
    for unit, size in (("T", 1e12), ("B", 1e9), ("M", 1e6)):
        if value >= size:
            return (
                f"{value / size:.3g}{unit}" if value < 1000 * size else f"{value / size:,.0f}{unit}"
            )
    return f"{value:.0f}"


def _dollars(value: float) -> str:
    for unit, size in (("M", 1e6), ("K", 1e3)):
        if value >= size:
            return (
                f"${value / size:.3g}{unit}"
                if value < 1000 * size
                else f"${value / size:,.0f}{unit}"
            )
    return f"${value:.0f}"


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


if __name__ == "__main__":
    for name, text in function_pages().items():
        (DOCS / name).write_text(text, encoding="utf-8")
    for name in BLOCKS:
        (DOCS / name).write_text(with_blocks(name), encoding="utf-8")
