"""The calls in the text of a formula, so that one can be changed and all else stays, to the space."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TypeAlias

from chinchilla_xl.recalc.syntax import BRACKETS, NotParsedError, tokens

QUOTED = rf"""("[^"]*"|'[^']*'|{BRACKETS})"""
"""A pattern for what is no formula inside of one: texts, names of sheets, columns of tables."""


@dataclass(slots=True)
class CallText:
    """A call in a text: where it starts and ends, its arguments, and the calls in each of them."""

    name: str
    start: int
    stop: int = 0
    slots: list[tuple[int, int]] = field(default_factory=list)
    inner: list[list[CallText]] = field(default_factory=lambda: [[]])


Change: TypeAlias = Callable[[str, list[str]], str | None]
"""What becomes of a call, given its name and its arguments as they stand; None: it stays."""


def rewritten(formula: str, change: Change) -> str:
    """The formula (without its equals sign) with the outermost calls changed for which `change`
    knows something else, and so on in the arguments of those that stay.

    Raises NotParsedError for what is no formula.
    """
    root = calls_in(formula)
    return _text(formula, 0, len(formula), root.inner[0], change)


def _text(text: str, start: int, stop: int, calls: Iterable[CallText], change: Change) -> str:
    pieces = []
    for call in calls:
        new = change(call.name, [text[a:b] for a, b in call.slots])
        if new is None:
            pieces.append(text[start : call.slots[0][0]])
            for (a, b), inner in zip(call.slots, call.inner, strict=True):
                pieces.append(_text(text, a, b, inner, change))
                pieces.append(text[b : b + 1])
        else:
            pieces += [text[start : call.start], new]
        start = call.stop
    return "".join([*pieces, text[start:stop]])


def calls_in(formula: str) -> CallText:
    """The calls of a formula in a call of no name."""
    outside, at = CallText("", 0), _positions(formula)
    calls, begins, depth = [outside], [0], 0
    for token in tokens(formula):
        kind, start, stop = str(token.token_type), at(token.start - 1), at(token.end - 1)
        if kind == "Array":
            depth += 1 if str(token.subtype) == "Open" else -1
        elif kind in ("Func", "Paren") and str(token.subtype) == "Open":
            call = CallText(formula[start : stop - 1] if kind == "Func" else "", start)
            calls[-1].inner[-1].append(call)
            calls.append(call)
            begins.append(stop)
        elif kind in ("Func", "Paren"):
            call = calls.pop()
            if not calls:
                raise NotParsedError
            call.slots.append((begins.pop(), start))
            call.stop = stop
        elif kind == "Sep" and not depth:
            if len(calls) == 1:
                raise NotParsedError
            calls[-1].slots.append((begins[-1], start))
            calls[-1].inner.append([])
            begins[-1] = stop
    if len(calls) > 1:
        raise NotParsedError
    return outside


def _positions(text: str) -> Callable[[int], int]:
    """The place of a character, given where it starts in UTF-8, by which tokens tell theirs."""
    if text.isascii():
        return lambda place: place
    places = [i for i, character in enumerate(text) for _ in character.encode()]
    return [*places, len(text)].__getitem__
