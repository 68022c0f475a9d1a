"""A worksheet part as text: finds its formula cells, and edits cells without touching the rest.

The part is never parsed into a tree and written anew, since that would lose what a library does not
know. Its cells are found by pattern, after `parts.check_xml` has vouched that it is well-formed,
and each edit replaces the text of one cell. Comments and CDATA, which could hide cells from the
patterns and which no spreadsheet program writes here, are refused.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from html import unescape
from typing import Any, Final, NamedTuple
from xml.sax.saxutils import escape

from chinchilla_xl.errors import BrokenFile, UnsupportedFile
from chinchilla_xl.functions import CellError
from chinchilla_xl.recalc.addresses import (
    MAX_COLUMN,
    MAX_ROW,
    Area,
    Cell,
    column_number,
    parse_area,
)
from chinchilla_xl.recalc.parts import check_xml
from chinchilla_xl.recalc.sheetsyntax import Syntax
from chinchilla_xl.recalc.values import Value, decode, encode, same

_NAMESPACE = re.compile(
    rb"""xmlns(:[\w.-]+)?\s*=\s*["']http://schemas.openxmlformats.org/spreadsheetml/2006/main["']"""
)
_INLINE = re.compile(rb"<(?:[\w.-]+:)?t\b[^>]*>([^<]*)</")
_UNKNOWN = CellError("", "a shared string, which no formula's value is")

KEEP: Final[Any] = object()
"""In an Edit: leave that part of the cell as it is."""


class Edit(NamedTuple):
    """What becomes of one cell; a formula of None is removed, an area is where it spills."""

    value: Value = KEEP
    formula: str | None = KEEP
    area: Area | None = None


@dataclass(frozen=True, slots=True)
class Formula:
    """A formula cell; one that shares another's formula names that cell and carries its text."""

    cell: Cell
    text: str
    kind: str  # "normal", "shared", "array" or "dataTable"
    area: Area | None
    dynamic: bool  # a dynamic array: spills as far as its result reaches
    value: Value  # as cached; None if it has none
    leader: Cell | None = None


class SheetXml:
    """One worksheet part."""

    def __init__(self, data: bytes, part: str) -> None:
        if data[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\x00" in data[:64]:
            raise UnsupportedFile(f"{part} is in UTF-16: save the workbook anew")
        encoding = re.match(rb"""(?:\xef\xbb\xbf)?<\?xml[^>]*\sencoding\s*=\s*["']([^"']*)""", data)
        if encoding and encoding[1].lower() not in (b"utf-8", b"utf8", b"us-ascii", b"ascii"):
            raise UnsupportedFile(f"{part} is not in UTF-8: save the workbook anew")
        check_xml(data, part)
        prefixes = set(_NAMESPACE.findall(data))
        if len(prefixes) > 1:
            raise UnsupportedFile(f"{part} mixes namespace prefixes: save the workbook anew")
        root = re.search(rb"<(?:([\w.-]+):)?worksheet\b", data)
        if root is None:
            raise BrokenFile(f"{part} is no worksheet")
        self.data = data
        self._part = part
        self._prefix = root[1] + b":" if root[1] else b""
        self._syntax = Syntax.of(self._prefix)
        self._bounds = self._find_cells()
        self._has_empty_formulas = False

    def _find_cells(self) -> tuple[int, int]:
        match = self._syntax.sheet_data.search(self.data)
        if match is None:
            raise BrokenFile(f"{self._part} has no sheetData")
        tags = self.data.count(b"sheetData")
        if tags > 2 and len(re.findall(rb"<(?:[\w.-]+:)?sheetData\b", self.data)) > 1:
            raise UnsupportedFile(f"{self._part} has more than one sheetData: save it anew")
        body = match.span("body") if match["body"] is not None else (match.end(), match.end())
        if re.search(rb"<[!?]", match.group()):
            raise UnsupportedFile(f"{self._part} has comments or CDATA among its cells")
        return body

    def holds_number(self, cell: Cell) -> bool:
        """Whether a cell holds a number now."""
        for other, match in self._cells():
            if other == cell:
                kind, text = self._stored(match)
                return kind == "n" and bool(text)
        return False

    def stored(self, cells: Container[Cell] | None = None) -> dict[Cell, tuple[str, str]]:
        """The type and text of each of these cells that the part holds (None: of all)."""
        return {
            cell: self._stored(match)
            for cell, match in self._cells()
            if cells is None or cell in cells
        }

    def corner(self) -> Cell:
        """The last row and the last column that hold any cell."""
        cells = [cell for cell, _ in self._cells()]
        return Cell(
            max((c.row for c in cells), default=1), max((c.column for c in cells), default=1)
        )

    def for_engine(self, edits: Mapping[Cell, Edit]) -> bytes:
        """The part edited, without the error values and extensions that the engine cannot load."""
        data = self.edited(edits)
        if b'"e"' in data or b"'e'" in data:
            data = self._syntax.new_error.sub(rb"\g<1>#VALUE!", data)
        if self._has_empty_formulas:
            data = self._syntax.empty_formula.sub(b"", data)
        return self._syntax.cell_extension.sub(b"", data) if b"extLst" in data else data

    def has_hidden_rows(self) -> bool:
        """Whether any row is hidden, by hand, by a filter or by default."""
        if b"hidden" not in self.data and b"zeroHeight" not in self.data:
            return False
        return self._syntax.hidden.search(self.data) is not None

    def _cells(self) -> Iterator[tuple[Cell, re.Match[bytes]]]:
        for _, cell, match in self._tokens():
            if cell is not None:
                yield cell, match

    def _tokens(self) -> Iterator[tuple[int, Cell | None, re.Match[bytes]]]:
        """Every cell with its row and address, and the start and end of every row with None."""
        row = column = 0
        numbered = False
        last = Cell(0, 0)
        for match in self._syntax.token.finditer(self.data, *self._bounds):
            kind = match.lastgroup
            if kind == "cell":
                letters, digits = match["letters"], match["digits"]
                if letters is None:
                    found = self._syntax.reference.search(match["cell"])
                    letters, digits = found.groups() if found else (None, None)
                if letters is None:
                    column += 1
                else:
                    column = _column(letters)
                    if numbered and row != int(digits):
                        raise BrokenFile(
                            f"{self._part} has a cell of row {int(digits)} in row {row}"
                        )
                    row = int(digits)
                cell = Cell(row, column)
                if not (last < cell and row <= MAX_ROW and column <= MAX_COLUMN):
                    raise BrokenFile(f"{self._part} has {cell} out of order or out of the sheet")
                last = cell
                yield row, cell, match
                continue
            if kind == "row":
                found = self._syntax.row_number.search(match["row"])
                row = int(found[1]) if found else row + 1
                column, numbered = 0, found is not None
            yield row, None, match

    def formulas(self) -> list[Formula]:
        """Every formula cell, in the order of the part."""
        syntax = self._syntax
        found: list[Formula] = []
        constants = 0
        leaders: dict[bytes, tuple[Cell, str]] = {}
        for cell, match in self._cells():
            body = match["body"]
            formula = body and syntax.formula.search(self._core(body))
            if not formula:
                continue
            text = _unescaped(formula["text"])
            attributes = formula["attributes"]
            kind, area, dynamic, leader = "normal", None, False, None
            if attributes.strip():
                fields = dict(syntax.attribute.findall(attributes))
                kind = fields.get(b"t", b"normal").decode()
                area = parse_area(fields.get(b"ref", b"").decode())
                dynamic = kind == "array" and syntax.metadata.search(_head(match)) is not None
                if kind == "shared":
                    group = fields.get(b"si", b"")
                    leader, text = leaders.setdefault(group, (cell, text))
            if not text.strip() and kind != "dataTable":
                if kind == "shared":
                    raise BrokenFile(f"{self._part} has {cell} share a formula that is not there")
                constants += 1  # an element without a formula
                self._has_empty_formulas = True
                continue
            stored, value = self._stored(match)
            old = _UNKNOWN if stored == "s" else decode(stored, value)
            found.append(Formula(cell, text, kind, area, dynamic, old, leader))
        if len(found) + constants != len(syntax.any_formula.findall(self.data, *self._bounds)):
            raise UnsupportedFile(f"{self._part} holds formulas outside of cells")
        return found

    def _stored(self, match: re.Match[bytes]) -> tuple[str, str]:
        kind = self._syntax.type_attribute.search(_head(match))
        value = self._syntax.value.search(self._core(match["body"] or b""))
        text = _unescaped(value["text"]) if value and value["text"] else ""
        if value and value["tag"] == b"is":
            text = _unescaped(b"".join(_INLINE.findall(value["text"] or b"")))
        return (kind[1].decode() if kind else "n"), text

    def _core(self, body: bytes) -> bytes:
        """A cell's contents without extensions, which may hold anything."""
        return body.partition(self._syntax.extensions)[0] if b"extLst" in body else body

    def _holds(self, match: re.Match[bytes], value: Value) -> bool:
        kind, text = self._stored(match)
        return kind != "s" and same(decode(kind, text), value)

    def edited(self, edits: Mapping[Cell, Edit]) -> bytes:
        """The part with the given cells edited; cells and rows that lack are added."""
        if not edits:
            return self.data
        pending = _Pending(edits)
        data, out, position = self.data, [], self._bounds[0]
        start = self._open_sheet_data()
        for row, cell, match in self._tokens():
            new = b""
            end = match.start()
            if match.lastgroup != "row" and not pending.has(row):
                continue
            if cell is not None:
                new = self._added(pending.before(cell))
                edit = pending.take(cell)
                if edit is not None:
                    new += self._edited_cell(match, edit)
                    end = match.end()
            elif match.lastgroup == "row":
                new, end = self._row_start(match, row, pending)
            else:
                new = self._added(pending.rest_of(row))
            if new or end != match.start():
                out += [data[position : match.start()], new]
                position = end
        out.append(data[position : self._bounds[1]])
        rest = b"".join(self._new_row(r, pending) for r in pending.rows())
        return start + b"".join(out) + rest + self._close_sheet_data()

    def _row_start(self, match: re.Match[bytes], row: int, pending: _Pending) -> tuple[bytes, int]:
        """New rows before the row that starts here, and this one opened if it was empty."""
        new = b"".join(self._new_row(r, pending) for r in pending.rows(before=row))
        if match["row"].endswith(b"/>") and pending.has(row):
            opened = match["row"][:-2].rstrip() + b">"
            cells = self._added(pending.rest_of(row))
            return new + opened + cells + b"</%srow>" % self._prefix, match.end()
        return new, match.start()

    def _open_sheet_data(self) -> bytes:
        head = self.data[: self._bounds[0]]
        return head[:-2].rstrip() + b">" if self._is_empty() else head

    def _close_sheet_data(self) -> bytes:
        close = b"</%ssheetData>" % self._prefix if self._is_empty() else b""
        return close + self.data[self._bounds[1] :]

    def _is_empty(self) -> bool:
        return self._bounds[0] == self._bounds[1] and self.data[: self._bounds[0]].endswith(b"/>")

    def _new_row(self, row: int, pending: _Pending) -> bytes:
        cells = self._added(pending.rest_of(row))
        return b'<%srow r="%d">%s</%srow>' % (self._prefix, row, cells, self._prefix)

    def _added(self, edits: list[tuple[Cell, Edit]]) -> bytes:
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

    def _edited_cell(self, match: re.Match[bytes], edit: Edit) -> bytes:
        syntax, body = self._syntax, self._core(match["body"] or b"")
        found = syntax.formula.search(body)
        told = edit.value is KEEP and edit.formula is not KEEP and edit.formula is not None
        if told and found and not found["attributes"]:  # the common case, made quick
            p, text = self._prefix, escape(str(edit.formula)).encode()
            start = match.start("body") - match.start("cell")
            cell, (first, last) = match["cell"], found.span()
            new = b"<%sf>%s</%sf>" % (p, text, p)
            return bytes(cell[: start + first] + new + cell[start + last :])
        formula = found.group() if found else b""
        if edit.formula is None:
            formula = b""
        elif edit.formula is not KEEP and found:
            attributes = b"" if b"shared" in found["attributes"] else found["attributes"]
            formula = b"<%sf%s>%s</%sf>" % (
                self._prefix, attributes, escape(edit.formula).encode(), self._prefix
            )  # fmt: skip
        elif edit.area is not None:
            formula = syntax.area.sub(rb"\g<1>%s\g<2>" % str(edit.area).encode(), formula, count=1)
        if edit.value is KEEP or self._holds(match, edit.value):
            return match["cell"].replace(found.group(), formula, 1) if found else match["cell"]
        head = _head(match)
        attributes = syntax.type_attribute.sub(b"", head[2 + len(self._prefix) :].rstrip(b"/ "))
        value = syntax.value.search(body)
        rest = match["body"] or b""  # what is neither formula nor value stays, behind them
        for part in (found, value):
            rest = rest.replace(part.group(), b"", 1) if part else rest
        return self._cell(attributes, formula, edit, rest)


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


def _head(match: re.Match[bytes]) -> bytes:
    """A cell's start tag, without what closes it."""
    return bytes(match["cell"]).split(b">", 1)[0]


@lru_cache(maxsize=MAX_COLUMN)
def _column(letters: bytes) -> int:
    return column_number(letters.decode())


def _unescaped(text: bytes | None) -> str:
    if not text:
        return ""
    words = text.decode("utf-8")
    return unescape(words) if "&" in words else words
