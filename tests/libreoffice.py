"""LibreOffice as the other opinion: a workbook recalculated by it from scratch."""

from __future__ import annotations

import os
import shutil
import subprocess
from datetime import datetime, time
from pathlib import Path

import openpyxl
import pytest

soffice = shutil.which("soffice") or shutil.which("libreoffice")
needed = pytest.mark.skipif(soffice is None, reason="LibreOffice is not installed")

PROFILE = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry">
<item oor:path="/org.openoffice.Office.Calc/Formula/Load"><prop oor:name="OOXMLRecalcMode"
oor:op="fuse"><value>0</value></prop></item></oor:items>"""


def recalculated(data: bytes, folder: Path) -> openpyxl.Workbook:
    """The workbook with the values that LibreOffice computes, by way of a folder."""
    profile = folder / "profile"
    (profile / "user").mkdir(parents=True, exist_ok=True)
    (profile / "user" / "registrymodifications.xcu").write_text(PROFILE)
    (folder / "in.xlsx").write_bytes(data)
    assert soffice is not None
    subprocess.run(
        [soffice, f"-env:UserInstallation={profile.as_uri()}", "--headless", "--convert-to",
         "xlsx", "--outdir", str(folder / "out"), str(folder / "in.xlsx")],
        check=True, capture_output=True, timeout=300,
    )  # fmt: skip
    return openpyxl.load_workbook(folder / "out" / "in.xlsx", data_only=True)


def plain(value: object) -> object:
    """Dates and times as the numbers that they are; every error alike."""
    if isinstance(value, datetime):
        return (value - datetime(1899, 12, 30)).total_seconds() / 86400
    if isinstance(value, time):
        return (value.hour * 3600 + value.minute * 60 + value.second) / 86400
    if value is None:
        return ""
    return "#" if isinstance(value, str) and value.startswith("#") else value


def assert_alike(ours: object, theirs: object) -> None:
    """That two values of a cell are the same but for rounding."""
    ours, theirs = plain(ours), plain(theirs)
    if isinstance(theirs, int | float) and not isinstance(theirs, bool):
        assert ours == pytest.approx(theirs, rel=1e-9, abs=1e-12)
    else:
        assert ours == theirs


def counted_starts(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The processes that are started from now on, as they come."""
    starts: list[int] = []
    original = subprocess.Popen

    class Counted(original):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            starts.append(self.pid)

    monkeypatch.setattr(subprocess, "Popen", Counted)
    return starts


def group_runs(pid: int) -> bool:
    """Whether any process of the group that `pid` leads still runs."""
    try:
        os.killpg(pid, 0)
    except ProcessLookupError:
        return False
    # What has ended but was not waited for by its adoptive parent still counts as a process.
    states = subprocess.run(
        ["ps", "-o", "stat=", "-g", str(pid)], capture_output=True, text=True, check=False
    )
    return any(not state.startswith("Z") for state in states.stdout.split())
