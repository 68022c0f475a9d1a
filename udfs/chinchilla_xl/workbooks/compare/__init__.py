"""The compare workbook: up to ten models on the same demand, their quality, cost and break-evens.

``inputs`` has demand, machines and the table of models, ``models`` what each model is and costs,
``views`` the costs over time and by demand and the break-evens of every pair.
"""

from __future__ import annotations

from typing import Any

from chinchilla_xl.workbooks.compare import inputs, models, views
from chinchilla_xl.workbooks.standard import METHOD, REQUESTS_OF_TABLE_3, Words, framed

WORDS = Words(
    title="Comparison of language models on the same demand",
    purpose=(
        "Up to ten models, your own and published ones: loss by the scaling law, cost of training and serving, month by month.",
        "Who is cheapest depends on the demand: see the break-even of every pair and the cheapest model by demand.",
        "A cheaper model of higher loss is no saving: models beyond the tolerance of the target loss are marked as not comparable.",
    ),
    steps=(
        "On Inputs, set the target quality, the demand and the GPUs.",
        "Fill the table of models: a name, a way of sizing, and the figures that this way needs. Leave rows blank that are not needed.",
        "On Models, look at the column Quality before any cost.",
        "See Over time, Break-even and By demand; the names of cells (Inputs, column Name) work with --set and sweep.",
        "Look at the master check below each title.",
    ),
    log=(
        METHOD,
        (
            "Published models",
            "arXiv 2203.15556, Table 1",
            "2022-03-29; parameters and training tokens as published",
        ),
        ("Demand", "assumption", "to be replaced by your own"),
    ),
    notes=(
        "Loss is what the scaling law gives for a size and an amount of data: architecture and data quality are left aside. Published models were",
        "trained on other data: their losses here say how they compare under one law, not what was measured.",
        REQUESTS_OF_TABLE_3,
        "Break-even: where the total costs of two models are the same. Below it the one of cheaper training is ahead, beyond it the smaller one.",
    ),
)


def build(target: Any, host: str) -> None:
    """Write the compare workbook, without computed values, to a path or a file object."""
    with framed(target, host, WORDS) as book:
        inputs.fill(book)
        models.fill(book)
        views.fill_time(book)
        views.fill_demand(book)
        views.fill_breakeven(book)
