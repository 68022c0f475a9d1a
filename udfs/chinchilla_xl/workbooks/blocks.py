"""Blocks of rows that several templates have: the law, a request, the machines, factors of FLOPs."""

from __future__ import annotations

from typing import NamedTuple

from chinchilla_xl.coefficients import DEFAULT_SET, NAMES, published
from chinchilla_xl.costs import ASSUMPTIONS, Assumption
from chinchilla_xl.elementwise import NON_NEGATIVE
from chinchilla_xl.workbooks import rules, style
from chinchilla_xl.workbooks.page import Page
from chinchilla_xl.workbooks.rules import Rule

_FORMATS = {"$/h": style.PRICE, "fraction": style.MFU}
"""Number formats of a deployment's numbers by their unit."""

_RULES: dict[str, Rule] = {
    "$/h": rules.GPU_PRICE, "FLOP/s": rules.GPU_PEAK, "op/s": rules.GPU_PEAK, "$/token": rules.TOKEN_PRICE,
}  # fmt: skip
"""What they may be in a template, where the functions take any positive number."""


class Input(NamedTuple):
    """An input as `Page.input` takes it."""

    name: str
    label: str
    value: float | str
    unit: str
    source: str
    number_format: str
    rule: Rule


REQUEST = (
    Input("input_tokens_per_request", "Input tokens a request", 70, "tokens",
          "arXiv 2401.00448, Sec. 6", style.WHOLE, NON_NEGATIVE),
    Input("output_tokens_per_request", "Output tokens a request", 145, "tokens",
          "arXiv 2401.00448, Sec. 6, with 215 tokens as the whole request (see Sources)", style.WHOLE, NON_NEGATIVE),
)  # fmt: skip


def _assumed(a: Assumption) -> Input:
    """Training GPU price, under the name training_GPU_price."""
    label = a.label[0].upper() + a.label[1:]
    number_format = _FORMATS.get(a.unit, style.SCIENTIFIC)
    rule = _RULES.get(a.unit, a.domain)
    return Input(a.label.replace(" ", "_"), label, a.default, a.unit, a.source, number_format, rule)


MACHINES = tuple(_assumed(a) for a in ASSUMPTIONS if not a.optional)
"""The numbers of a deployment, in the order that the functions expect."""

DATA_PRICE = _assumed(ASSUMPTIONS[-1])
"""The last of them, which may be left out."""


def law(page: Page) -> None:
    """The choice of a published coefficient set, and its five numbers under {coefficients}."""
    page.input(
        "coefficient_set", "Coefficient set of the scaling law", DEFAULT_SET, "choice",
        "see Sources; losses of different sets cannot be compared", style.PLAIN,
        tuple(published()),
    )  # fmt: skip
    page.name_cells("coefficients", (page.row, page.row + len(NAMES) - 1), 1)
    for name in NAMES:
        page.results(
            name, name,
            "=INDEX(coefficient_table,MATCH(coefficient_set,coefficient_sets,0),"
            f"MATCH($A{page.row + 1},coefficient_names,0))",
            "coefficient", "of L = E + A/N^alpha + B/D^beta (Eq. 1); from Sources", style.PLAIN,
            [f"coefficient_{name}"],
        )  # fmt: skip


def request(page: Page) -> None:
    """Input and output tokens a request."""
    for given in REQUEST:
        page.input(*given)


def machines(page: Page) -> None:
    """Prices, peaks and MFUs, each an input, and all together under {deployment}."""
    first = page.row
    for given in MACHINES:
        page.input(*given)
    page.name_cells("deployment", (first, page.row - 1), (0, 1))


def flops_factors(page: Page) -> None:
    """FLOPs per parameter and token, of training and of inference."""
    page.constant(
        "training_flops_factor", "Training FLOPs per parameter and token", 6, "FLOPs",
        "forward and backward pass, 6 N D (arXiv 2401.00448, Eq. 3)", style.WHOLE,
    )  # fmt: skip
    page.constant(
        "inference_flops_factor", "Inference FLOPs per parameter and token", 2, "FLOPs",
        "forward pass, 2 N D_inf (arXiv 2401.00448, Eq. 3)", style.WHOLE,
    )  # fmt: skip
