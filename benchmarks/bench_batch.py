"""How fast batches and sweeps are, as ratios within one run (medians of interleaved rounds).

One process against another program: CPU time of both, all of their processes counted. Where several
processes share the work, wall time is the point; what they can gain is measured beside it, as the
gain of two busy loops in two processes.
"""

from __future__ import annotations

import io
import multiprocessing
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import openpyxl

from chinchilla_xl import recompute_all
from chinchilla_xl.recalc import recompute_bytes
from chinchilla_xl.recalc.live import LiveWorkbook
from chinchilla_xl.workbooks import template

ROUNDS, BATCH_ROUNDS = 5, 3
FILES = 200
BATCH = 20
LOOP = 20_000_000

Row = tuple[str, float, str]


def cpu(action: Callable[[], object]) -> float:
    start = time.process_time()
    action()
    return time.process_time() - start


def wall(action: Callable[[], object]) -> float:
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def cpu_of(command: list[str]) -> float:
    """CPU seconds of a command with all the processes that it waits for."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def loaded_and_saved(data: bytes) -> None:
    book = openpyxl.load_workbook(io.BytesIO(data))
    book.save(io.BytesIO())


def budget_against_openpyxl(data: bytes) -> Row:
    ratios = []
    for i in range(2 * ROUNDS):
        ours = cpu(lambda i=i: recompute_bytes(data, {"months": 12.0 + i}))
        ratios.append(ours / cpu(lambda: loaded_and_saved(data)))
    return "budget: recompute / openpyxl load+save, CPU", statistics.median(ratios), "<= 1.5"


def budget_against_libreoffice(data: bytes, folder: Path) -> Row:
    """Both programs get a batch of files in one call, their start included."""
    label = f"budget: recompute {BATCH} files / LibreOffice, CPU"
    soffice = shutil.which("soffice")
    if soffice is None:
        return f"{label} (skipped: LibreOffice is not installed)", float("nan"), "<= 0.25"
    files = copies(data, folder / "office", BATCH)
    profile, out = folder / "profile", folder / "converted"
    theirs = [
        soffice, f"-env:UserInstallation=file://{profile}", "--headless", "--convert-to", "xlsx",
        "--outdir", str(out), *files,
    ]  # fmt: skip
    ours = [
        sys.executable, "-m", "chinchilla_xl", "recompute", *files, "--jobs", "1",
        "-o", str(folder / "ours"),
    ]  # fmt: skip
    cpu_of([*theirs[:-BATCH], files[0]])  # makes the profile
    ratios = [cpu_of(ours) / cpu_of(theirs) for _ in range(3)]
    assert len(list(out.iterdir())) == BATCH
    return label, statistics.median(ratios), "<= 0.25"


def copies(data: bytes, folder: Path, count: int) -> list[str]:
    folder.mkdir()
    files = [folder / f"budget{i}.xlsx" for i in range(count)]
    for file in files:
        file.write_bytes(data)
    return [str(file) for file in files]


def busy(_: int) -> None:
    count = LOOP
    while count:
        count -= 1


def loops(processes: int) -> float:
    """Seconds that two busy loops take in so many processes, which are there already."""
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        pool.map(len, ["", ""])
        return wall(lambda: pool.map(busy, range(2), chunksize=1))


def batches(data: bytes, folder: Path) -> list[Row]:
    """200 files in one process, in two, and in two workers of a Dask cluster."""
    import distributed

    files = copies(data, folder / "many", FILES)
    out = folder / "out"

    def batch(**options) -> float:
        months = 12.0 + next(counter)
        return wall(lambda: list(recompute_all(files, out, {"months": months}, **options)))

    counter = iter(range(10_000))
    gains, limits, dask = [], [], []
    warnings.simplefilter("ignore")  # Dask's own
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        for _ in range(BATCH_ROUNDS):
            limits.append(loops(1) / loops(2))
            two = batch(jobs=2)
            gains.append(batch(jobs=1) / two)
            dask.append(batch(executor=client.get_executor()) / two)
    gain, limit = statistics.median(gains), statistics.median(limits)
    return [
        (f"{FILES} budgets: speed-up of 2 processes / that of 2 busy loops ({limit:.2f})", gain / limit, ">= 0.8"),
        (f"{FILES} budgets: 2 Dask workers / 2 processes, wall time", statistics.median(dask), "<= 1.3"),
    ]  # fmt: skip


def scenario_against_reloading(data: bytes) -> Row:
    live = LiveWorkbook(data)
    ratios = []
    for i in range(4 * ROUNDS):
        inputs = {"months": 13.0 + i, "target_params": 1e10 * (i + 1)}
        sweeping = cpu(lambda inputs=inputs: live.run(inputs, ["cost_optimal_cost"]))
        ratios.append(sweeping / cpu(lambda inputs=inputs: recompute_bytes(data, inputs)))
    label = "budget: a scenario in a sweep / recompute with inputs, CPU"
    return label, statistics.median(ratios), "<= 0.25"


def met(value: float, target: str) -> str:
    sign, bound = target.split()
    if value != value:
        return "-"
    return "met" if (value <= float(bound) if sign == "<=" else value >= float(bound)) else "MISSED"


def main() -> None:
    data = template("budget")
    print(f"{'what':72} {'measured':>9}  target", flush=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for rows in (
            lambda: [budget_against_openpyxl(data)],
            lambda: [budget_against_libreoffice(data, folder)],
            lambda: [scenario_against_reloading(data)],
            lambda: batches(data, folder),
        ):
            for label, value, target in rows():
                print(f"{label:72} {value:9.3g}  {target:8} {met(value, target)}", flush=True)


if __name__ == "__main__":
    os.environ["PYTHONWARNINGS"] = "ignore"
    main()
