"""The five coefficients of Eq. 1 and the published sets of them."""

from __future__ import annotations

from dataclasses import astuple, dataclass
from functools import cache

from chinchilla_xl import data
from chinchilla_xl.elementwise import PASSED_TYPES, SCALAR_TYPES, Array
from chinchilla_xl.errors import ArgumentError

NAMES = ("A", "B", "E", "alpha", "beta")


@dataclass(frozen=True, slots=True)
class Law:
    """One fit of L(N, D) = E + A/N^alpha + B/D^beta, in nats per token.

    >>> Law(A=406.4, B=410.7, E=1.69, alpha=0.336, beta=0.283).alpha
    0.336
    """

    A: float
    B: float
    E: float
    alpha: float
    beta: float

    def check(self) -> Law:
        """This law, or ArgumentError if no scaling law can have these coefficients."""
        for name, value in zip(NAMES, astuple(self), strict=True):
            lowest = "finite and >= 0" if name == "E" else "finite and > 0"
            if not (0 <= value < float("inf")) or (value == 0 and name != "E"):
                raise ArgumentError(
                    f"coefficient {name} must be {lowest}: {value:g} (coeffs are A, B, E, alpha, "
                    "beta in this order)"
                )
        return self


@dataclass(frozen=True, slots=True)
class Laws:
    """n fits as columns (n x 1), so that they broadcast down the rows of a result."""

    A: Array
    B: Array
    E: Array
    alpha: Array
    beta: Array


SCALAR_TYPES.add(Law)
PASSED_TYPES.update((Law, Laws))


@dataclass(frozen=True, slots=True)
class CoefficientSet:
    """A published fit with its source."""

    name: str
    law: Law
    source: str
    note: str


@cache
def published() -> dict[str, CoefficientSet]:
    """Every published set by name, the default first."""
    return {
        name: CoefficientSet(name, Law(*(row[c] for c in NAMES)), row["source"], row["note"])
        for name, row in data.load("coefficients.toml").items()
    }


DEFAULT_SET = "chinchilla"
"""The set that an omitted `coeffs` stands for."""

CHINCHILLA = published()[DEFAULT_SET].law
