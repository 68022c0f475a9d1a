"""The look that all workbooks share: number formats and colours."""

from __future__ import annotations

from typing import Any

COUNT = '[>=1E+12]#,##0.00,,,,"T";[>=1E+9]#,##0.00,,,"B";#,##0.0,,"M"'
DOLLARS = '[>=1E+6]$#,##0.00,,"M";[>=1E+3]$#,##0.0,"K";$#,##0'
SIGNED_DOLLARS = '[>=1E+6]$#,##0.0,,"M";[<=-1E+6]-$#,##0.0,,"M";$#,##0'
AXIS_DOLLARS = '[>=1E+6]$#,##0,,"M";[>=1E+3]$#,##0,"K";$#,##0'
PRICE = "$0.00"
SCIENTIFIC = "0.00E+00"
WHOLE = "#,##0"
PERCENT = "0.0%"
MFU = "0.00%"
RATIO = "#,##0.0"
LOSS = "0.0000"
FACTOR = "0.00"
MONTH = "mmm yyyy"
PLAIN = "General"

INK = {"font_name": "Calibri", "font_size": 10, "valign": "vcenter"}
BLUE = "#0000FF"
GREEN = "#00703C"
GREY = "#595959"
INPUT_FILL = "#FFF9E5"
FIXED_FILL = "#F2F2F2"
BAND = "#1F3864"
SERIES = ("#1F3864", "#2F75B5", "#F4B183", "#548235", "#7F7F7F", "#BF9000")
"""Colours of a chart's series, in this order."""

LINES = (
    "#1F3864", "#C55A11", "#548235", "#7030A0", "#2F75B5", "#BF9000", "#833C0C", "#525252",
    "#00B0A0", "#FF6699",
)  # fmt: skip
"""Colours of up to ten thin lines that must be told apart."""

INPUT: dict[str, Any] = {
    "font_color": BLUE, "bg_color": INPUT_FILL, "border": 1, "align": "right", "locked": False,
}  # fmt: skip
FIXED: dict[str, Any] = {"bg_color": FIXED_FILL, "border": 1, "align": "right"}

LEGEND = (
    ("Blue on yellow", "an input, to be edited: the only cells that are not protected", {**INPUT, "locked": True}),
    ("Black", "a formula", {"align": "right"}),
    ("Green", "a link: the value of a cell on another sheet", {"font_color": GREEN, "align": "right"}),
    ("Black on grey", "a published figure or a constant, not to be edited", FIXED),
)  # fmt: skip
