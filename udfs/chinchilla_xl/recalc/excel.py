"""The user's own Excel as the engine, through xlwings on Windows and macOS.

A hidden instance of its own opens a private copy, recalculates everything, saves and closes it. No
macro runs, and Excel loads no add-ins when it is started in this way, so functions that are not
Excel's own are not computed. Excel is quit in the end, and its process ended if it does not quit.
"""

from __future__ import annotations

import contextlib
import os
import platform
import re
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from chinchilla_xl.errors import MissingExtra, ProgramFailed, ProgramMissing, ProgramTimeout
from chinchilla_xl.recalc.archive import Archive
from chinchilla_xl.recalc.lower import OURS, bare_name
from chinchilla_xl.recalc.references import called

try:
    from openpyxl.utils import FORMULAE
except ImportError as missing:
    raise MissingExtra("openpyxl", "recalc") from missing

_PATIENCE = 300.0
"""Seconds for a workbook, unless told otherwise."""
_QUITTING = 10.0
"""Seconds that Excel has to quit by itself."""
_FORCE_DISABLE = 3  # msoAutomationSecurityForceDisable: no macro runs, and none is asked about
_NEWER = re.compile(r"_xlfn\.|_xlws\.|_xlpm\.", re.IGNORECASE)
_CONTAINER = Path("~/Library/Containers/com.microsoft.Excel/Data")
"""Where Excel on macOS may open files without asking the user."""


class Excel:
    """See external.Program."""

    title = "Excel"
    tolerance = 0.0
    fixed_arrays = False
    counts_truth = False
    batch = 1
    parallel = False

    def __init__(self, timeout: float | None = None) -> None:
        if platform.system() not in ("Windows", "Darwin"):
            raise ProgramMissing(
                "Excel is to be had on Windows and macOS only: use the engine libreoffice "
                "or formualizer"
            )
        try:
            import xlwings
        except ImportError:
            raise MissingExtra("xlwings", "excel") from None
        self._xlwings: Any = xlwings
        self._timeout = timeout or _PATIENCE
        self._app: Any = None
        self._pid = 0

    def spelled(self, formula: str) -> str | None:  # noqa: ARG002
        """See Program."""
        return None

    def unknown(self, formula: str, saved: str) -> str | None:  # noqa: ARG002
        """See Program: every function but Excel's own, since no add-in is loaded."""
        for name in called(formula):
            if not _NEWER.match(name) and name.upper() not in FORMULAE:
                return bare_name(name)
        return None

    def remedy(self, function: str) -> str:
        """See Program."""
        if function in OURS:
            return "add-ins are not loaded here; --engine formualizer computes it"
        return "add-ins and macros are not loaded here"

    def saved(self, copies: Sequence[bytes]) -> list[bytes | ProgramFailed]:
        """See Program."""
        return [self._recalculated(copy) for copy in copies]

    def close(self) -> None:
        """See Program."""
        app, pid = self._app, self._pid
        self._app, self._pid = None, 0
        if app is not None:
            with _ended_after(_QUITTING, pid, threading.Event()), contextlib.suppress(Exception):
                app.quit()
            del app  # the last reference: Excel stays as long as there is one
        if pid:
            _end(pid, _QUITTING)

    def _recalculated(self, copy: bytes) -> bytes | ProgramFailed:
        macros = b"macroEnabled" in Archive(copy).read("[Content_Types].xml")
        stopped = threading.Event()
        result: bytes | ProgramFailed
        with tempfile.TemporaryDirectory(
            prefix="chinchilla-xl-", dir=_folder(), ignore_cleanup_errors=True
        ) as folder:
            path = Path(folder) / f"workbook{'.xlsm' if macros else '.xlsx'}"
            path.write_bytes(copy)
            done = False
            try:
                app = self._started()
                with _ended_after(self._timeout, self._pid, stopped):
                    _recalculate(app, path, macros=macros)
                result = path.read_bytes()
                done = True
            except Exception as e:  # noqa: BLE001 (COM, Apple events and xlwings raise their own)
                result = ProgramFailed(f"Excel did not recalculate it: {_words(e)}")
            finally:
                if not done or stopped.is_set():  # the next workbook gets a new instance
                    self.close()
        if stopped.is_set():
            return ProgramTimeout(f"Excel was stopped after {self._timeout:g} s")
        return result

    def _started(self) -> Any:
        """The hidden instance, started on first use."""
        if self._app is None:
            app = self._app = self._xlwings.App(visible=False, add_book=False)
            self._pid = app.pid
            app.display_alerts = False
            app.screen_updating = False
            app.enable_events = False
        return self._app


def _recalculate(app: Any, path: Path, *, macros: bool) -> None:
    if platform.system() == "Windows":
        app.api.AutomationSecurity = _FORCE_DISABLE
    elif macros:
        from appscript import k

        app.api.automation_security.set(k.msoAutomationSecurityForceDisable)
    book = app.books.open(str(path), update_links=False)
    if platform.system() == "Windows":
        app.api.CalculateFullRebuild()
    else:
        app.api.calculate_full_rebuild()
    book.save()
    book.close()


@contextlib.contextmanager
def _ended_after(seconds: float, pid: int, stopped: threading.Event) -> Iterator[None]:
    """End Excel's process, and say so in `stopped`, if the block takes longer.

    A call that waits for Excel can be broken off in no other way.
    """

    def stop() -> None:
        stopped.set()
        _end(pid, 0)

    timer = threading.Timer(seconds, stop)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _folder() -> Path | None:
    """Where the private copy goes; None for the system's own place."""
    container = _CONTAINER.expanduser()
    return container if platform.system() == "Darwin" and container.is_dir() else None


def _end(pid: int, patience: float) -> None:
    """See that the process is gone: wait for it, and end it by force if it stays."""
    deadline = time.monotonic() + patience
    while _runs(pid):
        if time.monotonic() >= deadline:
            if platform.system() == "Windows":
                _output("taskkill", "/F", "/T", "/PID", str(pid))
            else:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            return
        time.sleep(0.1)


def _runs(pid: int) -> bool:
    """Whether the process with this number is there, and is Excel."""
    if platform.system() == "Windows":
        filters = "/FI", f"PID eq {pid}", "/FI", "IMAGENAME eq EXCEL.EXE"
        return str(pid) in _output("tasklist", "/NH", *filters)
    return "Microsoft Excel" in _output("ps", "-p", str(pid), "-o", "comm=")


def _output(*command: str) -> str:
    found = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    return found.stdout


def _words(error: Exception) -> str:
    """What Excel says, on one short line: the description in a COM error, if there is one."""
    details = getattr(error, "excepinfo", None)
    text = (details[2] if details and len(details) > 2 else None) or str(error)
    return " ".join(str(text).split())[:160] or type(error).__name__
