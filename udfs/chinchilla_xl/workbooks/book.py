"""A workbook under construction: its file, the formats its pages share, its checks, its host."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from chinchilla_xl.errors import MissingExtra
from chinchilla_xl.functions import FUNCTIONS
from chinchilla_xl.recalc.calls import CELLS, LAMBDA
from chinchilla_xl.workbooks import style

try:
    import xlsxwriter
except ImportError as missing:
    raise MissingExtra("XlsxWriter", "recalc") from missing

PLAIN_HOST, OFFICE_HOST = "plain", "office"
HOSTS = (PLAIN_HOST, OFFICE_HOST)
"""How our functions are spelled: by their names, or as Office.js add-ins store them."""

LAMBDA_HOST, CELLS_HOST = LAMBDA, CELLS
"""Without an add-in: spelled by their names until the whole workbook is rewritten."""

_OURS = re.compile(rf"\b({'|'.join(function.name for function in FUNCTIONS)})\(")

_SELECT = "select its cells: each must be what its note says, not blank"


@dataclass(frozen=True, slots=True)
class Check:
    """Two formulas that must agree, and what to do if they do not."""

    label: str
    found: str
    expected: str
    unit: str
    remedy: str


class Book:
    """A workbook to add pages (`Page(book, ...)`) and checks to.

    With `checked`, every page shows the master check of the page Checks below its title.
    """

    def __init__(
        self, target: Any, title: str, host: str = PLAIN_HOST, *, checked: bool = False
    ) -> None:
        self.file = xlsxwriter.Workbook(target, {"in_memory": True, "use_zip64": False})
        # Values are computed when the file is built: nothing has to recalculate on opening.
        self.file.set_calc_mode("auto", 191029)
        self.file.calc_on_load = False
        self.file.set_properties(
            {"title": title, "author": "chinchilla-xl", "created": datetime(2026, 1, 1, tzinfo=UTC)}
        )
        self.title = title
        self.host = host
        self.checked = checked
        self.checks: list[Check] = []
        self.contents: dict[str, str] = {}
        """Each page's name, and what the cover says it is about."""
        self._held: dict[str, dict[str, list[str]]] = {}
        self._office = host == OFFICE_HOST
        self._formats: dict[tuple[tuple[str, Any], ...], Any] = {}

    def format(self, **properties: Any) -> Any:
        """The cell format with these properties beside the common ones."""
        key = tuple(sorted({**style.INK, **properties}.items()))
        if key not in self._formats:
            self._formats[key] = self.file.add_format(dict(key))
        return self._formats[key]

    def check(self, label: str, found: str, expected: str, unit: str, remedy: str) -> None:
        """A check for the page Checks: two formulas whose values must agree."""
        self.checks.append(Check(label, found, expected, unit, remedy))

    def rule(self, label: str, violations: str, remedy: str) -> None:
        """A check for the page Checks: a formula that counts what breaks a rule."""
        self.check(label, violations, "=0", "violations", remedy)

    def hold(self, page: str, block: str, violations: str) -> None:
        """Count violations of a block's inputs in the check of that block."""
        if violations:
            self._held.setdefault(page, {}).setdefault(block, []).append(violations)

    def checks_of_inputs(self) -> list[Check]:
        """A check for each block of inputs: every one is filled, if it has to be, and keeps to its rule."""
        return [
            Check(
                f"{page}{f', {block}' if len(blocks) > 1 else ''}: every input keeps to its rule",
                f"={'+'.join(terms)}", "=0", "violations", _SELECT,
            )
            for page, blocks in self._held.items()
            for block, terms in blocks.items()
        ]  # fmt: skip

    def spelled(self, formula: str) -> str:
        """The formula with our functions spelled for the workbook's host."""
        return _OURS.sub(r"_xldudf_\1(", formula) if self._office else formula

    def is_dynamic(self, formula: str) -> bool:
        """Whether the host stores the formula as a dynamic array even for a single cell."""
        return self._office and _OURS.search(formula) is not None
