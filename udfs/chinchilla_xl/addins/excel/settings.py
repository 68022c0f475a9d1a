"""The file from which the add-in's VBA (xlwings') reads which Python to start.

Lines of "KEY","value", read by VBA's Input #, in the ANSI code page. Lines that we do not write are
the user's and stay.
"""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
from pathlib import Path

from chinchilla_xl.addins.excel import windows
from chinchilla_xl.addins.excel.workbook import PROJECT
from chinchilla_xl.errors import ProgramFailed

_INTERPRETER = "INTERPRETER_WIN"
_SEARCHED = "ADD_WORKBOOK_TO_PYTHONPATH"
_KEYS = (_INTERPRETER, _SEARCHED)
_LINE = re.compile(r'"?([^",]*)"?,"?([^"]*)"?')


def path() -> Path:
    """Where xlwings' VBA looks, by the add-in's project name."""
    return windows.home() / f".{PROJECT}" / f"{PROJECT}.conf"


def interpreter() -> str | None:
    """The Python that the add-in starts."""
    for line in _lines():
        found = _LINE.fullmatch(line)
        if found and found[1].upper() == _INTERPRETER:
            return found[2]
    return None


def with_interpreter(python: str) -> bytes:
    """The file's new contents. No workbook's folder is searched for Python modules."""
    lines = [*_others(), f'"{_INTERPRETER}","{python}"', f'"{_SEARCHED}","false"']
    try:
        return "".join(f"{line}\r\n" for line in lines).encode(windows.encoding())
    except UnicodeEncodeError:
        raise ProgramFailed(
            f"Excel's VBA cannot read the path of this Python: {python} (make the environment in a "
            "folder whose name has only letters of the language of Windows)"
        ) from None


def remove() -> bool:
    """Take our lines out, and the file if no others are in it; whether there was anything."""
    if not path().is_file():
        return False
    others = _others()
    if len(others) == len(_lines()):
        return False
    if others:
        put(path(), "".join(f"{line}\r\n" for line in others).encode(windows.encoding()))
    else:
        path().unlink()
        with contextlib.suppress(OSError):  # the user keeps something else there
            path().parent.rmdir()
    return True


def put(target: Path, data: bytes) -> None:
    """Put `data` into the file's place in one step, or leave the file as it was."""
    temporary = None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        # Beside the folder, not in it: Excel loads whatever is in its startup folder.
        handle, temporary = tempfile.mkstemp(dir=target.parent.parent, suffix=".tmp")
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        Path(temporary).replace(target)
        temporary = None
    except OSError as e:
        raise ProgramFailed(
            f"{target} cannot be written: {e.strerror} (close Excel first)"
        ) from None
    finally:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)


def _lines() -> list[str]:
    if not path().is_file():
        return []
    return path().read_bytes().decode(windows.encoding(), errors="replace").splitlines()


def _others() -> list[str]:
    lines = ((line, _LINE.fullmatch(line)) for line in _lines())
    return [line for line, found in lines if not found or found[1].upper() not in _KEYS]
