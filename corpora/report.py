"""The quality report of a corpus: one self-contained HTML page that a person reads and listens to.

Everything comes from the published version: manifest, rejections and the columns of the shards. No request
leaves the page (styles, charts and sound are inside it, 3 MB at most), no script runs but the one that draws the
charts, and all corpus text is escaped. Pages about language models and training are made elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from markupsafe import escape

from corpora.faults import FAULT
from corpora.pages.clips import clipped, clips_of, records
from corpora.pages.distributions import charts_of
from corpora.pages.past import drift_of, verdicts_of, versions_of
from corpora.pages.set_aside import SHOWN, newest_s, set_aside_of
from corpora.quality.checks import CHECKS
from corpora.quality.leakage import pairs_path
from corpora.quality.refusals import CORPUS_CHECKS, IMPORT_CHECKS
from corpora.utterance import MEASURES
from corpora.versions.same_sources import published_twice
from store.corpus import Corpus
from store.errors import NotPublishedError, StoreError
from store.opening import open_store
from store.pages.charts import as_json, drawn_by, script_sources, scripts
from store.pages.environment import page_environment
from store.store import Store
from store.writing import read_json, write_bytes_atomic

SAMPLES_PER_CHECK = 20
_HEAD_LETTERS = 1000  # of a page, its policy among them
_COLUMNS = [
    "utterance_id", "split", "speaker_id", "gender", "duration_s", "text", "flags", "measures",
]  # fmt: skip


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
    flagged, accepted = clips_of(corpus, table)
    charts = charts_of(table, versions, manifest["rejected"])
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
            drift=drift_of(expected),
            verdicts=[] if audited else verdicts_of(store, corpus),
            set_aside=[] if audited else set_aside_of(store, corpus.name, corpus.version),
            set_aside_shown=SHOWN,
            twice=published_twice(store, corpus.name, manifest["sources"]),
            items=manifest["items"],
            charts=charts,
            chart_data=as_json(charts),
            chart_scripts=scripts(),
            script_sources=script_sources(),
            drawn_by=drawn_by(),
            speakers=_speakers(table),
            rejected=_rejected(corpus, manifest["rejected"], says),
            says=says,
            accepted=accepted,
            flagged=flagged,
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
    return records(top)


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
    return {"place": place, "reason": row["reason"], "text": clipped(row["text_raw"] or "")}


def checks_in_words() -> Sequence[tuple[str, str, bool]]:
    """(name, what it says, whether it rejects) of every check, for pages about the rules."""
    return [(check.name, check.says, check.rejects) for check in CHECKS]


def _drawn_by_ours(page: Path) -> bool:
    """Whether the policy at a page's head admits the scripts of today."""
    with page.open(encoding="utf-8") as text:
        return escape(script_sources()) in text.read(_HEAD_LETTERS)


def outdated_reports(store: Store | None = None) -> list[str]:
    """Names of the corpora whose page is missing, older than their current version or than what a training set aside of
    it, or drawn by other scripts than ours, which Airflow's frame would not run."""
    store = store or open_store()
    outdated = []
    for name in store.corpus_names():
        page = store.reports_dir / "corpora" / f"{name}.html"
        published_s = (store.corpora_dir / name / "current").lstat().st_mtime
        current = page.is_file() and page.stat().st_mtime > published_s and _drawn_by_ours(page)
        if not current or misses_what_was_set_aside(store, name):
            outdated.append(name)
    return outdated


def misses_what_was_set_aside(store: Store, name: str) -> bool:
    """Whether a training set something of a corpus aside since its page was written."""
    page = store.reports_dir / "corpora" / f"{name}.html"
    written_s = page.stat().st_mtime if page.is_file() else 0.0
    return newest_s(store, name, store.corpus(name).version) > written_s
