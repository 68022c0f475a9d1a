"""The parity table: calls of every function and what every route must give for them.

A case holds the arguments as `WorksheetFunction.cells` takes them (a range is a list of rows, None
a blank cell, OMITTED an argument left out) and what functions owe for it: an error's code, or NUMBER
where there is a number. The number is that of a plain Python call with floats, so that no route is
compared with itself. test_parity.py runs the routes, parity_page.py writes docs/parity.md.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from chinchilla_xl.functions import FUNCTIONS, CellError, WorksheetFunction

OMITTED = "<omitted>"
NUMBER = "<number>"
AS_PYTHON = "<as Python>"
"""The whole table that Python's call returns."""

ROUNDING = 1e-12
FIT_ROUNDING = 1e-6
"""A fit stops where its steps are small; other libraries of linear algebra stop elsewhere."""

BY_NAME = {function.name: function for function in FUNCTIONS}
DIV, NA, NAME, NUM, REF, VALUE = "#DIV/0!", "#N/A", "#NAME?", "#NUM!", "#REF!", "#VALUE!"

GOOD: dict[str, tuple[float, float, float]] = {
    "params": (7e9, 1e10, 3.5e10),
    "tokens": (2e12, 1e10, 3e11),
    "loss": (2.23, 2.1, 3.0),
    "inference_tokens": (2e11, 0.0, 1e15),
    "input_tokens": (1e11, 0.0, 5e12),
    "output_tokens": (2e11, 1e9, 3e12),
    "params_a": (13e9, 12e9, 11e9),
    "tokens_a": (5.77e11, 4e11, 1e11),
    "params_b": (7e9, 6e9, 1e10),
    "tokens_b": (1.47e12, 2e13, 3e12),
    "size_ratio": (0.5, 1.0, 3.0),
}
"""Three values of each argument; any of them goes with the first of the others."""


@dataclass(frozen=True)
class Case:
    """One call and what it must give: a code, NUMBER, rows of those, or AS_PYTHON."""

    kind: str
    function: str
    args: tuple[Any, ...]
    expected: Any

    def __str__(self) -> str:
        return f"{self.function}({', '.join(map(_shown, self.args))})"


KINDS = {
    "number": "plain numbers",
    "whole number": "numbers that JavaScript sends as integers",
    "column": "a column of cells",
    "row": "a row of cells",
    "grid": "a column against a row",
    "wrong shape": "ranges that do not fit",
    "blank": "a blank cell, alone",
    "blank in a range": "a blank cell among numbers",
    "error": "an error value, alone",
    "error in a range": "an error value among numbers",
    "boolean": "TRUE or FALSE for a number",
    "text": "a text for a number, alone",
    "text in a range": "a text among numbers",
    "empty text": 'a formula that gives ""',
    "no answer": "a number outside the domain",
    "extreme": "numbers near the ends of the range of floats",
    "omitted": "an optional argument left out or blank",
    "coefficients": "the forms of coeffs",
    "deployment": "the forms of deployment",
    "table": "functions that return tables",
    "fit": "tables of training runs",
}

FIVE = [406.4, 410.7, 1.69, 0.336, 0.283]
SEVEN = [1.5, 3.12e14, 0.5, 1.1, 6.24e14, 0.5, 0.01]
LABELS = [
    "training GPU price", "training GPU peak", "training MFU", "serving GPU price",
    "serving GPU peak", "input MFU", "output MFU",
]  # fmt: skip
DEPLOYMENT = [[label, value] for label, value in zip(LABELS, SEVEN, strict=True)]

RUNS = [
    [n, d, round(1.69 + 406.4 / n**0.34 + 410.7 / d**0.28 + wobble, 6)]
    for (n, d), wobble in zip(
        [(n, d) for n in (1e8, 3e8, 1e9, 3e9) for d in (2e9, 2e10, 2e11)],
        [0.002, -0.001, 0.0, 0.001, -0.002, 0.001, 0.0, 0.002, -0.001, 0.001, 0.0, -0.002],
        strict=True,
    )
]
SIZES, DATA, LOSSES = ([[run[i]] for run in RUNS] for i in range(3))


@cache
def cases() -> tuple[Case, ...]:
    """The whole table."""
    return (*_elementwise(), *_settings(), *_tables(), *_fits())


def _elementwise() -> Iterator[Case]:
    """Every kind of argument in every function of numbers, in a place that differs by function."""
    for number, function in enumerate(f for f in FUNCTIONS if not f.returns_table):
        names = [p.name for p in function.parameters[: function.required]]
        good = tuple(GOOD[name][0] for name in names)
        place = number % len(good)
        rest = (NUMBER,) * 2

        def case(kind: str, bad: Any, expected: Any) -> Case:
            return Case(kind, function.name, (*good[:place], bad, *good[place + 1 :]), expected)  # noqa: B023

        three = [[value] for value in GOOD[names[place]]]

        def among(cell: Any) -> list[list[Any]]:
            return [three[0], [cell], three[2]]  # noqa: B023

        yield Case("number", function.name, good, NUMBER)
        whole = tuple(int(x) if x >= 1 else x for x in GOOD[names[place]][:1])
        yield case("whole number", whole[0], NUMBER)
        yield case("column", three, [[NUMBER]] * 3)
        yield case("row", [[row[0] for row in three]], [[NUMBER, *rest]])
        yield case("blank", None, NA)
        yield case("blank in a range", among(None), [[NUMBER], [NA], [NUMBER]])
        yield case("error", CellError(DIV), DIV)
        yield case("error in a range", among(CellError(REF)), [[NUMBER], [REF], [NUMBER]])
        yield case("boolean", True, VALUE)
        yield case("text", "7E9", VALUE)
        yield case("text in a range", among("seven"), [[NUMBER], [VALUE], [NUMBER]])
        yield case("no answer", -1.0, NUM)
        yield case("extreme", [[5e-324], [1e300]], None)
        if len(good) > 1:
            other = (place + 1) % len(good)
            crossed = list(good)
            crossed[place], crossed[other] = three, [list(GOOD[names[other]][:2])]
            yield Case("grid", function.name, tuple(crossed), [[NUMBER] * 2] * 3)
            crossed[other] = [[x] for x in GOOD[names[other]][:2]]
            yield Case("wrong shape", function.name, tuple(crossed), VALUE)
    for empty, expected in (("", VALUE), ([[7e9], [""]], [[NUMBER], [VALUE]])):
        yield Case("empty text", "CHINCHILLA_TOKENS", (empty,), expected)


def _settings() -> Iterator[Case]:
    """The optional arguments, in every form and every misuse."""
    size = ("OPT_PARAMS", (2.13, 2e11))
    for form in (OMITTED, None, "chinchilla", " Chinchilla ", [FIVE], [[x] for x in FIVE]):
        kind = "omitted" if form in (OMITTED, None) else "coefficients"
        yield Case(kind, size[0], (*size[1], form), NUMBER)
    other = [482.01, 2085.43, 1.8169, 0.3478, 0.3658]
    for coeffs, expected in (
        ([FIVE, other], [[NUMBER], [NUMBER]]),
        ([FIVE, [*FIVE[:3], None, 0.2]], [[NUMBER], [NA]]),
        ([FIVE, [0.0, *FIVE[1:]]], [[NUMBER], [NUM]]),
        ("chinchila", VALUE),
        ("", VALUE),
        (7.0, VALUE),
        (True, VALUE),
        (CellError(REF), REF),
        ([[406.4, 410.7, 1.69, "x", 0.283]], VALUE),
        ([[406.4, 410.7, 1.69, CellError(DIV), 0.283]], DIV),
        ([[1.0, 2.0]], VALUE),
    ):
        yield Case("coefficients", size[0], (*size[1], coeffs), expected)
    cost = ("OPT_COST", (2.13, 1e11, 1e11))
    for form in (OMITTED, None):
        yield Case("omitted", cost[0], (*cost[1], form, "besiroglu"), NUMBER)
    blank_row = [[None, None]]
    for deployment, expected in (
        ([SEVEN], NUMBER),
        ([[x] for x in SEVEN], NUMBER),
        (DEPLOYMENT, NUMBER),
        ([*blank_row, *DEPLOYMENT[::-1], *blank_row], NUMBER),
        ([*DEPLOYMENT, ["data price", 1e-7]], NUMBER),
        ([*DEPLOYMENT[:-1], ["output MFU", 45.0]], VALUE),
        ([*DEPLOYMENT[:-1], ["output MFU", None]], VALUE),
        ([*DEPLOYMENT[:-1], ["output MFU", "1%"]], VALUE),
        ([*DEPLOYMENT[:-1], ["output MFU", CellError(NA)]], NA),
        (DEPLOYMENT[:-1], VALUE),
        ([*DEPLOYMENT, ["GPU colour", 1.0]], VALUE),
        ("H100", VALUE),
        (False, VALUE),
    ):
        yield Case("deployment", cost[0], (*cost[1], deployment), expected)


def _tables() -> Iterator[Case]:
    plan = (2.13, 1e11, 1e11)
    for args in (
        (5.76e23,),
        ([[5.76e23], [1e18]],),
        (5.76e23, "besiroglu"),
    ):
        yield Case("table", "CHINCHILLA_OPT", args, AS_PYTHON)
    yield Case("table", "CHINCHILLA_OPT", ([[1e20], [None]],), [[NUMBER] * 3, [NA] * 3])
    yield Case("table", "CHINCHILLA_OPT", ([[1e20, 1e21], [1e22, 1e23]],), VALUE)
    yield Case("table", "CHINCHILLA_OPT", ("much",), [[VALUE] * 3])
    for args in (
        plan,
        (*plan, DEPLOYMENT, OMITTED, 2e9),
        (*plan, OMITTED, OMITTED, OMITTED, OMITTED, False),
        (*plan, None, None, None, None, [[True]]),
        ([[2.13], [2.2]], 1e11, [[1e11], [3e11]]),
    ):
        yield Case("table", "OPT_PLAN", args, AS_PYTHON)
    yield Case("table", "OPT_PLAN", (*plan, None, None, None, None, 1.0), VALUE)
    for args in ((), ("besiroglu",), (OMITTED,)):
        yield Case("table", "COEFFS", args, AS_PYTHON)
    for name, expected in (("nobody", VALUE), (3.0, VALUE), (CellError(NAME), NAME)):
        yield Case("table", "COEFFS", (name,), expected)


def _fits() -> Iterator[Case]:
    yield Case("fit", "FIT_COEFFS", (SIZES, DATA, LOSSES), AS_PYTHON)
    yield Case("fit", "FIT_COEFFS", (SIZES, DATA, LOSSES, 0.8), AS_PYTHON)
    spare = [[None]] * 2
    yield Case("fit", "FIT_COEFFS", tuple([*x, *spare] for x in (SIZES, DATA, LOSSES)), AS_PYTHON)
    yield Case("fit", "FIT_SAMPLES", (SIZES, DATA, LOSSES, 3), AS_PYTHON)
    for args, expected in (
        ((SIZES, DATA, LOSSES[:-1]), VALUE),
        ((SIZES[:3], DATA[:3], LOSSES[:3]), VALUE),
        ((SIZES, DATA, [*LOSSES[:-1], ["low"]]), VALUE),
        ((SIZES, DATA, [*LOSSES[:-1], [None]]), VALUE),
        ((SIZES, DATA, [*LOSSES[:-1], [CellError(DIV)]]), DIV),
        ((SIZES, DATA, 2.0), VALUE),
        ((SIZES, DATA, LOSSES, 95.0), VALUE),
    ):
        yield Case("fit", "FIT_COEFFS", args, expected)


def expected_rows(case: Case) -> list[list[Any]]:
    """What the cells must hold: floats, texts, and CellErrors by their code."""
    function = BY_NAME[case.function]
    args = python_args(case)
    if case.expected == AS_PYTHON:
        table = np.atleast_2d(np.asarray(function(*args), dtype=object))
        return [list(row) for row in table]
    if case.expected is None:  # numbers where Python has one, else no answer
        rows = _numbers(function, args, None)
        return [[CellError(NUM) if x != x else x for x in row] for row in rows]
    rows = case.expected if isinstance(case.expected, list) else [[case.expected]]
    if not any(NUMBER in row for row in rows):
        return [[CellError(code) for code in row] for row in rows]
    numbers = _numbers(function, args, rows)
    return [
        [
            number if wanted == NUMBER else CellError(wanted)
            for wanted, number in zip(*pair, strict=True)
        ]
        for pair in zip(rows, numbers, strict=True)
    ]


def python_args(case: Case) -> list[Any]:
    """The arguments as Python takes them."""
    return [None if type(arg) is str and arg == OMITTED else arg for arg in case.args]


def python_rows(case: Case) -> list[list[Any]]:
    """The route of Python's users: NaN for an error of an element, ArgumentError for #VALUE!."""
    result = BY_NAME[case.function](*python_args(case))
    if isinstance(result, np.ndarray) and result.ndim == 1:
        result = result[None, :]
    return [list(row) for row in np.atleast_2d(np.asarray(result, dtype=object))]


def same_rows(rows: list[list[Any]], wanted: list[list[Any]], kind: str) -> bool:
    rounding = FIT_ROUNDING if kind == "fit" else ROUNDING
    return [len(row) for row in rows] == [len(row) for row in wanted] and all(
        same(cell, other, rounding)
        for pair in zip(rows, wanted, strict=True)
        for cell, other in zip(*pair, strict=True)
    )


def same(cell: Any, wanted: Any, rounding: float) -> bool:
    if isinstance(wanted, CellError):
        return isinstance(cell, CellError) and cell.code == wanted.code
    if isinstance(wanted, str):
        return cell == wanted
    number = isinstance(cell, int | float) and not isinstance(cell, bool)
    # Hosts write numbers too small to be normal as 0.
    return number and math.isclose(cell, wanted, rel_tol=rounding, abs_tol=sys.float_info.min)


def _numbers(
    function: WorksheetFunction, args: list[Any], rows: list[list[Any]] | None
) -> list[list[Any]]:
    """One call with plain floats for every element that has a number."""
    if function.returns_table:
        (column, *rest) = args
        return [
            list(function(cell, *rest)[0]) if cell is not None else rows[0] for (cell,) in column
        ]
    named = list(zip((p.name for p in function.parameters), args, strict=False))
    sizes = [_size(name, arg) for name, arg in named]
    height, width = (max(lengths) for lengths in zip(*sizes, strict=True))

    def one(i: int, j: int) -> Any:
        if rows is not None and rows[i][j] != NUMBER:
            return None
        return function(*(_at(name, arg, i, j) for name, arg in named))

    return [[one(i, j) for j in range(width)] for i in range(height)]


def _size(name: str, arg: Any) -> tuple[int, int]:
    """How many rows and columns of results an argument asks for."""
    if not isinstance(arg, list) or name == "deployment":
        return 1, 1
    if name == "coeffs":
        return (len(arg), 1) if len(arg[0]) == len(FIVE) else (1, 1)
    return len(arg), len(arg[0])


def _at(name: str, arg: Any, i: int, j: int) -> Any:
    """The part of an argument that the element in row i and column j rests on."""
    height, width = _size(name, arg)
    if not isinstance(arg, list) or name == "deployment":
        return arg
    if name == "coeffs":
        return arg if height == 1 else arg[i]
    return arg[i if height > 1 else 0][j if width > 1 else 0]


def _shown(arg: Any) -> str:
    if type(arg) is str and arg == OMITTED:
        return ""
    if isinstance(arg, list):
        return "{" + ";".join(",".join(map(_shown, row)) for row in arg) + "}"
    if isinstance(arg, bool):
        return str(arg).upper()
    if arg is None:
        return "(blank)"
    return (
        f'"{arg}"' if isinstance(arg, str) else f"{arg:G}" if isinstance(arg, float) else str(arg)
    )
