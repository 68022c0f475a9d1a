"""Published figures as data files, each with its source beside it."""

from __future__ import annotations

import os.path
from typing import Any


def load(name: str) -> dict[str, Any]:
    """The contents of one of this package's TOML files."""
    import tomllib  # used once per file: not worth its import in every process

    # The loader reads from folders and zips alike; importlib.resources would, too, at the price of
    # a tenth of the time that importing this package takes.
    loader: Any = __spec__.loader
    contents = loader.get_data(os.path.join(__path__[0], name))  # noqa: PTH118
    return tomllib.loads(contents.decode("utf-8"))
