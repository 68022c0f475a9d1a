"""Programs that compute a workbook and hang, fail, save damaged files or are missing."""

from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

import chinchilla_xl as cx
from chinchilla_xl import soffice
from chinchilla_xl.errors import ProgramFailed, ProgramMissing, ProgramTimeout
from chinchilla_xl.recalc import Failure, libreoffice, recompute_bytes
from chinchilla_xl.recalc.engines import Book, open_engine
from engine_books import needs_libreoffice, posix, runs, values, workbook


@pytest.fixture
def fake_soffice(tmp_path, monkeypatch):
    """A stand-in for soffice that runs the given lines of shell."""

    def make(lines: str) -> Path:
        folder = tmp_path / "bin"
        folder.mkdir(exist_ok=True)
        script = folder / "soffice"
        script.write_text(f"#!/bin/sh\n{lines}\n")
        script.chmod(script.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
        return script

    return make


@posix
def test_a_program_that_hangs_is_stopped_with_all_that_it_started(
    fake_soffice, tmp_path, monkeypatch
):
    fake_soffice(f"sleep 600 & echo $! > {tmp_path}/child\nwait")
    monkeypatch.setattr(soffice, "STARTING", 0.5)
    (tmp_path / "temp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temp"))
    path = tmp_path / "b.xlsx"
    path.write_bytes(workbook({"B1": "=A2"}))
    before = path.read_bytes()
    [outcome] = cx.recompute_all([path], engine="libreoffice", timeout=0.5)
    assert outcome == Failure(str(path), "ProgramTimeout", "LibreOffice was stopped after 0.5 s")
    assert path.read_bytes() == before
    assert not runs(int((tmp_path / "child").read_text()))
    assert list((tmp_path / "temp").iterdir()) == []


@posix
@needs_libreoffice
def test_libreoffice_that_is_killed_leaves_no_socket(monkeypatch):
    seen = []
    kill = soffice._kill

    def spy(process):
        profile = process.args[1].partition("=")[2]
        seen.append((socket := soffice._socket_of(profile), socket.exists()))
        kill(process)

    monkeypatch.setattr(soffice, "_kill", spy)
    monkeypatch.setattr(soffice, "STARTING", 0.0)
    data = workbook({f"B{i}": f"=SUM(A$1:A{i})" for i in range(1, 4000)})
    for timeout in (0.3, 0.6, 1.2, 2.4, 4.8):  # somewhere between its start and its end
        program = libreoffice.LibreOffice(timeout)
        [result] = program.saved([data])
        program.close()
        if seen[-1][1]:
            break
    assert isinstance(result, ProgramTimeout)
    assert seen[-1][1]
    assert not any(socket.exists() for socket, _ in seen)


@posix
def test_a_program_that_fails_says_why(fake_soffice):
    fake_soffice('echo "Error: source file could not be loaded" >&2; exit 0')
    with pytest.raises(ProgramFailed, match="Error: source file could not be loaded"):
        recompute_bytes(workbook({"B1": "=A2"}), engine="libreoffice")
    fake_soffice("exit 3")
    with pytest.raises(ProgramFailed, match="it ended with code 3"):
        recompute_bytes(workbook({"B1": "=A2"}), engine="libreoffice")


@posix
def test_what_a_program_saved_damaged_is_refused(fake_soffice, tmp_path):
    fake_soffice("mkdir saved; echo nothing > saved/0.xlsx")
    with pytest.raises(ProgramFailed, match=r"what LibreOffice saved cannot be read: not an .xlsx"):
        recompute_bytes(workbook({"B1": "=A2"}), engine="libreoffice")


@posix
@needs_libreoffice
@pytest.mark.skipif(shutil.which("unzip") is None, reason="unzip is not installed")
def test_a_workbook_that_takes_the_program_along_costs_only_itself(fake_soffice, tmp_path):
    real = shutil.which("soffice")
    # Crashes on any start that holds the workbook with the word POISON.
    fake_soffice(
        "for f in *.xlsx; do unzip -p $f xl/sharedStrings.xml | grep -q POISON && exit 9; done\n"
        f'exec {real} "$@"'
    )
    books = [workbook({"B1": f"=A2*{i}"}, Z9="POISON" if i == 1 else "fine") for i in range(3)]
    engine = open_engine("libreoffice")
    good, bad, also_good = engine.recompute([Book(b, {}) for b in books])
    engine.close()
    assert isinstance(bad, ProgramFailed)
    assert values(good[0])["B1"] == 0
    assert values(also_good[0])["B1"] == 6


def test_a_program_that_is_missing_is_named_with_the_way_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(soffice, "_PLACES", ())
    with pytest.raises(ProgramMissing, match=r"LibreOffice .soffice. is not installed: "):
        recompute_bytes(workbook({}), engine="libreoffice")
    with pytest.raises(cx.ArgumentError, match="engine must be one of formualizer, excel, libre"):
        recompute_bytes(workbook({}), engine="gnumeric")


@posix
def test_ctrl_c_stops_the_program(fake_soffice, tmp_path):
    fake_soffice(f"echo $$ >> {tmp_path}/pids\nsleep 600")
    for name in ("a.xlsx", "b.xlsx"):
        (tmp_path / name).write_bytes(workbook({"B1": "=A2"}))
    command = [sys.executable, "-m", "chinchilla_xl", "recompute", "a.xlsx", "b.xlsx"]
    process = subprocess.Popen(
        [*command, "--engine", "libreoffice"],
        cwd=tmp_path, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    deadline = time.monotonic() + 30
    while not (tmp_path / "pids").exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=30)
    assert process.returncode == 130, error
    assert "Traceback" not in error
    assert not any(runs(int(pid)) for pid in (tmp_path / "pids").read_text().split())
