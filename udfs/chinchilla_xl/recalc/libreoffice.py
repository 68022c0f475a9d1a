"""LibreOffice as the engine: headless, with a profile of its own, several workbooks a start.

`soffice --convert-to` loads each workbook, recalculates all of it (a setting of the profile) and saves
it. LibreOffice saves 15 digits of a number, and every function name that it does not know in
lower case, which is how these are recognised. Our own functions are computed by the extension for
Calc (addins.calc), under the names that `calc_names` gives them in the copy.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

from chinchilla_xl.addins.calc.trial import Trial
from chinchilla_xl.errors import ProgramFailed
from chinchilla_xl.recalc.calc_names import spelled
from chinchilla_xl.recalc.lower import OURS, bare_name
from chinchilla_xl.recalc.references import called
from chinchilla_xl.soffice import Soffice

_PATIENCE = 300.0
"""Seconds for a workbook, unless told otherwise."""


class LibreOffice:
    """See external.Program."""

    title = "LibreOffice"
    tolerance = 1e-14
    fixed_arrays = True
    counts_truth = True
    batch = 16
    parallel = True

    def __init__(self, timeout: float | None = None) -> None:
        self._soffice = Soffice()
        self._timeout = timeout or _PATIENCE
        self._folder: Path | None = None
        self._arguments: list[str] = []

    @cached_property
    def _trial(self) -> Trial:
        """The extension in the private profile, tried once: errors of a broken one look like ours."""
        return Trial(self._soffice, self._prepared())

    def spelled(self, formula: str) -> str | None:
        """See Program."""
        respelled = spelled(formula)
        if respelled is None or not self._trial.works:
            return None
        self._arguments = self._trial.arguments
        return respelled

    def unknown(self, formula: str, saved: str) -> str | None:
        """See Program."""
        if not any(name.upper() != name for name in called(saved)):
            return None
        known = {name.upper() for name in called(saved) if name.upper() == name}
        lacking = [name for name in called(formula) if name.upper() not in known]
        return bare_name(lacking[0]) if lacking else "a function"

    def remedy(self, function: str) -> str:
        """See Program."""
        if function in OURS:
            why = "it is in a defined name" if self._trial.works else self._trial.status
            return f"{why}; --engine formualizer computes it"
        return "a newer version may, or --engine formualizer or excel"

    def saved(self, copies: Sequence[bytes]) -> list[bytes | ProgramFailed]:
        """See Program."""
        found = self._converted(copies, self._timeout)
        lacking = [i for i, result in enumerate(found) if isinstance(result, ProgramFailed)]
        if lacking and len(copies) > 1:
            # One of them may have taken the others along, or their time.
            first, *others = lacking
            [found[first]] = self._converted([copies[first]], self._timeout)
            again = self.saved([copies[i] for i in others]) if others else []
            for i, result in zip(others, again, strict=True):
                found[i] = result
        return found

    def close(self) -> None:
        """See Program."""
        self._soffice.stop()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _converted(self, copies: Sequence[bytes], timeout: float) -> list[bytes | ProgramFailed]:
        """One start for all of these workbooks."""
        work = Path(tempfile.mkdtemp(prefix="work-", dir=self._prepared()))
        names = [f"{i}.xlsx" for i in range(len(copies))]
        for name, copy in zip(names, copies, strict=True):
            (work / name).write_bytes(copy)
        failure = self._soffice.convert(
            names,
            "xlsx:Calc MS Excel 2007 XML",
            folder=work,
            out=work / "saved",
            arguments=self._arguments or self._trial.profile,
            timeout=timeout,
        )
        results: list[bytes | ProgramFailed] = []
        for name in names:
            try:
                results.append((work / "saved" / name).read_bytes())
            except OSError:
                results.append(failure)
        shutil.rmtree(work, ignore_errors=True)
        return results

    def _prepared(self) -> Path:
        """The folder of the profile, made on first use."""
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="chinchilla-xl-"))
        return self._folder
