"""Rules of sheets: nothing hidden, set up for print, headings in sight."""

from __future__ import annotations

from collections.abc import Iterator

from chinchilla_xl.lint.finding import Finding
from chinchilla_xl.lint.model import Model


def nothing_hidden(model: Model) -> Iterator[Finding]:
    """No sheet, row or column is hidden."""
    for sheet in model.sheets:
        if sheet.source.sheet_state != "visible":
            yield Finding(sheet.title, None, "hidden-sheet", "the sheet is hidden: show it")
        for kind, dimensions in (
            ("row", sheet.source.row_dimensions), ("column", sheet.source.column_dimensions),
        ):  # fmt: skip
            hidden = [str(key) for key, found in dimensions.items() if found.hidden]
            if hidden:
                listed = ", ".join(hidden[:5])
                yield Finding(
                    sheet.title, None, f"hidden-{kind}", f"{kind} {listed} is hidden: show it"
                )


def ready_for_print(model: Model) -> Iterator[Finding]:
    """Every sheet has a print area, and a width or scale that was thought of."""
    for sheet in model.sheets:
        source = sheet.source
        if not source.print_area:
            yield Finding(sheet.title, None, "no-print-area", "set the print area", not model.ours)
        fits = source.sheet_properties.pageSetUpPr and source.sheet_properties.pageSetUpPr.fitToPage
        if not fits and not source.page_setup.scale:
            message = "fit the print to the page's width, or set a scale"
            yield Finding(sheet.title, None, "no-page-setup", message, not model.ours)
        if not source.print_title_rows:
            message = "repeat the title rows in print"
            yield Finding(sheet.title, None, "no-page-setup", message, not model.ours)


def headings_in_sight(model: Model) -> Iterator[Finding]:
    """Every sheet with formulas keeps its headings in sight."""
    for sheet in model.sheets:
        if sheet.formulas and not sheet.source.freeze_panes:
            message = "freeze the panes below the headings"
            yield Finding(sheet.title, None, "no-frozen-panes", message, not model.ours)


RULES = (nothing_hidden, ready_for_print, headings_in_sight)
