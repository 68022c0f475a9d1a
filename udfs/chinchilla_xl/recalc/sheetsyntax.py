"""The patterns by which cells and rows are found in the text of a worksheet part."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

# The groups of a token.
LETTERS, DIGITS, ATTRIBUTES, FORMULA_ATTRIBUTES, FORMULA_TEXT, REST, ROW_ATTRIBUTES = range(1, 8)
"""Of a cell: its address, its other attributes, those of its formula, the formula, what follows."""


@dataclass(frozen=True, slots=True)
class Syntax:
    """The patterns of a worksheet part whose elements carry a given namespace prefix."""

    sheet_data: re.Pattern[bytes]
    plain_number: re.Pattern[bytes]
    """A cell with a formula and a number, as most programs write it; its group is the number."""
    token: re.Pattern[bytes]
    """A cell (its groups are numbered above), the start of a row, or the end of one."""
    any_formula: re.Pattern[bytes]
    value: re.Pattern[bytes]
    hidden: re.Pattern[bytes]
    new_error: re.Pattern[bytes]
    empty_formula: re.Pattern[bytes]
    cell_extension: re.Pattern[bytes]
    no_number: re.Pattern[bytes]
    """A value that is no number; its group is the value."""
    dimension: re.Pattern[bytes]
    extensions: bytes
    reference: re.Pattern[bytes] = re.compile(rb"""\sr\s*=\s*["']([A-Z]{1,3})([0-9]{1,7})["']""")
    row_number: re.Pattern[bytes] = re.compile(rb"""\sr\s*=\s*["']([0-9]{1,7})["']""")
    type_attribute: re.Pattern[bytes] = re.compile(rb"""\st\s*=\s*["']([^"']*)["']""")
    metadata: re.Pattern[bytes] = re.compile(rb"""\scm\s*=""")
    attribute: re.Pattern[bytes] = re.compile(rb"""([\w:]+)\s*=\s*["']([^"']*)["']""")
    place: re.Pattern[bytes] = re.compile(rb"""\sr\s*=\s*["']([^"']*)""")
    area: re.Pattern[bytes] = re.compile(rb"""(\sref\s*=\s*["'])[^"']*(["'])""")

    @staticmethod
    @lru_cache(maxsize=16)
    def of(prefix: bytes) -> Syntax:
        """The patterns for a prefix, such as b"x:"; b"" for none."""

        def pattern(text: bytes) -> re.Pattern[bytes]:
            return re.compile(text.replace(b"%", re.escape(prefix)), re.DOTALL)

        return Syntax(
            sheet_data=pattern(rb"<%sheetData\b[^>]*>"),
            plain_number=pattern(
                rb'<%c r="[A-Z]+[0-9]+"(?: s="[0-9]+")?><%f>[^<]*</%f><%v>([^<]*)</%v></%c>'
            ),
            token=pattern(
                rb'<%c\b(?:\sr="([A-Z]{1,3})([0-9]{1,7})")?([^>]*?)(?:/>|>'
                rb"(?:\s*<%f\b([^>]*?)(?:/>|>([^<]*)</%f\s*>))?(.*?)</%c\s*>)"
                rb"|<%row\b([^>]*)>|</%row\s*>"
            ),
            any_formula=pattern(rb"<%f[\s/>]"),
            value=pattern(rb"<%(?P<tag>v|is)\b[^>]*?(?:/>|>(?P<text>.*?)</%(?P=tag)\s*>)"),
            hidden=pattern(
                rb"""<%(?:row\b[^>]*\shidden|sheetFormatPr\b[^>]*\szeroHeight)"""
                rb"""\s*=\s*["'](?:1|true)"""
            ),
            new_error=pattern(
                rb"""(\st\s*=\s*["']e["'][^>]*>(?:<%f\b[^>]*/>|<%f\b[^>]*>[^<]*</%f\s*>)?<%v>)"""
                rb"(?!#(?:NULL!|DIV/0!|VALUE!|REF!|NAME\?|NUM!|N/A)<)[^<]*"
            ),
            empty_formula=pattern(rb"<%f\s*(?:/>|>\s*</%f\s*>)"),
            cell_extension=pattern(rb"<%extLst\b(?:(?!</%extLst).)*</%extLst\s*>(?=</%c>)"),
            no_number=pattern(
                rb"<%v>(?!\s*(?:[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?\s*)?</)([^<]*)"
            ),
            dimension=pattern(rb"""<%dimension\b[^>]*\sref\s*=\s*["'](?P<area>[^"']*)[^>]*/>"""),
            extensions=b"<%sextLst" % prefix,
        )
