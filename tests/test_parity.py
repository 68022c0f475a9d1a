"""Every route to the functions gives the same values and the same errors.

Each route runs as real a code path as there is without Excel: xlwings' Windows modules over
stand-ins for pywin32, xlwings Server by HTTP and through Microsoft's Office.js in Chromium, xlwings'
browser runtime in Node, and the headless engine. docs/excel.md says what that leaves unseen.
"""

from __future__ import annotations

import importlib.util
import json
import math
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import downloads
import headless
import office_js
import parity
import parity_page
from chinchilla_xl.errors import ArgumentError
from chinchilla_xl.functions import CellError
from chinchilla_xl.functions.cells import ERROR_CODES
from server_process import licence
from support import needed

HERE = Path(__file__).resolve().parent
LITE = HERE.parent / "addin" / "lite" / "main.py"
CASES = parity.cases()


def differences(found: list[list[list[Any]]], cases: tuple[parity.Case, ...] = CASES) -> list[str]:
    """The cases whose cells are not what they must be, in words."""
    assert len(found) == len(cases)
    return [
        f"{case}: {rows} instead of {wanted}"
        for case, rows in zip(cases, found, strict=True)
        if not parity.same_rows(rows, wanted := parity.expected_rows(case), case.kind)
    ]


def error(message: str) -> CellError:
    """An error that a classic function returns as text."""
    code, _, rest = message.partition(" ")
    return CellError(code, rest)


def message(case: parity.Case) -> str | None:
    """What a user may read about the case, if its result is one error."""
    result = parity.BY_NAME[case.function].cells(*parity.python_args(case))
    return result.message if isinstance(result, CellError) else None


def office_cells(case: parity.Case, rows: Any, said: str | None) -> list[list[Any]]:
    """The rows of an answer by Office.js, or the #VALUE! that shows what it says on hover."""
    if rows is not None:
        return office_js.rows(rows)
    assert said == (message(case) or "an argument holds #VALUE!")
    return [[CellError("#VALUE!")]]


def test_the_table_covers_every_function_and_every_kind_of_argument():
    assert len(CASES) >= 200
    assert {case.function for case in CASES} == set(parity.BY_NAME)
    assert {case.kind for case in CASES} == set(parity.KINDS)
    for case in CASES:
        for row in parity.expected_rows(case):
            for cell in row:
                assert isinstance(cell, str | CellError) or math.isfinite(cell), case


@pytest.mark.parametrize("case", CASES, ids=str)
def test_python_gives_nan_or_an_argument_error_where_a_cell_shows_an_error(case):
    wanted = parity.expected_rows(case)
    codes = [cell.code for row in wanted for cell in row if isinstance(cell, CellError)]
    element = case.kind not in ("coefficients", "deployment", "table", "fit")
    whole = not element and len(wanted) == len(wanted[0]) == 1
    if "#VALUE!" in codes or (codes and whole):
        with pytest.raises(ArgumentError):
            parity.python_rows(case)
        return
    as_nan = [[None if isinstance(c, CellError) else c for c in row] for row in wanted]
    rows = [[None if c != c else c for c in row] for row in parity.python_rows(case)]
    assert [len(row) for row in rows] == [len(row) for row in as_nan]
    for pair in zip(rows, as_nan, strict=True):
        for cell, other in zip(*pair, strict=True):
            assert cell == other or parity.same(cell, other, parity.ROUNDING)


def test_the_headless_engine_gives_the_same():
    assert differences(headless.results(CASES)) == []


def test_classic_excel_gives_the_same_by_ranges_and_by_values():
    output = subprocess.run(
        [sys.executable, HERE / "excel_com.py"], capture_output=True, text=True, check=True
    ).stdout
    answers = json.loads(output, parse_constant=pytest.fail)
    by_range, by_value = ([classic_rows(pair[i]) for pair in answers] for i in (0, 1))
    assert differences(by_range) == []
    assert differences(by_value) == []
    for case, (text, _) in zip(CASES, answers, strict=True):
        if (wanted := message(case)) is not None:
            assert error(text).message == wanted


def classic_rows(answer: Any) -> list[list[Any]]:
    """Rows of what xlwings hands over to VBA: a scalar, a row or rows."""
    rows = answer if isinstance(answer, list) else [[answer]]
    rows = rows if isinstance(rows[0], list) else [rows]
    starts = tuple(ERROR_CODES)
    return [
        [error(c) if isinstance(c, str) and c.startswith(starts) else c for c in row]
        for row in rows
    ]


def test_the_server_gives_the_same_and_says_why(server):
    found = []
    for case in CASES:
        status, body = server.call(case.function, office_js.arguments(case))
        assert status in (200, 400), f"{case}: {body}"
        refused = status == 400
        rows = None if refused else json.loads(body, parse_constant=pytest.fail)["result"]
        found.append(office_cells(case, rows, body))
    assert differences(found) == []


def office_calls() -> str:
    return json.dumps([[case.function, *office_js.arguments(case)] for case in CASES])


def test_office_js_in_a_browser_gives_the_same_and_shows_why(server_address):
    chromium = needed(shutil.which("chromium"), "Chromium is not installed")
    node = needed(shutil.which("node"), "Node is not installed")
    playwright = needed(downloads.playwright(), f"playwright-core is absent: {downloads.HOW}")
    output = subprocess.run(
        [node, HERE / "browser.mjs", playwright, chromium, server_address, "1.4"],
        input=office_calls(), capture_output=True, text=True, check=True, timeout=120,
    ).stdout  # fmt: skip
    answer = json.loads(output)
    assert answer["ready"]["host"] == "Excel"
    assert answer["complaints"] == []
    assert set(answer["associated"]) == set(parity.BY_NAME)
    invalid_value = 7  # CustomFunctions.ErrorCode.invalidValue on its way to Excel
    assert {cell["error"] for cell in answer["results"] if "error" in cell} == {invalid_value}
    cells = zip(CASES, answer["results"], strict=True)
    found = [office_cells(case, cell.get("value"), cell.get("message")) for case, cell in cells]
    assert differences(found) == []


def test_lite_gives_the_same_with_numpy_scipy_and_xlwings_alone(wheel):
    node = needed(shutil.which("node"), "Node is not installed")
    # Found, not imported: it would make a server of this process.
    xlwings_server = Path(importlib.util.find_spec("xlwings_server").origin).parent
    runtime = needed(downloads.pyodide(), f"Pyodide is absent: {downloads.HOW}")
    output = subprocess.run(
        [node, HERE / "lite.mjs", runtime, wheel, xlwings_server, LITE],
        input=office_calls(), env={**os.environ, "XLWINGS_LICENSE_KEY": licence()},
        capture_output=True, text=True, check=True, timeout=300,
    ).stdout  # fmt: skip
    answer = json.loads(output)
    assert answer["installed"] == ["chinchilla-xl", "micropip", "numpy", "scipy", "xlwings"]
    assert {cell["error"] for cell in answer["results"] if "error" in cell} == {"#VALUE!"}
    cells = zip(CASES, answer["results"], strict=True)
    found = [
        # This client puts the kind of exception before the message.
        office_cells(case, cell.get("rows"), cell.get("message", "").removeprefix("Error: "))
        for case, cell in cells
    ]
    assert differences(found) == []


def test_the_page_of_the_table_is_up_to_date():
    page = HERE.parent / "docs" / "parity.md"
    assert page.read_text(encoding="utf-8") == parity_page.make_page(), parity_page.HOW
