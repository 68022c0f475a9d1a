"""Dollars: what training and serving cost, and the demand that weighs as much as they do.

    Eq. 6    6 N D C_tr / MFU_tr + 2 N C_inf (D_inp / MFU_inp + D_out / MFU_out)

C is dollars per peak operation, a GPU's price per hour over 3600 times its peak throughput; MFU
is the share of that peak that is really used. Divided by the price of a training FLOP, the second
term is 6 N R with the burden

    R = (C_inf / C_tr) (MFU_tr / 3) (D_inp / MFU_inp + D_out / MFU_out)

in training-token equivalents, which is all that `optimum` needs to know of a deployment. Sec. 6 of
arXiv 2401.00448 gives the defaults.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

from chinchilla_xl.elementwise import (
    NON_NEGATIVE,
    PASSED_TYPES,
    POSITIVE,
    SCALAR_TYPES,
    Domain,
    elementwise,
)
from chinchilla_xl.errors import ArgumentError
from chinchilla_xl.hints import share_meant

SECONDS_PER_HOUR = 3600

FRACTION = Domain("in (0, 1]", lambda x: (x > 0) & (x <= 1))

_PAPER = "arXiv 2401.00448, Sec. 6 and B.3"


@dataclass(frozen=True, slots=True)
class Assumption:
    """One of a deployment's numbers: how it is labelled, its unit, its domain, its default."""

    field: str
    label: str
    unit: str
    domain: Domain
    default: float
    source: str
    optional: bool = False

    def check(self, value: float) -> float:
        """`value`, or ArgumentError with the rule and, for a percentage, the likely intention."""
        if value in self.domain and value < float("inf"):
            return value
        hint = share_meant(value) if self.domain is FRACTION else ""
        raise ArgumentError(f"{self.label} must be {self.domain.rule}: {value:g}{hint}")


ASSUMPTIONS = (
    Assumption(
        "train_price", "training GPU price", "$/h", POSITIVE, 1.50,
        f"A100-80GB, Lambda, Oct 2023 ({_PAPER})",
    ),
    Assumption(
        "train_peak", "training GPU peak", "FLOP/s", POSITIVE, 3.12e14,
        f"A100 BF16 dense ({_PAPER})",
    ),
    Assumption("train_mfu", "training MFU", "fraction", FRACTION, 0.50, _PAPER),
    Assumption(
        "serve_price", "serving GPU price", "$/h", POSITIVE, 1.10,
        f"A100-40GB, Lambda, Oct 2023 ({_PAPER})",
    ),
    Assumption(
        "serve_peak", "serving GPU peak", "op/s", POSITIVE, 6.24e14,
        f"A100 INT8 dense ({_PAPER})",
    ),
    Assumption("input_mfu", "input MFU", "fraction", FRACTION, 0.50, _PAPER),
    Assumption("output_mfu", "output MFU", "fraction", FRACTION, 0.01, _PAPER),
    Assumption(
        "data_price", "data price", "$/token", NON_NEGATIVE, 0.0,
        "none: the paper prices only compute", optional=True,
    ),
)  # fmt: skip
"""A deployment's numbers in the order in which a range without labels gives them."""


@dataclass(frozen=True, slots=True)
class Deployment:
    """Prices, peaks and utilisations of the machines that train and serve a model.

    >>> f"{Deployment().training_cost(30e9, 1.56e12):,.0f}"
    '750,000'
    """

    train_price: float = ASSUMPTIONS[0].default
    train_peak: float = ASSUMPTIONS[1].default
    train_mfu: float = ASSUMPTIONS[2].default
    serve_price: float = ASSUMPTIONS[3].default
    serve_peak: float = ASSUMPTIONS[4].default
    input_mfu: float = ASSUMPTIONS[5].default
    output_mfu: float = ASSUMPTIONS[6].default
    data_price: float = ASSUMPTIONS[7].default

    # Derived once, since a worksheet asks for them in every cell:
    training_flop_price: float = field(init=False, repr=False, compare=False)
    """Dollars for one FLOP of training, utilisation included."""
    serving_peak_price: float = field(init=False, repr=False, compare=False)
    """Dollars for one operation of serving at full utilisation."""
    token_price: float = field(init=False, repr=False, compare=False)
    """The size of model for which a token costs as much to buy as to train on."""

    def __post_init__(self) -> None:
        for assumption in ASSUMPTIONS:
            assumption.check(getattr(self, assumption.field))
        training = self.train_price / (SECONDS_PER_HOUR * self.train_peak * self.train_mfu)
        object.__setattr__(self, "training_flop_price", training)
        serving = self.serve_price / (SECONDS_PER_HOUR * self.serve_peak)
        object.__setattr__(self, "serving_peak_price", serving)
        object.__setattr__(self, "token_price", self.data_price / (6 * training))

    def _weighted(self, input_tokens: Any, output_tokens: Any) -> Any:
        """Operations of peak that one parameter's reading and writing occupies, halved."""
        return (
            NON_NEGATIVE(input_tokens) / self.input_mfu
            + NON_NEGATIVE(output_tokens) / self.output_mfu
        )

    @elementwise
    def burden(self, input_tokens: Any, output_tokens: Any) -> Any:
        """R: the demand in training-token equivalents, so that the cost is 6 N (D + R) FLOPs."""
        weight = self.serving_peak_price / (3 * self.training_flop_price)
        return weight * self._weighted(input_tokens, output_tokens)

    @elementwise
    def effective_tokens(self, input_tokens: Any, output_tokens: Any) -> Any:
        """3 R: the inference tokens that weigh as much in FLOPs as these do in dollars."""
        return 3 * self.burden(input_tokens, output_tokens)

    @elementwise
    def training_cost(self, params: Any, tokens: Any) -> Any:
        """Dollars to train `params` parameters on `tokens` tokens: the first term of Eq. 6.

        With a data price, the price of the tokens as well.
        """
        flops_of_a_token = 6 * POSITIVE(params)
        return POSITIVE(tokens) * (flops_of_a_token * self.training_flop_price + self.data_price)

    @elementwise
    def serving_cost(self, params: Any, input_tokens: Any, output_tokens: Any) -> Any:
        """Dollars to read and write the given tokens: the second term of Eq. 6."""
        tokens = self._weighted(input_tokens, output_tokens)
        return 2 * POSITIVE(params) * self.serving_peak_price * tokens


SCALAR_TYPES.add(Deployment)
PASSED_TYPES.add(Deployment)


assert tuple(f.name for f in fields(Deployment) if f.init) == tuple(a.field for a in ASSUMPTIONS)

SEC_6 = Deployment()
"""The settings of Sec. 6 of arXiv 2401.00448: what an omitted `deployment` stands for."""
