"""Published figures as data files, each with its source beside it."""

from __future__ import annotations

from importlib.resources import files
from typing import Any


def load(name: str) -> dict[str, Any]:
    """The contents of one of this package's TOML files."""
    import tomllib  # used once per file: not worth its import in every process

    return tomllib.loads(files(__name__).joinpath(name).read_text(encoding="utf-8"))
