"""Rewrites the calls of our functions in a formula: the add-in's, LAMBDA names, or written out.

    addin    OPT_PARAMS(A1,B1), in any of the spellings that hosts store
    lambda   CX.OPT_PARAMS(A1,B1), a defined name that holds a LAMBDA
    cells    LET(...), the whole computation in the cell

All else in a formula stays as it was, to the space. Texts of the other editions are taken for ours
only where they are exactly what `editions` makes, but for capitals and spaces, which Excel sets anew.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import lru_cache

from chinchilla_xl.editions import inlined, lambda_names
from chinchilla_xl.errors import ArgumentError
from chinchilla_xl.recalc.calltext import QUOTED, Change, calls_in, rewritten
from chinchilla_xl.recalc.lower import OURS, bare_name
from chinchilla_xl.recalc.parts import DefinedName
from chinchilla_xl.recalc.steps import LET, is_let, normal, steps_of
from chinchilla_xl.recalc.syntax import (
    NotParsedError,
    Template,
    marked,
    numbered,
    split,
)
from chinchilla_xl.recalc.written import call_in

ADDIN, LAMBDA, CELLS = EDITIONS = ("addin", "lambda", "cells")

SINGLE = "_xlfn.SINGLE"
"""What Excel shows as @: the single value of an array, its first."""

_PREFIX = "CX."
_MENTION = re.compile("|".join(OURS), re.IGNORECASE)
_SPACED = re.compile(rf"{QUOTED}|(?<=[\w.])\s+(?=\()", re.DOTALL)
_SELF = "[0]!"
"""Before a name that was typed with the workbook's own name in front."""

_WORD = re.compile(rf"{QUOTED}|(?<![\w.])({re.escape(_PREFIX)}\w+)", re.IGNORECASE | re.DOTALL)


def to_lambda(formula: str, leave: frozenset[str] = frozenset()) -> str:
    """The formula with calls of the add-in's functions as calls of LAMBDA names, but those to `leave`.

    >>> to_lambda("1+OPT_PARAMS(A1, _xldudf_CHINCHILLA_LOSS(B1,C1))")
    '1+CX.OPT_PARAMS(A1, CX.CHINCHILLA_LOSS(B1,C1))'
    """
    known = lambda_names().keys() - leave

    def change(name: str, arguments: list[str]) -> str | None:
        bare = bare_name(name)
        if bare not in known:
            return None
        return _call(_PREFIX + bare, [rewritten(a, change) for a in arguments])

    return _changed(formula, change)


def to_addin(formula: str, ours: Mapping[str, str], prefix: str = "") -> str:
    """The formula with the LAMBDA names in `ours` (name in capitals -> function) as the add-in's.

    >>> to_addin("CX.OPT_PARAMS(A1, 5)", {"CX.OPT_PARAMS": "OPT_PARAMS"})
    'OPT_PARAMS(A1, 5)'
    """

    def change(name: str, arguments: list[str]) -> str | None:
        function = ours.get(name.upper().removeprefix(_SELF))
        if function is None:
            return None
        return _call(prefix + function, [rewritten(a, change) for a in arguments])

    return _changed(formula, change)


def to_cells(formula: str) -> str:
    """The formula with the whole computation of every function of ours written out.

    All of it is one LET, with short names, or it would often be too long for Excel. Raises
    ArgumentError for a function that cannot be written out.
    """

    def change(name: str, arguments: list[str]) -> str | None:
        bare = bare_name(name)
        if bare not in OURS:
            return None
        if bare not in lambda_names():
            raise ArgumentError(f"{bare} iterates: no formula can stand for it")
        given = [rewritten(argument, change).strip() for argument in arguments]
        try:
            return inlined(bare, [] if given == [""] else given)
        except ValueError as e:
            raise ArgumentError(str(e)) from None

    new = _changed(formula, change)
    return formula if new == formula else steps_of(new).formula()


def from_cells(formula: str) -> str:
    """The formula with computations that `to_cells` has written out as calls again."""
    if not _mentions(LET, formula):
        return formula

    def change(name: str, texts: list[str]) -> str | None:
        if not is_let(name):
            return None
        try:
            return call_in(steps_of(_call(name, texts)))
        except NotParsedError:
            return None  # somebody's own LET

    return rewritten(formula, change)


def calls_ours(formula: str) -> list[str]:
    """The functions of ours that a formula calls as the add-in's, in order."""
    found = []

    def note(name: str, _: list[str]) -> None:
        if bare_name(name) in OURS:
            found.append(bare_name(name))

    _changed(formula, note)
    return found


def sole_call(formula: str) -> str:
    """The function of ours whose call, of the add-in's, is the whole formula; empty if it is more."""
    calls = calls_in(formula).inner[0]
    if len(calls) != 1 or (calls[0].start, calls[0].stop) != (0, len(formula)):
        return ""
    name = bare_name(calls[0].name)
    return name if name in OURS else ""


def single_call(formula: str) -> str:
    """The call of the add-in's of which the formula is the single value; empty if it is none.

    >>> single_call("_xlfn.SINGLE(CHINCHILLA_OPT(A1))")
    'CHINCHILLA_OPT(A1)'
    """
    inside = formula[len(SINGLE) + 1 : -1]
    return inside if formula.startswith(f"{SINGLE}(") and sole_call(inside) else ""


def lambda_words(formula: str) -> set[str]:
    """The LAMBDA names that a formula holds outside of quotes, in capitals."""
    return {m[2].upper() for m in _WORD.finditer(formula) if m[2]}


def _changed(formula: str, change: Change) -> str:
    """The formula changed; spaces between names and parentheses go only if anything else does."""
    if not _MENTION.search(formula):
        return formula
    tight = _SPACED.sub(lambda m: m[1] or "", formula)
    new = rewritten(tight, change)
    return formula if new == tight else new


def _call(name: str, arguments: list[str]) -> str:
    return f"{name}({','.join(arguments)})"


class AsAddin:
    """Reads the formulas of one workbook as the add-in's: its LAMBDA names, and what is written out.

    `ours` has the names that hold our LAMBDAs; other definitions of such names are somebody's own.
    """

    def __init__(self, names: Iterable[DefinedName]) -> None:
        names = list(names)
        self._theirs = own_functions(names)
        self.ours = our_lambdas(names)
        self._templates: dict[object, Template] = {}

    def __call__(self, formula: str) -> str:
        """The formula with calls of the add-in's functions; formulas of one shape are read once."""
        called = self.ours and _mentions(_PREFIX, formula)
        if not (called or SINGLE in formula or _mentions(LET, formula)):
            return formula
        shape, references = split(formula)
        if shape not in self._templates:
            try:
                old = numbered(marked(formula))
                text = to_addin(from_cells(old), self.ours)
                if self._theirs and self._theirs & more_calls(old, text):
                    text = old  # the call would be of something else
                if call := single_call(text):
                    text = f"INDEX({call},1,1)"
            except (NotParsedError, RecursionError):
                return formula
            self._templates[shape] = Template(text)
        return self._templates[shape].filled(references)


def our_lambdas(names: Iterable[DefinedName]) -> dict[str, str]:
    """The names in capitals that hold our LAMBDAs on every sheet, and the function of each."""
    names = list(names)
    local = {name.name.upper() for name in names if name.sheet is not None}
    return {
        name.name.upper(): function
        for name in names
        if (function := _function_of(name.name)) and name.name.upper() not in local
        and is_lambda_of(function, name.formula)
    }  # fmt: skip


def own_functions(names: Iterable[DefinedName]) -> frozenset[str]:
    """Our functions whose names a workbook has given to something of its own."""
    return frozenset({name.name.upper() for name in names} & OURS.keys())


def more_calls(old: str, new: str) -> set[str]:
    """The functions of ours that a formula calls more often than another."""
    return set(Counter(calls_ours(new)) - Counter(calls_ours(old)))


def _function_of(name: str) -> str:
    """The function whose LAMBDA a name would hold; empty if none."""
    function = name.upper().removeprefix(_PREFIX)
    return function if name.upper().startswith(_PREFIX) and function in lambda_names() else ""


def _mentions(word: str, formula: str) -> bool:
    return word in formula or word.upper() in formula.upper()


def is_lambda_of(function: str, formula: str) -> bool:
    """Whether a name's formula is the LAMBDA of a function, but for capitals and spaces."""
    expected = lambda_names().get(function)
    return expected is not None and normal(formula) == _normal_lambda(function)


@lru_cache(maxsize=64)
def _normal_lambda(function: str) -> str:
    return normal(lambda_names()[function].formula)
