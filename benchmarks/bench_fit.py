"""How much faster the fit is than the published method, on one table of 240 runs.

The table is synthetic: 240 runs around 20 tokens per parameter, as many as can be read off
Hoffmann et al.'s Figure 4, with 0.5 % of noise and 5 % of outliers. The published method is
L-BFGS-B from 4,500 starts with scipy's default options and an analytic gradient.

Times are CPU times, interleaved, medians of the rounds; ratios are what to compare between
machines. Set OMP_NUM_THREADS=1. About 50 seconds.

Usage: python benchmarks/bench_fit.py [--rounds 3]
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from typing import TypeVar

import numpy as np
from fit_reference import published_starts, run_from  # also puts udfs and tests on the path

from chinchilla_xl.fit import bootstrap, fit
from fit_datasets import DataSet, around_the_optimum, observe

RUNS = 240
DRAWS = 1000
Result = TypeVar("Result")
REPEATS = 20
"""Of the quick measurements in each round."""


def table() -> DataSet:
    """The synthetic table."""
    rng = np.random.default_rng(RUNS)
    params, tokens = around_the_optimum(rng, RUNS)
    return observe(
        RUNS, "around the optimum", params, tokens, noise=5e-3, has_outliers=True, rng=rng
    )


def cpu_seconds(task: Callable[[], Result]) -> tuple[float, Result]:
    """CPU time of one call, and what it returned."""
    start = time.process_time()
    result = task()
    return time.process_time() - start, result


def main() -> None:
    """Print the table of times and ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    data = table()
    starts = published_starts()
    ours = fit(*data.runs, draws=0).objective
    lowest = np.inf
    reference: list[float] = []
    fits: list[float] = []
    draws: list[float] = []
    for _ in range(rounds):
        seconds, (objectives, _) = cpu_seconds(lambda: run_from(starts, data.x, data.y, data.t))
        reference.append(seconds)
        lowest = min(lowest, float(objectives.min()))
        fits += [cpu_seconds(lambda: fit(*data.runs, draws=0))[0] for _ in range(REPEATS)]
        draws += [cpu_seconds(lambda: bootstrap(*data.runs, DRAWS))[0] for _ in range(REPEATS // 5)]
    unit = statistics.median(reference)
    print(f"{RUNS} runs, CPU seconds, medians of {rounds} rounds; numpy {np.__version__}")
    print(f"{'':34}{'seconds':>12}{'reference / it':>16}{'objective':>16}")
    for name, seconds, objective in (
        (f"L-BFGS-B, {len(starts)} starts", unit, f"{lowest:.9e}"),
        ("fit without draws", statistics.median(fits), f"{ours:.9e}"),
        (f"bootstrap, {DRAWS} draws and the fit", statistics.median(draws), ""),
    ):
        print(f"{name:34}{seconds:12.5f}{unit / seconds:16.1f}{objective:>16}")
    missed = [
        claim
        for claim, holds in (
            ("fit at least 1000 times faster", unit >= 1000 * statistics.median(fits)),
            ("bootstrap at most 1/50 of the reference", unit >= 50 * statistics.median(draws)),
            ("objective no higher than the reference", ours <= lowest),
        )
        if not holds
    ]
    if missed:
        sys.exit("missed: " + "; ".join(missed))


if __name__ == "__main__":
    main()
