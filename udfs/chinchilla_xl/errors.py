"""Every exception that chinchilla-xl raises on purpose.

    ChinchillaError
    |-- ArgumentError (also a ValueError)   an argument that cannot be used; #VALUE! in a cell
    |-- MissingExtra (also an ImportError)  an optional package is not installed
    |-- ProgramMissing                      Excel or LibreOffice is not there to be the engine
    `-- WorkbookError                       a workbook that cannot be processed; the file is untouched
        |-- UnsupportedFile                 sound perhaps, but not an .xlsx/.xlsm that we read
        |-- BrokenFile                      damaged, truncated or contradictory
        |-- TooLarge                        beyond the limits that guard against zip bombs
        `-- ProgramFailed                   Excel or LibreOffice did not recalculate it
            `-- ProgramTimeout              ... within the time that it had

ExtrapolationWarning is a warning: a fit is used far from the runs that it rests on.

Each message names what was wrong, what is allowed and, where there is one, the remedy.
"""

from __future__ import annotations


class ChinchillaError(Exception):
    """Base of every error that this package raises on purpose."""


class ArgumentError(ChinchillaError, ValueError):
    """An argument that cannot be used.

    `code` is what a cell shows for it: "#VALUE!", or the error that stood in the argument.
    """

    def __init__(self, message: str, code: str = "#VALUE!") -> None:
        super().__init__(message)
        self.code = code


class MissingExtra(ChinchillaError, ImportError):
    """An optional package is missing; the message says what to install."""

    def __init__(self, package: str, extra: str) -> None:
        # In double quotes, which the shells of every system take away.
        super().__init__(f'{package} is not installed: pip install "chinchilla-xl[{extra}]"')


class WorkbookError(ChinchillaError):
    """A workbook that cannot be processed; the file is left as it was."""


class UnsupportedFile(WorkbookError):
    """A file that is not an .xlsx or .xlsm workbook, or is protected by a password."""


class BrokenFile(WorkbookError):
    """A workbook that is damaged, truncated or contradicts itself."""


class TooLarge(WorkbookError):
    """A workbook beyond the size limits."""


class ProgramMissing(ChinchillaError):
    """The spreadsheet program that was asked for as the engine is not to be had here."""


class ProgramFailed(WorkbookError):
    """A spreadsheet program did not recalculate the workbook."""


class ProgramTimeout(ProgramFailed):
    """A spreadsheet program took longer than it had for the workbook, and was stopped."""


class ExtrapolationWarning(UserWarning):
    """A fit is used far outside the runs that it rests on."""
