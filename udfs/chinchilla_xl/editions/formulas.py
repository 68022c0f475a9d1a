"""Every worksheet function but the fit as straight-line spreadsheet formulas.

The steps below say what `laws`, `optimum` and `costs` say, once each and under the same names;
`BODIES` names the step that each function returns. Which steps it needs follows from that. Equations
are numbered as in Sardana et al., arXiv 2401.00448.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from chinchilla_xl import laws
from chinchilla_xl.editions.language import Steps, steps

# --- The laws (chinchilla_xl.laws) ---


def _falling(size: str, exponent: str) -> str:
    """size^-exponent, and 0 where that is too small for a number, which in Calc is #NUM!."""
    return f"IF({size} > 1, IFERROR({size}^-{exponent}, 0), {size}^-{exponent})"


LOSS = f"E + A * {_falling('{params}', 'alpha')} + B * {_falling('{tokens}', 'beta')}"
"""Eq. 1."""


def solved(left: str, coefficient: str, exponent: str) -> str:
    """Eq. 1 solved for N or D, when its term has `left` of the loss to itself.

    (coefficient / left)^(1 / exponent), written so that an answer too small for a number overflows.
    """
    return f"IF({left} > 0, 1 / ({left} / {coefficient})^(1 / {exponent}), #NUM!)"


LAWS = steps(
    f"""
eq_1_loss = {LOSS.format(params="params", tokens="tokens")}

# alpha A N^-alpha = beta B D^-beta (Hoffmann et al. 2022, arXiv 2203.15556, Eq. 4)
balanced_tokens = 1 / (alpha * A / (beta * B * params^alpha))^(1 / beta)

# The same with C = 6 N D, closed form.
budget_params = (alpha * A / (beta * B))^(1 / (alpha + beta)) * (flops / 6)^(beta / (alpha + beta))
budget_tokens = flops / 6 / budget_params
budget_loss = {LOSS.format(params="budget_params", tokens="budget_tokens")}

# Eq. 1 solved for D; a size that already costs too much loss leaves less than 0.
left_for_tokens = loss - E - A * {_falling("params", "alpha")}
tokens_for_loss = {solved("left_for_tokens", "B", "beta")}

# 6 Na Da + 2 Na D_inf = 6 Nb Db + 2 Nb D_inf, solved for D_inf
crossing = 3 * (params_b * tokens_b - params_a * tokens_a) / (params_a - params_b)
breakeven_tokens = IF(crossing >= 0, crossing, #NUM!)

# Kaplan et al. 2020, arXiv 2001.08361, Eq. 1.5
kaplan_loss = (({laws.KAPLAN_PARAMS:G} / params)^({laws.KAPLAN_ALPHA_N} / {laws.KAPLAN_ALPHA_D})
    + {laws.KAPLAN_TOKENS:G} / tokens)^{laws.KAPLAN_ALPHA_D}
"""
)

# De Vries 2023: k_N k_D - 1, k_D = (1 - (k_N^-alpha - 1) beta/alpha)^(-1/beta), in logarithms, for
# close to 1 it is the small difference of large terms. Kahan's forms of exp(x) - 1 and log(1 + x)
# lose no digit there.
OVERHEAD = steps(
    """
log_size = LN(size_ratio)
shrunk = -alpha * log_size
shrinkage = EXP(shrunk)
missing = IF(shrinkage = 1, shrunk, IF(shrinkage < 0.1, shrinkage - 1,
    (shrinkage - 1) * shrunk / LN(shrinkage))) * beta / alpha
remaining = 1 - missing
log_tokens = -IF(remaining = 1, -missing, -missing * LN(remaining) / (remaining - 1)) / beta
log_overhead = log_size + log_tokens
increase = EXP(log_overhead)
compute_overhead = IF(missing < 1, IF(increase = 1, log_overhead,
    IF(increase < 0.1, increase - 1, (increase - 1) * log_overhead / LN(increase))), #NUM!)
"""
)

# --- The optimum (chinchilla_xl.optimum, whose docstring derives it) ---

LOG_PARAMS = "(LN(A) - LN(h) - LN(1 - share * {v})) / alpha"
"""A N^-alpha = h (1 - share v), without cancellation."""

IN_REACH = "(ABS({}) < 708) * (ABS({}) < 708)"
"""Beyond exp(708) a number is infinite or loses its digits."""

OPTIMUM = steps(
    """
h = loss - E
share = alpha / (alpha + beta)
x_0 = LN(B / (share * h)) / beta                # log D of the answer without demand

# s: demand against that answer. Below -800 demand is nothing against the last digit of D.
s_any = IF(burden > 0, LN(burden) + LN(beta / (alpha + beta)) - x_0, -800)
s = IF(s_any > -800, s_any, -800)

# beta u = log(1 + exp(s - u)) is Eq. 12, u = log D - x_0. First guess: the hyperbola that has the
# right asymptotes and, to a fifth, the right value at s = 0.
inverse_beta = LN(1 + 1 / beta)
u_centre = LN(1 + 1 / (beta * (1 + inverse_beta)))
half = s / (2 * (1 + beta))
u_1 = half + SQRT(half * half + u_centre * u_centre)
"""
    + "".join(
        f"""
v_{i} = 1 / (1 + EXP(s - u_{i}))
slope_{i} = 1 + beta - v_{i}
newton_{i} = (LN(v_{i}) + beta * u_{i}) / slope_{i}
bend_{i} = v_{i} * (1 - v_{i}) * newton_{i} / slope_{i}
u_{i + 1} = u_{i} - newton_{i} * (1 + bend_{i} / 2)
    / (1 + bend_{i} * (1 + (2 * v_{i} - 1) * newton_{i} / 6))
"""
        for i in (1, 2)  # Householder's third-order steps: the second reaches the last digits
    )
    + f"""
log_tokens = x_0 + u_3
log_params = {LOG_PARAMS.format(v="EXP(-beta * u_3)")}
in_reach = {IN_REACH.format("log_tokens", "log_params")}
opt_tokens = IF(in_reach, EXP(log_tokens), #NUM!)
opt_params = IF(in_reach, EXP(log_params), #NUM!)

# Without demand u = 0: the Chinchilla-style model.
log_style_params = {LOG_PARAMS.format(v="1")}
style_in_reach = {IN_REACH.format("x_0", "log_style_params")}
style_tokens = IF(style_in_reach, EXP(x_0), #NUM!)
style_params = IF(style_in_reach, EXP(log_style_params), #NUM!)

# Eq. 3
opt_flops = opt_params * (6 * opt_tokens + 2 * inference_tokens)
"""
)

# A token served costs 2 N FLOPs, a third of one trained on.
BY_FLOPS = steps("burden = inference_tokens / 3")

# --- Dollars (chinchilla_xl.costs): the two terms of Eq. 6 ---

TRAINING = "{tokens} * (6 * {params} * flop_price + data_price)"
SERVING = "2 * {params} * serving_price * demand"

BY_DOLLARS = steps(
    f"""
demand = IF((input_tokens >= 0) * (output_tokens >= 0),
    input_tokens / input_mfu + output_tokens / output_mfu, #NUM!)
burden = serving_price / (3 * flop_price) * demand
effective_tokens = 3 * burden
training_cost = {TRAINING.format(params="params", tokens="tokens")}
serving_cost = {SERVING.format(params="params")}
opt_cost = {TRAINING.format(params="priced_params", tokens="priced_tokens")}
    + {SERVING.format(params="priced_params")}
"""
)

NO_DATA_PRICE = steps("whole_fault = IF(data_price > 0, #VALUE!, 0)")
"""Demand in tokens cannot stand for a data price."""

# --- A price per training token, and bounds (chinchilla_xl.constrained) ---

# Every z > 0 gives tokens D and params N, below, that reach the loss; the condition of `constrained`
# becomes z = beta/alpha (1 + R/D) / (1 + p/N). With max(0, x) for each log(1 + e^x) its logarithm is
# linear in pieces, so that a first guess for log z is closed: one for z < 1, where D hardly changes,
# and one for z > 1, where N hardly does. From there Halley's steps in log z, in the shares q of D in
# D + R, k of N in N + p and w of z in 1 + z; the fifth reaches the last digits. (From the free optimum
# they may jump for ever between the two sides of N = p.)
_TOKENS_AT, _PARAMS_AT = "(B * (1 + {}) / h)^(1 / beta)", "(A * (1 + 1 / {}) / h)^(1 / alpha)"

PRICED = steps(
    """
token_price = data_price / (6 * flop_price)
burden_over = IF(burden > 0, LN(burden), -800) - LN(B / h) / beta
price_over = IF(token_price > 0, LN(token_price), -800) - LN(A / h) / alpha
below_0 = LN(beta / alpha) + IF(burden_over > 0, burden_over, 0)
above_0 = LN(beta / alpha) - IF(price_over > 0, price_over, 0)
below_bent = (below_0 - price_over) / (1 + 1 / alpha)
above_bent = (above_0 + burden_over) / (1 + 1 / beta)
z_1 = EXP(IF(below_0 < IF(price_over > 0, price_over, 0),
    IF(below_0 < below_bent, below_0, below_bent),
    IF(above_0 > above_bent, above_0, above_bent)))
"""
    + "".join(
        f"""
q_{i} = 1 / (1 + burden / {_TOKENS_AT.format(f"z_{i}")})
k_{i} = 1 / (1 + token_price / {_PARAMS_AT.format(f"z_{i}")})
w_{i} = z_{i} / (1 + z_{i})
g_{i} = LN(z_{i} * alpha * q_{i} / (beta * k_{i}))
i_{i} = (1 - q_{i}) * w_{i} / beta
j_{i} = (1 - k_{i}) * (1 - w_{i}) / alpha
f_{i} = 1 + i_{i} + j_{i}
c_{i} = i_{i} * (1 - w_{i} - q_{i} * w_{i} / beta) + j_{i} * (k_{i} * (1 - w_{i}) / alpha - w_{i})
z_{i + 1} = z_{i} * EXP(-2 * g_{i} * f_{i} / (2 * f_{i} * f_{i} - g_{i} * c_{i}))
"""
        for i in (1, 2, 3, 4, 5)
    )
    + f"""
priced_tokens = {_TOKENS_AT.format("z_6")}
priced_params = {_PARAMS_AT.format("z_6")}
"""
)

UNPRICED: Steps = {"priced_tokens": "opt_tokens", "priced_params": "opt_params"}
"""Instead of those where no data price is given."""

# The cost has one minimum along the iso-loss curve: a bound binds where the free optimum breaks it.
BOUNDED = steps(
    f"""
left_at_size = h - A * {_falling("size_bound", "alpha")}
fewest_tokens = {solved("left_at_size", "B", "beta")}
left_at_data = h - B * {_falling("data_bound", "beta")}
fewest_params = {solved("left_at_data", "A", "alpha")}
possible = (size_bound > 0) * (data_bound > 0) * (fewest_tokens <= data_bound)
too_big = priced_params > size_bound
too_long = priced_tokens > data_bound
plan_params = IF(possible, IF(too_long, fewest_params,
    IF(too_big, size_bound, priced_params)), #NUM!)
plan_tokens = IF(possible, IF(too_long, data_bound,
    IF(too_big, fewest_tokens, priced_tokens)), #NUM!)
"""
    + "".join(
        f"""
{model}_training = {TRAINING.format(params=f"{model}_params", tokens=f"{model}_tokens")}
{model}_serving = {SERVING.format(params=f"{model}_params")}
{model}_total = {model}_training + {model}_serving
"""
        for model in ("plan", "style")
    )
    + """
# In Calc infinity less infinity is 0 inside an array.
saved = IF((style_total < 9.99E307) * (plan_total < 9.99E307), style_total - plan_total, #NUM!)
"""
)

PLAN = {
    f"{heading}{column}": f"{model}{step}"
    for heading, model in {"": "plan", "Chinchilla-style ": "style"}.items()
    for column, step in {
        "params": "_params",
        "tokens": "_tokens",
        "tokens per parameter": f"_tokens / {model}_params",
        "training $": "_training",
        "serving $": "_serving",
        "total $": "_total",
    }.items()
} | {"saved $": "saved", "saved share": "saved / style_total"}


@dataclass(frozen=True)
class Body:
    """What a function returns: the name of a step, and the blocks in which it and its needs are.

    With `columns` it gives a row of those for each case instead.
    """

    result: str = ""
    blocks: tuple[Steps, ...] = ()
    columns: Mapping[str, str] = field(default_factory=dict)
    own_rules: bool = False
    """Whether the steps themselves see to the arguments' domains, column by column."""


BODIES: dict[str, Body] = {
    "CHINCHILLA_LOSS": Body("eq_1_loss", (LAWS,)),
    "CHINCHILLA_TOKENS": Body("balanced_tokens", (LAWS,)),
    "CHINCHILLA_OPT": Body(
        blocks=(LAWS,),
        columns={"params": "budget_params", "tokens": "budget_tokens", "loss": "budget_loss"},
    ),
    "TOKENS_FOR_LOSS": Body("tokens_for_loss", (LAWS,)),
    "OPT_PARAMS": Body("opt_params", (OPTIMUM, BY_FLOPS)),
    "OPT_TOKENS": Body("opt_tokens", (OPTIMUM, BY_FLOPS)),
    "OPT_FLOPS": Body("opt_flops", (OPTIMUM, BY_FLOPS)),
    "EFFECTIVE_TOKENS": Body("effective_tokens", (BY_DOLLARS, NO_DATA_PRICE)),
    "OPT_COST": Body("opt_cost", (OPTIMUM, BY_DOLLARS, PRICED)),
    "OPT_PLAN": Body(blocks=(OPTIMUM, BY_DOLLARS, PRICED, BOUNDED), columns=PLAN, own_rules=True),
    "TRAIN_COST": Body("training_cost", (BY_DOLLARS,)),
    "SERVE_COST": Body("serving_cost", (BY_DOLLARS,)),
    "BREAKEVEN_TOKENS": Body("breakeven_tokens", (LAWS,)),
    "COMPUTE_OVERHEAD": Body("compute_overhead", (OVERHEAD,)),
    "KAPLAN_LOSS": Body("kaplan_loss", (LAWS,)),
    "COEFFS": Body("answer"),
}
