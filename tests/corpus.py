"""A small good workbook, and what mutations of it need: its parts as text, and its zip archive."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
TYPES, ROOT = "[Content_Types].xml", "_rels/.rels"
WORKBOOK, LINKS = "xl/workbook.xml", "xl/_rels/workbook.xml.rels"
SHEET, SHEET_LINKS = "xl/worksheets/sheet1.xml", "xl/worksheets/_rels/sheet1.xml.rels"
CALC, STRINGS, STYLES = "xl/worksheets/sheet2.xml", "xl/sharedStrings.xml", "xl/styles.xml"
TABLE = "xl/tables/table1.xml"

_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"


@dataclass(frozen=True, slots=True)
class Case:
    """A file, and what must become of it.

    `outcome` is the class of the error, or Report. `words` stand in the error's message, or in the
    reasons of the formulas that a Report says were kept ("": none was).
    """

    make: Callable[[], bytes]
    outcome: type
    words: str = ""


def good_parts() -> dict[str, str]:
    """Part -> text of a workbook with two sheets, a table, a name and every kind of formula."""
    overrides = {
        WORKBOOK: f"{_TYPE}.sheet.main+xml",
        SHEET: f"{_TYPE}.worksheet+xml",
        CALC: f"{_TYPE}.worksheet+xml",
        STRINGS: f"{_TYPE}.sharedStrings+xml",
        STYLES: f"{_TYPE}.styles+xml",
        TABLE: f"{_TYPE}.table+xml",
    }
    parts = {
        TYPES: f'<Types xmlns="{PACKAGE}/content-types"><Default Extension="rels" ContentType='
        '"application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" '
        'ContentType="application/xml"/>'
        + "".join(
            f'<Override PartName="/{part}" ContentType="{kind}"/>'
            for part, kind in overrides.items()
        )
        + "</Types>",
        ROOT: links(officeDocument="xl/workbook.xml"),
        WORKBOOK: f'<workbook xmlns="{MAIN}" xmlns:r="{RELATIONS}"><workbookPr/><sheets>'
        '<sheet name="Data" sheetId="1" r:id="rId1"/><sheet name="Calc" sheetId="2" r:id="rId2"/>'
        '</sheets><definedNames><definedName name="size">Data!$A$2</definedName></definedNames>'
        '<calcPr calcId="191029"/></workbook>',
        LINKS: links(
            worksheet="worksheets/sheet1.xml",
            worksheet_2="worksheets/sheet2.xml",
            sharedStrings="sharedStrings.xml",
            styles="styles.xml",
        ),
        SHEET: f'<worksheet xmlns="{MAIN}" xmlns:r="{RELATIONS}"><sheetData>'
        '<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>1</v></c></row>'
        '<row r="2"><c r="A2" s="1"><v>2</v></c><c r="B2"><f>A2*2</f><v>0</v></c></row>'
        '<row r="3"><c r="A3" s="1"><v>3</v></c><c r="B3"><f>SUM(A2:A3)</f><v>0</v></c></row>'
        '</sheetData><tableParts count="1"><tablePart r:id="rId1"/></tableParts></worksheet>',
        SHEET_LINKS: links(table="../tables/table1.xml"),
        CALC: f'<worksheet xmlns="{MAIN}"><sheetData>'
        '<row r="1"><c r="A1"><f t="shared" si="0" ref="A1:A2">Data!A2+1</f><v>0</v></c></row>'
        '<row r="2"><c r="A2"><f t="shared" si="0"/><v>0</v></c></row>'
        '<row r="3"><c r="A3"><f t="array" ref="A3:A4">Data!A2:A3*2</f><v>0</v></c></row>'
        '<row r="4"><c r="A4"><v>0</v></c></row></sheetData></worksheet>',
        STRINGS: f'<sst xmlns="{MAIN}" count="2" uniqueCount="2"><si><t>Size</t></si>'
        "<si><t>Twice</t></si></sst>",
        STYLES: f'<styleSheet xmlns="{MAIN}"><fonts count="1"><font><sz val="11"/><name '
        'val="Calibri"/></font></fonts><fills count="1"><fill><patternFill patternType="none"/>'
        '</fill></fills><borders count="1"><border><left/><right/><top/><bottom/><diagonal/>'
        '</border></borders><cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" '
        'borderId="0"/></cellStyleXfs><cellXfs count="2"><xf numFmtId="0" fontId="0" fillId="0" '
        'borderId="0" xfId="0"/><xf numFmtId="1" fontId="0" fillId="0" borderId="0" xfId="0"/>'
        "</cellXfs></styleSheet>",
        TABLE: f'<table xmlns="{MAIN}" id="1" name="Sizes" displayName="Sizes" ref="A1:B3">'
        '<autoFilter ref="A1:B3"/><tableColumns count="2"><tableColumn id="1" name="Size"/>'
        '<tableColumn id="2" name="Twice"/></tableColumns></table>',
    }  # fmt: skip
    return {name: _HEAD + text for name, text in parts.items()}


def links(**targets: str) -> str:
    """A part of relationships; a kind that occurs again carries a number."""
    return (
        f'<Relationships xmlns="{PACKAGE}/relationships">'
        + "".join(
            f'<Relationship Id="rId{i}" Type="{RELATIONS}/{kind.partition("_")[0]}" '
            f'Target="{target}"/>'
            for i, (kind, target) in enumerate(targets.items(), 1)
        )
        + "</Relationships>"
    )


def zipped(parts: Mapping[str, str | bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """The parts as a zip archive, the same bytes every time."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, content in parts.items():
            info = zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0))
            archive.writestr(info, content, compress_type=method)
    return target.getvalue()


def good() -> bytes:
    """The good workbook."""
    return zipped(good_parts())


def edited(part: str, old: str, new: str) -> Callable[[], bytes]:
    """The good workbook with the first `old` in a part replaced."""

    def make() -> bytes:
        parts = good_parts()
        assert old in parts[part], f"{old} is not in {part}"
        return zipped(parts | {part: parts[part].replace(old, new, 1)})

    return make


def with_members(contents: Mapping[str, str | bytes | None]) -> Callable[[], bytes]:
    """The good workbook with members replaced, added or (None) left out."""

    def make() -> bytes:
        parts: dict[str, str | bytes | None] = {**good_parts(), **contents}
        return zipped({name: text for name, text in parts.items() if text is not None})

    return make


def with_rows(rows: str, part: str = SHEET) -> Callable[[], bytes]:
    """The good workbook with rows of XML added behind those of a sheet."""
    return edited(part, "</sheetData>", f"{rows}</sheetData>")


def with_cell(cell: str) -> Callable[[], bytes]:
    """The good workbook with row 9 of its first sheet holding the given XML."""
    return with_rows(f'<row r="9">{cell}</row>')


def with_formula(formula: str, attributes: str = "") -> Callable[[], bytes]:
    """The good workbook with a formula in A9 of its first sheet, 7 being its cached value."""
    text = formula.replace("&", "&amp;").replace("<", "&lt;")
    return with_cell(f'<c r="A9"><f{attributes}>{text}</f><v>7</v></c>')


def with_name(attributes: str, formula: str, use: str = "size+1") -> Callable[[], bytes]:
    """The good workbook with one more defined name, and a formula in A9."""

    def make() -> bytes:
        parts = good_parts()
        name = f"<definedName {attributes}>{formula}</definedName></definedNames>"
        cell = f'<row r="9"><c r="A9"><f>{use}</f><v>7</v></c></row></sheetData>'
        return zipped(
            parts
            | {
                WORKBOOK: parts[WORKBOOK].replace("</definedNames>", name),
                SHEET: parts[SHEET].replace("</sheetData>", cell),
            }
        )

    return make


LOCAL, CENTRAL, END = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"


def header(data: bytes, kind: bytes, member: str = "") -> int:
    """Where the header of this kind for a member (default: the first) stands."""
    position = data.find(kind)
    while member:
        at = position + (30 if kind == LOCAL else 46)
        if data[at : at + len(member)] == member.encode():
            return position
        position = data.find(kind, position + 4)
        assert position >= 0, member
    return position


def with_field(
    kind: bytes, offset: int, form: str, value: int, member: str = ""
) -> Callable[[], bytes]:
    """The good archive with one number of a zip header changed."""

    def make() -> bytes:
        data = bytearray(good())
        struct.pack_into("<" + form, data, header(bytes(data), kind, member) + offset, value)
        return bytes(data)

    return make
