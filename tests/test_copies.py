"""A formula judged by the copies above it is judged as if it were alone."""

from __future__ import annotations

from xml.sax.saxutils import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chinchilla_xl.recalc.addresses import Cell
from chinchilla_xl.recalc.copies import CopiedDown
from chinchilla_xl.recalc.formulas import Judge
from chinchilla_xl.recalc.parts import DefinedName

pytestmark = pytest.mark.once

# {r} is the formula's own row, {p} the one above, {n} the one below.
FORMULAS = (
    "A{r}*B{r}",
    "A{r}-B{p}",
    "IF(A{r}>B{r},ROUND(A{r},{r}),{r})",
    "SUM(A$1:A{r})-1",
    "SUM(A{r}:C{r})/$B$2-$B$12",
    "A{r}*5+12",
    "A1{r}-A{r}1",
    "VLOOKUP(A{r},$A$1:$C$9,2,{r})",
    "VLOOKUP(A{r},$A$1:$C$9,2,0)-1",
    'A{r}&" row {r}"',
    "'Sheet {r}'!A{r}-1",
    "Data!A{r}-$A${r}",
    "rate*A{r}",
    "SUM({r}:{r})-A{n}",
    "A{r}<B{n}",
    "INDEX(A{r}:C{r},1,2)-1",
    "SUM(C{r}:A{r})",
    "OPT_PARAMS(A{r},,B{r})",
    "{{1,{r}}}-A{r}",
    "T1[@x]-A{r}",
    "NOSUCH(A{r})",
    "1E{r}+A{r}",
)


@pytest.mark.parametrize("formula", FORMULAS)
@given(rows=st.lists(st.integers(1, 1_048_000), min_size=3, max_size=6, unique=True))
def test_every_row_gets_its_own_verdict(formula, rows):
    judge = Judge(
        [DefinedName("rate", "Data!$A$1", None)], ["Data", "Sheet 5", "Sheet 7"], hidden_rows=False
    )
    copies = CopiedDown(judge.judge, "Data")
    for row in [2, 3, 12, *rows, 5, 1]:
        text = formula.format(r=row, p=row - 1 or 1, n=row + 1)
        place = Cell(row, 9).place
        verdict, lowered = copies.judged(escape(text).encode(), place)
        alone, references = judge.judge(text, "Data", place)
        expected = alone.lowered and escape(alone.lowered.filled(references)).encode()
        assert verdict == alone
        if verdict.reason is None:
            assert lowered == expected


def test_a_formula_copied_down_is_parsed_for_two_rows_only():
    judge = Judge([], ["Data"], hidden_rows=False)
    asked = []

    def counted(*args):
        asked.append(args)
        return judge.judge(*args)

    copies = CopiedDown(counted, "Data")
    for row in range(100, 1100):
        copies.judged(b"A%d-B%d" % (row, row), Cell(row, 3).place)
    assert len(asked) < 10
