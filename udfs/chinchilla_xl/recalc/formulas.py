"""Decides which formulas the embedded engine computes faithfully.

A formula is kept (its cached value stays, with the reason in the report) unless everything in it is
known to be computed as a spreadsheet does, as it stands or lowered (see `lower`). Besides the
functions (see `trusted`) that is a matter of arrays: in a plain formula Excel reduces a range that
stands for a single value to the cell in the same row or column, while the engine would compute with
the whole range.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

from chinchilla_xl.recalc import trusted
from chinchilla_xl.recalc.addresses import LINES, MAX_ROW, Cell, bare_sheet, parse_area
from chinchilla_xl.recalc.arguments import (
    Found,
    check_arguments,
    check_slot,
    check_together,
    gives_array,
    largest,
)
from chinchilla_xl.recalc.calls import AsAddin
from chinchilla_xl.recalc.lower import OURS, bare_name, lowered, rendered
from chinchilla_xl.recalc.names import CONSTANT, Names
from chinchilla_xl.recalc.parts import DefinedName, Table
from chinchilla_xl.recalc.structured import TableReferences
from chinchilla_xl.recalc.syntax import (
    ARRAY,
    INFIX,
    INTERSECTION,
    NUMBER,
    POSTFIX,
    PREFIX,
    RANGE,
    Atom,
    Call,
    KeepError,
    NotParsedError,
    Slot,
    Template,
    has_intersection,
    marked,
    parse,
    parsed,
    place,
    split,
    turns_area,
)


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
    moving: bool = False  # it refers to cells that are found only when it is computed
    rewritten: bool = False  # tables and names have been written out: it is not the file's own
    names: bool = False  # its names are to be written out first


_REFERENCE_OPERATORS = {
    ",": "a union of ranges",
    " ": INTERSECTION,
    "@": "an intersection with the cell's row or column",
    "#": "a reference to a spilled range",
}
_LONGEST = 2 * 8192  # Excel's limit, which it applies before it writes prefixes into the file

_AS_IT_IS, _WITHOUT_TABLES, _WITHOUT_NAMES = range(3)
"""How far a formula has been rewritten when it is judged."""


class Judge:
    """Judges formulas of one workbook; formulas of the same shape are judged once."""

    def __init__(
        self,
        names: Collection[DefinedName],
        sheets: Collection[str],
        tables: Collection[Table] = (),
        *,
        hidden_rows: bool,
    ) -> None:
        self._sheets = {title.casefold() for title in sheets}
        self._hidden_rows = hidden_rows
        self._tables = TableReferences(tables)
        self.as_addin = AsAddin(names)
        read = [replace(n, formula=self.as_addin(n.formula)) for n in names]
        self._names = Names(read, sheets, self._tables)
        self._numbers: dict[tuple[Any, bool, int], int] = {}
        self._reasons: dict[str, Verdict] = {}
        self.verdicts: list[Verdict] = []

    def judge(
        self, text: str, sheet: str, place: int, *, array: bool = False
    ) -> tuple[Verdict, list[str]]:
        """The verdict on a formula (without its equals sign) in a place of a sheet.

        With it come the references in the formula, after its tables and names are written out.
        """
        if len(text) > _LONGEST:
            return self._kept(f"it is longer than {_LONGEST:,} characters"), []
        try:
            stage = _AS_IT_IS
            if "[" in text:
                written = self._tables.resolved(text, sheet, Cell.at(place))
                stage = _AS_IT_IS if written == text else _WITHOUT_TABLES
                text = written
            written = self.as_addin(text)
            if written != text:
                stage, text = _WITHOUT_TABLES, written
            verdict, references = self._judged(text, array, stage)
            if verdict.names:
                key = verdict.number, sheet
                text = self._names.written_out(key, text, references, Cell.at(place))
                verdict, references = self._judged(text, array, _WITHOUT_NAMES)
        except KeepError as keep:
            return self._kept(str(keep)), []
        return verdict, references

    def _judged(self, text: str, array: bool, stage: int) -> tuple[Verdict, list[str]]:
        shape, references = split(text)
        number = self._numbers.get((shape, array, stage))
        if number is None:
            number = self._numbers[shape, array, stage] = len(self.verdicts)
            self.verdicts.append(self._examine(number, text, references, array, stage))
        return self.verdicts[number], references

    def _kept(self, reason: str) -> Verdict:
        """A verdict on one formula alone, not on its shape."""
        if reason not in self._reasons:
            self._reasons[reason] = Verdict(len(self.verdicts), Template(reason))
            self.verdicts.append(self._reasons[reason])
        return self._reasons[reason]

    def _examine(
        self, number: int, formula: str, references: list[str], array: bool, stage: int
    ) -> Verdict:
        try:
            shape = marked(formula)
            root = parse(shape)
            self._areas = {place(n): _size(reference) for n, reference in enumerate(references)}
        except NotParsedError:
            return Verdict(number, Template("it cannot be parsed"))
        if stage < _WITHOUT_NAMES and self._names.occur_in(root):
            return Verdict(number, None, names=True)
        if has_intersection(shape):
            return Verdict(number, Template(INTERSECTION))
        self._variables = _let_variables(root)
        self._seen_array = self._seen_ours = self._seen_moving = False
        try:
            self._call(root, array)
            text = lowered(root)
        except KeepError as keep:
            return Verdict(number, Template(str(keep)))
        except RecursionError:
            return Verdict(number, Template("it is nested too deep"))
        same = stage == _AS_IT_IS and text == rendered(root) and not turns_area(formula)
        only = root.slots[0][0] if len(root.slots[0]) == 1 else None
        return Verdict(
            number,
            None,
            self._seen_array,
            None if same else Template(text),
            bare_name(only.name) if isinstance(only, Call) else "",
            self._seen_ours,
            self._seen_moving,
            rewritten=stage > _AS_IT_IS,
        )

    def _call(self, call: Call, array: bool) -> tuple[int, int] | None:
        """Judge a call with its arguments; how large the array is that it gives, None if none."""
        if call.name == ":":
            self._seen_moving = True
            if len({self._range_end(slot, array) for slot in call.slots}) > 1:
                raise KeepError("a range from one sheet to another")
            return 1, 1
        name = call.name if call.name in ("", "(") else _known(call.name)
        self._seen_ours = self._seen_ours or name in OURS
        if name == "OFFSET":
            self._seen_moving = True
            self._check_reference(call.slots[0])
            if not 3 <= len(call.slots) <= 5:
                raise KeepError("OFFSET: with these arguments")
        found = [self._slot(slot, array) for slot in call.slots]
        if name not in trusted.SINGLE_RESULTS:
            self._seen_array = self._seen_array or any(inside.arrays for inside in found)
        check_arguments(name, call.slots, found, self._hidden_rows)
        for position, inside in enumerate(found):
            check_slot(name, position, inside, array)
        if not gives_array(name, call.slots, found):
            return None
        return largest(name, call.slots, found)

    def _range_end(self, slot: Slot, array: bool) -> str:
        """Judge one end of a range that is computed; the sheet that it is on, as spelled."""
        only = slot[0] if len(slot) == 1 else None
        single = False
        if isinstance(only, Call) and bare_name(only.name) in ("INDEX", "OFFSET"):
            base = only.slots[0]
            height, width = self._check_reference(base)
            if bare_name(only.name) == "INDEX":
                single = len(only.slots) == 2 + (height != 1 and width != 1) and all(only.slots)
            else:
                single = height == width == 1 and len(only.slots) == 3
            self._call(only, array)
            slot = base
        else:
            single = self._check_reference(slot) == (1, 1)
        if not single:
            raise KeepError("a range that starts or ends at what is no single cell")
        return rendered(slot).rpartition("!")[0].casefold()

    def _check_reference(self, slot: Slot) -> tuple[int, int]:
        """The size of a plain reference; KeepError if the argument is none."""
        only = slot[0] if len(slot) == 1 else None
        if isinstance(only, Atom) and only.kind == RANGE:
            where = only.text.rpartition("!")[2]
            column = re.fullmatch(r"\$?([A-Z]+):\$?\1", where, re.IGNORECASE)
            if where in self._areas or column:
                size = self._reference(only.text)
                return (MAX_ROW, 1) if column else size
        raise KeepError("a range that starts or ends at what is no plain reference")

    def _slot(self, slot: Slot, array: bool) -> Found:
        found = Found()
        first, last = (slot[0], slot[-1]) if slot else (None, None)
        starts = isinstance(first, Atom) and first.kind in (INFIX, POSTFIX)
        if starts or (isinstance(last, Atom) and last.kind in (INFIX, PREFIX)):
            raise KeepError("it cannot be parsed")
        for item in slot:
            if isinstance(item, Atom):
                self._atom(item, found)
            elif item.name == "(":
                inside = self._slot(item.slots[0], array)
                found.arrays += inside.arrays
                found.sizes += inside.sizes
                found.widen(inside.most)
                found.whole = found.whole or inside.whole
                found.operators = found.operators or inside.operators
            elif (most := self._call(item, array)) is not None:
                found.add(bare_name(item.name))
                found.widen(most)
        if found.operators:
            if found.whole:
                raise KeepError(f"{found.whole} is a whole column or row in a computation")
            _check_sizes(found.sizes)
            check_together(found)
        return found

    def _atom(self, atom: Atom, found: Found) -> None:
        if atom.kind in (INFIX, PREFIX, POSTFIX):
            if atom.text in _REFERENCE_OPERATORS:
                raise KeepError(_REFERENCE_OPERATORS[atom.text])
            found.operators = True
        elif atom.kind == NUMBER and float(atom.text) - float(atom.text) != 0:
            raise KeepError("a number beyond the largest")
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
            raise KeepError("a link to another workbook" if linked else "a structured reference")
        if ":" in sheet:
            raise KeepError("a reference across sheets")
        if bang and bare_sheet(sheet).casefold() not in self._sheets:
            raise KeepError(f"there is no sheet {sheet}")
        if where in self._areas:
            return self._areas[where]
        if LINES.fullmatch(where):
            return 0, 0
        if not bang and where.casefold() in self._variables:
            return 1, 1
        target = None if bang else self._names.direct.get(where.casefold())
        if target is None:
            raise KeepError(f"there is no name {where}")
        inside = target.rpartition("!")[2].replace("$", "")
        if CONSTANT.fullmatch(target):
            return 1, 1
        return (0, 0) if LINES.fullmatch(inside) else _size(inside)


def has_fixed_size(formula: str) -> bool:
    """Whether an array formula computes cell by cell, so that its size is that of its ranges."""

    def fixed(call: Call) -> bool:
        name = bare_name(call.name)
        function = OURS.get(name)
        by_cell = name in ("", "(") or name in trusted.SCALAR_FUNCTIONS - trusted.ARRAY_RESULTS
        if not (by_cell or (function is not None and not function.returns_table)):
            return False
        return all(fixed(i) for slot in call.slots for i in slot if isinstance(i, Call))

    try:
        return fixed(parsed(formula))
    except NotParsedError:
        return False


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
        raise KeepError(f"{name}: {why}")
    return name


def _check_sizes(sizes: list[tuple[int, int]]) -> None:
    """KeepError if arrays of these sizes do not go together."""
    for of in ((height for height, _ in sizes), (width for _, width in sizes)):
        if len(set(of) - {1}) > 1:
            raise KeepError("it computes with arrays of different sizes")
