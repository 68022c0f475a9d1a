"""From the description to formulas: signatures from the catalogue, steps from `formulas`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

from chinchilla_xl.editions import settings
from chinchilla_xl.editions.endings import BOUNDS, ending
from chinchilla_xl.editions.formulas import BODIES, UNPRICED
from chinchilla_xl.editions.language import (
    Steps,
    abbreviated,
    folded,
    let,
    needed,
    render,
    shown_length,
)
from chinchilla_xl.functions import FUNCTIONS, WorksheetFunction

PREFIX = "CX."
"""Before the names of the LAMBDAs, which must differ from those of an add-in's functions."""

LONGEST_COMMENT = 255

LONGEST_LET = 7800
"""Excel takes 8,192 characters of formula; the arguments of a cell need their share."""

MOST_STEPS = 118
"""LET takes 126 names; as a cell has it, the arguments are among them."""

_FUNCTIONS = {f.name: f for f in FUNCTIONS if f.name in BODIES}
_READERS: dict[str, Steps] = {
    "coeffs": settings.COEFFS,
    "deployment": settings.DEPLOYMENT,
    "header": settings.HEADER,
    "name": settings.SETS,
}
_DEFAULTS: dict[str, Steps] = {
    "coeffs": settings.DEFAULT_COEFFS,
    "deployment": settings.DEFAULT_DEPLOYMENT,
    "header": settings.DEFAULT_HEADER,
    "name": settings.DEFAULT_SETS,
}


@dataclass(frozen=True)
class LambdaName:
    """A defined name that holds one worksheet function as a LAMBDA."""

    name: str
    """As a cell calls it: CX.OPT_PARAMS."""
    function: str
    """The worksheet function that it is: OPT_PARAMS."""
    formula: str
    """As an .xlsx file stores it, without the equals sign."""
    comment: str
    """What the Name Manager shows."""


@cache
def lambda_names() -> dict[str, LambdaName]:
    """Every LAMBDA, by the name of its worksheet function.

    >>> lambda_names()["OPT_PARAMS"].name
    'CX.OPT_PARAMS'
    """
    return {name: _lambda(function) for name, function in _FUNCTIONS.items()}


def inlined(function: str, arguments: Sequence[str]) -> str:
    """The call of a worksheet function as one LET, for spreadsheets without LAMBDA.

    `arguments` are formulas in stored form, "" for one left out.

    >>> inlined("KAPLAN_LOSS", ["A1", "2E12"])[:41]
    '_xlfn.LET(_xlpm.params,A1,_xlpm.tokens,2E'
    """
    signature = _FUNCTIONS[function]
    texts = [*arguments, *[""] * (len(signature.parameters) - len(arguments))]
    given = {p.name: text for p, text in zip(signature.parameters, texts, strict=True) if text}
    lacking = [p.name for p in signature.parameters[: signature.required] if p.name not in given]
    if lacking or len(texts) > len(signature.parameters):
        raise ValueError(f"{signature.syntax} takes other arguments than {', '.join(arguments)}")
    steps = _steps(signature, given)
    # The arguments come as they are, in a language of their own.
    start = "".join(f"{render(name)},{text}," for name, text in given.items())
    body = re.sub(r"OMITTED\(_xlpm\.\w+\)", "FALSE", _let(steps))
    return body.replace("_xlfn.LET(", f"_xlfn.LET({start}", 1)


def _lambda(function: WorksheetFunction) -> LambdaName:
    names = [p.name for p in function.parameters]
    body = _let(_steps(function, names)).replace("OMITTED(", "_xlfn.ISOMITTED(")
    # Excel marks an optional argument where it is declared, not where it is used.
    declared = [
        f"{'_xlpm' if i < function.required else '_xlop'}.{name}" for i, name in enumerate(names)
    ]
    summary = function.summary
    if len(summary) > LONGEST_COMMENT:
        summary = summary[: LONGEST_COMMENT - 3].rsplit(" ", 1)[0] + "..."
    formula = f"_xlfn.LAMBDA({','.join([*declared, body])})"
    return LambdaName(PREFIX + function.name, function.name, formula, summary)


def _let(steps: Sequence[tuple[str, str]]) -> str:
    """The steps as one LET that gives the last, within the limits of Excel."""
    steps = folded(steps, MOST_STEPS)
    body = let(steps, steps[-1][0])
    if shown_length(body) > LONGEST_LET:
        steps = abbreviated(steps)
        body = let(steps, steps[-1][0])
    return body


def _steps(function: WorksheetFunction, given: Iterable[str]) -> list[tuple[str, str]]:
    """The steps to the function's answer when the arguments `given` are there."""
    given = list(given)
    body = BODIES[function.name]
    names = [p.name for p in function.parameters]
    known: dict[str, str] = {}
    for block in body.blocks:
        known |= block
    if "deployment" in names and "deployment" not in given:
        known |= UNPRICED
    if body.result != "answer":
        known |= ending(function, body, given)
    for name in names:
        if name in _READERS:
            known |= _READERS[name] if name in given else _DEFAULTS[name]
        elif name in BOUNDS:
            known[BOUNDS[name]] = settings.bound(name) if name in given else settings.UNBOUNDED
    return needed(known, "answer", given)
