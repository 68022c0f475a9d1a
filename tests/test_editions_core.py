"""The description behind the editions without an add-in: its language, its structure, its limits."""

import re

import formulon
import numpy as np
import pytest

from chinchilla_xl.editions import inlined, lambda_names
from chinchilla_xl.editions.formulas import BODIES, PLAN
from chinchilla_xl.editions.language import abbreviated, folded, needed, render, steps, words
from chinchilla_xl.functions import FUNCTIONS, opt_plan

LAMBDAS = lambda_names()
BY_NAME = {function.name: function for function in FUNCTIONS}
OPTIONAL = {"coeffs": '"besiroglu"', "deployment": "$A$1:$B$8", "name": '"besiroglu"'}


def formulas():
    """Every LAMBDA, and every function in a cell with all its arguments and with the fewest."""
    for name, made in LAMBDAS.items():
        parameters = BY_NAME[name].parameters
        given = [OPTIONAL.get(p.name, f"$C${i}") for i, p in enumerate(parameters, 1)]
        yield f"{name} LAMBDA", made.formula
        yield f"{name} all", inlined(name, given)
        yield f"{name} fewest", inlined(name, given[: BY_NAME[name].required])


ALL = dict(formulas())


def value(formula):
    """What formulon makes of a formula in stored form."""
    with formulon.Workbook.create_default() as workbook:
        workbook.set_formula(0, 0, 0, "=" + re.sub(r"_xl(fn|pm|op)\.", "", formula))
        workbook.recalc()
        return workbook.get_value(0, 0, 0).to_python()


def test_every_function_but_the_fit_has_a_lambda():
    where = "see BODIES in editions/formulas.py"
    assert set(LAMBDAS) == set(BY_NAME) - {"FIT_COEFFS", "FIT_SAMPLES"}, where
    assert {name: made.name for name, made in LAMBDAS.items()} == {n: f"CX.{n}" for n in LAMBDAS}


@pytest.mark.parametrize("name", LAMBDAS)
def test_arguments_are_those_of_the_catalogue_and_optional_ones_are_marked(name):
    declared = re.findall(r"_xl(pm|op)\.(\w+),", LAMBDAS[name].formula.split("_xlfn.LET")[0])
    function = BY_NAME[name]
    kinds = ["pm" if i < function.required else "op" for i in range(len(function.parameters))]
    assert declared == list(zip(kinds, [p.name for p in function.parameters], strict=True))
    assert "_xlop." not in LAMBDAS[name].formula.split("_xlfn.LET", 1)[1]


@pytest.mark.parametrize("name", LAMBDAS)
def test_comments_fit_the_name_manager(name):
    assert 20 < len(LAMBDAS[name].comment) <= 255


@pytest.mark.parametrize("which", ALL)
def test_formulas_stay_within_the_limits_of_excel(which):
    shown = re.sub(r"_xl(fn|pm|op)\.", "", ALL[which])
    assert len(shown) <= 8192
    depth = deepest = 0
    for character in re.sub(r'"[^"]*"', "", shown):
        depth += {"(": 1, ")": -1}.get(character, 0)
        deepest = max(deepest, depth)
    assert depth == 0
    assert deepest <= 64


@pytest.mark.parametrize("which", ALL)
def test_let_takes_at_most_126_names_each_once_none_like_a_cell(which):
    names = bound(ALL[which])
    assert len(names) <= 126
    assert len(set(names)) == len(names)
    for name in names:
        assert not re.fullmatch(r"[A-Za-z]{1,3}\d+|[RrCc]\d*|[Rr]\d*[Cc]\d*", name), name


def test_no_name_is_that_of_a_function():
    with formulon.Workbook.create_default() as workbook:
        functions = {workbook.function_name_at(i) for i in range(workbook.function_count())}
    assert {"VALUE", "LEFT", "GROWTH", "LET"} <= functions
    for formula in ALL.values():
        assert not functions & {name.upper() for name in bound(formula)}


def bound(formula):
    """The names that the LET of a formula binds: every other text at its first level."""
    inside = formula.split("_xlfn.LET(", 1)[1]
    texts, depth, text, quoted = [], 0, "", False
    for character in inside:
        quoted ^= character == '"'
        if not quoted:
            depth += (character in "({") - (character in ")}")
            if depth < 0:
                break
            if character == "," and depth == 0:
                texts.append(text)
                text = ""
                continue
        text += character
    assert len(texts) % 2 == 0
    return [name.removeprefix("_xlpm.") for name in texts[::2]]


@pytest.mark.parametrize(
    ("formula", "printed"),
    [
        (inlined("OPT_PARAMS", ["2.1274", "2E11"]), 5.4e9),  # Table 2 of the paper
        (inlined("OPT_TOKENS", ["2.1274", "2E11"]), 3.67e11),
        (inlined("OPT_COST", ["2.1274", "2E11*70/215", "2E11*145/215"]), 81.8e3),  # Table 3
        (inlined("KAPLAN_LOSS", ["175E9", "300E9"]), 1.73),
        (inlined("COMPUTE_OVERHEAD", ["0.5"]), 0.21),
    ],
)
def test_printed_figures_come_out(formula, printed):
    assert value(formula) == pytest.approx(printed, rel=0.015)


def test_headings_of_a_plan_are_those_of_python():
    assert list(PLAN) == list(opt_plan(2.1274, 65e9, 135e9)[0])


def test_a_data_price_costs_as_in_python():
    machines = [1.5, 3.12e14, 0.5, 1.1, 6.24e14, 0.5, 0.01]
    for price in (1e-9, 1e-7, 1e-5):
        row = "{" + ",".join(map(str, [*machines, price])) + "}"
        here = value(inlined("OPT_COST", ["2.1274", "65E9", "135E9", row]))
        there = BY_NAME["OPT_COST"](2.1274, 65e9, 135e9, [*machines, price])
        assert here == pytest.approx(float(np.asarray(there)), rel=1e-12)


def test_a_block_of_steps_is_read_with_its_comments_and_longer_lines():
    block = steps(
        """
        # what is left
        h = loss - E    # above the floor
        x = IF(h > 0,
            "# no comment", #NUM!)
        """
    )
    assert block == {"h": "loss - E", "x": 'IF(h > 0, "# no comment", #NUM!)'}


def test_only_needed_steps_stand_in_a_formula_each_after_those_it_uses():
    known = {"c": "a + b", "b": "2 * x", "a": "b + 1", "unused": "x"}
    assert [name for name, _ in needed(known, "c", ["x"])] == ["b", "a", "c"]


def test_names_texts_and_errors_are_told_apart():
    assert words('IF(a > 1E3, "b", #N/A) + INDEX(c_1, TRUE)') == ["a", "c_1"]
    assert render('XMATCH(a, {"b c"})') == '_xlfn.XMATCH(_xlpm.a,{"b c"})'


def test_shorter_forms_of_a_formula_compute_the_same():
    known = [("first", "1 - x"), ("second", "first * 2"), ("third", "second^2 + second")]
    with_x = [("x", "5"), *known]
    for made in (with_x, folded(with_x, 2), abbreviated(with_x)):
        text = ",".join(f"{n},{e}" for n, e in made)
        assert value(f"LET({text},{made[-1][0]})") == 56


def test_a_call_that_lacks_an_argument_is_refused():
    with pytest.raises(ValueError, match="OPT_PARAMS"):
        inlined("OPT_PARAMS", ["2.1"])


def test_no_law_is_described_for_a_function_that_is_not_in_the_catalogue():
    assert set(BODIES) <= set(BY_NAME)
