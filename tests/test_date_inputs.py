"""Dates as inputs: by every way in they become the number of their day, and keep to its rule."""

from __future__ import annotations

import io
import json
from datetime import date, datetime, time

import openpyxl
import pandas as pd
import pytest
from openpyxl.utils.datetime import MAC_EPOCH, WINDOWS_EPOCH
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.datavalidation import DataValidation

import chinchilla_xl as cx
from chinchilla_xl.recalc import sweep as sweep_module
from chinchilla_xl.recalc.calculation import Calculation
from chinchilla_xl.recalc.inputs import parse_assignments
from engine_books import needs_libreoffice
from support import cached, saved

pytestmark = pytest.mark.once

ENGINES = ["formualizer", pytest.param("libreoffice", marks=needs_libreoffice)]


def plan(epoch: datetime = WINDOWS_EPOCH) -> bytes:
    """A first day with a rule, a label, and what follows from both."""
    book = openpyxl.Workbook()
    book.epoch = epoch
    sheet = book.active
    sheet["A1"], sheet["A2"] = date(2026, 1, 1), "2026-01"
    sheet["B1"], sheet["B2"] = "=YEAR(A1)*100+MONTH(A1)", '=A2&"!"'
    for name, cell in (("start", "A1"), ("label", "A2"), ("month", "B1"), ("shown", "B2")):
        book.defined_names[name] = DefinedName(name, attr_text=f"Sheet!${cell[0]}${cell[1]}")
    days = 1462 if epoch == MAC_EPOCH else 0
    rule = DataValidation("date", str(36526 - days), str(73020 - days), operator="between")
    rule.error = "The first day must be from 2000-01-01 to 2099-12-01."
    rule.add("A1")
    sheet.add_data_validation(rule)
    return saved(book)


@pytest.fixture(params=[WINDOWS_EPOCH, MAC_EPOCH], ids=["1900", "1904"])
def path(request, tmp_path):
    (tmp_path / "plan.xlsx").write_bytes(plan(request.param))
    return tmp_path / "plan.xlsx"


def first_row(data: bytes) -> list[object]:
    return [cell.value for cell in cached(data).active[1]]


@pytest.mark.parametrize(
    "given",
    [date(2027, 2, 1), datetime(2027, 2, 1), pd.Timestamp("2027-02-01"), "2027-02-01",
     "2027-02-01 00:00", "2027-02-01T00:00:00"],
)  # fmt: skip
def test_a_date_becomes_the_number_of_its_day_in_both_date_systems(path, given):
    cx.recompute(path, inputs={"start": given})
    assert first_row(path.read_bytes()) == [datetime(2027, 2, 1), 202702]


def test_an_hour_is_a_part_of_the_day(path):
    cx.recompute(path, inputs={"start": datetime(2027, 2, 1, 18)})
    assert first_row(path.read_bytes()) == [datetime(2027, 2, 1, 18), 202702]


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("toml", "start = 2027-02-01"),
        ("toml", 'start = "2027-02-01"'),
        ("json", json.dumps({"start": {"value": "2027-02-01"}})),
        ("csv", "name,value\nstart,2027-02-01\n"),
    ],
)
def test_fill_takes_dates_from_every_kind_of_file(path, kind, text):
    given, target = path.with_name(f"in.{kind}"), path.with_name("out.xlsx")
    given.write_text(text)
    cx.fill(path, given, target)
    assert first_row(target.read_bytes()) == [datetime(2027, 2, 1), 202702]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("kind", ["csv", "xlsx", "parquet", "frame"])
def test_sweep_takes_columns_of_dates(path, kind, engine):
    days = [date(2027, 2, 1), None, date(2028, 3, 1), date(1999, 1, 1)]
    frame = pd.DataFrame({"start": days})
    if kind == "xlsx":
        frame = frame.astype("datetime64[ns]")
    table = path.with_name(f"s.{kind}")
    writers = {"csv": frame.to_csv, "xlsx": frame.to_excel, "parquet": frame.to_parquet}
    if kind in writers:
        writers[kind](table, index=False)
    source = table if kind in writers else frame
    result = cx.sweep(path, source, ["month"], path.with_name("r.csv"), engine=engine)
    assert result["month"].tolist()[:3] == [202702, 202601, 202803]
    assert result["error"].tolist()[3] == (
        "start is refused by the workbook: The first day must be from 2000-01-01 to 2099-12-01: "
        "1999-01-01"
    )


@pytest.mark.parametrize("live", [True, False])
def test_a_cell_that_holds_text_keeps_a_text_that_looks_like_a_date(path, live, monkeypatch):
    cx.recompute(path, path.with_name("out.xlsx"), {"label": "2027-02-01"})
    book = cached(path.with_name("out.xlsx").read_bytes()).active
    assert (book["A2"].value, book["B2"].value) == ("2027-02-01", "2027-02-01!")
    sweep_module._live.cache_clear()
    if not live:
        monkeypatch.setattr(Calculation, "may_live", False)
    frame = pd.DataFrame({"label": ["2027-02-01", "2028"]})
    assert cx.sweep(path, frame, ["shown"])["shown"][0] == "2027-02-01!"
    sweep_module._live.cache_clear()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (2027, "2099-12-01: 2027 (did you mean 2027-01-01?)"),
        ("1999-12-31", "2099-12-01: 1999-12-31"),
        ("1905-08-08", "2099-12-01: 1905-08-08"),
        (date(2100, 1, 1), "2099-12-01: 2100-01-01"),
        ("Feb 2027", "2099-12-01: 'Feb 2027' (a date is given as 2027-02-01)"),
        ("2027-02-30", "2099-12-01: '2027-02-30' (a date is given as 2027-02-01)"),
        (True, "2099-12-01: True"),
    ],
)
def test_a_date_that_breaks_the_rule_of_its_cell_is_refused_by_its_name(path, given, message):
    before = path.read_bytes()
    for change in (lambda: cx.recompute(path, inputs={"start": given}),
                   lambda: cx.fill(path, {"start": given}, path)):  # fmt: skip
        with pytest.raises(cx.ArgumentError) as refused:
            change()
        assert str(refused.value).removeprefix(f"{path}: ") == (
            "start is refused by the workbook: The first day must be from 2000-01-01 to " + message
        )
    assert path.read_bytes() == before


def test_a_rule_for_hours_is_judged_too():
    book = openpyxl.Workbook()
    book.active["A1"] = 0.5
    rule = DataValidation("time", "0.25", "0.75", operator="between")
    rule.add("A1")
    book.active.add_data_validation(rule)
    frame = pd.DataFrame({"Sheet!A1": [0.5, 0.9]})
    target = io.BytesIO(saved(book))
    rules = sweep_module.rules_of(target.getvalue())
    refusals = [rules.refusal(row) for row in frame.to_dict("records")]
    assert refusals[0] is None
    assert "Sheet!A1 is refused by the workbook: it breaks the rule of its cell: 0.9" in str(
        refusals[1]
    )


def test_days_that_programs_do_not_count_alike_and_bare_hours_are_refused(path):
    first = "1904-01-01" if cached(path.read_bytes()).epoch == MAC_EPOCH else "1900-03-01"
    with pytest.raises(cx.ArgumentError, match=f"'start' must be a date from {first} on: 1850-"):
        cx.recompute(path, inputs={"start": date(1850, 1, 1)})
    with pytest.raises(cx.ArgumentError, match="a number, a date, text or a boolean, not time"):
        cx.recompute(path, inputs={"start": time(12)})


def test_the_command_line_takes_a_date():
    assert parse_assignments(["start=2027-02-01"]) == {"start": "2027-02-01"}
