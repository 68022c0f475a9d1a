"""Tables in .csv, .xlsx and .parquet files: read with one kind of error, written whole or not at all."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from chinchilla_xl.errors import BrokenFile, MissingExtra, UnsupportedFile, WorkbookError
from chinchilla_xl.recalc.files import read_file, write_file

try:
    import pandas as pd
except ImportError as missing:
    raise MissingExtra("pandas", "recalc") from missing

_READERS: dict[str, Any] = {
    ".csv": pd.read_csv,
    ".xlsx": pd.read_excel,
    ".parquet": pd.read_parquet,
}


def read_table(path: Path) -> pd.DataFrame:
    """The table in a file, its columns named by its first line."""
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise UnsupportedFile(f"{path}: a table must be a .csv, .xlsx or .parquet file")
    try:
        data = read_file(path)
    except WorkbookError as e:
        raise type(e)(f"{path}: {e}") from None
    try:
        frame: pd.DataFrame = reader(io.BytesIO(data))
    except ImportError:
        raise MissingExtra("pyarrow", "parquet") from None
    except Exception as e:  # noqa: BLE001 (each reader raises its own kinds)
        reason = str(e).splitlines()[0][:160] if str(e) else type(e).__name__
        raise BrokenFile(f"{path}: it cannot be read as a table: {reason}") from None
    if frame.empty:
        raise BrokenFile(f"{path}: it holds no rows")
    return frame


def write_table(path: Path, frame: pd.DataFrame) -> None:
    """Write a table as .csv, .xlsx or .parquet: whole or not at all."""
    target = io.BytesIO()
    kind = path.suffix.lower()
    if kind == ".csv":
        frame.to_csv(target, index=False)
    elif kind == ".xlsx":
        frame.to_excel(target, index=False, engine="xlsxwriter")
    elif kind == ".parquet":
        frame.to_parquet(target, index=False)
    else:
        raise UnsupportedFile(f"{path}: results must go to a .csv, .xlsx or .parquet file")
    write_file(path, target.getvalue())
