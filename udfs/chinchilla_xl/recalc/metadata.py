"""The metadata part, which marks the cells of dynamic arrays."""

from __future__ import annotations

import re

from chinchilla_xl.errors import UnsupportedFile
from chinchilla_xl.recalc.archive import Archive

_PART = "xl/metadata.xml"
_RELATIONSHIPS = "xl/_rels/workbook.xml.rels"
_TYPES = "[Content_Types].xml"
_KIND = "XLDAPR"
_NEW = (
    '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
    '<metadata xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" '
    'xmlns:xda="http://schemas.microsoft.com/office/spreadsheetml/2017/dynamicarray">'
    f'<metadataTypes count="1"><metadataType name="{_KIND}" minSupportedVersion="120000" copy="1" '
    'pasteAll="1" pasteValues="1" merge="1" splitFirst="1" rowColShift="1" clearFormats="1" '
    'clearComments="1" assign="1" coerce="1" cellMeta="1"/></metadataTypes>'
    f'<futureMetadata name="{_KIND}" count="1"><bk><extLst>'
    '<ext uri="{bdbb8cdc-fa1e-496e-a857-3c3f30c029c3}">'
    '<xda:dynamicArrayProperties fDynamic="1" fCollapsed="0"/></ext></extLst></bk>'
    '</futureMetadata><cellMetadata count="1"><bk><rc t="1" v="0"/></bk></cellMetadata></metadata>'
)


def dynamic_arrays(archive: Archive) -> tuple[str, dict[str, bytes]]:
    """The attribute that marks a cell as a dynamic array, and the parts to be replaced for it."""
    if _PART not in archive.names:
        return 'cm="1"', {
            _PART: _NEW.encode(),
            _RELATIONSHIPS: _with_relationship(archive.text(_RELATIONSHIPS)).encode(),
            _TYPES: _with_type(archive.text(_TYPES)).encode(),
        }
    text = archive.text(_PART)
    kinds = re.findall(r"""<(?:\w+:)?metadataType\b[^<>]*?\sname\s*=\s*["']([^"']*)""", text)
    cells = re.search(r"<(?:\w+:)?cellMetadata\b.*?</(?:\w+:)?cellMetadata\s*>", text, re.DOTALL)
    blocks = re.findall(r"<(?:\w+:)?rc\b([^<>]*)/>", cells[0]) if cells else []
    for number, block in enumerate(blocks, start=1):
        kind = re.search(r"""\st\s*=\s*["'](\d+)""", block)
        if kind and kinds[int(kind[1]) - 1 : int(kind[1])] == [_KIND]:
            return f'cm="{number}"', {}
    raise UnsupportedFile(
        "its metadata has no dynamic arrays: enter one in Excel, such as =SEQUENCE(2), and save it"
    )


def _with_relationship(text: str) -> str:
    taken = set(re.findall(r"""\sId\s*=\s*["']([^"']*)""", text))
    number = next(n for n in range(1, len(taken) + 2) if f"rId{n}" not in taken)
    new = (
        f'<Relationship Id="rId{number}" Type="http://schemas.openxmlformats.org/officeDocument/'
        '2006/relationships/sheetMetadata" Target="metadata.xml"/>'
    )
    return _before_end(text, "Relationships", new)


def _with_type(text: str) -> str:
    new = (
        '<Override PartName="/xl/metadata.xml" ContentType="application/vnd.openxmlformats-'
        'officedocument.spreadsheetml.sheetMetadata+xml"/>'
    )
    return _before_end(text, "Types", new)


def _before_end(text: str, root: str, new: str) -> str:
    """The text with a new element at the end of its root, in the root's namespace prefix."""
    prefix = re.search(rf"<(\w+:)?{root}\b", text)
    p = (prefix and prefix[1]) or ""
    at = text.rindex(f"</{p}{root}")
    return text[:at] + new.replace("<", f"<{p}", 1) + text[at:]
