"""The pages of docs/functions/: one for each function, and the list of them."""

from __future__ import annotations

import csv
import textwrap
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import openpyxl
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.formula import ArrayFormula

from chinchilla_xl.coefficients import NAMES, published
from chinchilla_xl.costs import ASSUMPTIONS
from chinchilla_xl.functions import FUNCTIONS, WorksheetFunction
from chinchilla_xl.recalc import recompute_bytes
from docs_markdown import escape, linked, table
from support import cached, saved

DOCS = Path(__file__).resolve().parent.parent / "docs"
ROWS, COLUMNS = 24, 16
"""The part of a result that a page can show."""

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
    grouped = sorted(name for group in GROUPS.values() for name in group)
    assert sorted(by_name) == grouped, (
        "GROUPS of tests/function_pages.py must have each function once"
    )
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
        rows = [(f"[{name}]({name}.md)", escape(by_name[name].summary)) for name in names]
        lines += [f"## {group}", "", *table(("function", "what it gives"), rows), ""]
    lines += [
        "## Units",
        "",
        "Parameters, tokens and FLOPs are plain counts (7B parameters are `7E9`), losses are in nats per token,",
        "money is in $; an MFU is a fraction (`0.45`, not `45`). A range gives a result for each of its cells; a",
        "column against a row gives a grid.",
        "",
        "## Errors",
        "",
        *table(
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
        *table(
            ("label", "unit", "rule", "default", "source of the default"),
            ((a.label, a.unit, _rule(a.domain.rule), f"{a.default:g}", linked(a.source)) for a in ASSUMPTIONS),
        ),
        "",
        "## Coefficient sets",
        "",
        "The argument `coeffs` is the name of one of these, five numbers in this order, the table of",
        "[FIT_COEFFS](FIT_COEFFS.md), or any number of rows of five, one result each. What the choice does to an",
        "answer is shown in [the model](../model.md#what-a-coefficient-set-does).",
        "",
        *table(
            ("name", *NAMES, "source"),
            (
                (f"`{s.name}`", *(f"{getattr(s.law, c):g}" for c in NAMES), linked(_joined(s.source, s.note)))
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
            escape(p.text.removeprefix("optional: ")),
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
        linked(escape(function.summary)),
        "",
        *(line for p in told for line in (linked(escape(" ".join(p.split()))), "")),
        "## Arguments",
        "",
        *table(("argument", "", "meaning", "must be"), arguments),
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
            *table([" "] * len(cells[0]), cells[:3]),
        ]
    if len(cells) == 2:
        columns = list(zip(*cells, strict=True))
        return [
            f"{where} gives two rows, headings and figures, here as columns:",
            "",
            *table(("heading", "figure"), columns),
        ]
    heads = cells.pop(0) if isinstance(rows[0][1], str) else [" "] * len(cells[0])
    return [f"{where} gives:", "", *table(heads, cells)]


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


def _cell(value: Any) -> str:
    if isinstance(value, str):
        return escape(value)
    return f"{value:.5G}" if 1e-3 <= abs(value) < 1e5 else f"{value:.4G}"


def _rule(rule: str) -> str:
    return escape("" if rule == "a number" else rule)


def _joined(source: str, note: str) -> str:
    return f"{source}. {note}" if note else source
