"""Reads named blocks of a workbook's cached values as arrays, for tests of the templates."""

from __future__ import annotations

from typing import Any

import numpy as np

from support import cached


def block(data: bytes, name: str) -> np.ndarray:
    """The cached values of the cells under a defined name, as rows of objects."""
    book = cached(data)
    ((sheet, place),) = book.defined_names[name].destinations
    cells: Any = book[sheet][place]
    rows = cells if isinstance(cells, tuple) else ((cells,),)
    return np.array([[cell.value for cell in row] for row in rows], dtype=object)


def numbers(data: bytes, name: str) -> np.ndarray:
    """The cached values under a name, all numbers; a row or a column is flat."""
    values = block(data, name).astype(np.float64)
    return values.ravel() if 1 in values.shape else values


def errors(data: bytes) -> list[str]:
    """The cells that show an error."""
    return [
        f"{sheet.title}!{cell.coordinate}: {cell.value}"
        for sheet in cached(data)
        for row in sheet.iter_rows()
        for cell in row
        if isinstance(cell.value, str) and cell.value.startswith("#")
    ]
