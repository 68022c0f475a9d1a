"""Reads the values that a workbook file holds, as some program has left them."""

from __future__ import annotations

from collections.abc import Collection
from functools import partial
from xml.etree import ElementTree as ET

from chinchilla_xl.errors import BrokenFile
from chinchilla_xl.recalc.addresses import Cell
from chinchilla_xl.recalc.archive import Archive
from chinchilla_xl.recalc.parts import Workbook, parse_xml, read_workbook
from chinchilla_xl.recalc.sheetxml import Formula, SheetXml
from chinchilla_xl.recalc.values import Value, decode

_SHARED_STRINGS = "xl/sharedStrings.xml"
_STRING = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


class Stored:
    """A workbook file of which values are read; sheets are parsed when they are asked for."""

    def __init__(self, data: bytes) -> None:
        self._archive = Archive(data)
        self._workbook: Workbook = read_workbook(self._archive)
        self.names = {name.name: name.formula for name in self._workbook.names}
        self._parts: dict[str, SheetXml] = {}
        self._formulas: dict[str, dict[Cell, Formula]] = {}
        self._strings: list[str] | None = None

    def formulas(self, title: str) -> dict[Cell, Formula]:
        """The formulas of a sheet, with the values that the program gives."""
        if title not in self._formulas:
            part = self._workbook.sheets.get(title)
            if part is None:
                raise BrokenFile(f"it lacks the sheet {title!r}")
            self._parts[title] = SheetXml(partial(self._archive.read, part), part)
            self._formulas[title] = dict(self._parts[title].formulas().items())
        return self._formulas[title]

    def values(self, title: str, cells: Collection[Cell]) -> dict[Cell, Value]:
        """The values of cells of any kind."""
        self.formulas(title)
        found = self._parts[title].contents(set(cells))
        return {cell: self._value(kind, text) for cell, (kind, text) in found.items()}

    def truths(self, title: str) -> list[Cell]:
        """The cells that hold TRUE or FALSE."""
        self.formulas(title)
        found = self._parts[title].contents()
        return [cell for cell, (kind, _) in found.items() if kind == "b"]

    def _value(self, kind: str, text: str) -> Value:
        if kind != "s":
            return decode(kind, text)
        if self._strings is None:
            root = parse_xml(self._archive.read(_SHARED_STRINGS), _SHARED_STRINGS)
            self._strings = [_text(item) for item in root]
        return self._strings[int(text)]


def _text(item: ET.Element) -> str:
    """A shared string without its phonetic guide."""
    direct = item.findall(f"{_STRING}t") + item.findall(f"{_STRING}r/{_STRING}t")
    return str(decode("str", "".join(t.text or "" for t in direct)))
