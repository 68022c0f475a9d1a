"""The LETs of a formula as one list of steps, each a name and a text, and back to a single LET.

LibreOffice (seen in 25.2) computes no LET inside another, and none whose names an earlier LET of the
formula lacks: a formula must have one LET. Steps of the same text are one, so that calls with the
same arguments share what they compute. TRUE and FALSE are never bound to a name: LibreOffice would
make numbers of them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count

from chinchilla_xl.errors import ArgumentError
from chinchilla_xl.recalc.calltext import QUOTED, rewritten
from chinchilla_xl.recalc.syntax import NotParsedError

LET = "_xlfn.LET"
MOST_STEPS = 126
"""Pairs of names and texts in a LET, in Excel and in LibreOffice."""

PREFIX = "_xlpm."
_VARIABLE = re.compile(rf"{QUOTED}|(?<![\w.])_xlpm\.(\w+)", re.IGNORECASE | re.DOTALL)
_TRUTH = ("TRUE", "FALSE")
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
        """What stands for a text elsewhere: a variable, a new one if there is none yet."""
        key = normal(text)
        if _BINDER.fullmatch(key) or key in _TRUTH:
            return text.strip()
        if key not in self._names:
            name = f"step_{len(self.texts)}"
            self._names[key], self.texts[name] = name, text.strip()
        return PREFIX + self._names[key]

    def formula(self) -> str:
        """The formula with a single LET, and short names in it; ArgumentError if that is too long."""
        texts, result = self._few()
        if not texts:
            return result
        if len(texts) > MOST_STEPS:
            raise ArgumentError(
                f"it would take more than the {MOST_STEPS} steps of a LET: compute its parts in cells of their own"
            )
        words = {old: PREFIX + new for old, new in zip(texts, _short_names(), strict=False)}
        pairs = [f"{words[name]},{replaced(text, words)}," for name, text in texts.items()]
        return f"{LET}({''.join(pairs)}{replaced(result, words)})"

    def _few(self) -> tuple[dict[str, str], str]:
        """The steps and the result; if they are too many, with those of one use put in their place."""
        texts = {**self.texts, "": self.result}
        used = Counter(name for text in texts.values() for name in variables(text))
        users = {name: user for user, text in texts.items() for name in variables(text)}
        for name in self.texts:
            if len(texts) <= MOST_STEPS + 1:
                break
            if used[name] == 1:
                user = users[name]
                while user not in texts:  # it has been put into another itself
                    user = users[user]
                texts[user] = replaced(texts[user], {name: f"({texts.pop(name)})"})
        return texts, texts.pop("")


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
        for variable, value in zip(names, texts[1::2], strict=True):
            text = rewritten(replaced(value, scope), change)
            scope[variable[1].casefold()] = steps.bind(text)  # type: ignore[index]
        return steps.bind(rewritten(replaced(texts[-1], scope), change))

    steps.result = rewritten(formula, change)
    return steps


def variables(text: str) -> list[str]:
    """The variables in a text, in order."""
    return [match[2].casefold() for match in _VARIABLE.finditer(text) if match[2]]


def replaced(text: str, formulas: Mapping[str, str]) -> str:
    """The text with something else for those of its variables that are given."""
    return _VARIABLE.sub(lambda m: m[1] or formulas.get(m[2].casefold(), m[0]), text)


def _short_names() -> Iterator[str]:
    """a_, b_, ... z_, a__ and so on: never a cell, a row, a column or a name of somebody's."""
    for length in count(1):
        for letter in "abcdefghijklmnopqrstuvwxyz":
            yield letter + "_" * length
