"""The functions with no add-in give what the Python functions give, numbers and errors alike.

Each is computed by formulon, an engine that is not ours, as a LAMBDA behind a defined name and as
one LET; the LETs by a LibreOffice of 24.8 or later too, where CHINCHILLA_XL_SOFFICE names the
folder of one (.ci/newer-libreoffice prints it). No Excel was seen.

Where formulon 0.18.0 is not as Excel is:

- it does not know `_xlop.k`, the stored form of an optional parameter, only `[k]`, the form that
  Excel shows: `lambda_books.for_formulon` writes that (test_formulon_needs_brackets...).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

import parity
from chinchilla_xl.functions import CellError
from lambda_books import (
    NAMES,
    Call,
    Rows,
    Spelling,
    by_formulon,
    by_libreoffice,
    by_name,
    inlined,
    newer_libreoffice,
    workbook,
)
from lambda_inputs import blocks, elements
from parity import BY_NAME, OMITTED
from support import needed

ROUNDING = 1e-12
FEW, MANY = 200, 2000
FUNCTIONS = tuple(name for name in NAMES if name != "COEFFS")  # no number goes into that one
HOW_MANY = [FEW, pytest.param(MANY, marks=pytest.mark.slow)]


@dataclass
class Comparison:
    """What was found beside what Python gives."""

    worst: float = 0.0
    cells: int = 0
    errors: int = 0
    differences: list[str] = field(default_factory=list)

    def add(self, call: Call, rows: Rows) -> None:
        wanted = expected(call)
        shape, owed = ([len(row) for row in table] for table in (rows, wanted))
        if shape != owed:
            self.differences.append(f"{shown(call)}: {rows} instead of {wanted}")
            return
        for i, (row, other) in enumerate(zip(rows, wanted, strict=True)):
            for j, (cell, value) in enumerate(zip(row, other, strict=True)):
                self.cells += 1
                if isinstance(value, float) and isinstance(cell, int | float):
                    off = abs(cell - value) / scale(call, other, i, j) if cell != value else 0.0
                    self.worst = max(self.worst, off)
                    if not off <= ROUNDING:
                        self.differences.append(
                            f"{shown(call)}[{i}, {j}]: {cell!r} for {value!r}, off by {off:.1e}"
                        )
                elif str(cell) != str(value) or isinstance(cell, bool):
                    self.differences.append(f"{shown(call)}[{i}, {j}]: {cell!r} for {value!r}")
                else:
                    self.errors += isinstance(value, CellError)


def expected(call: Call) -> Rows:
    """The cells as Python gives them."""
    args = [None if type(arg) is str and arg == OMITTED else arg for arg in call.args]
    result = BY_NAME[call.function].cells(*args)
    if not isinstance(result, list):
        height, width = call.size
        return [[result] * width] * height
    return result


def scale(call: Call, row: list[Any], i: int, j: int) -> float:
    """What a deviation is measured against: the value itself, or the terms whose difference it is."""
    if call.function == "OPT_PLAN" and j >= 12:  # what is saved of the Chinchilla-style total
        return abs(row[11]) if j == 12 else 1.0
    if call.function == "COMPUTE_OVERHEAD":  # of second order in log(size_ratio), near 0
        ratio = call.args[0][i][0] if isinstance(call.args[0], list) else call.args[0]
        return max(abs(row[j]), abs(math.log(ratio)) * 1e-3)
    return abs(row[j])


def shown(call: Call) -> str:
    return str(parity.Case("", call.function, call.args, None))[:300]


def compare(calls: Iterable[Call], found: Iterable[Rows]) -> Comparison:
    comparison = Comparison()
    for call, rows in zip(calls, found, strict=True):
        comparison.add(call, rows)
    return comparison


def random_calls(function: str, count: int, *, numbers_only: bool = False) -> list[Call]:
    """Every row of the blocks by itself, then the blocks."""
    columns = blocks(function, count, numbers_only=numbers_only)
    return [*(call for block in columns for call in elements(block)), *columns]


@pytest.mark.parametrize("count", HOW_MANY)
@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("spell", [by_name, inlined], ids=["lambda", "cells"])
def test_formulon_gives_what_python_gives_for_random_arguments(
    spell: Spelling, function, count, record_property
):
    calls = random_calls(function, count, numbers_only=spell is inlined)
    found = by_formulon(workbook(calls, spell), calls)
    comparison = compare(calls, found)
    record_property("worst", comparison.worst)
    assert not comparison.differences, "\n".join(comparison.differences[:20])
    assert comparison.cells >= 2 * count


@pytest.fixture(scope="session")
def soffice() -> Path:
    why = "CHINCHILLA_XL_SOFFICE names no LibreOffice that knows LET (.ci/newer-libreoffice)"
    return needed(newer_libreoffice(), why)


@pytest.mark.parametrize("count", HOW_MANY)
def test_libreoffice_gives_what_python_gives_for_random_arguments(
    soffice, count, tmp_path, record_property
):
    calls = [
        call for function in FUNCTIONS for call in random_calls(function, count, numbers_only=True)
    ]
    found = by_libreoffice(workbook(calls, inlined, dynamic=False), calls, soffice, tmp_path)
    results = zip(calls, found, strict=True)
    comparisons = {function: Comparison() for function in FUNCTIONS}
    for call, rows in results:
        comparisons[call.function].add(call, rows)
    differences = []
    for function, comparison in comparisons.items():
        record_property(function, comparison.worst)
        differences += comparison.differences[:5]
    assert not differences, "\n".join(differences)
