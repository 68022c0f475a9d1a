"""The rows of a sweep that are done, in a file beside the results until these are written."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Any, TypeAlias

from chinchilla_xl.errors import WorkbookError
from chinchilla_xl.recalc.files import Location, is_remote, local_path

ERROR = "error"
"""The column that says why a scenario has no result; blank where it has."""

Row: TypeAlias = dict[str, Any]


class Journal:
    """What is done of a sweep; `question` is all that the results depend on besides the workbook.

    A journal that answers another question is begun anew. Of results on another machine the journal
    stays on this one.
    """

    def __init__(self, output: Location | None, workbook: bytes, question: Any) -> None:
        self.done: dict[int, Row] = {}
        self.errors = 0
        """How many of the rows that are done have an error."""
        self._path = None if output is None else _journal_of(output)
        text = json.dumps(question, sort_keys=True).encode()
        self._key = hashlib.sha256(workbook + text).hexdigest().encode()
        self._whole = 0  # bytes of the file that are whole lines and answer the question
        self._file: IO[bytes] | None = None
        if self._path is not None and self._path.exists():
            self._load(self._path.read_bytes())

    def _load(self, data: bytes) -> None:
        key, *lines = data.splitlines(keepends=True) or [b""]
        if key != self._key + b"\n":
            return
        self._whole = len(key)
        for line in lines:
            try:
                index, row = json.loads(line)
            except ValueError:
                break
            if not line.endswith(b"\n"):
                break  # the line that was being written when the sweep was broken off
            self._take(index, row)
            self._whole += len(line)

    def __enter__(self) -> Journal:
        if self._path is not None:
            try:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                self._path.touch()
                self._file = self._path.open("r+b")
            except OSError as e:
                raise WorkbookError(f"{self._path} cannot be written: {e.strerror}") from None
            self._file.truncate(self._whole)
            self._file.seek(self._whole)
            if not self._whole:
                self._file.write(self._key + b"\n")
                self._file.flush()
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()

    def add(self, results: Iterable[tuple[int, Row]]) -> None:
        """Take down rows that are done."""
        results = list(results)
        for index, row in results:
            self._take(index, row)
        if self._file is not None:
            self._file.writelines(json.dumps(result).encode() + b"\n" for result in results)
            self._file.flush()

    def _take(self, index: int, row: Row) -> None:
        self.done[index] = row
        self.errors += row[ERROR] is not None

    def remove(self) -> None:
        """Forget it all: the results are written."""
        if self._path is not None:
            self._path.unlink(missing_ok=True)


def _journal_of(output: Location) -> Path:
    if not is_remote(output):
        path = local_path(output)
        return path.with_name(path.name + ".journal")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()
    name = hashlib.sha256(os.fspath(output).encode()).hexdigest()[:16]
    return cache / "chinchilla-xl" / f"{name}.journal"
