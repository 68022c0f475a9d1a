"""Rewrites formulas for the engine: what it does otherwise than Excel becomes calls of `callbacks`.

Each rule stands for one difference: numbers compare by 15 digits; the last sum of a formula snaps
to zero; a number turns into text with 15 digits; an error that is the engine's own must not be
absorbed; our functions are told of omitted arguments.
"""

from __future__ import annotations

import re

from chinchilla_xl.addins.calc.extension import STORED
from chinchilla_xl.functions import FUNCTIONS
from chinchilla_xl.recalc import trusted
from chinchilla_xl.recalc.callbacks import ABSORBING
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
_SEARCHES = ("FIND", "SEARCH", "MATCH", "VLOOKUP", "HLOOKUP", "XLOOKUP", "XMATCH", "INDEX")


def bare_name(function: str) -> str:
    """A function's name without the prefixes that hosts store with it, in capitals."""
    name = _SPELLING.sub("", function).upper()
    # Office.js puts the add-in's namespace before the name.
    without_namespace = name.partition("_")[2]
    office = "_xldudf_" in function.lower()
    return without_namespace if office and without_namespace in OURS else name


def rendered(part: Call | Slot) -> str:
    """A formula or an argument as it was, without spaces."""
    if isinstance(part, Call):
        inside = ",".join(map(rendered, part.slots))
        return inside if not part.name else f"{part.name.removesuffix('(')}({inside})"
    return "".join(item.text if isinstance(item, Atom) else rendered(item) for item in part)


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
    name = bare_name(call.name)
    if name in OURS:
        return f"{name}({','.join(_our_arguments(call.slots))})"
    if name in ABSORBING and _is_risky(call.slots[0]):
        return f'__IS("{name}",{_expression(call.slots[0])})'
    arguments = [_argument(name, i, slot) for i, slot in enumerate(call.slots)]
    if name == "IFERROR" and len(arguments) == 2 and _is_risky(call.slots[0]):
        return f"__IFERROR({arguments[0]},{arguments[1] or 0})"
    if name == "SEQUENCE":
        arguments = [argument or "1" for argument in arguments]
    if name == "POWER" and len(arguments) == 2:
        arguments[1] = f"__EXPONENT({arguments[0]},{arguments[1]})"
    spelled = trusted.REPLACED.get(name, call.name)
    text = f"{spelled}({','.join(arguments)})"
    return f"__POSSIBLE({text})" if name in trusted.OVERFLOWING else text


def _our_arguments(slots: list[Slot]) -> list[str]:
    if len(slots) == 1 and not slots[0]:
        return [""]
    return [_expression(slot) if slot else f'"{OMITTED}"' for slot in slots]


def _argument(name: str, position: int, slot: Slot) -> str:
    guard, positions = trusted.GUARDED_ARGUMENTS.get(name, ("", None))
    if guard and (positions is None or position in positions):
        if name == "SEARCH" and position == 0:
            guard = "__NEEDLE"
        return _text(guard, slot)
    if name in trusted.CRITERIA and position in trusted.SINGLE_ARGUMENTS[name]:
        return _text("__CRITERION", slot)
    if name in trusted.EXACT_ARGUMENT and position == 0:
        return _text("__KEY", slot)
    return _expression(slot)


def _is_risky(slot: Slot) -> bool:
    """Whether an error in this argument may be the engine's own."""
    if len(slot) != 1:
        return True
    item = slot[0]
    if isinstance(item, Atom):
        return False
    name = bare_name(item.name)
    plain = all(len(s) < 2 and all(isinstance(i, Atom) for i in s) for s in item.slots)
    return not (name in OURS or (plain and name in _SEARCHES))
