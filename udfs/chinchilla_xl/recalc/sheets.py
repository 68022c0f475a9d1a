"""Worksheets on their way through an engine: inputs, what is kept, and what the engine gets."""

from __future__ import annotations

import re
import threading
from array import array
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from xml.sax.saxutils import escape

from chinchilla_xl.errors import ArgumentError, BrokenFile, TooLarge
from chinchilla_xl.hints import number_meant
from chinchilla_xl.recalc.addresses import Area, Cell, address
from chinchilla_xl.recalc.archive import Archive, Piece
from chinchilla_xl.recalc.copies import CopiedDown
from chinchilla_xl.recalc.formulas import Judge, Verdict, has_fixed_size
from chinchilla_xl.recalc.inputs import Content, Input, Serial, locate
from chinchilla_xl.recalc.loaded import FIT, LARGEST_SPILL
from chinchilla_xl.recalc.lower import OURS
from chinchilla_xl.recalc.moving import Reach, reaches
from chinchilla_xl.recalc.parts import Workbook
from chinchilla_xl.recalc.sheetedit import Edit, Replacement, edited, spliced
from chinchilla_xl.recalc.sheetsyntax import FORMULA_ATTRIBUTES, FORMULA_TEXT, REST
from chinchilla_xl.recalc.sheetxml import Formulas, SharedGroup, SheetXml, unescaped
from chinchilla_xl.recalc.syntax import copied, split, turns_area

_TEXTS = ("s", "str", "inlineStr")
_MANY_CELLS, _MOST_CELLS = 1 << 16, 1 << 22
_PLAIN = re.compile(r"[-+*/^(),.;<>=&% 0-9A-Z_]*")
_LIKE_A_CELL = re.compile("[A-Z_][0-9]|[0-9][A-Z_]")


@dataclass(slots=True)
class _Group:
    """A shared formula as judged; `together` while its one text can serve all of its cells."""

    shared: SharedGroup
    verdict: Verdict
    references: list[str]
    together: bool


class Sheet:
    """A worksheet, its formulas, and the state of each.

    `kept` says why a formula keeps its value. What the engine gets instead of another follows from
    the verdict on its shape, unless it stands in `lowered`.
    """

    def __init__(self, title: str, xml: SheetXml, judge: Judge) -> None:
        self.title = title
        self.xml = xml
        self.written = False
        """Whether inputs were written into the part."""
        self.kept: dict[Cell, str] = {}
        self.lowered: dict[Cell, str] = {}
        self._judge = judge
        self._judged = False
        self._verdicts = array("L")  # the number of each formula's verdict
        self._groups: list[_Group] = []
        self._reduced: set[Cell] = set()
        self._needed: array[int] | None = None

    @cached_property
    def formulas(self) -> Formulas:
        """The formula cells."""
        return self.xml.formulas()

    def write(self, edits: dict[Cell, Edit]) -> None:
        """Change cells; not after `for_engine`."""
        data = edited(self.xml, edits)
        self.xml = SheetXml(lambda: data, self.xml.part)
        self.__dict__.pop("formulas", None)
        self.written = True

    def for_engine(self) -> Iterable[Piece]:
        """The part as the engine gets it: formulas lowered, kept ones as constants, no old spills.

        It comes in pieces; there are none if it is the part as it stands in the file. The first
        time, every formula is judged on the way.
        """
        xml = self.xml
        pieces: Iterable[Piece] = spliced(xml.data, self._replacements())
        if self.written or self.formulas.special or not xml.is_loadable:
            copy = xml.replaced(b"".join(pieces) or xml.data)
            pieces = [copy.loadable(edited(copy, self._old_spills()))]
        return pieces

    def _replacements(self) -> Iterator[Replacement]:
        """What takes the place of formula elements that the engine must not get."""
        formulas, data = self.formulas, self.xml.data
        find, tag = self.xml.syntax.token.match, len(self.xml.prefix) + 2
        judged = CopiedDown(self._judge.judge, self.title).judged
        if not self._judged:
            self._groups = [self._grouped(group) for group in formulas.groups]
        aside = {cell.place for cells in (self.kept, self.lowered) for cell in cells}
        unneeded = set(formulas.places).difference(self.evaluated)
        aside |= unneeded
        for place in aside:
            self._part(place)
        for place, start, mark in zip(
            formulas.places, formulas.starts, formulas.marks, strict=True
        ):
            match = find(data, start)
            assert match is not None
            if place in unneeded:
                element: bytes | None = b""
            elif mark == Formulas.PLAIN and place not in aside:
                verdict, lowered = judged(match[FORMULA_TEXT], place)
                if not self._judged:
                    self._verdicts.append(verdict.number)
                if verdict.reason is not None:
                    self._keep(place, match)
                    element = b""
                elif lowered is not None:
                    element = self._element(match[FORMULA_ATTRIBUTES], lowered)
                else:
                    continue
            else:
                element = self._set_apart(place, match, mark)
            if element is not None:
                yield match.start(FORMULA_ATTRIBUTES) - tag, match.start(REST), element
        self._judged = True

    def _keep(self, place: int, match: re.Match[bytes]) -> None:
        """Keep a formula of its own, for the reason that its shape has."""
        text = unescaped(match[FORMULA_TEXT])
        verdict, references = self._judge.judge(text, self.title, place)
        assert verdict.reason is not None
        self.kept[Cell.at(place)] = verdict.reason.filled(references)

    def _element(self, attributes: bytes, text: bytes | str) -> bytes:
        p = self.xml.prefix
        spelled = escape(text).encode() if isinstance(text, str) else text
        return b"<%sf%s>%s</%sf>" % (p, attributes, spelled, p)

    def _set_apart(self, place: int, match: re.Match[bytes], mark: int) -> bytes | None:
        """The formula element of any other cell; None if it stays as it is."""
        cell, attributes = Cell.at(place), match[FORMULA_ATTRIBUTES]
        if not self._judged:
            self._judge_apart(cell, mark)
        if cell in self.kept:
            return b""
        if mark < 0:
            return self._element(attributes, self.lowered[cell]) if cell in self.lowered else None
        group = self._groups[mark]
        if not group.together:
            return self._element(b"", self.text(cell))
        if cell != group.shared.leader or group.verdict.lowered is None:
            return None  # the engine moves the leader's formula, lowered or not, to the others
        return self._element(attributes, group.verdict.lowered.filled(group.references))

    def _judge_apart(self, cell: Cell, mark: int) -> None:
        """Judge an array formula, a data table, or a member of a shared group."""
        if mark >= 0 and self._groups[mark].together:
            self._verdicts.append(self._groups[mark].verdict.number)
            return
        formula = self.formulas[cell]
        text = self.own_text(cell)
        verdict, references = self._judge.judge(
            text, self.title, cell.place, array=formula.kind == "array"
        )
        self._verdicts.append(verdict.number)
        area = formula.area
        if formula.kind == "dataTable":
            self.kept[cell] = "a data table"
        elif not text:
            self.kept[cell] = f"it shares the formula of {formula.leader}, off the sheet"
        elif verdict.reason is not None:
            self.kept[cell] = verdict.reason.filled(references)
        elif formula.kind == "array":
            if not formula.dynamic and area and area.height * area.width > LARGEST_SPILL:
                self.kept[cell] = f"it fills more than {LARGEST_SPILL:,} cells"
                return
            lowered = text if verdict.lowered is None else verdict.lowered.filled(references)
            if not formula.dynamic and area is not None:
                lowered = f"{FIT}({lowered},{area.height},{area.width})"
            if lowered != text:
                self.lowered[cell] = lowered

    def _grouped(self, shared: SharedGroup) -> _Group:
        leader, (first, last) = shared.leader, shared.area
        verdict, references = self._judge.judge(shared.text, self.title, leader.place)
        moves = [copied(shared.text, leader, corner) for corner in (first, last)]
        # The engine moves whatever looks like a cell: in names of sheets and in quotes too.
        between = "".join(text for text in split(shared.text)[0] if isinstance(text, str))
        plain = _PLAIN.fullmatch(between) and not _LIKE_A_CELL.search(between)
        movable = all(text is not None and not turns_area(text) for text in moves)
        own = verdict.reason is None and not verdict.rewritten
        together = own and movable and bool(plain)
        return _Group(shared, verdict, references, together)

    def _part(self, place: int) -> None:
        """Let a cell that is kept or lowered by itself share its formula no more, nor its group."""
        index = self.formulas.index(Cell.at(place))
        if index is not None and self.formulas.marks[index] >= 0:
            self._groups[self.formulas.marks[index]].together = False

    def _old_spills(self) -> dict[Cell, Edit]:
        """The cells that array formulas filled, blank for the engine to fill again."""
        return {
            child: Edit(value=None)
            for cell, formula in self.formulas.special.items()
            if formula.kind == "array" and cell not in self.kept
            for child in children(formula.area)
            if child not in self.formulas
        }

    def check_arrays(self) -> None:
        """BrokenFile if an array formula fills a cell that another formula fills too."""
        filled: set[Cell] = set()
        for formula in self.formulas.special.values():
            if formula.kind != "array":
                continue
            for child in children(formula.area):
                if child in self.formulas or child in filled:
                    raise BrokenFile(
                        f"{self.address(child)} lies in the array of {formula.cell}, and has "
                        "another formula"
                    )
                filled.add(child)

    def own_text(self, cell: Cell) -> str:
        """The formula as it reads in its own cell; empty if it would leave the sheet."""
        formula = self.formulas[cell]
        return copied(formula.text, formula.leader or cell, cell) or ""

    def text(self, cell: Cell) -> str:
        """The formula as the engine gets it."""
        if cell in self.lowered:
            return self.lowered[cell]
        own = self.own_text(cell)
        array_formula = cell in self.formulas.special
        verdict, references = self._judge.judge(own, self.title, cell.place, array=array_formula)
        return own if verdict.lowered is None else verdict.lowered.filled(references)

    def verdict(self, cell: Cell) -> Verdict:
        """What is known of a formula's shape."""
        index = self.formulas.index(cell)
        assert index is not None
        return self._judge.verdicts[self._verdicts[index]]

    def may_spill(self, cell: Cell) -> bool:
        """Whether a plain formula holds ranges, so that it might give an array."""
        return cell not in self.formulas.special and self.verdict(cell).arrays

    def may_raise(self, cell: Cell) -> bool:
        """Whether a formula may well give #VALUE!."""
        verdict = self.verdict(cell)
        return verdict.ours or verdict.sole in ("FIND", "SEARCH")

    def moving(self) -> dict[Cell, list[Reach]]:
        """The formulas that refer to cells found only when they are computed, and to which."""
        numbers = {verdict.number for verdict in self._judge.verdicts if verdict.moving}
        if not numbers:
            return {}
        return {
            cell: reaches(self.text(cell), self.title)
            for cell, number in zip(self.formulas, self._verdicts, strict=True)
            if number in numbers and cell not in self.kept
        }

    @property
    def evaluated(self) -> Sequence[int]:
        """The places of the formulas that are evaluated, ascending: all, or those it is narrowed to."""
        return self.formulas.places if self._needed is None else self._needed

    def narrow(self, needed: Iterable[int] | None) -> None:
        """Let all formulas but those at these places be constants (None: no more)."""
        self._needed = None if needed is None else array("Q", sorted(needed))

    def plain_numbers(self) -> list[bool]:
        """Of each evaluated formula, whether a number as its result needs no second look."""
        harmless = [not verdict.arrays for verdict in self._judge.verdicts]
        numbers: Iterable[int] = self._verdicts
        if self._needed is not None:
            numbers = (self.verdict(Cell.at(place)).number for place in self._needed)
        return [harmless[number] for number in numbers]

    def computed(self) -> list[Cell]:
        """The formula cells that are not kept."""
        return [cell for cell in self.formulas if cell not in self.kept]

    def arrays(self) -> list[Cell]:
        """The cells that hold array formulas."""
        return [cell for cell, formula in self.formulas.special.items() if formula.kind == "array"]

    def arrays_stay(self) -> bool:
        """Whether no array formula grows or shrinks with the values that it is given."""
        read = self._judge.as_addin  # LAMBDA names and what is written out, as our functions
        return all(has_fixed_size(read(self.own_text(cell))) for cell in self.arrays())

    def address(self, cell: Cell) -> str:
        """A cell's address with its sheet."""
        return address(self.title, cell)

    def reduce(self, cell: Cell) -> None:
        """A plain formula gave an array: its first cell if it is a call of ours, else keep it."""
        if self.verdict(cell).sole not in OURS or cell in self._reduced:
            self.kept[cell] = "its result is an array where the cell holds a single value"
        else:
            self._reduced.add(cell)
            self.lowered[cell] = f"INDEX({self.text(cell)},1,1)"


def open_sheets(archive: Archive, workbook: Workbook) -> dict[str, Sheet]:
    """Every worksheet of a workbook by its title."""
    parts = {t: SheetXml(partial(archive.read, p), p) for t, p in workbook.sheets.items()}
    hidden = any(xml.has_hidden_rows() for xml in parts.values())
    judge = _judge(workbook, hidden)
    return {title: Sheet(title, xml, judge) for title, xml in parts.items()}


_last = threading.local()  # a judge serves one formula at a time


def _judge(workbook: Workbook, hidden_rows: bool) -> Judge:
    """A judge for the workbook: the last one if it judged a workbook of the same outline.

    In a batch of workbooks from one template the formulas are judged for all of them at once.
    """
    outline = workbook.names, workbook.titles, workbook.tables, hidden_rows
    if getattr(_last, "outline", None) != outline:
        _last.judge = Judge(*outline[:3], hidden_rows=hidden_rows)
        _last.outline = outline
    judge: Judge = _last.judge
    return judge


def write_inputs(
    sheets: Mapping[str, Sheet], inputs: Mapping[str, Input], workbook: Workbook
) -> None:
    """Write inputs into the sheets, before anything is evaluated."""
    edits: dict[str, dict[Cell, Edit]] = {}
    for name, title, cell, value in locate(inputs, workbook):
        sheet = sheets[title]
        arrays = (f.area for f in sheet.formulas.special.values() if f.area)
        if cell in sheet.formulas or any(cell in area for area in arrays):
            raise ArgumentError(f"{name} holds a formula: it is no input")
        edits.setdefault(title, {})[cell] = Edit(_written(name, sheet.xml.kind(cell), value))
    for title, new in edits.items():
        sheets[title].write(new)


def _written(name: str, kind: str, value: Content) -> Content:
    """An input as it goes into a cell of this kind: a number stays one, and so does a text."""
    if isinstance(value, str) and kind == "n":
        raise ArgumentError(f"{name} must stay a number: {value[:40]!r}{number_meant(value)}")
    if isinstance(value, Serial):
        return value.text if kind in _TEXTS else float(value)
    return value


def find_formulas(sheets: Collection[Sheet]) -> bool:
    """Whether the sheets hold any formulas; TooLarge or BrokenFile if their arrays cannot be."""
    if not any(sheet.formulas for sheet in sheets):
        return False
    areas = (f.area for sheet in sheets for f in sheet.formulas.special.values())
    filled = sum(area.height * area.width for area in areas if area)
    if filled > _MANY_CELLS:  # which a sound file would hold, each with its value
        held = sum(sheet.xml.data.count(b"</") for sheet in sheets)
        if filled > min(held, _MOST_CELLS):
            raise TooLarge(f"its array formulas fill {filled:,} cells, more than it holds")
    for sheet in sheets:
        sheet.check_arrays()
    return True


def children(area: Area | None) -> list[Cell]:
    """The cells of a spill besides its first."""
    return [] if area is None else area.cells()[1:]
