"""What is expected of a corpus as a whole, and beside the version before it: figures of one row, each with its bounds.

A figure is a function that answers a `Figure`; write it below and it is asked, told and shown. Bounds of drift are
learnt from the version before: how much its own halves differ by chance.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
DRIFTING = ("duration_s", "chars_per_s", "snr_db", "peak_dbfs", "silence_ratio", "bandwidth_hz")
LEAST_DRIFT = 0.1  # a population stability index below it is called stable in every textbook
_BINS = 10


@dataclass(frozen=True)
class Figure:
    """A figure of a corpus and what it may be; None = no limit on that side."""

    name: str
    says: str
    value: float
    least: float | None = None
    most: float | None = None


@dataclass(frozen=True)
class Whole:
    """All rows of a corpus without sound as columns; `before`: those of the version before, or None.

    `sampled`: the rows are some of all, which nothing can be counted by.
    """

    manifest: Any
    rows: Any
    before: Any = None
    manifest_before: Any = None
    sampled: bool = False


Maker = Callable[[Whole], Iterator[Figure]]
FIGURES: list[Maker] = []


def figure(make: Maker) -> Maker:
    """Ask this of every corpus."""
    FIGURES.append(make)
    return make


def figures(whole: Whole) -> list[Figure]:
    """All of them."""
    return [one for make in FIGURES for one in make(whole)]


@figure
def ids_are_unique(whole: Whole) -> Iterator[Figure]:
    repeated = int(whole.rows["utterance_id"].duplicated().sum())
    yield Figure("repeated_ids", "every utterance id appears once in the corpus", repeated, most=0)


@figure
def sounds_are_unique(whole: Whole) -> Iterator[Figure]:
    share = float(whole.rows["audio_sha256"].duplicated().mean()) if len(whole.rows) else 0.0
    yield Figure("repeated_sounds", "hardly any sound (1 %) appears twice", share, most=0.01)


@figure
def rows_are_those_of_the_manifest(whole: Whole) -> Iterator[Figure]:
    if whole.sampled:
        return
    off = abs(len(whole.rows) - int(whole.manifest["utterances"]))
    yield Figure("rows_off", "the shards hold as many rows as the manifest says", off, most=0)


@figure
def hours_are_those_of_the_manifest(whole: Whole) -> Iterator[Figure]:
    if whole.sampled:
        return
    off_h = abs(float(whole.rows["duration_s"].sum()) / 3600 - float(whole.manifest["hours"]))
    yield Figure("hours_off", "the shards hold as many hours as the manifest says", off_h, most=0.001)


@figure
def licences_have_their_hours(whole: Whole) -> Iterator[Figure]:
    if whole.sampled:
        return
    by_licence = whole.rows.groupby("licence")["duration_s"].sum() / 3600
    told = whole.manifest["licences"]
    off_h = max(
        (abs(float(by_licence.get(name, 0.0)) - float(hours)) for name, hours in told.items()), default=0.0
    )
    yield Figure("licence_hours_off", "each licence has the hours that the manifest says", off_h, most=0.01)


@figure
def speakers_keep_to_their_split(whole: Whole) -> Iterator[Figure]:
    if whole.manifest["split_rule"] == "utterance":
        return
    splits = whole.rows.groupby("speaker_id")["split"].nunique()
    yield Figure("shared_speakers", "no speaker is in more than one split", int((splits > 1).sum()), most=0)


@figure
def official_parts_are_complete(whole: Whole) -> Iterator[Figure]:
    found = whole.manifest["subsets"]
    for part, expected in whole.manifest.get("officials", {}).items():
        there = int(found.get(part, {}).get("utterances", 0))
        says = f"{part} has the utterances that its owner counts, or few less (90 %)"
        yield Figure(f"official_{part}", says, there / max(1, int(expected)), least=0.9, most=1.0)


@figure
def nothing_leaks(whole: Whole) -> Iterator[Figure]:
    leakage = whole.manifest["leakage"]
    held_out = sum(
        int(split["utterances"])
        for name, split in whole.manifest["splits"].items()
        if name in ("dev", "test")
    )
    share = (int(leakage["dev"]) + int(leakage["test"])) / max(1, held_out)
    says = f"of dev and test at most 1 % are sentences of {leakage['min_words']} words or more that train has too"
    yield Figure("leaked_sentences", says, share, most=0.01)


@figure
def it_did_not_shrink(whole: Whole) -> Iterator[Figure]:
    earlier = int(whole.manifest_before["utterances"]) if whole.manifest_before is not None else 0
    if earlier:
        share = int(whole.manifest["utterances"]) / earlier
        yield Figure(
            "rows_against_before", "it has at least 90 % of the rows of the version before", share, least=0.9
        )


@figure
def measures_do_not_drift(whole: Whole) -> Iterator[Figure]:
    if whole.before is None or len(whole.before) < 2 * _BINS:
        return
    for name in DRIFTING:
        before, now = _known(whole.before[name]), _known(whole.rows[name])
        if len(before) < 2 * _BINS or not len(now):
            continue
        halves = stability(before[::2], before[1::2])
        most = max(LEAST_DRIFT, 3 * halves)
        says = f"{name} is spread as in the version before (its own halves differ by {halves:.3f})"
        yield Figure(f"drift_{name}", says, stability(before, now), most=most)


@figure
def letters_do_not_drift(whole: Whole) -> Iterator[Figure]:
    if whole.before is None or len(whole.before) < 2 * _BINS:
        return
    texts = whole.before["text"].to_numpy()
    halves = _letter_distance(texts[::2], texts[1::2])
    distance = _letter_distance(texts, whole.rows["text"].to_numpy())
    says = f"letters are as frequent as in the version before (its own halves differ by {halves:.3f})"
    yield Figure("drift_letters", says, distance, most=max(0.05, 3 * halves))


def stability(before: Floats, now: Floats) -> float:
    """The population stability index over the deciles of `before`: 0 = the same spread."""
    edges = np.unique(np.quantile(before, np.linspace(0, 1, _BINS + 1)[1:-1]))
    shares = [
        np.bincount(np.searchsorted(edges, one), minlength=len(edges) + 1) / len(one) for one in (before, now)
    ]
    old, new = (np.maximum(one, 1e-4) for one in shares)
    return float(((new - old) * np.log(new / old)).sum())


def _known(column: Any) -> Floats:
    values: Floats = column.to_numpy(dtype=float)
    return values[np.isfinite(values)]


def _letter_distance(before: Any, now: Any) -> float:
    """Half the sum of the differences between the letters' shares: 0 = the same, 1 = none in common."""
    shares = []
    for texts in (before, now):
        points = np.frombuffer("".join(texts).encode("utf-32-le"), dtype=np.uint32)
        letters, counts = np.unique(points, return_counts=True)
        shares.append(dict(zip(letters.tolist(), (counts / max(1, len(points))).tolist(), strict=True)))
    old, new = shares
    return float(0.5 * sum(abs(new.get(one, 0.0) - old.get(one, 0.0)) for one in old.keys() | new.keys()))
