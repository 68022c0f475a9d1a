"""Recomputes workbooks without a spreadsheet program."""

from chinchilla_xl.recalc.recompute import Kept, Report, recompute, recompute_bytes

__all__ = ["Kept", "Report", "recompute", "recompute_bytes"]
