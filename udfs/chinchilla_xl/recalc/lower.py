"""Rewrites formulas for the engine: what it does otherwise than Excel becomes calls of `callbacks`.

Each rule stands for one difference: numbers compare by 15 digits; the last sum of a formula snaps
to zero; a number turns into text with 15 digits; an error that is the engine's own must not be
absorbed; our functions are told of omitted arguments.
"""

from __future__ import annotations

import re
from datetime import date

from chinchilla_xl.addins.calc.extension import STORED
from chinchilla_xl.functions import FUNCTIONS
from chinchilla_xl.recalc import trusted
from chinchilla_xl.recalc.callbacks.errors import ABSORBING
from chinchilla_xl.recalc.syntax import (
    INFIX,
    NUMBER,
    PREFIX,
    RANGE,
    TEXT,
    Atom,
    Call,
    Slot,
)

OURS = {function.name: function for function in FUNCTIONS}

OMITTED = "\ue000omitted"
"""What an omitted argument of ours is replaced by: the engine would pass a number, 0."""

# Spellings of add-in functions: Office.js, XLL, VBA in another workbook, Calc before 24.8.
_SPELLING = re.compile(
    rf"(?:_xlfn\.|_xlws\.|_xldudf_|_xludf\.|_xll\.|\[\d+\]!|{re.escape(STORED)})+", re.IGNORECASE
)
_COMPARISONS = ("=", "<>", "<", ">", "<=", ">=")
_SEARCHES = ("FIND", "SEARCH", "LOOKUP", "MATCH", "VLOOKUP", "HLOOKUP", "XLOOKUP", "XMATCH")
_DATE_FORMAT = re.compile(f'"{trusted.DATE_FORMAT}"', re.IGNORECASE)
_ISO_DATE = re.compile('"(\\d{4})-(\\d{2})-(\\d{2})"', re.ASCII)
_ANY, _DOUBT = "_ANY", "_DOUBT"


def bare_name(function: str) -> str:
    """A function's name without the prefixes that hosts store with it, in capitals."""
    name = _SPELLING.sub("", function).upper()
    # Office.js puts the add-in's namespace, if it has one, before the name: FIT_COEFFS has none.
    without_namespace = name if name in OURS else name.partition("_")[2]
    office = "_xldudf_" in function.lower()
    return without_namespace if office and without_namespace in OURS else name


def rendered(part: Call | Slot) -> str:
    """A formula or an argument as it was, without spaces."""
    if isinstance(part, Call):
        if part.name == ":":
            return ":".join(map(rendered, part.slots))
        inside = ",".join(map(rendered, part.slots))
        return inside if not part.name else f"{part.name.removesuffix('(')}({inside})"
    return "".join(item.text if isinstance(item, Atom) else rendered(item) for item in part)


def is_moving(slot: Slot) -> bool:
    """Whether an argument is a reference that is computed."""
    only = slot[0] if len(slot) == 1 else None
    return isinstance(only, Call) and (only.name == ":" or bare_name(only.name) == "OFFSET")


def lowered(root: Call) -> str:
    """The formula as the engine gets it."""
    return _expression(root.slots[0], residue="")


def _expression(slot: Slot, residue: str | None = None) -> str:
    """An argument, lowered; its last sum too if `residue` says what follows its name."""
    at = _last(slot, _COMPARISONS)
    if at is not None:
        operator = rendered(slot[at : at + 1])
        left, right = slot[:at], slot[at + 1 :]
        a, b = _expression(left, "_APART"), _expression(right, "_APART")
        if _compares_alike(operator, left) or _compares_alike(operator, right):
            return f"{a}{operator}{b}"
        return f'__COMPARE("{operator}",{a},{b})'
    at = _last(slot, ("&",))
    if at is not None:
        left, right = slot[:at], slot[at + 1 :]
        joined = _last(left, ("&",)) is not None
        return f"{_expression(left) if joined else _text('__TEXT', left)}&{_text('__TEXT', right)}"
    at = _last(slot, ("+", "-"))
    if at is not None and residue is not None:
        name = "__PLUS" if rendered(slot[at : at + 1]) == "+" else "__MINUS"
        return f"{name}{residue}({_expression(slot[:at])},{_expression(slot[at + 1 :])})"
    return "".join(_item(slot, i) for i in range(len(slot)))


def _last(slot: Slot, operators: tuple[str, ...]) -> int | None:
    """Where the last of these operators stands, outside of parentheses."""
    for i in range(len(slot) - 1, -1, -1):
        item = slot[i]
        if isinstance(item, Atom) and item.kind == INFIX and item.text in operators:
            return i
    return None


def _compares_alike(operator: str, side: Slot) -> bool:
    """Whether the engine compares with this constant as Excel does: 0, or a text for equality."""
    if len(side) != 1 or not isinstance(side[0], Atom):
        return False
    atom = side[0]
    plain_text = atom.kind == TEXT and atom.text.isascii() and operator in ("=", "<>")
    return plain_text or (atom.kind == NUMBER and float(atom.text) == 0)


def _text(callback: str, slot: Slot) -> str:
    """An operand that turns into text."""
    inside = _expression(slot)
    literal = len(slot) == 1 and isinstance(slot[0], Atom) and slot[0].kind == TEXT
    if not inside or (literal and inside.isascii() and inside.isprintable() and inside != '""'):
        return inside
    return f"{callback}({inside})"


def _item(slot: Slot, i: int) -> str:
    item = slot[i]
    power = i > 0 and isinstance(slot[i - 1], Atom) and rendered(slot[i - 1 : i]) == "^"
    text = item.text if isinstance(item, Atom) else _call(item)
    if not power or i < 2 or _nonzero(item) or _nonzero(slot[i - 2]):
        return text
    base = slot[i - 2]
    negative = isinstance(item, Atom) and item.kind == PREFIX
    if negative or (isinstance(base, Atom) and base.kind not in (RANGE, NUMBER)):
        return text  # a negative power of 0 is an error in the engine too
    return f"__EXPONENT({_item(slot, i - 2)},{text})"


def _nonzero(item: Atom | Call) -> bool:
    return isinstance(item, Atom) and item.kind == NUMBER and float(item.text) != 0


def _call(call: Call) -> str:
    if call.name == "(":
        return f"({_expression(call.slots[0])})"
    if call.name == ":":
        return _computed_range(*map(_range_end, call.slots))
    name = bare_name(call.name)
    if name in OURS:
        return f"{name}({','.join(_our_arguments(call.slots))})"
    if name in ABSORBING and (risk := _risk(call.slots[0])):
        return f'__IS{risk}("{name}",{_expression(call.slots[0])})'
    if name in trusted.LOOKUPS and is_approximate(call):
        return _approximate(name, call.slots)
    arguments = _arguments(name, call.slots)
    if name == "IFERROR" and len(arguments) == 2 and (risk := _risk(call.slots[0])):
        return f"__IFERROR{risk}({arguments[0]},{arguments[1] or 0})"
    text = f"{trusted.REPLACED.get(name, call.name)}({','.join(arguments)})"
    if any(map(is_moving, call.slots)):
        text = _of_moving(name, call.slots, arguments, text)
    return f"__POSSIBLE({text})" if name in trusted.OVERFLOWING else text


def _arguments(name: str, slots: list[Slot]) -> list[str]:
    arguments = [_argument(name, i, slot) for i, slot in enumerate(slots)]
    if name == "TEXT" and _DATE_FORMAT.fullmatch(rendered(slots[-1])):
        arguments[0] = _text("__SERIAL", slots[0])
    if name in trusted.EXACT_ARGUMENT and len(arguments) > 1:
        arguments[0] = _key(name, slots[0], arguments[1])
    if name == "SEQUENCE":
        arguments = [argument or "1" for argument in arguments]
    if name == "POWER" and len(arguments) == 2:
        arguments[1] = f"__EXPONENT({arguments[0]},{arguments[1]})"
    return arguments


def _of_moving(name: str, slots: list[Slot], arguments: list[str], text: str) -> str:
    """A call with ranges that are found only when it is computed: wrong ones leave it undone."""
    moving = [a for a, slot in zip(arguments, slots, strict=True) if is_moving(slot)]
    # Many functions of the engine pass over an error in the place of a range.
    doubts = [] if name in trusted.PASSING_ERRORS else [f"ISERROR({a})" for a in moving]
    if name == "INDEX" and len(arguments) == 2:  # of a block of cells it would give a whole row
        doubts.append(f"AND(ROWS({arguments[0]})>1,COLUMNS({arguments[0]})>1)")
    if name in trusted.CRITERIA:  # the engine takes ranges of different sizes, unlike Excel
        first, *others = (
            a for i, a in enumerate(arguments) if i not in trusted.SINGLE_ARGUMENTS[name]
        )
        doubts += [f"{of}({first})<>{of}({a})" for a in others for of in ("ROWS", "COLUMNS")]
    return f"IF(OR({','.join(doubts)}),__UNSURE(),{text})" if doubts else text


def _computed_range(first: str, last: str) -> str:
    """A range from one computed cell to another: most functions of the engine take only OFFSET."""
    extents = (f"__SPAN({of}({first}),{of}({last}))" for of in ("ROW", "COLUMN"))
    return f"OFFSET({first},0,0,{','.join(extents)})"


def _range_end(slot: Slot) -> str:
    """One end of a range: a reference, OFFSET, or INDEX at positions that are beyond doubt."""
    only = slot[0]
    if isinstance(only, Atom) or bare_name(only.name) != "INDEX":
        return _expression(slot)
    positions = [_whole("__POSITION", position) for position in only.slots[1:]]
    return f"INDEX({','.join([_expression(only.slots[0]), *positions])})"


def _whole(callback: str, slot: Slot) -> str:
    """An argument that has to be a whole number, and but for a shift one above 0."""
    text = rendered(slot)
    literal = text.isdigit() and (callback == "__SHIFT" or int(text) > 0)
    return text if literal or not slot else f"{callback}({_expression(slot)})"


def _our_arguments(slots: list[Slot]) -> list[str]:
    if len(slots) == 1 and not slots[0]:
        return [""]
    return [_expression(slot) if slot else f'"{OMITTED}"' for slot in slots]


def _argument(name: str, position: int, slot: Slot) -> str:
    if name == "OFFSET" and position > 0:
        shift = position < 3
        return _whole("__SHIFT" if shift else "__EXTENT", slot) or ("0" if shift else "")
    if position in trusted.DATE_ARGUMENTS.get(name, ()) and (day := _day(slot)):
        return day
    guard, positions = trusted.GUARDED_ARGUMENTS.get(name, ("", None))
    if guard and (positions is None or position in positions):
        if name == "SEARCH" and position == 0:
            guard = "__NEEDLE"
        return _text(guard, slot)
    if name in trusted.CRITERIA and position in trusted.SINGLE_ARGUMENTS[name]:
        return _text("__CRITERION", slot)
    return _expression(slot)


def _day(slot: Slot) -> str:
    """The date that an argument is in the form of ISO 8601, which the engine takes for an error."""
    match = _ISO_DATE.fullmatch(rendered(slot))
    if match is None:
        return ""
    try:
        date(*map(int, match.groups()))
    except ValueError:
        return ""  # no such day
    return "__DATE({:d},{:d},{:d})".format(*map(int, match.groups()))


def _key(name: str, slot: Slot, values: str) -> str:
    """What an exact lookup looks for; all values are looked at only where it is open to doubt."""
    key = _text("__KEY", slot)
    if not key.startswith("__KEY") or any(isinstance(item, Call) for item in slot):
        return key
    first = {"VLOOKUP": f"INDEX({values},0,1)", "HLOOKUP": f"INDEX({values},1,0)"}.get(name, values)
    plain = _expression(slot)
    return f"IF(__DOUBTFUL({plain}),__KEY({plain},{first}),{plain})"


def is_approximate(call: Call) -> bool:
    """Whether a lookup takes the next smaller (or larger) value where there is no equal one."""
    position, spellings = trusted.LOOKUPS[bare_name(call.name)]
    return len(call.slots) <= position or rendered(call.slots[position]).upper() in spellings


def _approximate(name: str, slots: list[Slot]) -> str:
    """An approximate lookup, by a callback that looks whether the values are in order."""
    key, values = _expression(slots[0]), _expression(slots[1])
    if name == "MATCH":
        descending = len(slots) > 2 and rendered(slots[2]) == "-1"
        return f"__MATCH({-1 if descending else 1},{key},{values})"
    if name == "LOOKUP":
        results = _expression(slots[-1])
        return f"INDEX({results},__MATCH(1,{key},{values}))"
    position = _whole("__POSITION", slots[2])
    if name == "VLOOKUP":
        return f"INDEX({values},__MATCH(1,{key},INDEX({values},0,1)),{position})"
    return f"INDEX({values},{position},__MATCH(1,{key},INDEX({values},1,0)))"


def _risk(slot: Slot) -> str:
    """Which errors in this argument may be no errors in Excel: none, those in doubt, or any.

    The name ends the callback that then takes the place of the engine's own function.
    """
    if len(slot) != 1:
        return _ANY
    item = slot[0]
    if isinstance(item, Atom):
        return ""
    name = bare_name(item.name)
    plain = all(len(s) < 2 and all(isinstance(i, Atom) for i in s) for s in item.slots)
    if plain and (name in OURS or name == "INDEX"):
        return ""
    if (plain and name in _SEARCHES) or (name in OURS and all(map(_is_arithmetic, item.slots))):
        return _DOUBT
    return _ANY


def _is_arithmetic(slot: Slot) -> bool:
    """Whether nothing but operators and our functions stand in an argument."""
    return all(
        isinstance(item, Atom)
        or (
            (item.name == "(" or bare_name(item.name) in OURS)
            and all(map(_is_arithmetic, item.slots))
        )
        for item in slot
    )
