"""The functions with no add-in give what the Python functions give, numbers and errors alike.

Each is computed by formulon, an engine that is not ours, as a LAMBDA behind a defined name and as
one LET; the LETs by a LibreOffice of 24.8 or later too, where CHINCHILLA_XL_SOFFICE names the
folder of one (.ci/newer-libreoffice prints it). No Excel was seen.

Where formulon 0.18.0 is not as Excel is:

- it does not know `_xlop.k`, the stored form of an optional parameter, only `[k]`, the form that
  Excel shows: `lambda_books.for_formulon` writes that, and a test below fails when it is learnt;
- it reads some typed numbers of 15 digits and more a last digit off, which shows near the law's E
  (20264.677374891 is not what a cell with that number holds): those here have 12 digits.

Where LibreOffice 25.2 is not as Excel is:

- TRUE in a range is the number 1 (`as_calc_takes`), a power below 1E-308 is #NUM!, not 0,
  and an overflow inside an array is infinity, not an error;
- ROWS and COLUMNS of a single number are #VALUE!, LN(-1) too, a LET inside a LET is #NAME?, and a
  LET has 126 names at most. The formulas are written so that this does no harm.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import parity
from chinchilla_xl.functions import CellError
from lambda_books import (
    NAMES,
    Call,
    Rows,
    by_formulon,
    by_libreoffice,
    by_name,
    inlined,
    newer_libreoffice,
    workbook,
)
from lambda_inputs import GRID, blocks, elements, grid
from paper import INPUT_SHARE, OUTPUT_SHARE, TABLE_2, TABLE_3, check, columns
from parity import BY_NAME, OMITTED
from support import needed

pytestmark = pytest.mark.once

FEW, MANY = 100, 2000
FUNCTIONS = tuple(name for name in NAMES if name != "COEFFS")  # no number goes into that one
Route = Callable[[list[Call], Path], list[Rows]]


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
                    alike = off <= parity.ROUNDING
                else:
                    alike = str(cell) == str(value) and not isinstance(cell, bool)
                    self.errors += isinstance(value, CellError)
                if not alike:
                    found = f"{cell!r} for {value!r} in row {i}, column {j}"
                    self.differences.append(f"{found} of {shown(call)}")


def expected(call: Call) -> Rows:
    """The cells as Python gives them."""
    args = [None if type(arg) is str and arg == OMITTED else arg for arg in call.args]
    result = BY_NAME[call.function].cells(*args)
    if not isinstance(result, list):
        height, width = call.size
        return [[result] * width] * height
    return result


def as_calc_takes(call: Call) -> Call:
    """The call with 1 for TRUE, which Calc cannot tell apart in a range."""

    def taken(arg: Any) -> Any:
        if isinstance(arg, list):
            return [taken(cell) for cell in arg]
        return float(arg) if isinstance(arg, bool) else arg

    names = [p.name for p in BY_NAME[call.function].parameters]
    args = [
        arg if name == "header" else taken(arg) for name, arg in zip(names, call.args, strict=False)
    ]
    return replace(call, args=tuple(args))


def scale(call: Call, row: list[Any], i: int, j: int) -> float:
    """What a deviation is measured against: the value itself, or the terms whose difference it is."""
    if call.function == "OPT_PLAN" and j >= 12:  # saved: the Chinchilla-style total less the other
        larger: float = max(row[5], row[11])
        return larger if j == 12 else larger / row[11]
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


def random_calls(function: str, count: int) -> list[Call]:
    """Every row of the blocks by itself, then the blocks."""
    found = blocks(function, count)
    return [*(call for block in found for call in elements(block)), *found]


def lambdas_in_formulon(calls: list[Call], folder: Path) -> list[Rows]:
    return by_formulon(workbook(calls, by_name), calls)


def lets_in_formulon(calls: list[Call], folder: Path) -> list[Rows]:
    return by_formulon(workbook(calls, inlined), calls)


def lets_in_libreoffice(calls: list[Call], folder: Path) -> list[Rows]:
    why = "CHINCHILLA_XL_SOFFICE names no LibreOffice that knows LET (.ci/newer-libreoffice)"
    soffice = needed(newer_libreoffice(), why)
    return by_libreoffice(workbook(calls, inlined, dynamic=False), calls, soffice, folder)


ROUTES = (lambdas_in_formulon, lets_in_formulon, lets_in_libreoffice)
each_route = pytest.mark.parametrize("compute", ROUTES, ids=lambda route: route.__name__)


@pytest.mark.parametrize("count", [FEW, pytest.param(MANY, marks=pytest.mark.slow)])
@pytest.mark.parametrize("function", FUNCTIONS)
@each_route
def test_random_arguments_give_what_python_gives(
    compute: Route, function, count, tmp_path, record_property
):
    calls = random_calls(function, count)
    found = compute(calls, tmp_path)
    owed = map(as_calc_takes, calls) if compute is lets_in_libreoffice else calls
    comparison = compare(owed, found)
    record_property("worst", comparison.worst)
    assert not comparison.differences, "\n".join(comparison.differences[:20])
    assert comparison.cells >= 2 * count
    assert comparison.errors < comparison.cells / 2


@each_route
def test_a_column_against_a_row_fills_a_grid_with_a_law_for_each_row(compute: Route, tmp_path):
    calls = [
        grid(name)
        for name in FUNCTIONS
        if BY_NAME[name].required > 1 and not BY_NAME[name].returns_table
    ]
    comparison = compare(calls, compute(calls, tmp_path))
    assert not comparison.differences, "\n".join(comparison.differences)
    assert comparison.cells == len(calls) * GRID[0] * GRID[1] > 2 * comparison.errors


@each_route
def test_every_data_price_leads_to_the_optimum(compute: Route, tmp_path):
    """Where a token costs as much to buy as to train on, the first guess has its bend."""
    machines = [1.34, 1.22e14, 0.016, 77.5, 2.7e13, 0.81, 0.97]
    losses = [[float(f"{0.028 + 10**x:.12G}")] for x in np.linspace(-2, 3, 21)]
    calls = [
        Call("OPT_COST", (losses, 2.4e3, 7.7e7, [[*machines, 10.0**x]], [law]), (21, 1))
        for x in range(-12, 3)
        for law in ([2.726, 19046.0, 0.028, 0.0576, 2.47], [406.4, 410.7, 0.028, 1.5, 0.08])
    ]
    comparison = compare(calls, compute(calls, tmp_path))
    assert not comparison.differences, "\n".join(comparison.differences[:20])
    assert comparison.errors < comparison.cells / 4


@each_route
def test_a_term_too_small_for_a_number_is_nothing(compute: Route, tmp_path):
    law = [[406.4, 410.7, 1.69, 1.5, 1.2]]
    calls = [
        Call("CHINCHILLA_LOSS", ([[1e300], [10.0]], [[10.0], [1e300]], law), (2, 1)),
        Call("TOKENS_FOR_LOSS", (2.0, 1e300, law)),
        Call("OPT_PLAN", (2.0, 1e12, 1e12, OMITTED, law, OMITTED, OMITTED, False), (1, 14)),
        Call("OPT_PLAN", (2.0, 1e12, 1e12, OMITTED, law, 1e300, 1e300, False), (1, 14)),
    ]
    comparison = compare(calls, compute(calls, tmp_path))
    assert not comparison.differences, "\n".join(comparison.differences)
    assert not comparison.errors


@each_route
def test_the_parity_table_holds_without_an_add_in(compute: Route, tmp_path):
    cases = [case for case in parity.cases() if case.function in NAMES]
    calls = [Call(case.function, case.args, size(case)) for case in cases]
    found = compute(calls, tmp_path)
    differences = []
    for case, call, rows in zip(cases, calls, found, strict=True):
        wanted = parity.expected_rows(case)
        if compute is lets_in_libreoffice and case.kind == "boolean":
            wanted = expected(as_calc_takes(call))
        if not parity.same_rows(rows, wanted, case.kind):
            differences.append(f"{case}: {rows} instead of {wanted}")
    assert not differences, "\n".join(differences)


def size(case: parity.Case) -> tuple[int, int]:
    rows = parity.expected_rows(case)
    return len(rows), len(rows[0])


@each_route
def test_tables_2_and_3_of_the_paper_come_out_as_printed(compute: Route, tmp_path):
    def values(*wanted: tuple[Any, ...]) -> list[Any]:
        """A column for every function with its columns."""
        calls = [
            Call(function, tuple([[float(x)] for x in column] for column in given), (5, 1))
            for function, *given in wanted
        ]
        return [np.array(rows)[:, 0] for rows in compute(calls, tmp_path)]

    (params, demand), (params_3, demand_3) = (
        [columns(table, column) for column in ("params", "tokens")] for table in (TABLE_2, TABLE_3)
    )
    used = demand_3 * INPUT_SHARE, demand_3 * OUTPUT_SHARE
    training, training_3, effective = values(
        ("CHINCHILLA_TOKENS", params), ("CHINCHILLA_TOKENS", params_3), ("EFFECTIVE_TOKENS", *used)
    )
    loss, loss_3 = values(
        ("CHINCHILLA_LOSS", params, training), ("CHINCHILLA_LOSS", params_3, training_3)
    )
    size, data, best, size_3, data_3, best_3, trained, served = values(
        ("OPT_PARAMS", loss, demand),
        ("OPT_TOKENS", loss, demand),
        ("OPT_FLOPS", loss, demand),
        ("OPT_PARAMS", loss_3, effective),
        ("OPT_TOKENS", loss_3, effective),
        ("OPT_COST", loss_3, *used),
        ("TRAIN_COST", params_3, training_3),
        ("SERVE_COST", params_3, *used),
    )
    spent, spent_3 = 6 * params * training + 2 * params * demand, trained + served
    for name, table, *found in (
        ("Table 2", TABLE_2, loss, training, spent, size, data, best, 1 - best / spent),
        ("Table 3", TABLE_3, loss_3, training_3, spent_3, size_3, data_3, best_3,
         1 - best_3 / spent_3),
    ):  # fmt: skip
        headings = "loss training spent opt_params opt_training opt_spent saved".split()
        check(name, table, dict(zip(headings, found, strict=True)))


def test_formulon_knows_optional_parameters_by_brackets_and_not_as_excel_stores_them():
    import formulon

    body = "IF(_xlfn.ISOMITTED(_xlpm.k),5,_xlpm.k)"
    found = {}
    with formulon.Workbook.create_default() as book:
        for row, parameter in enumerate(("_xlop.k", "[_xlpm.k]")):
            book.set_defined_name(f"CX.TRY_{row}", f"=_xlfn.LAMBDA({parameter},{body})")
            for column, call in enumerate(("", "7")):
                book.set_formula(0, row, column, f"=CX.TRY_{row}({call})")
        book.recalc()
        found = [
            [book.get_value(0, row, column).to_python() for column in (0, 1)] for row in (0, 1)
        ]
    assert not isinstance(found[0][1], float)
    assert found[1] == [5.0, 7.0]
