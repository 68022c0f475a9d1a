"""What the Calc extension is made of, and the names it gives our functions; no LibreOffice needed."""

from __future__ import annotations

import io
import json
import re
import sys
import zipfile
from pathlib import Path
from xml.etree import ElementTree as ET

import openpyxl
import pytest
from click.testing import CliRunner

import chinchilla_xl as cx
from chinchilla_xl.addins import HOSTS, host
from chinchilla_xl.addins.calc.extension import STATUS, STORED, extension, idl, package_folders
from chinchilla_xl.cli import cli
from chinchilla_xl.functions import FUNCTIONS
from chinchilla_xl.recalc import recompute_bytes
from chinchilla_xl.recalc.calc_names import rename_file, renamed, spelled
from support import members, saved

OOR = "{http://openoffice.org/2001/registry}"


@pytest.fixture(scope="module")
def files():
    return members(extension())


def test_it_is_the_same_bytes_each_time():
    assert extension() == extension()


def test_every_registered_file_is_in_it(files):
    manifest = ET.fromstring(files["META-INF/manifest.xml"])
    ns = "{http://openoffice.org/2001/manifest}"
    registered = [entry.get(f"{ns}full-path") for entry in manifest]
    assert set(registered) == {"chinchilla_xl.idl", "chinchilla_xl_calc.py", "CalcAddIns.xcu"}
    assert set(registered) <= files.keys()


def test_the_type_library_lists_every_function_with_its_arguments():
    methods = dict(re.findall(r"> (\w+)\((.*)\);", idl()))
    for function in FUNCTIONS:
        names = re.findall(r"\[in\] any (\w+)", methods[function.name])
        assert names == [p.name.replace("_", "") for p in function.parameters]


def test_the_wizard_gets_the_words_of_the_catalogue(files):
    root = ET.fromstring(files["CalcAddIns.xcu"])
    functions = {node.get(f"{OOR}name"): node for node in root[0][0][0] if node.tag == "node"}
    assert functions.keys() == {f.name for f in FUNCTIONS} | {STATUS}
    for function in FUNCTIONS:
        properties = texts(functions[function.name])
        assert properties["DisplayName"] == properties["CompatibilityName"] == function.name
        assert properties["Description"].startswith(function.summary)
        assert properties["Description"].endswith(function.example)
        arguments = [texts(node) for node in functions[function.name].findall("node/node")]
        assert [(a["DisplayName"], a["Description"]) for a in arguments] == [
            (p.name, p.text) for p in function.parameters
        ]


def texts(node: ET.Element) -> dict[str, str]:
    return {str(p.get(f"{OOR}name")): p[0].text or "" for p in node.findall("prop")}


def test_it_records_where_this_python_has_the_packages(files):
    recorded = json.loads(files["environment.json"])
    assert recorded["python"] == f"{sys.version_info.major}.{sys.version_info.minor}"
    assert recorded["folders"] == package_folders()
    for package in ("chinchilla_xl", "numpy", "scipy"):
        assert any((Path(folder) / package).is_dir() for folder in recorded["folders"])


def test_the_component_compiles_and_imports_no_package_before_it_has_looked_for_it(files):
    source = files["chinchilla_xl_calc.py"].decode()
    compile(source, "chinchilla_xl_calc.py", "exec")
    top = re.findall(r"^(?:import|from) (\S+)", source, re.MULTILINE)
    assert not {"numpy", "scipy", "chinchilla_xl"} & set(top)


def test_the_extension_is_built_by_the_command(tmp_path):
    target = tmp_path / "functions.oxt"
    built = CliRunner().invoke(cli, ["addin", "build", "calc", "-o", str(target)])
    assert (built.exit_code, built.output) == (0, f"{target}\n")
    assert zipfile.is_zipfile(target)
    again = CliRunner().invoke(cli, ["addin", "build", "calc", "-o", str(target)])
    assert again.exit_code == 2
    assert "exists already" in again.output


def test_an_unknown_host_is_refused_with_the_known_ones():
    with pytest.raises(cx.ArgumentError, match=r"host must be one of .*calc.*: 'lotus'"):
        host("lotus")


@pytest.mark.parametrize("name", HOSTS)
def test_every_host_builds_a_file(name):
    made = host(name)
    assert made.suffix.startswith(".")
    assert len(made.build()) > 1000


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("OPT_PARAMS(2.1,A1+1)", f"{STORED}OPT_PARAMS(2.1,A1+1)"),
        ("_xldudf_opt_params(2.1,1)", f"{STORED}OPT_PARAMS(2.1,1)"),
        ("[1]!OPT_PARAMS (2.1,1)", f"{STORED}OPT_PARAMS (2.1,1)"),
        (f"{STORED}OPT_PARAMS(2.1,1)", f"{STORED}OPT_PARAMS(2.1,1)"),
        ('"OPT_PARAMS("&SUM(1)', None),
        ("MY_OPT_PARAMS(1)+'OPT_PARAMS ('!A1", None),
    ],
)
def test_only_our_functions_are_renamed(formula, expected):
    assert renamed(formula, STORED) == expected


@pytest.mark.parametrize(
    ("argument", "expected"),
    [
        ("2E9", "2E9"),
        ("A1*2", "A1*2"),
        ("A1", 'IF(ISBLANK(A1),NA(),IF(ISLOGICAL(A1),"TRUE",A1))'),
        ("'S 1'!$A$1:$B$2", "TRANSPOSE(TRANSPOSE('S 1'!$A$1:$B$2))"),
    ],
)
def test_a_reference_is_spelled_so_that_calc_tells_a_blank_from_a_number(argument, expected):
    assert spelled(f"CHINCHILLA_LOSS({argument},1)") == f"{STORED}CHINCHILLA_LOSS({expected},1)"


def test_optional_arguments_and_other_functions_are_left_as_they_are():
    formula = 'IF(A1,OPT_PARAMS(2,3,B1)&"A1",SUM(B1:B2))'
    assert spelled(formula) == formula.replace("OPT_PARAMS", f"{STORED}OPT_PARAMS")
    assert spelled("SUM(A1)") is None


def test_renaming_a_file_there_and_back_gives_its_bytes(tmp_path):
    book = openpyxl.Workbook()
    sheet = book.active
    sheet["A1"] = '=OPT_PARAMS(2.1,2E11)&"<OPT_PARAMS(&>"'
    sheet["A2"] = "=SUM(A1,1)"
    book.defined_names["best"] = openpyxl.workbook.defined_name.DefinedName(
        "best", attr_text="CHINCHILLA_TOKENS(7E9)"
    )
    path = tmp_path / "book.xlsx"
    before = saved(book)
    path.write_bytes(before)
    assert rename_file(path, for_calc=True) == 2
    inside = members(path.read_bytes())
    assert f"<f>{STORED}OPT_PARAMS(2.1,2E11)".encode() in inside["xl/worksheets/sheet1.xml"]
    assert f"{STORED}CHINCHILLA_TOKENS(7E9)".encode() in inside["xl/workbook.xml"]
    assert rename_file(path, for_calc=True) == 0
    assert rename_file(path, for_calc=False) == 2
    assert members(path.read_bytes()) == members(before)


def test_a_file_that_is_no_workbook_is_refused_by_name(tmp_path):
    path = tmp_path / "notes.xlsx"
    path.write_text("no workbook")
    refused = CliRunner().invoke(cli, ["addin", "names", "--for", "excel", str(path)])
    assert isinstance(refused.exception, cx.WorkbookError)
    assert str(refused.exception).startswith(f"{path}: ")
    assert path.read_text() == "no workbook"


def test_values_of_formulas_in_calcs_spelling_are_computed_by_the_default_engine():
    book = openpyxl.Workbook()
    book.active["A1"] = f"={STORED}CHINCHILLA_LOSS(7E9,2E12)"
    computed, report = recompute_bytes(saved(book))
    assert report.kept == []
    value = openpyxl.load_workbook(io.BytesIO(computed), data_only=True).active["A1"].value
    assert value == cx.chinchilla_loss(7e9, 2e12)
