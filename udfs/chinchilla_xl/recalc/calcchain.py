"""What makes Excel compute a workbook anew whose formulas have changed.

Excel holds its calculation chain, a list of the formula cells that tells arrays apart, against the
sheets, and offers to repair a workbook in which they differ; without a chain it makes one. Cached
values it trusts, unless the workbook asks for a full calculation.
"""

from __future__ import annotations

import re

CHAIN = "xl/calcChain.xml"
LISTS = ("xl/_rels/workbook.xml.rels", "[Content_Types].xml")
"""The parts that tell of the chain."""

_MENTION = re.compile(
    r"""<(?P<tag>(?:\w+:)?(?:Relationship|Override))\b[^<>]*/calcChain(?:\.xml)?["'][^<>]*"""
    r"""(?:/>|(?<!/)>\s*</(?P=tag)\s*>)"""
)
_SETTINGS = re.compile(r"(<(?:\w+:)?calcPr\b)([^<>]*?)(/?>)")
_FULL = re.compile(r"""\sfullCalcOnLoad\s*=\s*["'][^"']*["']""")


def without_chain(text: str) -> str:
    """One of the LISTS without the calculation chain.

    >>> without_chain('<R><Relationship Id="a" Type="t/calcChain" Target="calcChain.xml"/></R>')
    '<R></R>'
    """
    return _MENTION.sub("", text)


def asks_for_calculation(book: str) -> bool:
    """Whether the workbook part asks for a full calculation: its values are perhaps out of date.

    >>> asks_for_calculation('<calcPr fullCalcOnLoad="1"/>'), asks_for_calculation("<calcPr/>")
    (True, False)
    """
    settings = _SETTINGS.search(book)
    full = settings and _FULL.search(settings[2])
    return bool(full and re.search("1|true", full[0]))


def calculated_on_load(book: str) -> str:
    """The workbook part with a full calculation asked for; without settings Excel makes one anyway.

    >>> calculated_on_load('<workbook><calcPr calcId="191029"/></workbook>')
    '<workbook><calcPr calcId="191029" fullCalcOnLoad="1"/></workbook>'
    """

    def asked(match: re.Match[str]) -> str:
        attributes = _FULL.sub("", match[2]).rstrip()
        return f'{match[1]}{attributes} fullCalcOnLoad="1"{match[3]}'

    return book if asks_for_calculation(book) else _SETTINGS.sub(asked, book, count=1)
