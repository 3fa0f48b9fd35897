"""How the figures of a corpus are spread, as charts of its page: measures, speakers, letters, versions, refusals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from store.pages.charts import Bins, Chart
from store.pages.numbers import count, percent, share

MOST_BINS, FEWEST_BINS = 100, 20
_LETTERS_DRAWN = 100
_LINES = 20  # of counts in a table
_LETTERS_TOLD = 300
_QUANTILES = {
    "least": 0,
    "1 %": 1,
    "5 %": 5,
    "25 %": 25,
    "median": 50,
    "75 %": 75,
    "95 %": 95,
    "99 %": 99,
    "most": 100,
}
_MEASURES = (
    ("duration_s", "Duration", "s"),
    ("chars_per_s", "Speed", "letters/s"),
    ("snr_db", "Loud over quiet", "dB"),
    ("peak_dbfs", "Peak level", "dBFS"),
    ("silence_ratio", "Silence", "share"),
    ("bandwidth_hz", "Bandwidth", "Hz"),
)
_SPLITS = ("train", "dev", "test")
Values = np.ndarray[Any, np.dtype[np.float64]]


def charts_of(
    table: pd.DataFrame, versions: Sequence[Mapping[str, Any]], rejected: Mapping[str, int]
) -> list[Chart]:
    """The charts of a page.

    Args:
        table: rows with split, speaker_id, duration_s, text and the measures. versions: as `past.versions_of` tells them.
        rejected: refusals by check.
    """
    charts = []
    if len(table):
        splits = table["split"].to_numpy()
        charts += [
            histogram(title, f"{title.lower()}, {unit}", "utterances", _by_split(table[column], splits))
            for column, title, unit in _MEASURES
        ]
        minutes = table.groupby("speaker_id")["duration_s"].sum() / 60
        charts.append(
            histogram("Speech by speaker", "minutes", "speakers", {"all": minutes.to_numpy(dtype=float)})
        )
        charts.append(_letters(letters_of(table["text"])))
    if len(rejected) > 1:
        charts.append(_refusals(rejected))
    if len(versions) > 1:
        charts.append(_versions(versions))
    return charts


def histogram(title: str, along: str, up: str, values: Mapping[str, Values]) -> Chart:
    """Counts of some values by series, on even bins and, where all are above 0, on bins of even ratio.

    Values that are no finite number are left out.
    """
    kept = {name: one[np.isfinite(one)] for name, one in values.items()}
    everything = np.concatenate(list(kept.values()))
    if not len(everything):
        return Chart(title, along, up, "no value", (along,), ())
    low, high = float(everything.min()), float(everything.max())
    spread = (low, high) if high > low else (min(0.0, low), max(1.0, high))
    edges = int(np.clip(2 * np.sqrt(len(everything)), FEWEST_BINS, MOST_BINS)) // _LINES * _LINES + 1
    bins = _counted(kept, np.linspace(*spread, edges))
    ratios = (low, high) if high > low else (low / 2, low * 2)
    log_bins = _counted(kept, np.geomspace(*ratios, edges)) if low > 0 else None
    told = kept if len(kept) == 1 else {"all": everything, **kept}
    quantiles = {
        name: np.percentile(one, list(_QUANTILES.values())) for name, one in told.items() if len(one)
    }
    rows = [
        (word, *(short(found[place]) for found in quantiles.values()))
        for place, word in enumerate(_QUANTILES)
    ]
    rows += _coarse(bins, list(quantiles))
    low, middle, high = np.percentile(everything, (1, 50, 99))
    says = f"median {short(middle)}; 98 % between {short(low)} and {short(high)}"
    return Chart(title, along, up, says, (along, *quantiles), rows, bins, log_bins)


def short(value: float) -> str:
    """A figure with as many digits as it deserves."""
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.2g}" if abs(value) < 1 else f"{value:.1f}"


def letters_of(texts: pd.Series) -> list[tuple[str, int]]:
    """Letters by how often they appear, rarest last."""
    counts: Counter[str] = Counter()
    for start in range(0, len(texts), 50_000):
        counts.update("".join(texts.iloc[start : start + 50_000]))
    return sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))


def _by_split(column: pd.Series, splits: Any) -> dict[str, Values]:
    values = column.to_numpy(dtype=float)
    found = {split: values[splits == split] for split in _SPLITS}
    return {split: one for split, one in found.items() if len(one)}


def _counted(values: Mapping[str, Values], edges: Values) -> Bins:
    counts = {name: np.histogram(one, edges)[0].tolist() for name, one in values.items()}
    return Bins([float(f"{edge:.6g}") for edge in edges], counts)


def _coarse(bins: Bins, names: Sequence[str]) -> list[tuple[str, ...]]:
    """Some bins together in a line: how many lie between two figures."""
    rows = []
    step = (len(bins.edges) - 1) // _LINES
    for first in range(0, len(bins.edges) - 1, step):
        last = first + step
        counts = {name: sum(one[first:last]) for name, one in bins.counts.items()}
        if not any(counts.values()):
            continue
        told = (counts[name] if name in counts else sum(counts.values()) for name in names)
        rows.append(
            (f"{short(bins.edges[first])} to {short(bins.edges[last])}", *(count(one) for one in told))
        )
    return rows


def _letters(letters: Sequence[tuple[str, int]]) -> Chart:
    total = sum(number for _, number in letters)
    shown = [("␣" if letter == " " else letter, number) for letter, number in letters]
    return Chart(
        "Letters",
        "letter",
        "times",
        f"{len(letters)} letters, {count(total)} in all; the most frequent left",
        ("letter", "times", "share"),
        [(letter, count(number), share(number, total)) for letter, number in shown[:_LETTERS_TOLD]],
        names=[letter for letter, _ in shown[:_LETTERS_DRAWN]],
        bars={"all": [number for _, number in shown[:_LETTERS_DRAWN]]},
    )


def _refusals(rejected: Mapping[str, int]) -> Chart:
    ordered = sorted(rejected.items(), key=lambda entry: (-entry[1], entry[0]))
    return Chart(
        "Refused, by check",
        "check",
        "items",
        f"most by {ordered[0][0]}; what each says, and samples, stand above",
        ("check", "items"),
        [(check, count(number)) for check, number in ordered],
        names=[check for check, _ in ordered],
        bars={"all": [number for _, number in ordered]},
    )


def _versions(versions: Sequence[Mapping[str, Any]]) -> Chart:
    """Hours by version; versions of one minute are told apart by the beginning of their name."""
    names = [f"{one['published'][:16].replace('T', ' ')} {one['version'][:6]}" for one in versions]
    return Chart(
        "Hours, oldest version left",
        "version",
        "hours",
        f"now {versions[-1]['hours']:.2f} h, at first {versions[0]['hours']:.2f} h",
        ("version", "hours", "utterances", "refused"),
        [
            (name, f"{one['hours']:.2f}", count(one["utterances"]), percent(one["refused_share"], 1))
            for name, one in zip(names, versions, strict=True)
        ],
        names=names,
        bars={"all": [round(one["hours"], 4) for one in versions]},
    )
