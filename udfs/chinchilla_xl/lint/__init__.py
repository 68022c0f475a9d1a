"""Looks through a workbook for what makes a model hard to trust, and says what to do about it.

Rules that hold for every model (errors, stale values, an odd formula in a row of equal ones, numbers
inside formulas, volatile functions, links to other files, hidden sheets) give findings everywhere.
The conventions of our own templates (names, units, sources, validations, print areas) give findings
in those, and advice in any other workbook. Excel's own rules, the FAST standard and the ICAEW's
modelling code are the models.
"""

from __future__ import annotations

import os
from pathlib import Path

from chinchilla_xl.errors import WorkbookError
from chinchilla_xl.lint import formulas, inputs, sheets, values
from chinchilla_xl.lint.finding import Finding
from chinchilla_xl.lint.model import Model, read_model
from chinchilla_xl.recalc.files import read_file

__all__ = ["Finding", "lint", "lint_bytes"]

_RULES = (*values.RULES, *formulas.RULES, *inputs.RULES, *sheets.RULES)


def lint(path: str | os.PathLike[str]) -> list[Finding]:
    """What is wrong in an .xlsx or .xlsm file, then advice, each in the order of sheets and cells.

    Raises WorkbookError for a file that cannot be read. The file is never changed.
    """
    try:
        return lint_bytes(read_file(Path(path)))
    except WorkbookError as e:
        raise type(e)(f"{path}: {e}") from None


def lint_bytes(data: bytes) -> list[Finding]:
    """`lint` of the contents of a file."""
    model = read_model(data)
    found = [finding for rule in _RULES for finding in rule(model)]
    return sorted(found, key=lambda f: (f.advice, _place(model, f)))


def _place(model: Model, finding: Finding) -> tuple[int, int, int, str]:
    order = [sheet.title for sheet in model.sheets]
    sheet = order.index(finding.sheet) if finding.sheet in order else -1
    row, column = finding.cell or (0, 0)
    return sheet, row, column, finding.rule
