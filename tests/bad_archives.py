"""Files whose zip archive is damaged, hostile, or no .xlsx at all."""

from __future__ import annotations

import io
import struct
import warnings
import zipfile
import zlib
from collections.abc import Callable

from chinchilla_xl.errors import BrokenFile, TooLarge, UnsupportedFile
from chinchilla_xl.recalc import Report
from corpus import (
    CENTRAL,
    END,
    LOCAL,
    SHEET,
    TYPES,
    WORKBOOK,
    Case,
    edited,
    good,
    good_parts,
    header,
    with_field,
    with_members,
    zipped,
)

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504)
ZIP64 = 0xFFFFFFFF


def cut(numerator: int, of: int = 12) -> Callable[[], bytes]:
    return lambda: good()[: len(good()) * numerator // of]


def spliced(change: Callable[[bytes], bytes]) -> Callable[[], bytes]:
    return lambda: change(good())


def appended(name: str, content: bytes) -> Callable[[], bytes]:
    """The good archive with a member appended, whether or not there is one of that name."""

    def make() -> bytes:
        target = io.BytesIO(good())
        with warnings.catch_warnings(), zipfile.ZipFile(target, "a") as archive:
            warnings.simplefilter("ignore", UserWarning)
            archive.writestr(name, content)
        return target.getvalue()

    return make


def in_two_directory_entries(data: bytes) -> bytes:
    """The directory has the sheet's entry twice."""
    start = header(data, CENTRAL, SHEET)
    length = 46 + sum(struct.unpack_from("<3H", data, start + 28))
    entry = data[start : start + length]
    end = data.rfind(END)
    count, size, offset = struct.unpack_from("<HLL", data, end + 10)
    fields = struct.pack("<4s4H2LH", END, 0, 0, count + 1, count + 1, size + length, offset, 0)
    return data[:end] + entry + fields


def overlapping(data: bytes) -> bytes:
    """Two entries of the directory stand for the same bytes of the file."""
    changed = bytearray(data)
    workbook, sheet = header(data, CENTRAL, WORKBOOK), header(data, CENTRAL, SHEET)
    changed[sheet + 42 : sheet + 46] = changed[workbook + 42 : workbook + 46]
    return bytes(changed)


def wrong_local_name(data: bytes) -> bytes:
    start = header(data, LOCAL, SHEET) + 30
    return data[:start] + b"xl/worksheets/sheet7.xml" + data[start + len(SHEET) :]


def flipped_content(data: bytes) -> bytes:
    changed = bytearray(data)
    start = header(data, LOCAL, SHEET) + 30 + len(SHEET)
    for i in range(start + 8, start + 16):
        changed[i] ^= 0xFF
    return bytes(changed)


def zeros(size: int) -> bytes:
    return bytes(size)


def lying_bomb() -> bytes:
    """A sheet of 300 MB that says it has 2,000 bytes."""
    parts = good_parts()
    text = parts[SHEET].replace("</sheetData>", "</sheetData>" + " " * (300 << 20))
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = packer.compress(text.encode()) + packer.flush()
    data = zipped(parts | {SHEET: packed}, zipfile.ZIP_STORED)
    changed = bytearray(data)
    for kind, method, size in ((LOCAL, 8, 22), (CENTRAL, 10, 24)):
        start = header(data, kind, SHEET)
        struct.pack_into("<H", changed, start + method, 8)
        struct.pack_into("<L", changed, start + size, 2000)
    return bytes(changed)


def zip64(data: bytes) -> bytes:
    """Sizes of the sheet in a ZIP64 field."""
    start = header(data, CENTRAL, SHEET)
    packed, size = struct.unpack_from("<LL", data, start + 20)
    field = struct.pack("<HHQQ", 1, 16, size, packed)
    entry = bytearray(data[start : start + 46 + len(SHEET)])
    struct.pack_into("<LL", entry, 20, ZIP64, ZIP64)
    struct.pack_into("<H", entry, 30, len(field))
    changed = data[:start] + bytes(entry) + field + data[start + len(entry) :]
    end = changed.rfind(END)
    (length,) = struct.unpack_from("<L", changed, end + 12)
    return changed[: end + 12] + struct.pack("<L", length + len(field)) + changed[end + 16 :]


def nested() -> bytes:
    """Zip archives in zip archives, 10 MB of zeros in each of the innermost."""
    inner = zipped({f"{i}.bin": bytes(10 << 20) for i in range(3)})
    for _ in range(3):
        inner = zipped({f"{i}.zip": inner for i in range(10)})
    return with_members({"xl/media/images.zip": inner})()


def many_members() -> bytes:
    return zipped({**good_parts(), **{f"xl/media/{i}.xml": "" for i in range(70_000)}})


ARCHIVES: dict[str, Case] = {
    "empty file": Case(lambda: b"", BrokenFile, "the file is empty"),
    "a text": Case(lambda: b"size,tokens\n1,2\n", UnsupportedFile, "not an .xlsx or .xlsm file"),
    "zeros": Case(lambda: bytes(4096), UnsupportedFile, "not an .xlsx or .xlsm file"),
    "a page": Case(lambda: b"<html><table></table></html>", UnsupportedFile, "not an .xlsx"),
    "a gzip file": Case(lambda: b"\x1f\x8b\x08" + bytes(99), UnsupportedFile, "not an .xlsx"),
    "xls": Case(lambda: OLE, UnsupportedFile, "an old .xls file"),
    "encrypted xlsx": Case(
        lambda: OLE + "EncryptedPackage".encode("utf-16-le"), UnsupportedFile, "a password"
    ),
    "xlsb": Case(with_members({"xl/workbook.bin": b"\x83\x01"}), UnsupportedFile, "xlsb"),
    "docx": Case(
        lambda: zipped({TYPES: "<Types/>", "word/document.xml": "<document/>"}),
        UnsupportedFile,
        "not an Excel workbook",
    ),
    "empty zip": Case(lambda: zipped({}), UnsupportedFile, "not an"),
    "only the first bytes of a zip": Case(lambda: LOCAL, BrokenFile, "damaged or cut short"),
    **{f"cut at {i}/12": Case(cut(i), BrokenFile, "damaged or cut short") for i in range(1, 12)},
    "without its last byte": Case(spliced(lambda d: d[:-1]), BrokenFile, "damaged or cut short"),
    "without its first kilobyte": Case(
        spliced(lambda d: d[1024:]), UnsupportedFile, "not an .xlsx"
    ),
    "data before": Case(spliced(lambda d: b"#!/bin/sh\n" + d), UnsupportedFile, "not an .xlsx"),
    "data after": Case(spliced(lambda d: d + b"more"), BrokenFile, "foreign data"),
    "twice in a row": Case(spliced(lambda d: d + d), UnsupportedFile, "foreign data"),
    "converted line ends": Case(
        spliced(lambda d: d.replace(b"\n", b"\r\n").replace(b"\x00\x00", b"\x00\r\n")),
        BrokenFile,
        "damaged",
    ),
    "read as text": Case(
        spliced(lambda d: d.decode("utf-8", "replace").encode()), BrokenFile, "damaged"
    ),
    "bad CRC in the directory": Case(with_field(CENTRAL, 16, "L", 7, SHEET), BrokenFile, "CRC"),
    "bad contents": Case(spliced(flipped_content), BrokenFile, "cannot be unpacked"),
    "bad contents of an image": Case(
        with_field(CENTRAL, 16, "L", 7, "xl/styles.xml"), BrokenFile, "styles"
    ),
    "unknown compression": Case(
        with_field(CENTRAL, 10, "H", 97, SHEET), UnsupportedFile, "compressed"
    ),
    "implied compression": Case(
        with_field(CENTRAL, 10, "H", 6, SHEET), UnsupportedFile, "compressed"
    ),
    "newer zip": Case(with_field(CENTRAL, 6, "H", 99, SHEET), BrokenFile, "version"),
    "encrypted member": Case(with_field(CENTRAL, 8, "H", 1, SHEET), UnsupportedFile, "a password"),
    "strongly encrypted member": Case(
        with_field(CENTRAL, 8, "H", 0x41, SHEET), UnsupportedFile, "a password"
    ),
    "directory off the file": Case(with_field(END, 16, "L", 1 << 30), UnsupportedFile, "foreign"),
    "directory too long": Case(with_field(END, 12, "L", 1 << 20), BrokenFile, "damaged"),
    "directory in the middle": Case(with_field(END, 16, "L", 100), UnsupportedFile, "foreign"),
    "too few entries told": Case(with_field(END, 10, "H", 2), BrokenFile, "entries"),
    "too many entries told": Case(with_field(END, 10, "H", 60_000), BrokenFile, "entries"),
    "parts on several disks": Case(with_field(END, 4, "H", 3), BrokenFile, "of several"),
    "entry's signature broken": Case(with_field(CENTRAL, 0, "L", 0, SHEET), BrokenFile, "damaged"),
    "local header broken": Case(with_field(LOCAL, 0, "L", 0, SHEET), BrokenFile, "unpacked"),
    "member off the file": Case(
        with_field(CENTRAL, 42, "L", 1 << 30, SHEET), BrokenFile, "damaged"
    ),
    "name too long": Case(with_field(CENTRAL, 28, "H", 60_000, SHEET), BrokenFile, "entries"),
    "sizes that lie": Case(with_field(CENTRAL, 24, "L", 10, SHEET), BrokenFile, "unpacked"),
    "overlapping members": Case(spliced(overlapping), BrokenFile, "overlaps"),
    "other name in the local header": Case(spliced(wrong_local_name), BrokenFile, "unpacked"),
    "the same entry twice": Case(spliced(in_two_directory_entries), BrokenFile, "twice"),
    "a sheet twice": Case(appended(SHEET, b"<worksheet/>"), BrokenFile, f"holds {SHEET} twice"),
    "the workbook twice": Case(appended(WORKBOOK, b"<x/>"), BrokenFile, "twice"),
    "a member in capitals too": Case(appended(WORKBOOK.upper(), b"<x/>"), BrokenFile, "twice"),
    "absolute member": Case(appended("/etc/passwd", b"x"), BrokenFile, "outside"),
    "member above": Case(appended("../../evil.xml", b"x"), BrokenFile, "outside"),
    "member above, by backslashes": Case(appended("..\\evil.xml", b"x"), BrokenFile, "outside"),
    "drive": Case(appended("C:/evil.xml", b"x"), BrokenFile, "outside"),
    "a member that is a bomb": Case(
        with_members({"xl/media/image1.png": bytes(50 << 20)}), TooLarge, "zip bombs"
    ),
    "a sheet that is a bomb": Case(with_members({SHEET: zeros(60 << 20)}), TooLarge, "zip bombs"),
    "many small bombs": Case(
        with_members({f"xl/media/{i}.bin": bytes(1 << 20) for i in range(200)}),
        TooLarge,
        "zip bombs",
    ),
    "nested archives": Case(nested, Report),
    "a bomb that lies about its size": Case(lying_bomb, BrokenFile, "unpacked"),
    "70,000 members": Case(many_members, UnsupportedFile, "ZIP64"),
    "ZIP64 sizes": Case(spliced(zip64), UnsupportedFile, "ZIP64"),
    "ZIP64 promised": Case(with_field(CENTRAL, 20, "L", ZIP64, SHEET), BrokenFile, "overlaps"),
    "stored, not compressed": Case(lambda: zipped(good_parts(), zipfile.ZIP_STORED), Report),
    "bzip2": Case(lambda: zipped(good_parts(), zipfile.ZIP_BZIP2), UnsupportedFile, "compressed"),
    "LZMA": Case(lambda: zipped(good_parts(), zipfile.ZIP_LZMA), UnsupportedFile, "compressed"),
    "a macro": Case(edited(TYPES, "sheet.main+xml", "macroEnabled.main+xml"), Report),
}
