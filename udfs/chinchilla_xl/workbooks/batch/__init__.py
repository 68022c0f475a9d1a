"""The batch workbook: a table of scenarios, one row each, and the model that they run through.

The sheet Scenarios is read as it is by ``chinchilla-xl sweep``; the sheet Results has the same figures
by formulas. ``model`` has the inputs and the model, ``scenarios`` the table and its results.
"""

from __future__ import annotations

from typing import Any

from chinchilla_xl.workbooks.batch import model, scenarios
from chinchilla_xl.workbooks.standard import METHOD, REQUESTS_OF_TABLE_3, Words, framed

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
        METHOD,
        (
            "Scenarios",
            "assumption",
            "to be replaced by your own; the last five are the rows of Table 3",
        ),
    ),
    notes=(
        REQUESTS_OF_TABLE_3,
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
