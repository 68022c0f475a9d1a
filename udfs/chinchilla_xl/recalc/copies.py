"""Formulas copied down a column differ in the number of their row alone: one verdict serves all."""

from __future__ import annotations

import re
from collections.abc import Callable
from xml.sax.saxutils import escape

from chinchilla_xl.recalc.addresses import COLUMN_MASK, ROW_SHIFT
from chinchilla_xl.recalc.formulas import Verdict
from chinchilla_xl.recalc.sheetxml import unescaped

_ROW = b"\0"  # which no part holds
_ROW_NUMBER = re.compile(r"(?<=[A-Za-z$])[0-9]+")
_DISTANT = (765_432, 98_765)
_MOST = 4096


class CopiedDown:
    """Judges the formulas of one sheet, each as it stands in the part.

    A text in which its own row's number is left out is looked at closely when it is met again. If
    two other rows in that place give the same verdict, and references that differ in just that
    number, then every row does: the number stands for rows only, and no area grows with it.
    """

    def __init__(
        self, judge: Callable[[str, str, int], tuple[Verdict, list[str]]], sheet: str
    ) -> None:
        self._judge = judge
        self._sheet = sheet
        self._known: dict[bytes, tuple[Verdict, bytes | None] | None] = {}
        self._met: set[bytes] = set()

    def judged(self, text: bytes, place: int) -> tuple[Verdict, bytes | None]:
        """The verdict on a formula, and what the engine gets instead, as a part spells it."""
        number = b"%d" % (place >> ROW_SHIFT)
        key = text.replace(number, _ROW)
        known = self._known.get(key)
        if known is None:
            verdict, references = self._judge(unescaped(text), self._sheet, place)
            if key in self._met and key not in self._known:
                known = self._known[key] = self._generalised(key, place, verdict, references)
            elif len(self._met) < _MOST:
                self._met.add(key)
        if known is None:
            lowered = verdict.lowered
            return verdict, None if lowered is None else _spelled(lowered.filled(references))
        verdict, lowered_down = known
        return verdict, lowered_down and lowered_down.replace(_ROW, number)

    def _generalised(
        self, key: bytes, place: int, verdict: Verdict, references: list[str]
    ) -> tuple[Verdict, bytes | None] | None:
        """What holds for the text in every row, or None if rows differ."""
        if verdict.reason is not None or verdict.rewritten:
            return None
        row, column = place >> ROW_SHIFT, place & COLUMN_MASK
        for other in {row - 1 or 2, *_DISTANT} - {row}:
            text = unescaped(key.replace(_ROW, b"%d" % other))
            found = self._judge(text, self._sheet, other << ROW_SHIFT | column)
            if found != (verdict, _in_row(references, row, str(other))):
                return None
        if verdict.lowered is None:
            return verdict, None
        return verdict, _spelled(verdict.lowered.filled(_in_row(references, row, _ROW.decode())))


def _in_row(references: list[str], row: int, other: str) -> list[str]:
    """References with another number where they name this row."""
    own = str(row)
    return [
        _ROW_NUMBER.sub(lambda m: other if m[0] == own else m[0], reference)
        for reference in references
    ]


def _spelled(text: str) -> bytes:
    return escape(text).encode()
