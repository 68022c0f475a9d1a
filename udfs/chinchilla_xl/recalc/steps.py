"""The LETs of a formula as one list of steps, each a name and a text, and back to a single LET.

LibreOffice (seen in 25.2) computes no LET inside another, and none whose names an earlier LET of the
formula lacks: a formula must have one LET. Steps of the same text are one, so that calls with the
same arguments share what they compute.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count

from chinchilla_xl.recalc.calltext import QUOTED, rewritten
from chinchilla_xl.recalc.syntax import NotParsedError

LET = "_xlfn.LET"
PREFIX = "_xlpm."
_VARIABLE = re.compile(rf"{QUOTED}|(?<![\w.])_xlpm\.(\w+)", re.IGNORECASE | re.DOTALL)
_BINDER = re.compile(r"_xlpm\.(\w+)", re.IGNORECASE)
_LOOSE = re.compile(rf"{QUOTED}|\s*([-+*/^(),;<>=&{{}}:])\s*", re.DOTALL)


def is_let(name: str) -> bool:
    """Whether a function's name, as files hold it, is LET."""
    return name.upper() == LET.upper()


def normal(formula: str) -> str:
    """A formula without what Excel sets anew: capitals and spaces outside of quotes."""

    def tight(match: re.Match[str]) -> str:
        return match[1] or match[2]

    pieces = re.split(r'("[^"]*")', _LOOSE.sub(tight, formula.strip()))
    return "".join(p if p.startswith('"') else p.upper() for p in pieces)


@dataclass(slots=True)
class Steps:
    """A formula without LETs: `result` in terms of the variables, and the text of each of these."""

    texts: dict[str, str] = field(default_factory=dict)
    result: str = ""
    _names: dict[str, str] = field(default_factory=dict)

    def bind(self, text: str) -> str:
        """The variable that stands for a text, a new one if there is none yet."""
        alone = _BINDER.fullmatch(text.strip())
        if alone:
            return alone[1].casefold()
        key = normal(text)
        if key not in self._names:
            name = f"step_{len(self.texts)}"
            self._names[key], self.texts[name] = name, text.strip()
        return self._names[key]

    def formula(self) -> str:
        """The formula with a single LET, and short names in it."""
        if not self.texts:
            return self.result
        words = dict(zip(self.texts, _short_names(), strict=False))
        steps = [f"{PREFIX}{words[n]},{renamed(text, words)}," for n, text in self.texts.items()]
        return f"{LET}({''.join(steps)}{renamed(self.result, words)})"


def steps_of(formula: str) -> Steps:
    """The steps of a formula; NotParsedError if a LET in it is none as Excel stores them."""
    steps = Steps()

    def change(name: str, texts: list[str]) -> str | None:
        if not is_let(name):
            return None
        names = [_BINDER.fullmatch(text.strip()) for text in texts[:-1:2]]
        if len(texts) % 2 == 0 or not all(names):
            raise NotParsedError
        scope: dict[str, str] = {}
        for variable, value in zip(texts[:-1:2], texts[1::2], strict=True):
            bare = variable.strip().partition(".")[2].casefold()
            scope[bare] = steps.bind(rewritten(renamed(value, scope), change))
        return PREFIX + steps.bind(rewritten(renamed(texts[-1], scope), change))

    steps.result = rewritten(formula, change)
    return steps


def variables(text: str) -> list[str]:
    """The variables in a text, in order."""
    return [match[2].casefold() for match in _VARIABLE.finditer(text) if match[2]]


def shape(text: str) -> str:
    """A text without the names of its variables."""
    return _VARIABLE.sub(lambda m: m[1] or PREFIX, normal(text))


def renamed(text: str, words: dict[str, str]) -> str:
    """The text with other names for its variables."""
    return _VARIABLE.sub(lambda m: m[1] or PREFIX + words.get(m[2].casefold(), m[2]), text)


def replaced(text: str, formulas: dict[str, str]) -> str:
    """The text with formulas in the place of its variables."""
    return _VARIABLE.sub(lambda m: m[1] or formulas[m[2].casefold()], text)


def _short_names() -> Iterator[str]:
    """a_, b_, ... z_, a__ and so on: never a cell, a row, a column or a name of somebody's."""
    for length in count(1):
        for letter in "abcdefghijklmnopqrstuvwxyz":
            yield letter + "_" * length
