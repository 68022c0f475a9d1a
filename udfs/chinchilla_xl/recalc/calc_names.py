"""Our functions' names in formulas as LibreOffice reads them, and back as Excel does.

LibreOffice before 24.8 binds only the names it would store itself, CHINCHILLA.XL.OPT_PARAMS; later
versions read both and write plain names.
"""

from __future__ import annotations

import re

from chinchilla_xl.addins.calc.extension import STORED
from chinchilla_xl.recalc.lower import OURS, bare_name
from chinchilla_xl.recalc.syntax import (
    RANGE,
    Atom,
    Call,
    NotParsedError,
    Slot,
    filled,
    parse,
    split,
)

_CALL = re.compile(r"""("[^"]*"|'[^']*')|((?:\[\d+\]!)?[^\W\d][\w.]*)(?=\s*\()""")


def spelled(formula: str) -> str | None:
    """The formula for a recalculation by LibreOffice; None if it calls none of our functions.

    Calc hands a blank cell over as the number 0, unless it is in an array: as in the other engines, it
    shall be no number.
    """
    if renamed(formula, STORED) is None:
        return None
    try:
        shape, references = split(formula)
        return filled(_written(parse(shape).slots[0]), references)
    except NotParsedError:
        return None


def renamed(formula: str, prefix: str) -> str | None:
    """The formula with `prefix` before the names of our functions, and no other; None if it has none."""
    found = False

    def rename(match: re.Match[str]) -> str:
        nonlocal found
        name = bare_name(match[2]) if match[2] else ""
        if name not in OURS:
            return match[0]
        found = True
        return prefix + name

    text = _CALL.sub(rename, formula)
    return text if found else None


def _written(slot: Slot) -> str:
    return "".join(item.text if isinstance(item, Atom) else _call(item) for item in slot)


def _call(call: Call) -> str:
    name = bare_name(call.name)
    if name not in OURS:
        return f"{call.name.removesuffix('(')}({','.join(map(_written, call.slots))})"
    return f"{STORED}{name}({','.join(map(_argument, call.slots))})"


def _argument(slot: Slot) -> str:
    written = _written(slot)
    reference = len(slot) == 1 and isinstance(slot[0], Atom) and slot[0].kind == RANGE
    return f"TRANSPOSE(TRANSPOSE({written}))" if reference else written
