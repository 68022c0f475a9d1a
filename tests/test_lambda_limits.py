"""The formulas of the editions without an add-in fit into the spreadsheets that they are made for."""

from __future__ import annotations

import re

import formulon
import pytest

import formula_limits as limits
from lambda_books import NAMES, inlined
from parity import BY_NAME

pytestmark = pytest.mark.once

REFERENCES = ["Arguments!$A$1:$A$3000", "Arguments!$B$2"] * 4

ALL_FUNCTIONS = frozenset(
    formulon.Workbook.function_name_at(i) for i in range(formulon.Workbook.function_count())
)


def lambdas() -> dict[str, limits.Formula]:
    return {entry.name: limits.read(entry.formula) for entry in NAMES.values()}


def lets() -> dict[str, limits.Formula]:
    """Every function as one LET, with the fewest arguments and with all."""
    found = {}
    for name in NAMES:
        function = BY_NAME[name]
        for count in {function.required, len(function.parameters)}:
            left_out = [""] * (len(function.parameters) - count)
            text = inlined(name, [*REFERENCES[:count], *left_out])
            found[f"{name} of {count}"] = limits.read(text)
    return found


FORMULAS = {**lambdas(), **lets()}


@pytest.mark.parametrize("formula", FORMULAS.values(), ids=FORMULAS)
def test_a_formula_keeps_to_excels_limits(formula):
    assert len(formula.shown) <= limits.LENGTH
    assert formula.nesting <= limits.NESTING
    assert formula.arguments <= limits.ARGUMENTS
    assert max(map(len, formula.declared)) <= limits.PAIRS


@pytest.mark.parametrize("formula", FORMULAS.values(), ids=FORMULAS)
def test_a_name_inside_a_formula_can_mean_nothing_else(formula):
    declared = [name for names in formula.declared for name in names]
    for name in declared:
        assert re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name), name
        assert len(name) <= limits.COMMENT
        assert not limits.may_be_a_reference(name), name
        assert name.upper() not in ALL_FUNCTIONS | {"TRUE", "FALSE"}, name
    assert len(set(declared)) == len({name.casefold() for name in declared})  # Excel's are caseless
    for names in formula.declared:
        assert len(set(names)) == len(names), "declared twice at once"
    assert formula.used <= set(declared)


@pytest.mark.parametrize("formula", FORMULAS.values(), ids=FORMULAS)
def test_nothing_is_computed_that_nothing_needs(formula):
    let_names = {name for names in formula.declared for name in names}
    for name in let_names:
        uses = re.findall(rf"_xlpm\.{name}\b", formula.text)
        assert len(uses) > 1 or f"_xlop.{name}" in formula.text, name


@pytest.mark.parametrize("name", NAMES)
def test_a_lambda_takes_the_functions_arguments_by_name_and_marks_the_optional_ones(name):
    function = BY_NAME[name]
    head = "".join(
        f"_xlpm.{p.name}," if i < function.required else f"_xlop.{p.name},"
        for i, p in enumerate(function.parameters)
    )
    assert NAMES[name].formula.startswith(f"_xlfn.LAMBDA({head}")


def test_a_lambda_uses_only_what_excel_2024_has():
    has = limits.EVERYWHERE | limits.SINCE_2021 | limits.SINCE_2024
    allowed = {limits.stored(function) for function in has}
    for name, formula in lambdas().items():
        assert set(formula.functions) <= allowed, name


def test_a_let_uses_only_what_excel_2021_and_libreoffice_24_8_and_google_sheets_have():
    allowed = {limits.stored(function) for function in limits.EVERYWHERE | limits.SINCE_2021}
    for name, formula in lets().items():
        assert set(formula.functions) <= allowed, name


def test_every_function_of_the_lists_exists_in_an_engine_that_is_not_ours():
    assert limits.EVERYWHERE | limits.SINCE_2021 | limits.SINCE_2024 <= ALL_FUNCTIONS


@pytest.mark.parametrize("entry", NAMES.values(), ids=NAMES)
def test_a_defined_name_is_one_that_excel_accepts_and_no_add_in_has(entry):
    assert entry.name == f"CX.{entry.function}"
    assert re.fullmatch(r"[A-Za-z_][A-Za-z0-9_.]*", entry.name)
    assert len(entry.name) <= limits.COMMENT
    assert not limits.may_be_a_reference(entry.name)
    assert entry.name not in ALL_FUNCTIONS | set(BY_NAME)
    assert 0 < len(entry.comment) <= limits.COMMENT
    assert entry.comment.isprintable()


def test_only_the_fit_has_no_lambda():
    assert set(BY_NAME) - set(NAMES) == {"FIT_COEFFS", "FIT_SAMPLES"}


@pytest.mark.parametrize(
    "name", ["A1", "XFD1048576", "k10", "R1C1", "r", "c", "R2", "C3", "rc", "AL1"]
)
def test_what_could_be_a_reference_is_seen(name):
    assert limits.may_be_a_reference(name)


@pytest.mark.parametrize(
    "name", ["u_1", "loss", "CX.OPT_PARAMS", "alpha", "x0_", "A_1", "row", "rate"]
)
def test_what_could_not_be_one_passes(name):
    assert not limits.may_be_a_reference(name)


def test_a_formula_is_read_as_what_it_is():
    text = '_xlfn.LAMBDA(_xlpm.x,_xlop.k,_xlfn.LET(_xlpm.y,IF(_xlfn.ISOMITTED(_xlpm.k),{1,2},"),"),_xlpm.x*(_xlpm.y+1)))'
    formula = limits.read(text)
    assert sorted(formula.functions) == ["IF", "_xlfn.ISOMITTED", "_xlfn.LAMBDA", "_xlfn.LET"]
    assert (formula.nesting, formula.arguments) == (4, 3)
    assert sorted(name for names in formula.declared for name in names) == ["k", "x", "y"]
    assert formula.used == {"k", "x", "y"}
    assert formula.shown == 'LAMBDA(x,k,LET(y,IF(ISOMITTED(k),{1,2},"),"),x*(y+1)))'
