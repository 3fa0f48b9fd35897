"""Perplexity against size as one inline SVG: a dot per model, a line through those that no other one beats."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

WIDTH, HEIGHT, LEFT, BOTTOM, MARGIN = 640, 320, 56, 44, 16
"""In the drawing's own units; the page scales it to its width."""


def front(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The models that are smaller than every one with a lower perplexity, by rising size."""
    kept: list[dict[str, Any]] = []
    for row in sorted(rows, key=lambda one: (one["bytes"], one["perplexity"])):
        if not kept or row["perplexity"] < kept[-1]["perplexity"]:
            kept.append(row)
    return kept


def curve(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Places of dots, line and ticks for the template; sizes on a logarithmic scale."""
    sizes = [math.log10(row["bytes"]) for row in rows]
    low, high = min(sizes), max(sizes)
    bottom, top = min(row["perplexity"] for row in rows), max(row["perplexity"] for row in rows)

    def x(row_bytes: float) -> float:
        share = (math.log10(row_bytes) - low) / ((high - low) or 1)
        return float(round(LEFT + share * (WIDTH - LEFT - MARGIN), 1))

    def y(perplexity: float) -> float:
        share = (perplexity - bottom) / ((top - bottom) or 1)
        return float(round(HEIGHT - BOTTOM - share * (HEIGHT - BOTTOM - MARGIN), 1))

    steps = range(5)
    return {
        "width": WIDTH,
        "height": HEIGHT,
        "left": LEFT,
        "bottom": HEIGHT - BOTTOM,
        "dots": [
            {"x": x(row["bytes"]), "y": y(row["perplexity"]), "order": row["order"], "title": title(row)}
            for row in rows
        ],
        "line": " ".join(f"{x(row['bytes'])},{y(row['perplexity'])}" for row in front(rows)),
        "sizes": [
            {"x": x(size), "label": f"{size / 1e6:.3g} MB"}
            for size in (10 ** (low + step / 4 * (high - low)) for step in steps)
        ],
        "perplexities": [
            {"y": y(value), "label": f"{value:.4g}"}
            for value in (bottom + step / 4 * (top - bottom) for step in steps)
        ],
    }


def title(row: dict[str, Any]) -> str:
    """A model in words."""
    pruned = f", prune {' '.join(map(str, row['prune']))}" if row["prune"] else ""
    bits = f" {row['quantise']} bits" if row["quantise"] else ""
    return f"order {row['order']}{pruned}, {row['binary']}{bits}"
