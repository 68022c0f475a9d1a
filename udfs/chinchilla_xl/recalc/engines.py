"""What computes a workbook: the embedded engine, the user's own Excel, or LibreOffice.

Every engine only computes. What is written is the same for all of them: new cached values go into
the formula cells, and all else in the file stays byte for byte.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol, TypeAlias

from chinchilla_xl.errors import ArgumentError, ChinchillaError
from chinchilla_xl.recalc.archive import Archive
from chinchilla_xl.recalc.calculation import Calculation
from chinchilla_xl.recalc.inputs import Input
from chinchilla_xl.recalc.parts import read_workbook
from chinchilla_xl.recalc.report import Report

EMBEDDED, EXCEL, LIBREOFFICE = ENGINES = ("formualizer", "excel", "libreoffice")
"""The names of the engines, the default first."""


class Book(NamedTuple):
    """A workbook to be computed: its bytes, and the inputs to write first."""

    data: bytes
    inputs: Mapping[str, Input]


Result: TypeAlias = tuple[bytes, Report] | ChinchillaError
"""The workbook's new bytes and the report, or why there are none."""


class Engine(Protocol):
    """Computes workbooks; to be closed after use, from any thread, which stops what it runs.

    `batch` is how many workbooks it likes to get at once, `own_processes` says that it runs a program
    of its own and keeps the time limit itself, `parallel` that several of it can work side by side.
    """

    batch: int
    own_processes: bool
    parallel: bool

    def recompute(self, books: Sequence[Book]) -> list[Result]:
        """The result of each workbook, in order."""

    def close(self) -> None:
        """Stop whatever still runs, and leave nothing behind."""


class Embedded:
    """The engine that is part of this package's dependencies (formualizer)."""

    batch = 1
    own_processes = False
    parallel = True

    def recompute(self, books: Sequence[Book]) -> list[Result]:
        """See Engine."""
        return [_computed(book) for book in books]

    def close(self) -> None:
        """See Engine."""


def _computed(book: Book) -> Result:
    try:
        archive = Archive(book.data)
        return Calculation(archive, read_workbook(archive), book.inputs).finish()
    except ChinchillaError as e:
        return e


def open_engine(name: str, timeout: float | None = None) -> Engine:
    """The engine called `name`; a program gets `timeout` seconds for a workbook.

    Raises ProgramMissing if the program is not installed.
    """
    if name == EMBEDDED:
        return Embedded()
    if name == EXCEL:
        from chinchilla_xl.recalc.excel import Excel
        from chinchilla_xl.recalc.external import External

        return External(Excel(timeout))
    if name == LIBREOFFICE:
        from chinchilla_xl.recalc.external import External
        from chinchilla_xl.recalc.libreoffice import LibreOffice

        return External(LibreOffice(timeout))
    raise ArgumentError(f"engine must be one of {', '.join(ENGINES)}: {name!r}")
