"""What each missing optional package costs: one line that names an extra which brings it.

The packages are hidden from the import system, in this process, as if they were not installed.
"""

from __future__ import annotations

import contextlib
import importlib
import pkgutil
import re
import sys
from importlib.metadata import requires

import pytest

import chinchilla_xl

MODULES = [m.name for m in pkgutil.walk_packages(chinchilla_xl.__path__, "chinchilla_xl.")]

HINT = re.compile(r'pip install "chinchilla-xl\[(\w+)\]"')


def packages_of(extra: str) -> set[str]:
    """The distributions that an extra installs, as the metadata have it."""
    listed = [
        line for line in requires("chinchilla-xl") if re.search(rf"extra == .{extra}\b", line)
    ]
    return {re.match(r"[\w-]+", line)[0].lower() for line in listed}


OPTIONAL = sorted(packages_of("all"))


@pytest.fixture(scope="module", autouse=True)
def _loaded():
    """All of them once, lest every test loads anew those that it does not hide."""
    for package in OPTIONAL:
        importlib.import_module(package)


@contextlib.contextmanager
def without(*packages: str):
    """chinchilla_xl as it is imported anew where these packages are not installed."""
    before = _taken({"chinchilla_xl", *packages})
    sys.modules.update(dict.fromkeys(packages))  # None: the import system says it is not there
    try:
        yield
    finally:
        _taken({"chinchilla_xl", *packages})
        sys.modules.update(before)


def _taken(packages: set[str]) -> dict:
    """The imported modules of these packages, which Python then knows no more."""
    names = [name for name in sys.modules if name.partition(".")[0] in packages]
    return {name: sys.modules.pop(name) for name in names}


def run(monkeypatch, capsys, *args: object) -> tuple[int, str]:
    """Exit code and standard error of the command line in this process."""
    monkeypatch.setattr(sys, "argv", ["chinchilla-xl", *map(str, args)])
    main = importlib.import_module("chinchilla_xl.__main__").main
    code = 0
    try:
        main()
    except SystemExit as stop:
        code = stop.code or 0
    assert isinstance(code, int), f"Python would print it, and exit with 1: {code}"
    return code, capsys.readouterr().err


@pytest.mark.once
@pytest.mark.parametrize("package", OPTIONAL)
def test_every_module_is_imported_or_names_the_extra_that_brings_the_missing_package(package):
    refused = {}
    with without(package):
        for name in MODULES:
            try:
                importlib.import_module(name)
            except ImportError as missing:
                refused[name] = missing
    for name, missing in refused.items():
        assert type(missing).__name__ == "MissingExtra", f"{name}: {missing}"
        assert package in packages_of(HINT.search(str(missing))[1]), f"{name}: {missing}"
        assert "\n" not in str(missing)


def test_the_worksheet_functions_need_no_extra():
    with without(*OPTIONAL):
        package = importlib.import_module("chinchilla_xl")
        functions = importlib.import_module("chinchilla_xl.functions").FUNCTIONS
        assert {f.name.lower() for f in functions} <= set(package.__all__)
        assert f"{package.opt_params(1.9583, 5e12):.3g}" == "1.64e+10"
        runs = [(n, d) for n in (1e8, 3e8, 1e9) for d in (3e9, 1e10, 3e10)]
        params, tokens = zip(*runs, strict=True)
        losses = package.chinchilla_loss(params, tokens)
        assert package.fit_coeffs(params, tokens, losses)[1, 1] == pytest.approx(406.4, rel=0.1)


def test_without_any_extra_the_command_says_in_one_line_what_to_install(monkeypatch, capsys):
    with without(*OPTIONAL):
        code, printed = run(monkeypatch, capsys, "functions")
    assert code == 3
    assert printed == 'Error: click or rich is not installed: pip install "chinchilla-xl[recalc]"\n'


@pytest.fixture
def files(tmp_path, monkeypatch):
    """A folder with a workbook, runs, scenarios and tables to work on."""
    from chinchilla_xl import chinchilla_loss
    from support import small_budget

    monkeypatch.chdir(tmp_path)
    (tmp_path / "b.xlsx").write_bytes(small_budget())
    (tmp_path / "c.xlsx").write_bytes(small_budget())
    (tmp_path / "scenarios.csv").write_text("months\n12\n24\n")
    rows = [(n, d, chinchilla_loss(n, d)) for n in (1e8, 3e8, 1e9) for d in (3e9, 1e10, 3e10)]
    lines = ["params,tokens,loss", *(",".join(map(str, row)) for row in rows)]
    (tmp_path / "runs.csv").write_text("\n".join(lines) + "\n")
    (tmp_path / "runs.parquet").write_bytes(b"PAR1")
    return tmp_path


@pytest.mark.parametrize(
    ("package", "extra", "args"),
    [
        ("rich", "recalc", "show b.xlsx"),
        ("click", "recalc", "show b.xlsx"),
        ("openpyxl", "recalc", "show b.xlsx"),
        ("openpyxl", "recalc", "lint b.xlsx"),
        ("formualizer", "recalc", "recompute b.xlsx"),
        ("formualizer", "recalc", "fill b.xlsx inputs.toml -o f.xlsx"),
        ("pandas", "recalc", "sweep b.xlsx scenarios.csv --outputs target_loss -o r.csv"),
        ("pandas", "recalc", "fit runs.csv"),
        ("pebble", "recalc", "recompute b.xlsx c.xlsx --jobs 2"),
        ("xlsxwriter", "recalc", "new budget n.xlsx"),
        ("xlsxwriter", "recalc", "fit runs.csv -o n.xlsx"),
        ("pyarrow", "parquet", "fit runs.parquet"),
        ("pyarrow", "parquet", "sweep b.xlsx scenarios.csv --outputs target_loss -o r.parquet"),
        ("fsspec", "remote", "show s3://bucket/b.xlsx"),
        ("distributed", "cluster", "recompute b.xlsx --scheduler tcp://localhost:1"),
        ("matplotlib", "figures", "figures out"),
        ("matplotlib", "figures", "fit runs.csv --png n.png"),
        ("xlwings", "excel", "addin build excel -o n.xlam"),
        ("pyopenvba", "excel", "addin build excel -o n.xlam"),
    ],
)
def test_a_command_names_the_extra_that_it_lacks(files, monkeypatch, capsys, package, extra, args):
    before = set(files.iterdir())
    with without(package):
        code, printed = run(monkeypatch, capsys, *args.split())
    assert code == 3
    assert printed.count("\n") == 1, printed
    assert f'pip install "chinchilla-xl[{extra}]"' in printed
    assert set(files.iterdir()) == before


@pytest.mark.once
@pytest.mark.parametrize(
    ("extra", "args"),
    [
        ("figures", "figures out"),
        ("recalc", "new compare n.xlsx"),
        ("recalc", "fit runs.csv -o n.xlsx"),
        ("excel", "addin build excel -o n.xlam"),
        ("excel", "recompute b.xlsx"),
        ("cluster", "sweep b.xlsx scenarios.csv --outputs target_loss -o r.csv"),
        ("recalc", "addin build calc -o n.oxt"),
    ],
)
def test_an_extra_brings_all_that_its_commands_need(files, monkeypatch, capsys, extra, args):
    with without(*(set(OPTIONAL) - packages_of(extra))):
        assert run(monkeypatch, capsys, *args.split()) == (0, "")
