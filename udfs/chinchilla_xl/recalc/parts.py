"""What the workbook part says: sheets, defined names, the date system."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass
from xml.etree import ElementTree as ET
from xml.parsers import expat

from chinchilla_xl.errors import BrokenFile, UnsupportedFile
from chinchilla_xl.recalc.addresses import Area, Cell, bare_sheet, parse_area
from chinchilla_xl.recalc.archive import Archive
from chinchilla_xl.recalc.values import decode

_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_STRICT = "{http://purl.oclc.org/ooxml/spreadsheetml/main}"
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_ENCODING = re.compile(rb"""(?:\xef\xbb\xbf)?<\?xml[^>]*\sencoding\s*=\s*["']([^"']*)""")
WORKBOOK = "xl/workbook.xml"


@dataclass(frozen=True, slots=True)
class DefinedName:
    """A defined name: what it stands for, and the sheet that it is local to (None: all)."""

    name: str
    formula: str
    sheet: str | None

    @property
    def cell(self) -> tuple[str, Cell] | None:
        """The single cell that it stands for, with its sheet; None if it stands for anything else."""
        sheet, _, place = self.formula.rpartition("!")
        area = parse_area(place)
        if area is None or area.first != area.last:
            return None
        return bare_sheet(sheet), area.first


@dataclass(frozen=True, slots=True)
class Table:
    """A table: the sheet and the area that it fills, with its header and total rows."""

    name: str
    sheet: str
    area: Area
    header_rows: int
    total_rows: int
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Workbook:
    """The outline of a workbook: `titles` has every sheet, `sheets` each worksheet's part."""

    sheets: dict[str, str]
    titles: tuple[str, ...]
    names: tuple[DefinedName, ...]
    date1904: bool
    tables: tuple[Table, ...] = ()


def read_workbook(archive: Archive) -> Workbook:
    """The outline of the workbook in `archive`."""
    root = parse_xml(archive.read(WORKBOOK), WORKBOOK)
    if root.tag.startswith(_STRICT):
        raise UnsupportedFile("a Strict Open XML workbook: save it as an ordinary .xlsx")
    related = _relationships(archive, WORKBOOK)
    titles: list[str] = []
    sheets: dict[str, str] = {}
    seen: set[str] = set()
    for element in root.iterfind(f"{_MAIN}sheets/{_MAIN}sheet"):
        title = element.get("name", "")
        if not title:
            raise BrokenFile("a sheet has no name")
        if title.casefold() in seen:
            raise BrokenFile(f"two sheets are called {title!r}")
        seen.add(title.casefold())
        titles.append(title)
        kind, part = related.get(element.get(_RELATION, ""), ("", "a part"))
        if not kind or (kind == "worksheet" and part not in archive.names):
            raise BrokenFile(f"the sheet {title!r} points to {part}, which the file lacks")
        if kind == "worksheet":
            sheets[title] = part
    if len(set(sheets.values())) < len(sheets):
        raise BrokenFile("two sheets are one part of the file")
    if not titles:
        raise BrokenFile("the workbook has no sheets")
    settings = root.find(f"{_MAIN}calcPr")
    if settings is not None and settings.get("fullPrecision") in ("0", "false"):
        raise UnsupportedFile("it calculates with the precision displayed: switch that off first")
    properties = root.find(f"{_MAIN}workbookPr")
    date1904 = properties is not None and properties.get("date1904") in ("1", "true")
    tables = tuple(t for title, part in sheets.items() for t in _tables(archive, title, part))
    return Workbook(sheets, tuple(titles), _defined_names(root, titles), date1904, tables)


def without_iteration(data: bytes) -> bytes:
    """The workbook part with iterative calculation off: circular formulas are for Excel alone."""
    return re.sub(rb"""(<(?:\w+:)?calcPr\b[^>]*?)\siterate\s*=\s*["'][^"']*["']""", rb"\1", data)


def _defined_names(root: ET.Element, titles: list[str]) -> tuple[DefinedName, ...]:
    names = []
    for element in root.iterfind(f"{_MAIN}definedNames/{_MAIN}definedName"):
        local = element.get("localSheetId")
        try:
            sheet = None if local is None else titles[_natural(local)]
        except (ValueError, IndexError):
            raise BrokenFile(f"the name {element.get('name')!r} is local to no sheet") from None
        formula = (element.text or "").strip().removeprefix("=")
        names.append(DefinedName(element.get("name", ""), formula, sheet))
    return tuple(names)


def _tables(archive: Archive, title: str, sheet: str) -> Iterator[Table]:
    """The tables of a worksheet; one that does not say where it is counts as none."""
    if _relationship_part(sheet) not in archive.names:
        return
    for kind, part in _relationships(archive, sheet).values():
        if kind != "table" or part not in archive.names:
            continue
        root = parse_xml(archive.read(part), part)
        area = parse_area(root.get("ref", ""))
        header, total = root.get("headerRowCount", "1"), root.get("totalsRowCount", "0")
        if area is None or not (header + total).isdigit():
            continue
        columns = root.iterfind(f"{_MAIN}tableColumns/{_MAIN}tableColumn")
        names = tuple(str(decode("str", column.get("name", ""))) for column in columns)
        name = root.get("displayName") or root.get("name") or ""
        yield Table(name, title, area, int(header), int(total), names)


def _relationship_part(part: str) -> str:
    folder, name = posixpath.split(part)
    return posixpath.join(folder, "_rels", f"{name}.rels")


def _natural(text: str) -> int:
    """A number that counts from 0; ValueError for what is none (int takes -1, too)."""
    if not text.isdecimal():
        raise ValueError(text)
    return int(text)


def check_engine_parts(archive: Archive) -> None:
    """BrokenFile in words if a part is unsound that only the engine reads.

    Asked when the engine has refused a workbook, whose own words name neither part nor place.
    """
    for part in ("[Content_Types].xml", "_rels/.rels", *_engine_parts(archive)):
        check_xml(archive.read(part), part)


def _engine_parts(archive: Archive) -> list[str]:
    related = _relationships(archive, WORKBOOK).values()
    return [part for kind, part in related if kind in ("sharedStrings", "styles")]


def _relationships(archive: Archive, part: str) -> dict[str, tuple[str, str]]:
    """Relationship id -> (kind, part) of everything that `part` points to."""
    folder, path = posixpath.dirname(part), _relationship_part(part)
    found = {}
    for element in parse_xml(archive.read(path), path):
        target = element.get("Target", "")
        where = posixpath.normpath(posixpath.join("/" + folder, target)).lstrip("/")
        if element.get("Id", "") in found:
            raise BrokenFile(f"{path} holds {element.get('Id')!r} twice")
        found[element.get("Id", "")] = (element.get("Type", "").rsplit("/", 1)[-1], where)
    return found


def parse_xml(data: bytes, part: str) -> ET.Element:
    """The root element of a part; a document type declaration is refused."""
    check_xml(data, part)
    try:
        return ET.fromstring(data)  # noqa: S314 (check_xml has refused entities)
    except (ET.ParseError, ValueError, LookupError) as e:
        raise BrokenFile(f"{part} is not well-formed XML: {e}") from None


def check_xml(data: bytes, part: str) -> None:
    """BrokenFile unless `data` is well-formed XML in UTF-8 without a document type declaration."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\x00" in data[:64]:
        raise UnsupportedFile(f"{part} is in UTF-16: save the workbook anew")
    encoding = _ENCODING.match(data)
    if encoding and encoding[1].lower() not in (b"utf-8", b"utf8", b"us-ascii", b"ascii"):
        raise UnsupportedFile(f"{part} is not in UTF-8: save the workbook anew")

    def refuse(*_: object) -> None:
        raise BrokenFile(f"{part} declares a document type, which workbooks never do")

    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(data, True)
    except (expat.ExpatError, ValueError, LookupError) as e:
        raise BrokenFile(f"{part} is not well-formed XML: {e}") from None
