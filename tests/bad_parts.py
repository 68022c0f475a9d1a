"""Workbooks whose parts are missing, contradictory, or hostile XML."""

from __future__ import annotations

import random

from chinchilla_xl.errors import BrokenFile, UnsupportedFile
from chinchilla_xl.recalc import Report
from corpus import (
    CALC,
    LINKS,
    MAIN,
    ROOT,
    SHEET,
    SHEET_LINKS,
    STRINGS,
    STYLES,
    TABLE,
    TYPES,
    WORKBOOK,
    Case,
    edited,
    good_parts,
    links,
    with_cell,
    with_members,
    with_name,
    with_rows,
)

_DATA = '<sheet name="Data" sheetId="1" r:id="rId1"/>'
_CELL = '<c r="A2" s="1"><v>2</v></c>'
_SHEET = good_parts()[SHEET]

_LAUGHS = (
    '<!DOCTYPE x [<!ENTITY a0 "ha">'
    + "".join(f'<!ENTITY a{i} "' + f"&a{i - 1};" * 10 + '">' for i in range(1, 10))
    + "]>"
)


# Beyond the reach of the ratio that tells a bomb.
_NOISE = random.Random(1).randbytes(5 << 19).hex()
_MANY_ATTRIBUTES = " ".join(f'a{i}="1"' for i in range(100_000))


def _inner(entities: str, reference: str) -> str:
    """The good sheet with a document type, and a reference in a cell."""
    text = _SHEET.replace("?>\n", f"?>\n{entities}", 1)
    return text.replace("<v>2</v>", f"<v>{reference}</v>")


def _broken(text: str) -> Case:
    return Case(with_members({SHEET: text}), BrokenFile, "not well-formed XML")


MISSING: dict[str, Case] = {
    "no content types": Case(with_members({TYPES: None}), UnsupportedFile, "not an Excel workbook"),
    "no relationships of the package": Case(with_members({ROOT: None}), BrokenFile, ROOT),
    "no workbook": Case(with_members({WORKBOOK: None}), UnsupportedFile, "not an Excel workbook"),
    "no relationships of the workbook": Case(with_members({LINKS: None}), BrokenFile, LINKS),
    "no sheet": Case(with_members({SHEET: None}), BrokenFile, "which the file lacks"),
    "no shared strings": Case(with_members({STRINGS: None}), BrokenFile, "sharedStrings"),
    "no styles": Case(with_members({STYLES: None}), BrokenFile, "lacks xl/styles.xml"),
    "no table": Case(with_members({TABLE: None}), Report),
    "no relationships of the sheet": Case(with_members({SHEET_LINKS: None}), Report),
    "an empty workbook part": Case(with_members({WORKBOOK: ""}), BrokenFile, "well-formed"),
    "an empty sheet part": Case(with_members({SHEET: ""}), BrokenFile, "well-formed"),
    "an empty relationships part": Case(with_members({LINKS: ""}), BrokenFile, "well-formed"),
    "an empty part of shared strings": Case(
        with_members({STRINGS: ""}), BrokenFile, "sharedStrings.xml is not well-formed"
    ),
    "no shared string of that number": Case(
        edited(SHEET, "<v>1</v>", "<v>99</v>"), BrokenFile, "shared string"
    ),
    "a negative shared string": Case(edited(SHEET, "<v>1</v>", "<v>-1</v>"), Report),
    "an empty content type": Case(edited(TYPES, "worksheet+xml", ""), Report),
    "content types of another kind": Case(with_members({TYPES: "<a/>"}), Report),
}

LINKED: dict[str, Case] = {
    "a sheet that points nowhere": Case(
        edited(LINKS, "worksheets/sheet1.xml", "worksheets/sheet9.xml"), BrokenFile, "lacks"
    ),
    "a sheet outside of the file": Case(
        edited(LINKS, "worksheets/sheet1.xml", "../../../etc/passwd"), BrokenFile, "lacks"
    ),
    "a sheet on the web": Case(
        edited(
            LINKS,
            'Target="worksheets/sheet1.xml"',
            'Target="http://example.org" TargetMode="External"',
        ),
        BrokenFile,
        "lacks",
    ),
    "a sheet that is the workbook": Case(
        edited(LINKS, "worksheets/sheet1.xml", "workbook.xml"), BrokenFile, "no worksheet"
    ),
    "two sheets of one part": Case(
        edited(LINKS, "worksheets/sheet2.xml", "worksheets/sheet1.xml"), BrokenFile, "one part"
    ),
    "a sheet without relationship": Case(
        edited(WORKBOOK, ' r:id="rId1"', ""), BrokenFile, "'Data' points to"
    ),
    "a relationship id that is not there": Case(
        edited(WORKBOOK, 'r:id="rId1"', 'r:id="rId77"'), BrokenFile, "'Data' points to"
    ),
    "a relationship id twice": Case(
        edited(LINKS, 'Id="rId2"', 'Id="rId1"'), BrokenFile, "'rId1' twice"
    ),
    "relationships in a circle": Case(
        with_members({SHEET_LINKS: links(table="sheet1.xml", worksheet="sheet2.xml")}), Report
    ),
    "a table that points nowhere": Case(
        with_members({SHEET_LINKS: links(table="../tables/table9.xml")}), Report
    ),
    "a table that is no table": Case(with_members({TABLE: "<nothing/>"}), Report),
    "a table that is no XML": Case(with_members({TABLE: "<table"}), BrokenFile, "table1.xml"),
    "a table without area": Case(edited(TABLE, ' ref="A1:B3"', ""), Report),
    "a table off the sheet": Case(edited(TABLE, 'ref="A1:B3"', 'ref="A1:ZZZZ99999999"'), Report),
    "a table without columns": Case(
        edited(TABLE, '<tableColumn id="2" name="Twice"/>', ""), Report
    ),
    "a chart for a sheet": Case(
        edited(
            LINKS, '/worksheet" Target="worksheets/sheet1', '/chartsheet" Target="worksheets/sheet1'
        ),
        Report,
    ),
    "relationships that are no relationships": Case(
        with_members({LINKS: "<a/>"}), BrokenFile, "'Data' points to"
    ),
}

OUTLINE: dict[str, Case] = {
    "no sheets": Case(
        with_members({WORKBOOK: f'<workbook xmlns="{MAIN}"/>'}), BrokenFile, "has no sheets"
    ),
    "a workbook of another namespace": Case(
        edited(WORKBOOK, MAIN, "urn:another"), BrokenFile, "has no sheets"
    ),
    "Strict": Case(
        edited(WORKBOOK, MAIN, "http://purl.oclc.org/ooxml/spreadsheetml/main"),
        UnsupportedFile,
        "Strict",
    ),
    "two sheets of one name": Case(
        edited(WORKBOOK, 'name="Calc"', 'name="Data"'), BrokenFile, "two sheets"
    ),
    "two sheets of one name but for case": Case(
        edited(WORKBOOK, 'name="Calc"', 'name="DATA"'), BrokenFile, "two sheets"
    ),
    "a sheet without name": Case(edited(WORKBOOK, 'name="Calc" ', ""), BrokenFile, "name"),
    "a sheet with an empty name": Case(edited(WORKBOOK, '"Calc"', '""'), BrokenFile, "name"),
    "a sheet's name of 10,000 letters": Case(
        edited(WORKBOOK, '"Calc"', '"' + "x" * 10_000 + '"'), Report
    ),
    "a sheet's name with line ends": Case(edited(WORKBOOK, '"Calc"', '"a&#10;b&#9;c"'), Report),
    "100,000 sheets": Case(edited(WORKBOOK, _DATA, _DATA * 100_000), BrokenFile, "two sheets"),
    "a name local to no sheet": Case(
        with_name('name="x" localSheetId="9"', "1"), BrokenFile, "'x' is local to no sheet"
    ),
    "a name local to a negative sheet": Case(
        with_name('name="x" localSheetId="-1"', "1"), BrokenFile, "local to no sheet"
    ),
    "a name local to a word": Case(
        with_name('name="x" localSheetId="one"', "1"), BrokenFile, "local to no sheet"
    ),
    "a name local to 10^5000": Case(
        with_name('name="x" localSheetId="1' + "0" * 5000 + '"', "1"),
        BrokenFile,
        "local to no sheet",
    ),
    "names in a circle": Case(
        with_name('name="a"', 'b+1</definedName><definedName name="b">a+1', use="a+1"),
        Report,
        "a",
    ),
    "a name that stands for itself": Case(with_name('name="a"', "a", use="a+1"), Report, "a"),
    "10,000 names, each of the next": Case(
        with_name(
            'name="n0"',
            "n1"
            + "".join(f'</definedName><definedName name="n{i}">n{i + 1}' for i in range(1, 10_000)),
            use="n0+1",
        ),
        Report,
        "n0",
    ),
    "a name that is no formula": Case(with_name('name="a"', "1+(", use="a+1"), Report, "a"),
    "a name without name": Case(with_name("", "1"), Report),
    "a name that stands for nothing": Case(with_name('name="a"', "", use="a+1"), Report, "a"),
    "a name of a lost cell": Case(with_name('name="a"', "Data!#REF!", use="a+1"), Report),
    "the same name twice": Case(with_name('name="size"', "Data!$A$3"), Report, "size"),
    "a name of a sheet that is not there": Case(
        with_name('name="a"', "Nowhere!$A$1", use="a+1"), Report, "Nowhere"
    ),
    "precision as displayed": Case(
        edited(WORKBOOK, 'calcId="191029"', 'fullPrecision="0"'), UnsupportedFile, "precision"
    ),
    "iteration without end": Case(
        edited(
            WORKBOOK, 'calcId="191029"', 'iterate="1" iterateCount="2000000000" iterateDelta="0"'
        ),
        Report,
    ),
    "workbook settings that are none": Case(
        edited(WORKBOOK, "<workbookPr/>", '<workbookPr date1904="perhaps"/>'), Report
    ),
}

HOSTILE_XML: dict[str, Case] = {
    "a billion laughs": Case(
        with_members({SHEET: _inner(_LAUGHS, "&a9;")}), BrokenFile, "document type"
    ),
    "a billion laughs in the workbook": Case(
        edited(WORKBOOK, "?>\n", f"?>\n{_LAUGHS}"), BrokenFile, "document type"
    ),
    "a billion laughs in the shared strings": Case(
        edited(STRINGS, "?>\n", f"?>\n{_LAUGHS}"), BrokenFile, "document type"
    ),
    "a billion laughs in the styles": Case(
        edited(STYLES, "?>\n", f"?>\n{_LAUGHS}"), BrokenFile, "document type"
    ),
    "a quadratic blow-up": Case(
        with_members(
            {SHEET: _inner('<!DOCTYPE x [<!ENTITY a "' + "a" * 50_000 + '">]>', "&a;" * 50_000)}
        ),
        BrokenFile,
        "document type",
    ),
    "an entity from a file": Case(
        with_members(
            {SHEET: _inner('<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>', "&a;")}
        ),
        BrokenFile,
        "document type",
    ),
    "a document type from the web": Case(
        with_members({SHEET: _inner('<!DOCTYPE x SYSTEM "http://example.org/x.dtd">', "2")}),
        BrokenFile,
        "document type",
    ),
    "an unknown entity": _broken(_inner("", "&nbsp;")),
    "a sheet cut short": _broken(_SHEET[:-30]),
    "tags crossed": _broken(_SHEET.replace("</v></c>", "</c></v>", 1)),
    "an attribute twice": _broken(_SHEET.replace('r="A2"', 'r="A2" r="A2"')),
    "an attribute without quotes": _broken(_SHEET.replace('r="A2"', "r=A2")),
    "two roots": _broken(_SHEET + "<worksheet/>"),
    "an undeclared prefix": Case(edited(SHEET, "<sheetData>", "<q:x/><sheetData>"), Report),
    "NUL bytes": _broken(_SHEET.replace("<v>2</v>", "<v>2\x00</v>")),
    "a sheet of NUL bytes": Case(with_members({SHEET: bytes(2000)}), UnsupportedFile, "UTF-16"),
    "control characters": _broken(_SHEET.replace("<v>2</v>", "<v>\x01</v>")),
    "a reference to a control character": _broken(_inner("", "&#1;")),
    "a reference beyond Unicode": _broken(_inner("", "&#x7FFFFFFF;")),
    "Latin-1 called UTF-8": Case(
        with_members({SHEET: _inner("", "\xe9").encode("latin-1")}), BrokenFile, "well-formed"
    ),
    "Latin-1 called so": Case(
        with_members({SHEET: _SHEET.replace("UTF-8", "ISO-8859-1").encode("latin-1")}),
        UnsupportedFile,
        "not in UTF-8",
    ),
    "an encoding that does not exist": Case(
        with_members({SHEET: _SHEET.replace("UTF-8", "KLINGON")}), UnsupportedFile, "not in UTF-8"
    ),
    "UTF-16 called so": Case(
        with_members({SHEET: _SHEET.replace("UTF-8", "UTF-16").encode("utf-16")}),
        UnsupportedFile,
        "UTF-16",
    ),
    "UTF-16 called UTF-8": Case(
        with_members({SHEET: _SHEET.encode("utf-16")}), UnsupportedFile, "UTF-16"
    ),
    "UTF-16 without a mark": Case(
        with_members({SHEET: _SHEET.replace("UTF-8", "UTF-16").encode("utf-16-be")}),
        UnsupportedFile,
        "UTF-16",
    ),
    "UTF-32": Case(with_members({SHEET: _SHEET.encode("utf-32")}), UnsupportedFile, "UTF-16"),
    "UTF-7": Case(
        with_members({SHEET: _SHEET.replace("UTF-8", "UTF-7")}), UnsupportedFile, "not in UTF-8"
    ),
    "a workbook part in UTF-16": Case(
        with_members(
            {WORKBOOK: good_parts()[WORKBOOK].replace("UTF-8", "UTF-16").encode("utf-16")}
        ),
        UnsupportedFile,
        "UTF-16",
    ),
    "a workbook part in an unknown encoding": Case(
        with_members({WORKBOOK: good_parts()[WORKBOOK].replace("UTF-8", "KLINGON")}),
        UnsupportedFile,
        "not in UTF-8",
    ),
    "a mark of UTF-8": Case(with_members({SHEET: "\ufeff" + _SHEET}), Report),
    "comments among the cells": Case(
        edited(SHEET, _CELL, f"<!-- {_CELL} -->"), UnsupportedFile, "comments or CDATA"
    ),
    "CDATA among the cells": Case(
        edited(SHEET, "<v>2</v>", "<v><![CDATA[2]]></v>"), UnsupportedFile, "comments or CDATA"
    ),
    "cells in a comment before the sheet's data": Case(
        edited(SHEET, "<sheetData>", "<!-- <sheetData/> --><sheetData>"),
        UnsupportedFile,
        "sheetData",
    ),
    "the sheet's data twice": Case(
        edited(SHEET, "</sheetData>", "</sheetData><sheetData></sheetData>"),
        UnsupportedFile,
        "more than one sheetData",
    ),
    "no data of the sheet": Case(
        with_members({SHEET: f'<worksheet xmlns="{MAIN}"/>'}), BrokenFile, "no sheetData"
    ),
    "a sheet that is no worksheet": Case(
        with_members({SHEET: f'<chartsheet xmlns="{MAIN}"/>'}), BrokenFile, "no worksheet"
    ),
    "prefixes mixed": Case(
        edited(SHEET, "<sheetData>", f'<x:sheetViews xmlns:x="{MAIN}"/><sheetData>'),
        UnsupportedFile,
        "mixes namespace prefixes",
    ),
    "elements 100,000 deep": Case(
        edited(SHEET, "</sheetData>", "</sheetData>" + "<x>" * 100_000 + "</x>" * 100_000),
        BrokenFile,
        "depth limit",
    ),
    "cells 1,000 deep": Case(
        with_cell('<c r="A9">' + "<x>" * 1000 + "</x>" * 1000 + "</c>"), BrokenFile, "Expecting"
    ),
    "a cell in a cell": Case(
        with_cell('<c r="A9"><c r="A9"><f>1+1</f></c></c>'), UnsupportedFile, "outside of cells"
    ),
    "a row in a row": Case(with_rows('<row r="9"><row r="10"/></row>'), Report),
    "the workbook's elements 100,000 deep": Case(
        edited(WORKBOOK, "<sheets>", "<x>" * 100_000 + "</x>" * 100_000 + "<sheets>"),
        BrokenFile,
        "depth limit",
    ),
    "100,000 attributes": Case(
        edited(SHEET, "<sheetData>", f"<x {_MANY_ATTRIBUTES}/><sheetData>"),
        Report,
    ),
    "an attribute of 5 MB": Case(
        edited(SHEET, "<sheetData>", '<x y="' + _NOISE + '"/><sheetData>'), Report
    ),
    "a text of 5 MB": Case(
        with_cell('<c r="A9" t="str"><f>"a"</f><v>' + _NOISE + "</v></c>"), Report
    ),
    "styles that are no XML": Case(with_members({STYLES: "<styleSheet"}), BrokenFile, "styles"),
    "shared strings that are no XML": Case(
        with_members({STRINGS: "<sst"}), BrokenFile, "sharedStrings"
    ),
    "formulas outside of the cells": Case(
        with_rows('<row r="9"><f>1+1</f></row>'), UnsupportedFile, "outside of cells"
    ),
    "a sheet whose XML ends in the middle of a 5 MB text": Case(
        with_members({CALC: good_parts()[CALC][:-30] + _NOISE}), BrokenFile, "well-formed"
    ),
}

PARTS = MISSING | LINKED | OUTLINE | HOSTILE_XML
