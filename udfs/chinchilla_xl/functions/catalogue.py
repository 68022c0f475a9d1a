"""The worksheet functions: one Python function each, the same in every host.

The first paragraph of each docstring is what the function wizards show; the argument texts are in
`parameters`. Equation numbers are those of arXiv 2401.00448.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from chinchilla_xl import laws, optimum
from chinchilla_xl.coefficients import CHINCHILLA, NAMES, published
from chinchilla_xl.costs import SEC_6, Deployment
from chinchilla_xl.elementwise import Numbers
from chinchilla_xl.errors import ArgumentError
from chinchilla_xl.functions.settings import coefficient_set
from chinchilla_xl.functions.worksheet import TableFunction, worksheet
from chinchilla_xl.laws import AnyLaw


@worksheet("=CHINCHILLA_LOSS(7E9, 2E12)")
def chinchilla_loss(params: Numbers, tokens: Numbers, coeffs: AnyLaw = CHINCHILLA) -> Any:
    """Pre-training loss, in nats per token, of a model of params parameters trained on tokens
    tokens: E + A/N^alpha + B/D^beta (Eq. 1).

    #NUM! where params or tokens is not > 0.

    >>> round(chinchilla_loss(7e9, 276e9), 2)
    2.13
    """
    return laws.loss(params, tokens, coeffs)


@worksheet("=CHINCHILLA_TOKENS(7E9)")
def chinchilla_tokens(params: Numbers, coeffs: AnyLaw = CHINCHILLA) -> Any:
    """Training tokens for which params is the Chinchilla-optimal size, the one that reaches its
    loss with the least training compute.

    D = (beta B N^alpha / (alpha A))^(1/beta), where alpha A N^-alpha = beta B D^-beta
    (Hoffmann et al. 2022, arXiv 2203.15556).

    >>> f"{chinchilla_tokens(1e9):.3g}"
    '2.74e+10'
    """
    return laws.chinchilla_tokens(params, coeffs)


@worksheet("=OPT_PARAMS(2.13, 2E11)")
def opt_params(loss: Numbers, inference_tokens: Numbers, coeffs: AnyLaw = CHINCHILLA) -> Any:
    """Parameters of the model that reaches loss and serves inference_tokens with the fewest FLOPs
    of training and inference together (N* of Eq. 3).

    #NUM! where loss is not above E or inference_tokens is negative; 0 inference tokens give the
    Chinchilla-style size.

    >>> f"{opt_params(2.1274, 2e11):.2g}"
    '5.4e+09'
    """
    return optimum.optimal_for_inference(loss, inference_tokens, coeffs)[0]


@worksheet("=OPT_TOKENS(2.13, 2E11)")
def opt_tokens(loss: Numbers, inference_tokens: Numbers, coeffs: AnyLaw = CHINCHILLA) -> Any:
    """Training tokens of the model that reaches loss and serves inference_tokens with the fewest
    FLOPs of training and inference together (D* of Eq. 3).

    >>> f"{opt_tokens(2.1274, 2e11):.3g}"
    '3.67e+11'
    """
    return optimum.optimal_for_inference(loss, inference_tokens, coeffs)[1]


@worksheet("=OPT_FLOPS(2.13, 2E11)")
def opt_flops(loss: Numbers, inference_tokens: Numbers, coeffs: AnyLaw = CHINCHILLA) -> Any:
    """Fewest FLOPs, training and inference together, with which a model reaches loss and serves
    inference_tokens: 6 N* D* + 2 N* D_inf (Eq. 3).

    >>> f"{opt_flops(2.1274, 2e11):.3g}"
    '1.4e+22'
    """
    params, tokens = optimum.optimal_for_inference(loss, inference_tokens, coeffs)
    return optimum.lifetime_flops(params, tokens, inference_tokens)


@worksheet("=EFFECTIVE_TOKENS(3.5E11, 7.25E11)")
def effective_tokens(
    input_tokens: Numbers, output_tokens: Numbers, deployment: Deployment = SEC_6
) -> Any:
    """The inference tokens that weigh as much in FLOPs as these do in dollars: with them as demand
    OPT_PARAMS and OPT_TOKENS give the model of the lowest lifetime cost.

    3 R with R = (C_inf/C_tr) (MFU_tr/3) (D_inp/MFU_inp + D_out/MFU_out), from Eq. 6.

    >>> f"{effective_tokens(70e9, 215e9):.4g}"
    '3.967e+12'
    """
    return 3 * deployment.burden(input_tokens, output_tokens)


@worksheet("=OPT_COST(2.13, 4.9E10, 1.51E11)")
def opt_cost(
    loss: Numbers,
    input_tokens: Numbers,
    output_tokens: Numbers,
    deployment: Deployment = SEC_6,
    coeffs: AnyLaw = CHINCHILLA,
) -> Any:
    """Lowest lifetime cost in $, training and serving together, of a model that reaches loss and
    reads input_tokens and generates output_tokens (Eq. 6).

    #NUM! where loss is not above E or a demand is negative.

    >>> f"{opt_cost(2.1274, 200e9 * 70 / 215, 200e9 * 145 / 215):,.0f}"
    '81,843'
    """
    burden = deployment.burden(input_tokens, output_tokens)
    params, tokens = optimum.optimal(loss, burden, coeffs)
    # R is the demand in training tokens, so that the whole life costs 6 N (D + R) training FLOPs.
    return deployment.training_cost(params, tokens + burden)


@worksheet("=TRAIN_COST(7E9, 2E12)")
def train_cost(params: Numbers, tokens: Numbers, deployment: Deployment = SEC_6) -> Any:
    """Cost in $ of training a model of params parameters on tokens tokens: 6 N D FLOPs at the
    training GPU's price, peak and MFU (first term of Eq. 6).

    >>> f"{train_cost(7e9, 276e9):,.0f}"
    '30,962'
    """
    return deployment.training_cost(params, tokens)


@worksheet("=SERVE_COST(7E9, 4.9E10, 1.51E11)")
def serve_cost(
    params: Numbers,
    input_tokens: Numbers,
    output_tokens: Numbers,
    deployment: Deployment = SEC_6,
) -> Any:
    """Cost in $ of reading input_tokens and generating output_tokens with a model of params
    parameters, at the serving GPU's price, peak and MFUs (second term of Eq. 6).

    >>> f"{serve_cost(7e9, 65e9, 135e9):,.0f}"
    '93,439'
    """
    return deployment.serving_cost(params, input_tokens, output_tokens)


@worksheet('=COEFFS("besiroglu")', kind=TableFunction)
def coeffs(name: Any = None) -> Any:
    """The coefficients A, B, E, alpha, beta of a published fit as a row, or, without a name, the
    list of all published fits with their sources.

    The row goes straight into any other function as its coeffs argument.

    >>> coeffs("hoffmann-rounded").tolist()
    [[406.4, 410.7, 1.69, 0.34, 0.28]]
    """
    if name is None:
        rows = [
            [s.name, *(getattr(s.law, c) for c in NAMES), s.source] for s in published().values()
        ]
        return np.array([["set", *NAMES, "source"], *rows], dtype=object)
    if not isinstance(name, str):
        raise ArgumentError(f"name must be the name of a published set: {name!r}")
    law = coefficient_set(name).law
    return np.array([[getattr(law, c) for c in NAMES]], dtype=object)
