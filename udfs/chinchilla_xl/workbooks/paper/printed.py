"""What arXiv 2401.00448 prints: figures with the digits they are printed to, and named deviations."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from chinchilla_xl.data import load

FIGURES = ("loss", "training", "spent", "opt_params", "opt_training", "opt_spent", "saved")
"""The figures of a row of Tables 2 and 3 that follow from its size and its demand."""

_POWERS = {"K": 3, "M": 6, "B": 9, "T": 12, "%": -2}


@dataclass(frozen=True, slots=True)
class Figure:
    """A printed figure: its text, its value and what one in its last digit is worth.

    >>> Figure.read("16.4B")
    Figure(text='16.4B', value=16400000000.0, digit=100000000.0)
    """

    text: str
    value: float
    digit: float

    @classmethod
    def read(cls, text: str) -> Figure:
        """The figure that a text like 16.4B, 2.41e20 or 9.1% stands for."""
        number = text.rstrip("".join(_POWERS)).lower()
        mantissa, _, exponent = number.partition("e")
        power = int(exponent or 0) + _POWERS.get(text[-1], 0)
        decimals = len(mantissa.partition(".")[2])
        return cls(text, float(f"{mantissa}e{power}"), float(f"1e{power - decimals}"))


@dataclass(frozen=True, slots=True)
class Deviation:
    """A printed figure that the paper's equations do not give: what they give, and why."""

    computed: Figure
    reason: str


@cache
def rows(table: int) -> tuple[dict[str, Figure], ...]:
    """The rows of Table 2 or 3, column by column."""
    return tuple(
        {key: Figure.read(text) for key, text in row.items()} for row in _paper()[f"table_{table}"]
    )


@cache
def deviations(table: int) -> dict[tuple[str, str], Deviation]:
    """(size of the row's model, figure) -> the deviation, of Table 2 or 3."""
    return {
        (d["params"], d["figure"]): Deviation(Figure.read(d["computed"]), d["reason"])
        for d in _paper()["deviation"]
        if d["table"] == table
    }


def fits() -> list[dict[str, Any]]:
    """The rows of Table 1; without a limit, the coefficients are not from the paper's own runs."""
    rows: list[dict[str, Any]] = _paper()["table_1"]
    return rows


def runs() -> list[tuple[str, float, float]]:
    """The 47 runs of Table 4, by tokens per parameter: name, parameters, tokens per parameter."""
    found = [(s["name"], s["params"], float(r)) for s in _paper()["table_4"] for r in s["ratios"]]
    return sorted(found, key=lambda run: (run[2], run[1]))


def figure_1() -> dict[str, Figure]:
    """What the text says of Fig. 1."""
    return {key: Figure.read(text) for key, text in _paper()["figure_1"].items()}


@cache
def _paper() -> dict[str, Any]:
    return load("paper.toml")
