"""What a spreadsheet allows in a formula: its size, its names, the functions that it has.

Limits of Excel: support.microsoft.com, "Excel specifications and limits" (8,192 characters, 64
levels of nesting, 255 arguments) and "Names in formulas"; the same page of a function says in which
Excel it first came. LibreOffice: release notes of 24.8 for LET and its kin. Google Sheets: its
function list, support.google.com/docs/table/25273.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from openpyxl.formula import Tokenizer
from openpyxl.formula.tokenizer import Token

LENGTH, NESTING, ARGUMENTS, COMMENT = 8192, 64, 255, 255

PAIRS = 126
"""Names that one LET may give (Excel's page on LET; LibreOffice gives #VALUE! beyond)."""

EVERYWHERE = frozenset(
    """
    ABS AND ATANH CHOOSE COLUMN COLUMNS COUNT COUNTA COUNTIF ERROR.TYPE EXACT EXP FALSE FIND IF IFERROR INDEX
    INT ISBLANK ISERR ISERROR ISLOGICAL ISNA ISNUMBER ISTEXT LEFT LEN LN LOWER MATCH MAX MID MIN MMULT MOD N
    NA NOT OR POWER PRODUCT RIGHT ROUND ROW ROWS SIGN SINH SQRT SUBSTITUTE SUM SUMIF SUMPRODUCT T TANH
    TRANSPOSE TRIM TRUE TYPE UPPER VALUE
    """.split()
)
"""In Excel since 2007 or before, in LibreOffice and in Google Sheets; stored without a prefix."""

SINCE_2021 = frozenset(
    "IFNA XOR IFS SWITCH CONCAT TEXTJOIN LET FILTER SEQUENCE SORT SORTBY UNIQUE XLOOKUP XMATCH".split()
)
"""In Excel 2021 (LET and its kin) or before, LibreOffice 24.8 and Google Sheets; stored as _xlfn.X."""

SINCE_2024 = frozenset(
    """
    LAMBDA ISOMITTED MAP REDUCE SCAN BYROW BYCOL MAKEARRAY VSTACK HSTACK TAKE DROP CHOOSEROWS CHOOSECOLS
    TOCOL TOROW WRAPROWS WRAPCOLS EXPAND
    """.split()
)
"""In Excel 2024 and 365; stored as _xlfn.X."""

SHEETS_TOO = frozenset({"FILTER", "SORT"})
"""Names that older Google documents knew: stored as _xlfn._xlws.X."""

_A1 = re.compile(r"\$?[A-Za-z]{1,3}\$?\d+\Z")
_R1C1 = re.compile(r"(?:[Rr]\d*)?(?:[Cc]\d*)?\Z")


@dataclass
class Formula:
    """What a stored formula is made of."""

    text: str
    functions: list[str] = field(default_factory=list)
    """As they are stored."""
    nesting: int = 0
    arguments: int = 0
    """Most arguments of one function."""
    declared: list[list[str]] = field(default_factory=list)
    """The names that each LET and LAMBDA gives, without their prefix."""
    used: set[str] = field(default_factory=set)

    @property
    def shown(self) -> str:
        """As Excel shows it, which is what its limit is about."""
        return re.sub(r"_xlfn\.(?:_xlws\.)?|_xlpm\.|_xlop\.", "", self.text)


def read(text: str) -> Formula:
    """A formula's parts, by openpyxl's tokenizer, which knows nothing of LAMBDA."""
    formula = Formula(text)
    open_calls: list[tuple[str, list[list[Token]]]] = [("", [[]])]  # "" is a parenthesis
    for token in _operands_whole(Tokenizer("=" + text.removeprefix("=")).items):
        if token.subtype == Token.OPEN:
            open_calls.append((token.value[:-1], [[]]))
            formula.nesting = max(formula.nesting, sum(name != "" for name, _ in open_calls))
        elif token.subtype == Token.CLOSE:
            function, arguments = open_calls.pop()
            if function:
                formula.functions.append(function)
                formula.arguments = max(formula.arguments, len(arguments))
                formula.declared.append(list(_declared(function, arguments)))
            open_calls[-1][1][-1].append(token)
        elif token.type == Token.SEP and token.subtype == Token.ARG:
            open_calls[-1][1].append([])
        else:
            if token.value.startswith("_xlpm."):
                formula.used.add(token.value.removeprefix("_xlpm."))
            open_calls[-1][1][-1].append(token)
    return formula


def _operands_whole(tokens: Sequence[Token]) -> Iterator[Token]:
    """The tokens that matter, {1,2;3,4} as one of them."""
    inside = 0
    for token in tokens:
        if token.type in (Token.ARRAY, "ARRAYROW"):
            inside += 1 if token.subtype == Token.OPEN else -1
            if not inside:
                yield Token("{}", Token.OPERAND, Token.RANGE)
        elif not inside and token.type != Token.WSPACE:
            yield token


def _declared(function: str, arguments: Sequence[list[Token]]) -> Iterator[str]:
    """The names that a LET (every other argument but the last) or a LAMBDA (all but it) gives."""
    step = {"_xlfn.LET": 2, "_xlfn.LAMBDA": 1}.get(function)
    if step is None:
        return
    for argument in arguments[:-1:step]:
        [name] = [token.value for token in argument]
        prefix, _, plain = name.partition(".")
        assert prefix in ("_xlpm", "_xlop"), f"{name} is declared without its prefix"
        assert prefix == "_xlpm" or step == 1, f"{name}: only a LAMBDA has optional parameters"
        yield plain


def may_be_a_reference(name: str) -> bool:
    """Whether A1 or R1C1 could mean it, in the widest reading (Calc's and later Excels' columns)."""
    return bool(_A1.match(name) or _R1C1.match(name))


def stored(function: str) -> str:
    """How a function's name stands in a file."""
    if function in SHEETS_TOO:
        return "_xlfn._xlws." + function
    return function if function in EVERYWHERE else "_xlfn." + function
