"""Excel on Windows as a host: the add-in put into its startup folder, and examined.

The add-in lies in the user's XLSTART, whose workbooks Excel opens by itself and trusts; nothing is
written to the registry. Which Python it starts is in the settings file of xlwings' VBA.
"""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from chinchilla_xl.addins import Status
from chinchilla_xl.addins.excel import settings, windows
from chinchilla_xl.addins.excel.workbook import PROJECT, addin, built_with
from chinchilla_xl.errors import MissingExtra, ProgramFailed

_INSTALL = "chinchilla-xl addin install"
_REINSTALL = "pip install --force-reinstall 'chinchilla-xl[excel]'"


class Check(NamedTuple):
    """Something that was looked at; `remedy` is empty if it is as it should be."""

    text: str
    remedy: str = ""


class Excel:
    """See Host."""

    title = "Excel"
    suffix = ".xlam"

    def build(self) -> bytes:
        """See Host."""
        return addin()

    def install(self, folder: Path | None) -> Status:
        """See Host."""
        windows.require()
        target, data = _target(folder), addin()
        before = settings.path().read_bytes() if settings.path().is_file() else None
        wanted = settings.with_interpreter(sys.executable)
        if before != wanted:
            settings.put(settings.path(), wanted)
        try:
            same = target.is_file() and target.read_bytes() == data
            if not same:
                settings.put(target, data)
        except (OSError, ProgramFailed):
            if before is None:
                settings.remove()
            else:
                settings.put(settings.path(), before)
            raise
        done = f"{'up to date' if same else 'installed'}: {target}"
        state = self.status(folder)
        last = ["start Excel anew to use it"] if not same and state.works else []
        return Status([done, *state.lines, *last], state.works)

    def uninstall(self, folder: Path | None) -> Status:
        """See Host."""
        windows.require()
        target = _target(folder)
        there = target.is_file()
        try:
            target.unlink(missing_ok=True)
        except OSError as e:
            raise ProgramFailed(
                f"{target} cannot be removed: {e.strerror} (close Excel first)"
            ) from None
        removed = [f"removed {target}"] if there else []
        if settings.remove():
            removed.append(f"removed our lines of {settings.path()}")
        if not removed:
            return Status(["nothing to remove: it is not installed"], works=False)
        return Status(removed, works=True)

    def status(self, folder: Path | None) -> Status:
        """See Host."""
        windows.require()
        target = _target(folder)
        if not target.is_file():
            return Status([f"not installed in {target.parent}: {_INSTALL}"], works=False)
        wrong = [_told(check) for check in _checks(target) if check.remedy]
        start = f"{target}, which starts {settings.interpreter()}"
        return Status([start, *wrong] if wrong else [start, "nothing wrong found"], not wrong)

    def doctor(self, folder: Path | None) -> Status:
        """See Host."""
        windows.require()
        checks = list(_checks(_target(folder)))
        return Status([_told(check) for check in checks], not any(check.remedy for check in checks))


def _target(folder: Path | None) -> Path:
    place = windows.startup_folder() if folder is None else folder.resolve()
    return place / f"{PROJECT}{Excel.suffix}"


def _told(check: Check) -> str:
    return f"WRONG  {check.text}: {check.remedy}" if check.remedy else f"ok     {check.text}"


def _checks(target: Path) -> Iterator[Check]:
    """All that must hold so that Excel computes the functions, as far as it is seen from outside."""
    yield _excel()
    yield Check(f"Python {platform.python_version()}: {sys.executable}")
    yield Check(f"chinchilla-xl {version(PROJECT)}")
    try:
        installed = version("xlwings")
    except PackageNotFoundError:
        yield Check("xlwings is not installed", 'pip install "chinchilla-xl[excel]"')
        return
    yield Check(f"xlwings {installed}")
    pywin32 = find_spec("pythoncom") is not None
    yield Check("pywin32", "" if pywin32 else f"it cannot be imported; {_REINSTALL} pywin32")
    yield _library(installed)
    yield from _addin(target, installed)
    yield _interpreter()
    disabled = windows.macros_disabled()
    yield Check(
        "macros may run" if not disabled else "Excel runs no macros",
        "" if not disabled else "File > Options > Trust Center > Trusted Locations: allow them",
    )


def _excel() -> Check:
    found = windows.excel()
    if found is None:
        return Check(
            "Excel is not installed",
            "install it, or use LibreOffice (chinchilla-xl addin install --host calc)",
        )
    known = " ".join(part for part in (found.version, found.platform) if part)
    return Check(f"Excel {known or 'of an unknown version'}: {found.path}")


def _library(installed: str) -> Check:
    """The DLL of xlwings that Excel loads, of Excel's own kind, 64 or 32 bits."""
    excel = windows.excel()
    bits = "32" if excel and excel.platform == "x86" else "64"
    name = f"xlwings{bits}-{installed}.dll"
    there = (Path(sys.prefix) / name).is_file() or (Path(sys.executable).parent / name).is_file()
    return Check(name, "" if there else f"it is not in {sys.prefix}; {_REINSTALL}")


def _addin(target: Path, installed: str) -> Iterator[Check]:
    if not target.is_file():
        yield Check(f"the add-in is not in {target.parent}", _INSTALL)
        return
    data = target.read_bytes()
    needed = built_with(data)
    if needed is None:
        yield Check(f"{target} is not our add-in", f"remove it, then {_INSTALL}")
    elif needed != installed:
        yield Check(f"the add-in needs xlwings {needed}, but {installed} is installed", _INSTALL)
    else:
        try:
            same = data == addin()
        except (MissingExtra, ProgramFailed) as e:
            yield Check(f"the add-in cannot be compared: {e}", _REINSTALL)
            return
        current = "is that of this version" if same else "is that of another version"
        yield Check(f"the add-in {current}", "" if same else _INSTALL)


def _interpreter() -> Check:
    python = settings.interpreter()
    if python is None:
        return Check(f"no Python is named in {settings.path()}", _INSTALL)
    if not Path(python).is_file():
        return Check(f"the add-in starts {python}, which is gone", _INSTALL)
    if python != sys.executable:
        return Check(f"the add-in starts another Python: {python}", f"{_INSTALL} to take this one")
    return Check("the add-in starts this Python")
