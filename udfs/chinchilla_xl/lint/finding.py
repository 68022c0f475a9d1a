"""What a rule reports."""

from __future__ import annotations

from dataclasses import dataclass

from chinchilla_xl.recalc.addresses import Cell, quote_sheet


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to mend: where it is, which rule it breaks, what to do.

    `sheet` is empty for the workbook as a whole, `cell` None for a sheet as a whole; `advice` is
    a convention of our templates that another workbook may do without.
    """

    sheet: str
    cell: Cell | None
    rule: str
    message: str
    advice: bool = False

    @property
    def place(self) -> str:
        """Sheet!A1, Sheet, or "workbook"."""
        if not self.sheet:
            return "workbook"
        return f"{quote_sheet(self.sheet)}!{self.cell}" if self.cell else quote_sheet(self.sheet)
