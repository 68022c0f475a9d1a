"""How fast cells reach the functions in Excel's routes, as ratios within one run.

Reading arguments: ours against xlwings' own converter, in the same process. The server: two fits at
once against one alone, and single calls alone and meanwhile, over HTTP.
"""

from __future__ import annotations

import os
import statistics
import sys
import threading
import time
from contextlib import closing
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

import parity
from server_process import Client, licence, running

os.environ |= {"XLWINGS_ON_SERVER": "true", "XLWINGS_LICENSE_KEY": licence()}

import xlwings.server  # noqa: F401  # what the server reads cells with
from xlwings import conversion

from chinchilla_xl.excel import Cells

CELLS = 10_000
ROUNDS = 5
SHORT = ("OPT_PARAMS", [[[2.13]], [[2e11]], None])
LONG = ("FIT_SAMPLES", [parity.SIZES, parity.DATA, parity.LOSSES, [[20_000]]])


def timed(action, *args):
    start = time.perf_counter()
    action(*args)
    return time.perf_counter() - start


def reading() -> None:
    column = [[2.0 + i * 1e-6] for i in range(CELLS)]
    rounds = [
        [
            timed(conversion.read, None, column, options, "officejs")
            for options in ({"convert": Cells}, {"ndim": 2})
        ]
        for _ in range(ROUNDS)
    ]
    ours, theirs = (statistics.median(times) for times in zip(*rounds, strict=True))
    print(f"reading {CELLS:,} cells: {ours / CELLS * 1e6:.2f} us a cell")
    print(f"xlwings' own converter / ours: {theirs / ours:.0f}")


def serving() -> None:
    with running() as port:

        def call(function, args):
            with closing(Client(port)) as client:
                assert client.call(function, args)[0] == 200

        with closing(Client(port)) as client:
            alone = statistics.median(timed(client.call, *SHORT) for _ in range(200))
        one = statistics.median(timed(call, *LONG) for _ in range(3))
        users = [threading.Thread(target=call, args=LONG) for _ in range(2)]
        start = time.perf_counter()
        for user in users:
            user.start()
        meanwhile = []
        while any(user.is_alive() for user in users):
            meanwhile.append(timed(call, *SHORT))
            time.sleep(0.02)
        both = time.perf_counter() - start
    print(
        f"a single call: {alone * 1e3:.1f} ms; while two fits run: {statistics.median(meanwhile) * 1e3:.0f} ms"
    )
    print(f"two fits at once / one: {both / one:.2f}")


if __name__ == "__main__":
    reading()
    serving()
