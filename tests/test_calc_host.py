"""Where the Calc extension is installed, by whom, with stand-ins for LibreOffice's programs."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from chinchilla_xl import soffice
from chinchilla_xl.addins.calc import host
from chinchilla_xl.addins.calc.extension import COMPONENT, IDENTIFIER, unpack
from chinchilla_xl.addins.calc.trial import Trial
from chinchilla_xl.cli import cli
from chinchilla_xl.cli_addin import NOT_WORKING

pytestmark = pytest.mark.skipif(os.name != "posix", reason="scripts as stand-ins for programs")


@pytest.fixture
def office(tmp_path, monkeypatch):
    """A folder laid out as LibreOffice's, whose unopkg unpacks into the profile, and a home."""
    program = tmp_path / "office" / "program"
    program.mkdir(parents=True)
    (tmp_path / "office" / "share" / "extensions").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PATH", f"{program}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(Trial, "works", True)
    monkeypatch.setattr(Trial, "status", "all is there")
    script(program / "soffice", "exit 0")
    cache = tmp_path / "home/.config/libreoffice/4/user/uno_packages/cache"
    # What is removed or replaced only leaves the list; LibreOffice deletes its folder when it starts.
    script(
        program / "unopkg",
        f'echo "$@" >> {tmp_path}/calls\n'
        f'test "$1" = add || {{ echo Pmp1 > {cache}/uno_packages.pmap; exit; }}\n'
        f"place={cache}/uno_packages/lu$$.tmp_/x.oxt; mkdir -p $place; cd $place\n"
        f"{sys.executable} -m zipfile -e $3 .; echo Pmp1 {IDENTIFIER} lu$$.tmp > {cache}/uno_packages.pmap",
    )
    return tmp_path


def script(path: Path, lines: str) -> None:
    path.write_text(f"#!/bin/sh\n{lines}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def run(*arguments: str):
    return CliRunner().invoke(cli, ["addin", *arguments, "--host", "calc"])


def test_for_a_user_it_goes_through_the_extension_manager(office, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert "not installed in" in run("status").output
    installed = run("install")
    assert installed.exit_code == 0
    first, place, verdict, last = installed.output.splitlines()
    assert first == "installed for this user (unopkg add)"
    assert place.startswith(f"{office}/home/.config/libreoffice/4/user/uno_packages/cache")
    assert verdict == "LibreOffice computes: all is there"
    assert last == "start LibreOffice anew to use it"
    assert len(run("install").output.splitlines()) == 4  # in place of the first, not beside it
    assert run("uninstall").output == "removed for this user (unopkg remove)\n"
    assert run("status").exit_code == NOT_WORKING
    assert run("uninstall").output == "nothing to remove: it is not installed\n"
    calls = (office / "calls").read_text().splitlines()
    added = ["add", "--force"]
    assert [call.split()[:2] for call in calls] == [added, added, ["remove", IDENTIFIER]]


def test_for_root_it_is_unpacked_for_all_users(office, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    installed = run("install")
    place = office / "office" / "share" / "extensions" / IDENTIFIER
    assert installed.exit_code == 0
    assert installed.output.splitlines()[0] == f"unpacked into {place}, for all users"
    assert (place / COMPONENT).is_file()
    assert not (office / "calls").exists()
    assert run("uninstall").output == f"removed {place}\n"
    assert not place.exists()


def test_an_extension_that_does_not_compute_is_reported_and_fails(office, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(Trial, "works", False)
    monkeypatch.setattr(Trial, "status", "numpy is missing: do this")
    for command in ("install", "status"):
        told = run(command)
        assert told.exit_code == 1
        assert told.output.endswith("LibreOffice does not compute: numpy is missing: do this\n")


def test_what_the_extension_manager_says_is_passed_on(office, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    script(office / "office" / "program" / "unopkg", 'echo "ERROR: locked" >&2; exit 1')
    with pytest.raises(host.ProgramFailed, match=r"unopkg add failed: ERROR: locked .close Libre"):
        host.Calc().install(None)


def test_without_an_extension_manager_the_way_by_hand_is_told(office, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setenv("PATH", str(office / "office" / "program"))
    (office / "office" / "program" / "unopkg").unlink()
    with pytest.raises(host.ProgramMissing, match=r"build the extension .* Tools, Extensions"):
        host.Calc().install(None)


def test_a_folder_that_cannot_be_written_is_named(office):
    blocked = office / "blocked"
    blocked.write_text("a file")
    with pytest.raises(host.ProgramFailed, match=r"blocked.* cannot be changed: "):
        host.Calc().install(blocked)


def test_an_older_extension_gives_way_to_the_new_one(office):
    place = office / "extensions" / IDENTIFIER
    place.mkdir(parents=True)
    (place / "left.over").touch()
    unpack(place)
    assert not (place / "left.over").exists()
    assert (place / COMPONENT).is_file()


def test_without_libreoffice_the_way_to_get_it_is_told(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(soffice, "_PLACES", ())
    with pytest.raises(host.ProgramMissing, match=r"LibreOffice .soffice. is not installed"):
        host.Calc().status(None)


def test_the_systems_python_comes_before_one_that_is_activated(tmp_path, monkeypatch):
    activated = str(tmp_path / "venv" / "bin")
    monkeypatch.setenv("PATH", os.pathsep.join([activated, "/opt/bin"]))
    monkeypatch.setenv("PYTHONHOME", str(tmp_path))
    given = soffice.environment()
    assert given["PATH"].split(os.pathsep) == ["/bin", "/usr/bin", activated, "/opt/bin"]
    assert "PYTHONHOME" not in given
    assert given["HOME"] == os.environ["HOME"]
