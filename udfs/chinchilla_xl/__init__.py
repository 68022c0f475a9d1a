"""Worksheet functions that size and price language models over their lifetime.

>>> import chinchilla_xl
>>> round(chinchilla_xl.chinchilla_loss(7e9, 2e12), 3)
2.026

The functions take numbers, lists, numpy arrays and pandas objects, and return floats and arrays.
The modules beneath (`laws`, `optimum`, `costs`) hold the mathematics without spreadsheet rules.
"""

from typing import TYPE_CHECKING, Any

from chinchilla_xl.coefficients import Law
from chinchilla_xl.costs import Deployment
from chinchilla_xl.errors import (
    ArgumentError,
    ChinchillaError,
    ExtrapolationWarning,
    WorkbookError,
)
from chinchilla_xl.functions import (
    breakeven_tokens,
    chinchilla_loss,
    chinchilla_opt,
    chinchilla_tokens,
    coeffs,
    compute_overhead,
    effective_tokens,
    fit_coeffs,
    fit_samples,
    kaplan_loss,
    opt_cost,
    opt_flops,
    opt_params,
    opt_plan,
    opt_tokens,
    serve_cost,
    tokens_for_loss,
    train_cost,
)

if TYPE_CHECKING:
    from chinchilla_xl.recalc import recompute, recompute_all
    from chinchilla_xl.recalc.conversion import convert
    from chinchilla_xl.recalc.fill import fill
    from chinchilla_xl.recalc.sweep import sweep

__version__ = "0.1.0"

__all__ = [
    "ArgumentError",
    "ChinchillaError",
    "Deployment",
    "ExtrapolationWarning",
    "Law",
    "WorkbookError",
    "breakeven_tokens",
    "chinchilla_loss",
    "chinchilla_opt",
    "chinchilla_tokens",
    "coeffs",
    "compute_overhead",
    "convert",
    "effective_tokens",
    "fill",
    "fit_coeffs",
    "fit_samples",
    "kaplan_loss",
    "opt_cost",
    "opt_flops",
    "opt_params",
    "opt_plan",
    "opt_tokens",
    "recompute",
    "recompute_all",
    "serve_cost",
    "sweep",
    "tokens_for_loss",
    "train_cost",
]


def __getattr__(name: str) -> Any:
    # These bring the calculation engine: imported when they are first asked for.
    homes = {
        "recompute": "", "recompute_all": "", "fill": ".fill", "sweep": ".sweep",
        "convert": ".conversion",
    }  # fmt: skip
    if name in homes:
        from importlib import import_module

        return getattr(import_module(f"chinchilla_xl.recalc{homes[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
