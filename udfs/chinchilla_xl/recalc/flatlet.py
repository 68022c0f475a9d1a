"""LET without a LET inside: LibreOffice knows none of an inner LET's variables (seen in 25.2).

The bindings of an inner LET move before the binding that it stands in, under names of their own, and
so does its result: LET(x,LET(y,1,y+1),x) is LET(in_1_y,1,in_1,in_1_y+1,x,in_1,x), each name stored
with a prefix.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from chinchilla_xl.recalc.calltext import QUOTED, rewritten

LET = "_xlfn.LET"
_VARIABLE = re.compile(rf"{QUOTED}|(?<![\w.])_xlpm\.(\w+)", re.IGNORECASE | re.DOTALL)
_INNER = re.compile(r"_xlpm\.(in_\d+)(?:_(\w+))?", re.IGNORECASE)


def is_let(name: str) -> bool:
    """Whether a function's name, as files hold it, is LET."""
    return name.upper() == LET.upper()


def flat(formula: str) -> str:
    """The formula with each LET that stands in another one's texts dissolved."""

    def change(name: str, texts: list[str]) -> str | None:
        return f"{LET}({','.join(_flat(texts))})" if is_let(name) else None

    return rewritten(formula, change)


def _flat(texts: list[str]) -> list[str]:
    """The texts of a LET with those of every LET inside before the text that it stands in."""
    found: list[str] = []
    count = 0

    def dissolve(name: str, inside: list[str]) -> str | None:
        nonlocal count
        if not is_let(name):
            return None
        inner = _flat(inside)
        count += 1
        word = f"in_{count}"
        bound: dict[str, str] = {}
        for variable, value in zip(inner[:-1:2], inner[1::2], strict=True):
            new = _renamed(value, bound)
            bare = variable.strip().partition(".")[2]
            bound[bare.casefold()] = f"{word}_{bare}"
            found.extend((f"_xlpm.{word}_{bare}", new))
        found.extend((f"_xlpm.{word}", _renamed(inner[-1], bound)))
        return f"_xlpm.{word}"

    for variable, value in zip(texts[:-1:2], texts[1::2], strict=True):
        new = rewritten(value, dissolve)  # which puts what is inside before it
        found += [variable, new]
    body = rewritten(texts[-1], dissolve)
    return [*found, body]


def shortened(formula: str) -> str:
    """The formula, which is nothing but a LET, with short names: a, b, ... without c and r.

    Those are the names of a row and a column in Excel.
    """
    names = {name.casefold(): None for name in _bound(formula)}
    short = (letter + "_" * n for n in range(len(names)) for letter in "abdefghijklmnopqstuvwxyz")
    return _renamed(formula, dict(zip(names, short, strict=False)))


def _bound(formula: str) -> list[str]:
    """The names that the LETs of a formula bind, in order."""
    found: list[str] = []

    def note(name: str, texts: list[str]) -> None:
        if is_let(name):
            found.extend(text.strip().partition(".")[2] for text in texts[:-1:2])

    rewritten(formula, note)
    return found


def nested(texts: Iterable[str]) -> list[str]:
    """The texts of a LET as they were before `flat`."""
    *pairs, body = texts
    found: list[str] = []
    inside: dict[str, list[str]] = {}
    results: dict[str, str] = {}
    for variable, value in zip(pairs[::2], pairs[1::2], strict=True):
        text = _replaced(value, results)
        inner = _INNER.fullmatch(variable.strip())
        if inner is None:
            found += [variable, text]
        elif inner[2]:
            inside.setdefault(inner[1], []).extend((f"_xlpm.{inner[2]}", text))
        else:
            word, own = inner[1].casefold(), inside.get(inner[1], [])
            bare = [name.partition(".")[2] for name in own[::2]]
            words = {f"{word}_{name}".casefold(): name for name in bare}
            values = [_renamed(each, words) for each in (*own[1::2], text)]
            again = [t for name, v in zip(own[::2], values, strict=False) for t in (name, v)]
            whole = nested([*again, values[-1]])
            results[word] = f"{LET}({','.join(whole)})"
    return [*found, _replaced(body, results)]


def _renamed(text: str, words: dict[str, str]) -> str:
    return _VARIABLE.sub(
        lambda m: m[1] or f"_xlpm.{words.get(m[2].casefold(), m[2])}", text
    )  # fmt: skip


def _replaced(text: str, formulas: dict[str, str]) -> str:
    return _VARIABLE.sub(lambda m: m[1] or formulas.get(m[2].casefold(), m[0]), text)
