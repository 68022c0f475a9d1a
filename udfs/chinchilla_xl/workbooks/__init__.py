"""Builds the workbook templates; their values are computed when they are built."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from chinchilla_xl.errors import ArgumentError
from chinchilla_xl.fit import Fit
from chinchilla_xl.hints import nearest
from chinchilla_xl.recalc import recompute_bytes
from chinchilla_xl.recalc.calls import ADDIN, EDITIONS
from chinchilla_xl.recalc.conversion import converted
from chinchilla_xl.recalc.files import write_file
from chinchilla_xl.recalc.fill import Given, check_inputs
from chinchilla_xl.recalc.inputs import Input
from chinchilla_xl.workbooks import batch, budget, compare, fit_report, fitting, paper
from chinchilla_xl.workbooks.book import HOSTS, PLAIN_HOST
from chinchilla_xl.workbooks.runs import RunsTable

_FITTING = "fit"

TEMPLATES: dict[str, Callable[[Any, str], None]] = {
    "budget": budget.build,
    "compare": compare.build,
    _FITTING: fitting.build,
    "batch": batch.build,
    "paper": paper.build,
}
"""The builder of each template."""


def new(
    name: str,
    path: Path,
    inputs: Mapping[str, Input] | None = None,
    host: str = PLAIN_HOST,
    edition: str = ADDIN,
) -> None:
    """Build the template `name` with its values computed, inputs set, and write it to `path`."""
    write_file(path, template(name, inputs, host, edition))


def report_fit(path: Path, table: RunsTable, found: Fit) -> None:
    """Write the workbook of a fit: coefficients, runs, residuals, charts."""
    target = io.BytesIO()
    fit_report.build(target, table, found)
    write_file(path, _computed(target.getvalue()))


def template(
    name: str,
    inputs: Mapping[str, Input] | None = None,
    host: str = PLAIN_HOST,
    edition: str = ADDIN,
) -> bytes:
    """The contents of the workbook that `new` writes.

    `host` says how our functions are spelled in it: "plain" by their names, for VBA, LibreOffice and
    `recompute`; "office" as Office.js add-ins store them. `edition` says where they come from: from
    an "addin", from "lambda" names in the file, or from the "cells" themselves.
    """
    if host not in HOSTS:
        raise ArgumentError(f"host must be one of {', '.join(HOSTS)}: {host!r}")
    builder = TEMPLATES.get(name)
    if builder is None:
        raise ArgumentError(
            f"there is no template {name!r}{nearest(name, TEMPLATES)}: "
            f"choose one of {', '.join(TEMPLATES)}"
        )
    if edition not in EDITIONS:
        raise ArgumentError(f"edition must be one of {', '.join(EDITIONS)}: {edition!r}")
    target = io.BytesIO()
    if edition == ADDIN:
        builder(target, host)
        return _computed(target.getvalue(), inputs)
    if name == _FITTING:
        raise ArgumentError(
            "the template fit needs the add-in: a fit is a search that no formula can do"
        )
    if host != PLAIN_HOST:
        raise ArgumentError(f"host {host} is for the edition {ADDIN}: {edition} has no add-in")
    builder(target, edition)
    contents, report = converted(_computed(target.getvalue(), inputs), edition, template=True)
    assert report.complete, report.left
    return contents


def _computed(contents: bytes, inputs: Mapping[str, Input] | None = None) -> bytes:
    given = {name: Given(value) for name, value in (inputs or {}).items()}
    if problems := check_inputs(contents, given) if given else []:
        raise ArgumentError("; ".join(problems))
    computed, report = recompute_bytes(contents, inputs)
    assert report.complete, report.kept
    return computed
