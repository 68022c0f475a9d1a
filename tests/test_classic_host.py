"""Where the add-in for Excel is put, and what is found wrong; Windows by its folders and registry."""

from __future__ import annotations

import os
import sys
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from chinchilla_xl.addins.excel import host, settings, windows, workbook
from chinchilla_xl.cli import cli
from chinchilla_xl.errors import ProgramFailed, ProgramMissing

REGISTRY = {
    r"SOFTWARE\Microsoft\Windows\CurrentVersion\App Paths\excel.exe": {"": r"C:\Office\EXCEL.EXE"},
    r"SOFTWARE\Microsoft\Office\ClickToRun\Configuration": {
        "VersionToReport": "16.0.17932.20100",
        "Platform": "x64",
    },
}
SECURITY = r"Software\Policies\Microsoft\Office\16.0\Excel\Security"


@pytest.fixture
def registry():
    return {key: dict(values) for key, values in REGISTRY.items()}


@pytest.fixture
def machine(tmp_path, monkeypatch, registry):
    """A Windows with Excel, on which this Python has all that the add-in needs."""
    monkeypatch.setattr(windows, "require", lambda: None)
    monkeypatch.setenv("APPDATA", str(tmp_path / "roaming"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "home"))
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "venv"))
    (tmp_path / "venv").mkdir()
    (tmp_path / "venv" / f"xlwings64-{version('xlwings')}.dll").touch()
    monkeypatch.setattr(host, "find_spec", lambda name: name)

    class Key(str):
        __slots__ = ()

        def __enter__(self):
            return self

        def __exit__(self, *_):
            return None

    def open_key(hive, key):
        assert hive in ("machine", "user")
        if key not in registry:
            raise FileNotFoundError(key)
        return Key(key)

    def query(key, name):
        if name not in registry[key]:
            raise FileNotFoundError(name)
        return registry[key][name], 1

    stand_in = SimpleNamespace(
        HKEY_LOCAL_MACHINE="machine", HKEY_CURRENT_USER="user",
        OpenKey=open_key, QueryValueEx=query,
    )  # fmt: skip
    monkeypatch.setitem(sys.modules, "winreg", stand_in)
    return tmp_path


def run(command, *arguments):
    return CliRunner().invoke(cli, ["addin", command, *arguments])


def addin(machine):
    return machine / "roaming/Microsoft/Excel/XLSTART/chinchilla-xl.xlam"


def conf(machine):
    return machine / "home/.chinchilla-xl/chinchilla-xl.conf"


def files(folder):
    return sorted(p.relative_to(folder) for p in folder.rglob("*") if p.is_file())


@pytest.mark.skipif(sys.platform == "win32", reason="Excel may be here")
@pytest.mark.parametrize("command", ["install", "status", "uninstall", "doctor"])
def test_elsewhere_one_line_says_what_to_use(command):
    refused = run(command)
    assert isinstance(refused.exception, ProgramMissing)
    assert "\n" not in str(refused.exception)
    assert "xlwings Lite" in str(refused.exception)


def test_it_is_installed_where_excel_looks_and_taken_away_again(machine):
    before = files(machine)
    assert run("status").output.startswith("not installed in ")
    done = run("install")
    assert done.exit_code == 0, done.output
    assert addin(machine).read_bytes() == workbook.addin()
    assert conf(machine).read_bytes().decode().splitlines() == [
        f'"INTERPRETER_WIN","{sys.executable}"',
        '"ADD_WORKBOOK_TO_PYTHONPATH","false"',
    ]
    assert run("status").exit_code == 0
    assert run("uninstall").exit_code == 0
    assert files(machine) == before
    assert not conf(machine).parent.exists()
    assert run("uninstall").output == "nothing to remove: it is not installed\n"


def test_installing_again_changes_nothing(machine):
    run("install")
    stamps = addin(machine).stat(), conf(machine).stat()
    again = run("install")
    assert again.output.startswith("up to date: ")
    assert (addin(machine).stat(), conf(machine).stat()) == stamps


def test_the_settings_that_a_user_added_stay(machine):
    conf(machine).parent.mkdir(parents=True)
    conf(machine).write_text('"SHOW CONSOLE","True"\n"interpreter_win","C:\\old\\python.exe"\n')
    run("install")
    assert settings.interpreter() == sys.executable
    assert conf(machine).read_text().count("\n") == 3
    run("uninstall")
    assert conf(machine).read_text() == '"SHOW CONSOLE","True"\n'


def test_where_the_addin_cannot_be_written_the_settings_are_as_before(machine, monkeypatch):
    put = settings.put

    def refuse(target, data):
        if target.suffix == ".xlam":
            raise ProgramFailed("denied (close Excel first)")
        put(target, data)

    monkeypatch.setattr(settings, "put", refuse)
    before = files(machine)
    assert isinstance(run("install").exception, ProgramFailed)
    assert files(machine) == before


def test_a_file_that_excel_holds_open_stays_and_the_remedy_is_named(machine, monkeypatch):
    run("install")
    addin(machine).write_bytes(b"older")

    def locked(self, target):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "replace", locked)
    refused = run("install")
    assert "close Excel first" in str(refused.exception)
    assert addin(machine).read_bytes() == b"older"
    assert list(machine.rglob("*.tmp")) == []


def test_a_path_that_vba_cannot_read_is_refused_before_anything_is_written(machine, monkeypatch):
    monkeypatch.setattr(windows, "encoding", lambda: "cp1252")
    monkeypatch.setattr(sys, "executable", "C:\\\u0418\u0432\u0430\u043d\\python.exe")
    before = files(machine)
    assert "cannot read the path" in str(run("install").exception)
    assert files(machine) == before


def test_a_folder_of_ones_own_takes_the_addin(machine):
    run("install", "--folder", str(machine / "shared"))
    assert (machine / "shared/chinchilla-xl.xlam").is_file()
    assert not addin(machine).exists()


def test_the_doctor_names_excel_python_and_versions(machine):
    run("install")
    told = run("doctor")
    assert told.exit_code == 0, told.output
    for part in ("16.0.17932.20100 x64", sys.executable, f"xlwings {version('xlwings')}"):
        assert part in told.output
    assert "WRONG" not in told.output


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (lambda m, r: r.clear(), "Excel is not installed: "),
        (lambda m, r: r[list(r)[1]].update(Platform="x86"), "xlwings32-"),
        (lambda m, r: next((m / "venv").glob("*.dll")).unlink(), "--force-reinstall"),
        (lambda m, r: addin(m).unlink(), "the add-in is not in "),
        (lambda m, r: addin(m).write_bytes(b"x"), "is not our add-in"),
        (lambda m, r: conf(m).unlink(), "no Python is named in "),
        (lambda m, r: conf(m).write_text('"INTERPRETER_WIN","/gone"\n'), "/gone, which is gone"),
        (
            lambda m, r: conf(m).write_text(f'"INTERPRETER_WIN","{os.__file__}"\n'),
            "starts another Python",
        ),
        (
            lambda m, r: r.update(
                {
                    SECURITY: {"VBAWarnings": 4},
                    rf"{SECURITY}\Trusted Locations": {"AllLocationsDisabled": 1},
                }
            ),
            "Excel runs no macros",
        ),
    ],
)
def test_the_doctor_finds_what_is_wrong_and_says_how_to_mend_it(machine, registry, harm, said):
    run("install")
    harm(machine, registry)
    told = run("doctor")
    assert told.exit_code == 1
    wrong = [line for line in told.output.splitlines() if line.startswith("WRONG")]
    assert len(wrong) == 1
    assert said in wrong[0]


def test_another_xlwings_than_the_addin_was_built_with_is_told(machine, monkeypatch):
    run("install")
    (machine / "venv" / "xlwings64-99.0.dll").touch()
    monkeypatch.setattr(host, "version", lambda name: "99.0")
    told = run("status")
    assert told.exit_code == 1
    needs = f"the add-in needs xlwings {version('xlwings')}, but 99.0 is installed"
    assert f"WRONG  {needs}: chinchilla-xl addin install" in told.output
