"""A sweep computes what its outputs rest on, and gives what computing everything gives."""

from __future__ import annotations

import io
import random
from collections.abc import Callable
from typing import Any

import openpyxl
import pytest
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.formula import ArrayFormula

from chinchilla_xl.errors import ChinchillaError
from chinchilla_xl.recalc.archive import Archive
from chinchilla_xl.recalc.calculation import Calculation
from chinchilla_xl.recalc.live import LiveWorkbook, _places
from chinchilla_xl.recalc.loaded import LoadedWorkbook
from chinchilla_xl.recalc.parts import read_workbook
from chinchilla_xl.workbooks import TEMPLATES, template
from support import saved

pytestmark = pytest.mark.once

Scenario = dict[str, Any]


def computed_anew(data: bytes, inputs: Scenario, outputs: list[str]) -> Scenario:
    """The outputs, once every formula of the file has been computed."""
    archive = Archive(data)
    outline = read_workbook(archive)
    calculation = Calculation(archive, outline, inputs)
    return {name: calculation.value(*place) for name, place in _places(outline, outputs).items()}


def outcome(compute: Callable[..., Scenario], *args: Any) -> Scenario | str:
    """What it gives, or in words why it gives nothing."""
    try:
        return compute(*args)
    except ChinchillaError as e:
        return str(e)


def assert_as_computed_anew(
    data: bytes, live: LiveWorkbook, scenario: Scenario, outputs: list[str]
) -> None:
    expected = outcome(computed_anew, data, scenario, outputs)
    found = outcome(live.run, scenario, outputs)
    if isinstance(expected, dict) and isinstance(found, dict):
        for name, value in expected.items():
            wanted = pytest.approx(value, rel=1e-12, abs=0) if type(value) is float else value
            assert found[name] == wanted, (name, scenario, outputs)
    else:
        assert found == expected, (scenario, outputs)


def evaluated(live: LiveWorkbook) -> int:
    return sum(len(sheet.evaluated) for sheet in live._live._sheets.values())


def formulas(live: LiveWorkbook) -> int:
    return sum(len(sheet.formulas) for sheet in live._live._sheets.values())


def named_cells(data: bytes) -> tuple[dict[str, float], list[str]]:
    """The inputs that are numbers, and the formulas, among the cells that have a name."""
    live = LiveWorkbook(data)
    inputs, results = {}, []
    for name in sorted(openpyxl.load_workbook(io.BytesIO(data)).defined_names):
        try:
            [place] = _places(live._outline, [name]).values()
        except (ChinchillaError, ValueError):  # it is not one cell
            continue
        if live._live.holds_formula(*place):
            results.append(name)
        elif isinstance(value := live._live.content(*place), float):
            inputs[name] = value
    return inputs, results


TEMPLATE_KINDS = [
    kind if kind in ("budget", "batch") else pytest.param(kind, marks=pytest.mark.slow)
    for kind in TEMPLATES
]


@pytest.mark.parametrize("kind", TEMPLATE_KINDS)
def test_outputs_of_every_template_are_as_if_everything_were_computed(kind):
    data = template(kind)
    inputs, results = named_cells(data)
    g = random.Random(kind)
    narrowed = False
    for _ in range(2):
        outputs = g.sample(results, 2)
        live = LiveWorkbook(data)
        for _ in range(2):
            some = g.sample(sorted(inputs), min(3, len(inputs)))
            scenario = {name: inputs[name] * g.choice([0.5, 0.9, 1.1, 3.0, -1.0]) for name in some}
            assert_as_computed_anew(data, live, scenario, outputs)
        narrowed |= evaluated(live) < formulas(live)
    assert narrowed or not live._live.may_live


def random_formula(g: random.Random, row: int) -> str:
    """A formula of the cells above its row, and of others by names, ranges and computed references."""

    def cell() -> str:
        sheet = g.choice(["", "", "Other!", "'a b'!"])
        return f"{sheet}{g.choice('ABC')}{g.randint(1, row - 1)}"

    def area() -> str:
        first, last = sorted((g.randint(1, row - 1), g.randint(1, row - 1)))
        return f"{g.choice(['', 'Other!'])}{g.choice(['A', 'B'])}{first}:C{last}"

    return g.choice(
        [
            lambda: f"={cell()}+{cell()}",
            lambda: f"={cell()}*{cell()}",
            lambda: f"={cell()}/({cell()}-1)",
            lambda: f"={cell()}-{cell()}",
            lambda: f"=SUM({area()})",
            lambda: f"=MAX({area()})+side",
            lambda: f"=IFERROR({cell()}/{cell()},{cell()})",
            lambda: f"=IF({cell()}>{cell()},{cell()},{cell()})",
            lambda: f"=INDEX({area()},1,1)",
            lambda: f"=OFFSET({cell()},0,0)",
            lambda: f"=SUM(OFFSET($A$1,0,0,{g.randint(1, row - 1)},2))",
            lambda: f"=SUBTOTAL(9,{area()})",
            lambda: f"=SUMPRODUCT({area()})",
            lambda: "=SUM(block)",
            lambda: f"=CHINCHILLA_LOSS(ABS({cell()})*1E9,2E12)",
            lambda: f"=SQRT({cell()})",
            lambda: f"={cell()}^9",
            lambda: f'="x"&{cell()}',
        ]
    )()


def random_book(seed: int) -> bytes:
    g = random.Random(seed)
    book = openpyxl.Workbook()
    sheets = [book.active, book.create_sheet("Other"), book.create_sheet("a b")]
    for row in range(1, 21):
        for sheet in sheets:
            for column in "ABC":
                constant = row < 4 or g.random() < 0.25
                number = g.choice([0.0, 1.0, 2.5, -3.0, 1e6, None])
                sheet[f"{column}{row}"] = number if constant else random_formula(g, row)
    book.defined_names["side"] = DefinedName("side", attr_text="Sheet!$A$1")
    book.defined_names["block"] = DefinedName("block", attr_text="Other!$A$1:$B$3")
    if g.random() < 0.3:
        book.active["A25"] = ArrayFormula("A25:A27", "=Other!A1:A3*2")
        book.active["B25"] = "=A26+A27"
    if g.random() < 0.1:
        book.active["D25"] = "=RAND()"
    return saved(book)


@pytest.mark.parametrize("count", [12, pytest.param(200, marks=pytest.mark.slow)])
def test_outputs_of_random_workbooks_are_as_if_everything_were_computed(count):
    narrowed = lived = 0
    for seed in range(count):
        g = random.Random(seed)
        data = random_book(seed)
        live = LiveWorkbook(data)
        places = [f"{s}!{c}{r}" for s in ("Sheet", "Other") for c in "ABC" for r in range(5, 21)]
        for _ in range(2):  # others are asked for later on
            outputs = g.sample([*places, "Sheet!B25", "Sheet!A26"], 2)
            for _ in range(3):
                cells = g.sample(["Sheet!A1", "Sheet!B2", "Other!A2", "'a b'!C3", "side"], 2)
                scenario = {cell: g.choice([0.0, 1.0, 7.0, -2.0, 1e200]) for cell in cells}
                if "side" not in scenario or "Sheet!A1" not in scenario:
                    assert_as_computed_anew(data, live, scenario, outputs)
        lived += live._live.may_live
        narrowed += evaluated(live) < formulas(live)
    assert lived > count / 12
    assert narrowed > count / 12


def book_of(cells: dict[str, Any]) -> bytes:
    book = openpyxl.Workbook()
    for place, content in cells.items():
        book.active[place] = content
    return saved(book)


def test_what_no_output_rests_on_is_not_computed_and_cannot_hold_up_a_scenario(monkeypatch):
    beside = {f"D{row}": "=EXP(A1)*1E300" for row in range(1, 20)}
    data = book_of({"A1": 1.0, "B1": "=A1+1", "C1": "=B1*2"} | beside)
    live = LiveWorkbook(data)
    live.run({"Sheet!A1": 2.0}, ["Sheet!C1"])
    assert evaluated(live) == 2
    monkeypatch.setattr(LiveWorkbook, "_calculated", None)  # nothing is calculated anew
    assert live.run({"Sheet!A1": 500.0}, ["Sheet!C1"]) == {"Sheet!C1": 1002.0}


def test_computed_references_are_followed():
    beside = {f"D{row}": "=A1" for row in range(1, 20)}
    cells = {"A1": 1.0, "A2": 2.0, "B1": "=A1*10", "B2": "=A1*20", "C1": "=OFFSET(B1,A2-1,0)"}
    data = book_of(cells | beside)
    live = LiveWorkbook(data)
    for scenario in ({"Sheet!A1": 3.0}, {"Sheet!A1": 4.0, "Sheet!A2": 1.0}, {}):
        assert_as_computed_anew(data, live, scenario, ["Sheet!C1"])


def test_where_most_is_wanted_everything_stays():
    chain = {f"A{row}": f"=A{row - 1}+1" for row in range(2, 30)}
    data = book_of({"A1": 1.0} | chain)
    live = LiveWorkbook(data)
    assert live.run({"Sheet!A1": 5.0}, ["Sheet!A29"]) == {"Sheet!A29": 33.0}
    assert evaluated(live) == 28


def test_a_needed_formula_that_fails_for_a_scenario_is_still_found():
    beside = {f"D{row}": "=A1" for row in range(1, 20)}
    data = book_of({"A1": 1.0, "A2": 0.1, "B1": "=A1^2", "C1": "=EXP(B1)*1E300"} | beside)
    live = LiveWorkbook(data)
    for a in (2.0, 40.0, 3.0):
        assert_as_computed_anew(data, live, {"Sheet!A1": a}, ["Sheet!C1"])


def test_whole_columns_names_and_choices_are_followed():
    column = {f"D{row}": f"=$A$1+{row}" for row in range(1, 20)}
    beside = {f"H{row}": "=$A$1" for row in range(1, 60)}
    wanted = {
        "B1": "=SUM(D:D)",
        "B2": "=SUM(whole)",
        "B3": "=twice+1",
        "B4": "=SUM(5:5)",
        "B6": "=SUM(CHOOSE($A$2,D1:D3,D4:D5))",
        "B7": "=INDEX(D:D,3)",
        "B8": "=SUM(D1:INDEX(D1:D9,$A$2))",
        "B9": '=SUMIF(D:D,">7",D:D)',
    }
    book = openpyxl.Workbook()
    for place, content in ({"A1": 1.0, "A2": 2.0} | column | beside | wanted).items():
        book.active[place] = content
    book.defined_names["whole"] = DefinedName("whole", attr_text="Sheet!$D:$D")
    book.defined_names["twice"] = DefinedName("twice", attr_text="Sheet!$D$3*2")
    data = saved(book)
    for place in wanted:
        live = LiveWorkbook(data)
        for scenario in ({"Sheet!A1": 3.0}, {"Sheet!A2": 1.0}):
            assert_as_computed_anew(data, live, scenario, [f"Sheet!{place}"])
        assert evaluated(live) < formulas(live), place


def test_where_the_engine_does_not_know_all_references_everything_stays(monkeypatch):
    beside = {f"D{row}": "=A1" for row in range(1, 20)}
    data = book_of({"A1": 1.0, "B1": "=A1+1"} | beside)
    monkeypatch.setattr(LoadedWorkbook, "precedents", lambda *_: ([], False))
    live = LiveWorkbook(data)
    assert live.run({"Sheet!A1": 2.0}, ["Sheet!B1"]) == {"Sheet!B1": 3.0}
    assert evaluated(live) == formulas(live)
