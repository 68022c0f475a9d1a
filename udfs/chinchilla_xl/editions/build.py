"""From the description to formulas: signatures from the catalogue, steps from `formulas`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

from chinchilla_xl.editions import settings
from chinchilla_xl.editions.formulas import BODIES
from chinchilla_xl.editions.language import let, needed, render
from chinchilla_xl.editions.settings import columns, rows, unfit
from chinchilla_xl.elementwise import NON_NEGATIVE, POSITIVE
from chinchilla_xl.functions import FUNCTIONS, WorksheetFunction
from chinchilla_xl.functions.parameters import Parameter

PREFIX = "CX."
"""Before the names of the LAMBDAs, which must differ from those of an add-in's functions."""

LONGEST_COMMENT = 255

_FUNCTIONS = {f.name: f for f in FUNCTIONS if f.name in BODIES}
_READERS = {"coeffs": settings.COEFFS, "deployment": settings.DEPLOYMENT}
_DEFAULTS = {"coeffs": settings.DEFAULT_COEFFS, "deployment": settings.DEFAULT_DEPLOYMENT}
_ERRORS = {"coeffs": "law_error", "deployment": "deployment_error"}
_RULES = {POSITIVE: "({} > 0)", NON_NEGATIVE: "({} >= 0)"}


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

    >>> inlined("KAPLAN_LOSS", ["A1", "2E12"])[:51]
    '_xlfn.LET(_xlpm.params,A1,_xlpm.tokens,2E12,_xlpm.'
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
    text = re.sub(r"OMITTED\(_xlpm\.\w+\)", "FALSE", let(steps, steps[-1][0]))
    return text.replace("_xlfn.LET(", f"_xlfn.LET({start}", 1)


def _lambda(function: WorksheetFunction) -> LambdaName:
    names = [p.name for p in function.parameters]
    body = let(steps := _steps(function, names), steps[-1][0])
    body = body.replace("OMITTED(", "_xlfn.ISOMITTED(")
    # Excel marks an optional argument where it is declared, not where it is used.
    declared = [
        f"{'_xlpm' if i < function.required else '_xlop'}.{name}" for i, name in enumerate(names)
    ]
    summary = function.summary
    if len(summary) > LONGEST_COMMENT:
        summary = summary[: LONGEST_COMMENT - 3].rsplit(" ", 1)[0] + "..."
    formula = f"_xlfn.LAMBDA({','.join([*declared, body])})"
    return LambdaName(PREFIX + function.name, function.name, formula, summary)


def _steps(function: WorksheetFunction, given: Iterable[str]) -> list[tuple[str, str]]:
    """The steps to the function's answer when the arguments `given` are there."""
    given = list(given)
    body = BODIES[function.name]
    known: dict[str, str] = {}
    for block in body.blocks:
        known |= block
    for p in function.parameters:
        if p.name in _READERS:
            known |= _READERS[p.name] if p.name in given else _DEFAULTS[p.name]
    known |= _ending(function.parameters, body.result)
    return needed(known, "answer", given)


def _ending(parameters: Sequence[Parameter], result: str) -> dict[str, str]:
    """The steps from a result to an answer: where it is an error instead, and which.

    A blank, a text or an error in an element decides before the law does, the leftmost first;
    ranges that do not fit spoil the whole.
    """
    names = [p.name for p in parameters]
    numeric = [p.name for p in parameters if p.domain is not None]
    faults = [_ERRORS.get(name) or unfit(name) for name in names if name in [*_ERRORS, *numeric]]
    rules = [_RULES[p.domain].format(p.name) for p in parameters if p.domain in _RULES]
    shapes = [*numeric, *(["A"] if "coeffs" in names else [])]
    return {
        "height": f"MAX({', '.join(map(rows, shapes))})",
        "width": f"MAX({', '.join(map(columns, shapes))})",
        "misfit": " + ".join(
            f"({count(x)} - 1) * ({whole} - {count(x)})"
            for x in shapes
            for count, whole in ((rows, "height"), (columns, "width"))
        ),
        "fault": " + ".join(faults),
        "allowed": " * ".join(rules) or "TRUE",
        "value": f"IF(allowed, {result}, #NUM!)",
        "answer": "IF(misfit = 0, IF(ISNUMBER(fault), IFERROR(value, #NUM!), fault), #VALUE!)",
    }
