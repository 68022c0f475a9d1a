"""Reads a table of training runs from a .csv, .xlsx or .parquet file and finds its columns."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chinchilla_xl.errors import ArgumentError, MissingExtra
from chinchilla_xl.hints import nearest
from chinchilla_xl.recalc.files import suffix_of
from chinchilla_xl.recalc.tables import read_table

try:
    import pandas as pd
except ImportError as missing:
    raise MissingExtra("pandas", "recalc") from missing

# What people call the columns, in lower-case letters only, the surest first.
USUAL_NAMES: dict[str, tuple[str, ...]] = {
    "params": (
        "params", "parameters", "nparams", "numparams", "numparameters", "paramcount",
        "parametercount", "modelsize", "modelparams", "modelparameters", "nonembeddingparams",
        "size", "n",
    ),
    "tokens": (
        "tokens", "ntokens", "numtokens", "trainingtokens", "traintokens", "tokencount",
        "datasettokens", "datatokens", "data", "d",
    ),
    "flops": ("flops", "trainingflops", "trainflops", "totalflops", "compute", "flop", "c"),
    "loss": (
        "loss", "finalloss", "valloss", "validationloss", "evalloss", "testloss", "trainloss",
        "trainingloss", "pretrainingloss", "l",
    ),
}  # fmt: skip

_TITLES = 19
"""Lines below the first in which the names of the columns are looked for."""
_UNNAMED = "Unnamed: "
"""What pandas calls a column without a name, before its number."""


@dataclass(frozen=True, slots=True)
class RunsTable:
    """The runs as columns of cells, and which column of the file each came from."""

    params: list[Any]
    tokens: list[Any]
    losses: list[Any]
    chosen: dict[str, str]
    """Argument -> the column it was read from, or how it was computed."""


def read_runs(path: Path, columns: Mapping[str, str | None], sheet: str | None = None) -> RunsTable:
    """The runs in the file; `columns` names the columns that are not to be guessed.

    Without a column of tokens, or if one of FLOPs is named, tokens = C / (6 N).
    """
    if columns.get("tokens") is not None and columns.get("flops") is not None:
        raise ArgumentError("name a column of tokens or one of FLOPs, not both")
    frame = read_table(path, sheet)
    if suffix_of(path) == ".xlsx":
        frame = _below_titles(frame, columns)
    found = {
        role: _column(frame, role, columns.get(role), required=role in ("params", "loss"))
        for role in USUAL_NAMES
    }
    if columns.get("flops") is not None:
        found["tokens"] = None
    chosen = {role: name for role, name in found.items() if name is not None}
    if len(set(chosen.values())) < len(chosen):
        raise ArgumentError(
            f"each argument needs a column of its own: {', '.join(chosen.values())}"
        )
    params = _cells(frame, chosen["params"])
    if "tokens" in chosen:
        chosen.pop("flops", None)
        tokens = _cells(frame, chosen["tokens"])
    elif "flops" in chosen:
        flops = chosen.pop("flops")
        tokens = [_tokens(c, n) for c, n in zip(_cells(frame, flops), params, strict=True)]
        chosen["tokens"] = f"{flops} / (6 x {chosen['params']})"
    else:
        raise ArgumentError(
            f"no column of tokens or FLOPs was found among {_listed(frame)}: "
            "name one with --tokens or --flops"
        )
    return RunsTable(params, tokens, _cells(frame, chosen["loss"]), chosen)


def _below_titles(frame: pd.DataFrame, columns: Mapping[str, str | None]) -> pd.DataFrame:
    """Of a sheet that begins with titles, the table below the line that names the columns.

    A line of units directly below that is left out, and so are lines below the last run, which may
    hold what formulas have filled down.
    """

    def named(names: list[str]) -> dict[str, str | None]:
        return {role: _named(names, role, columns.get(role)) for role in USUAL_NAMES}

    found = named([str(name) for name in frame.columns])
    if found["params"] and found["loss"]:
        return frame
    for line in range(min(_TITLES, len(frame))):
        names = [
            cell if isinstance(cell, str) else f"{_UNNAMED}{i}"
            for i, cell in enumerate(frame.iloc[line])
        ]
        found = named(names)
        if not (found["params"] and found["loss"]) or len(set(names)) < len(names):
            continue
        table = frame.iloc[line + 1 :].set_axis(names, axis=1)
        cells = table[[name for name in found.values() if name]]
        units = not any(isinstance(_cell(cell), int | float) for cell in cells[:1].to_numpy().flat)
        runs = cells.notna().any(axis=1).to_numpy().nonzero()[0]
        last = runs[-1] + 1 if runs.size else 0
        return table.iloc[int(units) : last].reset_index(drop=True)
    return frame


def _named(names: list[str], role: str, given: str | None) -> str | None:
    """The column that is given for a role or has a usual name of it."""
    if given is not None:
        return given if given in names else None
    plain = {re.sub("[^a-z]", "", name.lower()): name for name in reversed(names)}
    return next((plain[usual] for usual in USUAL_NAMES[role] if usual in plain), None)


def _column(frame: pd.DataFrame, role: str, given: str | None, *, required: bool) -> str | None:
    names = [str(name) for name in frame.columns]
    frame.columns = pd.Index(names)
    found = _named(names, role, given)
    if found is None and given is not None:
        hint = nearest(given, names)
        raise ArgumentError(f"there is no column {given!r}{hint}: the file has {_listed(frame)}")
    if found is None and required:
        raise ArgumentError(
            f"no column of {role} was found among {_listed(frame)}: name it with --{role}, or let "
            "the names of the columns be the first line"
        )
    return found


def _listed(frame: pd.DataFrame) -> str:
    """The columns that have a name; pandas makes one up for a blank."""
    named = [str(name) for name in frame.columns if not str(name).startswith(_UNNAMED)]
    return ", ".join(named)


def _cells(frame: pd.DataFrame, name: str) -> list[Any]:
    """A column's cells as Python values, blanks as None."""
    return [_cell(cell) for cell in frame[name].astype(object)]


def _cell(cell: Any) -> Any:
    """None for a blank; of a column that holds text somewhere, the figures as numbers."""
    if pd.isna(cell):
        return None
    try:
        return float(cell) if isinstance(cell, str) else cell
    except ValueError:
        return cell


def _tokens(flops: Any, params: Any) -> Any:
    """C / (6 N), or what stands in the way, for the fit to complain of with its row."""
    if isinstance(flops, int | float) and isinstance(params, int | float) and params:
        return flops / (6 * params)
    return flops
