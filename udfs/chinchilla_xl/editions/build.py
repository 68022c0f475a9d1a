"""From the description to formulas: signatures from the catalogue, steps from `formulas`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

from chinchilla_xl.editions import settings
from chinchilla_xl.editions.formulas import BODIES, UNPRICED, Body
from chinchilla_xl.editions.language import Steps, abbreviated, let, needed, render, shown_length
from chinchilla_xl.editions.settings import columns, constant, rows, text, unfit
from chinchilla_xl.elementwise import NON_NEGATIVE, POSITIVE
from chinchilla_xl.functions import FUNCTIONS, WorksheetFunction

PREFIX = "CX."
"""Before the names of the LAMBDAs, which must differ from those of an add-in's functions."""

LONGEST_COMMENT = 255

LONGEST_LET = 7800
"""Excel takes 8,192 characters of formula; the arguments of a cell need their share."""

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
_BOUNDS = {"max_params": "size_bound", "max_tokens": "data_bound"}
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
    """The steps as one LET that gives the last."""
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
        known |= _ending(function, body, given)
    for name in names:
        if name in _READERS:
            known |= _READERS[name] if name in given else _DEFAULTS[name]
        elif name in _BOUNDS:
            known[_BOUNDS[name]] = settings.bound(name) if name in given else settings.UNBOUNDED
    return needed(known, "answer", given)


def _ending(function: WorksheetFunction, body: Body, given: Sequence[str]) -> dict[str, str]:
    """The steps from a result to an answer: where it is an error instead, and which.

    A setting that cannot be used and ranges that do not fit spoil the whole. A blank, a text or an
    error in an element decides before the law does, the leftmost first.
    """
    numeric = {_BOUNDS.get(p.name, p.name): p for p in function.parameters if p.domain is not None}
    operands = [name for name, p in numeric.items() if p.name in given]
    faults, whole, shapes = [unfit(x) for x in operands], [], list(operands)
    if "deployment" in given:
        whole.append("machine_error")
    if "coeffs" in given:
        whole.append(f"IF({rows('A')} = 1, law_error, 0)")
        faults.append("law_error")
        shapes.append("A")
    if "header" in given:
        whole.append("IF(ISERROR(header_shown), header_shown, 0)")
    if any("whole_fault" in block for block in body.blocks):
        whole.append("whole_fault")
    steps = {"fault": " + ".join(faults), "height": "1", "width": "1"}
    if len(shapes) > 1 or body.columns:
        which = constant([[str(i) for i in range(1, len(shapes) + 1)]])
        for lengths, longest, count_of in (("tall", "height", rows), ("wide", "width", columns)):
            counts = ", ".join(map(count_of, shapes))
            steps[lengths] = f"CHOOSE({which}, {counts})" if len(shapes) > 1 else counts
            steps[longest] = f"MAX({lengths})"
        misfit = " + ".join(
            f"SUM(({lengths} - 1) * ({longest} - {lengths}))"
            for lengths, longest in (("tall", "height"), ("wide", "width"))
        )
        if body.columns:  # one row or one column of cases
            misfit += " + (height - 1) * (width - 1)"
        whole.append(f"IF({misfit} = 0, 0, #VALUE!)")
    rules = [_RULES[p.domain].format(x) for x, p in numeric.items() if p.domain in _RULES]
    result = body.result
    if body.columns:
        count = len(body.columns)
        order = f"IF(width > 1, SEQUENCE({count}), SEQUENCE(1, {count}))"
        result = f"CHOOSE({order}, {', '.join(body.columns.values())})"
    if rules and not body.own_rules:
        result = f"IF({' * '.join(rules)}, {result}, #NUM!)"
    steps["result"] = f"IF(ISNUMBER(fault), IFERROR({result}, #NUM!), fault)"
    steps["whole"] = " + ".join(whole) or "0"
    shown = "result"
    if body.columns:
        steps["figures"] = "IF(width > 1, TRANSPOSE(result), result)"
        shown = "figures"
    if any(p.name == "header" for p in function.parameters):
        headings = constant([[text(heading) for heading in body.columns]])
        steps["line"] = "SEQUENCE(height * width + 1)"
        steps["headed"] = (
            f"IF(line = 1, {headings}, "
            f"INDEX(figures, IF(line = 1, 1, line - 1), SEQUENCE(1, {len(body.columns)})))"
        )
        shown = "IF(header_shown, headed, figures)"
    steps["answer"] = f"IF(ISNUMBER(whole), {shown}, whole)" if whole else shown
    return steps
