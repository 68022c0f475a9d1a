"""LibreOffice as a program: found, run without a window in a profile of its own, and ended.

Whatever it starts ends with it, and nothing of the user's own LibreOffice is touched.
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
from typing import Any

from chinchilla_xl.errors import ProgramFailed, ProgramMissing, ProgramTimeout

STARTING = 60.0
"""Seconds for a first start on a slow machine."""
_DYING = 10.0

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

_PLACES = (
    "/Applications/LibreOffice.app/Contents/MacOS/soffice",
    r"C:\Program Files\LibreOffice\program\soffice.com",
    r"C:\Program Files (x86)\LibreOffice\program\soffice.com",
)


class Soffice:
    """The LibreOffice of this machine. `stop` ends what still runs, from any thread, for good."""

    def __init__(self) -> None:
        self.path = find()
        self._running: subprocess.Popen[bytes] | None = None
        self._stopped = False

    def convert(
        self,
        files: Sequence[str],
        to: str,
        *,
        folder: Path,
        out: Path,
        arguments: Sequence[str],
        timeout: float,
    ) -> ProgramFailed:
        """Convert `files` of `folder` into `out`; what to say of a file that is not there then.

        The first of the `arguments` is that of `new_profile`.
        """
        command = [
            self.path, *arguments, "--headless", "--norestore", "--nolockcheck",
            "--convert-to", to, "--outdir", str(out), *files,
        ]  # fmt: skip
        if self._stopped:
            return ProgramFailed("LibreOffice was stopped")
        with tempfile.TemporaryFile() as log:
            process = subprocess.Popen(  # noqa: S603 (the program that we have found)
                command, cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env=environment() | {"TMPDIR": str(folder)}, **_own_group(),
            )  # fmt: skip
            self._running = process
            try:
                process.wait(timeout + STARTING)
            except subprocess.TimeoutExpired:
                return ProgramTimeout(f"LibreOffice was stopped after {timeout:g} s")
            finally:
                _kill(process)
                _socket_of(arguments[0].partition("=")[2]).unlink(missing_ok=True)
                self._running = None
            log.seek(0)
            words = log.read().decode("utf-8", "replace").split("\n")
        errors = [line for line in words if line.startswith("Error")]
        reason = errors[0] if errors else f"it ended with code {process.returncode}"
        return ProgramFailed(f"LibreOffice did not save it: {reason}")

    def stop(self) -> None:
        """End what runs; nothing is started any more."""
        self._stopped = True
        if self._running is not None:
            _kill(self._running)


def find() -> str:
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


def environment() -> dict[str, str]:
    """The environment variables for LibreOffice's programs, with the system's own programs first.

    Python inside LibreOffice looks for its home along PATH; an activated environment or pyenv there
    sends it to another Python, which has no `uno`, and no extension in Python loads.
    """
    kept = {k: v for k, v in os.environ.items() if k != "PYTHONHOME"}
    if os.name == "posix":
        kept["PATH"] = os.pathsep.join(filter(None, [os.defpath, kept.get("PATH")]))
    return kept


def new_profile(folder: Path) -> list[str]:
    """A fresh profile in `folder`, as the argument by which soffice uses it."""
    profile = folder / "profile"
    (profile / "user").mkdir(parents=True)
    (profile / "user" / "registrymodifications.xcu").write_text(_SETTINGS, "utf-8")
    return [f"-env:UserInstallation={profile.as_uri()}"]


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
