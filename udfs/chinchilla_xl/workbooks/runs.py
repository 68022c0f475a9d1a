"""Reads a table of training runs from a .csv, .xlsx or .parquet file and finds its columns."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chinchilla_xl.errors import ArgumentError, MissingExtra
from chinchilla_xl.hints import nearest
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


def _column(frame: pd.DataFrame, role: str, given: str | None, *, required: bool) -> str | None:
    names = [str(name) for name in frame.columns]
    frame.columns = pd.Index(names)
    if given is not None:
        if given not in names:
            hint = nearest(given, names)
            raise ArgumentError(
                f"there is no column {given!r}{hint}: the file has {_listed(frame)}"
            )
        return given
    plain = {re.sub("[^a-z]", "", name.lower()): name for name in reversed(names)}
    found = next((plain[usual] for usual in USUAL_NAMES[role] if usual in plain), None)
    if found is None and required:
        raise ArgumentError(
            f"no column of {role} was found among {_listed(frame)}: name it with --{role}, or let "
            "the names of the columns be the first line"
        )
    return found


def _listed(frame: pd.DataFrame) -> str:
    """The columns that have a name; pandas makes one up for a blank."""
    named = [str(name) for name in frame.columns if not str(name).startswith("Unnamed: ")]
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
