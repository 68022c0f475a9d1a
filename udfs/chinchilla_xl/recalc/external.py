"""Engines that are programs: a private copy of the workbook is recalculated and saved by the program.

From the copy only the values of the formula cells are read, and written into the original, so that
nothing else in it changes. What the program cannot compute keeps its value and is reported, and so
is all that rests on it: a program that does not know a function may well hide that in an IFERROR.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from chinchilla_xl.errors import ChinchillaError, ProgramFailed, WorkbookError
from chinchilla_xl.functions import CellError
from chinchilla_xl.recalc.addresses import MAX_COLUMN, MAX_ROW, Area, Cell
from chinchilla_xl.recalc.archive import Archive
from chinchilla_xl.recalc.engines import Book, Result
from chinchilla_xl.recalc.lower import OURS, bare_name
from chinchilla_xl.recalc.parts import read_workbook
from chinchilla_xl.recalc.references import CellIndex, Dependents, Place, called, words
from chinchilla_xl.recalc.report import Kept, Report, needs
from chinchilla_xl.recalc.sheetedit import Edit, differs, edited
from chinchilla_xl.recalc.sheets import (
    Sheet,
    children,
    find_formulas,
    open_sheets,
    write_inputs,
)
from chinchilla_xl.recalc.sheetxml import Formula
from chinchilla_xl.recalc.stored import Stored
from chinchilla_xl.recalc.values import same

_FOUND_NOTHING = frozenset("HLOOKUP LOOKUP MATCH NA VLOOKUP XLOOKUP XMATCH".split())
_BLIND_TO_TRUTH = frozenset(
    "AND CHOOSE COLUMN COLUMNS COUNTA COUNTBLANK IF IFERROR IFNA IFS INDEX INDIRECT ISBLANK "
    "ISLOGICAL NOT OFFSET OR ROW ROWS XOR".split()
)
"""Functions to which it makes no difference whether TRUE in a range is a number."""
_READ_TEXT = frozenset("DATEVALUE FIND SEARCH TIMEVALUE VALUE".split())


class Program(Protocol):
    """A spreadsheet program, driven from outside.

    `title` is its name; `tolerance` how far a number that it saves may be off (relatively) for the lack
    of digits; `fixed_arrays` says that dynamic arrays keep the size they have in the file, and
    `counts_truth` that TRUE in a range is 1 to it. `batch` and `parallel` are as for Engine.
    """

    title: str
    tolerance: float
    fixed_arrays: bool
    counts_truth: bool
    batch: int
    parallel: bool

    def spelled(self, formula: str) -> str | None:
        """The formula as the program must read it in the copy; None if as it is."""

    def unknown(self, formula: str, saved: str) -> str | None:
        """A function that the program does not know, in the formula or as it has saved that."""

    def remedy(self, function: str) -> str:
        """What to do about a function that the program does not know."""

    def saved(self, copies: Sequence[bytes]) -> list[bytes | ProgramFailed]:
        """Each workbook as saved after a full recalculation, or why it is not."""

    def close(self) -> None:
        """Stop what still runs, and leave nothing behind."""


class External:
    """A program as an Engine."""

    own_processes = True

    def __init__(self, program: Program) -> None:
        self._program = program
        self.batch = program.batch
        self.parallel = program.parallel

    def recompute(self, books: Sequence[Book]) -> list[Result]:
        """See Engine."""
        opened = [self._opened(book) for book in books]
        copies = [item.copy for item in opened if isinstance(item, _Recalculation)]
        saved = iter(self._program.saved(copies) if copies else ())
        return [
            item if isinstance(item, ChinchillaError) else self._result(item, next(saved))
            for item in opened
        ]

    def close(self) -> None:
        """See Engine."""
        self._program.close()

    def _opened(self, book: Book) -> _Recalculation | ChinchillaError:
        try:
            return _Recalculation(book, self._program)
        except ChinchillaError as e:
            return e

    def _result(self, item: _Recalculation, saved: bytes | ProgramFailed) -> Result:
        if isinstance(saved, ProgramFailed):
            return saved
        try:
            return item.result(saved)
        except WorkbookError as e:
            title = self._program.title
            return ProgramFailed(f"what {title} saved cannot be read: {e}")


class _Recalculation:
    """One workbook on its way through a program."""

    def __init__(self, book: Book, program: Program) -> None:
        self._program = program
        self._archive = Archive(book.data)
        self._workbook = read_workbook(self._archive)
        self._sheets = open_sheets(self._archive, self._workbook)
        write_inputs(self._sheets, book.inputs, self._workbook)
        find_formulas(self._sheets.values())
        self._formulas = {t: dict(sheet.formulas.items()) for t, sheet in self._sheets.items()}
        self._texts = {
            (title, cell): self._sheets[title].own_text(cell)
            for title, formulas in self._formulas.items()
            for cell in formulas
        }
        self._original = Stored(book.data)
        self._sizes: dict[tuple[str, Cell], tuple[Cell, Cell, Cell]] = {}
        self._errors: dict[str, dict[Cell, str]] = {}
        self._dependents: Dependents | None = None
        self._truths: dict[str, CellIndex] | None = None
        self._roots: list[tuple[Sheet, Cell]] = []
        self.copy = self._copy()
        """The workbook as the program gets it: inputs written, functions spelled its way."""

    def _copy(self) -> bytes:
        parts = {}
        for sheet in self._sheets.values():
            edits = self._told(sheet)
            if sheet.written or edits:
                parts[sheet.xml.part] = [edited(sheet.xml, edits)]
        return self._archive.replaced(parts, level=1)

    def _told(self, sheet: Sheet) -> dict[Cell, Edit]:
        """What the program's copy of a sheet differs in."""
        formulas = self._formulas[sheet.title]
        edits: dict[Cell, Edit] = {}
        spelled: dict[Cell, str] = {}
        for cell, formula in formulas.items():
            text = self._texts[sheet.title, cell]
            if formula.kind == "dataTable":
                self._keep(sheet, cell, "a data table")
            elif not text:
                self._keep(sheet, cell, f"it shares the formula of {formula.leader}")
            else:
                new = self._program.spelled(text)
                if new is not None:
                    spelled[cell] = new
        edits |= {cell: Edit(formula=None) for cell in sheet.kept}
        edits |= {cell: Edit(formula=text) for cell, text in spelled.items()}
        parted = {formulas[cell].leader for cell in edits} - {None}
        for cell, formula in formulas.items():
            if formula.leader in parted and cell not in edits:  # they can share no more
                edits[cell] = Edit(formula=self._texts[sheet.title, cell])
        return edits | (self._measures(sheet, spelled) if self._program.fixed_arrays else {})

    def _keep(self, sheet: Sheet, cell: Cell, reason: str) -> None:
        sheet.kept[cell] = reason
        self._roots.append((sheet, cell))

    def _measures(self, sheet: Sheet, spelled: dict[Cell, str]) -> dict[Cell, Edit]:
        """New cells that count the elements, rows and columns of each dynamic array."""
        arrays = [f for f in self._formulas[sheet.title].values() if f.dynamic]
        if not arrays:
            return {}
        corner = sheet.xml.corner()
        row, column = corner.row + 2, corner.column + 2
        edits: dict[Cell, Edit] = {}
        for formula in arrays:
            if row > MAX_ROW or column + 2 > MAX_COLUMN:
                break
            text = spelled.get(formula.cell, formula.text)
            places = Cell(row, column), Cell(row, column + 1), Cell(row, column + 2)
            measures = f"SUM(IF(ISERROR({text}),1,1))", f"ROWS({text})", f"COLUMNS({text})"
            edits |= {
                place: Edit(0.0, formula=measure)
                for place, measure in zip(places, measures, strict=True)
            }
            self._sizes[sheet.title, formula.cell] = places
            row += 1
        return edits

    def result(self, saved: bytes) -> tuple[bytes, Report]:
        """The new bytes of the workbook and the report, from what the program has saved."""
        copy = Stored(saved)
        for sheet in self._sheets.values():
            found = copy.formulas(sheet.title)
            self._errors[sheet.title] = {
                c: f.value.code for c, f in found.items() if isinstance(f.value, CellError)
            }
        self._keep_unknown(copy)
        counts = self._keep_dependents()
        report = Report("", "")
        parts = {}
        for sheet in self._sheets.values():
            edits = self._edits(sheet, copy, report)
            if sheet.written or edits:
                parts[sheet.xml.part] = [edited(sheet.xml, edits)]
        report.formulas = len(self._texts)
        report.kept = [
            Kept(
                sheet.address(cell),
                "=" + self._texts[sheet.title, cell],
                reason,
                counts.get((sheet.title, cell), 0),
            )
            for sheet in self._sheets.values()
            for cell, reason in sorted(sheet.kept.items())
        ]
        return self._archive.replaced(parts), report

    def _keep_unknown(self, copy: Stored) -> None:
        """Keep what the program did not compute, or may not have computed as Excel does."""
        names = {
            name.name.casefold(): function
            for name in self._workbook.names
            if (function := self._program.unknown(name.formula, copy.names.get(name.name, "")))
        }
        for sheet in self._sheets.values():
            found = copy.formulas(sheet.title)
            for cell in sheet.computed():
                reason = self._reason(sheet, cell, found.get(cell), names, copy)
                if reason is not None:
                    self._keep(sheet, cell, reason)

    def _reason(
        self,
        sheet: Sheet,
        cell: Cell,
        saved: Formula | None,
        names: dict[str, str],
        copy: Stored,
    ) -> str | None:
        """Why a formula is kept; None if the program has computed it."""
        title, text = self._program.title, self._texts[sheet.title, cell]
        if saved is None:
            return f"{title} has dropped the formula"
        function = self._program.unknown(text, saved.text)
        if function is None and names:
            function = next((names[word] for word in words(text) if word in names), None)
        if function is not None:
            return f"{title} does not know {function}: {self._program.remedy(function)}"
        if saved.value is None:
            return f"{title} gives no value"
        if isinstance(saved.value, CellError) and self._doubtful(sheet, cell, saved.value):
            return f"{title} gives {saved.value.code}, where Excel may not"
        if self._program.counts_truth and self._meets_truth((sheet.title, cell), text, copy):
            return f"{title} counts TRUE in a range as a number, which Excel does not"
        if self._program.fixed_arrays and self._formulas[sheet.title][cell].dynamic:
            return self._resized(sheet, cell, copy)
        return None

    def _meets_truth(self, place: Place, text: str, copy: Stored) -> bool:
        """Whether a function gets a range with TRUE or FALSE in it, as far as can be told."""
        if self._truths is None:
            self._truths = {name: CellIndex(copy.truths(name)) for name in self._sheets}
        functions = {bare_name(function) for function in called(text)}
        if functions <= _BLIND_TO_TRUTH or not any(self._truths.values()):
            return False
        references = self._references().references(text, place)
        if references is None:
            return True
        return any(
            area.first != area.last and name in self._truths and self._truths[name].touches(area)
            for name, area in references
        )

    def _resized(self, sheet: Sheet, cell: Cell, copy: Stored) -> str | None:
        """Why a dynamic array is kept: its size is another than in the file."""
        places = self._sizes.get((sheet.title, cell))
        area = self._formulas[sheet.title][cell].area or Area(cell, cell)
        if places is None:
            return "a dynamic array whose size cannot be told"
        count, height, width = (copy.values(sheet.title, places).get(p) for p in places)
        size = (1, 1) if count == 1 else (height, width)
        if size == (area.height, area.width):
            return None
        if not all(isinstance(n, float) for n in size):
            return "a dynamic array whose size cannot be told"
        rows, columns = size
        return (
            f"a dynamic array that now fills {rows:g} x {columns:g} cells instead of "
            f"{area.height} x {area.width}: {self._program.title} does not let it grow or shrink"
        )

    def _doubtful(self, sheet: Sheet, cell: Cell, value: CellError) -> bool:
        """Whether an error may be the program's own: Excel has fewer kinds, for other causes."""
        formula = self._formulas[sheet.title][cell]
        if value.code not in ("#VALUE!", "#NAME?", "#N/A") or same(value, formula.value):
            return False
        text = self._texts[sheet.title, cell]
        functions = {bare_name(function) for function in called(text)}
        genuine = _FOUND_NOTHING if value.code == "#N/A" else _READ_TEXT
        ours = functions & OURS.keys() and value.code != "#NAME?"
        if ours or (functions & genuine and value.code != "#NAME?"):
            return False
        for title, area in self._references().references(text, (sheet.title, cell)) or ():
            errors = self._errors.get(title, {})
            if any(code == value.code and other in area for other, code in errors.items()):
                return False
        return True

    def _references(self) -> Dependents:
        if self._dependents is None:
            formulas = (
                (place, text, self._formulas[place[0]][place[1]].area)
                for place, text in self._texts.items()
            )
            self._dependents = Dependents(formulas, self._workbook)
        return self._dependents

    def _keep_dependents(self) -> dict[tuple[str, Cell], int]:
        """Keep what rests on a kept formula; how many cells each of these brought with it."""
        counts: dict[tuple[str, Cell], int] = {}
        for sheet, cell in self._roots:
            formula = self._formulas[sheet.title][cell]
            why = needs(sheet.address(cell), missing=formula.value is None)
            found = self._references().new(sheet.title, formula.area or Area(cell, cell))
            count = 0
            for title, dependent in found:
                other = self._sheets[title]
                if dependent not in other.kept:
                    other.kept[dependent] = why
                    count += 1
            counts[sheet.title, cell] = count
        return counts

    def _edits(self, sheet: Sheet, copy: Stored, report: Report) -> dict[Cell, Edit]:
        """The new values of a sheet's formula cells, and of the cells that its arrays fill."""
        saved = copy.formulas(sheet.title)
        edits: dict[Cell, Edit] = {}
        spills: dict[Cell, Area] = {}
        for cell in sheet.computed():
            formula, value = self._formulas[sheet.title][cell], saved[cell].value
            if differs(formula.value, value, self._program.tolerance):
                edits[cell] = Edit(value)
                report.changed += 1
                report.stale += differs(formula.value, value)
            if formula.kind == "array":
                old = formula.area or Area(cell, cell)
                grows = formula.dynamic and not self._program.fixed_arrays
                spills[cell] = (saved[cell].area or Area(cell, cell)) if grows else old
                if spills[cell] != old:
                    edits[cell] = Edit(value, area=spills[cell])
        return edits | self._filled(sheet, copy, spills) if spills else edits

    def _filled(self, sheet: Sheet, copy: Stored, spills: dict[Cell, Area]) -> dict[Cell, Edit]:
        """The new values of the cells that arrays fill besides their first, or fill no more."""
        inner = {child for area in spills.values() for child in children(area)}
        formulas = self._formulas[sheet.title]
        inner -= formulas.keys()
        left = {child for cell in spills for child in children(formulas[cell].area)}
        new, old = copy.values(sheet.title, inner), self._original.values(sheet.title, inner)
        edits = {child: Edit(None) for child in left - inner - formulas.keys()}
        for child in inner:
            value = new.get(child, 0.0)
            if differs(old.get(child), value, self._program.tolerance):
                edits[child] = Edit(value)
        return edits
