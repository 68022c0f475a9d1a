"""A formula as a tree of calls, with its references set apart so that equal shapes are one.

`split` takes the references out of a formula: what remains, its shape, is the same for the formula
of every row of a table. `parse` makes a tree of a shape; each reference is one character there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TypeAlias

from chinchilla_xl.errors import MissingExtra
from chinchilla_xl.recalc.addresses import (
    MAX_COLUMN,
    MAX_ROW,
    Cell,
    column_letters,
    column_number,
    parse_area,
)

try:
    from formualizer import Token, Tokenizer, TokenizerError
except ImportError as missing:
    raise MissingExtra("formualizer", "recalc") from missing

_COLUMN = "(?:[A-Z]{1,2}|[A-W][A-Z]{2}|X[A-E][A-Z]|XF[A-D])"
_ROW = (
    r"(?:10485(?:7[0-6]|[0-6]\d)|1048[0-4]\d{2}|104[0-7]\d{3}|10[0-3]\d{4}|[1-9]\d{0,5})(?![0-9])"
)
_CELL = rf"\$?{_COLUMN}\$?{_ROW}"
BRACKETS = r"\[(?:[^\[\]']|'.|\[(?:[^\[\]']|'.)*\])*\]"
"""What a table's columns and areas stand in; an apostrophe makes the next character plain."""

# Beyond XFD1048576, and before a parenthesis or a dot, the same letters and digits are a name.
_REFERENCE = re.compile(
    rf'("[^"]*"|\'[^\']*\'|{BRACKETS}|(?<![\w.$@\[\]\\?]){_CELL}(?::{_CELL})?(?!\s*\()'
    r"(?!:(?!(?:INDEX|OFFSET)\()|[\w.!?\\\[\]]))",
    re.IGNORECASE | re.DOTALL,
)
_CALL_SPACE = re.compile(r'("[^"]*"|\'[^\']*\')|(?<=[\w.])\s+(?=\()')

_QUOTES = ('"', "'", "[")
_MARK, _FIRST, _LAST = "\ue001", 0xE100, 0xF8FF
_SPECIAL = re.compile(r"""[:"'\[]""")
_PRIVATE = re.compile("[\ue000-\uf8ff]")
_DEEPEST = 200


class NotParsedError(Exception):
    """A formula that is no formula, or is beyond the tokenizer."""


class KeepError(Exception):
    """Why a formula is kept."""


@dataclass(frozen=True, slots=True)
class Atom:
    """An operand or operator, as spelled."""

    kind: str
    text: str


@dataclass(slots=True)
class Call:
    """A function's call with its arguments.

    "(" is a parenthesis, ":" the range from one computed reference to another, "" the formula.
    """

    name: str
    slots: list[Slot] = field(default_factory=lambda: [[]])


Slot: TypeAlias = list[Atom | Call]

# The kinds of atoms, as the engine's tokenizer calls them.
INFIX, PREFIX, POSTFIX, ARRAY = "OpInfix", "OpPrefix", "OpPostfix", "Array"
RANGE, NUMBER, TEXT = "Range", "Number", "Text"


def split(formula: str) -> tuple[tuple[object, ...], list[str]]:
    """The formula's shape, equal for formulas that differ only in which cells they name, and the
    references that it leaves out.

    A shape is all that stands between the references, and the size of each area among them. Areas
    that are given from another corner than the first, which the engine does not load, are turned.
    """
    pieces = _REFERENCE.split(formula)
    found = pieces[1::2]
    if not _SPECIAL.search(formula):
        return tuple(pieces[::2]), found
    between: list[object] = []
    references = []
    for piece in found:
        if piece[0] in _QUOTES:
            between.append(piece)
        elif ":" not in piece:
            between.append(None)
            references.append(piece)
        else:
            size, turned = _area(piece)
            between.append((*size, turned != piece))
            references.append(turned)
    return (*pieces[::2], *between), references


def turns_area(formula: str) -> bool:
    """Whether a formula holds an area that is given from another corner than the first."""
    return any(isinstance(item, tuple) and item[-1] for item in split(formula)[0])


def marked(formula: str) -> str:
    """The formula with marks in place of its references, for `parse`."""
    if _PRIVATE.search(formula):
        raise NotParsedError
    return _REFERENCE.sub(lambda m: m[1] if m[1][0] in _QUOTES else _MARK, formula)


@lru_cache(maxsize=1 << 12)
def _area(reference: str) -> tuple[tuple[int, int], str]:
    """An area's height and width, and its reference from the first corner to the last."""
    area = parse_area(reference)
    assert area is not None, reference
    corners = [re.fullmatch(r"(\$?)([A-Za-z]+)(\$?)(\d+)", c) for c in reference.split(":")]
    a, b = (corner.groups() for corner in corners if corner)
    size = area.height, area.width
    if column_number(a[1]) <= column_number(b[1]) and int(a[3]) <= int(b[3]):
        return size, reference
    left, right = sorted((a[:2], b[:2]), key=lambda column: column_number(column[1]))
    top, bottom = sorted((a[2:], b[2:]), key=lambda row: int(row[1]))
    return size, "".join((*left, *top, ":", *right, *bottom))


def parsed(formula: str) -> Call:
    """The tree of a formula; its n-th reference is the character that `place(n)` gives."""
    return parse(marked(formula))


def parse(shape: str) -> Call:
    """The tree of a shape; its n-th reference is the character that `place(n)` gives."""
    text = _CALL_SPACE.sub(lambda m: m[1] or "", numbered(shape))
    root = _tree(tokens(text))
    if ":" in text:
        _fold_ranges(root)
    return root


def numbered(shape: str) -> str:
    """A shape with the character that `place(n)` gives as its n-th reference."""
    count = 0

    def number(_: re.Match[str]) -> str:
        nonlocal count
        count += 1
        return place(count - 1)

    return re.sub(_MARK, number, shape)


def tokens(formula: str) -> list[Token]:
    """The tokens of a formula; their places count the equals sign that it comes without."""
    try:
        return [token for token in Tokenizer("=" + formula) if token is not None]
    except TokenizerError:
        raise NotParsedError from None


def _tree(found: list[Token]) -> Call:
    root = Call("")
    calls = [root]
    for item in _items(found):
        slot = calls[-1].slots[-1]
        if isinstance(item, Atom):
            slot.append(item)
        elif str(item.token_type) == "Sep":
            calls[-1].slots.append([])
        elif str(item.subtype) == "Open":
            call = Call(item.value[:-1].strip() or "(")
            slot.append(call)
            calls.append(call)
        else:
            calls.pop()
        if not 0 < len(calls) < _DEEPEST:
            raise NotParsedError
    if len(calls) > 1 or len(root.slots) > 1 or not root.slots[0]:
        raise NotParsedError
    return root


def _fold_ranges(call: Call) -> None:
    """Make one call of every range whose ends are computed, such as A1:INDEX(A1:A9,3)."""
    for slot in call.slots:
        at = 0
        while at < len(slot):
            item = slot[at]
            if isinstance(item, Call):
                _fold_ranges(item)
            elif at and item.text == ":":
                first = slot[at - 1]
                if isinstance(first, Call) and first.name == ":":
                    raise NotParsedError  # a range from a range, which nobody writes
                ends: list[Slot] = [slot[at - 1 : at], slot[at + 1 : at + 2]]
                slot[at - 1 : at + 2] = [Call(":", ends)]
                at -= 1  # and into the new call, for what its ends hold
                continue
            at += 1


def _items(found: list[Token]) -> Iterator[Atom | Token]:
    """Operands and operators, each array in braces one of them; other tokens as they are."""
    literal: list[str] | None = None  # the inside of an array in braces
    for token in found:
        kind = str(token.token_type)
        if kind == ARRAY:
            if str(token.subtype) == "Close" and literal is not None:
                yield Atom(ARRAY, "{" + "".join(literal) + "}")
            literal = [] if str(token.subtype) == "Open" else None
        elif literal is not None:
            literal.append(token.value)
        elif kind in ("Func", "Paren", "Sep"):
            yield token
        elif kind != "Whitespace":
            yield Atom(str(token.subtype) if kind == "Operand" else kind, token.value)


def place(number: int) -> str:
    """The character that stands for a formula's n-th reference."""
    if _FIRST + number > _LAST:
        raise NotParsedError
    return chr(_FIRST + number)


def is_place(text: str) -> bool:
    """Whether this is the character of a reference."""
    return len(text) == 1 and _FIRST <= ord(text) <= _LAST


INTERSECTION = "an intersection of ranges"
"""The reason why a formula is kept in which one stands."""


class Template:
    """A text with places in it for a formula's references."""

    __slots__ = ("_format",)

    def __init__(self, text: str) -> None:
        def field(match: re.Match[str]) -> str:
            number = ord(match[0]) - _FIRST
            return match[0] if number < 0 else f"{{{number}}}"

        self._format = _PRIVATE.sub(field, text.replace("{", "{{").replace("}", "}}"))

    def filled(self, references: list[str]) -> str:
        """The text with these references in their places."""
        return self._format.format(*references)


def has_intersection(shape: str) -> bool:
    """Whether two references stand side by side with only a space between them."""
    outside = re.sub(r'"[^"]*"|\'[^\']*\'', "q", shape)
    return re.search(r"[\w$);\ue001]\s+[\w$\ue001]|[);\ue001]\s+\(", outside) is not None


def copied(formula: str, source: Cell, target: Cell) -> str | None:
    """The formula of one cell as it reads when copied into another; None off the sheet."""
    if source == target:
        return formula
    rows, columns = target.row - source.row, target.column - source.column
    inside = True

    def shift(match: re.Match[str]) -> str:
        nonlocal inside
        fixed_column, letters, fixed_row, digits = match.groups()
        column = column_number(letters) + (0 if fixed_column else columns)
        row = int(digits) + (0 if fixed_row else rows)
        inside = inside and 1 <= column <= MAX_COLUMN and 1 <= row <= MAX_ROW
        return f"{fixed_column}{column_letters(max(column, 1))}{fixed_row}{row}" if inside else ""

    def move(match: re.Match[str]) -> str:
        nonlocal inside
        if match[1][0] in _QUOTES:
            return match[1]
        return re.sub(r"(\$?)([A-Za-z]+)(\$?)(\d+)", shift, match[1])

    text = _REFERENCE.sub(move, formula)
    # A structured reference would move too, from column to column. So would whole columns and rows;
    # they are rare enough to be left to the reader of the report.
    if columns and "[" in formula:
        return None
    relative = re.search(r"(?<![\w$])[A-Z]{1,3}:\$?[A-Z]|:[A-Z]{1,3}(?!\w)|(?<![\w$])\d+:", formula)
    return None if relative or not inside else text
