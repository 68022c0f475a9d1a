"""What spreadsheet programs load so that they compute the functions live: one host each.

A host builds an artefact from the catalogue and the sources in addin/, installs it in the program of
this machine, and says whether that works. A new host is a line in `HOSTS` and a class like the others.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import NamedTuple, Protocol

from chinchilla_xl.errors import ArgumentError


class Status(NamedTuple):
    """What to tell the user, line by line, and whether the program computes the functions."""

    lines: list[str]
    works: bool


class Host(Protocol):
    """A spreadsheet program that can load the functions.

    `folder` is where an administrator or a container keeps add-ins instead of where the program
    looks by itself. Raises ProgramMissing if the program is not there, ProgramFailed if it does not do
    its part.
    """

    title: str
    suffix: str

    def build(self) -> bytes:
        """The artefact, as the bytes of a file that ends in `suffix`."""

    def install(self, folder: Path | None) -> Status:
        """Put the artefact where the program finds it."""

    def uninstall(self, folder: Path | None) -> Status:
        """Take it away again."""

    def status(self, folder: Path | None) -> Status:
        """Where it is installed, and what the program makes of it."""

    def doctor(self, folder: Path | None) -> Status:
        """What was looked at, what of it is wrong, and how to mend that."""


HOSTS = {
    "excel": "chinchilla_xl.addins.excel.host:Excel",
    "calc": "chinchilla_xl.addins.calc.host:Calc",
}
"""Host -> the class, imported when it is asked for."""


def host(name: str) -> Host:
    """The host called `name`."""
    if name not in HOSTS:
        raise ArgumentError(f"host must be one of {', '.join(HOSTS)}: {name!r}")
    module, _, attribute = HOSTS[name].partition(":")
    made: Host = getattr(import_module(module), attribute)()
    return made
