"""What a cell can hold besides a number: the error values that every spreadsheet knows."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CellError:
    """An error value, with a message for the hosts that can show one."""

    code: str
    message: str = ""

    def __str__(self) -> str:
        return self.code


NUM = CellError("#NUM!")
NOT_AVAILABLE = CellError("#N/A")
VALUE = CellError("#VALUE!")

ERROR_CODES = (
    "#NULL!",
    "#DIV/0!",
    "#VALUE!",
    "#REF!",
    "#NAME?",
    "#NUM!",
    "#N/A",
)
"""The error values that every spreadsheet file format knows."""
