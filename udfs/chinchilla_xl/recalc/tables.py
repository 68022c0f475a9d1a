"""Tables in .csv, .xlsx and .parquet files: read with one kind of error, written whole or not at all."""

from __future__ import annotations

import io
import os
import warnings
import zipfile
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path

from chinchilla_xl.errors import (
    ArgumentError,
    BrokenFile,
    MissingExtra,
    UnsupportedFile,
)
from chinchilla_xl.hints import nearest
from chinchilla_xl.recalc.files import Location, naming, read_file, suffix_of, write_file
from chinchilla_xl.recalc.inputs import separator

try:
    import pandas as pd
except ImportError as missing:
    raise MissingExtra("pandas", "recalc") from missing


def read_table(path: Location, sheet: str | None = None) -> pd.DataFrame:
    """The table in a file, its columns named by its first line, empty lines at its end left out.

    Of an .xlsx file the first sheet, or the one called `sheet`.
    """
    reader = _READERS.get(suffix_of(path))
    path = os.fspath(path)
    if reader is None:
        kind = "it is a folder: " if Path(path).is_dir() else ""
        raise UnsupportedFile(f"{path}: {kind}a table must be a .csv, .xlsx or .parquet file")
    if sheet is not None and suffix_of(path) != ".xlsx":
        raise ArgumentError(f"sheet is for .xlsx files, and {path} has none: leave out {sheet!r}")
    with naming(path):
        data = read_file(path)
    _need(_READ_WITH, suffix_of(path))
    try:
        frame = reader(data, sheet)
    except ArgumentError as e:
        raise ArgumentError(f"{path}: {e}") from None
    except UnicodeDecodeError:
        raise BrokenFile(f"{path}: its text is not UTF-8: save it as CSV UTF-8") from None
    except zipfile.BadZipFile:
        raise BrokenFile(f"{path}: it is no .xlsx file, whatever its name says") from None
    except Exception as e:  # noqa: BLE001 (each reader raises its own kinds)
        reason = str(e).splitlines()[0][:160] if str(e) else type(e).__name__
        raise BrokenFile(f"{path}: it cannot be read as a table: {reason}") from None
    filled = frame.notna().any(axis=1).to_numpy().nonzero()[0]
    frame = frame.iloc[: filled[-1] + 1] if filled.size else frame.iloc[:0]
    if frame.empty:
        raise BrokenFile(f"{path}: it holds no rows")
    return frame


def _read_csv(data: bytes, _: str | None) -> pd.DataFrame:
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    text = data.decode(encoding)
    if not text.partition("\n")[0].strip():
        raise ValueError("its first line, which names the columns, is empty")
    # A line with more fields than the first is an error, where pandas would take the surplus for
    # row names.
    with warnings.catch_warnings():
        warnings.simplefilter("error", pd.errors.ParserWarning)
        try:
            return pd.read_csv(io.StringIO(text), sep=separator(text), index_col=False)
        except pd.errors.ParserWarning:
            raise ValueError("a line has more fields than the first line has names") from None


def _read_xlsx(data: bytes, sheet: str | None) -> pd.DataFrame:
    with pd.ExcelFile(io.BytesIO(data), engine="openpyxl") as book:
        if sheet is not None and sheet not in book.sheet_names:
            names = [str(name) for name in book.sheet_names]
            listed = ", ".join(names)
            raise ArgumentError(
                f"there is no sheet {sheet!r}{nearest(sheet, names)}: it has {listed}"
            )
        return pd.read_excel(book, sheet_name=sheet or 0)


def _read_parquet(data: bytes, _: str | None) -> pd.DataFrame:
    return pd.read_parquet(io.BytesIO(data))


_READERS: dict[str, Callable[[bytes, str | None], pd.DataFrame]] = {
    ".csv": _read_csv,
    ".xlsx": _read_xlsx,
    ".parquet": _read_parquet,
}


_READ_WITH = {".xlsx": ("openpyxl", "recalc"), ".parquet": ("pyarrow", "parquet")}
_WRITTEN_WITH = {".xlsx": ("xlsxwriter", "recalc"), ".parquet": ("pyarrow", "parquet")}
"""Kind of file -> the package that pandas needs for it, and the extra that brings it."""


def _need(packages: Mapping[str, tuple[str, str]], kind: str) -> None:
    if kind in packages and find_spec(packages[kind][0]) is None:
        raise MissingExtra(*packages[kind])


def check_table(path: Location) -> None:
    """ArgumentError or MissingExtra unless a table can be written to a file of this kind."""
    if suffix_of(path) not in _READERS:
        raise ArgumentError(f"{os.fspath(path)}: results must go to a .csv, .xlsx or .parquet file")
    _need(_WRITTEN_WITH, suffix_of(path))


def write_table(path: Location, frame: pd.DataFrame) -> None:
    """Write a table as .csv, .xlsx or .parquet: whole or not at all."""
    check_table(path)
    target = io.BytesIO()
    kind = suffix_of(path)
    if kind == ".csv":
        frame.to_csv(target, index=False)
    elif kind == ".xlsx":
        frame.to_excel(target, index=False, engine="xlsxwriter")
    else:
        frame.to_parquet(target, index=False)
    write_file(path, target.getvalue())
