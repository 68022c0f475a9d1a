"""Every template as a file: the same each time, complete, consistent, and right in other programs."""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import Path

import openpyxl
import pytest

import libreoffice
from calibri import lines, pixels
from chinchilla_xl.cli import cli
from chinchilla_xl.functions import FUNCTIONS
from chinchilla_xl.lint import lint_bytes
from chinchilla_xl.recalc import recompute_bytes
from chinchilla_xl.workbooks import TEMPLATES, template
from support import cached, least, members, named_values

READY = Path(__file__).resolve().parent.parent / "templates"

OURS = "|".join(function.name for function in FUNCTIONS)

_BUILT: dict[tuple[str, str], bytes] = {}


def built(name: str, host: str = "plain") -> bytes:
    if (name, host) not in _BUILT:
        _BUILT[name, host] = template(name, host=host)
    return _BUILT[name, host]


@pytest.fixture(params=list(TEMPLATES))
def name(request):
    return request.param


def test_it_is_the_same_bytes_every_time(name):
    assert template(name) == built(name)


def test_the_ready_workbook_is_what_the_code_builds(name):
    ready = READY / f"{name}.xlsx"
    assert ready.exists(), "run make templates"
    old, new = members(ready.read_bytes()), members(built(name))
    assert list(old) == list(new)
    digits = 8 if name in FITS else 12
    differing = [part for part in old if rounded(old[part], digits) != rounded(new[part], digits)]
    assert not differing, "run make templates"


def test_it_is_described_wherever_templates_are_listed(name):
    assert f"[{name}.xlsx]({name}.xlsx)" in (READY / "README.md").read_text(encoding="utf-8")
    page = (READY.parent / "docs" / "templates.md").read_text(encoding="utf-8")
    assert re.search(rf"^## {name}\b", page, re.MULTILINE | re.IGNORECASE), "docs/templates.md"
    for text in (cli.commands["new"].help, cli.commands["new"].short_help):
        assert re.search(rf"\b{name}\b", text), "the help of new in cli.py"


FITS = ("fit", "paper")
"""Templates with fits, whose searches end a little elsewhere on other machines."""


def rounded(part: bytes, digits: int) -> bytes:
    """A part with its values rounded: exp and log differ in their last digit between machines.

    What is nothing but the noise of that, such as the error of a fit to noiseless runs, is 0.
    """

    def short(match: re.Match[bytes]) -> bytes:
        value = float(match[1])
        return b"<v>%.*g</v>" % (digits, 0 if abs(value) < 10.0**-digits else value)

    return re.sub(rb"<v>(-?[0-9][-+.0-9E]*)</v>", short, part)


@pytest.mark.once
def test_lint_finds_nothing(name):
    assert [f"{f.place}: {f.rule}: {f.message}" for f in lint_bytes(built(name))] == []


def test_every_check_passes_and_every_sheet_says_so(name):
    values = named_values(built(name))
    assert values["failing_checks"] == 0
    assert values["master_check"].startswith("OK: all ")
    for sheet in cached(built(name)):
        if sheet["A1"].value != "scenario":  # the table that sweep reads has no title
            assert sheet["A2"].value == values["master_check"], sheet.title


def test_it_asks_no_program_to_recalculate_it(name):
    workbook = members(built(name))["xl/workbook.xml"]
    assert b"fullCalcOnLoad" not in workbook
    assert b'calcId="191029"' in workbook


def test_recomputing_it_changes_nothing(name):
    again, report = recompute_bytes(built(name))
    assert again == built(name)
    assert report.complete
    assert least(name, 50) < report.formulas <= 4000


def test_no_name_is_that_of_a_function_or_looks_like_a_cell(name):
    names = {n.upper() for n in openpyxl.load_workbook(io.BytesIO(built(name))).defined_names}
    assert not names & {function.name for function in FUNCTIONS}
    assert not [n for n in names if re.fullmatch(r"[A-Z]{1,3}[0-9]+|R[0-9]*C[0-9]*", n)]


def test_no_name_is_defined_twice(name):
    workbook = members(built(name))["xl/workbook.xml"]
    names = re.findall(rb'<definedName name="([^"]+)"(?! localSheetId)', workbook)
    assert len({n.upper() for n in names}) == len(names)


def test_only_inputs_can_be_edited_and_no_password_keeps_the_rest(name):
    inputs = 0
    for sheet in openpyxl.load_workbook(io.BytesIO(built(name))):
        assert sheet.protection.sheet
        assert sheet.protection.password is None
        for row in sheet.iter_rows():
            for cell in row:
                if not cell.protection.locked:
                    assert cell.font.color.rgb == "FF0000FF", (sheet.title, cell.coordinate)
                    assert cell.data_type != "f"
                    inputs += 1
    assert inputs > least(name, 10)


@pytest.mark.once
def test_the_office_spelling_recomputes_to_the_same_values(name):
    office = built(name, "office")
    plain, theirs = cached(built(name)), cached(recompute_bytes(office)[0])
    for sheet in plain:
        for row in sheet.iter_rows():
            for cell in row:
                assert theirs[sheet.title][cell.coordinate].value == cell.value, cell.coordinate
    formulas = [
        f for part, data in members(office).items() if part.startswith("xl/worksheets/")
        for f in re.findall(rb"<c ([^>]*)><f[^>]*>([^<]*)</f>", data)
    ]  # fmt: skip
    assert "xl/metadata.xml" in members(office)
    assert sum(b"_xldudf_" in formula for _, formula in formulas) > least(name, 10)
    for attributes, formula in formulas:
        ours = re.search(rf"\b_xldudf_({OURS})\(".encode(), formula)
        assert not re.search(rf"(?<!_xldudf_)\b({OURS})\(".encode(), formula), formula
        assert (b'cm="1"' in attributes) >= (ours is not None), formula


def test_no_words_are_cut_off(name):
    for sheet in cached(built(name)):
        widths = {
            column: dimension.width * 7 + 5  # a digit has seven pixels, a cell a margin of five
            for dimension in sheet.column_dimensions.values()
            for column in range(dimension.min, dimension.max + 1)
        }
        for row in sheet.iter_rows():
            texts = [cell for cell in row if isinstance(cell.value, str)]
            assert not texts or len(widths) > 1
            for cell in texts:
                if row[0].value == "warning":  # a sentence in a table of FIT_COEFFS
                    continue
                look = {"points": cell.font.sz, "bold": bool(cell.font.b)}
                needed = pixels(cell.value, **look)
                room = widths[cell.column] - 5 - 9 * cell.alignment.indent
                if cell.alignment.wrap_text:
                    height = sheet.row_dimensions[cell.row].height or 15
                    assert 13 * lines(cell.value, room=room, **look) <= height, cell
                    continue
                step = -1 if cell.alignment.horizontal == "right" else 1
                beside = cell.column + step
                while needed > room and beside in widths and row[beside - 1].value in (None, ""):
                    room += widths[beside]
                    beside += step
                # Beyond the last column a text runs on.
                where = f"{sheet.title}!{cell.coordinate}"
                assert needed <= room or beside > len(row), f"{where}: widen its column"


def without_ours(data: bytes) -> bytes:
    """The workbook with the results of formulas of ours, and of array formulas, as constants."""
    target = io.BytesIO()
    call = re.compile(rf"\b({OURS})\(".encode())
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(target, "w") as new:
        for part in old.namelist():
            text = old.read(part)
            if part.startswith("xl/worksheets/sheet"):
                text = re.sub(
                    rb"<f[^>]*>([^<]*)</f>",
                    lambda m: b"" if call.search(m[1]) or b't="array"' in m[0] else m[0],
                    text,
                )
            new.writestr(part, text)
    return target.getvalue()


@pytest.mark.once
@libreoffice.needed
@pytest.mark.filterwarnings("ignore:Unable to read chart")  # openpyxl, of LibreOffice's charts
def test_libreoffice_computes_every_other_formula_alike(name, tmp_path):
    """Our functions need the extension for Calc; all that rests on their results does not."""
    data = without_ours(built(name))
    saved = libreoffice.recalculated(data, tmp_path)
    count = 0
    for sheet in openpyxl.load_workbook(io.BytesIO(data)):
        expected = cached(data)[sheet.title]
        for row in sheet.iter_rows():
            for cell in row:
                if cell.data_type != "f":
                    continue
                want, got = (
                    expected[cell.coordinate].value,
                    saved[sheet.title][cell.coordinate].value,
                )
                where = f"{sheet.title}!{cell.coordinate} {cell.value}"
                if isinstance(want, int | float) and not isinstance(want, bool):
                    assert got == pytest.approx(want, rel=1e-9, abs=1e-6), where
                else:
                    assert got == want, where
                count += 1
    assert count > least(name, 50)
