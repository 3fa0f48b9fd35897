"""The state of all runs as OpenMetrics text, for who scrapes: `python -m training metrics`. Measures nothing."""

from __future__ import annotations

from typing import Any

from store.store import Store
from training.network.curves import read_curve
from training.runs import status

_GAUGES = {
    "step": "Optimiser steps done.",
    "steps": "Optimiser steps in all.",
    "dev_wer": "Greedy word error rate on dev, a fraction.",
    "best_dev_wer": "The best of them so far.",
    "eta_s": "Seconds left.",
    "heartbeat": "Unix time at which the run last showed that it lives.",
}
_CURVE_GAUGES = {
    "loss": "CTC loss per utterance, the mean since the line before.",
    "learning_rate": "Learning rate.",
    "hours_per_hour": "Hours of speech learnt from per hour.",
    "input_bound": "Share of the time spent waiting for batches.",
    "padding": "Share of the frames that were padding.",
}


def open_metrics(store: Store) -> str:
    """One gauge per figure and run; figures a run does not have are left out."""
    states = status(store)
    newest = {state["run"]: _newest(store, state["run"]) for state in states}
    lines: list[str] = []
    for name, text in (*_GAUGES.items(), *_CURVE_GAUGES.items()):
        samples = [
            (state["run"], state["state"], value)
            for state in states
            if (value := {**newest[state["run"]], **state}.get(name)) is not None
        ]
        full = f"speechmill_training_{name.removesuffix('_s')}{'_seconds' if name.endswith('_s') else ''}"
        lines += [f"# TYPE {full} gauge", f"# HELP {full} {text}"]
        lines += [f'{full}{{run="{run}",state="{state}"}} {float(value):g}' for run, state, value in samples]
    return "\n".join([*lines, "# EOF"]) + "\n"


def _newest(store: Store, run: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for point in read_curve(store.runs_dir / run)[-50:]:
        found.update(
            {key: value for key, value in point.items() if key in _CURVE_GAUGES and value is not None}
        )
    return found
