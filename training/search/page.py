"""The page of a search: its trials, what mattered, parallel coordinates; SVG lines, no scripts.

Reads search.json; measures nothing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from store.store import Store
from store.writing import read_json, write_bytes_atomic
from training.pages.environment import environment

_WIDTH, _TOP, _BOTTOM = 640.0, 24.0, 180.0


@dataclass(frozen=True)
class Axis:
    """One vertical axis: where it stands and what its ends mean."""

    x: float
    title: str
    low: str
    high: str


def write_search_page(store: Store, folder: Path) -> Path:
    """Write reports/searches/<id>.html; returns its path."""
    found = read_json(folder / "search.json")
    axes, lines = coordinates(
        found["parameters"], [one for one in found["trials"] if one["dev_wer"] is not None]
    )
    html = environment().get_template("search.html").render(
        search=found,
        trials=sorted(found["trials"], key=lambda one: (one["dev_wer"] is None, one["dev_wer"], one["number"])),
        axes=axes,
        lines=lines,
    )  # fmt: skip
    path = store.reports_dir / "searches" / f"{folder.name}.html"
    write_bytes_atomic(path, html.encode())
    return path


def coordinates(
    keys: Sequence[str], trials: Sequence[dict[str, Any]]
) -> tuple[list[Axis], list[tuple[str, float]]]:
    """Axes, and per trial its line as SVG points with an opacity: the better, the stronger."""
    if not trials:
        return [], []
    names = [*keys, "dev WER"]
    columns = [[one["values"][key] for one in trials] for key in keys] + [[one["dev_wer"] for one in trials]]
    step = (_WIDTH - 80) / max(1, len(names) - 1)
    axes, heights = [], []
    for place, (name, column) in enumerate(zip(names, columns, strict=True)):
        spread, low, high = _spread(column)
        axes.append(Axis(40 + place * step, name, low, high))
        heights.append([_BOTTOM - (_BOTTOM - _TOP) * one for one in spread])
    ranks = {
        rank: place
        for place, rank in enumerate(sorted(range(len(trials)), key=lambda k: trials[k]["dev_wer"]))
    }
    lines = []
    for number in range(len(trials)):
        points = " ".join(
            f"{axis.x:.1f},{column[number]:.1f}" for axis, column in zip(axes, heights, strict=True)
        )
        lines.append((points, round(1.0 - 0.85 * ranks[number] / max(1, len(trials) - 1), 3)))
    return axes, lines


def _spread(column: Sequence[Any]) -> tuple[list[float], str, str]:
    """Values between 0 and 1, and the words of both ends; ranges over a factor of 20 by factors."""
    if any(isinstance(one, str | bool) for one in column):
        kinds = sorted({str(one) for one in column})
        places = {kind: place / max(1, len(kinds) - 1) for place, kind in enumerate(kinds)}
        return [places[str(one)] for one in column], kinds[0], kinds[-1]
    low, high = min(column), max(column)
    scaled = (
        [math.log(one) for one in column] if low > 0 and high / low > 20 else [float(one) for one in column]
    )
    span = (max(scaled) - min(scaled)) or 1.0
    return [(one - min(scaled)) / span for one in scaled], f"{low:.4g}", f"{high:.4g}"
