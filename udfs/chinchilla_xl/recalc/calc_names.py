"""Our functions' names in formulas as LibreOffice reads them, and back as Excel does.

LibreOffice before 24.8 binds only the names it would store itself, CHINCHILLA.XL.OPT_PARAMS; later
versions read both and write plain names.
"""

from __future__ import annotations

import re
from functools import partial

from chinchilla_xl.addins.calc.extension import STORED
from chinchilla_xl.functions.settings import read_flag
from chinchilla_xl.recalc.addresses import parse_area
from chinchilla_xl.recalc.archive import Archive
from chinchilla_xl.recalc.elements import with_formulas
from chinchilla_xl.recalc.files import Location, naming, read_file, write_file
from chinchilla_xl.recalc.lower import OURS, bare_name
from chinchilla_xl.recalc.syntax import (
    RANGE,
    Atom,
    Call,
    NotParsedError,
    Slot,
    Template,
    parsed,
    split,
)

_CALL = re.compile(r"""("[^"]*"|'[^']*')|((?:\[\d+\]!)?[^\W\d][\w.]*)(?=\s*\()""")

_FORMULAS = re.compile(r"xl/(?:workbook|worksheets/[^/]+|tables/[^/]+)\.xml")
_NUMBER = 'IF(ISBLANK({0}),NA(),IF(ISLOGICAL({0}),"TRUE",{0}))'
_FLAG = "IF(ISBLANK({0}),TRUE,{0})"


def spelled(formula: str) -> str | None:
    """The formula for a recalculation by LibreOffice; None if it calls none of our functions.

    Calc hands a blank cell over as the number 0, TRUE as 1, and an error in a range as one of its own.
    As in the other engines, they shall be #N/A, #VALUE! and what they are.
    """
    if renamed(formula, STORED) is None:
        return None
    try:
        return _written(parsed(formula).slots[0], split(formula)[1])
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


def _written(slot: Slot, references: list[str]) -> str:
    return "".join(
        Template(item.text).filled(references)
        if isinstance(item, Atom)
        else _call(item, references)
        for item in slot
    )


def _call(call: Call, references: list[str]) -> str:
    arguments = [_written(slot, references) for slot in call.slots]
    function = OURS.get(bare_name(call.name))
    if function is None:
        return f"{call.name.removesuffix('(')}({','.join(arguments)})"
    for i, (slot, parameter) in enumerate(zip(call.slots, function.parameters, strict=False)):
        if len(slot) == 1 and isinstance(slot[0], Atom) and slot[0].kind == RANGE:
            if i < function.required and parameter.domain is not None:
                arguments[i] = _reference(arguments[i], _NUMBER)
            else:
                flag = parameter.reader is read_flag
                arguments[i] = _reference(arguments[i], _FLAG if flag else "{0}")
    return f"{STORED}{function.name}({','.join(arguments)})"


def _reference(text: str, single: str) -> str:
    """A reference that Calc hands over as the other engines do, by the form for a single cell."""
    area = parse_area(text.rpartition("!")[2].replace("$", ""))
    if area is not None and area.first != area.last:
        return f"TRANSPOSE(TRANSPOSE({text}))"
    if area is not None or single == "{0}":
        return single.format(text)
    # A name: of a cell, of a range, or of anything else.
    form = f"IF(ISREF({{0}}),IF(ROWS({{0}})*COLUMNS({{0}})=1,{single},{{0}}),{{0}})"
    return form.format(text)


def rename_file(path: Location, *, for_calc: bool) -> int:
    """Rename our functions in every formula of a workbook, in place; how many formulas changed."""
    parts: dict[str, list[bytes]] = {}
    count = 0
    with naming(path):
        archive = Archive(read_file(path))
        for part in filter(_FORMULAS.fullmatch, sorted(archive.names)):
            rename = partial(renamed, prefix=STORED if for_calc else "")
            new, changed = with_formulas(archive.text(part), rename)
            if changed:
                parts[part] = [new.encode()]
                count += changed
    if parts:
        write_file(path, archive.replaced(parts))
    return count
