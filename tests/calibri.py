"""How wide a text is in Calibri, the font of the templates, so that what is cut off is found.

The widths are those of Carlito, which has Calibri's by design (github.com/googlefonts/carlito).
"""

from __future__ import annotations

UNITS = 2048
"""Of a width below, to the size of the font."""

# From the blank to the tilde, in the order of ASCII.
WIDTHS = (
    463, 667, 821, 1020, 1038, 1464, 1397, 452, 621, 621, 1020, 1020, 511, 627, 517, 791,
    1038, 1038, 1038, 1038, 1038, 1038, 1038, 1038, 1038, 1038, 548, 548, 1020, 1020, 1020, 949,
    1831, 1185, 1114, 1092, 1260, 1000, 941, 1292, 1276, 516, 653, 1064, 861, 1751, 1322, 1356,
    1058, 1378, 1112, 941, 998, 1314, 1162, 1822, 1063, 998, 959, 628, 791, 628, 1020, 1020,
    596, 981, 1076, 866, 1076, 1019, 625, 964, 1076, 470, 490, 931, 470, 1636, 1076, 1080,
    1076, 1076, 714, 801, 686, 1076, 925, 1464, 887, 927, 809, 644, 943, 644, 1020,
)  # fmt: skip
_BOLD = 1.03
"""Of the bold face to the plain one, on average."""


def pixels(text: str, points: float, *, bold: bool = False) -> float:
    """The width of a text on a screen of 96 pixels an inch."""
    units = sum(WIDTHS[ord(c) - 32] if " " <= c <= "~" else max(WIDTHS) for c in text)
    return units / UNITS * points * 96 / 72 * (_BOLD if bold else 1)


def lines(text: str, points: float, room: float, *, bold: bool = False) -> int:
    """How many lines a text takes that is wrapped between words in so many pixels."""
    count, used = 1, 0.0
    for word in text.split():
        width = pixels(word, points, bold=bold)
        if used and used + width > room:
            count, used = count + 1, 0.0
        used += width + pixels(" ", points, bold=bold)
    return count
