"""A worksheet part as text: vouches for it and finds its formula cells, without parsing it.

The part is never parsed into a tree and written anew, since that would lose what a library does not
know. Its cells are found by pattern, after `parts.check_xml` has vouched that it is well-formed.
Comments and CDATA, which could hide cells from the patterns and which no spreadsheet program writes
here, are refused.
"""

from __future__ import annotations

import copy
import re
from array import array
from bisect import bisect_left
from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from html import unescape

from chinchilla_xl.errors import BrokenFile, UnsupportedFile
from chinchilla_xl.functions import CellError
from chinchilla_xl.recalc.addresses import (
    COLUMN_MASK,
    MAX_COLUMN,
    MAX_ROW,
    ROW_SHIFT,
    Area,
    Cell,
    column_number,
    parse_area,
)
from chinchilla_xl.recalc.parts import check_xml
from chinchilla_xl.recalc.sheetsyntax import (
    ATTRIBUTES,
    DIGITS,
    FORMULA_ATTRIBUTES,
    FORMULA_TEXT,
    LETTERS,
    REST,
    ROW_ATTRIBUTES,
    Syntax,
)
from chinchilla_xl.recalc.values import Value, decode

_NAMESPACE = re.compile(
    rb"""xmlns(:[\w.-]+)?\s*=\s*["']http://schemas.openxmlformats.org/spreadsheetml/2006/main["']"""
)
_INLINE = re.compile(rb"<(?:[\w.-]+:)?t\b[^>]*>([^<]*)</")
_UNKNOWN = CellError("", "a shared string, which no formula's value is")


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


@dataclass(slots=True)
class SharedGroup:
    """Cells that share one formula: the cell that carries it, and the rectangle around them all."""

    leader: Cell
    text: str
    area: Area

    def add(self, cell: Cell) -> None:
        """Stretch the rectangle to a further cell; cells come in the order of the part."""
        first, last = self.area
        self.area = Area(
            Cell(first.row, min(first.column, cell.column)),
            Cell(cell.row, max(last.column, cell.column)),
        )


class SheetXml:
    """One worksheet part."""

    def __init__(self, read: Callable[[], bytes], part: str) -> None:
        self._read = read
        data = read()
        self._data: bytes | None = data
        check_xml(data, part)
        prefixes = set(_NAMESPACE.findall(data))
        if len(prefixes) > 1:
            raise UnsupportedFile(f"{part} mixes namespace prefixes: save the workbook anew")
        root = re.search(rb"<(?:([\w.-]+):)?worksheet\b", data)
        if root is None:
            raise BrokenFile(f"{part} is no worksheet")
        self.part = part
        self.prefix = root[1] + b":" if root[1] else b""
        self.syntax = Syntax.of(self.prefix)
        self.bounds = self._find_cells()
        self._has_empty_formulas = False

    @property
    def data(self) -> bytes:
        """The text of the part."""
        if self._data is None:
            self._data = self._read()
        return self._data

    def release(self) -> None:
        """Let go of the text; it is read again when it is needed."""
        self._data = None

    def _find_cells(self) -> tuple[int, int]:
        match = self.syntax.sheet_data.search(self.data)
        if match is None:
            raise BrokenFile(f"{self.part} has no sheetData")
        tags = self.data.count(b"sheetData")
        if tags > 2 and len(re.findall(rb"<(?:[\w.-]+:)?sheetData\b", self.data)) > 1:
            raise UnsupportedFile(f"{self.part} has more than one sheetData: save it anew")
        start = end = match.end()
        if not match[0].endswith(b"/>"):
            end = self.data.find(b"</%ssheetData" % self.prefix, start)
        if self.data.find(b"<!", start, end) >= 0 or self.data.find(b"<?", start, end) >= 0:
            raise UnsupportedFile(f"{self.part} has comments or CDATA among its cells")
        return start, end

    def tokens(self) -> Iterator[tuple[int, re.Match[bytes]]]:
        """Every cell with its place, and the start and end of every row with that of column 0.

        Raises BrokenFile where cells are out of order, out of their row or out of the sheet.
        """
        syntax = self.syntax
        row = column = last = 0
        numbered = False
        for match in syntax.token.finditer(self.data, *self.bounds):
            letters, digits, attributes = match.group(LETTERS, DIGITS, ATTRIBUTES)
            if attributes is None:
                if match[ROW_ATTRIBUTES] is not None:
                    found = syntax.row_number.search(match[ROW_ATTRIBUTES])
                    self._refuse_place(found, match[ROW_ATTRIBUTES])
                    above, row = row, int(found[1]) if found else row + 1
                    if row <= above:
                        raise BrokenFile(f"{self.part} has row {row} out of order")
                    column, numbered = 0, found is not None
                yield row << ROW_SHIFT, match
                continue
            if letters is None:
                found = syntax.reference.search(attributes)
                letters, digits = found.groups() if found else (None, None)
                self._refuse_place(found, attributes)
            if letters is None:
                column += 1
            else:
                column = _column(letters)
                if int(digits) != row:
                    if numbered:
                        raise BrokenFile(
                            f"{self.part} has a cell of row {int(digits)} in row {row}"
                        )
                    row = int(digits)
            place = row << ROW_SHIFT | column
            if not (last < place and row <= MAX_ROW and column <= MAX_COLUMN):
                where = Cell(row, column)
                raise BrokenFile(f"{self.part} has {where} out of order or out of the sheet")
            last = place
            yield place, match

    def _refuse_place(self, found: re.Match[bytes] | None, attributes: bytes) -> None:
        """BrokenFile if a row or cell says where it is, but not as a place in a sheet is written."""
        place = None if found else self.syntax.place.search(attributes)
        if place is not None:
            words = place[1][:40].decode("utf-8", "replace")
            raise BrokenFile(f"{self.part} has a row or cell at {words!r}, which is no place")

    def _refuse_numbers(self) -> None:
        """BrokenFile if a cell's number is none."""
        data, start_tag = self.data, b"<%sc" % self.prefix
        for value in self.syntax.no_number.finditer(data, *self.bounds):
            cell = data[data.rfind(start_tag, 0, value.start()) : value.start()]
            kind = self.syntax.type_attribute.search(cell.partition(b">")[0])
            if (kind is None or kind[1] == b"n") and self.syntax.extensions not in cell:
                words = value[1][:40].decode("utf-8", "replace")
                raise BrokenFile(f"{self.part} has a number in a cell that is none: {words!r}")

    def formulas(self) -> Formulas:
        """The formula cells, in the order of the part."""
        self._refuse_numbers()
        value_tag = b"<%sv>" % self.prefix
        found = Formulas(self)
        count = 0
        for place, match in self.tokens():
            if match[FORMULA_ATTRIBUTES] is not None:
                count += 1
                rest = match[REST]
                if rest and rest.count(value_tag) > 1 and self.core(rest).count(value_tag) > 1:
                    raise BrokenFile(f"{self.part} has two values in {Cell.at(place)}")
                found.add(place, match)
        if count != len(self.syntax.any_formula.findall(self.data, *self.bounds)):
            raise UnsupportedFile(f"{self.part} holds formulas outside of cells or behind values")
        self._has_empty_formulas = len(found) < count
        return found

    def stored(self, match: re.Match[bytes]) -> tuple[str, str]:
        """The type and the text of a cell's value."""
        kind = self.syntax.type_attribute.search(match[ATTRIBUTES])
        value = self.syntax.value.search(self.core(match[REST] or b""))
        text = unescaped(value["text"]) if value and value["text"] else ""
        if value and value["tag"] == b"is":
            text = unescaped(b"".join(_INLINE.findall(value["text"] or b"")))
        return (kind[1].decode() if kind else "n"), text

    def core(self, body: bytes) -> bytes:
        """A cell's contents without extensions, which may hold anything."""
        return body.partition(self.syntax.extensions)[0] if b"extLst" in body else body

    def contents(self, cells: Container[Cell] | None = None) -> dict[Cell, tuple[str, str]]:
        """The type and text of each of these cells that the part holds (None: of all)."""
        return {
            cell: self.stored(match)
            for cell, match in self._cells()
            if cells is None or cell in cells
        }

    def corner(self) -> Cell:
        """The last row and the last column that hold any cell."""
        cells = [cell for cell, _ in self._cells()]
        return Cell(
            max((c.row for c in cells), default=1), max((c.column for c in cells), default=1)
        )

    def _cells(self) -> Iterator[tuple[Cell, re.Match[bytes]]]:
        for place, match in self.tokens():
            if match[ROW_ATTRIBUTES] is None and place & COLUMN_MASK:
                yield Cell.at(place), match

    def cached(self, match: re.Match[bytes]) -> Value:
        """A formula cell's value as the part has it; None if it has none."""
        kind, text = self.stored(match)
        return _UNKNOWN if kind == "s" else decode(kind, text)

    def kind(self, cell: Cell) -> str:
        """What a cell holds now, as its type in the part ("n": a number); "" if it is blank."""
        for place, match in self.tokens():
            if place == cell.place:
                kind, text = self.stored(match)
                return kind if text else ""
        return ""

    def has_hidden_rows(self) -> bool:
        """Whether any row is hidden, by hand, by a filter or by default."""
        if b"hidden" not in self.data and b"zeroHeight" not in self.data:
            return False
        return self.syntax.hidden.search(self.data) is not None

    def replaced(self, data: bytes) -> SheetXml:
        """The same part with other cells."""
        new = copy.copy(self)
        new._data, new._read = data, lambda: data  # noqa: SLF001 (it is of this class)
        new.bounds = (self.bounds[0], self.bounds[1] + len(data) - len(self.data))
        return new

    @property
    def is_loadable(self) -> bool:
        """Whether nothing is in the part that the engine cannot load."""
        marks = (b'"e"', b"'e'", b"extLst")
        marked = any(mark in self.data for mark in marks)
        return not (self._has_empty_formulas or marked or self._bad_dimension())

    def _bad_dimension(self) -> bytes:
        """The element that tells the part's area, if it tells none."""
        found = self.syntax.dimension.search(self.data, 0, self.bounds[0])
        bad = found and parse_area(found["area"].decode("utf-8", "replace")) is None
        return found.group() if found and bad else b""

    def loadable(self, data: bytes) -> bytes:
        """An edited copy without the error values and extensions that the engine cannot load."""
        if b'"e"' in data or b"'e'" in data:
            data = self.syntax.new_error.sub(rb"\g<1>#VALUE!", data)
        if self._has_empty_formulas:
            data = self.syntax.empty_formula.sub(b"", data)
        bad = self._bad_dimension()
        if bad:
            data = data.replace(bad, b"", 1)
        return self.syntax.cell_extension.sub(b"", data) if b"extLst" in data else data


class Formulas(Mapping[Cell, Formula]):
    """The formula cells of a sheet: where each stands in the text, to be read when it is asked for.

    There may be hundreds of thousands, so that only whole numbers are kept of each, in arrays: the
    `places` of the cells, the `starts` of their elements in the text, and in `marks` which of the
    `groups` a cell shares a formula with (`PLAIN`: it has its own, `SPECIAL`: it is in `special`).
    """

    PLAIN, SPECIAL = -1, -2

    def __init__(self, xml: SheetXml) -> None:
        self._xml = xml
        self.places = array("Q")
        self.starts = array("Q")
        self.marks = array("i")
        self.groups: list[SharedGroup] = []
        self.special: dict[Cell, Formula] = {}
        """Array formulas and data tables."""
        self._group_of: dict[str, int] = {}

    def add(self, place: int, match: re.Match[bytes]) -> None:
        """Take in a cell with a formula element; nothing becomes of an empty one."""
        text = match[FORMULA_TEXT]
        empty = not text or text.isspace()
        attributes = match[FORMULA_ATTRIBUTES]
        mark = self.PLAIN
        if attributes:
            fields = self._fields(attributes)
            kind = fields.get("t", "normal")
            if kind == "shared":
                mark = self._share(fields.get("si", ""), place, "" if empty else unescaped(text))
            elif kind == "dataTable" or (kind == "array" and not empty):
                mark = self.SPECIAL
                self.special[Cell.at(place)] = self._special(place, match, fields)
        if empty and mark == self.PLAIN:
            return
        self.places.append(place)
        self.starts.append(match.start())
        self.marks.append(mark)

    def _fields(self, attributes: bytes) -> dict[str, str]:
        found = self._xml.syntax.attribute.findall(attributes)
        return {name.decode(): value.decode("utf-8", "replace") for name, value in found}

    def _share(self, key: str, place: int, text: str) -> int:
        cell = Cell.at(place)
        number = self._group_of.setdefault(key, len(self.groups))
        if number < len(self.groups):
            self.groups[number].add(cell)
        elif text:
            self.groups.append(SharedGroup(cell, text, Area(cell, cell)))
        else:
            raise BrokenFile(f"{self._xml.part} has {cell} share a formula that is not there")
        return number

    def _special(self, place: int, match: re.Match[bytes], fields: dict[str, str]) -> Formula:
        xml = self._xml
        cell, reference = Cell.at(place), fields.get("ref", "")
        kind, area = fields["t"], parse_area(reference)
        if kind == "array" and (area is None or area.first != cell):
            raise BrokenFile(f"{xml.part} has an array formula in {cell} that fills {reference!r}")
        dynamic = kind == "array" and xml.syntax.metadata.search(match[ATTRIBUTES]) is not None
        text = unescaped(match[FORMULA_TEXT])
        return Formula(cell, text, kind, area, dynamic, xml.cached(match))

    def __len__(self) -> int:
        return len(self.places)

    def __iter__(self) -> Iterator[Cell]:
        return map(Cell.at, self.places)

    def __contains__(self, cell: object) -> bool:
        return isinstance(cell, Cell) and self.index(cell) is not None

    def __getitem__(self, cell: Cell) -> Formula:
        if cell in self.special:
            return self.special[cell]
        index = self.index(cell)
        if index is None:
            raise KeyError(cell)
        match, mark = self.match(index), self.marks[index]
        value = self._xml.cached(match)
        if mark == self.PLAIN:
            return Formula(cell, unescaped(match[FORMULA_TEXT]), "normal", None, False, value)
        group = self.groups[mark]
        return Formula(cell, group.text, "shared", None, False, value, group.leader)

    def index(self, cell: Cell) -> int | None:
        """Where a cell stands among the formula cells; None if it holds no formula."""
        place = cell.place
        index = bisect_left(self.places, place)
        return index if index < len(self.places) and self.places[index] == place else None

    def match(self, index: int) -> re.Match[bytes]:
        """The element of a formula cell."""
        found = self._xml.syntax.token.match(self._xml.data, self.starts[index])
        assert found is not None
        return found


@lru_cache(maxsize=MAX_COLUMN)
def _column(letters: bytes) -> int:
    return column_number(letters.decode())


def unescaped(text: bytes | None) -> str:
    """The text that an element holds."""
    if not text:
        return ""
    words = text.decode("utf-8")
    return unescape(words) if "&" in words else words
