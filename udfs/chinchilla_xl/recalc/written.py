"""Finds the function that a LET stands for, by its steps, whatever their names.

A LET is ours if its result comes about in the very steps that `editions.inlined` writes for some
function and some arguments. Then the Python function computes it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import product

from chinchilla_xl.editions import inlined, lambda_names
from chinchilla_xl.functions.settings import read_flag
from chinchilla_xl.recalc.lower import OURS
from chinchilla_xl.recalc.steps import Steps, normal, replaced, steps_of, variables

_PIECES = re.compile(r'"[^"]*"|_XLPM\.\w+|[()]|[^"()_]+|_')


@dataclass(frozen=True, slots=True)
class _Pattern:
    """The steps of a function of some arguments: an argument is a variable, or a text as it is."""

    function: str
    arguments: tuple[str, ...]
    parameters: frozenset[str]
    result: str
    steps: dict[str, list[str]]


def call_in(steps: Steps) -> str | None:
    """The formula with calls of our functions whose steps these are; None if others are among them."""
    found = variables(steps.result)
    return _Reader(steps).argument(found[0]) if len(found) == 1 else None


class _Reader:
    """Reads the steps of one formula; its variables are in capitals, with their prefix."""

    def __init__(self, steps: Steps) -> None:
        self._texts = {_name(name): text for name, text in steps.texts.items()}
        self._steps = {name: _pieces(text) for name, text in self._texts.items()}
        self._calls: dict[str, str | None] = {}

    def argument(self, variable: str) -> str | None:
        """What a variable is the result of, or its text with calls for the variables in it."""
        name = _name(variable)
        return self._call(name) or (
            self._formula(self._texts[name]) if name in self._texts else None
        )

    def _formula(self, text: str) -> str | None:
        """A text with a call in the place of each variable; None if one stands for none."""
        calls: dict[str, str] = {}
        for variable in variables(text):
            call = self._call(_name(variable))
            if call is None:
                return None
            calls[variable] = call
        return replaced(text, calls)

    def _call(self, name: str) -> str | None:
        """The call that a variable is the result of."""
        if name not in self._calls:
            self._calls[name] = None
            if name in self._steps:
                written = (self._written(p, name) for p in _patterns())
                self._calls[name] = next(filter(None, written), None)
        return self._calls[name]

    def _written(self, pattern: _Pattern, name: str) -> str | None:
        """The call of a pattern, if a variable is its result."""
        found: dict[str, str] = {}
        if not self._fits(pattern, pattern.result, name, found):
            return None
        arguments = []
        for argument in pattern.arguments:
            text: str | None = argument
            if argument in pattern.parameters:
                text = (
                    self.argument(found[argument][len(_name("")) :]) if argument in found else None
                )
            if text is None:
                return None
            arguments.append(text)
        while arguments and not arguments[-1]:
            arguments.pop()
        return f"{pattern.function}({','.join(arguments)})"

    def _fits(self, pattern: _Pattern, theirs: str, ours: str, found: dict[str, str]) -> bool:
        """Whether a variable is computed as one of the pattern is; notes which stands for which."""
        if theirs in found:
            return found[theirs] == ours
        found[theirs] = ours
        if theirs in pattern.parameters:
            return True
        return ours in self._steps and self._alike(
            pattern, pattern.steps[theirs], self._steps[ours], found
        )

    def _alike(
        self, pattern: _Pattern, theirs: list[str], ours: list[str], found: dict[str, str]
    ) -> bool:
        """Whether two texts are the same; a step of ours may stand in parentheses in its place."""
        at = 0
        for piece in theirs:
            if at == len(ours):
                return False
            if not piece.startswith(_name("")):
                if ours[at] != piece:
                    return False
                at += 1
                continue
            end = at + 1
            if ours[at] == "(":
                end = _closing(ours, at)
                name = _name("".join(ours[at:end]))  # a step that has no name
                self._steps.setdefault(name, ours[at + 1 : end - 1])
                self._texts.setdefault(name, "".join(ours[at + 1 : end - 1]))
            else:
                name = ours[at]
            if not self._fits(pattern, piece, name, found):
                return False
            at = end
        return at == len(ours)


def _name(variable: str) -> str:
    return f"_XLPM.{variable.upper()}"


def _pieces(text: str) -> list[str]:
    """A text cut at variables, quotes and parentheses."""
    return _PIECES.findall(normal(text))


def _closing(pieces: list[str], start: int) -> int:
    """Where the parenthesis that opens at `start` has closed."""
    depth = 0
    for at in range(start, len(pieces)):
        depth += (pieces[at] == "(") - (pieces[at] == ")")
        if not depth:
            return at + 1
    return len(pieces)


@lru_cache(maxsize=1)
def _patterns() -> list[_Pattern]:
    """Every function of every choice of arguments."""
    return [
        pattern
        for function in lambda_names()
        for choice in product(
            *map(_choices, range(20), [function] * len(OURS[function].parameters))
        )
        if (pattern := _pattern(function, choice))
    ]


def _choices(position: int, function: str) -> tuple[str, ...]:
    """What an argument may be: left out, a marker, or TRUE or FALSE, which no variable stands for."""
    marker = f"argument_{position}_"
    if position < OURS[function].required:
        return (marker,)
    flag = OURS[function].parameters[position].reader is read_flag
    return ("", marker, "TRUE", "FALSE") if flag else ("", marker)


def _pattern(function: str, arguments: tuple[str, ...]) -> _Pattern | None:
    """The pattern of a function of these arguments; None if an argument is lost in its steps."""
    steps = steps_of(inlined(function, arguments))
    by_text = {text: _name(name) for name, text in steps.texts.items()}
    markers = [argument for argument in arguments if argument.startswith("argument_")]
    result = variables(steps.result)
    if len(result) != 1 or not by_text.keys() >= set(markers):
        return None
    return _Pattern(
        function,
        tuple(by_text.get(argument, argument) for argument in arguments),
        frozenset(by_text[marker] for marker in markers),
        _name(result[0]),
        {_name(name): _pieces(text) for name, text in steps.texts.items()},
    )
