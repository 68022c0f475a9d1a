"""Functions that absorb errors, unless these may be the engine's own."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, TypeAlias

from chinchilla_xl.recalc.engineform import UNSURE, elementwise, is_number, possible

_Kinds: TypeAlias = tuple[str, ...]
_DOUBT: _Kinds = ("NImpl", "Error", "Circ", "Cancelled")
_ANY: _Kinds = ("Value", "Name", *_DOUBT)
"""The errors that may be the engine's own limit where any of its functions has computed."""


def _holds(kinds: _Kinds, value: Any) -> bool:
    """Whether a value is, or contains, an error of one of these kinds."""
    cells = [cell for row in value for cell in row] if isinstance(value, list) else [value]
    return any(isinstance(c, dict) and c.get("kind") in kinds for c in cells)


def _iferror(doubtful: _Kinds, value: Any, otherwise: Any) -> Any:
    if _holds(doubtful, value):
        return UNSURE
    value = elementwise(possible, value)
    return elementwise(lambda v, o: o if isinstance(v, dict) else v, value, otherwise)


def _is(doubtful: _Kinds, kind: str, value: Any) -> Any:
    if _holds(doubtful, value):
        return UNSURE
    return elementwise(_KINDS[kind], elementwise(possible, value))


_KINDS: dict[str, Callable[[Any], bool]] = {
    "ISERROR": lambda v: isinstance(v, dict),
    "ISERR": lambda v: isinstance(v, dict) and v.get("kind") != "Na",
    "ISNA": lambda v: isinstance(v, dict) and v.get("kind") == "Na",
    "ISNUMBER": is_number,
    "ISTEXT": lambda v: isinstance(v, str),
    "ISNONTEXT": lambda v: not isinstance(v, str),
    "ISLOGICAL": lambda v: isinstance(v, bool),
}
ABSORBING = frozenset(_KINDS)

CALLBACKS: dict[str, Callable[..., Any]] = {
    "__IFERROR_ANY": partial(_iferror, _ANY),
    "__IFERROR_DOUBT": partial(_iferror, _DOUBT),
    "__IS_ANY": partial(_is, _ANY),
    "__IS_DOUBT": partial(_is, _DOUBT),
}
