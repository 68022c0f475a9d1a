"""Published peak throughput and list prices of GPUs and TPUs, with source and date."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from chinchilla_xl import data


@dataclass(frozen=True, slots=True)
class Price:
    """A list price in $ per GPU-hour; `high` differs from `low` where a range was published."""

    low: float
    high: float
    source: str
    date: str


@dataclass(frozen=True, slots=True)
class Chip:
    """Dense peak throughput in operations per second (None where unknown or absent)."""

    name: str
    bf16: float
    fp8: float | None
    int8: float | None
    prices: tuple[Price, ...]


@cache
def chips() -> dict[str, Chip]:
    """Every chip by name.

    >>> chips()["A100-40GB"].int8
    624000000000000.0
    """
    return {
        name: Chip(
            name,
            row["bf16"],
            row.get("fp8"),
            row.get("int8"),
            tuple(
                Price(p["low"], p.get("high", p["low"]), p["source"], p["date"])
                for p in row["prices"]
            ),
        )
        for name, row in data.load("hardware.toml").items()
    }
