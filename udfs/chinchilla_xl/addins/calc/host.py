"""LibreOffice Calc as a host: the extension installed, removed and tried.

A user's own installation goes through unopkg, LibreOffice's extension manager. It refuses root, and a
container has no user: there the extension is unpacked into the folder of extensions that come with
LibreOffice (share/extensions, for all users), or into one that soffice is told of when it starts.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from chinchilla_xl.addins import Status
from chinchilla_xl.addins.calc.extension import COMPONENT, IDENTIFIER, extension, unpack
from chinchilla_xl.addins.calc.trial import Trial
from chinchilla_xl.errors import ProgramFailed, ProgramMissing
from chinchilla_xl.soffice import Soffice, environment, find

_TIMEOUT = 180.0
_PROFILES = {
    "win32": "~/AppData/Roaming/LibreOffice/4",
    "darwin": "~/Library/Application Support/LibreOffice/4",
}
_UNPACKED = f"user/uno_packages/cache/uno_packages/*/*/{COMPONENT}"
_REGISTERED = "user/uno_packages/cache/uno_packages.pmap"
_RESTART = "start LibreOffice anew to use it"


class Calc:
    """See Host."""

    title = "LibreOffice Calc"
    suffix = ".oxt"

    def build(self) -> bytes:
        """See Host."""
        return extension()

    def install(self, folder: Path | None) -> Status:
        """See Host."""
        place = _place(folder)
        if place is None:
            with tempfile.TemporaryDirectory() as temporary:
                file = Path(temporary) / f"{IDENTIFIER}{self.suffix}"
                file.write_bytes(extension())
                _unopkg("add", "--force", str(file))
            done = ["installed for this user (unopkg add)"]
        else:
            _changing(place, unpack)
            done = [f"unpacked into {place}" + (", for all users" if folder is None else "")]
        trial = self.status(folder)
        if not trial.works:
            return Status([*done, *trial.lines], works=False)
        last = _RESTART if folder is None else f"start it with: soffice {_argument(folder)}"
        return Status([*done, *trial.lines, last], works=True)

    def uninstall(self, folder: Path | None) -> Status:
        """See Host."""
        place = _place(folder)
        if not _installed(folder):
            return Status(["nothing to remove: it is not installed"], works=False)
        if place is None:
            _unopkg("remove", IDENTIFIER)
            return Status(["removed for this user (unopkg remove)"], works=True)
        _changing(place, shutil.rmtree)
        return Status([f"removed {place}"], works=True)

    def status(self, folder: Path | None) -> Status:
        """See Host."""
        places = _installed(folder)
        if not places:
            hint = "chinchilla-xl addin install --host calc"
            return Status([f"not installed in {find()}: {hint}"], works=False)
        lines, works = [], True
        for place in places:
            with tempfile.TemporaryDirectory() as temporary:
                trial = Trial(Soffice(), Path(temporary), place)
                verdict = "computes" if trial.works else "does not compute"
                lines += [f"{place}: {_version(place)}", f"LibreOffice {verdict}: {trial.status}"]
                works = works and trial.works
        return Status(lines, works)

    def doctor(self, folder: Path | None) -> Status:
        """See Host: the trial says what is wrong."""
        return self.status(folder)


def _place(folder: Path | None) -> Path | None:
    """Where the extension is unpacked; None if that is for unopkg to decide."""
    if folder is not None:
        return folder.resolve() / IDENTIFIER
    root = sys.platform != "win32" and os.geteuid() == 0
    return _shared() / IDENTIFIER if root else None


def _shared() -> Path:
    """The folder of the extensions that come with LibreOffice."""
    program = Path(find()).resolve().parent
    inside = program.parent / ("Resources" if sys.platform == "darwin" else "share")
    return inside / "extensions"


def _argument(folder: Path) -> str:
    return f"-env:BUNDLED_EXTENSIONS={folder.resolve().as_uri()}"


def _installed(folder: Path | None) -> list[Path]:
    """The folders that hold the extension, unpacked."""
    if folder is not None:
        candidates = [folder.resolve() / IDENTIFIER / COMPONENT]
    else:
        profile = Path(_PROFILES.get(sys.platform, "~/.config/libreoffice/4")).expanduser()
        candidates = [_shared() / IDENTIFIER / COMPONENT, *_registered(profile)]
    return [file.parent for file in candidates if file.is_file()]


def _registered(profile: Path) -> list[Path]:
    """The components of this user's extensions; those removed stay there until LibreOffice starts."""
    try:
        known = (profile / _REGISTERED).read_bytes()
    except OSError:
        return []
    unpacked = profile.glob(_UNPACKED)
    return [file for file in unpacked if file.parents[1].name.removesuffix("_").encode() in known]


def _version(place: Path) -> str:
    text = (place / "description.xml").read_text("utf-8")
    found = re.search(r'<version value="([^"]*)"', text)
    return f"chinchilla-xl {found[1] if found else 'of an unknown version'}"


def _changing(place: Path, change: Callable[[Path], object]) -> None:
    try:
        change(place)
    except OSError as e:
        raise ProgramFailed(f"{place} cannot be changed: {e.strerror}") from None


def _unopkg(*arguments: str) -> None:
    """Run LibreOffice's extension manager, which LibreOffice must not hinder by running."""
    program = Path(find()).resolve().parent
    beside = (program / name for name in ("unopkg.com", "unopkg"))
    path = next((str(p) for p in beside if p.exists()), shutil.which("unopkg"))
    if path is None:
        raise ProgramMissing(
            f"unopkg is not there beside {program}: build the extension (chinchilla-xl addin build "
            "calc) and add it in LibreOffice under Tools, Extensions"
        )
    try:
        done = subprocess.run(  # noqa: S603 (the program that we have found)
            [path, *arguments], capture_output=True, text=True, timeout=_TIMEOUT, check=False,
            env=environment(),
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise ProgramFailed(f"unopkg did not end within {_TIMEOUT:g} s") from None
    if done.returncode:
        said = " ".join((done.stderr or done.stdout).split())
        raise ProgramFailed(f"unopkg {arguments[0]} failed: {said} (close LibreOffice first)")
