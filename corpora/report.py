"""The quality report of a corpus: one self-contained HTML page that a person reads and listens to.

Everything comes from the published version: manifest, rejections and the columns of the shards. No request
leaves the page (styles, plots and sound are inside it), no script runs, and all corpus text is escaped. Pages
about language models and training are made elsewhere.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from markupsafe import Markup

from corpora.faults import FAULT
from corpora.pages.past import drift_of, hours_drawn, verdicts_of, versions_of
from corpora.pages.pictures import picture_of
from corpora.quality.checks import CHECKS
from corpora.quality.leakage import pairs_path
from corpora.quality.refusals import CORPUS_CHECKS, IMPORT_CHECKS
from corpora.utterance import MEASURES
from corpora.versions.same_sources import published_twice
from store.corpus import Corpus
from store.errors import NotPublishedError, StoreError
from store.opening import open_store
from store.pages.environment import page_environment
from store.store import Store
from store.writing import read_json, write_bytes_atomic

ACCEPTED_SHOWN = 6
PER_FLAG_SHOWN = 2
FLAGGED_SHOWN = 16
SAMPLES_PER_CHECK = 20
LONGEST_SHOWN_S = 15.0
_BINS = 32
_COLUMNS = [
    "utterance_id", "split", "subset", "speaker_id", "gender", "duration_s", "text", "text_raw", "flags",
    "source_path", "transcript_path", "transcript_line", "measures",
]  # fmt: skip


@dataclass(frozen=True)
class Plot:
    """A distribution: its title and unit, the picture, and the figures beneath it."""

    title: str
    svg: Markup
    caption: str


_PLOTS = (
    ("duration_s", "Duration", "s"),
    ("chars_per_s", "Speed", "letters/s"),
    ("snr_db", "Loud over quiet", "dB"),
    ("peak_dbfs", "Peak level", "dBFS"),
    ("silence_ratio", "Silence", "share"),
    ("bandwidth_hz", "Bandwidth", "Hz"),
)


@cache
def environment() -> jinja2.Environment:
    """Templates of this package; everything is escaped."""
    return page_environment(Path(__file__).parent / "templates")


def render_corpus_report(
    corpus: Corpus, store: Store | None = None, audited: Mapping[str, Any] | None = None
) -> str:
    """The page of one version as HTML; of a refused one its store is named, for it does not lie where corpora do.

    `audited`: what `corpora.audit` found of a set that nobody imports; the page then speaks of that set.
    """
    manifest = corpus.manifest
    store = store or open_store(corpus.path.parents[2])
    table = _table(corpus)
    says = {check.name: check.says for check in CHECKS} | CORPUS_CHECKS | IMPORT_CHECKS
    expected = _expected(corpus)
    versions = [] if audited else versions_of(store, corpus.name)
    return (
        environment()
        .get_template("corpus.html")
        .render(
            manifest=manifest,
            audited=audited,
            leaks_across=_pairs(store, corpus.name),
            sealed_at=sealed_at(corpus.path),
            expected=expected,
            versions=versions,
            versions_drawn=hours_drawn(versions),
            drift=drift_of(expected),
            verdicts=[] if audited else verdicts_of(store, corpus),
            twice=published_twice(store, corpus.name, manifest["sources"]),
            items=manifest["items"],
            plots=[_plot(table, *entry) for entry in _PLOTS] if len(table) else [],
            letters=_letters(table["text"]),
            speakers=_speakers(table),
            rejected=_rejected(corpus, manifest["rejected"], says),
            says=says,
            accepted=_players(corpus, _some(table, ACCEPTED_SHOWN)),
            flagged=_players(corpus, _flagged(table)),
        )
    )


def sealed_at(version: Path) -> str:
    """When a version was sealed, UTC, as pages write it: `2026-11-29 19:38`."""
    sealed_s = (version / "manifest.json").stat().st_mtime
    return datetime.fromtimestamp(sealed_s, UTC).strftime("%Y-%m-%d %H:%M")


def _expected(corpus: Corpus) -> dict[str, Any] | None:
    """What `corpora.expectations` found of this version, None where nobody has looked at its rows."""
    path = corpus.path / "expectations.json"
    said: dict[str, Any] | None = read_json(path) if path.is_file() else None
    return said


def _pairs(store: Store, name: str) -> list[dict[str, Any]]:
    """What the corpus shared with the others of its store when it was sealed last."""
    path = pairs_path(store, name)
    pairs: list[dict[str, Any]] = read_json(path)["pairs"] if path.is_file() else []
    return pairs


def write_corpus_report(store: Store, corpus: Corpus) -> Path:
    """Write the page of a version to `<store>/reports/corpora/<name>/<version>.html`, which stays, and of the current
    version to `<name>.html` too; answers the path of the latter where there is one, else of the former."""
    page = render_corpus_report(corpus, store).encode()
    pinned = store.reports_dir / pinned_report(corpus.name, corpus.version)
    write_bytes_atomic(pinned, page)
    try:
        if store.corpus(corpus.name).version != corpus.version:
            return pinned
    except NotPublishedError:
        return pinned
    path = store.reports_dir / "corpora" / f"{corpus.name}.html"
    write_bytes_atomic(path, page)
    return path


def pinned_report(name: str, version: str) -> str:
    """Where the page of a version lies below the reports."""
    return f"corpora/{name}/{version}.html"


def refused_report(name: str) -> str:
    """Where the page of what the gate refused last lies below the reports."""
    return f"corpora/{name}/refused.html"


def write_refused_report(store: Store, name: str, refused: Path) -> Path:
    """Write the page of a corpus that the gate refused, from its staging; answers the path."""
    version = str(read_json(refused / "manifest.json")["version"])
    path = store.reports_dir / refused_report(name)
    write_bytes_atomic(path, render_corpus_report(Corpus(name, version, refused), store).encode())
    return path


def _table(corpus: Corpus) -> pd.DataFrame:
    """All rows without sound; `shard` and `row` say where each one stands."""
    frames = []
    for number, path in enumerate(corpus.shard_paths()):
        try:
            frame = pq.read_table(path, columns=_COLUMNS).flatten().to_pandas()
        except (OSError, pa.ArrowException) as error:
            raise StoreError(
                f"shard {path} cannot be read ({error}); run the refresh of {corpus.name} again"
            ) from error
        frames.append(frame.assign(shard=number, row=np.arange(len(frame))))
    if not frames:
        return pd.DataFrame(columns=[*_COLUMNS, *(f"measures.{m}" for m in MEASURES), "shard", "row"])
    whole: pd.DataFrame = pd.concat(frames, ignore_index=True)
    return whole.rename(columns={f"measures.{name}": name for name in MEASURES})


# --- plots -------------------------------------------------------------------------------------------------


def _plot(table: pd.DataFrame, column: str, title: str, unit: str) -> Plot:
    values = table[column].to_numpy(dtype=float)
    low, middle, high = np.percentile(values, (1, 50, 99))
    caption = f"median {_short(middle)} {unit}; 98 % between {_short(low)} and {_short(high)}"
    return Plot(f"{title}, {unit}", _histogram(values), caption)


def _short(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.2g}" if abs(value) < 1 else f"{value:.1f}"


def _histogram(values: np.ndarray[Any, Any]) -> Markup:
    """Bars of counts with their range in the tool tip; colours come from the page."""
    low, high = float(values.min()), float(values.max())
    spread = (low, high) if high > low else (min(0.0, low), max(1.0, high))
    counts, edges = np.histogram(values, bins=_BINS, range=spread)
    top = max(int(counts.max()), 1)
    bars = []
    for index, count in enumerate(counts):
        height = 80.0 * float(count) / top
        height = max(height, 1.0) if count else 0.0
        tip = f"{_short(edges[index])} to {_short(edges[index + 1])}: {int(count)}"
        bars.append(
            Markup('<rect x="{}" y="{:.1f}" width="9" height="{:.1f}"><title>{}</title></rect>').format(
                index * 10, 84 - height, height, tip
            )
        )
    ends = Markup('<text x="0" y="98">{}</text><text x="{}" y="98" text-anchor="end">{}</text>').format(
        _short(edges[0]), _BINS * 10 - 1, _short(edges[-1])
    )
    view = f"0 0 {_BINS * 10} 100"
    return Markup('<svg viewBox="{}" role="img" aria-label="{}">{}{}</svg>').format(
        view, f"counts from {_short(edges[0])} to {_short(edges[-1])}", Markup("").join(bars), ends
    )


def _letters(texts: pd.Series) -> list[tuple[str, int]]:
    """Letters by how often they appear, rarest last."""
    counts: dict[str, int] = {}
    for text in texts:
        for letter in text:
            counts[letter] = counts.get(letter, 0) + 1
    return sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))


def _speakers(table: pd.DataFrame) -> list[dict[str, Any]]:
    """The speakers with the most sound."""
    if table.empty:
        return []
    grouped = table.groupby("speaker_id").agg(
        hours=("duration_s", lambda s: s.sum() / 3600),
        utterances=("utterance_id", "size"),
        splits=("split", lambda s: ", ".join(sorted(set(s)))),
        gender=("gender", lambda s: next((g for g in s if isinstance(g, str)), "unknown")),
    )
    top = grouped.sort_values(["hours"], ascending=False, kind="stable").head(20).reset_index()
    return _records(top)


# --- rows shown --------------------------------------------------------------------------------------------


def _rejected(corpus: Corpus, counts: dict[str, int], says: dict[str, str]) -> list[dict[str, Any]]:
    """Every check with its count and up to 20 samples from all over the corpus: faults, then the most frequent."""
    samples = _rejected_samples(corpus, counts)
    return [
        {"check": check, "count": count, "says": says.get(check, ""), "samples": samples[check]}
        for check, count in sorted(counts.items(), key=lambda entry: (entry[0] != FAULT, -entry[1], entry[0]))
    ]


def _rejected_samples(corpus: Corpus, counts: dict[str, int]) -> dict[str, list[dict[str, Any]]]:
    """Rejections of each check, evenly spread; however many there are, few are held."""
    wanted = {
        check: np.unique(np.linspace(0, count - 1, min(count, SAMPLES_PER_CHECK)).round().astype(int))
        for check, count in counts.items()
    }
    seen = dict.fromkeys(counts, 0)
    samples: dict[str, list[dict[str, Any]]] = {check: [] for check in counts}
    for batch in corpus.rejection_batches(["check", "source_path", "line", "reason", "text_raw"]):
        checks = batch["check"].to_numpy(zero_copy_only=False)
        for check in wanted.keys() & set(checks):
            places = np.flatnonzero(checks == check)
            ours = wanted[check] - seen[check]
            seen[check] += len(places)
            chosen = places[ours[(ours >= 0) & (ours < len(places))]]
            samples[check] += [_sample(row) for row in batch.take(pa.array(chosen)).to_pylist()]
    return samples


def _sample(row: dict[str, Any]) -> dict[str, Any]:
    place = row["source_path"] + ("" if row["line"] is None else f":{row['line']}")
    return {"place": place, "reason": row["reason"], "text": row["text_raw"] or ""}


def _hash_order(ids: pd.Series) -> pd.Series:
    return ids.map(lambda value: hashlib.sha256(value.encode()).hexdigest())


def _some(table: pd.DataFrame, count: int) -> pd.DataFrame:
    """A few rows, always the same ones for the same corpus."""
    short = table[table["duration_s"] <= LONGEST_SHOWN_S]
    return short.assign(order=_hash_order(short["utterance_id"])).sort_values("order").head(count)


def _flagged(table: pd.DataFrame) -> pd.DataFrame:
    """Two rows for each flag that a check gives."""
    names = [check.name for check in CHECKS if not check.rejects] + [
        "duplicate_audio",
        "unusual_pace",
        "has_noise_tag",
        "end_trimmed",
    ]
    chosen: list[int] = []
    for name in names:
        rows = table[table["flags"].map(lambda flags, wanted=name: wanted in flags).astype(bool)]
        chosen += [i for i in _some(rows, PER_FLAG_SHOWN).index if i not in chosen]
    return table.loc[chosen[:FLAGGED_SHOWN]]


def _players(corpus: Corpus, rows: pd.DataFrame) -> list[dict[str, Any]]:
    """What the page needs to show and play rows."""
    paths, shown = corpus.shard_paths(), []
    for row in _records(rows):
        flac = _sound(paths[row["shard"]], row["row"])
        shown.append(
            {
                "id": row["utterance_id"],
                "speaker": row["speaker_id"],
                "split": row["split"],
                "duration_s": row["duration_s"],
                "text": row["text"],
                "raw": row["text_raw"],
                "flags": list(row["flags"]),
                "place": row["source_path"],
                "sound": "data:audio/flac;base64," + base64.b64encode(flac).decode(),
                "picture": picture_of(flac),
            }
        )
    return shown


def _records(rows: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as dictionaries by column."""
    return [{str(key): value for key, value in row.items()} for row in rows.to_dict("records")]


def _sound(path: Path, row: int) -> bytes:
    """The FLAC of one row: only its row group is read."""
    with pq.ParquetFile(path) as shard:
        for group in range(shard.num_row_groups):
            rows = shard.metadata.row_group(group).num_rows
            if row < rows:
                column: pa.ChunkedArray = shard.read_row_group(group, columns=["audio"])["audio"]
                data: bytes = column[row].as_py()["bytes"]
                return data
            row -= rows
    raise IndexError(f"{path} has no row {row}")


def checks_in_words() -> Sequence[tuple[str, str, bool]]:
    """(name, what it says, whether it rejects) of every check, for pages about the rules."""
    return [(check.name, check.says, check.rejects) for check in CHECKS]


def outdated_reports(store: Store | None = None) -> list[str]:
    """Names of the corpora whose page is missing or older than their current version."""
    store = store or open_store()
    outdated = []
    for name in store.corpus_names():
        page = store.reports_dir / "corpora" / f"{name}.html"
        published_s = (store.corpora_dir / name / "current").lstat().st_mtime
        if not page.is_file() or page.stat().st_mtime <= published_s:
            outdated.append(name)
    return outdated
