"""The batch workbook: a table of scenarios, one row each, and the model that they run through.

The sheet Scenarios is read as it is by ``chinchilla-xl sweep``; the sheet Results has the same figures
by formulas. ``model`` has the inputs and the model, ``scenarios`` the table and its results.
"""

from __future__ import annotations

from typing import Any

from chinchilla_xl.workbooks.batch import model, scenarios
from chinchilla_xl.workbooks.standard import Words, framed

WORDS = Words(
    title="Batch of scenarios",
    purpose=(
        "One row a scenario, one column an input: the cost-optimal model and its cost for each.",
        "The sheet Results computes up to 100 scenarios by formulas; chinchilla-xl sweep runs thousands through the sheet Model, with the same figures.",
    ),
    steps=(
        "On Model, set what all scenarios share.",
        "On Scenarios, fill one row a scenario. A blank cell leaves the value of Model; the columns' names are those of Model's inputs.",
        "Read Results, or run: chinchilla-xl sweep batch.xlsx batch.xlsx --sheet Scenarios --outputs cost,params -o results.csv",
        "For more scenarios give sweep a .csv, .xlsx or .parquet file with the same columns.",
        "Look at the master check below each title.",
    ),
    log=(
        (
            "Method",
            "arXiv 2401.00448 (Sardana et al. 2024)",
            "2024-07-18; Eqs. 1, 3 and 6, prices and MFUs of Sec. 6",
        ),
        (
            "Scenarios",
            "assumption",
            "to be replaced by your own; the last five are the rows of Table 3",
        ),
    ),
    notes=(
        "Demand: Table 3 of arXiv 2401.00448 says 70 input and 215 output tokens a request; its figures come out if 215 is the whole request (70 + 145).",
        "Scenarios has no title and no units, since sweep reads it as a table: units and sources of its columns stand on Model, under the same names.",
    ),
)


def build(target: Any, host: str) -> None:
    """Write the batch workbook, without computed values, to a path or a file object."""
    with framed(target, host, WORDS) as book:
        model.fill(book)
        scenarios.fill_table(book)
        scenarios.fill_used(book)
        scenarios.fill_results(book)
