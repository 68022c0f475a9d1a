"""Models: three sizes that reach the target loss, each the optimum of a price list of its own.

One formula, OPT_PLAN, gives all three: with no demand it is the Chinchilla-style model; with the
demand and a price of 1 for every FLOP, the compute-optimal one (Eq. 3 of arXiv 2401.00448); with
the demand and the selected prices, the cost-optimal one (Eq. 6).
"""

from __future__ import annotations

from chinchilla_xl.workbooks import style
from chinchilla_xl.workbooks.book import Book
from chinchilla_xl.workbooks.budget.inputs import MACHINES
from chinchilla_xl.workbooks.page import Page

MODELS = ("chinchilla_style", "compute_optimal", "cost_optimal")
"""The columns here and on the sheet Results; the names of their cells start so."""

MODEL_TITLES = ("Chinchilla-style", "Compute-optimal", "Cost-optimal")

COLUMNS = (1, 3)

_COUNTS_DEMAND = (0, 1, 1)
_COUNTS_DOLLARS = (0, 0, 1)


def fill(book: Book) -> None:
    """Build the sheet."""
    page = Page(
        book, "Models", (38, 17, 17, 17, 12, 60), about="workings: the sizes of the three models, and what each is the optimum of",
    )  # fmt: skip
    page.title(
        "Models",
        "All three reach the target loss. They differ in what their size accounts for.",
    )
    page.skip()
    page.freeze()
    page.band("What the size accounts for", *MODEL_TITLES, last="How it is computed")
    for key, label, values, note in (
        ("demand", "Counts serving", _COUNTS_DEMAND, "definition of the three models"),
        ("dollars", "Counts dollars instead of FLOPs", _COUNTS_DOLLARS, "definition of the three models"),
    ):  # fmt: skip
        page.fixed(key, label, values, "1 yes, 0 no", note)
    for kind in ("input", "output"):
        page.results(
            kind, f"{kind.capitalize()} tokens", f"={{demand}}*{kind}_tokens", "tokens",
            "lifetime demand where serving counts", style.COUNT,
            [f"{m}_{kind}_tokens" for m in MODELS],
        )  # fmt: skip
    for a in MACHINES[:-1]:
        page.results(
            a.name, a.label, f"=IF({{dollars}}=1,live_{a.name},1)", a.unit,
            "the selected one where dollars count, else 1", a.number_format,
            [f"{m}_{a.name}" for m in MODELS],
        )  # fmt: skip
    data = MACHINES[-1]
    page.results(
        data.name, data.label, f"={{dollars}}*live_{data.name}", data.unit,
        "the selected one where dollars count, else 0", data.number_format,
        [f"{m}_{data.name}" for m in MODELS],
    )  # fmt: skip
    page.skip()
    page.band("Size", *MODEL_TITLES, last="How it is computed")
    machines = f"{{{MACHINES[0].name}}}:{{{data.name}}}"
    plan = f"OPT_PLAN(target_loss,{{input}},{{output}},{machines},coefficients,,,FALSE)"
    rows = (
        ("size", "Model size", f"=INDEX({plan},1,1)", "parameters",
         "first figure of OPT_PLAN: N* of Eqs. 3 and 6", style.COUNT),
        ("data", "Training tokens", "=TOKENS_FOR_LOSS(target_loss,{size},coefficients)", "tokens",
         "TOKENS_FOR_LOSS: Eq. 1 solved for D", style.COUNT),
    )  # fmt: skip
    for key, label, formula, unit, note, number_format in rows:
        page.results(key, label, formula, unit, note, number_format, [f"{m}_{key}" for m in MODELS])
    page.finish()
