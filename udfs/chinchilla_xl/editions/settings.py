"""The steps that read `coeffs` and `deployment`, in every form that functions.settings reads.

Sets, labels, defaults and domains come from `coefficients` and `costs`. OMITTED(x) stands for the
question whether the caller left the argument out: ISOMITTED in a LAMBDA, an answer in a cell.
"""

from __future__ import annotations

from decimal import Decimal

from chinchilla_xl.coefficients import DEFAULT_SET, NAMES, published
from chinchilla_xl.costs import ASSUMPTIONS, FRACTION, SECONDS_PER_HOUR, Assumption
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


def blank(argument: str) -> str:
    """Whether an argument was left out or is one blank cell."""
    return f"IF(OMITTED({argument}), TRUE, IF({size(argument)} > 1, FALSE, ISBLANK({argument})))"


def unfit(cell: str) -> str:
    """0 for a number, else the error it gives: #N/A for a blank, its own for an error, #VALUE!."""
    return f"IF(ISNUMBER({cell}), 0, IF(ISBLANK({cell}), #N/A, IF(ISERROR({cell}), {cell}, #VALUE!)))"


def _coefficient(i: int, name: str) -> str:
    labels = "INDEX(coeffs, 0, 1)"
    return (
        f"{name} = CHOOSE(law_form, INDEX({_OF_SETS[name]}, law_set), "
        f'INDEX(coeffs, XMATCH("{name}", {labels}), 2), '
        f"INDEX(coeffs, 0, {i}), INDEX(coeffs, {i}, 1))\n"
    )


COEFFS = steps(
    f"""
law_omitted = {blank("coeffs")}
law_cells = IF(law_omitted, 1, {size("coeffs")})
# 1: a set's name, 2: FIT_COEFFS' table, 3: rows of five, 4: a column of five
law_form = IF(law_omitted, 1,
    IF(law_cells = 1, IF(ISTEXT(coeffs), 1, IF(ISERROR(coeffs), coeffs, #VALUE!)),
    IF(COLUMNS(coeffs) = 1, IF(law_cells = 5, 4, #VALUE!),
    IF(COUNT(XMATCH({constant([[text(name)] for name in NAMES])}, INDEX(coeffs, 0, 1))) = 5, 2,
    IF(COLUMNS(coeffs) = 5, 3, #VALUE!)))))
law_set = IF(law_omitted, 1,
    IF(law_form = 1, IFERROR(XMATCH(TRIM(coeffs), {SET_NAMES}), #VALUE!), 1))
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


def _value(i: int, a: Assumption) -> str:
    default, place = number(a.default), f"XMATCH({i}, label_place)"
    listed, labelled = f"INDEX(deployment, {i})", f"INDEX(deployment, {place}, 2)"
    if not a.optional:
        return f"{a.field} = CHOOSE(machines, {default}, {listed}, {labelled})\n"
    return (
        f"{a.field}_cell = CHOOSE(machines, {default}, IF(machine_cells < {i}, {default}, {listed}), "
        f"IF(ISNUMBER({place}), {labelled}, {default}))\n"
        f"{a.field} = IF(ISBLANK({a.field}_cell), {default}, {a.field}_cell)\n"
    )


def _usable(a: Assumption) -> str:
    x = a.field
    rule = {FRACTION: f"({x} > 0) * ({x} <= 1)", NON_NEGATIVE: f"({x} >= 0)"}
    return f"ISNUMBER({x}) * {rule.get(a.domain, f'({x} > 0)')}"


_REQUIRED = sum(not a.optional for a in ASSUMPTIONS)
_LABELS = constant([[text(a.label.lower())] for a in ASSUMPTIONS])
_PLACES = constant([[str(i)] for i in range(1, len(ASSUMPTIONS) + 1)])
_REQUIRED_PLACES = constant([[str(i)] for i in range(1, _REQUIRED + 1)])

PRICES = steps(
    f"""
training_flop_price = train_price / ({SECONDS_PER_HOUR} * train_peak * train_mfu)
serving_peak_price = serve_price / ({SECONDS_PER_HOUR} * serve_peak)
"""
)

DEPLOYMENT = {
    **steps(
        f"""
machine_omitted = {blank("deployment")}
machine_cells = IF(machine_omitted, 1, {size("deployment")})
# 1: the defaults, 2: the numbers in order, 3: labels and values
machines = IF(machine_omitted, 1,
    IF(machine_cells = 1, IF(ISERROR(deployment), deployment, #VALUE!),
    IF((machine_cells = MAX(ROWS(deployment), COLUMNS(deployment)))
        * (machine_cells >= {_REQUIRED}) * (machine_cells <= {len(ASSUMPTIONS)}), 2,
    IF(COLUMNS(deployment) = 2, 3, #VALUE!))))
# The place of each row's label among the assumptions; "$/h" and "$/token" are prices too.
label_place = IF(machines = 3, XMATCH(TRIM(SUBSTITUTE(SUBSTITUTE(SUBSTITUTE(
    LOWER(INDEX(deployment, 0, 1)), "$/h", "price"), "$/token", "price"), ":", " ")), {_LABELS}), 0)
unknown_labels = IF(machines = 3, SUM(IF(ISNUMBER(label_place), 0,
    IF(ISBLANK(INDEX(deployment, 0, 1)) * ISBLANK(INDEX(deployment, 0, 2)), 0,
    IF(ISERROR(INDEX(deployment, 0, 1)), INDEX(deployment, 0, 1), 1)))), 0)
# Every label once, all that are required, no other.
labels_whole = IF(machines = 3, (unknown_labels = 0)
    * (COUNT(XMATCH({_REQUIRED_PLACES}, label_place)) = {_REQUIRED})
    * (COUNT(label_place) = COUNT(XMATCH({_PLACES}, label_place))), 1)
"""
        + "".join(_value(i, a) for i, a in enumerate(ASSUMPTIONS, 1))
        + f"""
machine_sum = {" + ".join(a.field for a in ASSUMPTIONS)}
machine_error = IF(labels_whole, IF(ISERROR(machine_sum), machine_sum,
    IF({" * ".join(map(_usable, ASSUMPTIONS))}, 0, #VALUE!)), #VALUE!)
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
    return f"IF({blank(name)}, {UNBOUNDED}, {name})"


HEADER = steps(
    f"""
header_shown = IF({blank("header")}, TRUE,
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
answer = IF({blank("name")}, {_LIST}, IF(ISTEXT(name),
    IFERROR(INDEX({_ALL_SETS}, XMATCH(TRIM(name), {SET_NAMES}), 0), #VALUE!),
    IF(ISERROR(name), name, #VALUE!)))
"""
)
DEFAULT_SETS: Steps = {"answer": _LIST}
