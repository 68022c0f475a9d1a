"""chinchilla-xl addin build | install | uninstall | status | doctor | names: the functions in a spreadsheet program."""

from __future__ import annotations

import sys
from pathlib import Path

from chinchilla_xl.addins import HOSTS, Status, host
from chinchilla_xl.cli_support import FORCE, check_new
from chinchilla_xl.errors import MissingExtra

try:
    import click
except ImportError as missing:
    raise MissingExtra("click", "recalc") from missing

NOT_WORKING = 1
"""Exit code: the program does not compute the functions."""

_HOST = click.option(
    "--host",
    "name",
    type=click.Choice(list(HOSTS)),
    default="excel",
    show_default=True,
    help="The spreadsheet program.",
)
_FOLDER = click.option(
    "--folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False),
    help="A folder of add-ins of your own, instead of where the program looks by itself.",
)  # fmt: skip


@click.group()
def addin() -> None:
    """Let a spreadsheet program compute the functions while you type.

    \b
    chinchilla-xl addin install                  install them in Excel on Windows
    chinchilla-xl addin install --host calc      install them in LibreOffice Calc
    chinchilla-xl addin status --host calc       does it, and if not, why?
    """  # noqa: D301 (click looks for the backspace)


@addin.command()
@click.argument("name", metavar="HOST", type=click.Choice(list(HOSTS)))
@click.option(
    "-o", "--output", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False),
    help="Where to write it (default: chinchilla-xl with the host's ending, here).",
)  # fmt: skip
@FORCE
def build(name: str, output: Path | None, force: bool) -> None:
    """Build what HOST loads, as a file to keep or to hand on.

    It works without this environment where the program's own Python has chinchilla-xl installed.
    """
    made = host(name)
    output = output or Path(f"chinchilla-xl{made.suffix}")
    check_new(output, made.suffix, force)
    from chinchilla_xl.recalc.files import write_file

    write_file(output, made.build())
    click.echo(output)


@addin.command(short_help="Install the functions and try them.")
@_HOST
@_FOLDER
def install(name: str, folder: Path | None) -> None:
    """Install the functions, computed by the packages of this environment, and try them."""
    _tell(host(name).install(folder))


@addin.command()
@_HOST
@_FOLDER
def uninstall(name: str, folder: Path | None) -> None:
    """Take the functions out of the program."""
    _tell(host(name).uninstall(folder))


@addin.command(short_help="Say whether the program computes the functions.")
@_HOST
@_FOLDER
def status(name: str, folder: Path | None) -> None:
    """Say where the functions are installed, and try whether the program computes them."""
    _tell(host(name).status(folder))


@addin.command(short_help="Say what is there, what is wrong and how to mend it.")
@_HOST
@_FOLDER
def doctor(name: str, folder: Path | None) -> None:
    """Say which program, Python and versions there are, what is wrong, and how to mend it."""
    _tell(host(name).doctor(folder))


@addin.command(short_help="Rename the functions in formulas for another program.")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--for", "reader", type=click.Choice(["excel", "calc"]), required=True,
    help="excel: OPT_PARAMS; calc: CHINCHILLA.XL.OPT_PARAMS, which LibreOffice before 24.8 needs.",
)  # fmt: skip
def names(files: tuple[Path, ...], reader: str) -> None:
    """Rename the functions in the formulas of each .xlsx or .xlsm of FILES for another program.

    Values and all else stay as they are; a file is replaced whole or not at all.
    """
    from chinchilla_xl.recalc.calc_names import rename_file

    for file in files:
        count = rename_file(file, for_calc=reader == "calc")
        click.echo(f"{file}: {count} formulas renamed")


def _tell(status: Status) -> None:
    for line in status.lines:
        click.echo(line)
    sys.exit(0 if status.works else NOT_WORKING)
