"""Figures 1, 2 and 6 of arXiv 2401.00448, drawn from the functions."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from chinchilla_xl import laws, optimum
from chinchilla_xl.costs import SEC_6
from chinchilla_xl.elementwise import Array
from chinchilla_xl.errors import ChinchillaError, MissingExtra
from chinchilla_xl.fit import Fit

try:
    from matplotlib import colormaps
    from matplotlib.colors import LogNorm
    from matplotlib.figure import Figure
except ImportError as missing:
    raise MissingExtra("matplotlib", "figures") from missing

INPUT_SHARE = 70 / 215
"""Of a request's 215 tokens 70 are input (Sec. 6, in the reading that gives its Table 3)."""

_DEMAND = np.logspace(9, 15, 181)
_SIZES = np.logspace(8.5, 12, 141)
_LEVELS = (0.1, 0.2, 0.3, 0.5, 0.7, 0.9, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000)
_MOST_LABELS = 12
_DPI = 130


class Ratios(NamedTuple):
    """The best model over the Chinchilla-style one of the same loss: cost, size and data."""

    total: Array
    params: Array
    tokens: Array


def compute_ratios(demand: Any, style_params: Any) -> Ratios:
    """Figure 2: ratios in FLOPs (Eq. 3), for demands and Chinchilla-style sizes that broadcast."""
    return _ratios(np.asarray(demand) / 3, style_params)


def cost_ratios(demand: Any, style_params: Any) -> Ratios:
    """Figure 6: ratios in dollars (Eq. 6), with the settings of Sec. 6."""
    read = np.asarray(demand) * INPUT_SHARE
    return _ratios(SEC_6.burden(read, demand - read), style_params)


def _ratios(burden: Array, style_params: Any) -> Ratios:
    style_tokens = laws.chinchilla_tokens(style_params)
    loss = laws.loss(style_params, style_tokens)
    params, tokens = optimum.optimal(loss, burden)
    # Both objectives are N (D + R) in units of their own.
    total = params * (tokens + burden) / (style_params * (style_tokens + burden))
    return Ratios(total, params / style_params, tokens / style_tokens)


def figure_1() -> Figure:
    """A 13B Chinchilla-style model and a 7B one of its quality: same loss, different bills."""
    large, small = 13e9, 7e9
    large_tokens = laws.chinchilla_tokens(large)
    loss = laws.loss(large, large_tokens)
    small_tokens = laws.tokens_for_loss(loss, small)
    figure = Figure(figsize=(11, 4.2), layout="constrained")
    left, right = figure.subplots(1, 2)

    sizes = np.logspace(np.log10(3.2e9), 11, 400)
    left.loglog(sizes, laws.tokens_for_loss(loss, sizes), color="#1F3864")
    left.set(title=f"Models of loss {loss:.3f}", xlabel="parameters", ylabel="training tokens")
    demand = np.linspace(0, 4e12, 200)
    for params, tokens, name, colour in (
        (large, large_tokens, "13B, Chinchilla-style", "#C55A11"),
        (small, small_tokens, "7B, trained longer", "#2F75B5"),
    ):
        left.plot(params, tokens, "o", color=colour, label=f"{name}: {tokens:.3g} tokens")
        right.plot(demand, optimum.lifetime_flops(params, tokens, demand), color=colour, label=name)
    left.legend()
    even = laws.breakeven_tokens(large, large_tokens, small, small_tokens)
    right.axvline(even, color="#7F7F7F", linestyle=":", label=f"break-even, {even:.2g} tokens")
    right.set(title="Training and inference together", xlabel="inference tokens", ylabel="FLOPs")
    right.legend()
    return figure


def figure_2() -> Figure:
    """Heat maps a to c in FLOPs."""
    return _heat_maps(compute_ratios, "FLOPs")


def figure_6() -> Figure:
    """Heat maps a to c in dollars."""
    return _heat_maps(cost_ratios, "cost")


def _heat_maps(ratios: Callable[[Any, Any], Ratios], total: str) -> Figure:
    loss = laws.loss(_SIZES, laws.chinchilla_tokens(_SIZES))
    figure = Figure(figsize=(15, 4.6), layout="constrained")
    panels = zip(
        figure.subplots(1, 3), "abc", (f"total {total}", "parameters", "training tokens"),
        ratios(_DEMAND, _SIZES[:, None]), strict=True,
    )  # fmt: skip
    for axes, letter, name, ratio in panels:
        norm = LogNorm(vmin=float(ratio.min()), vmax=float(ratio.max()))
        mesh = axes.pcolormesh(_DEMAND, loss, ratio, norm=norm, cmap="viridis", shading="auto")
        levels = [level for level in _LEVELS if ratio.min() < level < ratio.max()]
        lines = axes.contour(_DEMAND, loss, ratio, levels=levels, colors="white", linewidths=0.8)
        axes.clabel(lines, fmt=lambda value: f"{value:g}")
        bar = figure.colorbar(mesh, ax=axes, ticks=levels, format="%g")
        bar.minorticks_off()
        bar.set_label("best over Chinchilla-style")
        axes.set_xscale("log")
        axes.set(
            title=f"({letter}) {name}", xlabel="inference tokens", ylabel="loss (nats per token)"
        )
    return figure


def draw_fit(path: Path, params: Any, tokens: Any, losses: Any, found: Fit) -> None:
    """The runs and the fitted law (loss against tokens by size), and the residuals, as a PNG."""
    n, d, loss = (np.asarray(column, dtype=np.float64) for column in (params, tokens, losses))
    figure = Figure(figsize=(12, 4.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    sizes = np.unique(n)
    colours = colormaps["viridis"](np.linspace(0, 0.9, sizes.size))
    for size, colour in zip(sizes, colours, strict=True):
        here = n == size
        span = np.geomspace(d[here].min() / 1.5, d[here].max() * 1.5, 100)
        left.plot(span, laws.loss(size, span, found.law), color=colour, linewidth=1)
        left.plot(d[here], loss[here], "o", color=colour, markersize=4, label=f"{size:.3g}")
        right.plot(d[here] / n[here], found.residuals[here], "o", color=colour, markersize=4)
    left.set(
        title="Runs (points) and fitted law (lines)",
        xscale="log", xlabel="training tokens", ylabel="loss (nats per token)",
    )  # fmt: skip
    if sizes.size <= _MOST_LABELS:
        left.legend(title="parameters", fontsize="small")
    right.axhline(0, color="#7F7F7F", linewidth=0.8)
    right.set(
        title="Residuals", xscale="log", xlabel="tokens per parameter",
        ylabel="log of fitted over measured loss",
    )  # fmt: skip
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, dpi=_DPI, format="png")
    except OSError as e:
        raise ChinchillaError(f"{path} cannot be written: {e.strerror}") from None


FIGURES: dict[str, Callable[[], Figure]] = {
    "figure-1.png": figure_1,
    "figure-2.png": figure_2,
    "figure-6.png": figure_6,
}


def draw(folder: Path) -> list[Path]:
    """Draw every figure into `folder`; the paths of the files."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        paths = []
        for name, figure in FIGURES.items():
            figure().savefig(folder / name, dpi=_DPI)
            paths.append(folder / name)
    except OSError as e:
        raise ChinchillaError(f"{folder} cannot be written: {e.strerror}") from None
    return paths
