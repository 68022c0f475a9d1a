"""What a recomputation reports."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Kept:
    """A formula that kept its cached value: where, what, why, and how many cells rest on it.

    Of a formula that was itself kept because of another, `dependents` is 0: they count there.
    """

    cell: str
    formula: str
    reason: str
    dependents: int


@dataclass(slots=True)
class Report:
    """What a recomputation did.

    `formulas` counts formula cells, `changed` those whose cached value is new, `stale` those whose
    value was out of date by more than the rounding of the last digits; `kept` lists those
    that could not be computed faithfully, `messages` says why functions of ours gave errors.
    """

    path: str
    output: str
    formulas: int = 0
    changed: int = 0
    stale: int = 0
    kept: list[Kept] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)

    @property
    def complete(self) -> bool:
        """Whether every formula was computed."""
        return not self.kept
