"""A workbook's zip archive: opened with suspicion, rewritten so that untouched members stay as they are.

Members that are not replaced are copied as the bytes they were, still compressed, with their
headers; only the offsets in the central directory move.
"""

from __future__ import annotations

import io
import lzma
import re
import struct
import zipfile
import zlib
from collections.abc import Collection, Iterable, Mapping
from typing import Any, TypeAlias

from chinchilla_xl.errors import BrokenFile, TooLarge, UnsupportedFile

Piece: TypeAlias = bytes | bytearray

MAX_PART = 512 << 20
MAX_TOTAL = 2 << 30
MAX_RATIO = 400
"""Uncompressed over compressed size, above which a large member counts as a zip bomb."""

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENTRY = struct.Struct("<4s6H3L5H2L")
_END = struct.Struct("<4s4H2LH")
_HAS_DESCRIPTOR = 0x08
_ENCRYPTED = 0x01
_UTF8 = 0x800
_NEW = (b"PK\x01\x02", 20, 20, 0, zipfile.ZIP_DEFLATED, 0, 0x21, *[0] * 10)
"""The directory's fields of a member that is added, dated 1 January 1980."""
_ZIP64, _ZIP64_COUNT = 0xFFFFFFFF, 0xFFFF
_LOCAL_SIZE = 30
"""Of a member's header in front of its name and its data."""

_OUTSIDE = re.compile(r"^/|\\|:|(?:^|/)\.\.?(?:/|$)")

_DAMAGE = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, EOFError, MemoryError,
    NotImplementedError, OSError, OverflowError, RuntimeError, ValueError,
)  # fmt: skip
"""What zipfile raises on damaged archives, in Python 3.11 to 3.14."""


class Archive:
    """The members of an .xlsx or .xlsm file.

    Raises UnsupportedFile, BrokenFile or TooLarge for anything else.
    """

    def __init__(self, data: bytes) -> None:
        self._data = data
        _refuse_foreign(data)
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(data))
            self._check_end()
        except _DAMAGE as e:
            raise BrokenFile(f"the zip archive is damaged or cut short: {e}") from None
        self._check_members()

    def _check_end(self) -> None:
        self._end = self._data.rfind(b"PK\x05\x06")
        fields = _END.unpack_from(self._data, self._end)
        _, disk, first_disk, here, count, size, self._directory_start, comment = fields
        if self._end + _END.size + comment != len(self._data):
            raise BrokenFile("there is foreign data after the end of the zip archive")
        if disk or first_disk:
            raise BrokenFile("it is one part of a zip archive of several")
        if _ZIP64_COUNT in (here, count) or self._directory_start + size != self._end:
            raise UnsupportedFile("a ZIP64 archive or one with foreign data inside: save it anew")
        if not here == count == len(self._zip.infolist()):
            raise BrokenFile(
                "the zip archive's directory holds another number of entries than told"
            )

    def _check_members(self) -> None:
        names: set[str] = set()
        folded: set[str] = set()  # names that differ only by case are one part
        total = packed = 0
        for info in self._zip.infolist():
            if info.filename.casefold() in folded:
                raise BrokenFile(f"the archive holds {info.filename} twice")
            names.add(info.filename)
            folded.add(info.filename.casefold())
            if _OUTSIDE.search(info.filename):
                raise BrokenFile(f"its member {info.filename!r} lies outside of the archive")
            total += info.file_size
            packed += info.compress_size
            if info.flag_bits & _ENCRYPTED:
                raise UnsupportedFile(
                    "the archive is protected by a password: save the workbook without one"
                )
            if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise UnsupportedFile(
                    f"{info.filename} is compressed as workbooks never are: save it anew"
                )
            bomb = _is_bomb(1 << 20, info.file_size, info.compress_size)
            bomb = bomb or _is_bomb(1 << 26, total, packed)
            if bomb or info.file_size > MAX_PART or total > MAX_TOTAL:
                raise TooLarge(
                    f"{info.filename} expands from {info.compress_size:,} to "
                    f"{info.file_size:,} bytes: over the limits against zip bombs"
                )
        self._check_overlaps()
        if "xl/workbook.bin" in names:
            raise UnsupportedFile("a binary workbook (.xlsb): save it as .xlsx or .xlsm")
        if "content.xml" in names and "mimetype" in names:
            raise UnsupportedFile("an OpenDocument file (.ods or the like): save it as .xlsx")
        if "[Content_Types].xml" not in names or "xl/workbook.xml" not in names:
            raise UnsupportedFile("a zip archive, but not an Excel workbook")
        self.names = frozenset(names)

    def _check_overlaps(self) -> None:
        """BrokenFile if two members share bytes, as in bombs that expand one of them many times."""
        end = 0
        for info in sorted(self._zip.infolist(), key=lambda i: i.header_offset):
            if info.header_offset < end:
                raise BrokenFile(f"{info.filename} overlaps another member of the archive")
            end = info.header_offset + _LOCAL_SIZE + info.compress_size
        if end > self._directory_start:
            raise BrokenFile("the zip archive is damaged: its directory overlaps a member")

    def read(self, name: str) -> bytes:
        """The uncompressed bytes of one member."""
        try:
            with self._zip.open(name) as member:  # no more of it than it says it has
                return member.read(self._zip.getinfo(name).file_size + 1)
        except KeyError:
            raise BrokenFile(f"the archive lacks {name}") from None
        except _DAMAGE as e:
            raise BrokenFile(f"{name} cannot be unpacked: {e}") from None

    def text(self, name: str) -> str:
        """One member as text."""
        try:
            return self.read(name).decode()
        except UnicodeDecodeError:
            raise BrokenFile(f"{name} is not in UTF-8") from None

    def replaced(
        self,
        parts: Mapping[str, Iterable[Piece]],
        level: int = 5,
        dropped: Collection[str] = (),
    ) -> bytes:
        """The archive with the contents of members replaced, all else byte for byte.

        New contents come in pieces; a member given none stays as it is. Members that the archive
        lacks come behind the others, and those to be dropped are left out.
        """
        out = io.BytesIO()
        entries = self._entries()
        starts = sorted(info.header_offset for info, _, _ in entries)
        entries = [entry for entry in entries if entry[0].filename not in dropped]
        ends = dict(zip(starts, [*starts[1:], self._directory_start], strict=True))
        directory = []
        for info, fixed, tail in sorted(entries, key=lambda e: e[0].header_offset):
            offset = out.tell()
            packed = _Packed(parts.get(info.filename, ()), level)
            fields = fixed
            if packed.size:
                name = info.orig_filename.encode("utf-8" if fixed[3] & _UTF8 else "cp437")
                fields = _write_member(out, name, fixed, packed)
            else:
                out.write(self._data[info.header_offset : ends[info.header_offset]])
            directory.append((info, _ENTRY.pack(*fields[:-1], offset), tail))
        added = []
        for part in sorted(parts.keys() - self.names):
            offset, name = out.tell(), part.encode()
            fields = _write_member(out, name, _NEW, _Packed(parts[part], level))
            fields = (*fields[:10], len(name), *fields[11:-1], offset)
            added.append(_ENTRY.pack(*fields) + name)
        start = out.tell()
        by_name = {info.filename: entry + tail for info, entry, tail in directory}
        for info, _, _ in entries:
            out.write(by_name[info.filename])
        out.write(b"".join(added))
        end = list(_END.unpack(self._data[self._end : self._end + _END.size]))
        end[3:5] = [len(entries) + len(added)] * 2
        end[5:7] = [out.tell() - start, start]
        out.write(_END.pack(*end) + self._data[self._end + _END.size :])
        return out.getvalue()

    def _entries(self) -> list[tuple[zipfile.ZipInfo, tuple[int, ...], bytes]]:
        """Each member's central directory entry: its info, its fixed fields, its variable tail."""
        entries = []
        position = self._directory_start
        for info in self._zip.infolist():
            try:
                fixed = _ENTRY.unpack_from(self._data, position)
            except struct.error:
                raise BrokenFile("the zip archive's directory is cut short") from None
            if _ZIP64 in (fixed[8], fixed[9], fixed[-1]):
                raise UnsupportedFile("a ZIP64 archive: save it anew")
            length = sum(fixed[10:13])
            position += _ENTRY.size
            entries.append((info, fixed, self._data[position : position + length]))
            position += length
        return entries


def _is_bomb(least: int, size: int, packed: int) -> bool:
    return size > least and size > MAX_RATIO * packed


def _refuse_foreign(data: bytes) -> None:
    if data.startswith(_OLE):
        if "EncryptedPackage".encode("utf-16-le") in data:
            raise UnsupportedFile("protected by a password: remove it in Excel first")
        raise UnsupportedFile("an old .xls file (or another OLE file): save it as .xlsx or .xlsm")
    if not data:
        raise BrokenFile("the file is empty")
    if not data.startswith(b"PK\x03\x04"):
        raise UnsupportedFile("not an .xlsx or .xlsm file")


class _Packed:
    """Pieces compressed: the result, the size and the checksum of what they were together."""

    def __init__(self, pieces: Iterable[Piece], level: int) -> None:
        deflate = zlib.compressobj(level, zlib.DEFLATED, -15)
        out = []
        self.size = self.crc = 0
        for piece in pieces:
            out.append(deflate.compress(piece))
            self.size += len(piece)
            self.crc = zlib.crc32(piece, self.crc)
        self.data = b"".join([*out, deflate.flush()])


def _write_member(
    out: io.BytesIO, name: bytes, fixed: tuple[Any, ...], packed: _Packed
) -> tuple[Any, ...]:
    """Write a member anew; its central directory fields."""
    flags = fixed[3] & ~_HAS_DESCRIPTOR
    method = zipfile.ZIP_DEFLATED
    sizes = packed.crc, len(packed.data), packed.size
    out.write(
        struct.pack(
            "<4s5H3L2H",
            b"PK\x03\x04", 20, flags, method, *fixed[5:7], *sizes, len(name), 0,
        )
    )  # fmt: skip
    out.write(name)
    out.write(packed.data)
    return (*fixed[:3], flags, method, *fixed[5:7], *sizes, *fixed[10:])
