"""Finds the function that a LET stands for, by its steps, whatever their names.

A LET is ours if its result comes about in the very steps that `editions.inlined` writes for some
function and some arguments. Then the Python function computes it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import product

from chinchilla_xl.editions import inlined, lambda_names
from chinchilla_xl.recalc.lower import OURS
from chinchilla_xl.recalc.steps import Steps, replaced, shape, steps_of, variables


@dataclass(frozen=True, slots=True)
class _Pattern:
    """The steps of a function of some of its arguments: those that are given, and their variables."""

    function: str
    given: tuple[bool, ...]
    parameters: tuple[str, ...]
    result: str
    variables: dict[str, list[str]]
    shapes: dict[str, str]


def call_in(steps: Steps) -> str | None:
    """The formula with calls of our functions whose steps these are; None if others are among them."""
    [result] = variables(steps.result)  # of a LET: its last text is a step too
    return _Reader(steps).argument(result)


class _Reader:
    """Reads the steps of one formula."""

    def __init__(self, steps: Steps) -> None:
        self._texts = steps.texts
        self._variables = {name: variables(text) for name, text in steps.texts.items()}
        self._shapes = {name: shape(text) for name, text in steps.texts.items()}
        self._calls: dict[str, str | None] = {}

    def formula(self, text: str) -> str | None:
        """A text with a call in the place of each variable; None if one stands for none."""
        calls: dict[str, str] = {}
        for name in variables(text):
            call = self._call(name)
            if call is None:
                return None
            calls[name] = call
        return replaced(text, calls)

    def _call(self, name: str) -> str | None:
        """The call that a variable is the result of."""
        if name not in self._calls:
            self._calls[name] = None
            for pattern in _patterns().get(self._shapes.get(name, ""), ()):
                found: dict[str, str] = {}
                if self._fits(pattern, pattern.result, name, found):
                    call = self._written(pattern, found)
                    if call is not None:
                        self._calls[name] = call
                        break
        return self._calls[name]

    def _fits(self, pattern: _Pattern, theirs: str, name: str, found: dict[str, str]) -> bool:
        """Whether a variable is computed as one of the pattern is; notes which stands for which."""
        if theirs in found:
            return found[theirs] == name
        found[theirs] = name
        if theirs in pattern.parameters:
            return True
        if name not in self._shapes or pattern.shapes[theirs] != self._shapes[name]:
            return False
        pairs = zip(pattern.variables[theirs], self._variables[name], strict=True)
        return all(self._fits(pattern, a, b, found) for a, b in pairs)

    def _written(self, pattern: _Pattern, found: dict[str, str]) -> str | None:
        arguments, parameters = [], iter(pattern.parameters)
        for given in pattern.given:
            name = found.get(next(parameters), "") if given else ""
            text = self.argument(name) if given else ""
            if text is None:
                return None
            arguments.append(text)
        while arguments and not arguments[-1]:
            arguments.pop()
        return f"{pattern.function}({','.join(arguments)})"

    def argument(self, name: str) -> str | None:
        """What a variable is the result of, or its text with calls for the variables in it."""
        return self._call(name) or (
            self.formula(self._texts[name]) if name in self._texts else None
        )


@lru_cache(maxsize=1)
def _patterns() -> dict[str, list[_Pattern]]:
    """By the shape of the last step."""
    found: dict[str, list[_Pattern]] = {}
    for function in lambda_names():
        required = OURS[function].required
        optional = len(OURS[function].parameters) - required
        for choice in product((False, True), repeat=optional):
            given = (*(True,) * required, *choice)
            markers = [f"argument_{i}_" if there else "" for i, there in enumerate(given)]
            steps = steps_of(inlined(function, markers))
            by_text = {text: name for name, text in steps.texts.items()}
            result = variables(steps.result)
            if not result or not all(marker in by_text for marker in filter(None, markers)):
                continue
            pattern = _Pattern(
                function,
                given,
                tuple(by_text[marker] for marker in markers if marker),
                result[0],
                {name: variables(text) for name, text in steps.texts.items()},
                {name: shape(text) for name, text in steps.texts.items()},
            )
            found.setdefault(pattern.shapes[pattern.result], []).append(pattern)
    return found
