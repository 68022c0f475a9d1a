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


def with_formulas(xml: str, change: Callable[[str], str | None]) -> tuple[str, int]:
    """The text of a part with its formulas changed (None: as it is), and how many have changed."""
    count = 0

    def replace(match: re.Match[str]) -> str:
        nonlocal count
        old = unescape(match[2], _QUOTES)
        new = change(old)
        if new is None or new == old:
            return match[0]
        count += 1
        return f"{match[1]}{escape(new)}{match[3]}"

    def replace_bound(match: re.Match[str]) -> str:
        nonlocal count
        old = unescape(match[3], _QUOTES)
        new = change(old)
        if new is None or new == old:
            return match[0]
        count += 1
        return match[1] + quoteattr(new)

    return _BOUND.sub(replace_bound, _ELEMENT.sub(replace, xml)), count
