"""The argument and error rules that every worksheet function shares."""

from __future__ import annotations

import math
import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import chinchilla_xl as cx
import parity
from chinchilla_xl.functions import FUNCTIONS, CellError, WorksheetFunction
from chinchilla_xl.functions.parameters import PARAMETERS
from lambda_inputs import RANGES

ELEMENTWISE = [f for f in FUNCTIONS if not f.returns_table]


def numeric(function: WorksheetFunction) -> list[str]:
    required = function.parameters[: function.required]
    return [p.name for p in required if p.domain is not None]


GOOD = {
    "params": [7e9, 1e8, 3.5e10],
    "tokens": [2e12, 1e10, 3e11],
    "loss": [2.23, 2.1, 3.0],
    "inference_tokens": [2e11, 0.0, 1e15],
    "input_tokens": [1e11, 0.0, 5e12],
    "output_tokens": [2e11, 1e9, 0.0],
    "flops": [5.76e23, 1e18, 1e26],
    "params_a": [13e9, 70e9, 2e9],
    "tokens_a": [5.77e11, 4e12, 1e11],
    "params_b": [7e9, 30e9, 1e9],
    "tokens_b": [1.47e12, 2e13, 3e11],
    "size_ratio": [0.5, 1.0, 3.0],
}


@pytest.mark.parametrize("function", ELEMENTWISE, ids=lambda f: f.name)
def test_every_argument_has_values_to_be_tested_with(function):
    for name in numeric(function):
        assert name in GOOD, f"{name}: three good values in GOOD of tests/test_functions.py"
        assert name in parity.GOOD, f"{name}: three good values in GOOD of tests/parity.py"
        assert name in RANGES, f"{name}: powers of ten in RANGES of tests/lambda_inputs.py"


@pytest.mark.parametrize("function", ELEMENTWISE, ids=lambda f: f.name)
def test_an_array_call_equals_a_loop_of_scalar_calls(function):
    names = numeric(function)
    together = function(*(np.array(GOOD[n]) for n in names))
    one_by_one = [function(*row) for row in zip(*(GOOD[n] for n in names), strict=True)]
    np.testing.assert_allclose(together, one_by_one, rtol=1e-14)
    assert all(type(x) is float for x in one_by_one)


@pytest.mark.parametrize("function", ELEMENTWISE, ids=lambda f: f.name)
def test_a_column_against_a_row_gives_a_grid(function):
    names = numeric(function)
    if len(names) < 2:
        return_shape = np.shape(function([[x] for x in GOOD[names[0]]]))
        assert return_shape == (3, 1)
        return
    column = [[x] for x in GOOD[names[0]]]
    row = [GOOD[names[1]][:2]]
    rest = [GOOD[n][0] for n in names[2:]]
    grid = function(column, row, *rest)
    expected = [[function(*c, r, *rest) for r in row[0]] for c in column]
    np.testing.assert_allclose(grid, expected, rtol=1e-13)
    assert np.isfinite(grid).any()


@pytest.mark.parametrize(
    "function", [f for f in ELEMENTWISE if len(numeric(f)) > 1], ids=lambda f: f.name
)
def test_ranges_that_do_not_fit_are_refused_with_their_sizes(function):
    names = numeric(function)
    rest = [GOOD[n][0] for n in names[2:]]
    with pytest.raises(cx.ArgumentError, match=r"do not fit: .* is 2 x 1, .* is 3 x 1"):
        function([[1e9], [2e9]], [[1e9], [2e9], [3e9]], *rest)


def good_cells(function: WorksheetFunction, first: object) -> object:
    return function.cells(first, *(GOOD[n][0] for n in numeric(function)[1:]))


@pytest.mark.parametrize("function", ELEMENTWISE, ids=lambda f: f.name)
def test_a_bad_element_leaves_the_others_unharmed(function):
    error = CellError("#DIV/0!")
    good = GOOD[numeric(function)[0]][0]
    cells = good_cells(function, [[good], [None], [error], ["7"], [True], [-1.0]])
    codes = [str(row[0]) for row in cells[1:]]
    assert cells[0][0] == pytest.approx(good_cells(function, good), rel=1e-13)
    assert codes[:4] == ["#N/A", "#DIV/0!", "#VALUE!", "#VALUE!"]
    assert codes[4] == "#NUM!"


@pytest.mark.parametrize("function", ELEMENTWISE, ids=lambda f: f.name)
@pytest.mark.parametrize("bad", ["7E9", "", True, [["x"]], {}, object(), 1j])
def test_a_whole_argument_that_is_no_number_is_refused_by_name(function, bad):
    rest = [GOOD[n][0] for n in numeric(function)[1:]]
    name = numeric(function)[0]
    with pytest.raises(cx.ArgumentError, match=f"^{name} must be a number"):
        function(bad, *rest)
    cell = function.cells(bad, *rest)
    assert cell.code == "#VALUE!"
    assert cell.message.startswith(f"{name} must be a number")


def test_a_text_that_is_a_number_is_not_converted_but_explained():
    assert "text" in cx.chinchilla_tokens.cells("7E9").message


def test_a_scalar_without_answer_says_which_rule_was_broken():
    cell = cx.chinchilla_loss.cells(-3.0, 1e9)
    assert (cell.code, cell.message) == ("#NUM!", "params must be > 0: -3")
    cell = cx.opt_params.cells(1.5, 1e12)
    assert (cell.code, cell.message) == ("#NUM!", "loss must be above the law's E = 1.69: 1.5")
    assert math.isnan(cx.opt_params(1.5, 1e12))


@pytest.mark.parametrize("function", ELEMENTWISE, ids=lambda f: f.name)
@pytest.mark.parametrize("value", [0.0, -0.0, 5e-324, 1e-300, 1e300, 1.7976931348623157e308])
def test_extremes_never_give_an_infinity_or_a_warning(function, value):
    count = len(numeric(function))
    scalar = function(*[value] * count)
    array = function(*[np.array([value])] * count)
    assert not math.isinf(scalar)
    np.testing.assert_allclose(array, [scalar], rtol=1e-13)
    cell = function.cells(*[value] * count)
    assert isinstance(cell, CellError) == math.isnan(scalar)


def test_integers_numpy_scalars_and_pandas_objects_are_numbers():
    expected = cx.chinchilla_loss(7e9, 2e12)
    assert cx.chinchilla_loss(7_000_000_000, np.float32(2e12)) == pytest.approx(expected, rel=1e-7)
    frame = pd.DataFrame({"n": [7e9, 1e9], "d": [2e12, 1e12]})
    np.testing.assert_allclose(cx.chinchilla_loss(frame["n"], frame["d"])[0], expected)
    assert cx.chinchilla_loss(np.int64(7_000_000_000), 2e12) == expected


def test_an_integer_beyond_floats_is_refused():
    with pytest.raises(cx.ArgumentError, match="params must be below"):
        cx.chinchilla_tokens(10**400)


def test_a_result_too_large_for_memory_is_refused():
    column, row = np.ones((10_000, 1)), np.ones((1, 10_000))
    with pytest.raises(cx.ArgumentError, match="at most 20,000,000 cells: 10,000 x 10,000"):
        cx.chinchilla_loss(column, row)


def test_arguments_may_be_named_and_wrong_numbers_of_them_are_refused():
    assert cx.chinchilla_loss(tokens=2e12, params=7e9) == cx.chinchilla_loss(7e9, 2e12)
    with pytest.raises(TypeError):
        cx.chinchilla_loss(params=7e9)
    with pytest.raises(cx.ArgumentError, match="lacks tokens"):
        cx.chinchilla_loss(7e9)
    assert "at most 3 arguments" in cx.chinchilla_loss.cells(1.0, 2.0, None, 4.0).message


FIVE = [406.4, 410.7, 1.69, 0.336, 0.283]


@pytest.mark.parametrize(
    "form",
    [
        None,
        "chinchilla",
        " Chinchilla ",
        FIVE,
        [FIVE],
        [[x] for x in FIVE],
        np.array(FIVE),
        cx.Law(*FIVE),
        [["", "estimate", "low"], *[[n, x, 0.0] for n, x in zip("ABE", FIVE, strict=False)],
         ["alpha", 0.336, 0.3], ["beta", 0.283, 0.2]],
    ],
    ids=["omitted", "name", "sloppy name", "flat", "row", "column", "array", "Law", "table"],
)  # fmt: skip
def test_coeffs_are_taken_in_every_form(form):
    assert cx.opt_params(2.13, 2e11, form) == cx.opt_params(2.13, 2e11)


def test_n_rows_of_coeffs_give_n_results():
    other = [482.01, 2085.43, 1.8169, 0.3478, 0.3658]
    result = cx.opt_params(2.13, 2e11, [FIVE, other])
    assert result.shape == (2, 1)
    assert result[0, 0] == pytest.approx(cx.opt_params(2.13, 2e11), rel=1e-14)
    assert result[1, 0] == pytest.approx(cx.opt_params(2.13, 2e11, "besiroglu"), rel=1e-14)


def test_a_bad_row_of_coeffs_spoils_only_its_own_result():
    cells = cx.opt_params.cells(2.13, 2e11, [FIVE, [1.0, 2.0, 3.0, None, 5.0], [0.0, *FIVE[1:]]])
    assert isinstance(cells[0][0], float)
    assert [c[0].code for c in cells[1:]] == ["#N/A", "#NUM!"]


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ("chinchila", 'published set: "chinchila" .did you mean chinchilla.'),
        ([1.0, 2.0], "coeffs must be a set's name, five numbers.*: 1 x 2 cells"),
        ([406.4, 410.7, 1.69, 0.0, 0.283], "coefficient alpha must be finite and > 0: 0"),
        ([406.4, 410.7, -1.0, 0.3, 0.283], "coefficient E must be finite and >= 0: -1"),
        ([406.4, 410.7, 1.69, "x", 0.283], 'coefficient alpha must be a number: "x"'),
        (7.0, "coeffs must be a set's name.*: 7$"),
    ],
)
def test_unusable_coeffs_are_refused_in_words(bad, message):
    with pytest.raises(cx.ArgumentError, match=message):
        cx.opt_params(2.13, 2e11, bad)
    assert cx.opt_params.cells(2.13, 2e11, bad).code == "#VALUE!"


SEVEN = [1.5, 3.12e14, 0.5, 1.1, 6.24e14, 0.5, 0.01]
LABELS = [
    "training GPU price", "training GPU peak", "training MFU", "serving GPU price",
    "serving GPU peak", "input MFU", "output MFU",
]  # fmt: skip


@pytest.mark.parametrize(
    "form",
    [
        None,
        SEVEN,
        [SEVEN],
        [[x] for x in SEVEN],
        [list(pair) for pair in zip(LABELS, SEVEN, strict=True)],
        [[label.upper() + ":", x] for label, x in zip(LABELS, SEVEN, strict=True)][::-1],
        dict(zip(LABELS, SEVEN, strict=True)),
        cx.Deployment(),
    ],
    ids=["omitted", "flat", "row", "column", "labels", "any order", "dict", "Deployment"],
)
def test_deployments_are_taken_in_every_form(form):
    assert cx.opt_cost(2.13, 1e11, 1e11, form) == cx.opt_cost(2.13, 1e11, 1e11)


def labelled(**changes: object) -> list[list[object]]:
    return [[label, changes.get(label.replace(" ", "_"), x)] for label, x in zip(LABELS, SEVEN, strict=True)]  # fmt: skip


@pytest.mark.parametrize(
    ("bad", "code", "message"),
    [
        (labelled(output_MFU=45.0), "#VALUE!", r"output MFU must be in \(0, 1\]: 45 \(did you mean 0.45\?\)"),
        (labelled(training_MFU=0.0), "#VALUE!", r"training MFU must be in \(0, 1\]: 0$"),
        (labelled(serving_GPU_price=-1.0), "#VALUE!", "serving GPU price must be > 0: -1"),
        (labelled(input_MFU=None), "#VALUE!", "lacks the value of input MFU"),
        (labelled(input_MFU="50%"), "#VALUE!", 'input MFU must be a number: "50%"'),
        (labelled(input_MFU=CellError("#REF!")), "#REF!", "input MFU holds #REF!"),
        (labelled()[:-1], "#VALUE!", "deployment lacks output MFU"),
        ([*labelled(), ["output MFU", 0.02]], "#VALUE!", "output MFU twice"),
        ([*labelled(), ["GPU colour", 1.0]], "#VALUE!", "unknown label: 'GPU colour'"),
        ([1.0, 2.0], "#VALUE!", "seven|7 numbers"),
    ],
)  # fmt: skip
def test_unusable_deployments_are_refused_in_words(bad, code, message):
    with pytest.raises(cx.ArgumentError, match=message):
        cx.opt_cost(2.13, 1e11, 1e11, bad)
    assert cx.opt_cost.cells(2.13, 1e11, 1e11, bad).code == code


def test_coeffs_lists_every_set_with_its_source():
    table = cx.coeffs()
    assert table[0].tolist() == ["set", "A", "B", "E", "alpha", "beta", "source"]
    assert table[1].tolist()[:6] == ["chinchilla", *FIVE]
    assert len(table) == 10
    for row in table[1:]:
        assert re.search(r"arXiv \d{4}\.\d{5}|et al\. 20\d\d", row[-1]), row[0]
    for row in table[1:]:
        assert cx.coeffs(row[0]).tolist() == [row[1:6].tolist()]


cell_values = st.one_of(
    st.none(), st.booleans(), st.text(max_size=5), st.floats(), st.integers(), st.just(CellError("#REF!"))
)  # fmt: skip
ranges = st.integers(1, 3).flatmap(
    lambda width: st.lists(
        st.lists(cell_values, min_size=width, max_size=width), min_size=1, max_size=3
    )
)


@given(st.sampled_from(FUNCTIONS), st.lists(st.one_of(cell_values, ranges), min_size=0, max_size=6))
def test_whatever_the_arguments_a_cell_gets_a_value_or_an_error(function, args):
    result = function.cells(*args)
    rows = result if isinstance(result, list) else [[result]]
    for row in rows:
        for cell in row:
            assert isinstance(cell, float | str | CellError)
            if isinstance(cell, float):
                assert math.isfinite(cell)


def test_an_argument_that_is_nowhere_described_is_named():
    def tokens_at_rate(params, rate):
        """Tokens."""

    with pytest.raises(LookupError, match=r"TOKENS_AT_RATE: functions/parameters\.py lacks rate$"):
        WorksheetFunction(tokens_at_rate, "", None, "")


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda f: f.name)
def test_names_and_texts_fit_every_host(function):
    assert 3 <= len(function.name) <= 128
    assert function.name.replace("_", "").isalpha(), "a digit could make it a cell address"
    assert 20 < len(function.summary) <= 255
    assert function.example.startswith(f"={function.name}(")
    for parameter in function.parameters:
        assert PARAMETERS[parameter.name] is parameter
        assert len(parameter.text) <= 255
        assert not parameter.name.startswith("_")
