"""The worksheet functions of chinchilla-xl for xlwings Lite: paste this as the project's main.py."""

from chinchilla_xl.excel import *  # noqa: F403
