"""Where parts hold formulas as text: cells, rules, names, columns of tables, bounds of colour scales."""

from __future__ import annotations

import re
from collections.abc import Callable
from xml.sax.saxutils import escape, quoteattr, unescape

_ELEMENT = re.compile(
    r"(<(?:\w+:)?(?:f|formula|formula1|formula2|definedName|calculatedColumnFormula|totalsRowFormula)"
    r"\b[^<>]*(?<!/)>)([^<>]+)(</)"
)
_BOUND = re.compile(r"""(<(?:\w+:)?cfvo\b[^<>]*?\sval\s*=\s*)(["'])(.*?)\2""", re.DOTALL)
"""A bound of a colour scale, of data bars or of icons, a formula in an attribute."""

_QUOTES = {"&quot;": '"', "&apos;": "'"}


def unquoted(xml: str) -> str:
    """The text that an element or an attribute holds."""
    return unescape(xml, _QUOTES)


def with_formulas(xml: str, change: Callable[[str], str | None]) -> tuple[str, int]:
    """The text of a part with its formulas changed (None: as it is), and how many have changed."""
    count = 0

    def changed(match: re.Match[str], formula: str, written: Callable[[str], str]) -> str:
        nonlocal count
        old = unquoted(formula)
        new = change(old)
        if new is None or new == old:
            return match[0]
        count += 1
        return written(new)

    def element(match: re.Match[str]) -> str:
        return changed(match, match[2], lambda new: f"{match[1]}{escape(new)}{match[3]}")

    def bound(match: re.Match[str]) -> str:
        return changed(match, match[3], lambda new: match[1] + quoteattr(new))

    return _BOUND.sub(bound, _ELEMENT.sub(element, xml)), count
