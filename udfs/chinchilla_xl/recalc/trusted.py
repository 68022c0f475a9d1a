"""The functions that the embedded engine computes as a spreadsheet does.

Each stands here because tests/test_fidelity.py compares it with LibreOffice (those that LibreOffice
7.4 lacks were compared with a second engine by hand). A formula that calls anything else keeps its
cached value and is reported, so that no unchecked function can put a wrong number into a file.
"""

from __future__ import annotations

SCALAR_FUNCTIONS = frozenset(
    """
    ABS ACOS ACOSH ACOT ADDRESS ARABIC ASIN ASINH ATAN ATAN2 ATANH BASE BETA.DIST
    BETA.INV BIN2DEC BINOM.DIST BITAND BITLSHIFT BITOR BITRSHIFT BITXOR CEILING CEILING.MATH
    CEILING.PRECISE CHAR
    CHISQ.DIST CHISQ.DIST.RT CHISQ.INV CLEAN CODE COLUMN COMBIN COMBINA COMPLEX CONCATENATE
    CONFIDENCE.NORM COS COSH COT CUMIPMT CUMPRINC DATE DATEDIF DATEVALUE DAY DAYS
    DAYS360 DB DDB DEC2BIN DEC2HEX DEC2OCT DECIMAL DEGREES DELTA DOLLAR DOLLARDE DOLLARFR EDATE
    EFFECT EOMONTH ERF ERFC EVEN EXACT EXP EXPON.DIST F.DIST F.INV FACT FACTDOUBLE
    FALSE FIND FISHER FISHERINV FIXED FLOOR FLOOR.MATH
    FLOOR.PRECISE FV GAMMA GAMMA.DIST GAMMA.INV GAMMALN
    GAUSS GCD GESTEP HEX2DEC HOUR HYPGEOM.DIST IFERROR IFNA IFS IMABS INT IPMT ISBLANK ISERR
    ISERROR ISEVEN ISLOGICAL ISNA ISNONTEXT ISNUMBER ISO.CEILING ISODD ISOWEEKNUM ISPMT ISTEXT LCM LEFT LEN LN LOG
    LOG10 LOGNORM.DIST LOGNORM.INV LOWER MID MINUTE MOD MONTH MROUND MULTINOMIAL N NA
    NEGBINOM.DIST NETWORKDAYS NETWORKDAYS.INTL NOMINAL NORM.DIST NORM.INV NORM.S.DIST NORM.S.INV
    NORMDIST NORMINV NORMSDIST NORMSINV NOT NOW NPER NUMBERVALUE OCT2DEC ODD PDURATION PERMUT
    PHI PI PMT POISSON.DIST POWER PPMT PV QUOTIENT RADIANS RATE REPT RIGHT
    ROMAN ROUND ROUNDDOWN ROUNDUP ROW RRI SEARCH SEC SECOND SEQUENCE SIGN SIN SINH SLN SQRT
    SQRTPI STANDARDIZE SUBSTITUTE SWITCH SYD T T.DIST T.DIST.2T T.INV TAN TANH
    TBILLPRICE TEXT TEXTAFTER TEXTBEFORE TIME TODAY TRIM TRUE TRUNC TYPE UNICHAR UNICODE UPPER
    VALUE WEEKDAY WEEKNUM WEIBULL.DIST WORKDAY WORKDAY.INTL YEAR YEARFRAC
    """.split()
)
"""Functions whose every argument is a single value."""

RANGE_FUNCTIONS = frozenset(
    """
    AND AVEDEV AVERAGE AVERAGEA AVERAGEIF AVERAGEIFS CHOOSE CHOOSECOLS CHOOSEROWS COLUMNS CONCAT
    CORREL COUNT COUNTA COUNTBLANK COUNTIF COUNTIFS COVARIANCE.P COVARIANCE.S DEVSQ DROP FILTER
    FORECAST FORECAST.LINEAR GEOMEAN GROWTH HARMEAN HLOOKUP HSTACK INDEX INTERCEPT IRR KURT
    LARGE LINEST LOOKUP MATCH MAX MAXIFS MEDIAN MIN MINIFS MIRR MMULT MODE MODE.SNGL NPV OFFSET OR PEARSON
    PERCENTILE PERCENTILE.EXC PERCENTILE.INC PRODUCT QUARTILE QUARTILE.EXC QUARTILE.INC RANK
    RANK.AVG RANK.EQ ROWS RSQ SERIESSUM SKEW SLOPE SMALL SORT SORTBY STDEV STDEV.P STDEV.S
    STDEVP STEYX SUBTOTAL SUM SUMIF SUMIFS SUMPRODUCT SUMSQ SUMX2MY2 SUMX2PY2 SUMXMY2 TAKE
    TEXTJOIN TOCOL TOROW TRANSPOSE TREND TRIMMEAN UNIQUE VAR VAR.P VAR.S VARP VLOOKUP VSTACK
    XIRR XLOOKUP XMATCH XNPV XOR Z.TEST
    """.split()
)
"""Functions that take whole ranges, at least in one argument."""

LIFTED_FUNCTIONS = frozenset({"IF", "LET"})
"""Functions of single values that an array formula may also give arrays."""

FUNCTIONS = SCALAR_FUNCTIONS | RANGE_FUNCTIONS | LIFTED_FUNCTIONS

ARRAY_FUNCTIONS = frozenset({"SUMPRODUCT"})
"""Functions that compute their arguments as arrays even in a plain formula."""

ARRAY_RESULTS = frozenset(
    """
    CHOOSECOLS CHOOSEROWS DROP FILTER GROWTH HSTACK LINEST MMULT SEQUENCE SORT SORTBY TAKE TOCOL TOROW
    TRANSPOSE TREND UNIQUE VSTACK
    """.split()
)
"""Functions whose result has more cells than one."""

SINGLE_RESULTS = frozenset(
    """
    AND AVERAGE AVERAGEA AVERAGEIF AVERAGEIFS COUNT COUNTA COUNTBLANK COUNTIF COUNTIFS IRR LARGE MAX
    MAXIFS MEDIAN MIN MINIFS NPV OR PRODUCT SMALL STDEV.P STDEV.S SUBTOTAL SUM SUMIF SUMIFS
    SUMPRODUCT SUMSQ VAR.P VAR.S XIRR XNPV
    """.split()
)
"""Functions that give one value, whatever ranges they are given."""

_IFS = frozenset(range(2, 255, 2))

SINGLE_ARGUMENTS: dict[str, frozenset[int]] = {
    "AVERAGEIF": frozenset({1}),
    "AVERAGEIFS": _IFS,
    "CHOOSE": frozenset({0}),
    "COUNTIF": frozenset({1}),
    "COUNTIFS": frozenset(range(1, 255, 2)),
    "FORECAST": frozenset({0}),
    "FORECAST.LINEAR": frozenset({0}),
    "HLOOKUP": frozenset({0, 2, 3}),
    "INDEX": frozenset({1, 2, 3}),
    "IRR": frozenset({1}),
    "LARGE": frozenset({1}),
    "LOOKUP": frozenset({0}),
    "MATCH": frozenset({0, 2}),
    "MAXIFS": _IFS,
    "MINIFS": _IFS,
    "MIRR": frozenset({1, 2}),
    "NPV": frozenset({0}),
    "OFFSET": frozenset({1, 2, 3, 4}),
    "PERCENTILE": frozenset({1}),
    "PERCENTILE.EXC": frozenset({1}),
    "PERCENTILE.INC": frozenset({1}),
    "QUARTILE": frozenset({1}),
    "QUARTILE.EXC": frozenset({1}),
    "QUARTILE.INC": frozenset({1}),
    "RANK": frozenset({0, 2}),
    "RANK.AVG": frozenset({0, 2}),
    "RANK.EQ": frozenset({0, 2}),
    "SMALL": frozenset({1}),
    "SUBTOTAL": frozenset({0}),
    "SUMIF": frozenset({1}),
    "SUMIFS": _IFS,
    "TEXTJOIN": frozenset({0, 1}),
    "TRIMMEAN": frozenset({1}),
    "VLOOKUP": frozenset({0, 2, 3}),
    "XIRR": frozenset({2}),
    "XLOOKUP": frozenset({0, 4, 5}),
    "XMATCH": frozenset({0, 2, 3}),
    "XNPV": frozenset({0}),
    "Z.TEST": frozenset({1, 2}),
}
"""Which arguments, counted from 0, of the range functions are single values all the same."""

EXACT_ARGUMENT: dict[str, tuple[int, tuple[str, ...]]] = {
    "HLOOKUP": (3, ("FALSE", "0")),
    "MATCH": (2, ("0",)),
    "VLOOKUP": (3, ("FALSE", "0")),
    "XLOOKUP": (4, ("", "0")),
    "XMATCH": (2, ("", "0")),
}
"""The argument, and its spellings, with which a lookup is exact."""

LOOKUPS: dict[str, tuple[int, tuple[str, ...]]] = {
    "HLOOKUP": (3, ("TRUE", "1")),
    "LOOKUP": (9, ()),
    "MATCH": (2, ("1", "TRUE", "-1")),
    "VLOOKUP": (3, ("TRUE", "1")),
}
"""The argument, and its spellings, with which a lookup is approximate; so it is without it.

Then values in order are looked through by a callback; on others the answer is the program's own.
"""

NOT_OMITTED = frozenset(
    """
    CEILING CEILING.MATH CEILING.PRECISE FLOOR FLOOR.MATH FLOOR.PRECISE IF ISO.CEILING MMULT
    """.split()
)
"""Functions of which no argument between commas may be left out."""

_NUMBER = r"[#0,]*0(?:\.[0#]+)?%?"
_SECTION = r'\(?[-+]?\$?(?:#,##0|0+)(?:\.0+)?,{0,2}%?x?(?: ?""[^"\\]*"")?\)?'
_DAY = "(?:d{1,4}|m{1,4}|yyyy|yy)"
DATE_FORMAT = rf"{_DAY}(?:[-/., ]*{_DAY})*"

ARGUMENT_FORMS: dict[str, tuple[int, str, str]] = {
    "DATEDIF": (2, '"[ymd]"', "in this unit"),
    "NETWORKDAYS.INTL": (2, "|[0-9]+", "weekends of this form"),
    "SUBTOTAL": (0, "(10)?[1-9]|1?1[01]", "a code that is none of its numbers"),
    "TEXT": (
        1,
        f'"(?:{_NUMBER}|{_SECTION}(?:;{_SECTION}){{0,2}}|{DATE_FORMAT})"',
        "in this format",
    ),
    "WORKDAY.INTL": (2, "|[0-9]+", "weekends of this form"),
}
"""Arguments that must match a pattern for the function to be trusted, and the reason if not."""

MOST_ARGUMENTS = {
    "CEILING": 2,
    "CEILING.PRECISE": 2,
    "DB": 4,
    "DEC2BIN": 1,
    "DEC2HEX": 1,
    "DEC2OCT": 1,
    "FLOOR": 2,
    "FLOOR.PRECISE": 2,
    "ISO.CEILING": 2,
    "TEXTAFTER": 2,
    "TEXTBEFORE": 2,
}

COUNTING = frozenset({"COUNT", "COUNTA", "TYPE"})
"""Functions that pass over errors: an error of the engine's own would not be seen."""

PASSING_ERRORS = frozenset({"AVERAGE", "MAX", "MIN", "SUM"})
"""Functions known to give the error that a computed reference, such as OFFSET, comes to."""

CRITERIA = frozenset("AVERAGEIF AVERAGEIFS COUNTIF COUNTIFS MAXIFS MINIFS SUMIF SUMIFS".split())

GUARDED_ARGUMENTS: dict[str, tuple[str, frozenset[int] | None]] = {
    "CONCAT": ("__TEXT", None),
    "CONCATENATE": ("__TEXT", None),
    "CUMIPMT": ("__PERIODS", frozenset({1, 3, 4})),
    "CUMPRINC": ("__PERIODS", frozenset({1, 3, 4})),
    "DDB": ("__PERIODS", frozenset({2, 3})),
    "EDATE": ("__SERIAL", frozenset({0})),
    "EOMONTH": ("__SERIAL", frozenset({0})),
    "EXACT": ("__TEXT", None),
    "FIND": ("__TEXT_BMP", frozenset({0, 1})),
    "LEFT": ("__TEXT_BMP", frozenset({0})),
    "LEN": ("__TEXT_BMP", None),
    "LOWER": ("__TEXT_ASCII", None),
    "MID": ("__TEXT_BMP", frozenset({0})),
    "REPT": ("__TEXT", frozenset({0})),
    "RIGHT": ("__TEXT_BMP", frozenset({0})),
    "SEARCH": ("__TEXT_ASCII", frozenset({0, 1})),
    "SUBSTITUTE": ("__TEXT_BMP", frozenset({0, 1, 2})),
    "TEXT": ("__NUMBER", frozenset({0})),
    "TEXTAFTER": ("__TEXT_ASCII", None),
    "TEXTBEFORE": ("__TEXT_ASCII", None),
    "TEXTJOIN": ("__TEXT", frozenset({0, *range(2, 255)})),
    "TRIM": ("__TEXT_ASCII", None),
    "UPPER": ("__TEXT_ASCII", None),
}
"""The callback through which arguments pass (None: all of them)."""

_FIRST, _BOTH = frozenset({0}), frozenset({0, 1})

DATE_ARGUMENTS: dict[str, frozenset[int]] = {
    **dict.fromkeys(
        "DAY EDATE EOMONTH ISOWEEKNUM MONTH WEEKDAY WEEKNUM WORKDAY YEAR".split(), _FIRST
    ),
    **dict.fromkeys("DATEDIF DAYS DAYS360 NETWORKDAYS YEARFRAC".split(), _BOTH),
}
"""Arguments that are dates: a text such as "2024-03-01" stands for one, whatever the language."""

REPLACED = {
    "CEILING": "__CEILING",
    "CEILING.MATH": "__CEILING_MATH",
    "CEILING.PRECISE": "__CEILING_MATH",
    "DATE": "__DATE",
    "FLOOR": "__FLOOR",
    "FLOOR.MATH": "__FLOOR_MATH",
    "FLOOR.PRECISE": "__FLOOR_MATH",
    "HSTACK": "__HSTACK",
    "ISO.CEILING": "__CEILING_MATH",
    "MMULT": "__MMULT",
    "MOD": "__MOD",
    "SEQUENCE": "__SEQUENCE",
    "SUBSTITUTE": "__SUBSTITUTE",
    "SUMPRODUCT": "__SUMPRODUCT",
    "VSTACK": "__VSTACK",
}
"""Functions computed by a callback instead."""

OVERFLOWING = frozenset(
    """
    COSH CUMIPMT CUMPRINC DB DDB DEGREES EFFECT FV GAMMA.INV IMABS IPMT LOGNORM.INV NORM.INV
    NORMINV PMT PPMT PRODUCT PV RRI SERIESSUM SINH SLN STANDARDIZE SUMSQ SUMX2MY2 SUMX2PY2 SUMXMY2
    SYD
    """.split()
)
"""Functions that give infinity in the engine where Excel gives an error."""

REASONS = {
    "RAND": "a random number",
    "RANDBETWEEN": "a random number",
    "RANDARRAY": "random numbers",
    "INDIRECT": "a reference built from text",
    "CELL": "it asks about the spreadsheet program",
    "INFO": "it asks about the spreadsheet program",
}
"""Why some well-known functions are not trusted."""
