"""Writes docs/parity.md: what each kind of argument gives by each route.

python tests/parity_page.py
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import parity
from chinchilla_xl.editions import lambda_names
from chinchilla_xl.errors import ArgumentError
from chinchilla_xl.functions import CellError

HOW = "write it anew with: python tests/parity_page.py"
PAGE = Path(__file__).resolve().parent.parent / "docs" / "parity.md"

HEAD = """# The same answer by every route

{count} calls over all functions, with every kind of argument that a cell can hold, are computed by
every route on every run of the tests; numbers agree to twelve digits (fits to six), errors exactly.
The table shows one call of each kind and how many there are.

- Python: `chinchilla_xl.opt_params(...)`; an error of one element is NaN, an argument that cannot be
  used raises ArgumentError.
- Headless: `chinchilla-xl recompute`, with formualizer. Messages are in its report.
- Classic: Excel for Windows; xlwings returns the code and the message as text (shown as "code:
  message"), and the add-in puts the error itself into the cell.
- Server, Lite: Excel's own error values; a message shows on hover where there is one
  ("code: message"), which Office.js allows for #VALUE! alone.
- No add-in: the functions as LAMBDA names and written out as LET, both computed by formulon, an
  engine that is not ours; the LETs by LibreOffice 24.8 or later too, where TRUE counts as 1.

What was run in place of Excel, and what could not be seen, is in [the routes compared](excel.md#what-was-verified-and-by-which-code).

| kind of argument | calls | example | Python | headless | classic | Server, Lite | no add-in |
|---|---|---|---|---|---|---|---|
"""


def make_page() -> str:
    """The page, from the table of calls."""
    cases = parity.cases()
    lines = []
    for kind, meaning in parity.KINDS.items():
        alike = [case for case in cases if case.kind == kind]
        example = min(alike, key=lambda case: len(str(case)))
        cells = (
            f"{kind}: {meaning}",
            str(len(alike)),
            f"`={str(example).replace('|', ' ')}`",
            _python(example),
            *(_shown(example, message=where) for where in ("nowhere", "text", "hover")),
            _shown(example, message="nowhere") if example.function in lambda_names() else "(none)",
        )
        lines.append(f"| {' | '.join(cells)} |")
    return HEAD.format(count=len(cases)) + "\n".join(lines) + "\n"


def _python(case: parity.Case) -> str:
    try:
        return _rows(parity.python_rows(case))
    except ArgumentError:
        return "ArgumentError"


def _shown(case: parity.Case, *, message: str) -> str:
    rows = parity.expected_rows(case)
    result = parity.BY_NAME[case.function].cells(*parity.python_args(case))
    said = isinstance(result, CellError) and result.message
    if said and (message == "text" or (message == "hover" and result.code == "#VALUE!")):
        return f"{result.code}: {said}"
    return _rows(rows)


def _rows(rows: list[list[Any]]) -> str:
    if len(rows) * len(rows[0]) > 9:
        return f"table of {len(rows)} x {len(rows[0])}"
    return "; ".join(", ".join(map(_cell, row)) for row in rows)


def _cell(cell: Any) -> str:
    if isinstance(cell, CellError | str):
        return str(cell)
    return "NaN" if cell != cell else f"{cell:.4G}"


if __name__ == "__main__":
    PAGE.write_text(make_page(), encoding="utf-8")
