"""What the command line says of wrong usage and wrong files: one line, what to do, the exit code.

The commands run in this process, through the entry point that the installed program uses.
"""

from __future__ import annotations

import contextlib
import io
import re
import sys
import zipfile
from pathlib import Path

import pytest

from chinchilla_xl import ArgumentError, chinchilla_loss, recompute_all
from chinchilla_xl.__main__ import main
from support import small_budget

USAGE, REFUSED = 2, 3
OLE = bytes.fromhex("d0cf11e0a1b11ae1")


def with_password(data: bytes) -> bytes:
    """The archive with the flag of encryption set on every member."""
    changed = bytearray(data)
    for signature, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        for found in re.finditer(re.escape(signature), data):
            changed[found.start() + flags] |= 1
    return bytes(changed)


@pytest.fixture(scope="module")
def budget() -> bytes:
    return small_budget()


@pytest.fixture
def run(tmp_path, monkeypatch, capsys, budget):
    """Runs a command in a folder of good and bad files: exit code and what standard error shows."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as other:
        other.writestr("letter.txt", "no workbook")
    contents: dict[str, bytes | str] = {
        "b.xlsx": budget, "cut.xlsx": budget[:2000], "locked.xlsx": with_password(budget),
        "secret.xlsx": OLE + bytes(504) + "EncryptedPackage".encode("utf-16le") + bytes(600),
        "old.xls": OLE + bytes(600), "empty.xlsx": b"", "text.xlsx": "words",
        "zip.xlsx": archive.getvalue(), "data.csv": "a,b\n1,2\n", "empty.csv": "",
        "head.csv": "params,tokens,loss\n", "ragged.csv": "params,tokens,loss\n1,2,3,4\n",
        "latin.csv": "params,t\u00f6kens,loss\n1,2,3\n".encode("latin-1"),
        "near.csv": "monts\n12\n", "months.csv": "months\n12\n", "bad.toml": "months =\n",
        "percent.json": '{"training_MFU": 45}', "text.json": '{"target_params": "7B"}',
        "unit.json": '{"months": {"value": 3, "unit": "years"}}',
        "bad.parquet": "PAR1",
    }  # fmt: skip
    for name, content in contents.items():
        data = content.encode() if isinstance(content, str) else content
        (tmp_path / name).write_bytes(data)
    runs = [(n, d, chinchilla_loss(n, d)) for n in (1e8, 3e8, 1e9) for d in (3e9, 1e10)]
    for name, head, rows in (
        ("runs.csv", "params,tokens,loss", runs), ("few.csv", "params,tokens,loss", runs[:3]),
        ("text.csv", "params,tokens,loss", [("7B", 1e9, 2.0), *runs]),
        ("unnamed.csv", "a,b,c", runs),
    ):  # fmt: skip
        lines = [head, *(",".join(map(str, row)) for row in rows)]
        (tmp_path / name).write_text("\n".join(lines) + "\n")
    (tmp_path / "folder").mkdir()
    monkeypatch.chdir(tmp_path)
    before = {path.name for path in tmp_path.iterdir()}

    def run_it(command: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["chinchilla-xl", *command.split()])
        with pytest.raises(SystemExit) as stopped:
            main()
        assert {path.name for path in tmp_path.iterdir()} == before, "a refusal left a file behind"
        assert (tmp_path / "b.xlsx").read_bytes() == budget
        return stopped.value.code, capsys.readouterr().err

    return run_it


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("recompte b.xlsx", "No such command 'recompte'. Did you mean 'recompute'?"),
        ("functions opt_parms", "there is no function 'opt_parms' (did you mean OPT_PARAMS?)"),
        ("new", "Missing argument 'TEMPLATE' (help: chinchilla-xl new --help)"),
        ("new budge n.xlsx", "no template 'budge' (did you mean budget?): choose one of budget"),
        ("new budget n.xls", "the file must end in .xlsx: n.xls (help: chinchilla-xl new --help)"),
        ("new budget folder", "File 'folder' is a directory"),
        ("new budget n.xlsx --set", "'--set' requires an argument"),
        ("new budget n.xlsx --set months", "given as NAME=VALUE: 'months'"),
        ("new budget n.xlsx --set months=nan", "must be finite: nan"),
        ("new budget n.xlsx --set months=1e400", "must be finite: 1e400"),
        ("new budget n.xlsx --set months=-3", "a whole number from 1 to 60: -3"),
        ("new budget n.xlsx --set training_MFU=45", "in (0, 1]: 45 (did you mean 0.45?)"),
        ("new budget n.xlsx --set target_params=7B", "from 1E6 to 1E15: '7B' (did you mean 7E9?)"),
        ("new budget n.xlsx --set coefficient_set=besirogl", "(did you mean besiroglu?)"),
        ("new budget n.xlsx --hots plain", "No such option '--hots'"),
        ("recompute b.xlsx --set monts=3", "no name 'monts' (did you mean months?)"),
        ("recompute b.xlsx --set B1=5", "B1: cells are given with their sheet, such as Budget!B1"),
        ("recompute b.xlsx --set $B$1=5", "$B$1: cells are given with their sheet, such as Budget!B1"),
        ("recompute b.xlsx --set months=3 --set Months=4", "Months is given twice"),
        ("sweep b.xlsx months.csv --outputs Budget!A1:A2 -o n.csv", "Error: 'Budget!A1:A2' must be a single cell: it is Budget!A1:A2"),
        ("recompute b.xlsx --set Budgt!B3=3", "no sheet 'Budgt' (did you mean Budget?)"),
        ("recompute b.xlsx --set training_MFU=45%", "'45%' (did you mean 0.45?)"),
        ("recompute", "Missing argument 'FILES...'"),
        ("recompute x/a.xlsx y/a.xlsx -o out", "two files would be written to"),
        ("recompute b.xlsx cut.xlsx -o n.xlsx", "n.xlsx is the name of one file, and 2 are given: name a folder"),
        ("recompute b.xlsx -o n.xlsm", "n.xlsm must end in .xlsx, as b.xlsx does"),
        ("recompute b.xlsx -o n.ods", "n.ods must end in .xlsx, as b.xlsx does"),
        ("recompute b.xlsx --jobs two", "'--jobs'"),
        ("recompute b.xlsx --timeout -1", "'--timeout'"),
        ("recompute b.xlsx --timeout nan", "timeout must be a number of seconds above 0: nan"),
        ("recompute b.xlsx --engine exel", "'formualizer', 'excel', 'libreoffice'"),
        ("fill b.xlsx bad.toml -o n.xlsx", "bad.toml: it cannot be read: Invalid value (at line 1"),
        ("fill b.xlsx percent.json -o n.xlsx", "in (0, 1]: 45 (did you mean 0.45?)"),
        ("new budget n.xlsx --set training_GPU_peak=312", "from 1E12 to 1E17: 312 (did you mean 312E12?)"),
        ("new budget n.xlsx --set target_params=30", "from 1E6 to 1E15: 30 (did you mean 30E9?)"),
        ("new budget n.xlsx --set target_params=30000", "from 1E6 to 1E15: 30000 (did you mean 30000E6?)"),
        ("fill b.xlsx text.json -o n.xlsx", "> 0: '7B' (did you mean 7E9?)"),
        ("fill b.xlsx unit.json -o n.xlsx", "months is given in years, but the workbook has it in months"),
        ("fill b.xlsx percent.json -o b.xlsx", "b.xlsx exists already: choose another name or give --force"),
        ("sweep b.xlsx months.csv -o n.csv", "Missing option '--outputs'"),
        ("sweep b.xlsx months.csv --outputs target_los -o n.csv", "(did you mean target_loss?)"),
        ("sweep b.xlsx near.csv --outputs target_loss -o n.csv", "(did you mean months?)"),
        ("sweep b.xlsx months.csv --outputs target_loss -o n.txt", "must go to a .csv, .xlsx or .parquet file"),
        ("sweep b.xlsx months.csv --outputs target_loss -o months.csv --force", "months.csv is read by this command: choose another name"),
        ("sweep b.xlsx b.xlsx --outputs target_loss -o ./b.xlsx --force", "b.xlsx is read by this command: choose another name"),
        ("fit runs.csv --png runs.csv", "must end in .png: runs.csv"),
        ("fit b.xlsx -o b.xlsx --force", "b.xlsx is read by this command: choose another name"),
        ("sweep b.xlsx b.xlsx --sheet Budgt --outputs target_loss -o n.csv", "no sheet 'Budgt' (did you mean Budget?): it has Budget"),
        ("fit runs.csv --sheet Runs", "sheet is for .xlsx files, and runs.csv has none: leave out 'Runs'"),
        ("sweep b.xlsx months.csv --sheet Runs --outputs target_loss -o n.csv", "sheet is for .xlsx files, and months.csv has none"),
        ("fit few.csv", "at least 5 distinct runs: 3; add runs"),
        ("fit text.csv", "'7B' in row 1 (did you mean 7E9?); correct or remove that run"),
        ("fit unnamed.csv", "no column of params was found among a, b, c: name it with --params"),
        ("fit runs.csv --params parms", "no column 'parms' (did you mean params?): the file has params"),
        ("fit runs.csv --confidence 95", "between 0 and 1: 95; 0.95 is usual"),
        ("fit runs.csv --png n.jpg", "must end in .png: n.jpg"),
        ("figures data.csv", "'data.csv' is a file"),
        ("addin build", "Missing argument 'HOST'. Choose from: excel, calc"),
        ("addin names b.xlsx --for word", "'word' is not one of 'excel', 'calc'"),
    ],
)  # fmt: skip
def test_wrong_usage_is_one_line_that_says_what_to_do(run, command, said):
    code, printed = run(command)
    assert (code, printed.count("\n")) == (USAGE, 1), printed
    assert said in printed


@pytest.mark.parametrize(
    "command",
    [
        "show {}", "lint {}", "recompute {}", "addin names --for calc {}",
        "convert {} n{} --edition lambda", "fill {} percent.json -o n{}",
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    ("file", "said"),
    [
        ("none.xlsx", "there is no such file"),
        ("folder", "it is a folder, not a file"),
        ("empty.xlsx", "the file is empty"),
        ("text.xlsx", "not an .xlsx or .xlsm file"),
        ("data.csv", "not an .xlsx or .xlsm file"),
        ("old.xls", "save it as .xlsx or .xlsm"),
        ("secret.xlsx", "protected by a password: remove it in Excel first"),
        ("locked.xlsx", "protected by a password: save the workbook without one"),
        ("zip.xlsx", "a zip archive, but not an Excel workbook"),
        ("cut.xlsx", "damaged or cut short"),
    ],
)
def test_a_file_that_is_no_workbook_is_one_line_that_names_it(run, command, file, said):
    code, printed = run(command.format(file, Path(file).suffix))
    assert (code, printed.count("\n")) == (REFUSED, 1), printed
    assert printed.removeprefix("Error: ").startswith(f"{file}: ")
    assert said in printed


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ("none.csv", "there is no such file"),
        ("folder", "it is a folder: a table must be a .csv, .xlsx or .parquet file"),
        ("empty.csv", "its first line, which names the columns, is empty"),
        ("head.csv", "it holds no rows"),
        ("ragged.csv", "a line has more fields than the first line has names"),
        ("latin.csv", "its text is not UTF-8: save it as CSV UTF-8"),
        ("text.xlsx", "it is no .xlsx file, whatever its name says"),
        ("bad.parquet", "it cannot be read as a table"),
    ],
)
@pytest.mark.parametrize("command", ["fit {}", "sweep b.xlsx {} --outputs target_loss -o n.csv"])
def test_a_file_that_is_no_table_is_one_line_that_names_it(run, command, file, said):
    code, printed = run(command.format(file))
    assert (code, printed.count("\n")) == (REFUSED, 1), printed
    assert printed.startswith(f"Error: {file}: ")
    assert said in printed


@pytest.mark.parametrize("command", ["", "addin"])
def test_every_summary_of_a_command_is_whole(command, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["chinchilla-xl", *command.split(), "--help"])
    with contextlib.suppress(SystemExit):
        main()
    listed = capsys.readouterr().out.partition("Commands:\n")[2].partition("\n\n")[0]
    assert listed
    for line in listed.splitlines():
        assert re.match(r"  [a-z]+ +[A-Z].*\w\.$", line), line


def test_no_number_of_processes_and_no_endless_time_are_refused_before_any_work(budget, tmp_path):
    path = tmp_path / "b.xlsx"
    path.write_bytes(budget)
    with pytest.raises(ArgumentError, match="jobs must be at least 1: 0"):
        list(recompute_all([path], jobs=0))
    with pytest.raises(ArgumentError, match="timeout must be a number of seconds above 0: inf"):
        list(recompute_all([path], jobs=1, timeout=float("inf")))
