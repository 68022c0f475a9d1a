"""Rules of formulas: consistent along rows and columns, no numbers inside, nothing that floats."""

from __future__ import annotations

from collections.abc import Iterator

from chinchilla_xl.lint.finding import Finding
from chinchilla_xl.lint.model import Formula, Model, SheetModel, area_of, atoms, calls, operands
from chinchilla_xl.recalc.addresses import Cell
from chinchilla_xl.recalc.lower import bare_name
from chinchilla_xl.recalc.syntax import NUMBER, Atom, Call

_VOLATILE = frozenset("CELL INDIRECT INFO NOW OFFSET RAND RANDARRAY RANDBETWEEN TODAY".split())

_STRUCTURAL = frozenset((0.0, 1.0, 12.0, 100.0))
"""Numbers that are no assumption: nothing, the whole, months of a year, per cent."""

_PLACES = frozenset(
    """
    CHOOSE CHOOSECOLS CHOOSEROWS COMBIN DATE DROP EDATE EOMONTH HLOOKUP INDEX LARGE MATCH MROUND
    PERCENTILE QUARTILE RANK ROUND ROUNDDOWN ROUNDUP SMALL SUBTOTAL TAKE VLOOKUP WEEKDAY XLOOKUP
    XMATCH
    """.split()
)
"""Functions whose arguments are places, digits and modes, which a plain number may be."""

_RUN = 3
"""Equal formulas side by side that make a row (or column) of one formula."""


def consistent(model: Model) -> Iterator[Finding]:
    """A row or column of equal formulas has no other formula, and no typed number, in it."""
    for sheet in model.sheets:
        for cell, formula in sheet.formulas.items():
            if formula.area is None and _is_odd(sheet, cell):
                message = f"={formula.text} differs from the equal formulas on both sides: copy theirs, or set it apart"
                yield Finding(sheet.title, cell, "inconsistent-formula", message)
        for cell, value in sheet.values.items():
            typed = cell not in sheet.formulas and cell not in sheet.covered
            if (
                typed
                and isinstance(value, int | float)
                and any(_between(sheet, cell, s) for s in ((0, 1), (1, 0)))
            ):
                message = f"{value!r} stands in a row of equal formulas: copy theirs"
                yield Finding(sheet.title, cell, "number-over-formula", message)


def _is_odd(sheet: SheetModel, cell: Cell) -> bool:
    """Whether a formula stands between equal ones in one direction, and fits in the other nowhere."""
    for step, other in (((0, 1), (1, 0)), ((1, 0), (0, 1))):
        theirs = _between(sheet, cell, step)
        if theirs and theirs != sheet.formulas[cell].relative:
            return not any(_same(sheet, cell, n * other[0], n * other[1]) for n in (-1, 1))
    return False


def _between(sheet: SheetModel, cell: Cell, step: tuple[int, int]) -> tuple[object, ...]:
    """The formula on both sides of a cell, if it is the same one there; else nothing."""
    before = sheet.formulas.get(Cell(cell.row - step[0], cell.column - step[1]))
    after = sheet.formulas.get(Cell(cell.row + step[0], cell.column + step[1]))
    if before is None or after is None or before.area or after.area:
        return ()
    # Formulas of names alone are the same wherever they stand: no sign of a row that was filled.
    filled = before.relative == after.relative and before.references
    return before.relative if filled else ()


def _same(sheet: SheetModel, cell: Cell, rows: int, columns: int) -> bool:
    other = sheet.formulas.get(Cell(cell.row + rows, cell.column + columns))
    return other is not None and other.relative == sheet.formulas[cell].relative


def ends_alike(model: Model) -> Iterator[Finding]:
    """A row of equal formulas does not end in another one without a border or a gap."""
    for sheet in model.sheets:
        for cell, formula in sheet.formulas.items():
            if formula.area is not None:
                continue
            back = [sheet.formulas.get(Cell(cell.row, cell.column - n)) for n in range(1, _RUN + 1)]
            first = back[0]
            if first is None or any(
                f is None or f.area or f.relative != first.relative for f in back
            ):
                continue
            last = Cell(cell.row, cell.column + 1) not in sheet.formulas
            fits = any(_same(sheet, cell, n, 0) for n in (-1, 1))
            if last and not fits and formula.relative != first.relative and not _sums(formula):
                message = (
                    f"={formula.text} ends a row of equal formulas: copy theirs, or leave a gap"
                )
                yield Finding(
                    sheet.title, cell, "inconsistent-formula", message, advice=not model.ours
                )


def _sums(formula: Formula) -> bool:
    """Whether a formula is a total, which may end a row."""
    return {bare_name(call.name) for call in calls(formula.tree)} & {"SUM", "SUBTOTAL"} != set()


def no_numbers(model: Model) -> Iterator[Finding]:
    """No formula has a number in it that is an assumption."""
    for sheet in model.sheets:
        for cell, formula in sheet.formulas.items():
            for atom, call in atoms(formula.tree):
                number = atom.kind == NUMBER and float(atom.text) not in _STRUCTURAL
                if number and not (bare_name(call.name) in _PLACES and _alone(call, atom.text)):
                    message = f"={formula.text} has {atom.text} in it: give it a cell with name, unit and source"
                    yield Finding(sheet.title, cell, "hard-coded-number", message)
                    break


def _alone(call: Call, text: str) -> bool:
    """Whether a number is a whole argument of the call."""
    arguments = (slot[0] for slot in call.slots if len(slot) == 1)
    return any(isinstance(item, Atom) and item.text == text for item in arguments)


def nothing_volatile(model: Model) -> Iterator[Finding]:
    """No formula changes by itself, or refers to what no one can trace."""
    for sheet in model.sheets:
        for cell, formula in sheet.formulas.items():
            found = {bare_name(call.name) for call in calls(formula.tree)} & _VOLATILE
            if found:
                name = min(found)
                remedy = "refer to the cells themselves, by INDEX if one has to be chosen"
                if name in ("NOW", "TODAY"):
                    remedy = "make the date an input"
                if name.startswith("RAND"):
                    remedy = "draw the numbers once, and keep them as values"
                yield Finding(sheet.title, cell, "volatile", f"{name} is volatile: {remedy}")


def names_resolve(model: Model) -> Iterator[Finding]:
    """Every name that a formula uses is defined, and every name stands for something."""
    defined = {name.name.casefold() for name in model.names}
    tables = {t.casefold() for s in model.sheets for t in getattr(s.source, "tables", {})}
    for name in model.names:
        if "#REF!" in name.formula:
            message = f"the name {name.name} has lost its cells: delete it, or point it anew"
            yield Finding(name.sheet or "", None, "broken-name", message)
    for sheet in model.sheets:
        for cell, formula in sheet.formulas.items():
            for operand in operands(formula):
                where = operand.rpartition("!")[2]
                plain = where.replace(".", "_").isidentifier()
                word = where.casefold()
                known = word in defined or word in tables or word.startswith("_xlpm.")
                if plain and area_of(operand, "") is None and not known:
                    message = f"={formula.text} uses the name {where}, which does not exist"
                    yield Finding(sheet.title, cell, "unknown-name", message)
                    break


def no_links(model: Model) -> Iterator[Finding]:
    """No formula and no name refers to another file."""
    if any(part.startswith("xl/externalLinks/") for part in model.archive.names):
        message = "it has links to other files: copy the values in, with their source"
        yield Finding("", None, "external-link", message)
    for sheet in model.sheets:
        for cell, formula in sheet.formulas.items():
            if any("[" in operand and "!" in operand for operand in operands(formula)):
                message = (
                    f"={formula.text} refers to another file: copy the value in, with its source"
                )
                yield Finding(sheet.title, cell, "external-link", message)


RULES = (consistent, ends_alike, no_numbers, nothing_volatile, names_resolve, no_links)
