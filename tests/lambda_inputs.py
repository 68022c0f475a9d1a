"""Random arguments for every function without an add-in: wide ranges, and some that have no answer.

A block is one call over columns: a value of each argument per row, a law per row or one for all,
one deployment. `elements` takes a block apart into as many calls of single values. Every number
has 12 significant digits.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from typing import Any

from chinchilla_xl.coefficients import CHINCHILLA, NAMES, Law, published
from chinchilla_xl.costs import ASSUMPTIONS
from chinchilla_xl.functions import CellError
from lambda_books import Call
from parity import BY_NAME, OMITTED

ROWS = 50
"""Rows of a block."""

GRID = (7, 4)

NO_ANSWER = 0.06
"""The share of rows in which one argument has no answer or is no number."""

NOT_NUMBERS = (None, "7E9", True, CellError("#DIV/0!"), CellError("#REF!"))


def blocks(function: str, count: int) -> list[Call]:
    """`count` random rows of arguments in blocks, the same ones every time."""
    rng = random.Random(function)
    return [_block(function, rng, i) for i in range(math.ceil(count / ROWS))]


def elements(block: Call) -> Iterator[Call]:
    """Each row of a block as a call of its own; in every other one the numbers are typed."""
    names = [p.name for p in BY_NAME[block.function].parameters]
    width = block.size[1]
    for i in range(ROWS):
        args = []
        for name, arg in zip(names, block.args, strict=False):
            single = name == "deployment" or not isinstance(arg, list) or len(arg) != ROWS
            args.append(arg if single else [arg[i]] if name == "coeffs" else arg[i][0])
        yield Call(block.function, tuple(args), (1, width), typed=i % 2 == 1)


def grid(function: str) -> Call:
    """A column of the first argument against a row of the second, a law for each row."""
    rng = random.Random(f"{function} grid")
    names = [p.name for p in BY_NAME[function].parameters]
    numeric = [name for name in names if name in RANGES]
    rows = [_row(names, rng, CHINCHILLA) for _ in range(GRID[0])]
    other = [_row(names, rng, CHINCHILLA) for _ in range(GRID[1])]
    values: dict[str, Any] = {name: rows[0][name] for name in numeric}
    values["coeffs"] = [
        [getattr(law, name) for name in NAMES] for law in (_law(rng) for _ in range(GRID[0]))
    ]
    values["deployment"] = _deployment(rng, 3, priced=False)
    values[numeric[0]] = [[row[numeric[0]] + 3] for row in rows]  # a loss above any law's E
    values[numeric[1]] = [[row[numeric[1]] for row in other]]
    return Call(function, tuple(values[name] for name in names), GRID)


def _block(function: str, rng: random.Random, number: int) -> Call:
    names = [p.name for p in BY_NAME[function].parameters]
    laws, coeffs = _laws(rng, number) if "coeffs" in names else ([CHINCHILLA] * ROWS, OMITTED)
    columns: dict[str, Any] = {"coeffs": coeffs, "header": False}
    if "deployment" in names:
        columns["deployment"] = _deployment(rng, number, priced=function.startswith(("OPT", "TR")))
    rows = [_row(names, rng, law) for law in laws]
    for row in rows:
        if rng.random() < NO_ANSWER:
            name = rng.choice(list(row))
            row[name] = rng.choice((-1.0, 0.0, 1e-9, 1e300, *NOT_NUMBERS))
    for name in rows[0]:
        columns[name] = [[row[name]] for row in rows]
    if number % 2 == 0:
        columns |= dict.fromkeys({"max_params", "max_tokens"} & set(columns), OMITTED)
    width = {"CHINCHILLA_OPT": 3, "OPT_PLAN": 14}.get(function, 1)
    return Call(function, tuple(columns[name] for name in names), (ROWS, width))


def _row(names: list[str], rng: random.Random, law: Law) -> dict[str, float]:
    """A value for every numeric argument; those that belong together fit together."""
    row = {name: _number(name, rng) for name in names if name in RANGES}
    if "loss" in names:
        row["loss"] = _typed(law.E + 10 ** rng.uniform(-9, 3))
        h = row["loss"] - law.E
        if "params" in names:  # a size whose own term takes a part of the loss, or too much of it
            share = rng.uniform(0.001, 0.99) if rng.random() < 0.85 else rng.uniform(1.01, 2)
            row["params"] = _power(law.A / (share * h), 1 / law.alpha)
        if "max_params" in names:
            row["max_params"] = _bound(rng, law.A, law.alpha, h)
            row["max_tokens"] = _bound(rng, law.B, law.beta, h)
    if "params_b" in names and rng.random() < 0.8:  # mostly a smaller model, trained longer
        row["params_b"] = _typed(row["params_a"] * rng.uniform(0.05, 0.95))
        row["tokens_b"] = _typed(row["tokens_a"] * 10 ** rng.uniform(0, 2))
    if "size_ratio" in names and rng.random() < 0.3:
        row["size_ratio"] = _typed(1 + rng.choice((-1, 1)) * 10 ** rng.uniform(-9, -1))
    return row


def _bound(rng: random.Random, scale: float, exponent: float, h: float) -> float:
    """A size, or tokens, whose own term takes some part of the loss: too much, hardly any."""
    share = rng.choice((rng.uniform(1.01, 2), rng.uniform(0.01, 0.99), 10 ** rng.uniform(-9, -2)))
    return _power(scale / (share * h), 1 / exponent)


RANGES: dict[str, tuple[float, float]] = {
    "params": (3, 15), "tokens": (3, 17), "flops": (6, 32), "loss": (0, 1),
    "inference_tokens": (3, 17), "input_tokens": (3, 17), "output_tokens": (3, 17),
    "max_params": (3, 15), "max_tokens": (3, 17), "params_a": (3, 15), "tokens_a": (3, 17),
    "params_b": (3, 15), "tokens_b": (3, 17), "size_ratio": (-1.5, 3),
}  # fmt: skip
"""The powers of ten between which a number lies."""


def _number(name: str, rng: random.Random) -> float:
    demand = name in ("inference_tokens", "input_tokens", "output_tokens")
    if demand and rng.random() < 0.1:
        return 0.0
    return _typed(10 ** rng.uniform(*RANGES[name]))


def _laws(rng: random.Random, number: int) -> tuple[list[Law], Any]:
    """A law per row, and the argument that says so, in all its forms."""
    sets = list(published().values())
    one = rng.choice(sets)
    match number % 5:
        case 0:
            return [CHINCHILLA] * ROWS, OMITTED
        case 1:
            return [one.law] * ROWS, one.name
        case 2:
            law = _law(rng)
            return [law] * ROWS, [[getattr(law, name) for name in NAMES]]
        case 3:
            law = _law(rng)
            return [law] * ROWS, [[getattr(law, name)] for name in NAMES]
    laws = [_law(rng) if rng.random() < 0.8 else rng.choice(sets).law for _ in range(ROWS)]
    return laws, [[getattr(law, name) for name in NAMES] for law in laws]


def _law(rng: random.Random) -> Law:
    A, B = (_typed(10 ** rng.uniform(0, 5)) for _ in range(2))
    alpha, beta = (_typed(10 ** rng.uniform(-1.3, 0.4)) for _ in range(2))
    return Law(A, B, _typed(rng.choice((0.0, rng.uniform(0, 3)))), alpha, beta)


def _deployment(rng: random.Random, number: int, *, priced: bool) -> Any:
    """Random machines in every form of the argument; with a price of data where that is allowed."""
    ranges = {
        "train_price": (-1, 2), "train_peak": (13, 17), "train_mfu": (-2, 0),
        "serve_price": (-1, 2), "serve_peak": (13, 17), "input_mfu": (-2, 0),
        "output_mfu": (-4, 0), "data_price": (-10, -4),
    }  # fmt: skip
    values = [_typed(10 ** rng.uniform(*ranges[a.field])) for a in ASSUMPTIONS]
    if not priced or number % 10 < 5:
        values.pop()
    match number % 5:
        case 0:
            return OMITTED
        case 1:
            return [values]
        case 2:
            return [[value] for value in values]
    rows: list[list[Any]] = [[a.label, v] for a, v in zip(ASSUMPTIONS, values, strict=False)]
    if number % 5 == 4:
        rows = [[label.upper() + ":", v] for label, v in rows] + [[None, None]]
    rng.shuffle(rows)
    return rows


def _typed(value: float) -> float:
    return float(f"{value:.12G}")


def _power(base: float, exponent: float) -> float:
    return _typed(math.exp(max(-690.0, min(690.0, math.log(base) * exponent))))
