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

from chinchilla_xl.coefficients import CHINCHILLA, Law, Laws
from chinchilla_xl.elementwise import POSITIVE, Array, Numbers, elementwise

__all__ = [
    "CHINCHILLA",
    "Array",
    "Law",
    "Laws",
    "Numbers",
    "chinchilla_tokens",
    "loss",
    "tokens_for_loss",
]

AnyLaw = Law | Laws


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
    return (law.beta * law.B * n**law.alpha / (law.alpha * law.A)) ** (1 / law.beta)


@elementwise
def tokens_for_loss(loss: Any, params: Any, law: AnyLaw = CHINCHILLA) -> Any:
    """Training tokens at which `params` parameters reach `loss` (Eq. 1 solved for D).

    D = (B / (L - E - A N^-alpha))^(1/beta); NaN where the size alone already costs too much loss.
    """
    left_for_tokens = POSITIVE(loss - law.E - law.A * POSITIVE(params) ** -law.alpha)
    return (law.B / left_for_tokens) ** (1 / law.beta)
