"""The fit workbook: coefficients fitted to pasted training runs, live, and a budget from them.

``runs`` has the table of runs and their residuals, ``fit`` the coefficients, ``budget`` the inputs and
the budget from the fitted law, ``draws`` its distribution over bootstrap draws of the fit.
"""

from __future__ import annotations

from typing import Any

from chinchilla_xl.workbooks.fitting import budget, draws, fit, runs
from chinchilla_xl.workbooks.standard import Words, framed

WORDS = Words(
    title="Scaling law of your own runs, and a budget from it",
    purpose=(
        "Paste training runs (parameters, tokens, final loss): the law is fitted to them, live, with intervals and diagnostics.",
        "The budget for a target loss and a demand follows from the fitted law, with its distribution over bootstrap draws of the fit.",
        "The runs that stand here are synthetic placeholders: replace them with your own.",
    ),
    steps=(
        "On Runs, paste up to 200 runs over the blue cells from the first row on, and clear the rows that are left over. No gaps.",
        "On Fit, read the verdict and the warnings before any coefficient.",
        "On Inputs, set the target loss, the demand and the GPUs.",
        "On Budget, see the cost and its distribution: a wide one means that the runs do not settle the question.",
        "Look at the master check below each title.",
    ),
    log=(
        (
            "Fit",
            "arXiv 2401.00448 (Sardana et al. 2024), Eq. 4",
            "2024-07-18; after Approach 3 of arXiv 2203.15556",
        ),
        ("Costs", "arXiv 2401.00448, Eq. 6 and Sec. 6", "2024-07-18; prices and MFUs"),
        (
            "Runs",
            "synthetic placeholders",
            "grid of the paper's Table 4, losses of its default law with 0.5% noise",
        ),
    ),
    notes=(
        "Fit: the sum over the runs of the Huber loss (delta 1e-3) of the log residual is minimised; intervals are percentiles of bootstrap draws with a",
        "fixed seed, so that the same runs give the same figures. Rows that are blank in all three columns below the last run are left out.",
        "Distribution: each draw is the law fitted to as many runs drawn with replacement. A draw whose E is not below the target loss cannot reach it:",
        "it counts as dearer than any other, so that a percentile says out of reach if too few draws reach the loss.",
    ),
)


def build(target: Any, host: str) -> None:
    """Write the fit workbook, without computed values, to a path or a file object."""
    with framed(target, host, WORDS) as book:
        budget.fill_inputs(book)
        runs_page, rows = runs.fill(book)
        fit.fill(book, runs_page, rows)
        draws.fill(book)
        budget.fill(book)
