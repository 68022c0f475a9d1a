"""What Excel demands of names, texts and signatures, and how cells reach the functions and return.

Where xlwings' Windows modules are needed, a fresh process runs them (excel_com.py).
"""

from __future__ import annotations

import importlib.metadata
import inspect
import json
import re
import runpy
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import pyvbaanalysis

from chinchilla_xl import excel
from chinchilla_xl.functions import FUNCTIONS
from chinchilla_xl.functions.parameters import PARAMETERS
from server_process import PROJECT
from support import computed_cells

HERE = Path(__file__).resolve().parent
ADDIN = {".bas", ".cls", ".md", ".xml"}
"""What the sources of the add-in for Windows are: texts."""
LONGEST_HELP = 255
"""What the function wizard shows of a description; the rest would be cut."""


def in_classic(code: str) -> object:
    """What `code` assigns to `answer`, run where xlwings' Windows modules are loaded."""
    start = "import json, sys, excel_com\nxlwings = excel_com.import_xlwings()\n"
    end = "\njson.dump(answer, sys.stdout)"
    output = subprocess.run(
        [sys.executable, "-c", start + code + end],
        cwd=HERE, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    return json.loads(output.splitlines()[-1])  # xlwings has words of its own


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda f: f.name)
def test_names_are_neither_cells_nor_functions_of_excel(function):
    assert re.fullmatch(r"[A-Z][A-Z0-9_.]{2,127}", function.name)
    assert not re.fullmatch(r"[A-Z]{1,3}[0-9]+|R[0-9]*C[0-9]*", function.name), "a cell's address"
    # No function of Excel has an underscore, the old ones of its macro language included.
    assert "_" in function.name or function.name == "COEFFS"
    for parameter in function.parameters:
        assert re.fullmatch(r"[a-z][a-z0-9_]*", parameter.name)
        assert parameter.name != "caller", "xlwings would hide it and pass the calling cell"
        assert parameter.name != function.name.lower(), "VBA does not tell them apart"


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda f: f.name)
def test_every_text_fits_the_function_wizard(function):
    assert 0 < len(function.summary) <= LONGEST_HELP
    for number, parameter in enumerate(function.parameters):
        assert 0 < len(parameter.text) <= LONGEST_HELP
        optional = parameter.text.startswith("optional: ")
        assert optional == (number >= function.required), "the wizard must say what may be left out"


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda f: f.name)
def test_signatures_are_what_every_host_takes(function):
    marked = getattr(excel, function.name)
    parameters = inspect.signature(marked).parameters.values()
    assert [p.name for p in parameters] == [p.name for p in function.parameters]
    for number, parameter in enumerate(parameters):
        assert parameter.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD
        assert parameter.annotation is inspect.Parameter.empty
        required = number < function.required
        assert parameter.default is (inspect.Parameter.empty if required else None)


def test_one_import_gives_a_project_every_function_and_nothing_else():
    project = {}
    exec("from chinchilla_xl.excel import *", project)
    assert set(project) - {"__builtins__"} == {f.name for f in FUNCTIONS}


@pytest.mark.parametrize(
    "main", [HERE.parent / "addin/lite/main.py", PROJECT / "custom_functions.py"]
)
def test_the_projects_offer_every_function(main):
    offered = runpy.run_path(str(main))
    assert {f.name for f in FUNCTIONS} <= set(offered)


def test_classic_excel_shows_each_function_and_argument_with_its_text():
    wizard = in_classic(
        """
book = excel_com.Workbook()
xlwings.udfs.import_udfs("chinchilla_xl.excel", book)
answer = {n: [w["Description"], w["ArgumentDescriptions"], w["Category"]] for n, w in book.wizard.items()}
"""
    )
    assert wizard == {
        f.name: [f.summary, [p.text for p in f.parameters], "chinchilla-xl"] for f in FUNCTIONS
    }


def test_the_vba_that_xlwings_writes_for_the_functions_compiles(tmp_path):
    vba = in_classic(
        """
book = excel_com.Workbook()
xlwings.udfs.import_udfs("chinchilla_xl.excel", book)
answer = book.vba
"""
    )
    assert vba.count("\nFunction ") == len(FUNCTIONS)
    assert vba_errors(vba, tmp_path) == []
    # The analysis would notice: these words of VBA and this name cannot stand for arguments.
    for word in ("type", "date", "end", "_loss"):
        assert vba_errors(re.sub(r"\bloss\b", word, vba), tmp_path)


def vba_errors(source, folder):
    module = folder / "module.bas"
    module.write_text(source, encoding="utf-8")
    found = pyvbaanalysis.analyze_loose_file(str(module))
    return [d.message for d in found if d.severity is pyvbaanalysis.DiagnosticSeverity.ERROR]


def test_a_parameter_is_described_once():
    described = [p for f in FUNCTIONS for p in f.parameters]
    assert all(PARAMETERS[p.name] is p for p in described)


def test_cells_of_classic_excel_keep_their_meaning():
    shown = {
        "decimal.Decimal('7000000000')": 2.0256094944866825,  # a currency
        "-2146826246": "#N/A",
        "-2146826243": "#VALUE!",  # #SPILL!, which xlwings does not know
        "-2146826238": "#VALUE!",  # #CALC!
        "''": '#VALUE! params must be a number: ""',
        "True": "#VALUE! params must be a number: TRUE",
        "None": "#N/A params is blank",
    }
    answer = in_classic(
        f"""
import decimal
book = excel_com.Workbook()
cells = [{", ".join(shown)}]
ranges = [excel_com.Range(book, [[cell]]) for cell in cells]
answer = [excel_com.call(book, "CHINCHILLA_LOSS", r, 2e12, None) for r in ranges]
"""
    )
    assert answer == list(shown.values())


def test_a_union_of_ranges_is_refused_instead_of_cut_to_its_first_area():
    answer = in_classic(
        """
book = excel_com.Workbook()
union = excel_com.Range(book, [[7e9]], areas=2)
answer = excel_com.call(book, "CHINCHILLA_LOSS", union, 2e12, None)
"""
    )
    assert answer == "#VALUE! an argument must be one range, not a union"


def test_without_xlwings_one_line_says_what_to_install():
    code = "import sys; sys.modules['xlwings'] = None; import chinchilla_xl.excel"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert 'xlwings is not installed: pip install "chinchilla-xl[excel]"' in result.stderr


def test_the_core_needs_numpy_and_scipy_alone():
    required = importlib.metadata.requires("chinchilla-xl") or []
    core = [re.split(r"[<>=!~ ;\[]", line)[0] for line in required if "extra ==" not in line]
    assert sorted(core) == ["numpy", "scipy"]


def test_no_extra_but_its_own_brings_the_server_with_its_licence():
    required = importlib.metadata.requires("chinchilla-xl") or []
    lines = [line for line in required if line.startswith("xlwings-server")]
    assert [re.findall(r"extra == ['\"](\w+)", line) for line in lines] == [["server"]]
    everything = next(line for line in required if "extra == 'all'" in line.replace('"', "'"))
    assert "server" not in everything


def test_the_wheel_is_pure_python(wheel):
    assert wheel.name.endswith("-py3-none-any.whl")
    with zipfile.ZipFile(wheel) as archive:
        kinds = {Path(n).suffix for n in archive.namelist() if n.startswith("chinchilla_xl/")}
    assert kinds <= {".py", ".toml", ".typed", "", *ADDIN}


def test_the_checklist_for_a_real_excel_expects_what_the_functions_give():
    text = (HERE.parent / "docs" / "excel.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| \d+ \| `(=[^`]+)` \| ([0-9.E+]+)(?: \|| \()", text, re.MULTILINE)
    assert len(rows) >= 4
    values, _ = computed_cells({f"A{i}": formula for i, (formula, _) in enumerate(rows, start=1)})
    for i, (formula, shown) in enumerate(rows, start=1):
        digits = len(shown.partition("E")[0].replace(".", ""))
        assert float(f"{values[f'A{i}']:.{digits}g}") == float(shown), formula
