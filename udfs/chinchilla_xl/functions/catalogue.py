"""The worksheet functions: one Python function each, the same in every host.

The first paragraph of each docstring is what the function wizards show; the argument texts are in
`parameters`. Equation numbers are those of arXiv 2401.00448.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from chinchilla_xl import laws, optimum
from chinchilla_xl.coefficients import CHINCHILLA, NAMES, Law, published
from chinchilla_xl.constrained import constrained
from chinchilla_xl.costs import SEC_6, Deployment
from chinchilla_xl.elementwise import Numbers
from chinchilla_xl.errors import ArgumentError
from chinchilla_xl.functions.settings import coefficient_set
from chinchilla_xl.functions.worksheet import RowFunction, TableFunction, worksheet
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


@worksheet("=CHINCHILLA_TOKENS(7E9)", gives="tokens")
def chinchilla_tokens(params: Numbers, coeffs: AnyLaw = CHINCHILLA) -> Any:
    """Training tokens for which params is the Chinchilla-optimal size, the one that reaches its
    loss with the least training compute.

    D = (beta B N^alpha / (alpha A))^(1/beta), where alpha A N^-alpha = beta B D^-beta
    (Hoffmann et al. 2022, arXiv 2203.15556).

    >>> f"{chinchilla_tokens(1e9):.3g}"
    '2.74e+10'
    """
    return laws.chinchilla_tokens(params, coeffs)


@worksheet("=CHINCHILLA_OPT(5.76E23)", kind=RowFunction)
def chinchilla_opt(flops: Numbers, coeffs: AnyLaw = CHINCHILLA) -> Any:
    """Parameters, training tokens and loss, as a row, of the model that makes the most of a training
    budget of flops = 6ND; one row per budget.

    N = G (C/6)^(beta/(alpha+beta)), D = C/(6N), G = (alpha A/(beta B))^(1/(alpha+beta))
    (Hoffmann et al. 2022, arXiv 2203.15556, Eq. 4).

    >>> [f"{figure:.3g}" for figure in chinchilla_opt(5.76e23)[0]]
    ['4.17e+10', '2.3e+12', '1.93']
    """
    params, tokens = laws.chinchilla_optimal(flops, coeffs)
    return {"params": params, "tokens": tokens, "loss": laws.loss(params, tokens, coeffs)}


def _why_no_tokens(case: Mapping[str, Any]) -> str | None:
    law = case["coeffs"]
    if not isinstance(law, Law):
        return None
    try:
        smallest = (law.A / (case["loss"] - law.E)) ** (1 / law.alpha)
    except OverflowError:
        return None  # no size reaches it
    return f"params must be above {smallest:.4g} to reach loss {case['loss']:g}: {case['params']:g}"


@worksheet("=TOKENS_FOR_LOSS(1.96, 1.64E10)", reason=_why_no_tokens, gives="tokens")
def tokens_for_loss(loss: Numbers, params: Numbers, coeffs: AnyLaw = CHINCHILLA) -> Any:
    """Training tokens at which a model of params parameters reaches loss (Eq. 1 solved for D).

    D = (B / (L - E - A N^-alpha))^(1/beta). #NUM! below the smallest size that can reach the loss.

    >>> f"{tokens_for_loss(1.9583, 16.4e9):.3g}"
    '3.26e+12'
    """
    return laws.tokens_for_loss(loss, params, coeffs)


@worksheet("=OPT_PARAMS(2.13, 2E11)", gives="params")
def opt_params(loss: Numbers, inference_tokens: Numbers, coeffs: AnyLaw = CHINCHILLA) -> Any:
    """Parameters of the model that reaches loss and serves inference_tokens with the fewest FLOPs
    of training and inference together (N* of Eq. 3).

    It is the N of L(N, D) = loss where alpha A N^-alpha = beta B D^-beta (1 + D_inf/(3 D)), so
    that the FLOPs 6 N D + 2 N D_inf rise either way along that curve.

    #NUM! where loss is not above E or inference_tokens is negative; 0 inference tokens give the
    Chinchilla-style size.

    >>> f"{opt_params(2.1274, 2e11):.2g}"
    '5.4e+09'
    """
    return optimum.optimal_for_inference(loss, inference_tokens, coeffs)[0]


@worksheet("=OPT_TOKENS(2.13, 2E11)", gives="tokens")
def opt_tokens(loss: Numbers, inference_tokens: Numbers, coeffs: AnyLaw = CHINCHILLA) -> Any:
    """Training tokens of the model that reaches loss and serves inference_tokens with the fewest
    FLOPs of training and inference together (D* of Eq. 3).

    TOKENS_FOR_LOSS of loss and OPT_PARAMS. #NUM! where OPT_PARAMS has no answer.

    >>> f"{opt_tokens(2.1274, 2e11):.3g}"
    '3.67e+11'
    """
    return optimum.optimal_for_inference(loss, inference_tokens, coeffs)[1]


@worksheet("=OPT_FLOPS(2.13, 2E11)")
def opt_flops(loss: Numbers, inference_tokens: Numbers, coeffs: AnyLaw = CHINCHILLA) -> Any:
    """Fewest FLOPs, training and inference together, with which a model reaches loss and serves
    inference_tokens: 6 N* D* + 2 N* D_inf (Eq. 3).

    N* and D* are OPT_PARAMS and OPT_TOKENS. #NUM! where they have no answer.

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

    #VALUE! with a data price, which no demand can stand for: OPT_PLAN takes it.

    3 R with R = (C_inf/C_tr) (MFU_tr/3) (D_inp/MFU_inp + D_out/MFU_out), from Eq. 6.

    >>> f"{effective_tokens(70e9, 215e9):.4g}"
    '3.967e+12'
    """
    if deployment.data_price > 0:
        raise ArgumentError(
            "no demand in tokens stands for a data price: use OPT_PLAN or OPT_COST, which take it"
        )
    return deployment.effective_tokens(input_tokens, output_tokens)


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

    TRAIN_COST + SERVE_COST at the point of L(N, D) = loss where their sum is least; without a data
    price those are OPT_PARAMS and OPT_TOKENS of EFFECTIVE_TOKENS.

    #NUM! where loss is not above E or a demand is negative.

    >>> f"{opt_cost(2.1274, 200e9 * 70 / 215, 200e9 * 145 / 215):,.0f}"
    '81,843'
    """
    burden = deployment.burden(input_tokens, output_tokens)
    if deployment.data_price > 0:
        params, tokens = constrained(loss, burden, coeffs, token_price=deployment.token_price)
        serving = deployment.serving_cost(params, input_tokens, output_tokens)
        return deployment.training_cost(params, tokens) + serving
    params, tokens = optimum.optimal(loss, burden, coeffs)
    # R is the demand in training tokens, so that the whole life costs 6 N (D + R) training FLOPs.
    return deployment.training_cost(params, tokens + burden)


def _why_no_plan(case: Mapping[str, Any]) -> str | None:
    bounds = [
        f"{name} = {case[name]:g}" for name in ("max_params", "max_tokens") if case[name] < math.inf
    ]
    return f"no model within {' and '.join(bounds)} reaches the loss" if bounds else None


@worksheet("=OPT_PLAN(2.13, 4.9E10, 1.51E11)", kind=RowFunction, reason=_why_no_plan)
def opt_plan(
    loss: Numbers,
    input_tokens: Numbers,
    output_tokens: Numbers,
    deployment: Deployment = SEC_6,
    coeffs: AnyLaw = CHINCHILLA,
    max_params: Numbers = math.inf,
    max_tokens: Numbers = math.inf,
    header: bool = True,  # noqa: ARG001 (read by RowFunction)
) -> Any:
    """The model of the lowest lifetime cost with its size, data and dollars, beside the
    Chinchilla-style model of the same loss and what is saved: one row per case.

    With max_params or max_tokens, the cheapest model within those bounds; #NUM! where none reaches
    the loss. A data price in the deployment is part of the cost of training. The Chinchilla-style
    model knows neither bounds nor prices.

    >>> plan = opt_plan(2.1274, 65e9, 135e9, header=False)
    >>> [f"{figure:.3g}" for figure in plan[0, :3]]
    ['2.9e+09', '9.3e+11', '321']
    """
    burden = deployment.burden(input_tokens, output_tokens)
    plan = constrained(
        loss,
        burden,
        coeffs,
        token_price=deployment.token_price,
        max_params=max_params,
        max_tokens=max_tokens,
    )
    columns: dict[str, Any] = {}
    for model, (params, tokens) in {
        "": plan,
        "Chinchilla-style ": optimum.optimal(loss, 0.0, coeffs),
    }.items():
        training = deployment.training_cost(params, tokens)
        serving = deployment.serving_cost(params, input_tokens, output_tokens)
        columns |= {
            f"{model}params": params,
            f"{model}tokens": tokens,
            f"{model}tokens per parameter": tokens / params,
            f"{model}training $": training,
            f"{model}serving $": serving,
            f"{model}total $": training + serving,
        }
    saved = columns["Chinchilla-style total $"] - columns["total $"]
    columns |= {"saved $": saved, "saved share": saved / columns["Chinchilla-style total $"]}
    return columns


@worksheet("=TRAIN_COST(7E9, 2E12)")
def train_cost(params: Numbers, tokens: Numbers, deployment: Deployment = SEC_6) -> Any:
    """Cost in $ of training a model of params parameters on tokens tokens: 6 N D FLOPs at the
    training GPU's price, peak and MFU (first term of Eq. 6).

    price/3600 * 6 N D / (peak * MFU) + data price * D: a price in $/h, a peak in FLOP/s. #NUM!
    where params or tokens is not > 0.

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

    price/3600 * 2 N (D_inp/MFU_inp + D_out/MFU_out) / peak: a price in $/h, a peak in op/s. #NUM!
    where params is not > 0 or a demand is negative.

    >>> f"{serve_cost(7e9, 65e9, 135e9):,.0f}"
    '93,439'
    """
    return deployment.serving_cost(params, input_tokens, output_tokens)


def _why_no_breakeven(case: Mapping[str, Any]) -> str:
    if case["params_a"] == case["params_b"]:
        return f"the models must differ in size: both have {case['params_a']:g} parameters"
    return "one model costs less at every demand: it is the smaller and takes less training"


@worksheet("=BREAKEVEN_TOKENS(1.3E10, 5.76E11, 7E9, 1.24E12)", reason=_why_no_breakeven)
def breakeven_tokens(
    params_a: Numbers, tokens_a: Numbers, params_b: Numbers, tokens_b: Numbers
) -> Any:
    """Inference tokens at which two models of equal loss have cost the same FLOPs, training and
    serving together; the smaller one is ahead beyond that.

    6 Na Da + 2 Na D_inf = 6 Nb Db + 2 Nb D_inf. #NUM! where one costs less at every demand.

    >>> f"{breakeven_tokens(13e9, 5.76e11, 7e9, 1.24e12):.2g}"
    '6e+11'
    """
    return laws.breakeven_tokens(params_a, tokens_a, params_b, tokens_b)


def _why_no_overhead(case: Mapping[str, Any]) -> str | None:
    law = case["coeffs"]
    if not isinstance(law, Law):
        return None
    floor = (1 + law.alpha / law.beta) ** (-1 / law.alpha)
    return f"size_ratio must be above {floor:.4g}, below which no data is enough: {case['size_ratio']:g}"


@worksheet("=COMPUTE_OVERHEAD(0.5)", reason=_why_no_overhead)
def compute_overhead(size_ratio: Numbers, coeffs: AnyLaw = CHINCHILLA) -> Any:
    """Extra training compute, as a share, that a model of size_ratio times the compute-optimal size
    needs for the same loss: 0.21 means 21% more.

    k_N k_D - 1 with k_D = (1 - (k_N^-alpha - 1) beta/alpha)^(-1/beta) (De Vries 2023). #NUM! below the floor, about 0.1, where no data makes up for size.

    >>> f"{compute_overhead(0.5):.2f}"
    '0.21'
    """
    return laws.compute_overhead(size_ratio, coeffs)


@worksheet("=KAPLAN_LOSS(7E9, 2E12)")
def kaplan_loss(params: Numbers, tokens: Numbers) -> Any:
    """Loss, in nats per token, by the older law of Kaplan et al. 2020, where params leaves out the
    embeddings: ((Nc/N)^(aN/aD) + Dc/D)^aD.

    arXiv 2001.08361, Eq. 1.5. Not comparable with the losses of CHINCHILLA_LOSS.

    >>> f"{kaplan_loss(175e9, 300e9):.2f}"
    '1.73'
    """
    return laws.kaplan_loss(params, tokens)


@worksheet('=COEFFS("besiroglu")', kind=TableFunction)
def coeffs(name: str | None = None) -> Any:
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
    law = coefficient_set(name).law
    return np.array([[getattr(law, c) for c in NAMES]], dtype=object)
