"""Decides which formulas the embedded engine computes faithfully.

A formula is kept (its cached value stays, with the reason in the report) unless everything in it is
known to be computed as a spreadsheet does, as it stands or lowered (see `lower`). Besides the
functions (see `trusted`) that is a matter of arrays: in a plain formula Excel reduces a range that
stands for a single value to the cell in the same row or column, while the engine would compute with
the whole range.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from chinchilla_xl.recalc import trusted
from chinchilla_xl.recalc.addresses import parse_area
from chinchilla_xl.recalc.callbacks import UNSURE, criterion
from chinchilla_xl.recalc.lower import OURS, bare_name, lowered, rendered
from chinchilla_xl.recalc.parts import DefinedName
from chinchilla_xl.recalc.syntax import (
    ARRAY,
    INFIX,
    NUMBER,
    POSTFIX,
    PREFIX,
    RANGE,
    TEXT,
    Atom,
    Call,
    NotParsedError,
    Slot,
    Template,
    marked,
    parse,
    place,
    split,
    turns_area,
)

_REFERENCE_OPERATORS = {
    ",": "a union of ranges",
    " ": "an intersection of ranges",
    "@": "an intersection with the cell's row or column",
    "#": "a reference to a spilled range",
}
_ABSOLUTE = re.compile(r"\$[A-Z]{1,3}\$\d+(:\$[A-Z]{1,3}\$\d+)?|\$[A-Z]+:\$[A-Z]+|\$\d+:\$\d+")
_WHOLE = re.compile(r"\$?[A-Z]{1,3}:\$?[A-Z]{1,3}|\$?\d+:\$?\d+", re.IGNORECASE)
_LONGEST = 2 * 8192  # Excel's limit, which it applies before it writes prefixes into the file
_MOST_CELLS = 1 << 20
_CONSTANT = re.compile(r"-?[0-9.]+(?:E[+-]?[0-9]+)?")


@dataclass(frozen=True, slots=True)
class Verdict:
    """Why formulas of one shape are kept (None: they are computed), and what there is to know.

    `reason` and `lowered`, what the engine gets instead, have places for a formula's references.
    """

    number: int  # in the order in which shapes were first met
    reason: Template | None
    arrays: bool = True  # ranges occur in it that its result might be
    lowered: Template | None = None
    sole: str = ""  # the function, if the formula is nothing but its call
    ours: bool = False  # it calls a function of ours


@dataclass(slots=True)
class _Found:
    """What stands in one argument (or the whole formula)."""

    arrays: list[str] = field(default_factory=list)
    sizes: list[tuple[int, int]] = field(default_factory=list)
    operators: bool = False
    whole: str = ""  # a whole column or row

    def add(self, name: str, size: tuple[int, int] | None = None) -> None:
        self.arrays.append(name)
        if size is not None:
            self.sizes.append(size)


class _KeepError(Exception):
    """Why the formula under judgement is kept."""


class Judge:
    """Judges formulas of one workbook; formulas of the same shape are judged once."""

    def __init__(
        self, names: Collection[DefinedName], sheets: Collection[str], *, hidden_rows: bool
    ) -> None:
        self._sheets = {title.casefold() for title in sheets}
        self._hidden_rows = hidden_rows
        self._names: dict[str, str | _KeepError] = {}
        for name in names:
            key = name.name.casefold()
            local = name.sheet is not None or key in self._names
            self._names[key] = _unusable(name.name) if local else self._target(name)
        self._numbers: dict[tuple[Any, bool], int] = {}
        self.verdicts: list[Verdict] = []

    def judge(self, text: str, *, array: bool = False) -> tuple[Verdict, list[str]]:
        """The verdict on a formula (without its equals sign), and the references in it."""
        if len(text) > _LONGEST:
            text = ""
        shape, references = split(text)
        number = self._numbers.get((shape, array))
        if number is None:
            number = self._numbers[shape, array] = len(self.verdicts)
            self.verdicts.append(self._examine(number, text, references, array))
        return self.verdicts[number], references

    def _examine(self, number: int, formula: str, references: list[str], array: bool) -> Verdict:
        if not formula:
            return Verdict(number, Template(f"it is longer than {_LONGEST:,} characters"))
        try:
            shape = marked(formula)
            root = parse(shape)
        except NotParsedError:
            return Verdict(number, Template("it cannot be parsed"))
        if _has_intersection(shape):
            return Verdict(number, Template("an intersection of ranges"))
        self._areas = {place(n): _size(reference) for n, reference in enumerate(references)}
        self._variables = _let_variables(root)
        self._seen_array = self._seen_ours = False
        try:
            self._call(root, array)
            text = lowered(root)
        except _KeepError as keep:
            return Verdict(number, Template(str(keep)))
        except RecursionError:
            return Verdict(number, Template("it is nested too deep"))
        only = root.slots[0][0] if len(root.slots[0]) == 1 else None
        return Verdict(
            number,
            None,
            self._seen_array,
            None if text == rendered(root) and not turns_area(formula) else Template(text),
            bare_name(only.name) if isinstance(only, Call) else "",
            self._seen_ours,
        )

    def _call(self, call: Call, array: bool) -> bool:
        """Judge a call with its arguments; whether its result is an array."""
        name = call.name if call.name in ("", "(") else _known(call.name)
        self._seen_ours = self._seen_ours or name in OURS
        found = [self._slot(slot, array) for slot in call.slots]
        if name not in trusted.SINGLE_RESULTS:
            self._seen_array = self._seen_array or any(inside.arrays for inside in found)
        _check_arguments(name, call.slots, found, self._hidden_rows)
        for position, inside in enumerate(found):
            _check_slot(name, position, inside, array)
        return _gives_array(name, call.slots, found)

    def _slot(self, slot: Slot, array: bool) -> _Found:
        found = _Found()
        first, last = (slot[0], slot[-1]) if slot else (None, None)
        starts = isinstance(first, Atom) and first.kind in (INFIX, POSTFIX)
        if starts or (isinstance(last, Atom) and last.kind in (INFIX, PREFIX)):
            raise _KeepError("it cannot be parsed")
        for item in slot:
            if isinstance(item, Atom):
                self._atom(item, found)
            elif item.name == "(":
                inside = self._slot(item.slots[0], array)
                found.arrays += inside.arrays
                found.sizes += inside.sizes
                found.whole = found.whole or inside.whole
                found.operators = found.operators or inside.operators
            elif self._call(item, array):
                found.add(bare_name(item.name))
        if found.operators:
            if found.whole:
                raise _KeepError(f"{found.whole} is a whole column or row in a computation")
            _check_sizes(found.sizes)
        return found

    def _atom(self, atom: Atom, found: _Found) -> None:
        if atom.kind in (INFIX, PREFIX, POSTFIX):
            if atom.text in _REFERENCE_OPERATORS:
                raise _KeepError(_REFERENCE_OPERATORS[atom.text])
            found.operators = True
        elif atom.kind == NUMBER and float(atom.text) - float(atom.text) != 0:
            raise _KeepError("a number beyond the largest")
        elif atom.kind == ARRAY:
            rows = atom.text.split(";")
            found.add("{}", (len(rows), rows[0].count(",") + 1))
        elif atom.kind == RANGE:
            size = self._reference(atom.text)
            if size == (0, 0):
                found.whole = atom.text
                found.add(atom.text)
            elif size != (1, 1):
                found.add(atom.text, size)

    def _reference(self, reference: str) -> tuple[int, int]:
        """A reference's height and width, (0, 0) if it is whole columns or rows."""
        sheet, bang, where = reference.rpartition("!")
        if "[" in reference:
            linked = bang or re.match(r"'?\[\d+\]", reference)
            raise _KeepError("a link to another workbook" if linked else "a structured reference")
        if ":" in sheet:
            raise _KeepError("a reference across sheets")
        if bang and _bare_sheet(sheet).casefold() not in self._sheets:
            raise _KeepError(f"there is no sheet {sheet}")
        if where in self._areas:
            return self._areas[where]
        if _WHOLE.fullmatch(where):
            return 0, 0
        if not bang and where.casefold() in self._variables:
            return 1, 1
        target = self._names.get(where.casefold(), _KeepError(f"there is no name {where}"))
        if bang and not isinstance(target, _KeepError):
            target = _unusable(where)
        if isinstance(target, _KeepError):
            raise target
        inside = target.rpartition("!")[2].replace("$", "")
        if _CONSTANT.fullmatch(target):
            return 1, 1
        return (0, 0) if _WHOLE.fullmatch(inside) else _size(inside)

    def _target(self, name: DefinedName) -> str | _KeepError:
        """What a defined name stands for, if it is one fixed reference or a number."""
        if _CONSTANT.fullmatch(name.formula):
            return name.formula
        sheet, bang, where = name.formula.rpartition("!")
        if not bang or _bare_sheet(sheet).casefold() not in self._sheets:
            return _unusable(name.name)
        if _ABSOLUTE.fullmatch(where):
            return name.formula
        if parse_area(where) is not None:
            return _KeepError(f"the name {name.name} is relative to the cell it stands in")
        return _unusable(name.name)


def _unusable(name: str) -> _KeepError:
    return _KeepError(f"the name {name} holds a formula or is local to a sheet")


def _bare_sheet(quoted: str) -> str:
    return quoted[1:-1].replace("''", "'") if quoted.startswith("'") else quoted


def _size(reference: str) -> tuple[int, int]:
    area = parse_area(reference)
    assert area is not None, reference
    return area.height, area.width


def _let_variables(call: Call) -> set[str]:
    """Every name that a LET inside gives a value."""
    found: set[str] = set()
    if bare_name(call.name) == "LET":
        for slot in call.slots[:-1:2]:
            if len(slot) == 1 and isinstance(slot[0], Atom):
                found.add(slot[0].text.casefold())
    for slot in call.slots:
        for item in slot:
            if isinstance(item, Call):
                found |= _let_variables(item)
    return found


def _known(spelled: str) -> str:
    name = bare_name(spelled)
    if name not in trusted.FUNCTIONS and name not in OURS:
        why = trusted.REASONS.get(name, "not among the functions that are computed")
        raise _KeepError(f"{name}: {why}")
    return name


def _check_sizes(sizes: list[tuple[int, int]]) -> None:
    """_KeepError if arrays of these sizes do not go together, or to something too large."""
    for of in ((height for height, _ in sizes), (width for _, width in sizes)):
        if len(set(of) - {1}) > 1:
            raise _KeepError("it computes with arrays of different sizes")
    if sizes and math.prod(map(max, zip(*sizes, strict=True))) > _MOST_CELLS:
        raise _KeepError(f"it computes an array of more than {_MOST_CELLS:,} cells")


def _check_arguments(name: str, slots: list[Slot], found: list[_Found], hidden_rows: bool) -> None:
    """_KeepError unless the arguments are of a form in which the engine is trusted."""
    words = [rendered(slot) for slot in slots]
    _check_forms(name, words)
    if name == "SUBTOTAL" and hidden_rows:
        raise _KeepError("SUBTOTAL: the workbook has hidden rows")
    if name == "IF" and "" in words:
        raise _KeepError("IF: with an omitted argument")
    if name == "SUMPRODUCT" and len(slots) > 1 and any(f.whole for f in found):
        raise _KeepError("SUMPRODUCT: of whole columns or rows")
    if name in trusted.COUNTING and any(slot and not _is_plain(slot) for slot in slots):
        raise _KeepError(f"{name}: of computed values")
    if name in trusted.CRITERIA:
        _check_criteria(name, slots, found)


def _check_forms(name: str, words: list[str]) -> None:
    exact = trusted.EXACT_ARGUMENT.get(name)
    if exact is not None:
        position, spellings = exact
        if "".join(words[position : position + 1]).upper() not in spellings:
            raise _KeepError(f"{name}: an approximate lookup")
    form = trusted.ARGUMENT_FORMS.get(name)
    if form is not None:
        position, pattern, reason = form
        if not re.fullmatch(pattern, "".join(words[position : position + 1]), re.IGNORECASE):
            raise _KeepError(f"{name}: {reason}")
    if len(words) > trusted.MOST_ARGUMENTS.get(name, 255):
        raise _KeepError(f"{name}: with so many arguments")


def _is_plain(slot: Slot) -> bool:
    return len(slot) == 1 and (isinstance(slot[0], Atom) or bare_name(slot[0].name) in OURS)


def _text_literal(slot: Slot) -> str:
    """The text that an argument is; empty if it is anything else."""
    literal = len(slot) == 1 and isinstance(slot[0], Atom) and slot[0].kind == TEXT
    return rendered(slot)[1:-1].replace('""', '"') if literal else ""


def _check_criteria(name: str, slots: list[Slot], found: list[_Found]) -> None:
    positions = trusted.SINGLE_ARGUMENTS[name]
    sizes = set()
    for position, (slot, inside) in enumerate(zip(slots, found, strict=True)):
        if position not in positions:
            sizes.add("whole" if inside.whole else tuple(inside.sizes))
        elif criterion(_text_literal(slot)) is UNSURE:
            raise _KeepError(f"{name}: a criterion of this form")
    if len(sizes) > 1:
        raise _KeepError(f"{name}: ranges of different sizes")


def _check_slot(name: str, position: int, slot: _Found, array: bool) -> None:
    """_KeepError if an array stands where Excel and the engine would differ."""
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
        raise _KeepError(f"{slot.arrays[0]} is a range where {where} a single value")


def _gives_array(name: str, slots: list[Slot], found: list[_Found]) -> bool:
    if name in trusted.ARRAY_RESULTS:
        return True
    if name in trusted.LIFTED_FUNCTIONS or name == "CHOOSE":
        return any(inside.arrays for inside in found)
    if name == "INDEX":
        whole = any(rendered(slot) in ("", "0") for slot in slots[1:3])
        return whole or (len(slots) == 2 and not (found[0].sizes and 1 in found[0].sizes[0]))
    if name == "XLOOKUP":
        return len(found) > 2 and not (found[2].sizes and 1 in found[2].sizes[0])
    function = OURS.get(name)
    if function is None:
        return False
    pairs = zip(found, function.parameters, strict=False)
    ranges = any(inside.arrays and parameter.domain is not None for inside, parameter in pairs)
    return ranges or function.returns_table


def _has_intersection(shape: str) -> bool:
    """Whether two references stand side by side with only a space between them."""
    outside = re.sub(r'"[^"]*"|\'[^\']*\'', "q", shape)
    return re.search(r"[\w$);\ue001]\s+[\w$\ue001]|[);\ue001]\s+\(", outside) is not None
