r"""The optimum when tokens have a price, or size and data are bounded.

With a price per training token, besides its FLOPs, the cost is (in 6 training FLOPs)

    N (D + R) + p D

where p, the price of a token over that of 6 training FLOPs, is the size of the model for which a
token costs as much to buy as to train on. Setting the derivative along the iso-loss curve to zero,
with w = log(D / D_min) and D_min = (B/h)^(1/beta), where an infinite model would reach the loss:

    log(1 + R/D) + log(beta/alpha) - log(e^(beta w) - 1) + log(N / (N + p)) = 0
    N = (A / (h (1 - e^(-beta w))))^(1/alpha)

The left side falls in each of its terms, so the root is the only one; without its last term it is
the optimum of `optimum`, which is therefore an upper end for the search. As N exceeds N_min =
(A/h)^(1/alpha), dropping R and replacing N by N_min in the last term gives a lower end. scipy finds
the root between them (the reduction of `optimum` does not cover two prices).

Since the cost has a single minimum along the curve, a bound on size or data needs no search: it
binds exactly when the free optimum violates it, and the model then stands on the bound.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from chinchilla_xl.elementwise import NAN, NON_NEGATIVE, POSITIVE, as_operand
from chinchilla_xl.laws import CHINCHILLA, AnyLaw, Array, params_for_loss, tokens_for_loss
from chinchilla_xl.optimum import optimal


def constrained(
    loss: Any,
    burden: Any,
    law: AnyLaw = CHINCHILLA,
    *,
    token_price: float = 0.0,
    max_params: Any = math.inf,
    max_tokens: Any = math.inf,
) -> tuple[Array, Array]:
    """Parameters and training tokens that reach `loss` at least cost within the bounds.

    `burden` is R of `optimum.optimal`, `token_price` is p above (both >= 0). Arrays that broadcast;
    NaN where no model within the bounds reaches the loss.

    >>> params, tokens = constrained(2.13, 1e12, max_tokens=1e12)
    >>> f"{params:.3g} {tokens:.3g}"
    '2.71e+09 1e+12'
    """
    loss, burden = as_operand(loss), as_operand(burden)
    params, tokens = map(np.asarray, optimal(loss, burden, law))
    if token_price > 0:
        with np.errstate(all="ignore"):
            params, tokens = _with_token_price(loss, burden, token_price, tokens, law)
    with np.errstate(invalid="ignore"):
        fewest = np.asarray(tokens_for_loss(loss, max_params, law))
        largest = POSITIVE(as_operand(max_tokens))
        too_big, too_long = params > as_operand(max_params), tokens > largest
        params = np.where(too_big, max_params, params)
        tokens = np.where(too_big, fewest, tokens)
        params = np.where(too_long, params_for_loss(loss, largest, law), params)
        tokens = np.where(too_long, largest, tokens)
        possible = np.isfinite(params) & (fewest <= largest)
    return np.where(possible, params, NAN), np.where(possible, tokens, NAN)


def _with_token_price(
    loss: Any, burden: Any, price: float, free_tokens: Any, law: AnyLaw
) -> tuple[Any, Any]:
    from scipy.optimize import elementwise

    h = np.asarray(POSITIVE(loss - law.E))
    r = NON_NEGATIVE(burden)
    fewest = (law.B / h) ** (1 / law.beta)
    smallest = (law.A / h) ** (1 / law.alpha)

    def size(w: Any, h: Any, A: Any, alpha: Any, beta: Any) -> Any:
        return (A / (h * -np.expm1(-beta * w))) ** (1 / alpha)

    def slope(w: Any, h: Any, r: Any, fewest: Any, A: Any, alpha: Any, beta: Any) -> Any:
        params = size(w, h, A, alpha, beta)
        return (
            np.log1p(r / (fewest * np.exp(w)))
            + np.log(beta / alpha)
            - np.log(np.expm1(beta * w))
            - np.log1p(price / params)
        )

    ratio = law.beta / law.alpha * smallest / (smallest + price)
    lower = np.log1p(ratio) / law.beta
    upper = np.maximum(np.log(free_tokens / fewest), lower)
    # A last digit may put the root just outside: both ends give way by as much.
    bracket = (lower * (1 - 1e-12), upper * (1 + 1e-12))
    found = elementwise.find_root(
        slope,
        bracket,
        args=(h, r, fewest, law.A, law.alpha, law.beta),
        tolerances={"xatol": 0.0, "xrtol": 1e-15, "fatol": 0.0, "frtol": 0.0},
    )
    w = np.where(found.success, found.x, NAN)
    return size(w, h, law.A, law.alpha, law.beta), fewest * np.exp(w)
