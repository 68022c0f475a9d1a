"""What a recomputation reports."""

from __future__ import annotations

from dataclasses import dataclass, field

_NEEDS = "it needs "


def needs(address: str, *, missing: bool) -> str:
    """Why a formula is kept that rests on a kept one, whose value is `missing` or may be old."""
    return f"{_NEEDS}{address}, {'which has no value' if missing else 'which was kept'}"


@dataclass(frozen=True, slots=True)
class Kept:
    """A formula that kept its cached value: where, what, why, and how many cells rest on it.

    Of a formula that was itself kept because of another, `dependents` is 0: they count there.
    """

    cell: str
    formula: str
    reason: str
    dependents: int

    @property
    def resting(self) -> bool:
        """Whether it was kept for nothing but another that it rests on."""
        return self.reason.startswith(_NEEDS)


@dataclass(slots=True)
class Report:
    """What a recomputation did.

    `formulas` counts formula cells, `changed` those whose cached value is new, `stale` those whose
    value was out of date by more than the rounding of the last digits; `kept` lists those
    that could not be computed faithfully, and `outdated` names these cells if their values are
    perhaps out of date, because of new inputs or because the file says so. `messages` says why
    functions of ours gave errors.
    """

    path: str
    output: str
    formulas: int = 0
    changed: int = 0
    stale: int = 0
    kept: list[Kept] = field(default_factory=list)
    outdated: list[str] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)

    @property
    def complete(self) -> bool:
        """Whether every formula was computed."""
        return not self.kept
