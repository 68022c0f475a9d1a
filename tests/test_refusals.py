"""Files that cannot be recalculated: one clear line each, and nothing is touched."""

from __future__ import annotations

import io
import os
import shutil
import stat
import zipfile
from pathlib import Path

import openpyxl
import pytest

import chinchilla_xl as cx
from chinchilla_xl.errors import BrokenFile, TooLarge, UnsupportedFile, WorkbookError
from chinchilla_xl.recalc import recompute_bytes
from chinchilla_xl.recalc.files import write_file
from support import members, saved

pytestmark = pytest.mark.once


def good() -> bytes:
    book = openpyxl.Workbook()
    book.active["A1"], book.active["B1"] = 2.0, "=A1*2"
    return saved(book)


def rebuilt(**replacements: bytes | None) -> bytes:
    """The good workbook with members replaced, added or (None) left out."""
    names = {key.replace("__", "/").replace("_xml", ".xml"): v for key, v in replacements.items()}
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for name, content in (members(good()) | names).items():
            if content is not None:
                new.writestr(name, content)
    return target.getvalue()


def with_duplicate() -> bytes:
    target = io.BytesIO(good())
    with (
        pytest.warns(UserWarning, match="Duplicate name"),
        zipfile.ZipFile(target, "a") as archive,
    ):
        archive.writestr("xl/workbook.xml", b"<twice/>")
    return target.getvalue()


def marked_encrypted() -> bytes:
    data = bytearray(good())
    position = 0
    while (position := data.find(b"PK\x01\x02", position)) >= 0:
        data[position + 8] |= 1
        position += 4
    return bytes(data)


OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(1000)
SHEET = "xl/worksheets/sheet1.xml"

BAD_FILES = {
    "empty": (b"", BrokenFile, "the file is empty"),
    "text": (b"size,tokens\n1,2\n", UnsupportedFile, "not an .xlsx or .xlsm file"),
    "old xls": (OLE, UnsupportedFile, "an old .xls file"),
    "password": (OLE + "EncryptedPackage".encode("utf-16-le"), UnsupportedFile, "password"),
    "encrypted zip": (marked_encrypted(), UnsupportedFile, "password"),
    "truncated": (good()[:-100], BrokenFile, "damaged or cut short"),
    "half": (good()[: len(good()) // 2], BrokenFile, "damaged or cut short"),
    "a zip": (rebuilt(xl__workbook_xml=None), UnsupportedFile, "not an Excel workbook"),
    "ods": (
        rebuilt(xl__workbook_xml=None, **{"mimetype": b"x", "content.xml": b"x"}),
        UnsupportedFile,
        "an OpenDocument file (.ods or the like): save it as .xlsx",
    ),
    "xlsb": (rebuilt(**{"xl/workbook.bin": b"x"}), UnsupportedFile, "binary workbook"),
    "bomb": (rebuilt(xl__bomb_xml=bytes(50 << 20)), TooLarge, "zip bombs"),
    "twice": (with_duplicate(), BrokenFile, "holds xl/workbook.xml twice"),
    "no sheet": (rebuilt(**{SHEET: None}), BrokenFile, "which the file lacks"),
    "cut sheet": (rebuilt(**{SHEET: members(good())[SHEET][:-20]}), BrokenFile, "well-formed"),
    "cut workbook": (rebuilt(xl__workbook_xml=b"<workbook>"), BrokenFile, "well-formed"),
    "entities": (
        rebuilt(**{SHEET: b'<!DOCTYPE x [<!ENTITY a "b">]><worksheet>&a;</worksheet>'}),
        BrokenFile,
        "document type",
    ),
    "disordered": (
        rebuilt(
            **{
                SHEET: b"<worksheet><sheetData><row r='1'><c r='B1'><f>1</f></c><c r='A1'/></row>"
                b"</sheetData></worksheet>"
            }
        ),
        BrokenFile,
        "out of order",
    ),
    "hidden cells": (
        rebuilt(**{SHEET: b"<worksheet><sheetData><!-- <row/> --></sheetData></worksheet>"}),
        UnsupportedFile,
        "comments or CDATA",
    ),
}


@pytest.mark.parametrize(("data", "kind", "words"), BAD_FILES.values(), ids=BAD_FILES)
def test_a_bad_file_gets_one_clear_line_and_is_left_untouched(tmp_path, data, kind, words):
    path = tmp_path / "bad.xlsx"
    path.write_bytes(data)
    with pytest.raises(kind) as caught:
        cx.recompute(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert words in message
    assert "\n" not in message
    assert path.read_bytes() == data
    assert os.listdir(tmp_path) == ["bad.xlsx"]


@pytest.mark.parametrize("cut", range(1, 60))
def test_a_file_cut_anywhere_raises_only_our_errors(cut):
    data = good()
    with pytest.raises(WorkbookError):
        recompute_bytes(data[: len(data) * cut // 60])


@pytest.mark.parametrize("step", range(40))
def test_a_flipped_byte_raises_only_our_errors_or_does_no_harm(step):
    data = bytearray(good())
    data[len(data) * step // 40] ^= 0x55
    try:
        after, _ = recompute_bytes(bytes(data))
    except cx.ChinchillaError:
        return
    assert zipfile.is_zipfile(io.BytesIO(after))


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    with pytest.raises(WorkbookError, match="there is no such file"):
        cx.recompute(tmp_path / "none.xlsx")
    with pytest.raises(WorkbookError, match="a folder"):
        cx.recompute(tmp_path)


def as_ordinary_user(action):
    """Run `action` without the superuser's rights, which no file permission stops."""
    if os.geteuid() != 0:
        return action()
    os.seteuid(65534)
    try:
        return action()
    finally:
        os.seteuid(0)


@pytest.fixture
def open_folder(tmp_path_factory):
    """A folder that any user may enter, which pytest's own are not."""
    folder = Path(os.path.realpath("/tmp")) / f"chinchilla-xl-test-{os.getpid()}"
    folder.mkdir()
    folder.chmod(0o777)
    yield folder
    shutil.rmtree(folder)


needs_posix = pytest.mark.skipif(os.name != "posix", reason="permissions as POSIX knows them")


@needs_posix
def test_a_file_that_may_not_be_read_is_refused(open_folder):
    path = open_folder / "book.xlsx"
    path.write_bytes(good())
    path.chmod(0)
    with pytest.raises(WorkbookError, match="cannot be read: permission denied"):
        as_ordinary_user(lambda: cx.recompute(path))


@needs_posix
def test_a_folder_that_may_not_be_written_is_refused_and_the_file_stays(open_folder):
    path, before = open_folder / "book.xlsx", good()
    path.write_bytes(before)
    path.chmod(0o644)
    open_folder.chmod(0o555)
    with pytest.raises(WorkbookError, match="cannot be written: permission denied"):
        as_ordinary_user(lambda: cx.recompute(path))
    assert path.read_bytes() == before


def test_writing_keeps_the_mode_follows_links_and_leaves_nothing_behind(tmp_path):
    real = tmp_path / "real.xlsx"
    real.write_bytes(good())
    real.chmod(0o640)
    link = tmp_path / "link.xlsx"
    link.symlink_to(real)
    cx.recompute(link)
    assert link.is_symlink()
    assert stat.S_IMODE(real.stat().st_mode) == 0o640
    assert real.read_bytes() != good()
    assert sorted(os.listdir(tmp_path)) == ["link.xlsx", "real.xlsx"]


def test_a_failure_while_writing_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "book.xlsx"
    path.write_bytes(b"old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(WorkbookError, match="No space left"):
        write_file(path, b"new")
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["book.xlsx"]


def test_an_unchanged_file_is_not_written_again(tmp_path):
    path = tmp_path / "book.xlsx"
    path.write_bytes(good())
    cx.recompute(path)
    os.utime(path, (1, 1))
    cx.recompute(path)
    assert path.stat().st_mtime == 1
