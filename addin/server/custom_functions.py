"""The functions that xlwings Server offers to Excel: those of chinchilla-xl."""

from chinchilla_xl.excel import *  # noqa: F403
