"""The steps from a function's figures to what its cells show: errors, shapes, tables, headings.

A setting that cannot be used and ranges that do not fit spoil the whole answer (`whole`). A blank, a
text or an error in an element decides before the law does, and of several the leftmost (`fault`):
errors spread through a sum in that order.
"""

from __future__ import annotations

from collections.abc import Sequence

from chinchilla_xl.editions.formulas import Body
from chinchilla_xl.editions.language import Steps
from chinchilla_xl.editions.settings import columns, constant, rows, text, unfit
from chinchilla_xl.elementwise import NON_NEGATIVE, POSITIVE
from chinchilla_xl.functions import WorksheetFunction

BOUNDS = {"max_params": "size_bound", "max_tokens": "data_bound"}
"""The steps that stand for optional numbers, given or not."""

_RULES = {POSITIVE: "({} > 0)", NON_NEGATIVE: "({} >= 0)"}

_ONE_LAW = f"IF({rows('A')} = 1, law_error, 0)"


def ending(function: WorksheetFunction, body: Body, given: Sequence[str]) -> Steps:
    """The steps to `answer` when the arguments `given` are there."""
    operands = [
        BOUNDS.get(p.name, p.name)
        for p in function.parameters
        if p.domain is not None and p.name in given
    ]
    ranges = [*operands, "A"] if "coeffs" in given else operands
    whole = [
        step
        for argument, step in (
            ("deployment", "machine_error"),
            ("coeffs", _ONE_LAW),
            ("header", "IF(ISERROR(header_shown), header_shown, 0)"),
        )
        if argument in given
    ]
    if any("whole_fault" in block for block in body.blocks):
        whole.append("whole_fault")
    steps = {"fault": " + ".join(_faults(function, body, given, operands))}
    if len(ranges) > 1 or body.columns:
        shapes, misfit = _shapes(ranges, one_line=bool(body.columns))
        steps |= shapes
        whole.append(f"IF({misfit} = 0, 0, #VALUE!)")
    steps["whole"] = " + ".join(whole)
    if body.columns:
        steps |= _table(body, headed="header" in [p.name for p in function.parameters])
    else:
        steps["shown"] = f"IF(ISNUMBER(fault), IFERROR({body.result}, #NUM!), fault)"
    return steps | {"answer": "IF(ISNUMBER(whole), shown, whole)" if whole else "shown"}


def _faults(
    function: WorksheetFunction, body: Body, given: Sequence[str], operands: Sequence[str]
) -> list[str]:
    """The terms of `fault`: each 0 or an error for every element."""
    rules = " * ".join(
        _RULES[p.domain].format(p.name) for p in function.parameters if p.domain in _RULES
    )
    return [
        *map(unfit, operands),
        *(["law_error"] if "coeffs" in given else []),
        *([f"IF({rules}, 0, #NUM!)"] if rules and not body.own_rules else []),
    ]


def _shapes(ranges: Sequence[str], *, one_line: bool) -> tuple[Steps, str]:
    """The steps `height` and `width` of what the ranges broadcast to, and what is 0 if they fit."""
    steps: dict[str, str] = {}
    misfits = []
    which = constant([[str(i) for i in range(1, len(ranges) + 1)]])
    for lengths, longest, count in (("tall", "height", rows), ("wide", "width", columns)):
        counts = ", ".join(map(count, ranges))
        steps[lengths] = f"CHOOSE({which}, {counts})" if len(ranges) > 1 else counts
        steps[longest] = f"MAX({lengths})"
        misfits.append(f"SUM(({lengths} - 1) * ({longest} - {lengths}))")
    if one_line:  # one row or one column of cases
        misfits.append("(height - 1) * (width - 1)")
    return steps, " + ".join(misfits)


def _table(body: Body, *, headed: bool) -> Steps:
    """The steps to `shown`, a row of figures for each case, below headings if `header_shown`."""
    count = len(body.columns)
    steps = {
        # Cases in a row stand beside each other until all is there.
        "order": f"IF(width > 1, SEQUENCE({count}), SEQUENCE(1, {count}))",
        "faults": "fault + 0 * order",
        "figures": f"IF(ISNUMBER(faults), IFERROR(CHOOSE(order, {', '.join(body.columns.values())}), "
        "#NUM!), faults)",
        "cases": "IF(width > 1, TRANSPOSE(figures), figures)",
        "shown": "cases",
    }
    if headed:
        headings = constant([[text(heading) for heading in body.columns]])
        steps |= {
            "line": "SEQUENCE(height * width + 1)",
            "headed": f"IF(line = 1, {headings}, "
            f"INDEX(cases, IF(line = 1, 1, line - 1), SEQUENCE(1, {count})))",
            "shown": "IF(header_shown, headed, cases)",
        }
    return steps
