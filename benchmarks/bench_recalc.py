"""How fast workbooks are recomputed, as ratios within one run (medians of interleaved rounds).

Each measurement is a new process that does one thing, because peak memory is that of a process;
times are its CPU time without the imports. openpyxl's load and save of the same file is the
yardstick: it computes nothing, but reads and writes as much.
"""

from __future__ import annotations

import random
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import xlsxwriter

ROUNDS = 5
ROWS = 100_000

OURS = """
import sys, time, resource
from chinchilla_xl.recalc import recompute
start = time.process_time()
report = recompute(sys.argv[1], sys.argv[2])
seconds = time.process_time() - start
assert report.complete and report.changed > 0.9 * report.formulas, report
"""
OPENPYXL = """
import sys, time, resource
import openpyxl
start = time.process_time()
openpyxl.load_workbook(sys.argv[1]).save(sys.argv[2])
seconds = time.process_time() - start
"""
# Linux counts kilobytes, macOS bytes.
REPORT = """
unit = 1 if sys.platform == "darwin" else 1024
print(seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit)
"""


def model(path: Path) -> None:
    """20,000 rows of a sales plan with five formulas each."""
    random.seed(1)
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet("Model")
        sheet.write_row(0, 0, ["price", "units", "revenue", "cost", "margin", "share", "mean"])
        for row in range(1, ROWS // 5 + 1):
            n = row + 1
            sheet.write(row, 0, round(random.uniform(1, 100), 2))
            sheet.write(row, 1, random.randrange(1, 1000))
            sheet.write_formula(row, 2, f"=A{n}*B{n}")
            sheet.write_formula(row, 3, f"=C{n}*0.6+12")
            sheet.write_formula(row, 4, f"=C{n}-D{n}")
            sheet.write_formula(row, 5, f"=IF(E{n}>100,ROUND(E{n}/C{n},4),0)")
            sheet.write_formula(row, 6, f"=SUM(C{n}:E{n})/$B$2")


def calls(formula: str) -> Callable[[Path], None]:
    """100,000 rows of one formula over the two numbers at its left."""

    def write(path: Path) -> None:
        random.seed(1)
        with xlsxwriter.Workbook(path) as book:
            sheet = book.add_worksheet("Calls")
            for row in range(ROWS):
                sheet.write(row, 0, round(random.uniform(1.8, 2.6), 6))
                sheet.write(row, 1, 10 ** random.uniform(9, 13))
                sheet.write_formula(row, 2, formula.format(n=row + 1))

    return write


def measured(code: str, source: Path, target: Path) -> tuple[float, float]:
    command = [sys.executable, "-c", code + REPORT, str(source), str(target)]
    seconds, memory = subprocess.check_output(command, text=True).split()
    return float(seconds), float(memory)


def ratios(ours: tuple[str, Path], theirs: tuple[str, Path], target: Path) -> tuple[float, float]:
    """Medians of the ratios of time and of peak memory."""
    rounds = [
        (measured(*ours, target), measured(*theirs, target))  # in turn: machines are noisy
        for _ in range(ROUNDS)
    ]
    time, memory = (statistics.median(a[i] / b[i] for a, b in rounds) for i in (0, 1))
    return time, memory


def rows(folder: Path) -> list[tuple[str, float, str]]:
    paths = {name: folder / f"{name}.xlsx" for name in ("model", "ours", "native", "target")}
    model(paths["model"])
    calls("=OPT_PARAMS(A{n},B{n})")(paths["ours"])
    calls("=SQRT(B{n})")(paths["native"])
    target = paths["target"]
    time, memory = ratios((OURS, paths["model"]), (OPENPYXL, paths["model"]), target)
    calls_time, _ = ratios((OURS, paths["ours"]), (OURS, paths["native"]), target)
    return [
        ("100,000 formulas: recompute / openpyxl load and save, CPU", time, "<= 0.6"),
        ("the same, peak memory of the process", memory, "<= 1"),
        ("100,000 calls of OPT_PARAMS / 100,000 of SQRT, CPU", calls_time, "<= 4"),
    ]


def main() -> None:
    print(f"{'what':66} {'measured':>9}  target")
    with tempfile.TemporaryDirectory() as folder:
        for label, value, target in rows(Path(folder)):
            print(f"{label:66} {value:9.3g}  {target}")


if __name__ == "__main__":
    main()
