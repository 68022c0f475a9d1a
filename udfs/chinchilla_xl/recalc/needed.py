"""Which formulas some cells rest on, so that the rest need not be computed for them."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping

from chinchilla_xl.recalc.addresses import COLUMN_MASK, Area, Cell
from chinchilla_xl.recalc.loaded import LoadedWorkbook
from chinchilla_xl.recalc.sheets import Sheet

_LARGEST_SHARE = 0.5
"""Of all formulas, beyond which leaving out the others gains too little."""
_MOST_LOOKS = 20
"""At a formula, while areas are searched for them: many large areas overlap, beyond that."""


def needed_by(
    loaded: LoadedWorkbook, sheets: Mapping[str, Sheet], wanted: Iterable[tuple[str, Cell]]
) -> dict[str, set[int]] | None:
    """The places, by sheet, of the formulas that the wanted cells rest on, their own among them.

    Array formulas are always among them, for any cell may lie in their areas. None if the engine
    does not know all that a formula refers to, or if most formulas are needed.
    """
    titles = {title.casefold(): sheet for title, sheet in sheets.items()}
    moving = {title: sheet.moving() for title, sheet in sheets.items()}
    total = sum(len(sheet.formulas) for sheet in sheets.values())
    looks = _MOST_LOOKS * total
    needed: dict[str, set[int]] = {title: set() for title in sheets}
    count = 0
    seen: set[tuple[str, Area]] = set()
    areas = [(title, Area(cell, cell)) for title, cell in wanted]
    areas += [(s.title, Area(cell, cell)) for s in sheets.values() for cell in s.arrays()]
    while areas:
        area = areas.pop()
        if area in seen:
            continue
        seen.add(area)
        sheet = titles.get(area[0].casefold())
        if sheet is None:
            return None
        for place in _formulas_in(sheet, area[1]):
            looks -= 1
            if place is None or place in needed[sheet.title]:
                continue
            needed[sheet.title].add(place)
            count += 1
            cell = Cell.at(place)
            found, complete = loaded.precedents(sheet.title, cell)
            if not complete:
                return None
            areas += found
            areas += moving[sheet.title].get(cell, [])
        if looks < 0 or count > _LARGEST_SHARE * total:
            return None
    return needed


def _formulas_in(sheet: Sheet, area: Area) -> Iterator[int | None]:
    """The places of the formulas in an area; None for one that is passed over beside it."""
    places = sheet.formulas.places
    start, end = bisect_left(places, area.first.place), bisect_right(places, area.last.place)
    for place in places[start:end]:
        inside = area.first.column <= place & COLUMN_MASK <= area.last.column
        yield place if inside else None
