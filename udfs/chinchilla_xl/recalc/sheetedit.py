"""Edits cells in the text of a worksheet part; all else in the part stays byte for byte."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple, TypeAlias
from xml.sax.saxutils import escape

from chinchilla_xl.recalc.addresses import COLUMN_MASK, MAX_ROW, ROW_SHIFT, Area, Cell
from chinchilla_xl.recalc.archive import Piece
from chinchilla_xl.recalc.sheetsyntax import (
    ATTRIBUTES,
    DIGITS,
    FORMULA_ATTRIBUTES,
    LETTERS,
    REST,
    ROW_ATTRIBUTES,
)
from chinchilla_xl.recalc.sheetxml import Formulas, SheetXml
from chinchilla_xl.recalc.values import Value, decode, encode, number_text, same

KEEP: Final[Any] = object()
"""In an Edit: leave that part of the cell as it is. Among new values: keep the old one."""

_ROUNDING = 1e-9
_PIECE = 1 << 20


class Edit(NamedTuple):
    """What becomes of one cell; a formula of None is removed, an area is where it spills."""

    value: Value = KEEP
    formula: str | None = KEEP
    area: Area | None = None


def edited(xml: SheetXml, edits: Mapping[Cell, Edit]) -> bytes:
    """The part with the given cells edited; cells and rows that lack are added."""
    if not edits:
        return xml.data
    pending = _Pending(edits)
    write = _Writer(xml)
    data, out, position = xml.data, bytearray(_open_sheet_data(xml)), xml.bounds[0]
    for place, match in xml.tokens():
        row = place >> ROW_SHIFT
        is_row = match[ROW_ATTRIBUTES] is not None
        if not is_row and not pending.has(row):
            continue
        new, end = b"", match.start()
        if is_row:
            new, end = write.row_start(match, row, pending)
        elif place & COLUMN_MASK == 0:
            new = write.cells(pending.rest_of(row))
        else:
            cell = Cell.at(place)
            new = write.cells(pending.before(cell))
            edit = pending.take(cell)
            if edit is not None:
                new += write.edited(match, edit)
                end = match.end()
        if new or end != match.start():
            out += data[position : match.start()]
            out += new
            position = end
    out += data[position : xml.bounds[1]]
    for row in pending.rows():
        out += write.row(row, pending)
    out += _close_sheet_data(xml)
    return bytes(out)


Replacement: TypeAlias = tuple[int, int, bytes]
"""Where a text to be replaced starts and ends, and what takes its place."""


def spliced(data: bytes, replacements: Iterable[Replacement]) -> Iterator[Piece]:
    """The data with replacements made, in pieces; none if there are no replacements."""
    out, position = bytearray(), 0
    for begin, end, new in replacements:
        out += data[position:begin]
        out += new
        position = end
        if len(out) > _PIECE:
            yield out
            out = bytearray()
    if position:
        yield out
        yield data[position:]


class Recached:
    """A part with the values of its formula cells replaced, but for those that are KEEP.

    Iterating gives the part in pieces, and none at all if no value is new; then `changed` says how
    many are, and `stale` how many by more than rounding.
    """

    def __init__(self, xml: SheetXml, formulas: Formulas, values: Sequence[Value]) -> None:
        self._xml = xml
        self._formulas = formulas
        self._values = values
        self.changed = self.stale = 0

    def __iter__(self) -> Iterator[Piece]:
        return spliced(self._xml.data, self._replacements())

    def _replacements(self) -> Iterator[Replacement]:
        xml, data = self._xml, self._xml.data
        write = _Writer(xml)
        find_number, find = xml.syntax.plain_number.match, xml.syntax.token.match
        for start, value in zip(self._formulas.starts, self._values, strict=True):
            if value is KEEP:
                continue
            match = find_number(data, start) if isinstance(value, float) else None
            old: Value = None if match is None else _number(match[1])
            if match is not None and old is not None:  # the common case, made quick
                if old == value:
                    continue
                (begin, end), new = match.span(1), number_text(value).encode()  # type: ignore[arg-type]
            else:
                match = find(data, start)
                assert match is not None
                old = xml.cached(match)
                if same(old, value):
                    continue
                (begin, end), new = match.span(), write.edited(match, Edit(value))
            self.changed += 1
            self.stale += differs(old, value)
            yield begin, end, new


def _number(text: bytes) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def differs(old: Value, new: Value, tolerance: float = _ROUNDING) -> bool:
    """Whether two values differ by more than the last digits."""
    if type(old) is float and type(new) is float:
        return not math.isclose(new, old, rel_tol=tolerance)
    return not same(old, new)


def _open_sheet_data(xml: SheetXml) -> bytes:
    head = xml.data[: xml.bounds[0]]
    return head[:-2].rstrip() + b">" if _is_empty(xml) else head


def _close_sheet_data(xml: SheetXml) -> bytes:
    close = b"</%ssheetData>" % xml.prefix if _is_empty(xml) else b""
    return close + xml.data[xml.bounds[1] :]


def _is_empty(xml: SheetXml) -> bool:
    start, end = xml.bounds
    return start == end and xml.data[: xml.bounds[0]].endswith(b"/>")


class _Writer:
    """Writes cells and rows of one part, in its namespace prefix."""

    def __init__(self, xml: SheetXml) -> None:
        self._xml = xml
        self._prefix = xml.prefix

    def row_start(self, match: re.Match[bytes], row: int, pending: _Pending) -> tuple[bytes, int]:
        """New rows before the row that starts here, and this one opened if it was empty."""
        new = b"".join(self.row(r, pending) for r in pending.rows(before=row))
        tag = match[0]
        if tag.endswith(b"/>") and pending.has(row):
            opened = tag[:-2].rstrip() + b">"
            cells = self.cells(pending.rest_of(row))
            return new + opened + cells + b"</%srow>" % self._prefix, match.end()
        return new, match.start()

    def row(self, row: int, pending: _Pending) -> bytes:
        """A new row."""
        cells = self.cells(pending.rest_of(row))
        return b'<%srow r="%d">%s</%srow>' % (self._prefix, row, cells, self._prefix)

    def cells(self, edits: list[tuple[Cell, Edit]]) -> bytes:
        """New cells."""
        return b"".join(
            self._cell(b' r="%s"' % str(cell).encode(), self._new_formula(cell, edit), edit)
            for cell, edit in edits
        )

    def _new_formula(self, cell: Cell, edit: Edit) -> bytes:
        """The array formula of a new cell, if it gets one."""
        if edit.formula is KEEP or edit.formula is None:
            return b""
        p, text = self._prefix, escape(edit.formula).encode()
        return b'<%sf t="array" ref="%s">%s</%sf>' % (p, str(cell).encode(), text, p)

    def _cell(self, attributes: bytes, formula: bytes, edit: Edit, tail: bytes = b"") -> bytes:
        kind, content = encode(edit.value, self._prefix)
        if kind:
            attributes += b' t="%s"' % kind
        p = self._prefix
        return b"<%sc%s>%s%s%s</%sc>" % (p, attributes, formula, content, tail, p)

    def edited(self, match: re.Match[bytes], edit: Edit) -> bytes:
        """A cell's element with the edit made."""
        xml = self._xml
        whole, start = match[0], match.start()
        old = b""
        if match[FORMULA_ATTRIBUTES] is not None:
            begin = match.start(FORMULA_ATTRIBUTES) - len(self._prefix) - 2
            old = whole[begin - start : match.start(REST) - start]
        formula = self._formula(match, old, edit)
        if edit.value is KEEP or self._holds(match, edit.value):
            return whole.replace(old, formula, 1) if old else whole
        attributes = xml.syntax.type_attribute.sub(b"", match[ATTRIBUTES].rstrip())
        if match[LETTERS] is not None:
            attributes = b' r="%s%s"%s' % (match[LETTERS], match[DIGITS], attributes)
        rest = match[REST] or b""  # what is neither formula nor value stays, behind them
        value = xml.syntax.value.search(xml.core(rest))
        rest = rest.replace(value.group(), b"", 1) if value else rest
        return self._cell(attributes, formula, edit, rest)

    def _formula(self, match: re.Match[bytes], old: bytes, edit: Edit) -> bytes:
        """The new formula element of a cell whose old one is given."""
        if edit.formula is None or not old:
            return b""
        attributes = match[FORMULA_ATTRIBUTES]
        if edit.area is not None:
            return self._xml.syntax.area.sub(
                rb"\g<1>%s\g<2>" % str(edit.area).encode(), old, count=1
            )
        if edit.formula is KEEP:
            return old
        attributes = b"" if b"shared" in attributes else attributes
        p, text = self._prefix, escape(edit.formula).encode()
        return b"<%sf%s>%s</%sf>" % (p, attributes, text, p)

    def _holds(self, match: re.Match[bytes], value: Value) -> bool:
        kind, text = self._xml.stored(match)
        return kind != "s" and same(decode(kind, text), value)


class _Pending:
    """The edits that are still to be made, by row and column."""

    def __init__(self, edits: Mapping[Cell, Edit]) -> None:
        self._rows: dict[int, list[tuple[Cell, Edit]]] = {}
        for cell in sorted(edits, reverse=True):  # so that the next one is at the end of its list
            self._rows.setdefault(cell.row, []).append((cell, edits[cell]))
        self._order = list(self._rows)

    def before(self, cell: Cell) -> list[tuple[Cell, Edit]]:
        row = self._rows.get(cell.row)
        found = []
        while row and row[-1][0] < cell:
            found.append(row.pop())
        return found

    def take(self, cell: Cell) -> Edit | None:
        row = self._rows.get(cell.row)
        return row.pop()[1] if row and row[-1][0] == cell else None

    def has(self, row: int) -> bool:
        return bool(self._rows.get(row))

    def rest_of(self, row: int) -> list[tuple[Cell, Edit]]:
        return self._rows.pop(row, [])[::-1]

    def rows(self, before: int = MAX_ROW + 1) -> list[int]:
        """Rows above `before` that still have edits, so that no row of the part holds them."""
        found = []
        while self._order and self._order[-1] < before:
            row = self._order.pop()
            if self._rows.get(row):
                found.append(row)
        return found
