"""Every argument that a worksheet function takes: its text, its unit, its domain, how it is read.

An argument means the same in every function, so it is described once; the function wizards of
Excel and Calc, the documentation and the error messages all take their words from here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from chinchilla_xl.elementwise import NON_NEGATIVE, POSITIVE, Domain
from chinchilla_xl.functions.settings import read_coeffs, read_deployment, read_flag, read_name

PROPER_FRACTION = Domain("between 0 and 1", lambda x: (x > 0) & (x < 1))
DRAWS = Domain(
    "a whole number from 1 to 100,000", lambda x: (x >= 1) & (x <= 100_000) & (x == np.floor(x))
)
ANY = Domain("a number", lambda x: ~np.isnan(x))


@dataclass(frozen=True, slots=True)
class Parameter:
    """One argument: `domain` for numbers, `reader` for the arguments that are more than that."""

    name: str
    text: str
    domain: Domain | None = None
    reader: Callable[[Any], Any] | None = None


_ALL = (
    Parameter("params", "parameters of the model, a plain count such as 7E9", POSITIVE),
    Parameter("tokens", "training tokens, a plain count such as 2E12", POSITIVE),
    Parameter("flops", "training budget in FLOPs, C = 6ND", POSITIVE),
    Parameter("loss", "target pre-training loss in nats per token, above the law's E", ANY),
    Parameter(
        "inference_tokens",
        "tokens served over the model's life, input and output together",
        NON_NEGATIVE,
    ),
    Parameter("input_tokens", "tokens read (prompts) over the model's life", NON_NEGATIVE),
    Parameter("output_tokens", "tokens generated over the model's life", NON_NEGATIVE),
    Parameter(
        "coeffs",
        "optional: a published set's name, A, B, E, alpha, beta, FIT_COEFFS' table, or n rows of "
        'five; omitted: "chinchilla"',
        reader=read_coeffs,
    ),
    Parameter(
        "deployment",
        "optional: two columns of labels and values, or the seven numbers training $/h, FLOP/s, "
        "MFU, serving $/h, op/s, input MFU, output MFU (and data $/token); omitted: the paper's "
        "Sec. 6",
        reader=read_deployment,
    ),
    Parameter("max_params", "optional: largest size allowed, say by memory", POSITIVE),
    Parameter("max_tokens", "optional: most training tokens allowed, say by data", POSITIVE),
    Parameter("header", "optional: FALSE for no row of headings; omitted: TRUE", reader=read_flag),
    Parameter("params_a", "parameters of the first model", POSITIVE),
    Parameter("tokens_a", "training tokens of the first model", POSITIVE),
    Parameter("params_b", "parameters of the second model, of equal loss", POSITIVE),
    Parameter("tokens_b", "training tokens of the second model", POSITIVE),
    Parameter("size_ratio", "size of the model over the compute-optimal size", POSITIVE),
    Parameter("losses", "final pre-training losses of the runs, in nats per token", POSITIVE),
    Parameter(
        "confidence", "optional: of the intervals, between 0 and 1; omitted: 0.95", PROPER_FRACTION
    ),
    Parameter("count", "number of draws, 1 to 100,000; 1,000 is usual", DRAWS),
    Parameter(
        "name", "optional: a published set's name; omitted: the list of all sets", reader=read_name
    ),
)

PARAMETERS = {parameter.name: parameter for parameter in _ALL}
