"""What several tests need: workbooks in memory and their cached values."""

from __future__ import annotations

import io
import os
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from chinchilla_xl.costs import ASSUMPTIONS
from chinchilla_xl.elementwise import POSITIVE
from chinchilla_xl.recalc import Report, recompute, recompute_bytes
from chinchilla_xl.workbooks import style
from chinchilla_xl.workbooks.book import Book
from chinchilla_xl.workbooks.page import Page


def saved(book: openpyxl.Workbook) -> bytes:
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def cached(data: bytes) -> openpyxl.Workbook:
    """The workbook with the values that its file holds."""
    return openpyxl.load_workbook(io.BytesIO(data), data_only=True)


def recomputed(book: openpyxl.Workbook, folder: Path) -> tuple[openpyxl.Workbook, Report]:
    """The workbook after a recomputation of its file."""
    path = folder / "book.xlsx"
    path.write_bytes(saved(book))
    report = recompute(path)
    return cached(path.read_bytes()), report


def computed_cells(formulas: dict[str, Any]) -> tuple[dict[str, Any], Report]:
    """Address -> value of the given cells after a recomputation in memory."""
    book = openpyxl.Workbook()
    for address, content in formulas.items():
        book.active[address] = content
    data, report = recompute_bytes(saved(book))
    sheet = cached(data).active
    return {address: sheet[address].value for address in formulas}, report


def small_budget(inputs: dict[str, Any] | None = None) -> bytes:
    """A budget of a dozen formulas, for tests that calculate it many times."""
    target = io.BytesIO()
    book = Book(target, "Small budget")
    page = Page(book, "Budget", (40, 18, 14, 40))
    page.band("Inputs", "Value", "Unit", "Source")
    page.input("target_params", "Size", 30e9, "parameters", "assumption", style.COUNT, POSITIVE)
    page.input("months", "Months", 36, "months", "assumption", style.WHOLE, POSITIVE)
    first = page.row
    for a in ASSUMPTIONS[:7]:
        name = a.label.replace(" ", "_")
        page.input(name, a.label, a.default, a.unit, a.source, style.SCIENTIFIC, a.domain)
    page.name_cells("deployment", (first, page.row - 1), (0, 1))
    demand = "months*4.5E10,months*9.4E10"
    for name, formula in (
        ("target_loss", "=CHINCHILLA_LOSS(target_params,CHINCHILLA_TOKENS(target_params))"),
        ("cost_optimal_params", f"=OPT_PARAMS(target_loss,EFFECTIVE_TOKENS({demand},deployment))"),
        ("cost_optimal_cost", f"=OPT_COST(target_loss,{demand},deployment)"),
    ):
        page.results(name, name, formula, "", "", style.SCIENTIFIC, [name])
    book.file.close()
    return recompute_bytes(target.getvalue(), inputs)[0]


def named_values(data: bytes) -> dict[str, Any]:
    """Defined name -> cached value, for the names that stand for one cell."""
    book = cached(data)
    values = {}
    for name, definition in book.defined_names.items():
        for sheet, place in definition.destinations:
            if ":" not in place:
                values[name] = book[sheet][place].value
    return values


def members(data: bytes) -> dict[str, bytes]:
    """Every member of a zip archive."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def needed(found: Any, reason: str) -> Any:
    """What a test needs of the machine; without it the test is skipped, in CI it fails."""
    if found:
        return found
    if os.environ.get("CHINCHILLA_XL_TESTS") == "all":
        pytest.fail(reason)
    return pytest.skip(reason)


def without(data: bytes, name: str) -> bytes:
    """The workbook with the named cell blank."""
    book = openpyxl.load_workbook(io.BytesIO(data))
    [(sheet, cell)] = book.defined_names[name].destinations
    book[sheet][cell.replace("$", "")] = None
    return saved(book)


SMALL: frozenset[str] = frozenset()
"""Templates with so few cells that one of a kind is enough."""


def least(template: str, usual: int) -> int:
    """More cells than this must have been looked at, lest a test compares next to nothing."""
    return 0 if template in SMALL else usual
