"""The steps that read `coeffs` and `deployment`, in every form that functions.settings reads.

Sets, labels, defaults and domains come from `coefficients` and `costs`. OMITTED(x) stands for the
question whether the caller left the argument out: ISOMITTED in a LAMBDA, an answer in a cell.
"""

from __future__ import annotations

from decimal import Decimal

from chinchilla_xl.coefficients import DEFAULT_SET, NAMES, published
from chinchilla_xl.costs import ASSUMPTIONS, FRACTION, SECONDS_PER_HOUR
from chinchilla_xl.editions.language import Steps, steps
from chinchilla_xl.elementwise import NON_NEGATIVE


def number(value: float) -> str:
    """A number as a formula writes it: every digit, no sign in the exponent."""
    plain, scientific = repr(value).removesuffix(".0"), f"{Decimal(repr(value)).normalize():E}"
    return min(plain, scientific.replace("E+", "E"), key=len)


def text(value: str) -> str:
    """A text as a formula writes it."""
    return '"' + value.replace('"', '""') + '"'


def constant(rows: list[list[str]]) -> str:
    """An array constant."""
    return "{" + ";".join(",".join(row) for row in rows) + "}"


SET_NAMES = constant([[text(name)] for name in published()])

# One coefficient of every set, in the order of SET_NAMES.
_OF_SETS = {c: constant([[number(getattr(s.law, c))] for s in published().values()]) for c in NAMES}


def rows(name: str) -> str:
    """How many rows; LibreOffice refuses to count those of a number that is in no cell."""
    return f"IFERROR(ROWS({name}), 1)"


def columns(name: str) -> str:
    """How many columns."""
    return f"IFERROR(COLUMNS({name}), 1)"


def size(name: str) -> str:
    """How many cells."""
    return f"IFERROR(ROWS({name}) * COLUMNS({name}), 1)"


def cells(argument: str) -> str:
    """How many cells an optional argument holds: 0 if it was left out or is one blank cell."""
    many = f"ROWS({argument}) * COLUMNS({argument})"
    return f"IF(OMITTED({argument}), 0, IF({size(argument)} > 1, {many}, 1 - ISBLANK({argument})))"


def unfit(cell: str) -> str:
    """0 for a number, else the error it gives: #N/A for a blank, its own for an error, #VALUE!."""
    return (
        f"IF(ISNUMBER({cell}), 0, IF(ISBLANK({cell}), #N/A, IF(ISERROR({cell}), {cell}, #VALUE!)))"
    )


def _coefficient(i: int, name: str) -> str:
    return (
        f"{name} = CHOOSE(law_form, INDEX({_OF_SETS[name]}, law_set), "
        f"INDEX(coeffs, INDEX(law_rows, {i}), law_column), INDEX(coeffs, 0, {i}))\n"
    )


COEFFS = steps(
    f"""
law_cells = {cells("coeffs")}
# Where a table or a column holds the five; FIT_COEFFS' table is known by its labels.
law_rows = IF(law_cells < 6, {{1;2;3;4;5}},
    XMATCH({constant([[text(name)] for name in NAMES])}, INDEX(coeffs, 0, 1)))
law_column = IF(law_cells < 2, 1, MIN(2, COLUMNS(coeffs)))
# 1: a set's name, 2: a table or a column, 3: rows of five
law_form = IF(law_cells < 2, 1,
    IF(IF(COLUMNS(coeffs) = 1, law_cells = 5, (law_cells > 5) * (COUNT(law_rows) = 5)), 2,
    IF(COLUMNS(coeffs) = 5, 3, #VALUE!)))
law_set = IF(law_cells <> 1, 1, IF(ISERROR(coeffs), coeffs,
    IFERROR(XMATCH(TRIM(coeffs), {SET_NAMES}), #VALUE!)))
"""
    + "".join(_coefficient(i, name) for i, name in enumerate(NAMES, 1))
    + f"""
law_sum = {" + ".join(NAMES)}
# An impossible law spoils a whole result, or its own row of many.
law_error = IF(ISERROR(law_sum), law_sum,
    IF({" * ".join(f"ISNUMBER({name})" for name in NAMES)},
    IF((A > 0) * (B > 0) * (E >= 0) * (alpha > 0) * (beta > 0), 0,
    IF({rows("A")} = 1, #VALUE!, #NUM!)),
    IF({" + ".join(f"ISBLANK({name})" for name in NAMES)}, #N/A, #VALUE!)))
"""
)

assert next(iter(published())) == DEFAULT_SET, "a law left out is the first of the sets"

DEFAULT_COEFFS: Steps = {
    **{name: number(getattr(published()[DEFAULT_SET].law, name)) for name in NAMES},
    "law_error": "0",
}
"""The steps for a cell that leaves `coeffs` out."""


_REQUIRED = sum(not a.optional for a in ASSUMPTIONS)
_LABELS = constant([[text(a.label.lower())] for a in ASSUMPTIONS])
_PLACES = constant([[str(i)] for i in range(1, len(ASSUMPTIONS) + 1)])
_SEC_6 = constant([[number(a.default)] for a in ASSUMPTIONS])

assert [a.optional for a in ASSUMPTIONS] == [False] * _REQUIRED + [True], "the last may be missing"
assert ASSUMPTIONS[-1].default == 0, "nothing and a blank stand for the last one's default"

PRICES = steps(
    f"""
flop_price = train_price / ({SECONDS_PER_HOUR} * train_peak * train_mfu)
serving_price = serve_price / ({SECONDS_PER_HOUR} * serve_peak)
"""
)

_MFUS = ", ".join(a.field for a in ASSUMPTIONS if a.domain is FRACTION)
_ABOVE_0 = ", ".join(a.field for a in ASSUMPTIONS if a.domain is not NON_NEGATIVE)

DEPLOYMENT = {
    **steps(
        f"""
machine_cells = {cells("deployment")}
# 1: the defaults, 2: the numbers in order, 3: labels and values
given_as = IF(machine_cells = 0, 1,
    IF(machine_cells = 1, IF(ISERROR(deployment), deployment, #VALUE!),
    IF((machine_cells = MAX(ROWS(deployment), COLUMNS(deployment)))
        * ({_REQUIRED} <= machine_cells) * (machine_cells <= {len(ASSUMPTIONS)}), 2,
    IF(COLUMNS(deployment) = 2, 3, #VALUE!))))
# The place of each row's label among the assumptions; "$/h" and "$/token" are prices too.
labels = IF(given_as = 3, INDEX(deployment, 0, 1), "")
place = XMATCH(TRIM(SUBSTITUTE(SUBSTITUTE(SUBSTITUTE(LOWER(labels), "$/h", "price"),
    "$/token", "price"), ":", " ")), {_LABELS})
# No label twice, none unknown but in a row that is blank. (What lacks becomes 0, which no rule takes.)
stray = IF(given_as = 3, COUNT(place) - COUNT(XMATCH({_PLACES}, place))
    + SUM(IF(ISERROR(labels), labels, IF(ISNUMBER(place), 0,
    1 - ISBLANK(labels) * ISBLANK(INDEX(deployment, 0, 2))))), 0)
machines = CHOOSE(given_as, {_SEC_6}, deployment,
    XLOOKUP({_PLACES}, place, INDEX(deployment, 0, 2), 0))
rates = machines + 0
"""
        + "".join(f"{a.field} = INDEX(rates, {i})\n" for i, a in enumerate(ASSUMPTIONS[:-1], 1))
        + f"""
{ASSUMPTIONS[-1].field} = IF(machine_cells = {_REQUIRED}, 0, INDEX(rates, {len(ASSUMPTIONS)}))
machine_error = IF(ISERROR(SUM(rates)), SUM(rates),
    IF((stray = 0) * (SUM(ISTEXT(machines) + ISLOGICAL(machines)) = 0)
    * (MIN({_ABOVE_0}) > 0) * ({ASSUMPTIONS[-1].field} >= 0) * (MAX({_MFUS}) <= 1), 0, #VALUE!))
"""
    ),
    **PRICES,
}

DEFAULT_DEPLOYMENT: Steps = {
    **{a.field: number(a.default) for a in ASSUMPTIONS},
    "machine_error": "0",
    **PRICES,
}
"""The steps for a cell that leaves `deployment` out."""

# --- The other optional arguments ---

UNBOUNDED = "9.99E307"


def bound(name: str) -> str:
    """The step that reads a bound: nothing is above one left out."""
    return f"IF({cells(name)} = 0, {UNBOUNDED}, {name})"


HEADER = steps(
    f"""
header_shown = IF({cells("header")} = 0, TRUE,
    IF(ISERROR(header), header, IF(ISLOGICAL(header), header, #VALUE!)))
"""
)
DEFAULT_HEADER: Steps = {"header_shown": "TRUE"}

_LIST = constant(
    [
        [text(title) for title in ("set", *NAMES, "source")],
        *(
            [text(s.name), *(number(getattr(s.law, c)) for c in NAMES), text(s.source)]
            for s in published().values()
        ),
    ]
)
_ALL_SETS = constant([[number(getattr(s.law, c)) for c in NAMES] for s in published().values()])

SETS = steps(
    f"""
answer = IF({cells("name")} = 0, {_LIST}, IF(ISTEXT(name),
    IFERROR(INDEX({_ALL_SETS}, XMATCH(TRIM(name), {SET_NAMES}), 0), #VALUE!),
    IF(ISERROR(name), name, #VALUE!)))
"""
)
DEFAULT_SETS: Steps = {"answer": _LIST}
