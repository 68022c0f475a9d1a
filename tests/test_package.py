"""The package as a whole: what it exports, what it imports, what its documentation promises."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest

import chinchilla_xl
from support import computed_cells

PUBLIC = [
    "ArgumentError", "ChinchillaError", "Deployment", "ExtrapolationWarning", "Law", "WorkbookError", "breakeven_tokens", "chinchilla_loss", "chinchilla_opt", "chinchilla_tokens", "coeffs", "compute_overhead", "convert", "effective_tokens", "fill", "fit_coeffs", "fit_samples", "kaplan_loss", "opt_cost", "opt_flops", "opt_params", "opt_plan", "opt_tokens", "recompute", "recompute_all", "serve_cost", "sweep", "tokens_for_loss", "train_cost",
]  # fmt: skip

MODULES = [m.name for m in pkgutil.walk_packages(chinchilla_xl.__path__, "chinchilla_xl.")]


def test_the_public_names_are_these():
    assert sorted(chinchilla_xl.__all__) == PUBLIC
    for name in PUBLIC:
        assert getattr(chinchilla_xl, name) is not None
    with pytest.raises(AttributeError):
        chinchilla_xl.nothing  # noqa: B018


def test_every_worksheet_function_is_public_in_lower_case():
    from chinchilla_xl.functions import FUNCTIONS

    for function in FUNCTIONS:
        name = function.name.lower()
        where = "to be imported in functions/__init__.py and chinchilla_xl/__init__.py"
        assert getattr(chinchilla_xl, name, None) is function, f"{name}: {where}"


def test_a_scalar_call_imports_no_heavy_package():
    code = (
        "import sys, chinchilla_xl; chinchilla_xl.opt_params(2.0, 1e12);"
        "print([m for m in ('scipy.optimize', 'pandas', 'openpyxl', 'formualizer', 'xlsxwriter',"
        " 'click', 'rich', 'xlwings') if m in sys.modules])"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "[]"


@pytest.mark.parametrize("name", [m for m in MODULES if not m.endswith("__main__")])
def test_the_examples_in_the_documentation_are_true(name):
    module = importlib.import_module(name)
    failed, _ = doctest.testmod(module)
    assert failed == 0


def test_the_examples_of_the_worksheet_functions_are_true():
    from chinchilla_xl.functions import FUNCTIONS

    runner = doctest.DocTestRunner()
    finder = doctest.DocTestFinder()
    for function in FUNCTIONS:
        tests = finder.find(
            function.formula, function.name, globs=dict(function.formula.__globals__)
        )
        assert any(test.examples for test in tests), f"{function.name} has no example"
        for test in tests:
            runner.run(test)
    assert runner.summarize(verbose=False).failed == 0


def test_the_examples_of_the_readme_are_true():
    readme = Path(__file__).resolve().parent.parent / "README.md"
    text = readme.read_text(encoding="utf-8")
    examples = doctest.DocTestParser().get_doctest(text, {}, "README", "README.md", 0)
    runner = doctest.DocTestRunner()
    runner.run(examples)
    assert runner.summarize(verbose=False) == (0, 2)
    formula = re.search(r"^(=OPT_PARAMS.*?)\s+→ (\S+)$", text, re.MULTILINE)
    assert formula is not None
    values, _ = computed_cells({"A1": formula[1]})
    assert f"{values['A1']:.2E}" == formula[2]
