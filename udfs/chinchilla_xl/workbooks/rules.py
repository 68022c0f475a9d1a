"""The rules that inputs keep to: in words, as a data validation, and as a formula that counts violations.

A data validation holds people to a rule as they type. What is pasted or written by a script passes it,
so that the sheet Checks counts the violations too.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeAlias

from chinchilla_xl.costs import FRACTION
from chinchilla_xl.elementwise import NON_NEGATIVE, POSITIVE, Domain
from chinchilla_xl.recalc.addresses import Area, quote_sheet

_DAY_0 = date(1899, 12, 30)


@dataclass(frozen=True, slots=True)
class Between:
    """Numbers from `low` to `high`; whole ones or decimals, or dates."""

    low: float | date
    high: float | date
    kind: str = "decimal"  # as Excel calls it: decimal, whole, date or length

    @property
    def rule(self) -> str:
        """The rule in words: a whole number from 1 to 60."""
        noun = {"whole": "a whole number ", "date": "a date ", "length": "text of a length "}.get(
            self.kind, ""
        )
        return f"{noun}from {_bound(self.low)} to {_bound(self.high)}"


def _bound(bound: float | date) -> str:
    """A bound as people would type it: 60, -0.5, 1E6, 2026-01-01."""
    if isinstance(bound, date):
        return str(bound)
    return f"{bound:.0E}".replace("E+0", "E").replace("E+", "E") if bound >= 1e6 else f"{bound:g}"


SHARE = Between(0, 1)

# Wide enough for any plan, and narrow enough to catch a figure in another unit.
PARAMS = Between(1e6, 1e15)  # 30, meant as billions
TOKENS = Between(1e6, 1e18)
LOSS = Between(0.1, 6)  # a perplexity
GPU_PRICE = Between(0.01, 100)  # cents
GPU_PEAK = Between(1e12, 1e17)  # TFLOP/s
TOKEN_PRICE = Between(0, 0.001)  # dollars per million

Rule: TypeAlias = Domain | Between | Sequence[str]
"""What an input may be: in a domain, between bounds, or one of some words."""

# The rule of each domain as Excel's data validation states it, and what a cell that breaks it is.
_VALIDATIONS: dict[Domain, dict[str, Any]] = {
    POSITIVE: {"validate": "decimal", "criteria": ">", "value": 0},
    NON_NEGATIVE: {"validate": "decimal", "criteria": ">=", "value": 0},
    # No spreadsheet has a rule for "above 0, up to 1"; nothing useful lies below a billionth.
    FRACTION: {"validate": "decimal", "criteria": "between", "minimum": 1e-9, "maximum": 1},
}
_BROKEN = {POSITIVE: ["<=0"], NON_NEGATIVE: ["<0"], FRACTION: ["<=0", ">1"]}


def validation(label: str, rule: Rule) -> dict[str, Any]:
    """The data validation that holds an input to its rule and says it in words."""
    options: dict[str, Any]
    if isinstance(rule, Domain):
        options = dict(_VALIDATIONS[rule])
        message = f"{label} must be {rule.rule}"
    elif isinstance(rule, Between):
        options = {
            "validate": rule.kind, "criteria": "between", "minimum": rule.low, "maximum": rule.high,
        }  # fmt: skip
        message = f"{label} must be {rule.rule}"
    else:
        options = {"validate": "list", "source": list(rule)}
        message = f"{label} must be one of: {', '.join(rule)}"
    return options | {
        "input_title": label[:32],
        "input_message": f"{message}."[:255],
        "error_title": "Not possible",
        "error_message": f"{message}."[:255],
    }


def violations(sheet: str, area: Area, rule: Rule, *, blank: bool) -> str:
    """A formula that counts the cells of an area that break a rule, or are blank unless they may be."""
    place = f"{quote_sheet(sheet)}!{area}"
    terms = [] if blank else [f"COUNTBLANK({place})"]
    if isinstance(rule, Between) and rule.kind == "length":
        return "+".join(terms)
    if not isinstance(rule, Domain | Between):
        chosen = "".join(f'-COUNTIF({place},"{word}")' for word in rule)
        return "+".join([*terms, f"COUNTA({place}){chosen}"])
    terms.append(f"COUNTA({place})-COUNT({place})")
    broken = _BROKEN[rule] if isinstance(rule, Domain) else _outside(rule)
    terms += [f'COUNTIF({place},"{criterion}")' for criterion in broken]
    if isinstance(rule, Between) and rule.kind == "whole":
        cells = [f"{quote_sheet(sheet)}!{cell}" for cell in area.cells()]
        terms += [f"IF(INT({cell})={cell},0,1)" for cell in cells]
    return "+".join(terms)


def _outside(rule: Between) -> tuple[str, str]:
    """Criteria of what lies outside, in whole numbers: a decimal sign would depend on the language.

    Of a bound between two whole numbers, the one beyond it is outside, too.

    >>> _outside(Between(0.01, 100)), _outside(Between(-1, 0.99))
    (('<=0', '>100'), ('<-1', '>=1'))
    """
    low, high = (
        b if isinstance(b, float | int) else (b - _DAY_0).days for b in (rule.low, rule.high)
    )
    floor, ceiling = math.floor(low), math.ceil(high)
    return f"<{'=' if floor < low else ''}{floor}", f">{'=' if high < ceiling else ''}{ceiling}"


TINY = "No language model is so small: the target loss is too high, or an input is in another unit."


def too_small(name: str) -> str:
    """A formula that counts the sizes under a name that no language model has; 0 is none."""
    return f'COUNTIF({name},">0")-COUNTIF({name},">={PARAMS.low:.0f}")'
