"""Reading and replacing files: whole or not at all."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

from chinchilla_xl.errors import WorkbookError


def read_file(path: Path) -> bytes:
    """The file's bytes, or WorkbookError in words for a person."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise WorkbookError("there is no such file") from None
    except IsADirectoryError:
        raise WorkbookError("it is a folder, not a file") from None
    except PermissionError:
        raise WorkbookError("it cannot be read: permission denied") from None
    except OSError as e:
        raise WorkbookError(f"it cannot be read: {e.strerror}") from None


def write_file(path: Path, data: bytes) -> None:
    """Put `data` in the file's place in one step: a reader sees the old file or the new one."""
    target = Path(os.path.realpath(path))  # a link stays a link
    temporary = None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(
            dir=target.parent, prefix=f".{target.name[:100]}-", suffix=".tmp"
        )
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(_mode(target))
        Path(temporary).replace(target)
        temporary = None
    except PermissionError:
        raise WorkbookError(
            f"{target} cannot be written: permission denied (is it open in another program?)"
        ) from None
    except OSError as e:
        raise WorkbookError(f"{target} cannot be written: {e.strerror}") from None
    finally:
        if temporary is not None:
            with contextlib.suppress(OSError):
                Path(temporary).unlink()


def _mode(target: Path) -> int:
    try:
        return target.stat().st_mode & 0o777
    except OSError:
        umask = os.umask(0)
        os.umask(umask)
        return 0o666 & ~umask
