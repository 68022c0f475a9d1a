"""What stands in the arguments of a call, and whether the engine is trusted with it."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field

from chinchilla_xl.recalc import trusted
from chinchilla_xl.recalc.addresses import MAX_COLUMN
from chinchilla_xl.recalc.callbacks.texts import criterion
from chinchilla_xl.recalc.engineform import MOST_CELLS, MOST_MADE, UNSURE
from chinchilla_xl.recalc.lower import OURS, bare_name, is_approximate, is_moving, rendered
from chinchilla_xl.recalc.syntax import TEXT, Atom, Call, KeepError, Slot, is_place


@dataclass(slots=True)
class Found:
    """What stands in one argument (or the whole formula)."""

    arrays: list[str] = field(default_factory=list)
    sizes: list[tuple[int, int]] = field(default_factory=list)
    operators: bool = False
    whole: str = ""  # a whole column or row
    most: tuple[int, int] = (0, 0)  # the height and width of its arrays, as far as can be told

    def add(self, name: str, size: tuple[int, int] | None = None) -> None:
        """Note an array, and its size if that is known."""
        self.arrays.append(name)
        if size is not None:
            self.sizes.append(size)
            self.widen(size)

    def widen(self, size: tuple[int, int]) -> None:
        """Take an array of at most this size in; arrays go together by the larger extents."""
        self.most = max(self.most[0], size[0]), max(self.most[1], size[1])


def check_arguments(name: str, slots: list[Slot], found: list[Found], hidden_rows: bool) -> None:
    """KeepError unless the arguments are of a form in which the engine is trusted."""
    words = [rendered(slot) for slot in slots]
    approximate = name in trusted.LOOKUPS and is_approximate(Call(name, slots))
    if approximate:
        _check_approximate(name, slots, found)
    _check_forms(name, words, approximate=approximate)
    if name == "SUBTOTAL" and hidden_rows:
        raise KeepError("SUBTOTAL: the workbook has hidden rows")
    if name in trusted.NOT_OMITTED and "" in words:
        raise KeepError(f"{name}: with an omitted argument")
    if name == "SUMPRODUCT" and len(slots) > 1 and any(f.whole for f in found):
        raise KeepError("SUMPRODUCT: of whole columns or rows")
    if name in trusted.COUNTING and any(slot and not _is_plain(slot) for slot in slots):
        raise KeepError(f"{name}: of computed values")
    if name in trusted.CRITERIA:
        _check_criteria(name, slots, found)


def _check_approximate(name: str, slots: list[Slot], found: list[Found]) -> None:
    """KeepError unless the values that an approximate lookup looks through are cells."""
    ranges = found[1:] if name == "LOOKUP" else found[1:2]
    least = 3 if name in ("HLOOKUP", "VLOOKUP") else 2
    whole = name != "MATCH" and any(inside.whole for inside in ranges)
    if len(slots) < least or whole or any(inside.operators for inside in ranges):
        raise KeepError(f"{name}: an approximate lookup of this form")
    if name == "LOOKUP":
        sizes = [tuple(inside.sizes) for inside in found[1:]]
        if len(set(sizes)) > 1 or len(sizes) > 2 or not (sizes[0] and 1 in sizes[0][0]):
            raise KeepError("LOOKUP: of ranges of this form")


def _check_forms(name: str, words: list[str], *, approximate: bool) -> None:
    exact = trusted.EXACT_ARGUMENT.get(name)
    if exact is not None and not approximate:
        position, spellings = exact
        if "".join(words[position : position + 1]).upper() not in spellings:
            raise KeepError(f"{name}: an approximate lookup")
    form = trusted.ARGUMENT_FORMS.get(name)
    if form is not None:
        position, pattern, reason = form
        if not re.fullmatch(pattern, "".join(words[position : position + 1]), re.IGNORECASE):
            raise KeepError(f"{name}: {reason}")
    if len(words) > trusted.MOST_ARGUMENTS.get(name, 255):
        raise KeepError(f"{name}: with so many arguments")


def _is_plain(slot: Slot) -> bool:
    if is_moving(slot):
        return True
    return len(slot) == 1 and (isinstance(slot[0], Atom) or bare_name(slot[0].name) in OURS)


def _is_line(slot: Slot, found: Found) -> bool:
    """Whether an argument is one column or one row of cells."""
    if found.sizes:
        return 1 in found.sizes[0]
    if found.whole:
        first, _, last = found.whole.rpartition("!")[2].replace("$", "").upper().partition(":")
        return first == last
    only = slot[0] if len(slot) == 1 else None
    if not isinstance(only, Call) or bare_name(only.name) != "OFFSET":
        return False
    extents = [*(rendered(extent) for extent in only.slots[3:5]), "", ""][:2]
    base = only.slots[0][0]
    single = isinstance(base, Atom) and ":" not in base.text and is_place(base.text[-1:])
    return "1" in extents or (single and "" in extents)


def _text_literal(slot: Slot) -> str:
    """The text that an argument is; empty if it is anything else."""
    literal = len(slot) == 1 and isinstance(slot[0], Atom) and slot[0].kind == TEXT
    return rendered(slot)[1:-1].replace('""', '"') if literal else ""


def _check_criteria(name: str, slots: list[Slot], found: list[Found]) -> None:
    positions = trusted.SINGLE_ARGUMENTS[name]
    sizes = set()
    for position, (slot, inside) in enumerate(zip(slots, found, strict=True)):
        if position not in positions:
            if not is_moving(slot):  # whose size is seen only when it is computed
                sizes.add("whole" if inside.whole else tuple(inside.sizes))
        elif criterion(_text_literal(slot)) is UNSURE:
            raise KeepError(f"{name}: a criterion of this form")
    if len(sizes) > 1:
        raise KeepError(f"{name}: ranges of different sizes")


def check_slot(name: str, position: int, slot: Found, array: bool) -> None:
    """KeepError if an array stands where Excel and the engine would differ."""
    if not slot.arrays or name == "(":
        return
    alone = not slot.operators
    if not name:
        # The formula's own result: a plain formula shows one cell of it. Of a function of ours
        # that is the first one, which the evaluation takes care of.
        allowed = array or (alone and slot.arrays[0] in OURS)
    elif name in trusted.LIFTED_FUNCTIONS:
        allowed = array
    elif name in trusted.SCALAR_FUNCTIONS or position in trusted.SINGLE_ARGUMENTS.get(name, ()):
        allowed = False
    else:
        allowed = alone or array or name in trusted.ARRAY_FUNCTIONS
    if not allowed:
        where = f"{name} takes" if name else "the cell holds"
        raise KeepError(f"{slot.arrays[0]} is a range where {where} a single value")


_TOO_MANY = f"its arrays may come to more than {MOST_CELLS:,} cells"
_MOST_STACKS = 10
"""VSTACK and HSTACK in a LET; each may double what the names before it stand for."""


def largest(name: str, slots: list[Slot], found: list[Found]) -> tuple[int, int]:
    """The height and width that the array which a call gives has at most, as far as can be told.

    KeepError if arrays go together in it to more cells than memory should hold.
    """
    if name == "SEQUENCE":
        words = [rendered(slot) for slot in slots[:2]] + [""]
        height, width = (int(w or 1) if (w or "1").isdigit() else MOST_MADE for w in words[:2])
        return min(height, MOST_MADE), min(width, MAX_COLUMN)
    if name == "LET" and "".join(map(rendered, slots)).upper().count("STACK(") > _MOST_STACKS:
        raise KeepError(_TOO_MANY)
    together = Found()
    for inside in found:
        together.arrays += inside.arrays
        together.sizes += inside.sizes
        together.widen(inside.most)
    if name == "TRANSPOSE":
        return together.most[::-1]
    if name == "MMULT":
        return found[0].most[0], found[-1].most[1]
    if name in trusted.LIFTED_FUNCTIONS:
        check_together(together)
    return together.most


def check_together(found: Found) -> None:
    """KeepError if arrays may go together to more cells than memory should hold."""
    if (found.sizes or len(found.arrays) > 1) and math.prod(found.most) > MOST_CELLS:
        raise KeepError(_TOO_MANY)


def gives_array(name: str, slots: list[Slot], found: list[Found]) -> bool:
    """Whether the result of a call may have more cells than one."""
    if name in trusted.ARRAY_RESULTS:
        return True
    if name in trusted.LIFTED_FUNCTIONS or name == "CHOOSE":
        return any(inside.arrays for inside in found)
    if name == "INDEX":
        whole = any(rendered(slot) in ("", "0") for slot in slots[1:3])
        line = is_moving(slots[0]) or _is_line(slots[0], found[0])  # or `lower` sees to it
        return whole or (len(slots) == 2 and not line)
    if name == "OFFSET":
        extents = [rendered(slot) for slot in slots[3:5]] + ["", ""]
        alike = all(e in ("", "1") for e in extents)
        return not alike or (bool(found[0].arrays) and "" in extents[:2])
    if name == "XLOOKUP":
        return len(found) > 2 and not _is_line(slots[2], found[2])
    function = OURS.get(name)
    if function is None:
        return False
    pairs = zip(found, function.parameters, strict=False)
    ranges = any(inside.arrays and parameter.domain is not None for inside, parameter in pairs)
    return ranges or function.returns_table
