"""Templates that need no add-in: the same figures, texts and looks as the add-in's, cell by cell."""

from __future__ import annotations

import io
import math
import os
import re
from datetime import datetime
from functools import lru_cache
from pathlib import Path

import openpyxl
import pytest
from click.testing import CliRunner
from openpyxl.utils.datetime import to_excel

from chinchilla_xl.cli import cli
from chinchilla_xl.editions import lambda_names
from chinchilla_xl.errors import ArgumentError
from chinchilla_xl.lint import lint_bytes
from chinchilla_xl.recalc import recompute_bytes
from chinchilla_xl.recalc.archive import Archive
from chinchilla_xl.recalc.conversion import converted
from chinchilla_xl.recalc.sweep import sweep
from chinchilla_xl.workbooks import template
from support import cached, least, members, named_values

pytestmark = pytest.mark.once

EDITIONS = ("lambda", "cells")
INPUTS = {
    "budget": {"target_params": 70e9, "months": 24.0, "requests_per_month": 1e9},
    "compare": {"months": 24.0, "demand_growth": 0.05},
    "batch": {"months": 12.0},
    "paper": {"training_MFU": 0.4},
}
"""Each template that is to be had without an add-in, and inputs to change in it."""
TEMPLATES = tuple(INPUTS)
STALE = re.compile(rb"(<f\b[^>]*>[^<]*(?:LET|CX\.)[^<]*</f>)<v>[^<]*</v>")
"""A value that has to be computed, not kept."""
_NEWER = os.environ.get("CHINCHILLA_XL_SOFFICE", "").partition(os.pathsep)[0]

every = pytest.mark.parametrize("name", TEMPLATES)
edition_too = pytest.mark.parametrize("edition", EDITIONS)


@lru_cache(maxsize=16)
def built(name, edition="addin"):
    return template(name, edition=edition)


@lru_cache(maxsize=16)
def with_inputs(name):
    return values(recompute_bytes(built(name), INPUTS[name])[0])


def values(data):
    """Every value in the file by sheet and cell, but the cover's line on where functions come from."""
    book = openpyxl.load_workbook(io.BytesIO(data), data_only=True)
    return {
        (sheet.title, cell.coordinate): cell.value
        for sheet in book
        for row in sheet.iter_rows()
        for cell in row
        if cell.value is not None
        and not (sheet.title == "About" and sheet.cell(cell.row, 1).value == "Functions")
    }


def differences(found, expected, tolerance=0.0):
    def same(a, b):
        if isinstance(a, float | int) and isinstance(b, float | int):
            return math.isclose(a, b, rel_tol=tolerance, abs_tol=tolerance * 1e-3)
        return a == b

    return [
        (place, found.get(place), expected.get(place))
        for place in sorted(found.keys() | expected.keys())
        if not same(found.get(place), expected.get(place))
    ]


@edition_too
@every
def test_every_cell_shows_what_the_addins_template_shows(name, edition):
    assert differences(values(built(name, edition)), values(built(name))) == []


@edition_too
@every
def test_recompute_computes_every_formula_to_the_same(name, edition):
    data, report = recompute_bytes(built(name, edition))
    assert report.kept == []
    assert (report.changed, report.formulas > least(name, 50)) == (0, True)
    assert data == built(name, edition)


@edition_too
@every
def test_changed_inputs_flow_through_as_in_the_addins_template(name, edition):
    data, report = recompute_bytes(built(name, edition), INPUTS[name])
    assert report.kept == []
    assert report.changed > least(name, 5)
    assert differences(values(data), with_inputs(name)) == []


@edition_too
@every
def test_no_function_of_the_addin_is_left(name, edition):
    text = b"".join(
        content for part, content in members(built(name, edition)).items() if "sheet" in part
    ).decode()
    formulas = re.findall(r"<f\b[^>]*>([^<]*)</f>", text)
    assert len(formulas) > least(name, 50)
    bare = re.compile(rf"(?<![\w.])({'|'.join(lambda_names())}|FIT_COEFFS|FIT_SAMPLES)\(")
    assert not [formula for formula in formulas if bare.search(re.sub('"[^"]*"', "", formula))]


@edition_too
@every
def test_only_formulas_names_and_words_differ_from_the_addins_template(name, edition):
    old, new = members(built(name)), members(built(name, edition))
    plumbing = {
        "[Content_Types].xml", "xl/_rels/workbook.xml.rels", "xl/metadata.xml", "xl/workbook.xml",
        "xl/sharedStrings.xml",
    }  # fmt: skip

    def bare(text):
        text = re.sub(rb"<f\b[^>]*(?:/>|>[^<]*</f>)", b"", text)
        return re.sub(rb' cm="1"', b"", text)

    differing = {p for p in old.keys() | new.keys() if bare(old.get(p, b"")) != bare(new.get(p, b""))}  # fmt: skip
    assert differing <= plumbing


@every
def test_converting_the_addins_template_gives_the_formulas_of_the_lambda_edition(name):
    ours = converted(built(name), "lambda")[0]
    compared = 0
    for part, text in members(built(name, "lambda")).items():
        if part.startswith("xl/worksheets/"):
            there, here = (
                re.findall(rb"<f\b[^>]*>([^<]*)</f>", t) for t in (text, members(ours)[part])
            )
            assert there == [formula for formula in here if b"FIT_" not in formula]  # fmt: skip
            compared += len(there)
    assert compared > least(name, 50)


@every
def test_the_lambda_edition_brings_every_lambda_with_its_comment(name):
    names = openpyxl.load_workbook(io.BytesIO(built(name, "lambda"))).defined_names
    for entry in lambda_names().values():
        assert names[entry.name].attr_text == entry.formula
        assert names[entry.name].comment == entry.comment


@edition_too
@every
def test_lint_finds_nothing(name, edition):
    assert lint_bytes(built(name, edition)) == []


@edition_too
def test_it_is_the_same_bytes_every_time(edition):
    assert template("compare", edition=edition) == built("compare", edition)


@edition_too
def test_the_fit_needs_the_addin_and_says_why(edition, tmp_path):
    out = tmp_path / "fit.xlsx"
    result = CliRunner().invoke(cli, ["new", "fit", str(out), "--edition", edition])
    assert isinstance(result.exception, ArgumentError)
    assert "a fit is a search" in str(result.exception)
    assert not out.exists()


def test_a_changed_lambda_is_not_taken_for_ours():
    data = built("batch", "lambda")
    book = members(data)["xl/workbook.xml"].decode()
    own = re.sub(
        r'(<definedName name="CX.OPT_COST"[^>]*>)[^<]*',
        r"\1_xlfn.LAMBDA(_xlpm.a,_xlpm.b,_xlpm.c,_xlop.d,_xlop.e,_xlpm.a+_xlpm.b)", book,
    )  # fmt: skip
    new, report = recompute_bytes(Archive(data).replaced({"xl/workbook.xml": [own.encode()]}))
    assert report.complete
    named = named_values(new)
    assert named["master_check"].startswith("CHECK: 1 of ")
    # Its only call, in the check of the total, is what the changed LAMBDA says: the sum of two arguments.
    [row] = [cell.row for cell in cached(new)["Checks"]["A"] if "OPT_COST" in str(cell.value)]
    assert values(new)["Checks", f"B{row}"] == named["target_loss"] + named["input_tokens"]


@edition_too
def test_a_sweep_gives_what_it_gives_with_the_addin(edition, tmp_path):
    import pandas as pd

    rows = pd.DataFrame({"months": [12.0, 24.0, 36.0]})
    results = []
    for kind in ("addin", edition):
        path = tmp_path / f"{kind}.xlsx"
        path.write_bytes(built("batch", kind))
        results.append(sweep(str(path), rows, ["cost", "params"], str(tmp_path / f"{kind}.csv")))
    assert results[0].equals(results[1])
    assert results[0]["error"].isna().all()


@pytest.mark.skipif(not _NEWER, reason="CHINCHILLA_XL_SOFFICE names no newer LibreOffice")
@pytest.mark.slow
@every
def test_libreoffice_computes_the_cells_edition_to_the_same(name, tmp_path, monkeypatch):
    import libreoffice

    monkeypatch.setattr(libreoffice, "soffice", str(Path(_NEWER) / "soffice"))
    data = recompute_bytes(built(name, "cells"), INPUTS[name])[0]
    parts = {p: [STALE.sub(rb"\1<v>777</v>", t)] for p, t in members(data).items() if "sheet" in p}
    book = libreoffice.recalculated(Archive(data).replaced(parts), tmp_path)
    target = io.BytesIO()
    book.save(target)
    assert differences(values(target.getvalue()), with_inputs(name), 1e-9) == []


@pytest.mark.slow
@every
def test_another_engine_computes_the_lambda_edition_to_the_same(name):
    import formulon

    data = recompute_bytes(built(name, "lambda"), INPUTS[name])[0]
    # formulon 0.18 knows an optional parameter by its brackets only, not as files hold it.
    book = re.sub(r"_xlop\.(\w+)", r"[\1]", members(data)["xl/workbook.xml"].decode())
    parts = {p: [STALE.sub(rb"\1<v>777</v>", t)] for p, t in members(data).items() if "sheet" in p}
    parts["xl/workbook.xml"] = [book.encode()]
    titles = openpyxl.load_workbook(io.BytesIO(data), read_only=True).sheetnames
    expected = with_inputs(name)
    with formulon.Workbook.load(Archive(data).replaced(parts)) as engine:
        engine.recalc()
        found = {
            (sheet, cell): engine.get_value(titles.index(sheet), *_place(cell)).to_python()
            for sheet, cell in expected
        }
    plain = {place: to_excel(v) if isinstance(v, datetime) else v for place, v in expected.items()}
    assert differences(found, plain, 1e-9) == []


def _place(cell):
    letters, digits = re.fullmatch(r"([A-Z]+)(\d+)", cell).groups()
    return int(digits) - 1, openpyxl.utils.column_index_from_string(letters) - 1
