"""The tuning surface as a picture: every point measured, coloured by error rate, the chosen one marked.

An SVG with a transparent ground and middle greys, to be read on light and dark pages; the same points give the
same bytes.
"""

from __future__ import annotations

import io
from typing import Any

import numpy as np

from scoring.wer import rate_name
from store.pages.numbers import percent

_GREY = "#808a94"
_CHOSEN = "#d9822b"


def surface_svg(tuned: dict[str, Any]) -> str:
    """The picture for what `tune_decoder` wrote: its `surface` at the chosen beam settings."""
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    beam = (tuned["mode"], tuned["beam_width"])
    points = [one for one in tuned["surface"] if (one["mode"], one["beam_width"]) == beam]
    alphas, betas, rates = (np.array([one[key] for one in points]) for key in ("alpha", "beta", "wer"))
    figure = Figure(figsize=(6.4, 4.0), layout="constrained")
    axes = figure.add_subplot()
    shown = {
        "cmap": "viridis_r",
        "vmin": 100 * rates.min(),
        "vmax": 100 * max(rates.max(), rates.min() + 1e-6),
    }
    if _spreads(alphas) and _spreads(betas):
        axes.tricontourf(alphas, betas, 100 * rates, levels=14, alpha=0.75, **shown)
    dots = axes.scatter(alphas, betas, c=100 * rates, s=22, edgecolors=_GREY, linewidths=0.6, **shown)
    axes.plot(
        tuned["alpha"], tuned["beta"], "*", markersize=16, color=_CHOSEN, markeredgecolor="white", zorder=3
    )
    axes.set_xlabel("alpha (language model)", color=_GREY)
    axes.set_ylabel("beta (per word)", color=_GREY)
    rate = rate_name(tuned.get("unit"))
    axes.set_title(
        f"{rate} on {tuned['split']}: {percent(tuned['wer'])} at alpha {tuned['alpha']:g}, beta {tuned['beta']:g}",
        color=_GREY,
        fontsize=10,
    )
    bar = figure.colorbar(dots, ax=axes)
    bar.set_label(f"{rate}, %", color=_GREY)
    for side in (axes, bar.ax):
        side.tick_params(colors=_GREY)
        for spine in side.spines.values():
            spine.set_edgecolor(_GREY)
    figure.patch.set_alpha(0.0)
    axes.patch.set_alpha(0.0)
    buffer = io.StringIO()
    with matplotlib.rc_context({"svg.hashsalt": "speechmill", "svg.fonttype": "none"}):
        FigureCanvasSVG(figure).print_svg(buffer, metadata={"Date": None})
    return buffer.getvalue()


def _spreads(values: np.ndarray[Any, Any]) -> bool:
    """Whether a surface can be drawn along this axis."""
    return len(np.unique(values)) > 1
