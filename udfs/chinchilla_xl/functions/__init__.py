"""The worksheet functions: the catalogue and the rules that every host shares."""

from chinchilla_xl.functions.catalogue import (
    chinchilla_loss,
    chinchilla_tokens,
    coeffs,
    effective_tokens,
    opt_cost,
    opt_flops,
    opt_params,
    opt_tokens,
    serve_cost,
    train_cost,
)
from chinchilla_xl.functions.cells import CellError
from chinchilla_xl.functions.worksheet import FUNCTIONS, WorksheetFunction

__all__ = [
    "FUNCTIONS",
    "CellError",
    "WorksheetFunction",
    "chinchilla_loss",
    "chinchilla_tokens",
    "coeffs",
    "effective_tokens",
    "opt_cost",
    "opt_flops",
    "opt_params",
    "opt_tokens",
    "serve_cost",
    "train_cost",
]
