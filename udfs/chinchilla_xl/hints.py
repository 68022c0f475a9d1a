"""What a wrong value was probably meant to be: the end of a message, or nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable

# Patterns are compiled when a message needs them, since every import of the package passes here.
_POWERS = {"k": 3, "m": 6, "b": 9, "bn": 9, "t": 12}
_GROUPS = r"([-+]?\d{1,3})((?:[,.' \u00a0]\d{3})+)"
_COMMA = r"([-+]?\d+),(\d+(?:[eE][-+]?\d+)?)"
_NUMBER = r"[-+]?\d+\.?\d*(?:[eE][-+]?\d+)?"
_SHORT = r"\$?\s*([-+]?\d+\.?\d*|[-+]?\.\d+)\s*(%|(?i:[kmbt]|bn))"


def nearest(name: str, choices: Iterable[str]) -> str:
    """The choice that is spelled most like `name`.

    >>> nearest("monts", ["months", "price"])
    ' (did you mean months?)'
    """
    from difflib import get_close_matches  # only for a message

    by_folded = {choice.casefold(): choice for choice in choices}
    found = get_close_matches(name.casefold(), by_folded, n=1, cutoff=0.5)
    return f" (did you mean {by_folded[found[0]]}?)" if found else ""


def number_meant(text: str) -> str:
    """The number that people write in this way, as a spreadsheet takes it.

    >>> number_meant("7B"), number_meant("45%"), number_meant("many")
    (' (did you mean 7E9?)', ' (did you mean 0.45?)', '')
    >>> number_meant("1,5E9"), number_meant("7 000 000"), number_meant("70,000")
    (' (did you mean 1.5E9?)', ' (did you mean 7000000?)', ' (did you mean 70.000 or 70000?)')
    >>> number_meant("1e9")
    ' (did you mean 1e9 without quotes?)'
    """
    text = text.strip()
    meant = []
    if found := re.fullmatch(_SHORT, text):
        figure, unit = found[1], found[2].lower()
        meant = [f"{float(figure) / 100:g}" if unit == "%" else f"{figure}E{_POWERS[unit]}"]
    if found := re.fullmatch(_COMMA, text):
        meant = [f"{found[1]}.{found[2]}"]
    if (found := re.fullmatch(_GROUPS, text)) and found[1].lstrip("+-") != "0":
        meant.append(found[1] + re.sub(r"\D", "", found[2]))
    if re.fullmatch(_NUMBER, text):
        meant = [f"{text} without quotes"]
    return f" (did you mean {' or '.join(meant)}?)" if meant else ""


def scaled_meant(value: float, low: float, high: float) -> str:
    """Of a number that was to lie from `low` to `high`: so many billions, millions or trillions.

    >>> scaled_meant(30, 1e6, 1e15), scaled_meant(30_000, 1e6, 1e15), scaled_meant(312, 1e12, 1e17)
    (' (did you mean 30E9?)', ' (did you mean 30000E6?)', ' (did you mean 312E12?)')
    """
    for power in (9, 12, 6) if abs(value) < 1000 else (6, 9, 12):
        if low <= value * 10.0**power <= high:
            return f" (did you mean {value:.15g}E{power}?)"
    return ""


def date_meant(value: float | str) -> str:
    """Of what was to be a date: the first day of that year, or how dates are given.

    >>> date_meant(2027), date_meant("Feb 2027"), date_meant(12)
    (' (did you mean 2027-01-01?)', ' (a date is given as 2027-02-01)', '')
    """
    if isinstance(value, str):
        return " (a date is given as 2027-02-01)"
    year = 1900 < value < 2200 and value == int(value)
    return f" (did you mean {value:g}-01-01?)" if year else ""


def share_meant(value: float) -> str:
    """Of a number that was to be a share: the share of so many percent.

    >>> share_meant(45), share_meant(450)
    (' (did you mean 0.45?)', '')
    """
    return f" (did you mean {value / 100:g}?)" if 1 < value <= 100 else ""
