"""The names that hold our LAMBDAs, in the text of the workbook part: which it takes, added, removed."""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape as quoted
from xml.sax.saxutils import escape

from chinchilla_xl.editions import lambda_names
from chinchilla_xl.errors import BrokenFile
from chinchilla_xl.recalc.calls import lambda_words
from chinchilla_xl.recalc.parts import WORKBOOK

_NAMES = re.compile(r"<(?P<p>\w+:)?definedNames\b[^<>]*?(?:/>|>(?P<all>.*?)</(?:\w+:)?definedNames\s*>)", re.DOTALL)  # fmt: skip
_BEFORE_NAMES = re.compile(r"<(?:\w+:)?(?:sheets|functionGroups|externalReferences)\b[^<>]*(?:/>|>.*?</(?:\w+:)?(?:sheets|functionGroups|externalReferences)\s*>)", re.DOTALL)  # fmt: skip


def with_called(words: set[str]) -> set[str]:
    """LAMBDA names and those that their LAMBDAs call."""
    formulas = {entry.name.upper(): entry.formula for entry in lambda_names().values()}
    found: set[str] = set()
    queue = list(words & formulas.keys())
    while queue:
        word = queue.pop()
        if word not in found:
            found.add(word)
            queue += lambda_words(formulas[word]) & formulas.keys()
    return found


def with_added(book: str, names: list[str]) -> str:
    """The workbook part with our LAMBDAs under these names (in capitals), behind the others."""
    entries = {entry.name.upper(): entry for entry in lambda_names().values()}
    found = _NAMES.search(book)
    before = list(_BEFORE_NAMES.finditer(book))
    if not before:
        raise BrokenFile(f"{WORKBOOK} has no sheets")
    prefix = re.match(r"<(\w+:)?", before[0][0])
    p = (prefix and prefix[1]) or ""
    new = "".join(
        f'<{p}definedName name="{entries[name].name}" comment="{quoted(entries[name].comment)}">'
        f"{escape(entries[name].formula)}</{p}definedName>"
        for name in names
    )
    if found is not None and found["all"] is not None:
        return book[: found.end("all")] + new + book[found.end("all") :]
    where = found.span() if found else (before[-1].end(), before[-1].end())
    return f"{book[: where[0]]}<{p}definedNames>{new}</{p}definedNames>{book[where[1] :]}"


def without(book: str, names: Iterable[str]) -> str:
    """The workbook part without these names (in capitals)."""
    gone = set(names)

    def drop(match: re.Match[str]) -> str:
        name = re.search(r"""\sname\s*=\s*["']([^"']*)["']""", match[1])
        return "" if name and name[1].upper() in gone else match[0]

    text = re.sub(
        r"<(?:\w+:)?definedName\b([^<>]*)(?:/>|>[^<]*</(?:\w+:)?definedName\s*>)", drop, book
    )
    return re.sub(r"<(\w+:)?definedNames\s*>\s*</(\w+:)?definedNames\s*>", "", text)
