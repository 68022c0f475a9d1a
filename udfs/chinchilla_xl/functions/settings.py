"""The arguments that are more than numbers: `coeffs` and `deployment` in every form, flags."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from chinchilla_xl.coefficients import CHINCHILLA, NAMES, CoefficientSet, Law, Laws, published
from chinchilla_xl.costs import ASSUMPTIONS, SEC_6, Assumption, Deployment
from chinchilla_xl.elementwise import NAN
from chinchilla_xl.errors import ArgumentError
from chinchilla_xl.functions.cells import NUM, CellError
from chinchilla_xl.functions.operands import Errors, as_error, as_grid, as_number, shorten
from chinchilla_xl.hints import nearest

RANGE_LABELS = ("range of params", "range of tokens", "range of tokens per parameter")
"""The rows of FIT_COEFFS' table that say which runs the fit rests on."""

COEFFS_FORMS = (
    "coeffs must be a set's name, five numbers (A, B, E, alpha, beta), FIT_COEFFS' table, "
    "or n rows of five"
)
_REQUIRED = [a for a in ASSUMPTIONS if not a.optional]
DEPLOYMENT_FORMS = (
    f"deployment must be two columns of labels and values, or {len(_REQUIRED)} numbers (one more if "
    "data has a price) in the order " + ", ".join(a.label for a in ASSUMPTIONS)
)


def read_coeffs(value: Any) -> tuple[Law | Laws, Errors | None]:
    """A law, or n laws as columns with the errors of the rows that are none."""
    if value is None:
        return CHINCHILLA, None
    if isinstance(value, Law):
        return value.check(), None
    if isinstance(value, CellError):
        raise _passed_on("coeffs", value)
    if isinstance(value, str):
        return coefficient_set(value).law, None
    grid = as_grid("coeffs", value)
    if grid.size == 0:
        raise ArgumentError(f"{COEFFS_FORMS}: it is empty")
    labelled = _labelled(grid)
    if labelled:
        return _fitted_law(labelled), None
    if grid.size == 1 and isinstance(grid.item(), str):
        return coefficient_set(grid.item()).law, None
    if grid.size == len(NAMES) and (grid.ndim == 1 or 1 in grid.shape):
        return _one_law(grid.ravel().tolist()), None
    if grid.ndim == 2 and grid.shape[1] == len(NAMES):
        return _many_laws(grid)
    raise ArgumentError(f"{COEFFS_FORMS}: {_shape(grid)}")


def fitted_ranges(value: Any) -> dict[str, tuple[float, float]]:
    """Of FIT_COEFFS' table the lowest and highest params and tokens of its runs, else nothing."""
    if not isinstance(value, list | tuple | np.ndarray):
        return {}
    grid = as_grid("coeffs", value)
    if grid.ndim != 2 or grid.shape[1] != 5:
        return {}
    labels = dict(zip(RANGE_LABELS, ("params", "tokens"), strict=False))
    found = {}
    for label, _, _, low, high in grid:
        name = labels.get(label) if isinstance(label, str) else None
        pair = (as_number(low), as_number(high))
        if name is not None and None not in pair:
            found[name] = pair
    return found  # type: ignore[return-value]


def coefficient_set(name: str) -> CoefficientSet:
    """The published set called `name`, or ArgumentError with the nearest name."""
    sets = published()
    found = sets.get(name.strip().lower())
    if found is None:
        raise ArgumentError(
            f'coeffs must name a published set: "{shorten(name)}"'
            f"{nearest(name.strip(), sets)} (=COEFFS() lists them)"
        )
    return found


def _labelled(grid: Errors) -> dict[str, Any]:
    """Label -> value of a table whose first column holds the five names, else nothing."""
    if grid.ndim != 2 or grid.shape[1] < 2:
        return {}
    found = {row[0]: row[1] for row in grid[::-1] if isinstance(row[0], str)}
    return found if all(name in found for name in NAMES) else {}


def _fitted_law(labelled: Mapping[str, Any]) -> Law:
    try:
        return _one_law([labelled[name] for name in NAMES])
    except ArgumentError as refused:
        if any(labelled[name] == 0 for name in ("A", "B", "alpha", "beta")):
            raise ArgumentError(
                "the fit in coeffs found that the loss does not depend on params or on tokens (a "
                "coefficient is 0): nothing follows from it; see its warnings"
            ) from None
        raise refused from None


def _one_law(cells: list[Any]) -> Law:
    numbers = []
    for name, cell in zip(NAMES, cells, strict=True):
        number = as_number(cell)
        if number is None:
            error = as_error(f"coefficient {name}", cell)
            raise _passed_on(f"coefficient {name}", error)
        numbers.append(number)
    return Law(*numbers).check()


def _many_laws(grid: Errors) -> tuple[Laws, Errors | None]:
    values = np.full(grid.shape, NAN)
    errors = np.full((len(grid), 1), None, dtype=object)
    for i, row in enumerate(grid):
        try:
            law = _one_law(row.tolist())
        except ArgumentError as refused:
            code = NUM.code if all(as_number(c) is not None for c in row) else refused.code
            errors[i, 0] = CellError(code, str(refused))
        else:
            values[i] = [getattr(law, name) for name in NAMES]
    columns = [values[:, i : i + 1] for i in range(len(NAMES))]
    return Laws(*columns), errors if any(errors.ravel()) else None


def read_deployment(value: Any) -> Deployment:
    """The machines' prices, peaks and MFUs; omitted: the settings of Sec. 6 of the paper."""
    if value is None:
        return SEC_6
    if isinstance(value, Deployment):
        return value
    if isinstance(value, CellError):
        raise _passed_on("deployment", value)
    if isinstance(value, Mapping):
        return _from_labels(list(value.items()))
    grid = as_grid("deployment", value)
    if len(_REQUIRED) <= grid.size <= len(ASSUMPTIONS) and (grid.ndim == 1 or 1 in grid.shape):
        cells = zip(ASSUMPTIONS, grid.ravel().tolist(), strict=False)
        return Deployment(
            **{a.field: _checked(a, cell) for a, cell in cells if not (a.optional and cell is None)}
        )
    if grid.ndim == 2 and grid.shape[1] == 2:
        return _from_labels([(label, cell) for label, cell in grid])
    raise ArgumentError(f"{DEPLOYMENT_FORMS}: {_shape(grid)}")


def _from_labels(rows: list[tuple[Any, Any]]) -> Deployment:
    by_label: dict[str, Assumption] = {}
    for a in ASSUMPTIONS:
        # "training GPU $/h" is as good as "training GPU price"
        by_label |= dict.fromkeys((_normal(a.label), _normal(a.label.replace("price", a.unit))), a)
    found: dict[str, float] = {}
    for label, cell in rows:
        if label is None and cell is None:
            continue
        if isinstance(label, CellError):
            raise _passed_on("deployment", label)
        assumption = by_label.get(_normal(label))
        if assumption is None:
            raise ArgumentError(
                f"deployment has an unknown label: {shorten(str(label))!r}"
                f"{nearest(_normal(label), [a.label for a in ASSUMPTIONS])}"
            )
        if assumption.optional and cell is None:
            continue
        if assumption.field in found:
            raise ArgumentError(f"deployment gives {assumption.label} twice")
        found[assumption.field] = _checked(assumption, cell)
    missing = [a.label for a in _REQUIRED if a.field not in found]
    if missing:
        raise ArgumentError(f"deployment lacks {', '.join(missing)}")
    return Deployment(**found)


def _checked(assumption: Assumption, cell: Any) -> float:
    number = as_number(cell)
    if number is None:
        if isinstance(cell, CellError):
            raise _passed_on(assumption.label, cell)
        if cell is None:
            raise ArgumentError(f"deployment lacks the value of {assumption.label}: it is blank")
        raise ArgumentError(as_error(assumption.label, cell).message)
    return assumption.check(number)


def read_flag(value: Any) -> bool:
    """TRUE or FALSE; omitted: TRUE."""
    value = _single("header", value)
    if value is None:
        return True
    if isinstance(value, bool | np.bool_):
        return bool(value)
    raise ArgumentError(f"header must be TRUE or FALSE: {_shown(value)}")


def read_name(value: Any) -> str | None:
    """The name of a published set; omitted: None."""
    value = _single("name", value)
    if value is None or isinstance(value, str):
        return value
    raise ArgumentError(f"name must be the name of a published set: {_shown(value)}")


def _single(what: str, value: Any) -> Any:
    """The cell that a range of one cell holds; an error in it is that of the result."""
    while isinstance(value, list | tuple) and len(value) == 1:
        value = value[0]
    if isinstance(value, CellError):
        raise _passed_on(what, value)
    return value


def _passed_on(what: str, error: CellError) -> ArgumentError:
    """The error that a cell of an argument holds, as that of the whole result."""
    return ArgumentError(error.message or f"{what} holds {error.code}", error.code)


def _normal(label: Any) -> str:
    return " ".join(str(label).casefold().rstrip(" :").split())


def _shape(grid: Errors) -> str:
    if grid.ndim == 0:
        return _shown(grid.item())
    return " x ".join(map(str, grid.shape if grid.ndim > 1 else (1, *grid.shape))) + " cells"


def _shown(cell: Any) -> str:
    """A cell in a message; a number as a spreadsheet shows it, whatever type the host sends."""
    number = as_number(cell)
    return shorten(repr(cell)) if number is None else f"{number:g}"
