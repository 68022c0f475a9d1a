"""Two hundred synthetic tables of training runs, made from a seed, for judging a fit.

Five designs of experiment take turns; noise, outliers and the true law are drawn from the seed.
The order of the random draws is part of the definition: changing it changes every data set, and
with it the objectives recorded in ``data/fit_reference.csv``.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

SEEDS = range(200)
NOISE_LEVELS = (0.0, 1e-3, 1e-2)
"""Standard deviations of the log loss: none, 0.1 % and 1 %."""

TOKENS_PER_PARAMETER = {
    151e6: (10, 15, 20, 30, 50, 75, 100, 250, 500, 1000, 5000, 10000),
    367e6: (10, 15, 20, 30, 50, 75, 100, 250, 500, 1000),
    749e6: (10, 15, 20, 30, 50, 75, 100, 250, 500),
    1.26e9: (10, 15, 20, 30, 50, 75, 100, 250),
    2.46e9: (10, 15, 20, 50, 100, 250, 500),
    6.05e9: (20,),
}
"""The 47 runs of Sardana et al. (arXiv 2401.00448), Table 4: params -> tokens per parameter."""


@dataclass(frozen=True)
class DataSet:
    """One table of runs: ``x`` = log params, ``y`` = log tokens, ``t`` = log loss."""

    seed: int
    design: str
    noise: float
    has_outliers: bool
    true_law: tuple[float, float, float, float, float]
    """A, B, E, alpha, beta."""
    x: Array
    y: Array
    t: Array

    @property
    def runs(self) -> tuple[Array, Array, Array]:
        """params, tokens, losses."""
        return np.exp(self.x), np.exp(self.y), np.exp(self.t)


def table_4() -> tuple[Array, Array]:
    """Lay out params and tokens of the 47 runs of Sardana et al., Table 4."""
    pairs = [
        (params, params * ratio)
        for params, ratios in TOKENS_PER_PARAMETER.items()
        for ratio in ratios
    ]
    params, tokens = np.array(pairs).T
    return params, tokens


def iso_flops() -> tuple[Array, Array]:
    """Five compute budgets, six sizes on each: 30 runs."""
    flops = np.logspace(18.5, 21.5, 5)[:, None]
    params = np.sqrt(flops / 120) * np.exp(np.linspace(-1.5, 1.5, 6))[None]
    tokens = flops / 6 / params
    return params.ravel(), tokens.ravel()


def scattered(rng: np.random.Generator) -> tuple[Array, Array]:
    """10 to 30 runs of random size, at 3 to 1,000 tokens per parameter."""
    count = rng.integers(10, 31)
    params = 10 ** rng.uniform(7.5, 10, count)
    tokens = params * 10 ** rng.uniform(0.5, 3, count)
    return params, tokens


def small_grid(rng: np.random.Generator) -> tuple[Array, Array]:
    """3 to 5 sizes, each trained on the same 4 or 5 token counts."""
    sizes, durations = rng.integers(3, 6), rng.integers(4, 6)
    params = np.repeat(np.logspace(7.8, 9.5, sizes), durations)
    tokens = np.tile(np.logspace(9.3, 11.5, durations), sizes)
    return params, tokens


def around_the_optimum(rng: np.random.Generator, count: int | None = None) -> tuple[Array, Array]:
    """60 to 120 runs, or ``count``, scattered around 20 tokens per parameter."""
    runs = rng.integers(60, 121) if count is None else count
    flops = 10 ** rng.uniform(18, 21.5, runs)
    params = np.sqrt(flops / 120) * np.exp(rng.normal(0, 1, runs))
    return params, flops / 6 / params


def data_set(seed: int) -> DataSet:
    """The data set of one seed; seeds 0 to 199 are the ones whose best objectives are recorded."""
    rng = np.random.default_rng(seed)
    design = ("table 4", "iso-FLOPs", "scattered", "small grid", "around the optimum")[seed % 5]
    if design == "table 4":
        params, tokens = table_4()
    elif design == "iso-FLOPs":
        params, tokens = iso_flops()
    elif design == "scattered":
        params, tokens = scattered(rng)
    elif design == "small grid":
        params, tokens = small_grid(rng)
    else:
        params, tokens = around_the_optimum(rng)
    return observe(
        seed,
        design,
        params,
        tokens,
        noise=NOISE_LEVELS[(seed // 5) % 3],
        has_outliers=(seed // 15) % 2 == 1,
        rng=rng,
    )


def observe(
    seed: int,
    design: str,
    params: Array,
    tokens: Array,
    *,
    noise: float,
    has_outliers: bool,
    rng: np.random.Generator,
) -> DataSet:
    """Draw a law and measure it at the given runs, with noise and, if asked, 5 % of outliers."""
    alpha, beta = rng.uniform(0.15, 0.6, 2)
    floor = rng.uniform(0.3, 2.5)
    size_term, data_term = rng.uniform(0.1, 1.5, 2)
    a = size_term * np.exp(alpha * np.log(params).mean())
    b = data_term * np.exp(beta * np.log(tokens).mean())
    losses = floor + a * params**-alpha + b * tokens**-beta
    count = len(params)
    t = np.log(losses) + noise * rng.normal(size=count)
    if has_outliers:
        outliers = max(1, round(0.05 * count))
        rows = rng.choice(count, outliers, replace=False)
        t[rows] += rng.uniform(0.03, 0.3, outliers) * np.where(rng.random(outliers) < 0.8, 1, -1)
    return DataSet(
        seed=seed,
        design=design,
        noise=noise,
        has_outliers=has_outliers,
        true_law=(float(a), float(b), float(floor), float(alpha), float(beta)),
        x=np.log(params),
        y=np.log(tokens),
        t=t,
    )
