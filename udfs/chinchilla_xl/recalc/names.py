"""Defined names written out: a formula that uses them becomes one that does not.

The engine knows names that stand for a fixed reference or a number, and these stay. Any other name
is replaced by its formula, in parentheses where it is more than one operand: constants, formulas,
names local to a sheet, names relative to the cell they stand in, tables' names, and names that hold
a LAMBDA, whose parameters are replaced by the arguments of the call. Variables of a LET inside a
name get new names, so that none of them can catch an argument. What comes out is judged like any
other formula.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import TypeAlias

from chinchilla_xl.recalc.addresses import LINES, Cell, bare_sheet
from chinchilla_xl.recalc.lower import bare_name
from chinchilla_xl.recalc.parts import DefinedName
from chinchilla_xl.recalc.structured import TableReferences
from chinchilla_xl.recalc.syntax import (
    INTERSECTION,
    PREFIX,
    RANGE,
    Atom,
    Call,
    KeepError,
    NotParsedError,
    Slot,
    Template,
    copied,
    has_intersection,
    is_place,
    marked,
    parse,
    place,
    split,
)

_ABSOLUTE = re.compile(r"\$[A-Z]{1,3}\$\d+(:\$[A-Z]{1,3}\$\d+)?|\$[A-Z]+:\$[A-Z]+|\$\d+:\$\d+")
CONSTANT = re.compile(r"-?[0-9.]+(?:E[+-]?[0-9]+)?")
_VARIABLE = re.compile(r"_xl[po][mp]\.", re.IGNORECASE)

_REFERRING = (":", "OFFSET", "INDEX")
"""Calls in which the engine does not look names up, or the judge has to see what they are."""

_LONGEST = 1 << 15
_GLOBAL = "[0]"


@dataclass(frozen=True, slots=True)
class _Formula:
    """A name's formula as a tree; `parameters` if it is a LAMBDA, and which may be omitted."""

    body: Slot
    references: list[str]
    parameters: list[str] | None = None
    optional: frozenset[str] = frozenset()


@dataclass(slots=True)
class _Scope:
    """What the words in a piece of formula mean; a variable of None is an omitted argument."""

    references: list[str] | None = None
    definition: DefinedName | None = None
    variables: dict[str, str | None] = field(default_factory=dict)


_Relative: TypeAlias = tuple[str, DefinedName]
"""A reference in a name's formula that is relative to the cell, and the name."""


class Names:
    """The defined names of one workbook."""

    def __init__(
        self, names: Collection[DefinedName], sheets: Collection[str], tables: TableReferences
    ) -> None:
        self._sheets = {title.casefold() for title in sheets}
        self._tables = tables
        self._known: dict[tuple[str | None, str], DefinedName | None] = {}
        for name in names:
            key = name.sheet and name.sheet.casefold(), name.name.casefold()
            self._known[key] = None if key in self._known else name
        local = {name for sheet, name in self._known if sheet is not None}
        self._words = {name for _, name in self._known}
        self._ambiguous = local
        self.direct = {
            key: name.formula
            for (sheet, key), name in self._known.items()
            if name and sheet is None and key not in local and self._is_direct(name)
        }
        """The names that the engine can be left to look up, and what they stand for."""
        self._formulas: dict[tuple[str | None, str], _Formula | KeepError] = {}
        self._templates: dict[tuple[int, str], tuple[Template, list[_Relative]]] = {}

    def _is_direct(self, name: DefinedName) -> bool:
        if CONSTANT.fullmatch(name.formula):
            return True
        sheet, bang, where = name.formula.rpartition("!")
        known = bool(bang) and bare_sheet(sheet).casefold() in self._sheets
        return known and _ABSOLUTE.fullmatch(where) is not None and name.name not in self._tables

    def occur_in(self, call: Call) -> bool:
        """Whether a formula has names that are to be written out."""
        for slot in call.slots:
            for item in slot:
                if isinstance(item, Call):
                    if self._is_written(item.name) or self.occur_in(item):
                        return True
                elif item.kind == RANGE and (
                    self._is_written(item.text)
                    or (call.name in _REFERRING and item.text.casefold() in self.direct)
                ):
                    return True
        return bare_name(call.name) == "LET" and any(
            len(slot) == 1 and isinstance(slot[0], Atom) and slot[0].text.casefold() in self.direct
            for slot in call.slots[:-1:2]
        )

    def _is_written(self, word: str) -> bool:
        qualifier, _, name = word.rpartition("!")
        name = name.casefold()
        if name in self._words:
            return bool(qualifier) or name not in self.direct
        return name in self._tables and not qualifier

    def written_out(
        self, key: tuple[int, str], formula: str, references: list[str], cell: Cell
    ) -> str:
        """The formula without names; KeepError if that fails.

        The key stands for all formulas of one shape on one sheet.
        """
        found = self._templates.get(key)
        if found is None:
            writer = _Writer(self, key[1], len(references))
            text = writer.slot(_body(formula), _Scope())
            found = self._templates[key] = Template(text), writer.relative
        template, relative = found
        return template.filled([*references, *(_moved(*one, cell) for one in relative)])

    def find(self, word: str, sheet: str, inside: DefinedName | None) -> DefinedName | None:
        """What a word means, in a formula of a sheet or inside the formula of another name."""
        qualifier, bang, name = word.rpartition("!")
        key = name.casefold()
        if bang and qualifier != _GLOBAL:
            owner = bare_sheet(qualifier).casefold()
            found = self._known.get((owner, key))
            if found is None and key in self._words:
                raise KeepError(f"the name {name} is not local to the sheet {qualifier}")
            return found
        if not bang:
            home = inside.sheet if inside else sheet
            if inside and home is None and key in self._ambiguous:
                raise KeepError(f"the name {inside.name} rests on {name}, local to some sheets")
            local = (home and home.casefold(), key)
            if local in self._known:
                return self._unique(local, name)
        return self._unique((None, key), name)

    def _unique(self, key: tuple[str | None, str], name: str) -> DefinedName | None:
        if key in self._known and self._known[key] is None:
            raise KeepError(f"the name {name} is defined twice")
        return self._known.get(key)

    def data_of_table(self, word: str) -> str | None:
        """The rows of the table of this name."""
        return self._tables.data(word) if word in self._tables else None

    def formula(self, definition: DefinedName) -> _Formula:
        """The formula of a name, taken apart; KeepError if that fails."""
        key = definition.sheet, definition.name
        found = self._formulas.get(key)
        if found is None:
            try:
                found = self._parsed(definition)
            except KeepError as keep:
                found = KeepError(f"the name {definition.name}: {keep}")
            except NotParsedError:
                found = KeepError(f"the name {definition.name} cannot be parsed")
            self._formulas[key] = found
        if isinstance(found, KeepError):
            raise found
        return found

    def _parsed(self, definition: DefinedName) -> _Formula:
        formula = self._tables.resolved(definition.formula, "", None)
        body, (_, references) = _body(formula), split(formula)
        only = body[0] if len(body) == 1 else None
        if not isinstance(only, Call) or bare_name(only.name) != "LAMBDA":
            return _Formula(body, references)
        parameters, optional = [], set()
        for slot in only.slots[:-1]:
            word = _variable(slot)
            parameters.append(word)
            if slot and isinstance(slot[0], Atom) and slot[0].text.lower().startswith("_xlop."):
                optional.add(word)
        if len(set(parameters)) < len(parameters):
            raise KeepError("two parameters of one name")
        return _Formula(only.slots[-1], references, parameters, frozenset(optional))


def _body(formula: str) -> Slot:
    """What stands in a formula, as a tree."""
    shape = marked(formula)
    if has_intersection(shape):
        raise KeepError(INTERSECTION)
    return parse(shape).slots[0]


def _variable(slot: Slot) -> str:
    """The variable that an argument of LET or LAMBDA names."""
    if len(slot) != 1 or not isinstance(slot[0], Atom) or slot[0].kind != RANGE:
        raise KeepError("a variable without a name")
    word = slot[0].text
    if is_place(word) or "!" in word or ":" in word:
        raise KeepError("a variable that looks like a reference")
    return _word(word)


def _word(text: str) -> str:
    """A variable's name without the prefix that files give it."""
    return _VARIABLE.sub("", text, count=1).casefold()


class _Writer:
    """Writes out one formula of a sheet."""

    def __init__(self, names: Names, sheet: str, references: int) -> None:
        self._names, self._sheet, self._references = names, sheet, references
        self._open: list[DefinedName] = []
        self._count = 0
        self.relative: list[_Relative] = []
        """References whose meaning depends on the cell: they come after the formula's own."""

    def slot(self, slot: Slot, scope: _Scope) -> str:
        """A piece of formula without names."""
        text = "".join(self._item(item, scope) for item in slot)
        if len(text) > _LONGEST:
            raise KeepError("it is too long once its names are written out")
        return text

    def _item(self, item: Atom | Call, scope: _Scope) -> str:
        if isinstance(item, Call):
            return self._call(item, scope)
        if item.kind == RANGE:
            return self._operand(item.text, scope)
        return item.text

    def _operand(self, text: str, scope: _Scope) -> str:
        _, bang, where = text.rpartition("!")
        if not bang and _word(where) in scope.variables:
            value = scope.variables[_word(where)]
            if value is None:
                raise KeepError(f"{where} is an omitted argument")
            return value
        whole = LINES.fullmatch(where)
        if whole or is_place(where) or where.startswith("#"):
            if scope.definition is not None:
                if not bang and not where.startswith("#"):
                    raise KeepError(f"the name {scope.definition.name} refers to no sheet")
                if whole and not _ABSOLUTE.fullmatch(where):
                    raise _relative(scope.definition)
            return text if scope.references is None else Template(text).filled(scope.references)
        definition = self._names.find(text, self._sheet, scope.definition)
        if definition is not None:
            return self._written(definition)
        data = None if bang else self._names.data_of_table(where)
        if data is None and scope.definition is not None:
            raise KeepError(f"the name {scope.definition.name} rests on {where}, which is no name")
        return text if data is None else data

    def _written(self, definition: DefinedName, arguments: list[str] | None = None) -> str:
        """A name's formula, or a call of its LAMBDA."""
        if any(definition is other for other in self._open):
            raise KeepError(f"the name {definition.name} rests on itself")
        formula = self._names.formula(definition)
        scope = _Scope(self._places(formula, definition), definition)
        if (formula.parameters is None) != (arguments is None):
            is_lambda = formula.parameters is not None
            why = "holds a LAMBDA, which is not called" if is_lambda else "is no function"
            raise KeepError(f"the name {definition.name} {why}")
        if formula.parameters is not None and arguments is not None:
            scope.variables = _bound(definition, formula, arguments)
        self._open.append(definition)
        text = self.slot(formula.body, scope)
        self._open.pop()
        return _operand(text, formula.body)

    def _places(self, formula: _Formula, definition: DefinedName) -> list[str]:
        """A name's references; those relative to the cell as characters that stand for them."""
        places = []
        for reference in formula.references:
            if _ABSOLUTE.fullmatch(reference):
                places.append(reference)
            else:
                places.append(place(self._references + len(self.relative)))
                self.relative.append((reference, definition))
        return places

    def _call(self, call: Call, scope: _Scope) -> str:
        name = bare_name(call.name)
        if name == "LET":
            return self._let(call, scope)
        if name == "LAMBDA":
            raise KeepError("LAMBDA: not among the functions that are computed")
        if name == "ISOMITTED":
            return "TRUE" if self._is_omitted(call, scope) else "FALSE"
        if name == "IF" and (chosen := self._chosen(call, scope)) is not None:
            return _operand(self.slot(chosen, scope), chosen)
        if call.name not in ("(", ":"):
            if "!" not in call.name and _word(call.name) in scope.variables:
                raise KeepError(f"{call.name} is a variable that is called")
            definition = self._names.find(call.name, self._sheet, scope.definition)
            if definition is not None:
                return self._called(definition, call, scope)
        slots = [self.slot(slot, scope) for slot in call.slots]
        if call.name == ":":
            return ":".join(slots)
        return f"{call.name.removesuffix('(')}({','.join(slots)})"

    def _called(self, definition: DefinedName, call: Call, scope: _Scope) -> str:
        if not all(call.slots):
            raise KeepError(f"{definition.name}: called with an omitted argument")
        arguments = [_operand(self.slot(slot, scope), slot) for slot in call.slots]
        return self._written(definition, arguments)

    def _chosen(self, call: Call, scope: _Scope) -> Slot | None:
        """What IF(ISOMITTED(parameter), ..., ...) comes to."""
        test = call.slots[0][0] if len(call.slots) == 3 and len(call.slots[0]) == 1 else None
        if not isinstance(test, Call) or bare_name(test.name) != "ISOMITTED":
            return None
        return call.slots[1 if self._is_omitted(test, scope) else 2]

    def _is_omitted(self, call: Call, scope: _Scope) -> bool:
        word = _variable(call.slots[0])
        if len(call.slots) != 1 or word not in scope.variables:
            raise KeepError("ISOMITTED: of what is no parameter")
        return scope.variables[word] is None

    def _let(self, call: Call, scope: _Scope) -> str:
        if len(call.slots) < 3 or len(call.slots) % 2 == 0:
            raise KeepError("LET: with these arguments")
        inner = _Scope(scope.references, scope.definition, dict(scope.variables))
        parts = []
        for name, value in zip(call.slots[:-1:2], call.slots[1::2], strict=True):
            word, text = _variable(name), self.slot(value, inner)
            spelled = name[0].text if isinstance(name[0], Atom) else ""
            if scope.definition is not None:
                self._count += 1
                spelled = f"_xlpm._{self._count}_{word}"
            inner.variables[word] = spelled
            parts += [spelled, text]
        parts.append(self.slot(call.slots[-1], inner))
        return f"{call.name}({','.join(parts)})"


def _bound(
    definition: DefinedName, formula: _Formula, arguments: list[str]
) -> dict[str, str | None]:
    """The parameters of a LAMBDA with the arguments of a call."""
    parameters = formula.parameters or []
    left_out = parameters[len(arguments) :]
    if len(arguments) > len(parameters) or not formula.optional.issuperset(left_out):
        raise KeepError(f"{definition.name}: called with {len(arguments)} arguments")
    return dict(zip(parameters, [*arguments, *[None] * len(left_out)], strict=True))


def _operand(text: str, slot: Slot) -> str:
    """Text to stand as one operand in place of a name."""
    first = slot[0] if slot else None
    alone = len(slot) == 1 and not (isinstance(first, Atom) and first.kind == PREFIX)
    return text if alone else f"({text})"


def _moved(reference: str, definition: DefinedName, cell: Cell) -> str:
    """A name's reference as it reads in a cell: files hold it as it reads in A1."""
    found = copied(reference, Cell(1, 1), cell)
    if found is None:
        raise _relative(definition)
    return found


def _relative(definition: DefinedName) -> KeepError:
    return KeepError(f"the name {definition.name} is relative to the cell and leaves the sheet")
