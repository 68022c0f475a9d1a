"""Whether a plain formula certainly gives a single value, so that it may become a dynamic array."""

from __future__ import annotations

from chinchilla_xl.recalc import trusted
from chinchilla_xl.recalc.addresses import parse_area
from chinchilla_xl.recalc.lower import OURS, bare_name
from chinchilla_xl.recalc.names import CONSTANT
from chinchilla_xl.recalc.parts import Workbook
from chinchilla_xl.recalc.syntax import (
    ARRAY,
    INFIX,
    RANGE,
    Atom,
    Call,
    NotParsedError,
    Slot,
    Template,
    parsed,
    split,
)

_LOOKUPS = {"HLOOKUP": 1, "INDEX": 0, "LOOKUP": 1, "MATCH": 1, "VLOOKUP": 1, "XMATCH": 1}
"""Functions with the one argument that may be a range while the result is a single value."""

_OR_REFERENCES = {"INDEX", "INDIRECT", "OFFSET"}
"""Functions whose result is a reference if their first argument is one."""

_BY_VALUE = frozenset({"(", "CHOOSE", "IF"})


class Sizes:
    """Knows what the names of a workbook stand for."""

    def __init__(self, workbook: Workbook) -> None:
        self._names: dict[str, str] = {}
        for name in workbook.names:
            key = name.name.casefold()  # of two with the same name nobody knows which is meant
            self._names[key] = "" if key in self._names else name.formula

    def is_single(self, formula: str) -> bool:
        """Whether a formula certainly gives a single value, entered as an array or not."""
        try:
            root = parsed(formula)
        except NotParsedError:
            return False
        self._references = split(formula)[1]
        return self._slot(root.slots[0])

    def takes_whole(self, formula: str) -> bool:
        """Whether a call of ours certainly gets its ranges whole, entered as an array or not.

        In a plain formula a range that is computed with is cut down to a cell in the same row or
        column, so that B1:B4*2 is another number in each row.
        """
        root = parsed(formula)
        self._references = split(formula)[1]
        return self._is_whole(root.slots[0])

    def _slot(self, slot: Slot) -> bool:
        return all(self._item(item) for item in slot)

    def _item(self, item: Atom | Call) -> bool:
        if isinstance(item, Atom):
            if item.kind == INFIX:
                return item.text not in (" ", ",", ":", "@", "#")
            return item.kind != ARRAY and (item.kind != RANGE or self._area(item.text) == (1, 1))
        name = bare_name(item.name) if item.name != "(" else "("
        if name in OURS:
            return self._ours(item, name)
        if name in trusted.SINGLE_RESULTS:
            # What they total must not be cut down to a cell in the plain formula.
            return all(self._slot(s) or self._is_range(s) or self._is_ours(s) for s in item.slots)
        if name in _LOOKUPS:
            ranges = item.slots[_LOOKUPS[name]] if len(item.slots) > _LOOKUPS[name] else []
            others = [s for i, s in enumerate(item.slots) if i != _LOOKUPS[name]]
            if name == "INDEX" and len(others) < 1 + (0 not in self._extent(ranges)):
                return False
            whole = self._is_range(ranges) or (name == "INDEX" and self._is_ours(ranges))
            return whole and all(map(self._slot, others))
        known = name in _BY_VALUE or name in trusted.SCALAR_FUNCTIONS - trusted.ARRAY_RESULTS
        return known and all(map(self._slot, item.slots))

    def _ours(self, call: Call, name: str) -> bool:
        function = OURS[name]
        if function.returns_table:
            return False
        for slot, parameter in zip(call.slots, function.parameters, strict=False):
            if parameter.name == "deployment" and self._is_range(slot):
                continue
            if parameter.name == "coeffs" and self._is_range(slot) and 0 in self._extent(slot):
                continue
            if not self._slot(slot):
                return False
        return True

    def _is_ours(self, slot: Slot) -> bool:
        """Whether a slot is a call of ours with ranges and single values."""
        only = slot[0] if len(slot) == 1 else None
        if not isinstance(only, Call) or bare_name(only.name) not in OURS:
            return False
        return all(self._is_range(s) or self._slot(s) for s in only.slots)

    def _is_whole(self, slot: Slot) -> bool:
        """Whether a slot is a reference, a literal array, a single value, or a call of ours with
        such arguments.
        """
        only = slot[0] if len(slot) == 1 else None
        if isinstance(only, Atom) and only.kind in (ARRAY, RANGE):
            return True
        if isinstance(only, Call) and bare_name(only.name) in _OR_REFERENCES | OURS.keys():
            return all(map(self._is_whole, only.slots))
        return self._slot(slot)

    def _is_range(self, slot: Slot) -> bool:
        only = slot[0] if len(slot) == 1 else None
        return isinstance(only, Atom) and only.kind == RANGE and self._area(only.text) is not None

    def _extent(self, slot: Slot) -> tuple[int, int]:
        """How far a range goes beyond its first cell, in rows and columns."""
        only = slot[0] if len(slot) == 1 else None
        size = self._area(only.text) if isinstance(only, Atom) else None
        return (1, 1) if size is None else (size[0] - 1, size[1] - 1)

    def _area(self, text: str) -> tuple[int, int] | None:
        """The height and width of what a reference or a name stands for; None if not known."""
        where = Template(text).filled(self._references).rpartition("!")[2]
        area = parse_area(where.replace("$", ""))
        if area is None:
            formula = self._names.get(where.casefold(), "")
            if CONSTANT.fullmatch(formula):
                return 1, 1
            area = parse_area(formula.rpartition("!")[2].replace("$", ""))
        return None if area is None else (area.height, area.width)
