"""The worksheet functions: the catalogue and the rules that every host shares."""

from chinchilla_xl.functions.catalogue import (
    breakeven_tokens,
    chinchilla_loss,
    chinchilla_opt,
    chinchilla_tokens,
    coeffs,
    compute_overhead,
    effective_tokens,
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
from chinchilla_xl.functions.cells import CellError
from chinchilla_xl.functions.fitting import fit_coeffs, fit_samples
from chinchilla_xl.functions.worksheet import FUNCTIONS, WorksheetFunction

__all__ = [
    "FUNCTIONS",
    "CellError",
    "WorksheetFunction",
    "breakeven_tokens",
    "chinchilla_loss",
    "chinchilla_opt",
    "chinchilla_tokens",
    "coeffs",
    "compute_overhead",
    "effective_tokens",
    "fit_coeffs",
    "fit_samples",
    "kaplan_loss",
    "opt_cost",
    "opt_flops",
    "opt_params",
    "opt_plan",
    "opt_tokens",
    "serve_cost",
    "tokens_for_loss",
    "train_cost",
]
