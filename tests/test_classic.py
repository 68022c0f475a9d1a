"""The add-in for Excel on Windows: what is in it, and that its VBA keeps to VBA's rules."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from xml.etree import ElementTree as ET

import pyopenvba
import pytest
import pyvbaanalysis
from click.testing import CliRunner

from chinchilla_xl.addins.excel import workbook
from chinchilla_xl.addins.excel.vba import CATEGORY, functions_module
from chinchilla_xl.cli import cli
from chinchilla_xl.errors import ProgramFailed
from chinchilla_xl.functions import FUNCTIONS
from chinchilla_xl.functions.cells import ERROR_CODES
from support import members, needed

HERE = Path(__file__).resolve().parent
SOURCES = HERE.parent / "addin" / "classic"
OURS = ("ChinchillaCalls", "ChinchillaFunctions", "ChinchillaRibbon")
RIBBON = "{http://schemas.microsoft.com/office/2006/01/customui}"
_EXCEL_ERRORS = "xlErrNull xlErrDiv0 xlErrValue xlErrRef xlErrName xlErrNum xlErrNA".split()


@pytest.fixture(scope="module")
def data():
    return workbook.addin()


@pytest.fixture(scope="module")
def path(data, tmp_path_factory):
    file = tmp_path_factory.mktemp("classic") / "chinchilla-xl.xlam"
    file.write_bytes(data)
    return file


@pytest.fixture(scope="module")
def modules(path):
    """Module -> source, as oletools reads them: another reader than the builder's."""
    code = """
import json, sys
from oletools.olevba import VBA_Parser
found = VBA_Parser(sys.argv[1]).extract_macros()
json.dump({name: text for _, _, name, text in found}, sys.stdout)
"""
    # In a process of its own, whose warnings are oletools'.
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code, str(path)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return {Path(n).stem: text.replace("\r\n", "\n") for n, text in json.loads(done.stdout).items()}


def test_it_is_the_same_bytes_each_time(data):
    assert workbook.addin() == data


def test_it_holds_our_modules_as_they_are_written_and_nothing_unexpected(modules):
    assert modules.keys() == {*OURS, "ThisWorkbook", "Sheet2", "xlwings", "Dictionary"}
    written = {name: (SOURCES / f"{name}.bas").read_text("ascii") for name in workbook.WRITTEN}
    written["ChinchillaFunctions"] = functions_module()
    for name in OURS:
        assert modules[name].strip() == written[name].strip()
    body = (SOURCES / "ThisWorkbook.cls").read_text("ascii").strip()
    assert modules["ThisWorkbook"].strip().endswith(body)


def test_the_vba_of_xlwings_is_changed_in_three_lines_alone(modules):
    import xlwings

    original = (Path(xlwings.__file__).parent / "xlwings_custom_addin.bas").read_text("utf-8")
    lines = original.rstrip().splitlines(), modules["xlwings"].rstrip().splitlines()
    assert len(lines[0]) == len(lines[1])
    changed = [new for old, new in zip(*lines, strict=True) if old.rstrip() != new.rstrip()]
    assert len(changed) == 3
    assert [new for _, new in workbook._CHANGES if not any(new in line for line in changed)] == []


def test_it_needs_the_installed_xlwings_and_says_which(data):
    assert workbook.built_with(data) == version("xlwings")
    assert workbook.built_with(b"no add-in") is None


def test_another_xlwings_whose_vba_we_do_not_know_stops_the_build():
    with pytest.raises(ProgramFailed, match="is not the one that this release changes"):
        workbook._changed("Option Explicit")


def test_vba_finds_no_errors_in_our_modules(path):
    found = pyvbaanalysis.analyze_office_file(str(path))
    error = pyvbaanalysis.DiagnosticSeverity.ERROR
    for name in (*OURS, "ThisWorkbook"):
        assert [d.message for d in found[name] if d.severity is error] == []


@pytest.mark.parametrize(
    ("module", "old", "new"),
    [
        ("ChinchillaCalls", "Dim code As String", ""),
        ("ChinchillaRibbon", "LastMessages(SHOWN)", "LastMesages(SHOWN)"),
        ("ChinchillaFunctions", 'CallPython("OPT_PLAN"', 'CalPython("OPT_PLAN"'),
    ],
)
def test_the_analysis_of_vba_would_notice_a_misspelt_name(data, tmp_path, module, old, new):
    harmed = tmp_path / "harmed.xlam"
    harmed.write_bytes(data)
    with pyopenvba.ExcelFile(harmed) as book:
        source = book.vba_modules()[module]
        assert old in source
        book.set_module(module, source.replace(old, new))
        book.save()
    found = pyvbaanalysis.analyze_office_file(str(harmed))
    assert any(d.severity is pyvbaanalysis.DiagnosticSeverity.ERROR for d in found[module])


@pytest.mark.parametrize("name", OURS)
def test_each_module_keeps_to_the_limits_of_vba(modules, name):
    source = modules[name]
    assert source.isascii()
    assert max(map(len, source.splitlines())) <= 1023
    assert not re.search(r"(?:.* _\n){25}", source), "at most 24 continuations"
    for procedure in re.split(r"\nEnd (?:Sub|Function)", source):
        assert len(procedure) < 64_000


def test_each_function_has_a_stub_that_passes_every_argument(modules):
    source = modules["ChinchillaFunctions"].replace(" _\n", " ")
    for function in FUNCTIONS:
        head, body = re.search(
            rf"Public Function {function.name}\((.*?)\)\s+As\s+Variant\n(.*?)End Function",
            source,
            re.DOTALL,
        ).groups()
        names = [p.name for p in function.parameters]
        assert re.findall(r"(\w+)\s+As\s+Variant", head) == names
        assert len(re.findall(r"Optional ", head)) == len(names) - function.required
        assert re.findall(r"Argument\((\w+)\)", body) == names
        assert f'"{function.name}"' in body


def test_the_wizard_gets_every_text_of_the_catalogue(modules):
    source = modules["ChinchillaFunctions"].replace(" _\n", " ")
    for function in FUNCTIONS:
        assert f"    Describe_{function.name}\n" in source
        body = source.split(f"Private Sub Describe_{function.name}()")[1].split("End Sub")[0]
        texts = dict(re.findall(r'texts\((\d+)\) = "(.*)"\n', body))
        assert [texts[str(i)].replace('""', '"') for i in range(len(texts))] == [
            p.text for p in function.parameters
        ]
        assert f"Dim texts(0 To {len(texts) - 1}) As String" in body
        assert f'Category:="{CATEGORY}"' in body
        summary = re.search(r'Description:="(.*?)",\s+Category', body)[1]
        assert summary.replace('""', '"') == function.summary


def test_every_error_code_becomes_excels_own_error(modules):
    cases = re.findall(r'Case "([^"]+)": CellValue = CVErr\((\w+)\)', modules["ChinchillaCalls"])
    assert dict(cases) == dict(zip(ERROR_CODES, _EXCEL_ERRORS, strict=True))


def test_every_button_of_the_ribbon_calls_a_procedure_that_exists(data, modules):
    root = ET.fromstring(members(data)["customUI/customUI.xml"])
    buttons = list(root.iter(f"{RIBBON}button"))
    labels = {button.get("label") for button in buttons}
    assert labels >= {"New budget...", "Recalculate", "Bind formulas", "Help"}
    assert len({b.get("id") for b in root.iter() if b.get("id")}) == len(buttons) + 3
    for button in buttons:
        module, _, procedure = button.get("onAction").partition(".")
        assert f"Public Sub {procedure}(control As IRibbonControl)" in modules[module]


def test_nothing_is_left_of_the_example(data):
    for name, part in members(data).items():
        if name.endswith((".xml", ".rels")):
            ET.fromstring(part)
            assert b"myaddin" not in part.lower(), name


def test_the_command_builds_it(tmp_path, data):
    target = tmp_path / "functions.xlam"
    built = CliRunner().invoke(cli, ["addin", "build", "excel", "-o", str(target)])
    assert (built.exit_code, built.output) == (0, f"{target}\n")
    assert target.read_bytes() == data


# The stub and Argument in ChinchillaCalls: what is left out is Empty, which COM delivers as None.
@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda f: f.name)
def test_arguments_left_out_reach_python_as_blanks(function, answers):
    omitted, missing = answers[function.name]
    assert omitted == missing
    assert "could not" not in str(omitted)


@pytest.fixture(scope="module")
def budget(tmp_path_factory):
    return tmp_path_factory.mktemp("new") / "budget.xlsx"


@pytest.fixture(scope="module")
def answers(budget):
    """What classic xlwings gives for the required arguments: the others blank, or missing."""
    code = """
import json, sys, excel_com
excel_com.import_xlwings()
from chinchilla_xl.functions import FUNCTIONS
book = excel_com.Workbook()
answer = {}
for f in FUNCTIONS:
    given, rest = [2.1] * f.required, len(f.parameters) - f.required
    results = [excel_com.call(book, f.name, *given, *[left] * rest) for left in (None, excel_com.MISSING)]
    answer[f.name] = results
row = ((2.1, 2.2, -2146826281),)
answer["row"] = excel_com.call(book, "OPT_PARAMS", row, 1e12, None)
answer["flat row"] = excel_com.call(book, "OPT_PARAMS", row[0], 1e12, None)
# What the button New budget does.
python = sys.modules["xlwings.com_server"].XLPython()
python.Call(python.Module("chinchilla_xl.workbooks"), "new", python.Tuple("budget", sys.argv[1]))
json.dump(answer, sys.stdout, default=str)
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(budget)],
        cwd=HERE,
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


def test_an_array_constant_of_one_row_is_read_like_a_row_of_cells(answers):
    assert answers["flat row"] == answers["row"]
    assert answers["row"][2] == "#DIV/0!"


def test_the_calls_of_the_button_new_budget_make_a_workbook(answers, budget):
    assert "xl/workbook.xml" in members(budget.read_bytes())


def test_libreoffice_opens_it_without_error(path, tmp_path):
    needed(bool(shutil.which("soffice")), "LibreOffice")
    done = subprocess.run(
        ["soffice", f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}", "--headless",
         "--infilter=Calc MS Excel 2007 VBA XML",  # it has none for the ending .xlam
         "--convert-to", "ods", "--outdir", str(tmp_path), str(path)],
        capture_output=True, text=True, timeout=180, check=False,
    )  # fmt: skip
    assert (done.returncode, (tmp_path / "chinchilla-xl.ods").is_file()) == (0, True), done.stderr
    inside = members((tmp_path / "chinchilla-xl.ods").read_bytes())
    for name in OURS:
        assert any(part.startswith("Basic/") and name in part for part in inside)
