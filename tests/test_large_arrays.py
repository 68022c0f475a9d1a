"""Arrays that a short formula would make larger than memory: computed within bounds, or kept."""

from __future__ import annotations

import subprocess
import sys

import openpyxl
import pytest
from openpyxl.worksheet.formula import ArrayFormula

from support import recomputed

pytestmark = pytest.mark.once

MEMORY = 300 * 2**20

TOO_LARGE = {
    "SUM(SEQUENCE(60000)*SEQUENCE(1,10000))": "its arrays may come to more than",
    "SUM(SEQUENCE(60000)+SEQUENCE(1,10000))": "its arrays may come to more than",
    "SUM(SEQUENCE(A1)*SEQUENCE(1,A1))": "its arrays may come to more than",
    "SUM(A1:A60000*TRANSPOSE(A1:A10000))": "its arrays may come to more than",
    "SUM(IF(A1:A60000>0,B2:XFC2,0))": "its arrays may come to more than",
    "SUM(IF(SEQUENCE(60000)>SEQUENCE(1,10000),1,0))": "its arrays may come to more than",
    "SUM(A1:ZZ2000*2)": "its arrays may come to more than",
    "SUM(OPT_PARAMS(2+SEQUENCE(3000),SEQUENCE(1,3000)))": "the engine cannot compute it",
    "SUM(MMULT(SEQUENCE(5000),SEQUENCE(1,5000)))": "the engine cannot compute it",
    "SUM(SEQUENCE(1,20000))": "the engine cannot compute it",
}

WITHIN_BOUNDS = {
    "SUM(SEQUENCE(1000)*SEQUENCE(1,1000))": 500500.0**2,
    "SUM(A1:A1000*TRANSPOSE(A1:A1000))": 36.0,
    "SUM(IF(SEQUENCE(1000)>SEQUENCE(1,1000),1,0))": 499500.0,
    "SUM(MMULT(SEQUENCE(1000),SEQUENCE(1,1000)))": 500500.0**2,
    "SUM(SEQUENCE(A1,A2)*2)": 20.0,
    "SUM(SEQUENCE(A1)*B2:B3)": 18.0,
    "SUM(SEQUENCE(1,A1)*B2:B3)": 33.0,
}

PEAK = """
import resource, sys
from chinchilla_xl.recalc import recompute_bytes
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for path in sys.argv[1:]:
    recompute_bytes(open(path, "rb").read())
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def array_formula(text: str) -> openpyxl.Workbook:
    book = openpyxl.Workbook()
    book.active["A1"], book.active["A2"] = 2.0, 2.0
    book.active["A3"] = 2.0
    book.active["B2"], book.active["B3"] = 4.0, 7.0
    book.active["XFD1"] = ArrayFormula("XFD1", f"={text}")
    return book


@pytest.mark.parametrize("text", list(TOO_LARGE))
def test_an_array_beyond_memory_is_kept_with_a_reason(text, tmp_path):
    book, report = recomputed(array_formula(text), tmp_path)
    [kept] = report.kept
    assert kept.reason.startswith(TOO_LARGE[text])
    assert book.active["XFD1"].value is None


@pytest.mark.parametrize("text", list(WITHIN_BOUNDS))
def test_an_array_within_bounds_is_computed(text, tmp_path):
    book, report = recomputed(array_formula(text), tmp_path)
    assert report.kept == []
    assert book.active["XFD1"].value == WITHIN_BOUNDS[text]


@pytest.mark.skipif(sys.platform != "linux", reason="peak memory is in kB on Linux alone")
def test_no_such_formula_takes_more_memory_than_a_bad_file_may(tmp_path):
    paths = []
    for n, text in enumerate([*TOO_LARGE, *WITHIN_BOUNDS]):
        paths.append(str(tmp_path / f"{n}.xlsx"))
        array_formula(text).save(paths[-1])
    command = [sys.executable, "-c", PEAK, *paths]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert int(done.stdout) * 1024 < MEMORY
