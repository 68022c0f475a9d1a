"""A workbook in the embedded calculation engine (formualizer), with our functions registered there."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from math import prod
from textwrap import shorten
from typing import Any

from chinchilla_xl.errors import BrokenFile, ExtrapolationWarning, MissingExtra
from chinchilla_xl.functions import FUNCTIONS, CellError, WorksheetFunction
from chinchilla_xl.recalc.addresses import (
    COLUMN_MASK,
    ROW_SHIFT,
    Area,
    Cell,
    address,
    bare_sheet,
    parse_area,
    parse_cell,
)
from chinchilla_xl.recalc.callbacks import callbacks
from chinchilla_xl.recalc.engineform import MOST_CELLS, UNSURE, extents
from chinchilla_xl.recalc.lower import OMITTED
from chinchilla_xl.recalc.values import Value

try:
    import formualizer
except ImportError as missing:
    raise MissingExtra("formualizer", "recalc") from missing

FIT = "__FIT_TO_AREA"
"""Gives an array the height and width of the fixed area that an array formula was entered in."""

LARGEST_SPILL = 10_000
"""Cells, beyond which the engine spills no array."""

_BLOCK_ROWS = 1024
_SPARSE = 64
"""Cells to fetch for one that is wanted, beyond which each is fetched by itself."""

_CODES = {
    "Null": "#NULL!",
    "Div": "#DIV/0!",
    "Value": "#VALUE!",
    "Ref": "#REF!",
    "Name": "#NAME?",
    "Num": "#NUM!",
    "Na": "#N/A",
    # Files hold #VALUE! for the newer errors; Excel finds their names when it recalculates.
    "Spill": "#VALUE!",
    "Calc": "#VALUE!",
}
_KINDS = {code: kind for kind, code in reversed(_CODES.items())}

UNCOMPUTED = {
    "Circ": "it is part of a circular reference",
    "NImpl": "the engine cannot compute it",
    "Error": "the engine cannot compute it",
    "Cancelled": "the engine gave up",
    "Spill": "its array is blocked, or larger than the engine spills",
}
"""Results that are none, and why; a cell that gets one keeps its cached value."""


class EngineFailure:
    """A result that no cell may hold; `reason` says why there is none."""

    __slots__ = ("kind", "reason")

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.reason = UNCOMPUTED.get(kind, "the engine cannot compute it")


SPILL = "Spill"


class _UncomputedError(Exception):
    """An argument of ours that could not be computed: neither can the result."""


def parses(formula: str) -> bool:
    """Whether the engine can parse a formula (without its equals sign)."""
    try:
        formualizer.parse("=" + formula)
    except Exception:  # noqa: BLE001 (the engine raises several unrelated kinds)
        return False
    return True


class LoadedWorkbook:
    """A workbook loaded and evaluated; constants may change then, and it is evaluated anew.

    Raises BrokenFile with the engine's words if it cannot load the workbook.
    """

    def __init__(self, data: bytes, *, date1904: bool) -> None:
        self.messages: dict[str, str] = {}
        """What our functions have to say, and the error that it explains; of a warning, ""."""
        self._fatal: BaseException | None = None
        evaluation = formualizer.EvaluationConfig()
        evaluation.enable_parallel = False  # Python callbacks would only wait for each other
        evaluation.date_system = "1904" if date1904 else "1900"
        config = formualizer.WorkbookConfig(
            mode=formualizer.WorkbookMode.Ephemeral, eval_config=evaluation
        )
        try:
            self._book = formualizer.Workbook.from_bytes(data, config=config)
        except Exception as e:  # noqa: BLE001 (the engine raises several unrelated kinds)
            raise BrokenFile(f"the engine cannot load it: {_brief(e)}") from None
        for function in FUNCTIONS:
            self._register(function.name, self._callback(function))
        for name, callback in callbacks(date1904=date1904).items():
            self._register(name, callback)
        self._register(FIT, _fit)
        now = datetime.now().astimezone()
        offset = now.utcoffset() or timedelta()
        self._book.set_deterministic_clock(now.astimezone(UTC), int(offset.total_seconds()))
        self.evaluate()

    def _register(self, name: str, callback: Callable[..., Any]) -> None:
        self._book.register_function(name, callback, min_args=0, max_args=None)

    def _callback(self, function: WorksheetFunction) -> Callable[..., Any]:
        """The function as the engine calls it."""
        name, cells = function.name, function.cells

        def call(*args: Any) -> Any:
            try:
                for arg in args:
                    if type(arg) is not float:
                        if not function.returns_table and prod(extents(args)) > MOST_CELLS:
                            return UNSURE
                        result = cells(*map(_inbound, args))
                        break
                else:
                    result = cells(*args)
                if type(result) is float:
                    return result
                if isinstance(result, CellError) and result.message:
                    self.messages[f"{name} gave {result.code}: {result.message}"] = result.code
                return _outbound(result)
            except _UncomputedError as e:
                return e.args[0]
            except BaseException as e:  # noqa: BLE001 (Ctrl-C too: the engine would hide it)
                self._fatal = e
                self._book.cancel()
                return {"type": "Error", "kind": "Cancelled"}

        return call

    def content(self, sheet: str, cell: Cell) -> Any:
        """What a cell holds: a number, a text, a boolean, an error of the engine's, or None."""
        return self._book.get_value(sheet, cell.row, cell.column)

    def assign(self, sheet: str, cell: Cell, value: Any) -> None:
        """Change a constant of the live workbook; nothing is computed before `evaluate`."""
        self._book.sheet(sheet).set_value(cell.row, cell.column, value)

    def evaluate(self) -> None:
        """Compute what is not up to date."""
        self.messages = {}
        try:
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always", ExtrapolationWarning)
                self._book.evaluate_all()
            self.messages |= {str(w.message): "" for w in caught}
        except Exception as e:  # noqa: BLE001 (the engine raises several unrelated kinds)
            if self._fatal is None:
                raise BrokenFile(f"the engine cannot evaluate it: {_brief(e)}") from None
        if self._fatal is not None:
            raise self._fatal
        self._book.set_temporal_egress("serial")

    def values(self, sheet: str, cells: Iterable[Cell]) -> dict[Cell, Value | EngineFailure]:
        """The values of the given cells."""
        wanted = sorted(cells)
        return dict(zip(wanted, self.column(sheet, [c.place for c in wanted]), strict=True))

    def column(self, sheet: str, places: Sequence[int]) -> list[Value | EngineFailure]:
        """The values of the cells at ascending places, fetched in blocks of rows."""
        found: list[Value | EngineFailure] = []
        if not places:
            return found
        columns = [place & COLUMN_MASK for place in places]
        left, right = min(columns), max(columns)
        if (right - left) * _BLOCK_ROWS > _SPARSE * (len(places) + _BLOCK_ROWS):
            return [_value(self.content(sheet, Cell.at(place))) for place in places]
        final = places[-1] >> ROW_SHIFT
        source = self._book.sheet(sheet)
        block: list[list[Any]] = []
        top = bottom = 0
        for place, column in zip(places, columns, strict=True):
            row = place >> ROW_SHIFT
            if row > bottom:
                top, bottom = row, min(row + _BLOCK_ROWS - 1, final)
                block = source.get_values(formualizer.RangeAddress(sheet, top, left, bottom, right))
            value = block[row - top][column - left]
            found.append(value if type(value) is float else _value(value))
        return found

    def spilled(self, sheet: str, cell: Cell) -> Area | None:
        """Where the formula in `cell` spilled to, or None if it holds one value."""
        spill = self._book.inspect_cell(address(sheet, cell), include_values=False).cell.spill
        if spill is None or not spill.extent:
            return None
        return parse_area(spill.extent.rpartition("!")[2].replace("$", ""))

    def precedents(self, sheet: str, cell: Cell) -> tuple[list[tuple[str, Area]], bool]:
        """The areas that a formula refers to, with their sheets, and whether these are all.

        Computed references, such as OFFSET, are not among them.
        """
        report = self._book.precedents(address(sheet, cell), max_links=1 << 16, max_work=1 << 30)
        areas: list[tuple[str, Area]] = []
        for precedent in report.precedents:
            fields = precedent.reference.to_dict()
            fields = fields["resolution"] or fields  # what a defined name stands for
            place = fields["address"] or fields["resolved"]
            if place is None:
                continue
            first, _, last = place.rpartition(":") if ":" in place else (place, "", "")
            title, start = _place(first)
            end = parse_cell(last.rpartition("!")[2]) if last else start
            if end is not None:
                areas.append((title, Area(start, end)))
        complete = len(areas) == len(report.precedents) and not report.truncation.incomplete
        return areas, complete

    def precedent_errors(self, sheet: str, cell: Cell) -> set[Value]:
        """The errors in the cells that a formula refers to (in ranges, the first thousands)."""
        found: set[Value] = set()
        for title, (start, end) in self.precedents(sheet, cell)[0]:
            bottom = min(end.row, start.row + _BLOCK_ROWS - 1)
            area = Area(start, Cell(bottom, min(end.column, start.column + 63)))
            found |= {v for v in self.values(title, area.cells()).values() if type(v) is CellError}
        return found

    def dependents(self, sheet: str, cells: Iterable[Cell]) -> set[tuple[str, Cell]]:
        """Every formula cell that needs one of the given cells, directly or through others."""
        seen: set[tuple[str, Cell]] = set()
        queue = [address(sheet, cell) for cell in cells]
        while queue:
            report = self._book.dependents(queue.pop(), max_results=1 << 20, max_work=1 << 30)
            for dependent in report.dependents:
                found = _place(dependent.cell)
                if found not in seen:
                    seen.add(found)
                    queue.append(dependent.cell)
        return seen


def _brief(error: Exception) -> str:
    """The engine's words on one short line."""
    return shorten(str(error), 120, placeholder=" ...")


def _place(text: str) -> tuple[str, Cell]:
    """The sheet and cell of an address as the engine writes it."""
    sheet, _, cell = text.rpartition("!")
    found = parse_cell(cell)
    assert found is not None, text
    return bare_sheet(sheet), found


def _inbound(arg: Any) -> Any:
    """An engine's argument in the form that `WorksheetFunction.cells` takes."""
    if isinstance(arg, list):
        return [[_inbound(cell) for cell in row] for row in arg]
    if isinstance(arg, dict):
        kind = arg.get("kind", "")
        if kind in UNCOMPUTED:
            raise _UncomputedError(arg)
        return CellError(_CODES.get(kind, "#VALUE!"))
    return None if arg == OMITTED else arg


def _outbound(result: Any) -> Any:
    """A result of `WorksheetFunction.cells` in the form that the engine takes."""
    if isinstance(result, list):
        return [[_outbound(cell) for cell in row] for row in result]
    if isinstance(result, CellError):
        return {"type": "Error", "kind": _KINDS[result.code], "message": result.message}
    return result


def _value(result: Any) -> Value | EngineFailure:
    if isinstance(result, float | str | bool):
        return result
    if result is None:
        return 0.0  # a formula cannot give a blank: Excel shows 0
    if isinstance(result, dict):
        kind = result.get("kind", "")
        code = _CODES.get(kind)
        return EngineFailure(kind) if code is None or kind == SPILL else CellError(code)
    return float(result)


def _fit(array: Any, height: float, width: float) -> Any:
    """Array formulas over a fixed area: one row or column repeats, beyond the rest is #N/A."""
    rows = array if isinstance(array, list) else [[array]]
    missing = {"type": "Error", "kind": "Na"}

    def cell(i: int, j: int) -> Any:
        i = 0 if len(rows) == 1 else i
        j = 0 if len(rows[0]) == 1 else j
        found = rows[i][j] if i < len(rows) and j < len(rows[0]) else missing
        return 0.0 if found is None else found

    return [[cell(i, j) for j in range(int(width))] for i in range(int(height))]
