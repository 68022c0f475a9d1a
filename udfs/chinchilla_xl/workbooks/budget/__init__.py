"""The budget workbook: what a model costs over its life, and how much a better size saves.

One module builds one sheet, in the order inputs, workings, results:

    cover        About: purpose, use, contents, source log
    inputs       Inputs: assumptions, in four scenarios of which one is selected
    models       Models: three sizes of model, the optima of three price lists
    scenarios    Scenarios: the cost-optimal model of all four scenarios, side by side
    timeline     Timeline: the selected scenario month by month
    results      Results: the three models in full
    sensitivity  Sensitivity: three grids, a spilled formula each
    tornado      Tornado: the swing of the cost with each assumption
    breakeven    Break-even: demand and month at which a smaller model is ahead
    textstock    Data: tokens needed against the stock of text
    checks       what the sheet Checks compares

The defaults are the settings of Sec. 6 of arXiv 2401.00448.
"""

from __future__ import annotations

from typing import Any

from chinchilla_xl.workbooks.budget import (
    breakeven,
    checks,
    cover,
    inputs,
    models,
    results,
    scenarios,
    sensitivity,
    textstock,
    timeline,
    tornado,
)
from chinchilla_xl.workbooks.standard import framed


def build(target: Any, host: str) -> None:
    """Write the budget workbook, without computed values, to a path or a file object."""
    with framed(target, host, cover.WORDS) as book:
        given = inputs.fill(book)
        models.fill(book)
        scenarios.fill(book, given)
        timeline.fill(book)
        results.fill(book)
        sensitivity.fill(book)
        tornado.fill(book)
        breakeven.fill(book)
        textstock.fill(book)
        checks.add(book)
