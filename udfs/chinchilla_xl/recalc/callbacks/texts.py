"""Values that turn into text, text that is searched or replaced, and the criteria of COUNTIF."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from functools import partial
from typing import Any

from chinchilla_xl.recalc.engineform import (
    UNSURE,
    VALUE,
    first_error,
    is_number,
    lifted,
)
from chinchilla_xl.recalc.values import LONGEST_TEXT


def _text(last: int, value: Any) -> Any:
    """A value as text; UNSURE if it has characters beyond `last` or a spelling open to doubt."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if is_number(value):
        return _spelled(float(value))
    if isinstance(value, str) and value:
        if len(value) > LONGEST_TEXT:
            return VALUE  # what gave it is an error; here it would grow without end
        return UNSURE if ord(max(value)) > last else value
    return value


def _spelled(number: float) -> Any:
    if number.is_integer() and abs(number) < 1e15:
        return str(int(number))
    text = f"{number:.15g}".upper()
    size = abs(number)
    if size >= 1e20:
        return text
    if size >= 1e15:
        return UNSURE
    if "E" in text:
        text = f"{number:.{14 - math.floor(math.log10(size))}f}".rstrip("0")
    return text if len(text.lstrip("-")) <= 18 else UNSURE


def _needle(value: Any) -> Any:
    """A text to look for: the engine finds an empty one in the wrong place."""
    return UNSURE if value in (None, "") else _text(126, value)


_CRITERION = re.compile(r"(?:<>|<=|>=|=|<|>)?-?\d+(?:\.\d+)?|(?:=|<>)?(?![<>=])[ -\"$&-~]+")


def criterion(value: Any) -> Any:
    """The criterion of a COUNTIF or its kin, where the engine's reading of it is Excel's."""
    if isinstance(value, str):
        return value if value in ("", "=", "<>") or _CRITERION.fullmatch(value) else UNSURE
    return UNSURE if value is None or isinstance(value, dict) else value


def _substitute(text: Any, old: Any, new: Any, *instance: Any) -> Any:
    """SUBSTITUTE; the engine would build a text without end."""
    if (error := first_error((text, old, new, *instance))) is not None:
        return error
    texts = all(isinstance(operand, str) for operand in (text, old, new))
    if not texts or not all(is_number(n) for n in instance):
        return UNSURE
    if instance and instance[0] < 1:
        return VALUE
    parts = text.split(old) if old else [text]
    if instance:
        nth = math.trunc(instance[0])
        if nth < len(parts):
            parts = [old.join(parts[:nth]), old.join(parts[nth:])]
        else:
            new = old
    size = sum(map(len, parts)) + len(new) * (len(parts) - 1)
    return new.join(parts) if size <= LONGEST_TEXT else VALUE


CALLBACKS: dict[str, Callable[..., Any]] = {
    "__TEXT": lifted(partial(_text, 0x10FFFF)),
    "__TEXT_BMP": lifted(partial(_text, 0xFFFF)),
    "__TEXT_ASCII": lifted(partial(_text, 126)),
    "__NEEDLE": lifted(_needle),
    "__CRITERION": lifted(criterion),
    "__SUBSTITUTE": _substitute,
}
