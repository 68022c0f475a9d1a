"""What a batch of files survives: endless files, killed workers, Ctrl-C, and kill -9 of all of it."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from functools import cache
from pathlib import Path
from typing import ClassVar

import openpyxl
import pebble
import pytest

from chinchilla_xl.recalc import recompute_bytes
from chinchilla_xl.recalc.processes import Lost, in_processes
from support import saved

pytestmark = [
    pytest.mark.once,
    pytest.mark.skipif(
        not Path("/proc/self/stat").exists(), reason="processes are found through /proc"
    ),
]

PATIENCE = 300


@cache  # openpyxl writes the time into a file: the same bytes only if made once
def workbook(rows: int, factor: int) -> bytes:
    book = openpyxl.Workbook()
    book.active["A1"] = 2.0
    for row in range(1, rows + 1):
        book.active[f"B{row}"] = f"=A$1*{factor}+ROW()"
    return saved(book)


@cache
def endless() -> bytes:
    """Fits that take an hour together."""
    book = openpyxl.Workbook()
    for row in range(1, 61):
        book.active.append([1e8 * row, 1e10 * (row % 7 + 1), 2 + 1 / row])
    for row in range(1, 2000):
        book.active[f"E{row}"] = f"=INDEX(FIT_SAMPLES(A1:A60,B1:B60,C1:C60,{9000 + row}),1,1)"
    return saved(book)


class Batch:
    """A `chinchilla-xl recompute` of some files in a process group of its own."""

    started: ClassVar[list[int]] = []

    def __init__(self, folder: Path, *args: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "chinchilla_xl", "recompute", *args],
            cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            start_new_session=True,
        )  # fmt: skip
        self.started.append(self.process.pid)

    def members(self) -> list[int]:
        """The living processes of the group, this one's own included."""
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    fields = (entry / "stat").read_text().rpartition(")")[2].split()
                except OSError:
                    continue
                if int(fields[2]) == self.process.pid and fields[0] != "Z":
                    found.append(int(entry.name))
        return found

    def workers(self) -> list[int]:
        """Those that recompute."""
        found = []
        for pid in self.members():
            try:
                command = Path(f"/proc/{pid}/cmdline").read_bytes()
            except OSError:
                continue
            if b"spawn_main" in command:
                found.append(pid)
        return found

    def kill(self) -> None:
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.communicate()

    def ended(self) -> tuple[int, str, str]:
        out, err = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, out, err

    def check_gone(self) -> None:
        end = time.monotonic() + 5
        while self.members() and time.monotonic() < end:
            time.sleep(0.05)
        assert self.members() == []


def until(condition) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.fixture(autouse=True)
def _nothing_outlives_its_test():
    yield
    while Batch.started:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(Batch.started.pop(), signal.SIGKILL)


@pytest.fixture
def folder(tmp_path):
    """Four small workbooks and an endless one."""
    for i in range(4):
        (tmp_path / f"book{i}.xlsx").write_bytes(workbook(20, i))
    (tmp_path / "endless.xlsx").write_bytes(endless())
    return tmp_path


FILES = ["endless.xlsx", *(f"book{i}.xlsx" for i in range(4))]


def outcomes(out: str) -> dict[str, str]:
    return {entry["path"]: entry.get("kind", "Report") for entry in json.loads(out)}


def check_others_done(folder: Path, names: list[str]) -> None:
    for name in names:
        factor = int(name[4])
        assert (folder / name).read_bytes() == recompute_bytes(workbook(20, factor))[0]
    assert (folder / "endless.xlsx").read_bytes() == endless()
    assert not list(folder.glob(".*"))


def test_an_endless_file_is_stopped_its_worker_is_gone_and_the_others_are_done(folder):
    batch = Batch(folder, *FILES, "--jobs", "2", "--timeout", "6", "--json")
    until(lambda: len(batch.workers()) == 2)
    code, out, err = batch.ended()
    batch.check_gone()
    assert (code, err) == (3, "")
    assert outcomes(out) == dict.fromkeys(FILES, "Report") | {"endless.xlsx": "TimeoutError"}
    check_others_done(folder, FILES[1:])


def test_one_process_is_enough_for_a_time_limit(folder):
    batch = Batch(folder, "endless.xlsx", "book0.xlsx", "--jobs", "1", "--timeout", "5", "--json")
    code, out, err = batch.ended()
    batch.check_gone()
    assert (code, err) == (3, "")
    assert outcomes(out) == {"endless.xlsx": "TimeoutError", "book0.xlsx": "Report"}
    check_others_done(folder, ["book0.xlsx"])


def test_a_killed_worker_costs_its_own_file_only(folder):
    old = {name: (folder / name).read_bytes() for name in FILES}
    batch = Batch(folder, *FILES, "--jobs", "2", "--json")
    # One worker stays with the endless file while the other does all the rest.
    until(lambda: all((folder / name).read_bytes() != old[name] for name in FILES[1:]))
    times = {pid: _cpu(pid) for pid in batch.workers()}
    time.sleep(1.0)
    busy = max(times, key=lambda pid: _cpu(pid) - times[pid])
    os.kill(busy, signal.SIGKILL)
    code, out, err = batch.ended()
    batch.check_gone()
    assert (code, err) == (3, "")
    assert outcomes(out) == dict.fromkeys(FILES, "Report") | {"endless.xlsx": "ProcessExpired"}
    check_others_done(folder, FILES[1:])


def _cpu(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_ctrl_c_leaves_no_half_written_file_and_no_process(folder, jobs):
    old = {name: (folder / name).read_bytes() for name in FILES}
    batch = Batch(folder, *FILES[1:], "endless.xlsx", "--jobs", jobs)
    until(lambda: all((folder / name).read_bytes() != old[name] for name in FILES[1:]))
    time.sleep(0.5)
    os.killpg(batch.process.pid, signal.SIGINT)  # as a terminal does: to all of the group
    code, _, err = batch.ended()
    batch.check_gone()
    assert code == 130
    assert err.strip() == "interrupted; no file is half written"
    check_others_done(folder, FILES[1:])


@pytest.mark.parametrize("wait", [0.0, 0.03, 0.06, 0.1])
def test_ctrl_c_while_workers_start_is_one_line(folder, wait):
    batch = Batch(folder, "endless.xlsx", "book0.xlsx", "--jobs", "2")
    until(batch.workers)
    time.sleep(wait)
    os.killpg(batch.process.pid, signal.SIGINT)
    code, _, err = batch.ended()
    batch.check_gone()
    assert (code, err.strip()) == (130, "interrupted; no file is half written")


def test_a_worker_that_is_starting_when_the_others_stop_prints_nothing(monkeypatch, capfd):
    stop = pebble.pool.process.stop_process

    def stop_late(process):
        time.sleep(1.0)  # as on a busy machine; the next worker starts in the meantime
        stop(process)

    monkeypatch.setattr(pebble.pool.process, "stop_process", stop_late)
    [(_, result)] = in_processes(time.sleep, [(60,)], jobs=1, timeout=0.5)
    assert isinstance(result, Lost)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("rounds", [4, pytest.param(40, marks=pytest.mark.slow)])
def test_kill_9_of_everything_leaves_each_file_old_or_new_and_the_next_run_whole(tmp_path, rounds):
    old = [workbook(400, i) for i in range(40)]
    new = [recompute_bytes(data)[0] for data in old]
    paths = [tmp_path / f"book{i}.xlsx" for i in range(len(old))]
    names = [path.name for path in paths]
    g = random.Random(rounds)
    mixed = 0
    for _ in range(rounds):
        for path, data in zip(paths, old, strict=True):
            path.write_bytes(data)
        batch = Batch(tmp_path, *names, "--jobs", "2")
        until(lambda: any(path.read_bytes() != d for path, d in zip(paths, old, strict=True)))
        time.sleep(g.uniform(0, 0.8))
        batch.kill()
        batch.check_gone()
        found = [path.read_bytes() for path in paths]
        assert all(f in pair for f, pair in zip(found, zip(old, new, strict=True), strict=True))
        mixed += found not in (old, new)
    assert mixed >= rounds / 2  # the moment was in the middle of the batch
    left = [path.name for path in tmp_path.iterdir() if path.name not in names]
    assert all(name.startswith(".book") and name.endswith(".tmp") for name in left)
    code, _, err = Batch(tmp_path, *names, "--jobs", "2").ended()
    assert (code, err) == (0, "")
    assert [path.read_bytes() for path in paths] == new
