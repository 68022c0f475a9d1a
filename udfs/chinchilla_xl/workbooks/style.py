"""The look that all workbooks share: number formats, colours, and the rules that inputs keep to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeAlias

from chinchilla_xl.costs import FRACTION
from chinchilla_xl.elementwise import NON_NEGATIVE, POSITIVE, Domain

COUNT = '[>=1E+12]#,##0.00,,,,"T";[>=1E+9]#,##0.00,,,"B";#,##0.0,,"M"'
DOLLARS = '[>=1E+6]$#,##0.00,,"M";[>=1E+3]$#,##0.0,"K";$#,##0'
SIGNED_DOLLARS = '[>=1E+6]$#,##0.0,,"M";[<=-1E+6]-$#,##0.0,,"M";$#,##0'
AXIS_DOLLARS = '[>=1E+6]$#,##0,,"M";[>=1E+3]$#,##0,"K";$#,##0'
PRICE = "$0.00"
SCIENTIFIC = "0.00E+00"
WHOLE = "#,##0"
PERCENT = "0.0%"
MFU = "0.00%"
RATIO = "#,##0.0"
LOSS = "0.0000"
FACTOR = "0.00"
MONTH = "mmm yyyy"
PLAIN = "General"

INK = {"font_name": "Calibri", "font_size": 10, "valign": "vcenter"}
BLUE = "#0000FF"
GREEN = "#00703C"
GREY = "#595959"
INPUT_FILL = "#FFF9E5"
FIXED_FILL = "#F2F2F2"
BAND = "#1F3864"
SERIES = ("#1F3864", "#2F75B5", "#F4B183", "#548235", "#7F7F7F", "#BF9000")
"""Colours of a chart's series, in this order."""

LINES = (
    "#1F3864", "#C55A11", "#548235", "#7030A0", "#2F75B5", "#BF9000", "#833C0C", "#525252",
    "#00B0A0", "#FF6699",
)  # fmt: skip
"""Colours of up to ten thin lines that must be told apart."""

INPUT: dict[str, Any] = {
    "font_color": BLUE, "bg_color": INPUT_FILL, "border": 1, "align": "right", "locked": False,
}  # fmt: skip
FIXED: dict[str, Any] = {"bg_color": FIXED_FILL, "border": 1, "align": "right"}

LEGEND = (
    ("Blue on yellow", "an input, to be edited: the only cells that are not protected", {**INPUT, "locked": True}),
    ("Black", "a formula", {"align": "right"}),
    ("Green", "a link: the value of a cell on another sheet", {"font_color": GREEN, "align": "right"}),
    ("Black on grey", "a published figure or a constant, not to be edited", FIXED),
)  # fmt: skip


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

    def below(self, name: str) -> str:
        """A formula that counts the cells of `name` with a number below the rule."""
        return f'COUNTIF({name},"<{self.low:.0f}")'


def _bound(bound: float | date) -> str:
    """A bound as people would type it: 60, -0.5, 1E6, 2026-01-01."""
    if isinstance(bound, date):
        return str(bound)
    return f"{bound:.0E}".replace("E+0", "E").replace("E+", "E") if bound >= 1e6 else f"{bound:g}"


SHARE = Between(0, 1)
PARAMS = Between(1e6, 1e15)
TOKENS = Between(1e6, 1e18)
"""What a language model's size and training data may be: 30, meant as billions, is refused."""

Rule: TypeAlias = Domain | Between | Sequence[str]
"""What an input may be: in a domain, between bounds, or one of some words."""

# The rule of each domain as Excel's data validation states it.
_VALIDATIONS: dict[Domain, dict[str, Any]] = {
    POSITIVE: {"validate": "decimal", "criteria": ">", "value": 0},
    NON_NEGATIVE: {"validate": "decimal", "criteria": ">=", "value": 0},
    # No spreadsheet has a rule for "above 0, up to 1"; nothing useful lies below a billionth.
    FRACTION: {"validate": "decimal", "criteria": "between", "minimum": 1e-9, "maximum": 1},
}


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
