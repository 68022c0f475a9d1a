"""Decides which formulas the embedded engine computes faithfully, and lowers those that need it.

A formula is kept (its cached value stays, with the reason in the report) unless everything in it is
known to be computed as a spreadsheet does. Besides the functions (see `trusted`) that is a matter
of arrays: in a plain formula Excel reduces a range that stands for a single value to the cell in
the same row or column, while the engine would compute with the whole range.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from chinchilla_xl.errors import MissingExtra
from chinchilla_xl.functions import FUNCTIONS
from chinchilla_xl.recalc import trusted
from chinchilla_xl.recalc.addresses import parse_area
from chinchilla_xl.recalc.parts import DefinedName

try:
    from openpyxl.formula import Tokenizer
    from openpyxl.formula.tokenizer import Token, TokenizerError
except ImportError as missing:
    raise MissingExtra("openpyxl", "recalc") from missing

OMITTED = "\ue000omitted"
"""What an omitted argument of ours is replaced by: the engine would pass a number, 0."""

# Spellings of add-in functions: Office.js, XLL, VBA in another workbook (see docs of each host).
_SPELLING = re.compile(r"(?:_xlfn\.|_xlws\.|_xldudf_|_xludf\.|_xll\.|\[\d+\]!)+", re.IGNORECASE)
_CELL = re.compile(r"\$?\b([A-Z]{1,3})\$?[0-9]{1,7}\b(?!\()")
_EMPTY_ARGUMENT = re.compile(r"[(,]\s*[,)]")
_OURS = {function.name: function for function in FUNCTIONS}


def bare_name(function: str) -> str:
    """A function's name without the prefixes that hosts store with it, in capitals."""
    name = _SPELLING.sub("", function).upper()
    # Office.js puts the add-in's namespace before the name.
    without_namespace = name.partition("_")[2]
    office = function.lower().startswith("_xldudf_")
    return without_namespace if office and without_namespace in _OURS else name


def our_spellings(formulas: Iterable[str]) -> dict[str, str]:
    """Every spelling of our functions in the formulas -> the function's name."""
    names = "|".join(_OURS)
    pattern = re.compile(rf"[\w.!\[\]]*(?:{names})(?=\()", re.IGNORECASE)
    found = {m.upper() for text in set(formulas) for m in pattern.findall(text)}
    return {spelled: name for spelled in found if (name := bare_name(spelled)) in _OURS}


@dataclass(slots=True)
class Verdict:
    """Why a formula is kept (None: it is computed), and whether ranges occur in it."""

    reason: str | None
    arrays: bool


@dataclass(slots=True)
class _Slot:
    """One argument of a call (or the whole formula): what arrays it holds, what is done to them."""

    arrays: list[str] = field(default_factory=list)
    operators: bool = False
    words: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Call:
    name: str
    slots: list[_Slot] = field(default_factory=lambda: [_Slot()])


class Judge:
    """Judges formulas of one workbook; formulas of the same shape are judged once."""

    def __init__(self, names: Collection[DefinedName]) -> None:
        self._names: dict[str, str | None] = {}
        for name in names:
            key = name.name.casefold()
            twice = key in self._names
            self._names[key] = None if twice or name.sheet else _plain_reference(name.formula)
        self._verdicts: dict[tuple[str, bool], Verdict] = {}

    def judge(self, text: str, *, array: bool) -> Verdict:
        """The verdict on a formula (without its equals sign)."""
        shape = (_CELL.sub(r"\1:0", text), array)
        verdict = self._verdicts.get(shape)
        if verdict is None:
            verdict = self._verdicts[shape] = self._examine(text, array)
        return verdict

    def _examine(self, text: str, array: bool) -> Verdict:
        try:
            tokens = [t for t in Tokenizer("=" + text).items if t.type != Token.WSPACE]
        except (TokenizerError, IndexError):
            return Verdict("it cannot be parsed", True)
        if _has_intersection(text):
            return Verdict("an intersection of ranges", True)
        if any(t.type == Token.OP_IN and t.value == "," for t in tokens):
            return Verdict("a union of ranges", True)
        calls = [_Call("")]
        self._seen_array = False
        try:
            for token in tokens:
                self._visit(token, calls, array)
            _check_slot(calls[0], 0, array)
        except _KeepError as keep:
            return Verdict(str(keep), True)
        except IndexError:
            return Verdict("it cannot be parsed", True)
        return Verdict(None, self._seen_array)

    def _visit(self, token: Token, calls: list[_Call], array: bool) -> None:
        closes = token.type == Token.FUNC and token.subtype == Token.CLOSE
        slot = calls[-2 if closes else -1].slots[-1]
        slot.words.append(token.value)
        if token.type == Token.FUNC and token.subtype == Token.OPEN:
            calls.append(_Call(_known(token.value[:-1])))
        elif closes:
            call = calls.pop()
            _check_call(call, array)
            if _gives_array(call):
                self._add_array(slot, call.name)
        elif token.type == Token.SEP and token.subtype == Token.ARG:
            slot.words.pop()
            calls[-1].slots.append(_Slot())
        elif token.type in (Token.OP_IN, Token.OP_PRE, Token.OP_POST):
            slot.operators = True
        elif token.type == Token.ARRAY:
            self._add_array(slot, "{}")
        elif self._is_array(token):
            self._add_array(slot, token.value)

    def _add_array(self, slot: _Slot, name: str) -> None:
        slot.arrays.append(name)
        self._seen_array = True

    def _is_array(self, token: Token) -> bool:
        """Whether a reference covers more cells than one; _KeepError if it is beyond the engine."""
        if token.type != Token.OPERAND or token.subtype != Token.RANGE:
            return False
        reference = token.value
        sheet, bang, place = reference.rpartition("!")
        if "[" in reference:
            linked = bang or re.match(r"'?\[\d+\]", reference)
            raise _KeepError("a link to another workbook" if linked else "a structured reference")
        if ":" in sheet:
            raise _KeepError("a reference across sheets")
        if not bang and place.casefold() in self._names:
            target = self._names[place.casefold()]
            if target is None:
                raise _KeepError(f"the name {place} holds a formula or is local to a sheet")
            place = target.rpartition("!")[2]
        area = parse_area(place)
        return ":" in place if area is None else area.first != area.last


class _KeepError(Exception):
    """Why the formula under judgement is kept."""


def _known(spelled: str) -> str:
    name = bare_name(spelled)
    known = (
        trusted.SCALAR_FUNCTIONS | trusted.RANGE_FUNCTIONS | trusted.LIFTED_FUNCTIONS | _OURS.keys()
    )
    if name not in known:
        why = trusted.REASONS.get(name, "not among the functions that are computed")
        raise _KeepError(f"{name}: {why}")
    return name


def _check_call(call: _Call, array: bool) -> None:
    exact = trusted.EXACT_ARGUMENT.get(call.name)
    if exact is not None:
        position, spellings = exact
        given = call.slots[position].words if len(call.slots) > position else []
        if "".join(given).upper() not in spellings:
            raise _KeepError(f"{call.name}: an approximate lookup")
    if call.name == "TEXT":
        style = "".join(call.slots[-1].words)
        if not trusted.TEXT_FORMATS.fullmatch(style.strip('"')) or not style.startswith('"'):
            raise _KeepError("TEXT: in this format")
    for position in range(len(call.slots)):
        _check_slot(call, position, array)


def _check_slot(call: _Call, position: int, array: bool) -> None:
    """_KeepError if an array stands where Excel and the engine would differ."""
    slot = call.slots[position]
    if not slot.arrays:
        return
    alone = not slot.operators
    if not call.name:
        # The formula's own result: a plain formula shows one cell of it. Of a function of ours
        # that is the first one, which the evaluation takes care of.
        allowed = array or (alone and slot.arrays[0] in _OURS)
    elif call.name in trusted.LIFTED_FUNCTIONS:
        allowed = array
    elif call.name in trusted.SCALAR_FUNCTIONS or position in trusted.SINGLE_ARGUMENTS.get(
        call.name, ()
    ):
        allowed = False
    else:
        allowed = alone or array or call.name in trusted.ARRAY_FUNCTIONS
    if not allowed:
        where = f"{call.name} takes" if call.name else "the cell holds"
        raise _KeepError(f"{slot.arrays[0]} is a range where {where} a single value")


def _gives_array(call: _Call) -> bool:
    if call.name in trusted.ARRAY_RESULTS:
        return True
    if call.name in trusted.LIFTED_FUNCTIONS:
        return any(slot.arrays for slot in call.slots)
    function = _OURS.get(call.name)
    if function is None:
        return False
    pairs = zip(call.slots, function.parameters, strict=False)
    ranges = any(slot.arrays and parameter.domain is not None for slot, parameter in pairs)
    return ranges or function.returns_table


def _plain_reference(formula: str) -> str | None:
    """The formula of a defined name if it is one reference or a number, else None."""
    place = formula.rpartition("!")[2]
    if "[" in formula or ":" in formula.rpartition("!")[0]:
        return None
    if parse_area(place) is not None or re.fullmatch(r"\$?[A-Z]+:\$?[A-Z]+|\$?\d+:\$?\d+", place):
        return formula
    return formula if re.fullmatch(r"-?[0-9.]+(?:E[+-]?[0-9]+)?", formula) else None


def _has_intersection(text: str) -> bool:
    """Whether two references stand side by side with only a space between them."""
    outside = re.sub(r'"[^"]*"|\'[^\']*\'', "q", text)
    return re.search(r"[\w$)]\s+[\w$(]", outside) is not None


def with_omitted(text: str) -> str:
    """The formula with a marker in place of each omitted argument of our functions."""
    if not _EMPTY_ARGUMENT.search(text) or not our_spellings([text]):
        return text
    out: list[str] = ["="]
    calls: list[bool] = []
    empty = False
    for token in Tokenizer("=" + text).items:
        closes = token.type == Token.FUNC and token.subtype == Token.CLOSE
        separates = token.type == Token.SEP and token.subtype == Token.ARG
        if (
            (closes or separates)
            and calls
            and calls[-1]
            and empty
            and (separates or out[-1] == ",")
        ):
            out.append(f'"{OMITTED}"')
        out.append(token.value)
        if closes:
            calls.pop()
        opens = token.type == Token.FUNC and token.subtype == Token.OPEN
        if opens:
            calls.append(bare_name(token.value[:-1]) in _OURS)
        if token.type != Token.WSPACE:
            empty = opens or separates
    return "".join(out)[1:]
