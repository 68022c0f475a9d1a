"""Writes the pages of a template: one look, names for inputs and results, the same columns.

Every page is a column of labels (A), values (B and further), then words: unit, perhaps name, and
source. Inputs are blue, formulas black, links to other sheets green; each input carries a defined
name and a data validation whose message states its rule. Only inputs can be edited: all sheets are
protected, without a password. The conventions are those of the FAST standard and the ICAEW's
modelling code. `standard` builds the pages that every template has.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, TypeAlias

from chinchilla_xl.errors import MissingExtra
from chinchilla_xl.recalc.addresses import Area, Cell
from chinchilla_xl.workbooks import style
from chinchilla_xl.workbooks.book import Book
from chinchilla_xl.workbooks.rules import Rule, validation, violations

try:
    from xlsxwriter.utility import xl_col_to_name, xl_range_abs, xl_rowcol_to_cell
except ImportError as missing:
    raise MissingExtra("XlsxWriter", "recalc") from missing

MASTER_CHECK = "master_check"
"""The name of the cell that says whether all checks pass."""

_ONE_CELL = re.compile(r"=(('[^']+'|\w+)!\$?[A-Z]{1,3}\$?\d+|(?P<name>[A-Za-z_][\w.]*))")
ROW_HEIGHT = 20  # pixels

_LINE = 13  # points, of wrapped text
_WIDTH_A_CHARACTER = 0.85  # of a digit's; text of many capitals and digits comes near to it
_POINTS_A_CHARACTER = 5.3
_PRINTED_WIDTH, _PRINTED_HEIGHT = 784, 509  # points of A4 across, without margins


Span: TypeAlias = int | tuple[int, int]
"""Rows or columns, counted from 0: one, or the first and the last."""


def _ends(span: Span) -> tuple[int, int]:
    return (span, span) if isinstance(span, int) else span


def letter(column: int) -> str:
    """A column, counted from 0, as a sheet names it: 0 is A."""
    return str(xl_col_to_name(column))


class Page:
    """A new sheet, filled from the top; `row` is the next free row, counted from 0.

    Its columns have the given widths, and the cover says what it is `about`. Its first column holds
    labels, its last `notes` columns words, the others figures. With three columns of words the middle
    one shows the names of inputs and results.
    """

    def __init__(
        self, book: Book, name: str, widths: Sequence[float], notes: int = 2, about: str = ""
    ) -> None:
        self.book = book
        self.name = name
        book.contents[name] = about
        self.sheet = book.file.add_worksheet(name)
        self.row = 0
        self.heading_row = 0
        self._block = ""
        self._width = len(widths)
        self.notes = self._width - notes
        self._rows: dict[str, int] = {}
        self._own: set[str] = set()
        self._breaks: list[int] = []
        self._widths = list(widths)
        self._lines: dict[int, int] = {}  # of rows with more than one
        self._printed = 0.0  # rows since the last page break
        scale = min(1.0, _PRINTED_WIDTH / (sum(widths) * _POINTS_A_CHARACTER))
        self._rows_a_page = _PRINTED_HEIGHT / (15 * scale) - 4  # less the repeated title
        for column, width in enumerate(widths):
            self.sheet.set_column(column, column, width, book.format())
        self.sheet.hide_gridlines(2)
        self.sheet.set_landscape()
        self.sheet.set_paper(9)
        self.sheet.set_margins(0.4, 0.4, 0.6, 0.6)
        self.sheet.fit_to_pages(1, 0)
        self.sheet.set_footer(f"&L&8{book.title}&C&8&A&R&8Page &P of &N")

    def title(self, text: str, *lines: str) -> None:
        """The page's title, the master check, and what the page is about; repeated in print."""
        self.sheet.set_row(self.row, 26)
        self.sheet.write(self.row, 0, text, self.book.format(bold=True, font_size=16))
        self.row += 1
        if self.book.checked:
            self.status(self.row, 0, f"={MASTER_CHECK}", align="left")
            self.row += 1
        self.sheet.repeat_rows(0, self.row - 1)
        for line in lines:
            self.sheet.write(self.row, 0, line, self.book.format(font_color=style.GREY))
            self.row += 1

    def freeze(self, column: int = 1) -> None:
        """Keep what was written so far, and the columns before this one, in sight."""
        self.sheet.freeze_panes(self.row, column)

    def band(self, *headings: str, last: str = "") -> None:
        """A coloured heading row over a block; `last` heads the last column, which says how or whence.

        With it the other columns of words have their headings, too: Unit, and Name if there is one.
        """
        texts = [*headings, *[""] * (self._width - len(headings))]
        if last:
            words = ["Unit", "Name"][: self._width - self.notes - 1]
            texts[self.notes :] = [*words, last]
        look = {"bold": True, "font_color": "#FFFFFF", "bg_color": style.BAND}
        for column, text in enumerate(texts):
            numbers = 0 < column < self.notes
            align = {"align": "right"} if numbers else {"indent": 1 if column else 0}
            self.sheet.write(self.row, column, text, self.book.format(**look, **align))
        self.heading_row = self.row
        self._block = headings[0]
        self.row += 1

    def skip(self, rows: int = 1) -> None:
        """Leave rows empty."""
        self.row += rows

    def name_cells(self, name: str, rows: Span, columns: Span) -> None:
        """Define a name for the cells of these rows and columns."""
        (top, bottom), (left, right) = _ends(rows), _ends(columns)
        place = xl_range_abs(top, left, bottom, right)
        self.book.file.define_name(name, f"='{self.name}'!{place}")
        self._own.add(name)

    def label(self, text: str, *, bold: bool = False) -> None:
        """The label of the current row."""
        self.sheet.write(self.row, 0, text, self.book.format(bold=bold))

    def formula(
        self, row: int, column: int, text: str, number_format: str = style.PLAIN, **look: Any
    ) -> None:
        """A formula in one cell, spelled for the host; green if it only fetches a cell elsewhere."""
        link = _ONE_CELL.fullmatch(text)
        if link and link["name"] not in self._own:
            look.setdefault("font_color", style.GREEN)
        cell = self.book.format(**{"num_format": number_format, "align": "right", **look})
        if self.book.is_dynamic(text):
            self._array(row, column, row, column, text, cell)
        else:
            self.sheet.write_formula(row, column, text, cell)

    def spill(
        self,
        name: str,
        rows: Span,
        columns: Span,
        text: str,
        number_format: str = style.PLAIN,
        *,
        heat: bool = False,
    ) -> None:
        """One dynamic array formula that fills the named block; `heat` colours it by value.

        The block has to be the size of the result, for programs without dynamic arrays.
        """
        (top, bottom), (left, right) = _ends(rows), _ends(columns)
        cell = self.book.format(num_format=number_format, align="right")
        self._array(top, left, bottom, right, text, cell)
        self.name_cells(name, rows, columns)
        if heat:
            scale = {"type": "3_color_scale", "min_color": "#63BE7B", "mid_color": "#FFEB84", "max_color": "#F8696B"}  # fmt: skip
            self.sheet.conditional_format(top, left, bottom, right, scale)

    def _array(self, top: int, left: int, bottom: int, right: int, text: str, cell: Any) -> None:
        spelled = self.book.spelled(text)
        self.sheet.write_dynamic_array_formula(top, left, bottom, right, spelled, cell)

    def status(self, row: int, column: int, text: str, **look: Any) -> None:
        """A formula whose text starts with OK or CHECK, in green or red."""
        self.formula(row, column, text, font_color="#000000", bold=True, **look)
        for word, colour in (("OK", style.GREEN), ("CHECK", "#C00000")):
            self.sheet.conditional_format(row, column, row, column, {
                "type": "text", "criteria": "begins with", "value": word,
                "format": self.book.file.add_format({"font_color": colour}),
            })  # fmt: skip

    def input(
        self,
        name: str,
        label: str,
        value: float | str | date,
        unit: str,
        source: str,
        number_format: str,
        rule: Rule,
    ) -> None:
        """A row with one named, validated input."""
        self.inputs(name, label, [value], unit, source, number_format, rule, [name])

    def inputs(
        self,
        key: str,
        label: str,
        values: Sequence[float | str | date],
        unit: str,
        source: str,
        number_format: str,
        rule: Rule,
        names: Sequence[str],
        first: int = 1,
    ) -> None:
        """A row of validated inputs from column `first` on; formulas of the page call it {key}.

        Each has a name of its own, or all together the one name that is given.
        """
        self.mark(key)
        self.label(label)
        cell = self.book.format(num_format=number_format, **style.INPUT)
        last = first + len(values) - 1
        for column, value in enumerate(values, start=first):
            self.sheet.write(self.row, column, value, cell)
            if len(names) == len(values):
                self.name_cells(names[column - first], self.row, column)
        if len(names) != len(values):
            self.name_cells(names[0], self.row, (first, last))
        self.hold(self.row, (first, last), label, rule)
        self.describe(unit, source, key)
        self.row += 1

    def input_column(
        self,
        name: str,
        label: str,
        values: Sequence[float],
        number_format: str,
        rule: Rule,
        column: int = 0,
    ) -> tuple[int, int]:
        """A column of inputs under one name, from the current row down; its first and last row.

        It moves no row on: other columns may be written beside it.
        """
        rows = (self.row, self.row + len(values) - 1)
        cell = self.book.format(num_format=number_format, **style.INPUT)
        for row, value in enumerate(values, start=self.row):
            self.sheet.write(row, column, value, cell)
        self.name_cells(name, rows, column)
        self.hold(rows, column, label, rule)
        return rows

    def hold(
        self, rows: Span, columns: Span, label: str, rule: Rule, *, blank: bool = False
    ) -> None:
        """Hold these inputs to a rule, as they are typed and by a check; some may be `blank`."""
        (top, bottom), (left, right) = _ends(rows), _ends(columns)
        self.sheet.data_validation(top, left, bottom, right, validation(label, rule))
        area = Area(Cell(top + 1, left + 1), Cell(bottom + 1, right + 1))
        broken = violations(self.name, area, rule, blank=blank)
        self.book.hold(self.name, self._block, broken)

    def constant(
        self, name: str, label: str, value: float, unit: str, source: str, number_format: str
    ) -> None:
        """A row with one named figure that is fixed by definition or publication."""
        self.label(label)
        cell = self.book.format(num_format=number_format, **style.FIXED)
        self.sheet.write(self.row, 1, value, cell)
        self.name_cells(name, self.row, 1)
        self.describe(unit, source, name)
        self.row += 1

    def fixed(
        self, key: str, label: str, values: Sequence[float], unit: str, source: str, first: int = 1
    ) -> None:
        """A row of whole numbers that define what the columns are; formulas call it {key}."""
        self.mark(key)
        self.label(label)
        cell = self.book.format(num_format=style.WHOLE, **style.FIXED)
        self.sheet.write_row(self.row, first, values, cell)
        self.describe(unit, source)
        self.row += 1

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
        first: int = 1,
        each: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        """A row of results with the same formula in each column, which has a name of its own.

        In the formula {other} is the cell of the row whose key is "other", in the same column,
        {column} that column's letter; a key of `each` stands for the column's own word.
        """
        self.mark(key)
        self.label(label, bold=bold)
        look: dict[str, Any] = {"bold": bold, "top": 1} if bold else {}
        for place, name in enumerate(names):
            own = {word: words[place] for word, words in (each or {}).items()}
            text = self.filled(formula, first + place, own)
            self.formula(self.row, first + place, text, number_format, **look)
            self.name_cells(name, self.row, first + place)
        self.describe(unit, note, names[0] if len(names) == 1 else "")
        self.row += 1

    def workings(
        self,
        key: str,
        label: str,
        formula: str,
        unit: str,
        note: str,
        number_format: str,
        columns: tuple[int, int],
        **look: Any,
    ) -> None:
        """A row with the same formula in every column from the first to the last, without names."""
        self.mark(key)
        self.label(label, bold=bool(look.get("bold")))
        for column in range(columns[0], columns[1] + 1):
            self.formula(self.row, column, self.filled(formula, column), number_format, **look)
        self.describe(unit, note)
        self.row += 1

    def filled(self, formula: str, column: int, words: Mapping[str, str] | None = None) -> str:
        """The formula with {key} replaced by the cell of that row in this column, or by a word."""
        cells = {key: xl_rowcol_to_cell(row, column) for key, row in self._rows.items()}
        return formula.format_map({**cells, "column": letter(column), **(words or {})})

    def mark(self, key: str) -> None:
        """Let formulas of the page call the next row {key}."""
        self._rows[key] = self.row

    def row_of(self, key: str) -> int:
        """The row of a key, counted from 0."""
        return self._rows[key]

    def describe(self, unit: str, source: str, name: str = "") -> None:
        """Unit, name if the page has a column for it, and source of the current row."""
        quiet = self.book.format(font_color=style.GREY, indent=1)
        words = [unit, name] if self._width - self.notes == 3 else [unit]
        for column, word in enumerate(words, start=self.notes):
            self.sheet.write(self.row, column, word, quiet)
        self.wrapped(self.row, self._width - 1, source, font_color=style.GREY, indent=1)

    def wrapped(self, row: int, column: int, text: str, **look: Any) -> None:
        """Words in as many lines as their column makes of them; the row grows with them."""
        self.sheet.write(row, column, text, self.book.format(text_wrap=True, **look))
        # No program sets the height of a row by its text when it opens a file.
        lines = math.ceil(len(text) * _WIDTH_A_CHARACTER / self._widths[column])
        before = self._lines.get(row, 1)
        if lines > before:
            self._lines[row] = lines
            self._printed += lines - before
            self.sheet.set_row(row, _LINE * lines + 2)

    def text(
        self, *cells: str | float, number_format: str = style.PLAIN, fixed: bool = False
    ) -> None:
        """A row of plain text and figures; very large and very small ones in E notation.

        With `fixed` the figures are published ones, and look so.
        """
        for column, cell in enumerate(cells):
            look: dict[str, Any] = {"num_format": number_format}
            if isinstance(cell, float) and cell and not 1e-3 < abs(cell) < 1e6:
                look["num_format"] = style.SCIENTIFIC
            if fixed and isinstance(cell, int | float):
                look |= style.FIXED
            look |= (
                {"align": "right"} if 0 < column < self.notes else {"indent": 1 if column else 0}
            )
            self.sheet.write(self.row, column, cell, self.book.format(**look))
        self.row += 1

    def note(self, label: str, sentence: str) -> None:
        """A row of words that run across the columns to the right."""
        self.label(label)
        self.sheet.write(self.row, 1, sentence, self.book.format())
        self.row += 1

    def break_page(self) -> None:
        """Start a new page in print here."""
        self._breaks.append(self.row)
        self._printed = 0.0
        self.sheet.set_h_pagebreaks(self._breaks)

    def keep_together(self, rows: int) -> None:
        """Start a new page in print if so many rows do not fit on the current one."""
        since = self.row - (self._breaks[-1] if self._breaks else 0) + self._printed
        if since + rows > self._rows_a_page and since > 1:
            self.break_page()

    def finish(self) -> None:
        """Set what is printed, everything written so far, and protect all but the inputs."""
        self.sheet.print_area(0, 0, self.row - 1, self._width - 1)
        allowed = ("objects", "format_cells", "format_columns", "format_rows")
        self.sheet.protect("", dict.fromkeys(allowed, True))
