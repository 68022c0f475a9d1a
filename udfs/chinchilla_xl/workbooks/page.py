"""Writes the pages of a template: one look, names for inputs and results, the same columns.

Every page is a column of labels (A), values (B and further), then unit and source. Inputs are blue,
formulas black; each input carries a defined name and a data validation whose message states its
rule. The conventions are those of the FAST standard and the ICAEW's modelling code.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from chinchilla_xl.costs import FRACTION
from chinchilla_xl.elementwise import NON_NEGATIVE, POSITIVE, Domain
from chinchilla_xl.errors import MissingExtra

try:
    import xlsxwriter
    from xlsxwriter.utility import xl_rowcol_to_cell
except ImportError as missing:
    raise MissingExtra("XlsxWriter", "recalc") from missing

COUNT = '[>=1E+12]#,##0.00,,,,"T";[>=1E+9]#,##0.00,,,"B";#,##0.0,,"M"'
DOLLARS = '[>=1E+6]$#,##0.00,,"M";[>=1E+3]$#,##0.0,"K";$#,##0'
PRICE = "$0.00"
SCIENTIFIC = "0.00E+00"
WHOLE = "#,##0"
PERCENT = "0.0%"
RATIO = "#,##0.0"
LOSS = "0.0000"
PLAIN = "General"

_INK = {"font_name": "Calibri", "font_size": 10, "valign": "vcenter"}
_BLUE = "#0000FF"
_INPUT_FILL = "#FFF9E5"
_BAND = "#1F3864"

_CHART_ROWS = 17

# The rule of each domain as Excel's data validation states it.
_VALIDATIONS: dict[Domain, dict[str, Any]] = {
    POSITIVE: {"validate": "decimal", "criteria": ">", "value": 0},
    NON_NEGATIVE: {"validate": "decimal", "criteria": ">=", "value": 0},
    # No spreadsheet has a rule for "above 0, up to 1"; nothing useful lies below a billionth.
    FRACTION: {"validate": "decimal", "criteria": "between", "minimum": 1e-9, "maximum": 1},
}


class Book:
    """A workbook under construction, with the formats that its pages share."""

    def __init__(self, target: Any, title: str) -> None:
        self.file = xlsxwriter.Workbook(target, {"in_memory": True, "use_zip64": False})
        # Values are computed when the file is built: nothing has to recalculate on opening.
        self.file.set_calc_mode("auto", 191029)
        self.file.calc_on_load = False
        self.file.set_properties(
            {"title": title, "author": "chinchilla-xl", "created": datetime(2026, 1, 1, tzinfo=UTC)}
        )
        self._formats: dict[tuple[tuple[str, Any], ...], Any] = {}

    def format(self, **properties: Any) -> Any:
        """The cell format with these properties beside the common ones."""
        key = tuple(sorted({**_INK, **properties}.items()))
        if key not in self._formats:
            self._formats[key] = self.file.add_format(dict(key))
        return self._formats[key]

    def page(self, name: str, widths: Sequence[float], notes: int = 2) -> Page:
        """A new sheet with columns of these widths."""
        return Page(self, name, widths, notes)


class Page:
    """One sheet, filled from the top; `row` is the next free row, counted from 0.

    Its first column holds labels, its last `notes` columns words, the others figures.
    """

    def __init__(self, book: Book, name: str, widths: Sequence[float], notes: int) -> None:
        self.book = book
        self.name = name
        self.sheet = book.file.add_worksheet(name)
        self.row = 0
        self.heading_row = 0
        self._width = len(widths)
        self._notes = self._width - notes
        self._rows: dict[str, int] = {}
        self._breaks: list[int] = []
        for column, width in enumerate(widths):
            self.sheet.set_column(column, column, width, book.format())
        self.sheet.hide_gridlines(2)
        self.sheet.set_landscape()
        self.sheet.set_paper(9)
        self.sheet.fit_to_pages(1, 0)

    def title(self, text: str, *lines: str) -> None:
        """The page's title and what it is about."""
        self.sheet.set_row(self.row, 26)
        self.sheet.write(self.row, 0, text, self.book.format(bold=True, font_size=16))
        self.row += 1
        for line in lines:
            self.sheet.write(self.row, 0, line, self.book.format(font_color="#595959"))
            self.row += 1

    def legend(self) -> None:
        """What the colours mean."""
        cell = self.book.format(font_color=_BLUE, bg_color=_INPUT_FILL, border=1)
        self.sheet.write(self.row, 0, "Blue on yellow: an input, to be edited", cell)
        self.sheet.write(self.row, 1, "Black: a formula", self.book.format())
        self.row += 2

    def band(self, *headings: str) -> None:
        """A coloured heading row over a block."""
        style = {"bold": True, "font_color": "#FFFFFF", "bg_color": _BAND}
        for column in range(self._width):
            text = headings[column] if column < len(headings) else ""
            numbers = 0 < column < self._notes
            align = {"align": "right"} if numbers else {"indent": 1 if column else 0}
            self.sheet.write(self.row, column, text, self.book.format(**style, **align))
        self.heading_row = self.row
        self.row += 1

    def skip(self, rows: int = 1) -> None:
        """Leave rows empty."""
        self.row += rows

    def name_cells(self, name: str, rows: tuple[int, int], columns: tuple[int, int]) -> None:
        """Define a name for the cells from the first to the last row and column."""
        first = xl_rowcol_to_cell(rows[0], columns[0], row_abs=True, col_abs=True)
        last = xl_rowcol_to_cell(rows[1], columns[1], row_abs=True, col_abs=True)
        place = first if first == last else f"{first}:{last}"
        self.book.file.define_name(name, f"='{self.name}'!{place}")

    def input(
        self,
        name: str,
        label: str,
        value: float | str,
        unit: str,
        source: str,
        number_format: str,
        rule: Domain | Sequence[str],
    ) -> None:
        """A row with one named, validated input."""
        cell = self.book.format(
            num_format=number_format, font_color=_BLUE, bg_color=_INPUT_FILL, border=1,
            align="right",
        )  # fmt: skip
        self.sheet.write(self.row, 0, label, self.book.format())
        self.sheet.write(self.row, 1, value, cell)
        self.describe(self._notes, unit, source)
        self.name_cells(name, (self.row, self.row), (1, 1))
        self.validate(label, rule, self.row, 1)
        self.row += 1

    def inputs(
        self,
        key: str,
        label: str,
        values: Sequence[float],
        unit: str,
        source: str,
        rule: Domain,
        names: Sequence[str],
    ) -> None:
        """A row with one named, validated input a column; formulas of the page call it {key}."""
        self._rows[key] = self.row
        self.sheet.write(self.row, 0, label, self.book.format())
        cell = self.book.format(
            num_format="0.00", font_color=_BLUE, bg_color=_INPUT_FILL, border=1, align="right"
        )
        for column, value in enumerate(values, start=1):
            self.sheet.write(self.row, column, value, cell)
            self.validate(label, rule, self.row, column)
            self.name_cells(names[column - 1], (self.row, self.row), (column, column))
        self.describe(1 + len(values), unit, source)
        self.row += 1

    def validate(self, label: str, rule: Domain | Sequence[str], row: int, column: int) -> None:
        """Let a cell take only what the rule allows, and say the rule."""
        if isinstance(rule, Domain):
            options = dict(_VALIDATIONS[rule])
            message = f"{label} must be {rule.rule}"
        else:
            options = {"validate": "list", "source": list(rule)}
            message = f"{label} must be one of: {', '.join(rule)}"
        options |= {
            "input_title": label[:32],
            "input_message": f"{message}."[:255],
            "error_title": "Not possible",
            "error_message": f"{message}."[:255],
        }
        self.sheet.data_validation(row, column, row, column, options)

    def results(
        self,
        key: str,
        label: str,
        formula: str,
        unit: str,
        note: str,
        number_format: str,
        names: Sequence[str],
        *,
        bold: bool = False,
    ) -> None:
        """A row with the same formula in each column that has a name ("": none).

        In the formula {other} is the cell of the row whose key is "other", in the same column.
        """
        self._rows[key] = self.row
        self.sheet.write(self.row, 0, label, self.book.format(bold=bold))
        style: dict[str, Any] = {"num_format": number_format, "align": "right", "bold": bold}
        if bold:
            style["top"] = 1
        for column, name in enumerate(names, start=1):
            if name:
                cells = {k: xl_rowcol_to_cell(row, column) for k, row in self._rows.items()}
                text = formula.format_map(cells)
                self.sheet.write_formula(self.row, column, text, self.book.format(**style))
                self.name_cells(name, (self.row, self.row), (column, column))
        self.describe(1 + len(names), unit, note)
        self.row += 1

    def mark(self, key: str) -> None:
        """Let formulas of the page call the next row {key}."""
        self._rows[key] = self.row

    def area(self, first: str, last: str, columns: tuple[int, int]) -> list[Any]:
        """[sheet, row, column, row, column] from the row of one key to that of another."""
        return [self.name, self._rows[first], columns[0], self._rows[last], columns[1]]

    def describe(self, column: int, unit: str, source: str) -> None:
        """Unit and source, in the row's last two columns."""
        quiet = self.book.format(font_color="#595959", indent=1)
        self.sheet.write(self.row, column, unit, quiet)
        self.sheet.write(self.row, column + 1, source, quiet)

    def text(self, *cells: str | float, number_format: str = PLAIN) -> None:
        """A row of plain text and figures; very large and very small ones in E notation."""
        for column, cell in enumerate(cells):
            look: dict[str, Any] = {"num_format": number_format}
            if isinstance(cell, float) and cell and not 1e-3 < abs(cell) < 1e6:
                look["num_format"] = SCIENTIFIC
            look |= (
                {"align": "right"} if 0 < column < self._notes else {"indent": 1 if column else 0}
            )
            self.sheet.write(self.row, column, cell, self.book.format(**look))
        self.row += 1

    def note(self, label: str, sentence: str) -> None:
        """A row of words that run across the columns to the right."""
        self.sheet.write(self.row, 0, label, self.book.format())
        self.sheet.write(self.row, 1, sentence, self.book.format())
        self.row += 1

    def break_page(self) -> None:
        """Start a new page in print here."""
        self._breaks.append(self.row)
        self.sheet.set_h_pagebreaks(self._breaks)

    def chart(self, chart: Any, title: str, x_axis: dict[str, Any], y_axis: dict[str, Any]) -> None:
        """Put a chart with titles, light gridlines and a legend below what was written so far."""
        chart.set_title({"name": title, "name_font": {"size": 12}, "overlay": False})
        chart.set_x_axis(x_axis)
        grid = {"visible": True, "line": {"color": "#D9D9D9"}}
        chart.set_y_axis({"major_gridlines": grid, **y_axis})
        chart.set_legend({"position": "bottom"})
        chart.set_size({"width": 760, "height": 20 * _CHART_ROWS - 20})
        self.skip()
        self.sheet.insert_chart(self.row, 0, chart, {"description": title})
        self.skip(_CHART_ROWS)

    def finish(self) -> None:
        """Set what is printed: everything written so far."""
        self.sheet.print_area(0, 0, self.row - 1, self._width - 1)
