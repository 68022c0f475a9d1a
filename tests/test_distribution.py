"""What is handed out: the contents and metadata of the wheel and of the source distribution.

tests/bare.py tries the wheel where nothing else is installed.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from packaging.metadata import Metadata

from conftest import ROOT

ROOT_OF_ADDINS = "chinchilla_xl/addins/sources"


@pytest.fixture(scope="module")
def packed(wheel) -> dict[str, bytes]:
    """Name -> contents of the wheel's files."""
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture(scope="module")
def unpacked(sdist, tmp_path_factory) -> Path:
    """The source distribution, unpacked."""
    with tarfile.open(sdist) as archive:
        archive.extractall(target := tmp_path_factory.mktemp("sdist"), filter="data")
    (folder,) = target.iterdir()
    return folder


@pytest.fixture(scope="module")
def metadata(packed) -> Metadata:
    (name,) = (name for name in packed if name.endswith(".dist-info/METADATA"))
    return Metadata.from_email(packed[name], validate=True)


def files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_the_wheel_holds_one_package_its_data_and_its_licence(packed):
    tops = {name.split("/")[0] for name in packed}
    assert {re.sub(r"-[\d.]+dist-info", "", top) for top in tops} == {"chinchilla_xl"}
    suffixes = {Path(name).suffix for name in packed if name.startswith("chinchilla_xl/")}
    assert suffixes <= {".py", ".toml", ".typed", ".bas", ".cls", ".xml", ".md", ""}
    assert "chinchilla_xl/py.typed" in packed
    assert any(name.endswith("/licenses/LICENSE") for name in packed)
    assert not [name for name in packed if re.search(r"test|__pycache__|\.pyc$|\.xlsx$", name)]


def test_the_wheel_holds_every_file_of_the_package(packed, unpacked):
    package = files(unpacked / "udfs" / "chinchilla_xl")
    assert {f"chinchilla_xl/{name}" for name in package} <= set(packed)
    for name, contents in package.items():
        assert packed[f"chinchilla_xl/{name}"] == contents


def test_the_wheel_brings_the_sources_of_the_addins_that_it_builds(packed, unpacked):
    classic = files(unpacked / "addin" / "classic")
    for name, contents in classic.items():
        assert packed[f"{ROOT_OF_ADDINS}/classic/{name}"] == contents
    calc = "chinchilla_xl_calc.py"
    source = (unpacked / "addin" / "calc" / calc).read_bytes()
    assert packed[f"{ROOT_OF_ADDINS}/calc/{calc}"] == source


def test_the_source_distribution_builds_the_same_wheel(packed, unpacked, tmp_path):
    command = ["build", "--wheel", "--no-isolation", "--outdir", tmp_path, unpacked]
    subprocess.run([sys.executable, "-m", *command], check=True, capture_output=True)
    with zipfile.ZipFile(next(tmp_path.glob("*.whl"))) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == packed


def test_the_source_distribution_is_the_checkout(unpacked):
    if not (ROOT / ".git").exists():
        pytest.skip("no checkout: nothing to compare the source distribution with")
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    tracked = {
        name
        for name in listed.stdout.split("\0")
        if name and not name.startswith(".github/") and (ROOT / name).exists()
    }
    held = set(files(unpacked))
    assert tracked <= held
    assert not [name for name in held if re.search(r"__pycache__|\.pyc$|\.venv|\.\w+_cache", name)]


def test_the_metadata_are_those_of_the_project(metadata):
    import chinchilla_xl

    assert metadata.name == "chinchilla-xl"
    assert str(metadata.version) == chinchilla_xl.__version__
    assert metadata.license_expression == "MIT"
    assert metadata.description_content_type == "text/markdown"
    assert metadata.description.startswith("# chinchilla-xl")
    versions = re.findall(r"Python :: 3\.(\d+)", "\n".join(metadata.classifiers))
    assert f">=3.{min(map(int, versions))}" in str(metadata.requires_python)
    assert "Typing :: Typed" in metadata.classifiers


def test_the_command_is_installed(packed):
    (name,) = (name for name in packed if name.endswith("entry_points.txt"))
    assert b"chinchilla-xl = chinchilla_xl.__main__:main" in packed[name]


def test_extras_are_named_by_use_and_all_brings_every_free_one(metadata):
    extras = {"all", "cluster", "excel", "figures", "parquet", "recalc", "remote", "server"}
    assert set(metadata.provides_extra) == extras

    def brought(extra: str) -> set[str]:
        asked = (r for r in metadata.requires_dist if r.marker is not None)
        return {r.name for r in asked if r.marker.evaluate({"extra": extra})}

    for extra in extras - {"all", "server"}:
        assert brought(extra) <= brought("all")
    assert "xlwings-server" in brought("server")
    assert "xlwings-server" not in brought("all")  # its licence is not free for all
    plain = {r.name for r in metadata.requires_dist if r.marker is None}
    assert plain == {"numpy", "scipy"}


def test_the_citation_is_of_this_version(unpacked, metadata):
    citation = (unpacked / "CITATION.cff").read_text(encoding="utf-8")
    assert f"\nversion: {metadata.version}\n" in citation


def test_every_target_of_make_is_listed_with_a_text(unpacked):
    makefile = (unpacked / "Makefile").read_text(encoding="utf-8")
    (targets,) = re.findall(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    told = re.findall(r"^([a-z-]+):[^#\n]* ## \w", makefile, re.MULTILINE)
    assert sorted(told) == sorted(targets.split())
    defined = re.findall(r"^([a-z-]+):", makefile, re.MULTILINE)
    assert sorted(defined) == sorted(told)
