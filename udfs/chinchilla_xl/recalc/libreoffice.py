"""LibreOffice as the engine: headless, with a profile of its own, several workbooks a start.

`soffice --convert-to` loads each workbook, recalculates all of it (a setting of the profile) and saves
it. LibreOffice saves 15 digits of a number, and every function name that it does not know in
lower case, which is how these are recognised.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from chinchilla_xl.errors import ProgramFailed, ProgramMissing, ProgramTimeout
from chinchilla_xl.recalc.lower import OURS, bare_name
from chinchilla_xl.recalc.references import called

_SETTINGS = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry">
<item oor:path="/org.openoffice.Office.Calc/Formula/Load"><prop oor:name="OOXMLRecalcMode"
oor:op="fuse"><value>0</value></prop></item>
<item oor:path="/org.openoffice.Office.Common/Security/Scripting"><prop oor:name="MacroSecurityLevel"
oor:op="fuse"><value>3</value></prop></item>
<item oor:path="/org.openoffice.Office.Common/Security/Scripting"><prop
oor:name="DisableMacrosExecution" oor:op="fuse"><value>true</value></prop></item>
<item oor:path="/org.openoffice.Setup/L10N"><prop oor:name="ooSetupSystemLocale"
oor:op="fuse"><value>en-US</value></prop></item>
</oor:items>"""
"""Recalculate everything on loading; run no macro of a workbook; read and write numbers and dates
in texts (VALUE, TEXT, &) as the embedded engine does, whatever language the user has set.
"""

_PATIENCE = 300.0
"""Seconds for a workbook, unless told otherwise."""
_STARTING = 60.0
"""Seconds for a first start on a slow machine, on top of that."""
_DYING = 10.0

_PLACES = (
    "/Applications/LibreOffice.app/Contents/MacOS/soffice",
    r"C:\Program Files\LibreOffice\program\soffice.com",
    r"C:\Program Files (x86)\LibreOffice\program\soffice.com",
)


class AddIn(Protocol):
    """The add-in by which LibreOffice computes our functions, as a recalculation needs it."""

    def install(self, profile: Path) -> list[str]:
        """Put it into a fresh profile; further arguments for soffice."""

    def spelled(self, formula: str) -> str | None:
        """A formula as LibreOffice must read it to find our functions; None if as it is."""


def _add_in(soffice: str) -> AddIn | None:  # noqa: ARG001
    """The add-in for this LibreOffice: there is none yet, so calls of our functions are kept."""
    return None


class LibreOffice:
    """See external.Program."""

    title = "LibreOffice"
    tolerance = 1e-14
    fixed_arrays = True
    counts_truth = True
    batch = 16
    parallel = True

    def __init__(self, timeout: float | None = None) -> None:
        self._soffice = _find()
        self._timeout = timeout or _PATIENCE
        self._add_in = _add_in(self._soffice)
        self._folder: Path | None = None
        self._arguments: list[str] = []
        self._running: subprocess.Popen[bytes] | None = None
        self._closed = False

    def spelled(self, formula: str) -> str | None:
        """See Program."""
        return None if self._add_in is None else self._add_in.spelled(formula)

    def unknown(self, formula: str, saved: str) -> str | None:
        """See Program."""
        if not any(name.upper() != name for name in called(saved)):
            return None
        known = {name.upper() for name in called(saved) if name.upper() == name}
        lacking = [name for name in called(formula) if name.upper() not in known]
        return bare_name(lacking[0]) if lacking else "a function"

    def remedy(self, function: str) -> str:
        """See Program."""
        if function in OURS:
            return "it needs the chinchilla-xl add-in for Calc; --engine formualizer computes it"
        return "a newer version may, or --engine formualizer or excel"

    def saved(self, copies: Sequence[bytes]) -> list[bytes | ProgramFailed]:
        """See Program."""
        found = self._converted(copies, self._timeout)
        lacking = [i for i, result in enumerate(found) if isinstance(result, ProgramFailed)]
        if (
            lacking and len(copies) > 1
        ):  # one of them may have taken the others along, or their time
            first, *others = lacking
            [found[first]] = self._converted([copies[first]], self._timeout)
            again = self.saved([copies[i] for i in others]) if others else []
            for i, result in zip(others, again, strict=True):
                found[i] = result
        return found

    def close(self) -> None:
        """See Program."""
        self._closed = True
        if self._running is not None:
            _kill(self._running)
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _converted(self, copies: Sequence[bytes], timeout: float) -> list[bytes | ProgramFailed]:
        """One start for all of these workbooks."""
        folder = self._prepared()
        work = Path(tempfile.mkdtemp(prefix="work-", dir=folder))
        out = work / "saved"
        names = [f"{i}.xlsx" for i in range(len(copies))]
        for name, copy in zip(names, copies, strict=True):
            (work / name).write_bytes(copy)
        failure = self._run(work, out, names, timeout)
        results: list[bytes | ProgramFailed] = []
        for name in names:
            try:
                results.append((out / name).read_bytes())
            except OSError:
                results.append(failure)
        shutil.rmtree(work, ignore_errors=True)
        return results

    def _prepared(self) -> Path:
        """The folder of the profile, made on first use."""
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="chinchilla-xl-"))
            profile = self._folder / "profile"
            (profile / "user").mkdir(parents=True)
            (profile / "user" / "registrymodifications.xcu").write_text(_SETTINGS, "utf-8")
            self._arguments = [f"-env:UserInstallation={profile.as_uri()}"]
            if self._add_in is not None:
                self._arguments += self._add_in.install(profile)
        return self._folder

    def _run(self, work: Path, out: Path, names: Sequence[str], timeout: float) -> ProgramFailed:
        """Run soffice to its end; what to say of a workbook that was not saved."""
        command = [
            self._soffice, *self._arguments, "--headless", "--norestore", "--nolockcheck",
            "--convert-to", "xlsx:Calc MS Excel 2007 XML", "--outdir", str(out), *names,
        ]  # fmt: skip
        if self._closed:
            return ProgramFailed("LibreOffice was stopped")
        with tempfile.TemporaryFile() as log:
            process = subprocess.Popen(  # noqa: S603 (the program that we have found)
                command, cwd=work, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env=os.environ | {"TMPDIR": str(work)}, **_own_group(),
            )  # fmt: skip
            self._running = process
            try:
                process.wait(timeout + _STARTING)
            except subprocess.TimeoutExpired:
                return ProgramTimeout(f"LibreOffice was stopped after {timeout:g} s")
            finally:
                _kill(process)
                _socket_of(self._arguments[0].partition("=")[2]).unlink(missing_ok=True)
                self._running = None
            log.seek(0)
            words = log.read().decode("utf-8", "replace").split("\n")
        errors = [line for line in words if line.startswith("Error")]
        reason = errors[0] if errors else f"it ended with code {process.returncode}"
        return ProgramFailed(f"LibreOffice did not save it: {reason}")


def _find() -> str:
    """The path of soffice."""
    for name in ("soffice", "libreoffice"):
        found = shutil.which(name)
        if found:
            return found
    for place in _PLACES:
        if Path(place).exists():
            return place
    how = {
        "linux": "apt install libreoffice-calc, or your distribution's package",
        "darwin": "brew install --cask libreoffice",
        "win32": "winget install TheDocumentFoundation.LibreOffice",
    }.get(sys.platform, "www.libreoffice.org")
    raise ProgramMissing(f"LibreOffice (soffice) is not installed: {how}")


def _own_group() -> dict[str, Any]:
    """So that soffice and what it starts can be killed together, and Ctrl-C is ours to handle."""
    if os.name == "nt":
        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}  # type: ignore[attr-defined,unused-ignore]
    return {"start_new_session": True}


def _socket_of(profile: str) -> Path:
    """The socket of a running LibreOffice, in /tmp whatever TMPDIR says; a killed one leaves it."""
    digest = hashlib.md5(profile.encode("utf-16-le"), usedforsecurity=False).digest()
    name = "".join(f"{byte:x}" for byte in digest)
    user = os.getuid() if os.name == "posix" else 0
    return Path(f"/tmp/OSL_PIPE_{user}_SingleOfficeIPC_{name}")  # noqa: S108


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End the process and all that it has started, if any of it is still there."""
    if os.name == "nt":
        if process.poll() is None:
            subprocess.run(  # noqa: S603
                ["taskkill", "/F", "/T", "/PID", str(process.pid)],  # noqa: S607
                capture_output=True, check=False,
            )  # fmt: skip
    else:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(_DYING)
