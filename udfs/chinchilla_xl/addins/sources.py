"""Where the files of addin/ are: in the package once it is installed, in the checkout before."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

_CHECKOUT = Path(__file__).parents[3] / "addin"


def source(host: str, name: str) -> bytes:
    """The contents of the file `name` of addin/`host`."""
    packaged = files("chinchilla_xl.addins") / "sources" / host / name
    if packaged.is_file():
        return packaged.read_bytes()
    return (_CHECKOUT / host / name).read_bytes()
