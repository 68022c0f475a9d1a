"""The VBA module ChinchillaFunctions, generated from the catalogue.

One stub for each function, by which a cell calls Python; the texts of the function wizard; and the
list of names. A line of VBA has at most 1,023 characters and 24 continuations.
"""

from __future__ import annotations

import textwrap

from chinchilla_xl.functions import FUNCTIONS, WorksheetFunction

CATEGORY = "chinchilla-xl"
"""The functions' category in the function wizard."""

MODULE = "ChinchillaFunctions"
_WIDTH = 100


def functions_module() -> str:
    """The source of the module, as VBA's editor exports it."""
    head = f"""Attribute VB_Name = "{MODULE}"
Option Explicit
' Generated from the catalogue of chinchilla-xl; changes here are lost.
"""
    parts = [head, *map(stub, FUNCTIONS), _names(), _describe_all(), *map(_describe, FUNCTIONS)]
    return "\n".join(parts)


def stub(function: WorksheetFunction) -> str:
    """The VBA function that a cell calls; what may be left out is optional."""
    parameters = ", ".join(
        f"{'' if number < function.required else 'Optional '}{p.name} As Variant"
        for number, p in enumerate(function.parameters)
    )
    arguments = ", ".join(f"Argument({p.name})" for p in function.parameters)
    return (
        _statement(f"Public Function {function.name}({parameters}) As Variant", "")
        + _statement(
            f"{function.name} = CallPython({_text(function.name)}, Array({arguments}))", "    "
        )
        + "End Function\n"
    )


def _statement(code: str, indent: str) -> str:
    """A statement in lines of reasonable length; texts in it hold no blanks, so none is cut."""
    lines = textwrap.wrap(
        code, _WIDTH, initial_indent=indent, subsequent_indent=indent + "    ",
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip
    return " _\n".join(lines) + "\n"


def _text(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def _names() -> str:
    names = ", ".join(_text(f.name) for f in FUNCTIONS)
    return (
        "Public Function FunctionNames() As Variant\n"
        + _statement(f"FunctionNames = Array({names})", "    ")
        + "End Function\n"
    )


def _describe_all() -> str:
    calls = "".join(f"    Describe_{f.name}\n" for f in FUNCTIONS)
    return f"""Public Sub DescribeFunctions()
    On Error Resume Next ' without its texts a function still computes
{calls}    On Error GoTo 0
End Sub
"""


def _describe(function: WorksheetFunction) -> str:
    last = len(function.parameters) - 1
    texts = "".join(
        f"    texts({number}) = {_text(p.text)}\n" for number, p in enumerate(function.parameters)
    )
    macro = _text(function.name)
    return f"""Private Sub Describe_{function.name}()
    Dim texts(0 To {last}) As String
{texts}    Application.MacroOptions Macro:="'" & ThisWorkbook.Name & "'!" & {macro}, _
        Description:={_text(function.summary)}, _
        Category:={_text(CATEGORY)}, _
        ArgumentDescriptions:=texts
End Sub
"""
