r"""The model of a given loss that costs least over its lifetime, training and serving together.

Both objectives of the paper (arXiv 2401.00448) are one. Eq. 3 minimises 6 N D + 2 N D_inf FLOPs,
Eq. 6 the same in dollars; divided by the price of a training FLOP each is

    minimise 6 N (D + R)   subject to   E + A N^-alpha + B D^-beta = L

where R is the inference demand in training-token equivalents: R = D_inf / 3 for FLOPs, and
`costs.Deployment.burden` for dollars. Eliminating N gives Eq. 12, with h = L - E:

    h = (1 + beta/alpha) B D^-beta + (beta/alpha) B R D^(-beta-1)

Three substitutions leave one equation of one argument, whatever the law and the units:

    x0 = log((1 + beta/alpha) B / h) / beta        log D of the answer without demand
    u  = log D - x0                                how far demand moves it
    s  = log R + log(beta / (alpha+beta)) - x0     demand against that answer

    beta u = log(1 + exp(s - u))                   Eq. 12 divided by h, in logarithms

The right side is softplus: u = 0 for s -> -inf, u -> s/(1 + beta) for s -> inf. A hyperbola that
has both asymptotes and the exact value u0 at s = 0 is so good a first guess that two third-order
Householder steps reach the last digits for every beta in 0.05..3 and every s up to 700.

With v = 1/(1 + exp(s - u)), which is exp(-beta u) at the solution, the data's term of the loss is
B D^-beta = h v alpha/(alpha+beta), and the size follows without cancellation:
A N^-alpha = h (1 - v alpha/(alpha+beta)).
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np

from chinchilla_xl.elementwise import (
    NAN,
    NON_NEGATIVE,
    POSITIVE,
    SCALAR_TYPES,
    as_operand,
    elementwise,
)
from chinchilla_xl.laws import CHINCHILLA, AnyLaw, Law

# Below this s demand is nothing against the last digit of D; it stands for log 0 = -inf.
_NO_DEMAND = -800.0
# Beyond exp(+-708) a float is infinite or loses its digits.
_LARGEST_EXPONENT = 708.0
# Points to a block, so that a dozen temporaries stay in the processor's cache.
_BLOCK = 32768


def optimal(loss: Any, burden: Any, law: AnyLaw = CHINCHILLA) -> tuple[Any, Any]:
    """Parameters N* and training tokens D* that reach `loss` at the least lifetime cost.

    `burden` is R, the inference demand in training-token equivalents (>= 0; zero gives the
    Chinchilla-style model). Floats or arrays that broadcast; NaN where loss <= E or R < 0.

    >>> params, tokens = optimal(2.13, 200e9 / 3)
    >>> f"{params:.2g} {tokens:.3g}"
    '5.3e+09 3.61e+11'
    """
    if type(loss) in SCALAR_TYPES and type(burden) in SCALAR_TYPES and type(law) is Law:
        try:
            return _optimal_scalar(loss - law.E, burden, law)
        except (OverflowError, ZeroDivisionError, ValueError):
            return NAN, NAN
    return _optimal_array(as_operand(loss), as_operand(burden), law)


def optimal_for_inference(
    loss: Any, inference_tokens: Any, law: AnyLaw = CHINCHILLA
) -> tuple[Any, Any]:
    """N* and D* of Eq. 3: a token served costs 2 N FLOPs, a third of one trained on.

    >>> f"{optimal_for_inference(2.1274, 200e9)[0]:.2g}"
    '5.4e+09'
    """
    return optimal(loss, inference_tokens / 3, law)


@elementwise
def lifetime_flops(params: Any, tokens: Any, inference_tokens: Any) -> Any:
    """Training plus inference FLOPs, 6 N D + 2 N D_inf (the objective of Eq. 3)."""
    return POSITIVE(params) * (6 * POSITIVE(tokens) + 2 * NON_NEGATIVE(inference_tokens))


@lru_cache(maxsize=256)
def _centre(beta: float) -> float:
    """u0, the solution of beta u = log(1 + exp(-u)): Newton from 0 rises to it monotonically."""
    u = 0.0
    for _ in range(60):
        u -= (beta * u - math.log1p(math.exp(-u))) / (beta + 1 / (1 + math.exp(u)))
    return u


def _reduced(s: Any, beta: Any, centre: Any, exp: Any, log: Any, sqrt: Any) -> tuple[Any, Any]:
    """The u and v of the reduced equation, by the hyperbola and two Householder steps.

    For floats and arrays alike; the augmented assignments spare an array its temporaries.
    """
    half = s * (0.5 / (1 + beta))
    u = half * half
    u += centre * centre
    u = sqrt(u)
    u += half
    for _ in range(2):
        v = exp(s - u)
        v += 1
        v = 1 / v
        slope = (1 + beta) - v
        newton = log(v)
        newton += beta * u
        newton /= slope
        bend = 1 - v
        bend *= v
        bend *= newton
        bend /= slope
        # u -= newton (1 + bend/2) / (1 + bend (1 + (2 v - 1) newton / 6))
        v -= 0.5
        v *= newton
        v *= 1 / 3
        v += 1
        v *= bend
        v += 1
        bend *= 0.5
        bend += 1
        newton *= bend
        newton /= v
        u -= newton
    return u, exp(-beta * u)


def _optimal_scalar(h: float, burden: float, law: Law) -> tuple[float, float]:
    if not (h > 0 and burden >= 0):
        return NAN, NAN
    alpha, beta = law.alpha, law.beta
    share = alpha / (alpha + beta)
    x0 = math.log(law.B / (share * h)) / beta
    s = _NO_DEMAND
    if burden > 0:
        s = max(s, math.log(burden) + math.log1p(-share) - x0)
    u, v = _reduced(s, beta, _centre(beta), math.exp, math.log, math.sqrt)
    log_params = math.log(law.A / (h * (1 - share * v))) / alpha
    log_tokens = x0 + u
    if max(abs(log_params), abs(log_tokens)) < _LARGEST_EXPONENT:
        return math.exp(log_params), math.exp(log_tokens)
    return NAN, NAN


def _optimal_array(loss: Any, burden: Any, law: AnyLaw) -> tuple[Any, Any]:
    """`_optimal_scalar` over broadcast arrays, a block of points at a time."""
    loss, burden = np.broadcast_arrays(loss, burden, law.beta)[:2]
    shape, size = loss.shape, loss.size
    loss, burden = loss.reshape(-1), burden.reshape(-1)
    coefficients: Any = (law.A, law.B, law.E, law.alpha, law.beta, np.vectorize(_centre)(law.beta))
    many = type(law) is not Law
    if many:
        coefficients = [np.broadcast_to(c, shape).reshape(-1) for c in coefficients]
    params, tokens = np.empty(size), np.empty(size)
    with np.errstate(all="ignore"):
        for start in range(0, size, _BLOCK):
            block = slice(start, start + _BLOCK)
            here = [c[block] for c in coefficients] if many else coefficients
            params[block], tokens[block] = _optimal_block(loss[block], burden[block], *here)
    return params.reshape(shape)[()], tokens.reshape(shape)[()]


def _optimal_block(
    loss: Any, burden: Any, A: Any, B: Any, E: Any, alpha: Any, beta: Any, centre: Any
) -> tuple[Any, Any]:
    share = alpha / (alpha + beta)
    # Outside the domain a logarithm is NaN or infinite, which the last test finds.
    log_h = np.log(loss - E)
    x0 = (np.log(B / share) - log_h) / beta
    s = np.maximum(np.log(burden) + (np.log1p(-share) - x0), _NO_DEMAND)
    u, v = _reduced(s, beta, centre, np.exp, np.log, np.sqrt)
    log_params = (np.log(A) - log_h - np.log(1 - share * v)) / alpha
    log_tokens = x0 + u
    largest = np.maximum(np.abs(log_params), np.abs(log_tokens))
    if not largest.max() < _LARGEST_EXPONENT:  # one look at the block where all is well
        answer = largest < _LARGEST_EXPONENT
        log_params, log_tokens = (np.where(answer, x, NAN) for x in (log_params, log_tokens))
    return np.exp(log_params), np.exp(log_tokens)
