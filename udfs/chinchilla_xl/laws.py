"""The scaling laws themselves and every closed form that follows from them.

    Eq. 1    L(N, D) = E + A / N^alpha + B / D^beta

N is a model's parameters, D its training tokens, L its pre-training loss in nats per token. A
"Chinchilla-style" pair (N, D) is one that reaches its loss with the least training compute 6 N D:
there alpha A N^-alpha = beta B D^-beta (Hoffmann et al. 2022, arXiv 2203.15556, Eq. 4).

Equations are numbered as in Sardana et al., arXiv 2401.00448. Every function takes floats or
arrays that broadcast, and gives NaN in the elements that have no answer.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from chinchilla_xl.coefficients import CHINCHILLA, Law, Laws
from chinchilla_xl.elementwise import NON_NEGATIVE, POSITIVE, Array, Domain, Numbers, elementwise

__all__ = [
    "CHINCHILLA",
    "Array",
    "Law",
    "Laws",
    "Numbers",
    "breakeven_tokens",
    "chinchilla_optimal",
    "chinchilla_tokens",
    "compute_overhead",
    "kaplan_loss",
    "loss",
    "params_for_loss",
    "tokens_for_loss",
]

AnyLaw = Law | Laws

BELOW_ONE = Domain("< 1", lambda x: x < 1)

# Kaplan et al. 2020, arXiv 2001.08361, Eq. 1.5: N_c, D_c and their exponents.
KAPLAN_PARAMS, KAPLAN_ALPHA_N = 8.8e13, 0.076
KAPLAN_TOKENS, KAPLAN_ALPHA_D = 5.4e13, 0.095


@elementwise
def loss(params: Any, tokens: Any, law: AnyLaw = CHINCHILLA) -> Any:
    """Pre-training loss of `params` parameters trained on `tokens` tokens (Eq. 1).

    >>> round(loss(70e9, 4.26e12), 2)
    1.89
    """
    return (
        law.E
        + law.A * POSITIVE(params) ** -law.alpha
        + law.B * POSITIVE(tokens) ** -law.beta
    )  # fmt: skip


@elementwise
def chinchilla_tokens(params: Any, law: AnyLaw = CHINCHILLA) -> Any:
    """Training tokens for which `params` is the Chinchilla-style size: both terms in balance.

    D = (beta B N^alpha / (alpha A))^(1/beta)

    >>> f"{chinchilla_tokens(7e9):.3g}"
    '2.76e+11'
    """
    n = POSITIVE(params)
    return POSITIVE((law.beta * law.B * n**law.alpha / (law.alpha * law.A)) ** (1 / law.beta))


@elementwise
def tokens_for_loss(loss: Any, params: Any, law: AnyLaw = CHINCHILLA) -> Any:
    """Training tokens at which `params` parameters reach `loss` (Eq. 1 solved for D).

    D = (B / (L - E - A N^-alpha))^(1/beta); NaN where the size alone already costs too much loss.
    """
    left_for_tokens = POSITIVE(loss - law.E - law.A * POSITIVE(params) ** -law.alpha)
    return POSITIVE((law.B / left_for_tokens) ** (1 / law.beta))


@elementwise
def params_for_loss(loss: Any, tokens: Any, law: AnyLaw = CHINCHILLA) -> Any:
    """Parameters with which a model trained on `tokens` tokens reaches `loss` (Eq. 1 for N).

    N = (A / (L - E - B D^-beta))^(1/alpha); NaN where the data alone already costs too much loss.
    """
    left_for_params = POSITIVE(loss - law.E - law.B * POSITIVE(tokens) ** -law.beta)
    return POSITIVE((law.A / left_for_params) ** (1 / law.alpha))


def chinchilla_optimal(flops: Any, law: AnyLaw = CHINCHILLA) -> tuple[Any, Any]:
    """Parameters and tokens that reach the lowest loss with C = 6 N D training FLOPs.

    N = G (C/6)^(beta/(alpha+beta)), D = (C/6)^(alpha/(alpha+beta)) / G,
    G = (alpha A/(beta B))^(1/(alpha+beta))   (Hoffmann et al. 2022, arXiv 2203.15556, Eq. 4)

    >>> params, tokens = chinchilla_optimal(5.76e23)
    >>> f"{params:.3g} {tokens:.3g}"
    '4.17e+10 2.3e+12'
    """
    params = _optimal_params(flops, law)
    return params, _quotient(flops, params)


@elementwise
def _optimal_params(flops: Any, law: AnyLaw) -> Any:
    share = law.beta / (law.alpha + law.beta)
    balance = (law.alpha * law.A / (law.beta * law.B)) ** (1 / (law.alpha + law.beta))
    return balance * (POSITIVE(flops) / 6) ** share


@elementwise
def _quotient(flops: Any, params: Any) -> Any:
    return POSITIVE(flops) / 6 / params


@elementwise
def compute_overhead(size_ratio: Any, law: AnyLaw = CHINCHILLA) -> Any:
    """Extra training compute, as a share, of a model `size_ratio` times the optimal size.

    k_N k_D - 1 with k_D = (1 - (k_N^-alpha - 1) beta/alpha)^(-1/beta), whatever the budget
    (De Vries 2023, "Go smol or go home"). NaN at or below the floor (1 + alpha/beta)^(-1/alpha),
    where no amount of data makes up for the size.

    >>> f"{compute_overhead(0.5):.0%}"
    '21%'
    """
    # In logarithms, for close to 1 the overhead is the small difference of large terms.
    log_size = np.log(POSITIVE(size_ratio))
    missing = BELOW_ONE(np.expm1(-law.alpha * log_size) * law.beta / law.alpha)
    log_tokens = -np.log1p(-missing) / law.beta
    return np.expm1(log_size + log_tokens)


@elementwise
def breakeven_tokens(params_a: Any, tokens_a: Any, params_b: Any, tokens_b: Any) -> Any:
    """Inference tokens at which two models of equal loss have cost the same FLOPs.

    6 Na Da + 2 Na D_inf = 6 Nb Db + 2 Nb D_inf, solved for D_inf; NaN where one of the models
    costs less at every demand.

    >>> f"{breakeven_tokens(13e9, 5.76e11, 7e9, 1.24e12):.2g}"
    '6e+11'
    """
    more_training = POSITIVE(params_b) * POSITIVE(tokens_b) - POSITIVE(params_a) * POSITIVE(
        tokens_a
    )
    return NON_NEGATIVE(3 * more_training / (params_a - params_b))


@elementwise
def kaplan_loss(params: Any, tokens: Any) -> Any:
    """Loss by Kaplan et al. 2020 (arXiv 2001.08361, Eq. 1.5), for non-embedding parameters.

    [(N_c/N)^(alpha_N/alpha_D) + D_c/D]^alpha_D with N_c = 8.8e13, alpha_N = 0.076, D_c = 5.4e13,
    alpha_D = 0.095.

    >>> f"{kaplan_loss(175e9, 300e9):.2f}"
    '1.73'
    """
    size_term = (KAPLAN_PARAMS / POSITIVE(params)) ** (KAPLAN_ALPHA_N / KAPLAN_ALPHA_D)
    return (size_term + KAPLAN_TOKENS / POSITIVE(tokens)) ** KAPLAN_ALPHA_D
