"""Which formulas rest on which cells, told from their texts."""

from __future__ import annotations

import pytest

from chinchilla_xl.recalc.addresses import parse_area, parse_cell
from chinchilla_xl.recalc.parts import DefinedName as Name
from chinchilla_xl.recalc.parts import Table, Workbook
from chinchilla_xl.recalc.references import Dependents

pytestmark = pytest.mark.once

OUTLINE = Workbook(
    {"S": "s", "Other sheet": "o"},
    ("S", "Other sheet"),
    (
        Name("total", "S!$B$1:$B$9", None),
        Name("nested", "total*2", None),
        Name("moving", "OFFSET(S!$A$1,1,0)", None),
        Name("local", "S!$Z$1", "S"),
    ),
    date1904=False,
    tables=(
        Table("Near", "S", parse_area("B1:C9"), 1, 0, ("x", "y")),
        Table("Far", "S", parse_area("Y1:Z9"), 1, 0, ("x", "y")),
    ),
)


@pytest.mark.parametrize(
    ("formula", "rests"),
    [
        ("B2+1", True), ("$B$2", True), ("B3", False), ("SUM(A1:C3)", True), ("SUM(C1:D9)", False),
        ("SUM(B:B)", True), ("SUM(C:C)", False), ("SUM(2:2)", True), ("SUM(3:4)", False),
        ("'Other sheet'!B2", False), ("S!B2", True), ("total", True), ("nested+1", True),
        ("moving", True), ("local", True), ("INDIRECT(A9)", True), ("OFFSET(Q1,1,1)", True),
        ("A1:INDEX(Q1:Q9,2)", True), ("Table1[x]", True), ("SUM(Near[x])", True), ("SUM(Near[y])", False), ("Far[x]", False),
        ("SUM(Near[[#All],[x]:[y]])", True), ("nowhere!A1", True),
        ('"B2"', False), ("IF(TRUE,1,2)", False), ("_xlfn.LET(_xlpm.x,2,_xlpm.x*3)", False),
        ("unknown_name", True), ("A1#", True), ("SUM(S:T!B2)", True),
    ],
)  # fmt: skip
def test_what_a_formula_rests_on_is_told_from_its_text(formula, rests):
    place = ("S", parse_cell("Z1"))
    found = Dependents([(place, formula, None)], OUTLINE).new("S", parse_area("B2"))
    assert found == ([place] if rests else [])


def test_what_rests_on_a_cell_through_others_is_found_once():
    def at(address: str) -> tuple:
        return ("S", parse_cell(address))

    chain = [(at(f"A{i + 1}"), f"A{i}+1", None) for i in range(1, 2000)]
    graph = Dependents(
        [
            *chain,
            (at("C1"), "SUM(A1900:A1950)", None),
            (at("D1"), "C1*2", parse_area("D1:D3")),  # an array that fills D1:D3
            (at("E1"), "D3", None),
            (at("F1"), "F2", None),
        ],
        OUTLINE,
    )
    found = graph.new("S", parse_area("A1"))
    assert len(found) == 1999 + 3
    assert at("E1") in found
    assert at("F1") not in found
    assert graph.new("S", parse_area("A5")) == []
