"""The language of the steps: `name = expression`, in the spreadsheet's own syntax with plain names.

A block of steps is a text such as

    h = loss - E        # what is left above the law's floor
    x_0 = LN(B / (share * h)) / beta

`#` with a space before and behind it begins a comment. A line that starts deeper than the block's
first goes on with the expression above it. `render` spells an expression as an .xlsx file stores it:
prefixes for new functions (_xlfn.) and for the names of LET and LAMBDA (_xlpm.), no spaces.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from string import ascii_lowercase
from textwrap import dedent

_TOKEN = re.compile(
    r'"(?:[^"]|"")*"|\#(?:N/A|NUM!|VALUE!)|\d+(?:\.\d*)?(?:[Ee][+-]?\d+)?|[A-Za-z_][\w.]*|\s+|.'
)
_WORD = re.compile(r"[A-Za-z_][\w.]*")

NEW_FUNCTIONS = {"ISOMITTED", "LAMBDA", "LET", "SEQUENCE", "XLOOKUP", "XMATCH"}
"""Functions younger than the file format, which it stores with a prefix."""

_CONSTANTS = {"TRUE", "FALSE"}

Steps = Mapping[str, str]


def steps(text: str) -> dict[str, str]:
    """The steps of a block: each name with its expression, in order."""
    found: dict[str, str] = {}
    name = ""
    for line in dedent(text).splitlines():
        code = re.split(r"(?:^|\s)# ", line)[0].rstrip()
        if not code:
            continue
        if code[0] != " ":
            name, _, code = code.partition(" = ")
            assert name not in found, f"{name} is defined twice"
            found[name] = ""
        found[name] = f"{found[name]} {code.strip()}".strip()
    return found


def words(expression: str) -> list[str]:
    """The names that an expression uses."""
    tokens = _TOKEN.findall(expression)
    return [
        token
        for token, after in zip(tokens, [*tokens[1:], ""], strict=True)
        if _WORD.fullmatch(token) and after != "(" and token not in _CONSTANTS
    ]


def render(expression: str) -> str:
    """The expression as an .xlsx file stores it."""
    tokens = _TOKEN.findall(expression)
    stored = []
    for token, after in zip(tokens, [*tokens[1:], ""], strict=True):
        if token.isspace():
            continue
        prefix = ""
        if _WORD.fullmatch(token) and token not in _CONSTANTS:
            prefix = "_xlpm." if after != "(" else "_xlfn." if token in NEW_FUNCTIONS else ""
        stored.append(prefix + token)
    return "".join(stored)


def needed(known: Steps, wanted: str, given: Iterable[str]) -> list[tuple[str, str]]:
    """The steps that lead from the names `given` to the name `wanted`, each after those it uses."""
    ordered: dict[str, str] = {}
    defined = set(given)

    def add(name: str) -> None:
        if name in ordered or name in defined:
            return
        for word in words(known[name]):
            add(word)
        ordered[name] = known[name]

    add(wanted)
    return list(ordered.items())


def abbreviated(bindings: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """The same steps with names of one or two letters: for a formula that is too long without."""
    letters = [
        f"{first}{second}_" for first in ("", *ascii_lowercase) for second in ascii_lowercase
    ]
    short = {name: letter for (name, _), letter in zip(bindings, letters, strict=False)}

    return [(short[name], _replaced(expression, short)) for name, expression in bindings]


def folded(bindings: Sequence[tuple[str, str]], most: int) -> list[tuple[str, str]]:
    """The same steps, at most `most`: the shortest of those used once stand where they are used."""
    steps = dict(bindings)
    result = bindings[-1][0]
    while len(steps) > most:
        uses = Counter(word for expression in steps.values() for word in words(expression))
        once = [name for name in steps if uses[name] == 1 and name != result]
        name = min(once, key=lambda name: len(steps[name]))
        expression = steps.pop(name)
        steps = {n: _replaced(e, {name: f"({expression})"}) for n, e in steps.items()}
    return list(steps.items())


def _replaced(expression: str, words: Mapping[str, str]) -> str:
    tokens = _TOKEN.findall(expression)
    return "".join(
        words.get(token, token) if after != "(" else token
        for token, after in zip(tokens, [*tokens[1:], ""], strict=True)
    )


def shown_length(stored: str) -> int:
    """The characters of a stored formula as Excel shows and counts it."""
    return len(re.sub(r"_xl(?:fn|pm|op)\.", "", stored))


def let(bindings: Sequence[tuple[str, str]], result: str) -> str:
    """LET(name, expression, ..., result) in stored form."""
    texts = [f"{render(name)},{render(expression)}" for name, expression in bindings]
    return f"_xlfn.LET({','.join([*texts, render(result)])})"
