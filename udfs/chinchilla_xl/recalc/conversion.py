"""Rewrites a workbook from one edition to another: the add-in's functions, LAMBDA names, plain cells.

Formulas in cells, tables, rules and names change, and the names that hold the LAMBDAs come or go; all
else stays byte for byte, cached values too. A cell that calls a LAMBDA becomes a dynamic array, as
Excel stores such cells. A formula that cannot change stays as it is and is listed.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from xml.sax.saxutils import escape

from chinchilla_xl.editions import lambda_names
from chinchilla_xl.errors import ArgumentError, UnsupportedFile
from chinchilla_xl.recalc.addresses import Cell, address
from chinchilla_xl.recalc.archive import Archive, Piece
from chinchilla_xl.recalc.arraylike import Sizes
from chinchilla_xl.recalc.calcchain import CHAIN, LISTS, calculated_on_load, without_chain
from chinchilla_xl.recalc.calls import (
    ADDIN,
    CELLS,
    EDITIONS,
    LAMBDA,
    SINGLE,
    calls_ours,
    from_cells,
    lambda_words,
    more_calls,
    our_lambdas,
    own_functions,
    single_call,
    sole_call,
    to_addin,
    to_cells,
    to_lambda,
)
from chinchilla_xl.recalc.elements import with_formulas
from chinchilla_xl.recalc.files import Location, naming, read_file, write_file
from chinchilla_xl.recalc.lambdanames import with_added, with_called, without
from chinchilla_xl.recalc.metadata import dynamic_arrays
from chinchilla_xl.recalc.parts import WORKBOOK, read_workbook
from chinchilla_xl.recalc.sheetedit import Replacement, spliced
from chinchilla_xl.recalc.sheetsyntax import (
    ATTRIBUTES,
    FORMULA_ATTRIBUTES,
    FORMULA_TEXT,
    REST,
)
from chinchilla_xl.recalc.sheetxml import Formulas, SheetXml, unescaped
from chinchilla_xl.recalc.syntax import NotParsedError, copied

LONGEST = 8192
"""Characters of a formula in Excel, before it writes prefixes into the file."""

_STORED = re.compile(r"_xl(?:fn|ws|pm|op)\.")
_MARK = re.compile(rb"""\scm\s*=\s*["'][^"']*["']""")
_TABLES = re.compile(r"xl/tables/[^/]+\.xml")


@dataclass(frozen=True, slots=True)
class Left:
    """A formula that stays as it was, and why."""

    cell: str
    formula: str
    reason: str


@dataclass(slots=True)
class Conversion:
    """What a conversion did: how many formulas changed, which names came and went, what was left."""

    path: str = ""
    output: str = ""
    edition: str = ""
    formulas: int = 0
    added: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    left: list[Left] = field(default_factory=list)

    @property
    def complete(self) -> bool:
        """Whether nothing was left."""
        return not self.left


def convert(path: Location, output: Location, edition: str, *, office: bool = False) -> Conversion:
    """Rewrite the formulas of an .xlsx or .xlsm file to an edition, "addin" or "lambda".

    All else in the file stays byte for byte, the cached values too. `office` spells the add-in's
    functions as Office.js add-ins store them. Formulas that cannot change are listed in the result.

    Raises WorkbookError for a file that cannot be processed, and ArgumentError for an edition that
    there is not; nothing is written then.
    """
    if edition not in (ADDIN, LAMBDA):
        raise ArgumentError(f"edition must be {ADDIN} or {LAMBDA}: {edition!r}")
    with naming(path):
        data, report = converted(read_file(path), edition, office=office)
    report.path, report.output = os.fspath(path), os.fspath(output)
    write_file(output, data)
    return report


def converted(
    data: bytes, edition: str, *, office: bool = False, template: bool = False
) -> tuple[bytes, Conversion]:
    """`convert` in memory, to the edition "cells" too.

    In a `template` every LAMBDA gets its name, called or not, and a fit becomes the values that it
    has been computed to.
    """
    if edition not in EDITIONS:
        raise ArgumentError(f"edition must be one of {', '.join(EDITIONS)}: {edition!r}")
    archive = Archive(data)
    conversion = _Conversion(archive, edition, "_xldudf_" if office else "", template=template)
    parts = conversion.parts()
    new = archive.replaced(parts, dropped=[CHAIN]) if parts else data
    return new, conversion.report


class _KeepError(Exception):
    """Why a formula is left."""


class _Conversion:
    """One workbook on its way to another edition."""

    def __init__(self, archive: Archive, edition: str, prefix: str, *, template: bool) -> None:
        self.report = Conversion(edition=edition)
        self._archive = archive
        self._edition = edition
        self._prefix = prefix
        self._template = template
        self._workbook = read_workbook(archive)
        self._ours = our_lambdas(self._workbook.names)
        self._own_texts = {
            name.formula for name in self._workbook.names if name.name.upper() in self._ours
        }
        self._theirs = own_functions(self._workbook.names)
        self._sizes = Sizes(self._workbook)
        self._words: set[str] = set()
        """LAMBDA names in the formulas as they have become."""
        self._dynamic = ""  # the attribute of a dynamic array's cell

    def parts(self) -> dict[str, Iterable[Piece]]:
        """The parts that change, as they become."""
        parts: dict[str, Iterable[Piece]] = {}
        self._dynamic, metadata = dynamic_arrays(self._archive)
        for title, part in self._workbook.sheets.items():
            new = self._sheet(title, part)
            if new is not None:
                parts[part] = [new]
        if not any(self._dynamic.encode() in b"".join(new) for new in parts.values()):
            metadata = {}
        for part in filter(_TABLES.fullmatch, sorted(self._archive.names)):
            self._rest(part, parts)
        self._rest(WORKBOOK, parts)
        book = self._text(WORKBOOK, parts)
        new_book = self._with_names(book)
        if self._edition == LAMBDA and self.report.formulas:
            new_book = calculated_on_load(new_book)
        if new_book != book:
            parts[WORKBOOK] = [new_book.encode()]
        parts |= {part: [new] for part, new in metadata.items()}
        if parts and CHAIN in self._archive.names:
            for part in LISTS:
                parts[part] = [without_chain(self._text(part, parts)).encode()]
        return parts

    def _text(self, part: str, parts: dict[str, Iterable[Piece]]) -> str:
        """A part as it has become so far."""
        return b"".join(parts[part]).decode() if part in parts else self._archive.text(part)

    def _rest(self, part: str, parts: dict[str, Iterable[Piece]]) -> None:
        """A part other than a worksheet."""
        new, count = with_formulas(self._archive.text(part), partial(self._elsewhere, part))
        if count:
            parts[part] = [new.encode()]
            self.report.formulas += count

    def _elsewhere(self, place: str, formula: str) -> str | None:
        """A formula that is in no cell, as it becomes."""
        if formula.strip() in self._own_texts:
            return None
        try:
            new = self._rewritten(formula)
        except _KeepError as keep:
            self._leave(place, formula, str(keep))
            return None
        return new

    def _sheet(self, title: str, part: str) -> bytes | None:
        """A worksheet part as it becomes; None if it stays."""
        xml = SheetXml(partial(self._archive.read, part), part)
        count = self.report.formulas
        cells = b"".join(spliced(xml.data, self._cells(title, xml))) or xml.data
        start, end = xml.bounds[0], xml.bounds[1] + len(cells) - len(xml.data)
        where = partial(self._elsewhere, title)
        head, before = with_formulas(cells[:start].decode(), where)
        tail, behind = with_formulas(cells[end:].decode(), where)
        self.report.formulas += before + behind
        if self.report.formulas == count:
            return None
        return head.encode() + cells[start:end] + tail.encode()

    def _cells(self, title: str, xml: SheetXml) -> Iterator[Replacement]:
        formulas = xml.formulas()
        stay = self._shared_that_stay(title, formulas)
        for index, place in enumerate(formulas.places):
            cell, mark = Cell.at(place), formulas.marks[index]
            match = formulas.match(index)
            where = address(title, cell)
            if mark >= 0:
                group = formulas.groups[mark]
                text = "" if mark in stay else _own_text(formulas, mark, cell)
                if self._edition == ADDIN and cell != group.leader:
                    text = ""
            else:
                text = unescaped(match[FORMULA_TEXT])
            if not text:
                continue
            element = self._element(where, cell, text, match, mark)
            if element is None:
                continue
            self.report.formulas += 1
            attributes, formula = element
            whole = match.start(FORMULA_ATTRIBUTES) - len(xml.prefix) - 2, match.start(REST)
            if attributes != match[ATTRIBUTES]:
                yield *match.span(ATTRIBUTES), attributes
            p = xml.prefix
            yield *whole, b"<%sf%s</%sf>" % (p, formula, p) if formula else b""

    def _shared_that_stay(self, title: str, formulas: Formulas) -> set[int]:
        """The groups of shared formulas that cannot change, since a cell's own text is not known."""
        if self._edition == ADDIN:
            return set()
        ours = {mark for mark, group in enumerate(formulas.groups) if _may_change(group.text)}
        found = {
            mark
            for cell, mark in zip(formulas, formulas.marks, strict=True)
            if mark in ours and not _own_text(formulas, mark, cell)
        }
        for mark in sorted(found):
            group = formulas.groups[mark]
            where = address(title, group.leader)
            why = "its cells share a formula with whole columns or rows: enter it anew"
            self._leave(where, group.text, why)
        return found

    def _element(
        self, where: str, cell: Cell, text: str, match: re.Match[bytes], mark: int
    ) -> tuple[bytes, bytes] | None:
        """The attributes of a cell, and its formula element from behind the tag's name, as they
        become; None if the cell stays, nothing if its value alone is to be left.
        """
        attributes, own = match[ATTRIBUTES], match[FORMULA_ATTRIBUTES]
        if self._template and not lambda_names().keys() >= {*calls_ours(text)}:
            return _MARK.sub(b"", attributes), b""
        try:
            new = self._rewritten(text)
            if new == text:
                return None
            if self._edition == ADDIN:
                call = single_call(new)
                if _MARK.search(attributes) and call and self._sizes.takes_whole(call):
                    new, own, attributes = call, b"", _MARK.sub(b"", attributes)
            elif mark != Formulas.SPECIAL:
                new = self._one_value(text, new)
                own = b' t="array" ref="%s"' % str(cell).encode()
                attributes = attributes.rstrip() + f" {self._dynamic}".encode()
        except _KeepError as keep:
            self._leave(where, text, str(keep))
            return None
        if len(_STORED.sub("", new)) > LONGEST:
            raise UnsupportedFile(
                f"{where}: its formula would have more than {LONGEST:,} characters: "
                "compute its parts in cells of their own"
            )
        return attributes, own + b">" + escape(new).encode()

    def _one_value(self, text: str, new: str) -> str:
        """A plain formula as a dynamic array that gives a single value as well."""
        if self._sizes.is_single(text):
            return new
        if sole_call(text) and self._sizes.takes_whole(text):
            return f"{SINGLE}({new})"
        raise _KeepError(
            "its result may be an array where the cell holds a single value: enter it anew"
        )

    def _rewritten(self, formula: str) -> str:
        """A formula as it becomes; _KeepError if it cannot."""
        try:
            if self._edition == CELLS:
                return to_cells(formula)
            if self._edition == ADDIN:
                new = to_addin(from_cells(formula), self._ours, self._prefix)
                words = lambda_words(new)
                if self._theirs and (taken := self._theirs & more_calls(formula, new)):
                    self._words |= lambda_words(formula)
                    raise _KeepError(f"the workbook has a name {min(taken)} of its own")
                self._words |= words
                if words & self._ours.keys() and lambda_words(formula):
                    raise _KeepError(f"it names {min(words)} without calling it")
                return new
            return self._as_lambda(formula)
        except NotParsedError:
            raise _KeepError("it cannot be parsed") from None
        except ArgumentError as e:
            raise _KeepError(str(e)) from None

    def _as_lambda(self, formula: str) -> str:
        for function in calls_ours(formula):
            if function in self._theirs:
                continue
            if function not in lambda_names():
                raise _KeepError(f"{function} has no LAMBDA")
        new = to_lambda(formula, self._theirs)
        self._words |= lambda_words(new)
        return new

    def _leave(self, where: str, formula: str, reason: str) -> None:
        self.report.left.append(Left(where, "=" + formula, reason))

    def _with_names(self, book: str) -> str:
        """The workbook part with the LAMBDA names that are called, and no others of ours."""
        wanted: set[str] = set()
        if self._edition == LAMBDA:
            every = {entry.name.upper() for entry in lambda_names().values()}
            wanted = every if self._template else with_called(self._words & every)
            for name in self._workbook.names:
                key = name.name.upper()
                if key in wanted and (key not in self._ours or name.sheet is not None):
                    raise UnsupportedFile(
                        f"it has a name {name.name} of its own: give that another name first"
                    )
            new = sorted(wanted - self._ours.keys())
            self.report.added = new
            return with_added(book, new) if new else book
        if self._edition == ADDIN:
            gone = self._ours.keys() - with_called(self._words & self._ours.keys())
            self.report.removed = sorted(gone)
            return without(book, gone) if gone else book
        return book


def _may_change(formula: str) -> bool:
    try:
        return bool(calls_ours(formula))
    except NotParsedError:
        return False


def _own_text(formulas: Formulas, mark: int, cell: Cell) -> str:
    """A shared formula as it reads in one of its cells; empty if that is not known."""
    group = formulas.groups[mark]
    return copied(group.text, group.leader, cell) or ""
