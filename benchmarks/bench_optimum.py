"""How fast the optimum is, as ratios of CPU time within one run (medians of interleaved rounds).

The bare floor is the exponentials and logarithms that any such solution must take, on the same
blocks and nothing else: log h, log R, a square root, exp and log in each of two steps, and four
more for N and D.
"""

from __future__ import annotations

import math
import statistics
import subprocess
import sys
import time
import timeit
from collections.abc import Callable

import numpy as np
from scipy.optimize import brentq, newton

import chinchilla_xl
from chinchilla_xl import optimum
from chinchilla_xl.laws import CHINCHILLA as LAW

POINTS = 1_000_000
LOOP_POINTS = 2_000
ROUNDS = 7
BLOCK = 16384


def problem(count: int) -> tuple[np.ndarray, np.ndarray]:
    g = np.random.default_rng(0)
    return LAW.E + 10 ** g.uniform(-1.2, 0.2, count), 10 ** g.uniform(8, 15, count)


def log_eq_12(x, h, r):
    """Eq. 12 in x = log D, divided by h, in logarithms."""
    first = (1 + LAW.beta / LAW.alpha) * LAW.B * np.exp(-LAW.beta * x)
    second = LAW.beta / LAW.alpha * LAW.B * r * np.exp(-(LAW.beta + 1) * x)
    return np.log(first + second) - np.log(h)


def slope(x, h, r):
    first = (1 + LAW.beta / LAW.alpha) * LAW.B * np.exp(-LAW.beta * x)
    second = LAW.beta / LAW.alpha * LAW.B * r * np.exp(-(LAW.beta + 1) * x)
    return -(LAW.beta * first + (LAW.beta + 1) * second) / (first + second)


def by_newton(loss: np.ndarray, burden: np.ndarray) -> np.ndarray:
    """scipy.optimize.newton, vectorised, from the better of the two asymptotes."""
    h = loss - LAW.E
    x0 = np.log((1 + LAW.beta / LAW.alpha) * LAW.B / h) / LAW.beta
    s = np.log(burden) + math.log(LAW.beta / (LAW.alpha + LAW.beta)) - x0
    start = x0 + np.maximum(0, s / (1 + LAW.beta))
    return np.exp(newton(log_eq_12, start, slope, args=(h, burden), tol=1e-13))


def by_brentq(loss: np.ndarray, burden: np.ndarray) -> np.ndarray:
    """A loop of scipy.optimize.brentq over points, with plain Python arithmetic."""

    def eq_12(x: float, h: float, r: float) -> float:
        first = (1 + LAW.beta / LAW.alpha) * LAW.B * math.exp(-LAW.beta * x)
        second = LAW.beta / LAW.alpha * LAW.B * r * math.exp(-(LAW.beta + 1) * x)
        return math.log(first + second) - math.log(h)

    found = []
    for loss_, r in zip(loss.tolist(), burden.tolist(), strict=True):
        found.append(math.exp(brentq(eq_12, 0, 200, args=(loss_ - LAW.E, r), xtol=1e-12)))
    return np.array(found)


def floor(loss: np.ndarray, burden: np.ndarray) -> None:
    scratch = np.empty(BLOCK)
    for start in range(0, loss.size, BLOCK):
        h, r = loss[start : start + BLOCK], burden[start : start + BLOCK]
        x = scratch[: h.size]
        np.log(h, out=x)
        np.log(r, out=x)
        np.sqrt(x, out=x)
        for _ in range(2):
            np.negative(x, out=x)
            np.exp(x, out=x)
            np.add(x, 1, out=x)
            np.log(x, out=x)
        np.negative(x, out=x)
        np.exp(x, out=x)
        np.exp(x, out=x)
        np.log(x, out=x)
        np.exp(x, out=x)


def cpu(action: Callable[[], object]) -> float:
    start = time.process_time()
    action()
    return time.process_time() - start


def array_ratios() -> list[tuple[str, float, str]]:
    loss, burden = problem(POINTS)
    few = loss[:LOOP_POINTS], burden[:LOOP_POINTS]
    ours = optimum.optimal(loss, burden)[1]
    np.testing.assert_allclose(by_newton(loss, burden), ours, rtol=1e-10)
    np.testing.assert_allclose(by_brentq(*few), ours[:LOOP_POINTS], rtol=1e-9)
    times: dict[str, list[float]] = {"ours": [], "newton": [], "brentq": [], "floor": []}
    for _ in range(ROUNDS):
        times["ours"].append(cpu(lambda: optimum.optimal(loss, burden)))
        times["newton"].append(cpu(lambda: by_newton(loss, burden)))
        times["brentq"].append(cpu(lambda: by_brentq(*few)) * POINTS / LOOP_POINTS)
        times["floor"].append(cpu(lambda: floor(loss, burden)))

    def ratio(a: str, b: str) -> float:
        return statistics.median(x / y for x, y in zip(times[a], times[b], strict=True))

    return [
        (f"a loop of brentq (timed on {LOOP_POINTS:,}) / ours, 1e6 points", ratio("brentq", "ours"), ">= 350"),
        ("vectorised scipy.optimize.newton / ours, 1e6 points", ratio("newton", "ours"), ">= 5"),
        ("ours / bare exp and log floor, 1e6 points", ratio("ours", "floor"), "<= 4"),
    ]  # fmt: skip


def scalar_times() -> list[tuple[str, float, str]]:
    calls = {
        "chinchilla_xl.opt_params(2.0, 1e12), us": lambda: chinchilla_xl.opt_params(2.0, 1e12),
        "chinchilla_xl.opt_cost(2.0, 1e12, 1e12), us": lambda: chinchilla_xl.opt_cost(2.0, 1e12, 1e12),
        "chinchilla_xl.chinchilla_loss(7e9, 2e12), us": lambda: chinchilla_xl.chinchilla_loss(7e9, 2e12),
    }  # fmt: skip
    rows = []
    for label, call in calls.items():
        rounds = timeit.repeat(call, number=20_000, repeat=ROUNDS)
        rows.append((label, statistics.median(rounds) / 20_000 * 1e6, "<= 5"))
    return rows


def import_ratio() -> tuple[str, float, str]:
    def seconds(module: str) -> float:
        code = (
            f"import time; t = time.process_time(); import {module}; print(time.process_time() - t)"
        )
        return float(subprocess.check_output([sys.executable, "-c", code], text=True))

    pairs = [(seconds("chinchilla_xl"), seconds("numpy")) for _ in range(11)]
    ratio = statistics.median(ours / theirs for ours, theirs in pairs)
    return "import chinchilla_xl / import numpy, CPU of a new process", ratio, "<= 1.5"


def main() -> None:
    print(f"{'what':66} {'measured':>9}  target")
    for label, value, target in [*array_ratios(), *scalar_times(), import_ratio()]:
        print(f"{label:66} {value:9.3g}  {target}")


if __name__ == "__main__":
    main()
