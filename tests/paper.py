"""What arXiv 2401.00448 prints, as it prints it, and how a computed figure is held against that."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from chinchilla_xl.workbooks.paper import printed as text

SUFFIXES = {"K": 1e3, "M": 1e6, "B": 1e9, "T": 1e12, "%": 1e-2}


def printed(figure: str) -> float:
    """16.4B -> 1.64e10."""
    scale = SUFFIXES.get(figure[-1], 1.0)
    return float(figure.rstrip("KMBT%")) * scale


def agrees(value: float, figure: str) -> bool:
    """Whether `value` rounds to the digits that are printed."""
    mantissa, _, exponent = figure.rstrip("KMBT%").lower().partition("e")
    decimals = len(mantissa.partition(".")[2])
    step = 10.0**-decimals * 10.0 ** int(exponent or 0) * SUFFIXES.get(figure[-1], 1.0)
    return abs(value - printed(figure)) <= step / 2 * (1 + 1e-9)


@dataclass(frozen=True)
class Row:
    """A row of Table 2 or 3: the Chinchilla-style model, and the optimal one."""

    tokens: str
    loss: str
    params: str
    training: str
    spent: str
    opt_params: str
    opt_training: str
    opt_spent: str
    saved: str


def _table(number: int) -> tuple[Row, ...]:
    """The rows of a table as the paper's equations give them: as printed, or as a named deviation."""
    rows = []
    for row in text.rows(number):
        model = row["params"].text
        figures = {
            field.name: deviation.computed.text
            if (deviation := text.deviations(number).get((model, field.name)))
            else row[field.name].text
            for field in fields(Row)
        }
        rows.append(Row(**figures))
    return tuple(rows)


# Compute-optimal; and cost-optimal, with the tokens column split 70/215 input and 145/215 output.
TABLE_2, TABLE_3 = _table(2), _table(3)

PRINTED_OTHERWISE = {
    (f"Table {number}", model, figure): row[figure].text
    for number in (2, 3)
    for row in text.rows(number)
    for model, figure in text.deviations(number)
    if row["params"].text == model
}
"""(table, row, figure) -> what is printed, where the equations give something else."""

# The caption of Table 3: 70 input and 215 output tokens a request, the requests printed beside.
REQUESTS = tuple(row["requests"].text for row in text.rows(3))
CAPTION_COSTS_HIGHER_BY = (1.05, 1.15)

INPUT_SHARE, OUTPUT_SHARE = 70 / 215, 145 / 215


def columns(table: tuple[Row, ...], attribute: str) -> np.ndarray:
    return np.array([printed(getattr(row, attribute)) for row in table])


def check(table: str, rows: tuple[Row, ...], computed: dict[str, np.ndarray]) -> None:
    for attribute, values in computed.items():
        for row, value in zip(rows, values, strict=True):
            expected = getattr(row, attribute)
            assert agrees(value, expected), f"{table}, {row.params}, {attribute}: {value:.5g}"
