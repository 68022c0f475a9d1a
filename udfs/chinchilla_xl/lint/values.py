"""Rules of values: no errors, none missing or out of date, no failing checks."""

from __future__ import annotations

import math
from collections.abc import Iterator

from chinchilla_xl.errors import WorkbookError
from chinchilla_xl.functions.cells import ERROR_CODES
from chinchilla_xl.lint.finding import Finding
from chinchilla_xl.lint.model import Model, read_model
from chinchilla_xl.recalc import recompute_bytes

_ERRORS = (*ERROR_CODES, "#SPILL!", "#CALC!")
_FAILED = ("CHECK", "FAIL", "FAILED", "ERROR")
_ROUNDING = 1e-9


def no_errors(model: Model) -> Iterator[Finding]:
    """No cell shows an error."""
    for sheet in model.sheets:
        for cell, value in sheet.values.items():
            if value in _ERRORS:
                why = "mend the formula, or let it say in words why there is no figure"
                yield Finding(sheet.title, cell, "error-value", f"shows {value}: {why}")


def none_missing(model: Model) -> Iterator[Finding]:
    """Every formula has a cached value, for programs and viewers that compute nothing."""
    for sheet in model.sheets:
        missing = [cell for cell in sheet.formulas if sheet.values[cell] is None]
        if missing:
            count = "" if len(missing) == 1 else f" (and {len(missing) - 1} more)"
            remedy = "recompute and save the file: chinchilla-xl recompute"
            yield Finding(sheet.title, missing[0], "no-value", f"has no value{count}: {remedy}")


def none_stale(model: Model) -> Iterator[Finding]:
    """A recomputation gives the values that the file holds."""
    try:
        data, report = recompute_bytes(model.data)
    except WorkbookError as e:
        yield Finding("", None, "stale-value", f"cannot be recomputed: {e}", advice=True)
        return
    for kept in report.kept:
        sheet, _, _ = kept.cell.rpartition("!")
        title = sheet.strip("'").replace("''", "'")
        message = f"{kept.cell} was not checked: {kept.reason}"
        yield Finding(title, None, "not-recomputed", message, advice=not model.ours)
    if not report.stale:
        return
    for old, new in zip(model.sheets, read_model(data).sheets, strict=True):
        for cell in old.formulas:
            if _differ(old.values[cell], new.values[cell]) and old.values[cell] is not None:
                message = f"holds {old.values[cell]!r}, computes to {new.values[cell]!r}: chinchilla-xl recompute"
                yield Finding(old.title, cell, "stale-value", message)


def _differ(old: object, new: object) -> bool:
    if isinstance(old, int | float) and isinstance(new, int | float):
        return not math.isclose(old, new, rel_tol=_ROUNDING)
    return old != new


def checks_pass(model: Model) -> Iterator[Finding]:
    """No cell says that a check fails."""
    for sheet in model.sheets:
        for cell, value in sheet.values.items():
            if cell in sheet.formulas and isinstance(value, str) and value.upper() in _FAILED:
                yield Finding(
                    sheet.title, cell, "check-fails", "a check fails: see what its row says to do"
                )


RULES = (no_errors, none_missing, none_stale, checks_pass)
