"""Recomputes workbooks: by an embedded engine, or by a spreadsheet program driven from outside."""

from chinchilla_xl.recalc.batch import Failure, recompute_all
from chinchilla_xl.recalc.report import Kept, Report
from chinchilla_xl.recalc.workbook import recompute, recompute_bytes

__all__ = ["Failure", "Kept", "Report", "recompute", "recompute_all", "recompute_bytes"]
