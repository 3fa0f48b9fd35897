"""The page of a run: curves of loss and dev error rate, speed, data, what was left out, what was changed.

Self-contained HTML without scripts; curves are drawn as SVG lines. Reads the run's folder and measures
nothing.
"""

from __future__ import annotations

import base64
import contextlib
import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from scoring.wer import aligned
from store.errors import NotPublishedError, StoreError
from store.pages.numbers import percent
from store.store import Store
from store.writing import read_json
from training.errors import ConfigError
from training.evaluation.side_by_side import sound_in
from training.network.blame import SET_ASIDE_FILES
from training.network.config import TrainingConfig, read_config
from training.network.curves import read_curve, read_worst
from training.pages.environment import environment, one_of
from training.run_state import read_state
from training.runs import run_inputs

_WIDTH, _HEIGHT, _MARGIN = 640.0, 200.0, 44.0


@dataclasses.dataclass(frozen=True)
class Curve:
    """One drawn curve: SVG points, and what its axes say."""

    title: str
    points: str
    low: str
    high: str
    steps: int
    newest: str


def render_run(store: Store, run_dir: Path) -> str:
    """The page of one run that has a state file."""
    state = read_state(run_dir) or {}
    points = read_curve(run_dir)
    newest = next((one for one in reversed(points) if one.get("hours_per_hour") is not None), None)
    curves = [
        curve_of("loss per utterance", points, "loss", _figure),
        curve_of(f"dev {one_of(state.get('dev_unit'))} error rate (greedy)", points, "dev_wer", percent),
        curve_of("learning rate", points, "learning_rate", _figure),
    ]
    return environment().get_template("run.html").render(
        state=state,
        newest=newest,
        curves=[one for one in curves if one is not None],
        inputs=run_inputs(run_dir),
        changed=changed_keys(run_dir / "config.toml"),
        before=before(store, run_dir),
        set_aside=_set_aside(run_dir),
        worst=_worst(store, run_dir),
    )  # fmt: skip


def _worst(store: Store, run_dir: Path) -> list[dict[str, Any]]:
    """The utterances of dev that were heard worst, their words side by side, with their sound where it is still there."""
    versions, split = run_inputs(run_dir).get("corpora") or {}, TrainingConfig().data.dev_split
    with contextlib.suppress(ConfigError):
        split = read_config(run_dir / "config.toml").data.dev_split
    rows = []
    for one in read_worst(run_dir):
        sound = _sound_of(store, versions, split, one["utterance_id"])
        address = None if sound is None else "data:audio/flac;base64," + base64.b64encode(sound).decode()
        rows.append({**one, "sound": address, "aligned": aligned(one["said"], one["heard"])})
    return rows


def _sound_of(store: Store, versions: dict[str, str], split: str, name: str) -> bytes | None:
    """The sound of an utterance of a split; where a run learns from several corpora, theirs stands before its name."""
    for corpus, version in versions.items():
        with contextlib.suppress(StoreError, NotPublishedError):
            found = sound_in(store.corpus(corpus, version), split, name.removeprefix(f"{corpus}/"))
            if found is not None:
                return found
    return None


def _figure(value: float) -> str:
    return f"{value:.3g}"


def curve_of(
    title: str, points: Sequence[dict[str, Any]], key: str, form: Callable[[float], str]
) -> Curve | None:
    """The curve of one figure over steps, None with fewer than two points."""
    known = [(one["step"], one[key]) for one in points if one.get(key) is not None]
    if len(known) < 2:
        return None
    last = max(step for step, _ in known) or 1
    low, high = min(value for _, value in known), max(value for _, value in known)
    span = (high - low) or 1.0
    drawn = " ".join(
        f"{_MARGIN + (_WIDTH - _MARGIN) * step / last:.1f},{10 + (_HEIGHT - 30) * (1 - (value - low) / span):.1f}"
        for step, value in known
    )
    return Curve(title, drawn, form(low), form(high), last, form(known[-1][1]))


def changed_keys(path: Path, other: Path | None = None) -> list[tuple[str, Any, Any]]:
    """(key, value, other value) of every key that is not as in `other`, or at its default; [] where one cannot be read."""
    try:
        config, against = read_config(path), TrainingConfig() if other is None else read_config(other)
    except ConfigError:
        return []
    changed: list[tuple[str, Any, Any]] = []

    def walk(value: Any, default: Any, prefix: str) -> None:
        for item in dataclasses.fields(value):
            one, theirs = getattr(value, item.name), getattr(default, item.name)
            if dataclasses.is_dataclass(one):
                walk(one, theirs, f"{item.name}.")
            elif one != theirs:
                changed.append((prefix + item.name, one, theirs))

    walk(config, against, "")
    return changed


def before(store: Store, run_dir: Path) -> dict[str, Any] | None:
    """The run that began before this one, and what is other in it: settings, and corpora with their versions."""
    began = {path.parent: path.stat().st_mtime for path in store.runs_dir.glob("*/config.toml")}
    earlier = [path for path in began if began[path] < began.get(run_dir, 0.0)]
    if not earlier:
        return None
    other = max(earlier, key=lambda path: (began[path], path.name))
    ours, theirs = (run_inputs(one).get("corpora") or {} for one in (run_dir, other))
    corpora = [
        (name, ours.get(name), theirs.get(name))
        for name in sorted({*ours, *theirs})
        if ours.get(name) != theirs.get(name)
    ]
    state = read_state(other) or {}
    settings = changed_keys(run_dir / "config.toml", other / "config.toml")
    return {"run": other.name, "dev_wer": state.get("dev_wer"), "settings": settings, "corpora": corpora}


def _set_aside(run_dir: Path) -> list[dict[str, str]]:
    """What any of the run's workers set aside, each once."""
    found: dict[str, dict[str, str]] = {}
    for path in sorted(run_dir.glob(SET_ASIDE_FILES)):
        try:
            found.update((row["utterance_id"], row) for row in read_json(path))
        except (StoreError, KeyError, TypeError):
            continue
    return list(found.values())
