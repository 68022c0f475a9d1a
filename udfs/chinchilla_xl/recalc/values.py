"""Cell values and how a worksheet part spells them.

A value is a float, a str, a bool, a CellError, or None for a cell without one.
"""

from __future__ import annotations

import math
import re
from typing import TypeAlias

from chinchilla_xl.functions.cells import ERROR_CODES, CellError

LONGEST_TEXT = 32767
"""Characters that a cell can hold."""

Value: TypeAlias = float | str | bool | CellError | None

# What XML cannot hold is spelled _xHHHH_, and so is the start of anything that looks like that.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")
_SPELLED = re.compile("_x([0-9A-Fa-f]{4})_")
_MARKUP = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
_EXACT_INTEGERS = 2.0**53
_TINY = 1e-9


def encode(value: Value, prefix: bytes = b"") -> tuple[bytes, bytes]:
    """The cell's type attribute (empty for numbers) and its value element."""
    if value is None:
        return b"", b""
    if isinstance(value, bool):
        kind, text = b"b", "1" if value else "0"
    elif isinstance(value, CellError):
        kind, text = b"e", value.code
    elif isinstance(value, str):
        kind, text = b"str", _UNPRINTABLE.sub(_spell, value).translate(_MARKUP)
    else:
        kind, text = b"", number_text(float(value))
    space = b' xml:space="preserve"' if kind == b"str" and text != text.strip() else b""
    content = text.encode("utf-8", "replace")
    return kind, b"<%sv%s>%s</%sv>" % (prefix, space, content, prefix)


def number_text(value: float) -> str:
    """A number as a part spells it."""
    if not math.isfinite(value):
        raise ValueError(f"a cell cannot hold {value}")
    if value.is_integer() and abs(value) < _EXACT_INTEGERS:
        return str(int(value))
    return repr(value).upper()


def _spell(match: re.Match[str]) -> str:
    return f"_x{ord(match[0]):04X}_"


def decode(kind: str, text: str) -> Value:
    """The value that a formula cell's type and text stand for."""
    if kind in ("str", "inlineStr"):
        return _SPELLED.sub(lambda m: chr(int(m[1], 16)), text)
    if not text:
        return None
    if kind == "b":
        return text.strip() in ("1", "true")
    if kind == "e":
        return CellError(text if text in ERROR_CODES else "#VALUE!")
    try:
        return float(text)
    except ValueError:
        return text


def same(a: Value, b: Value) -> bool:
    """Whether two values are equal and of one kind (TRUE is not 1)."""
    return type(a) is type(b) and a == b


def is_ordinary(value: object) -> bool:
    """Whether a result can be taken as it is."""
    if type(value) is float:
        return _TINY <= abs(value) < math.inf or not value
    return type(value) is bool or (type(value) is str and len(value) <= LONGEST_TEXT)


def is_residue(value: float) -> bool:
    """Whether a number is so small, of so few binary digits, that larger ones may have left it."""
    return abs(value) < _TINY and (math.frexp(value)[0] * 64).is_integer()
