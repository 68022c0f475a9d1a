"""Reading and replacing files, on this machine or remote: whole or not at all.

A location is a path, or a URL that fsspec knows (s3://, gs://, abfs://, memory:// ...). fsspec and its
drivers are imported only for URLs. Object stores put a file in place in one step; on other remote
systems it is written beside its place and then moved.
"""

from __future__ import annotations

import contextlib
import os
import posixpath
import tempfile
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias, TypeVar
from urllib.parse import unquote, urlsplit

from chinchilla_xl.errors import MissingExtra, UnsupportedFile, WorkbookError

Location: TypeAlias = str | os.PathLike[str]

_ATOMIC = frozenset("abfs abfss adl az gcs gs memory oci oss s3 s3a".split())
"""Where a file appears under its name only when it is complete."""

_DRIVERS = {
    "s3": "s3fs", "s3a": "s3fs", "gs": "gcsfs", "gcs": "gcsfs", "abfs": "adlfs", "abfss": "adlfs",
    "az": "adlfs",
}  # fmt: skip

_T = TypeVar("_T")


def is_remote(location: Location) -> bool:
    """Whether a location is a URL, other than file://."""
    scheme = _scheme(location)
    return bool(scheme) and scheme != "file"


def _scheme(location: Location) -> str:
    scheme, separator, _ = os.fspath(location).partition("://")
    return scheme.lower() if separator else ""


def only_here(location: Location) -> bool:
    """Whether no other process sees a location, since it is in this one's memory."""
    return _scheme(location) == "memory"


def local_path(location: Location) -> Path:
    """The path of a location on this machine."""
    text = os.fspath(location)
    if _scheme(text) == "file":
        text = unquote(urlsplit(text).path)
        if os.name == "nt":
            text = text.lstrip("/")
    return Path(text)


def name_of(location: Location) -> str:
    """The last part of a location, the file's name."""
    if is_remote(location):
        return posixpath.basename(os.fspath(location))
    return local_path(location).name


def suffix_of(location: Location) -> str:
    """The ending of a file's name, in lower case: ".xlsx"."""
    return Path(name_of(location)).suffix.lower()


def inside(folder: Location, name: str) -> str:
    """The location of a file in a folder."""
    if is_remote(folder):
        return os.fspath(folder).rstrip("/") + "/" + name
    return str(local_path(folder) / name)


def same_file(a: Location, b: Location) -> bool:
    """Whether two locations are the same file."""
    if is_remote(a) or is_remote(b):
        return os.fspath(a) == os.fspath(b)
    return os.path.realpath(local_path(a)) == os.path.realpath(local_path(b))


def exists(location: Location) -> bool:
    """Whether there is a file at a location."""
    if is_remote(location):
        return bool(_remotely(location, "looked up", lambda fs, key: fs.exists(key)))
    return local_path(location).exists()


def is_folder(location: Location) -> bool:
    """Whether a location is a folder, or is spelled as one: with a slash at its end."""
    if os.fspath(location).endswith(("/", os.sep)):
        return True
    if is_remote(location):
        return bool(_remotely(location, "looked up", lambda fs, key: fs.isdir(key)))
    return local_path(location).is_dir()


@contextlib.contextmanager
def naming(location: Location) -> Iterator[None]:
    """Errors of a workbook from inside, with the file's name before their words."""
    try:
        yield
    except WorkbookError as e:
        raise type(e)(f"{os.fspath(location)}: {e}") from None


def read_file(location: Location) -> bytes:
    """The file's bytes, or WorkbookError in words for a person."""
    try:
        if is_remote(location):
            return bytes(_remotely(location, "read", lambda fs, key: fs.cat_file(key)))
        return local_path(location).read_bytes()
    except FileNotFoundError:
        raise WorkbookError("there is no such file") from None
    except IsADirectoryError:
        raise WorkbookError("it is a folder, not a file") from None
    except PermissionError:
        raise WorkbookError("it cannot be read: permission denied") from None
    except OSError as e:
        raise WorkbookError(f"it cannot be read: {e.strerror}") from None


def write_file(location: Location, data: bytes) -> None:
    """Put `data` in the file's place in one step: a reader sees the old file or the new one."""
    if is_remote(location):
        _write_remote(location, data)
    else:
        _write_local(local_path(location), data)


def _write_local(path: Path, data: bytes) -> None:
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


def _write_remote(location: Location, data: bytes) -> None:
    def put(fs: Any, key: str) -> None:
        if _scheme(location) in _ATOMIC:
            fs.pipe_file(key, data)
            return
        fs.makedirs(posixpath.dirname(key), exist_ok=True)
        folder, name = posixpath.split(key)
        beside = posixpath.join(folder, f".{name}-{uuid.uuid4().hex}.tmp")
        try:
            fs.pipe_file(beside, data)
            fs.mv(beside, key)
        except BaseException:
            with contextlib.suppress(Exception):
                fs.rm_file(beside)
            raise

    try:
        _remotely(location, "written", put)
    except OSError as e:
        raise WorkbookError(f"{os.fspath(location)} cannot be written: {_words(e)}") from None


def _remotely(location: Location, done: str, action: Callable[[Any, str], _T]) -> _T:
    """Do something with a remote file: `action(filesystem, key)`; foreign errors become ours."""
    try:
        import fsspec
    except ImportError:
        raise MissingExtra("fsspec", "remote") from None
    url, scheme = os.fspath(location), _scheme(location)
    try:
        fs, key = fsspec.core.url_to_fs(url)
        return action(fs, key)
    except OSError as e:
        if isinstance(e, FileNotFoundError | IsADirectoryError | PermissionError):
            raise
        raise WorkbookError(f"it cannot be {done}: {_words(e)}") from None
    except ImportError:
        driver = _DRIVERS.get(scheme, f"the fsspec driver for {scheme}://")
        raise UnsupportedFile(f"{driver} is not installed: {_install(scheme)}") from None
    except ValueError as e:
        if "protocol" in str(e).lower():
            raise UnsupportedFile(f"{scheme}:// is no kind of location that fsspec knows") from None
        raise WorkbookError(f"it cannot be {done}: {_words(e)}") from None
    except Exception as e:  # noqa: BLE001 (each driver raises its own kinds)
        raise WorkbookError(f"it cannot be {done}: {_words(e)}") from None


def _install(scheme: str) -> str:
    driver = _DRIVERS.get(scheme)
    return f"pip install {driver}" if driver else "see the documentation of fsspec"


def _words(error: Exception) -> str:
    words = str(getattr(error, "strerror", None) or error) or type(error).__name__
    return words.splitlines()[0][:160]
