"""Pages a person reads: reports/index.html for the whole chain, reports/evaluations/<id>.html for each
evaluation.

Self-contained HTML without scripts or requests; every text of a corpus is escaped; utterances can be
listened to and their differences seen. Reads what is published and measures nothing. Corpora and language
models have pages of their own (`corpora report`, `lm report`), linked when they exist.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import jinja2
import pyarrow.parquet as pq
from rapidfuzz.distance import Levenshtein

from corpora.errors import CorporaError
from corpora.store import Store, read_json, write_bytes_atomic
from corpora.utterance import SPLITS
from training.evaluate import evaluations
from training.runs import status

_SAMPLES = 5  # utterances shown of each kind
_LARGEST_SOUND = 1_500_000  # bytes of FLAC embedded per utterance


def write_reports(store: Store | None = None) -> Path:
    """Write all pages of a store (the default one when None); returns the path of the index."""
    store = store or Store.open()
    found = evaluations(store)
    for one in found:
        page = store.reports_dir / "evaluations" / f"{one['id']}.html"
        write_bytes_atomic(page, render_evaluation(store, one).encode())
    index = store.reports_dir / "index.html"
    write_bytes_atomic(index, render_index(store, found).encode())
    return index


def render_index(store: Store, found: Sequence[dict[str, Any]]) -> str:
    """The chain on one page."""
    runs = sorted(status(store), key=lambda run: (-float(run.get("heartbeat") or 0.0), run["run"]))
    by_run = [(run["run"], [one for one in found if one["run"] == run["run"]]) for run in runs]
    measured = [(run, ones) for run, ones in by_run if ones]
    newest = [one for one in measured[0][1] if one["lm"]] if measured else []
    return _environment().get_template("index.html").render(
        corpora=[_corpus(store, name) for name in store.corpus_names()],
        language_models=[_language_model(store, name) for name in store.language_model_names()],
        runs=runs,
        measured=measured,
        largest=max(newest, key=lambda one: (one["hours"], one["id"]), default=None),
    )  # fmt: skip


def render_evaluation(store: Store, evaluation: dict[str, Any]) -> str:
    """One evaluation with its best, median and worst utterances."""
    table = pq.read_table(store.evaluations_dir / evaluation["id"] / "utterances.parquet").to_pylist()
    decoder = "lm" if evaluation["lm"] else "greedy"
    ranked = sorted(table, key=lambda row: (_rate(row, decoder), -row["words"], row["utterance_id"]))
    middle = max(0, len(ranked) // 2 - _SAMPLES // 2)
    chosen = [
        ("Worst utterances", list(reversed(ranked[-_SAMPLES:]))),
        ("Median utterances", ranked[middle : middle + _SAMPLES]),
        ("Best utterances", ranked[:_SAMPLES]),
    ]
    wanted = {row["utterance_id"] for _, rows in chosen for row in rows}
    sounds = _sounds(store, evaluation, wanted)
    return _environment().get_template("evaluation.html").render(
        evaluation=evaluation,
        samples=[(title, [_sample(row, sounds) for row in rows]) for title, rows in chosen],
        surface=_surface(store, evaluation),
    )  # fmt: skip


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["number"] = lambda value: f"{value:,}"
    environment.filters["percent"] = lambda value: "–" if value is None else f"{100 * value:.2f} %"
    environment.filters["hours"] = lambda value: f"{value:,.2f}"
    environment.filters["figure"] = lambda value: "–" if value is None else f"{value:,.4g}"
    environment.filters["width"] = lambda value: f"{min(100.0, 100 * value):.1f}%"
    return environment


def _corpus(store: Store, name: str) -> dict[str, Any]:
    corpus = store.corpus(name)
    splits = corpus.manifest["splits"]
    rejected = {check: int(count) for check, count in corpus.manifest["rejected"].items()}
    return {
        "name": name,
        "version": corpus.version,
        "page": _page(store, f"corpora/{name}.html"),
        "hours": sum(float(split["hours"]) for split in splits.values()),
        "utterances": [int(splits.get(split, {}).get("utterances", 0)) for split in SPLITS],
        "rejected": sum(rejected.values()),
        "reasons": sorted(rejected.items(), key=lambda item: (-item[1], item[0]))[:3],
    }


def _language_model(store: Store, name: str) -> dict[str, Any]:
    path = store.language_model(name)
    manifest = read_json(path / "manifest.json")
    return {
        "name": name,
        "version": path.name,
        "page": _page(store, f"language_models/{name}.html"),
        "order": manifest["order"],
        "ngrams": [f"{count:,}" for count in manifest["ngrams"]],
        "perplexity": manifest.get("perplexity"),
        "oov_rate": manifest.get("oov_rate"),
    }


def _page(store: Store, relative: str) -> str | None:
    return relative if (store.reports_dir / relative).exists() else None


def _rate(row: dict[str, Any], decoder: str) -> float:
    return float(row[f"{decoder}_edits"]) / max(1, int(row["words"]))


def _sample(row: dict[str, Any], sounds: dict[str, str]) -> dict[str, Any]:
    return {
        **row,
        "greedy": aligned(row["reference"], row["greedy"]),
        "lm": None if row["lm"] is None else aligned(row["reference"], row["lm"]),
        "sound": sounds.get(row["utterance_id"]),
    }


def aligned(reference: str, hypothesis: str) -> list[tuple[str, str, str]]:
    """Words side by side: (equal | replace | missed | added, what was said, what was heard)."""
    said, heard = reference.split(), hypothesis.split()
    result: list[tuple[str, str, str]] = []
    for block in Levenshtein.opcodes(said, heard):
        kind = {"equal": "equal", "replace": "replace", "delete": "missed", "insert": "added"}[block.tag]
        expected, found = said[block.src_start : block.src_end], heard[block.dest_start : block.dest_end]
        for index in range(max(len(expected), len(found))):
            pair = [words[index] if index < len(words) else "" for words in (expected, found)]
            result.append((kind, pair[0], pair[1]))
    return result


def _sounds(store: Store, evaluation: dict[str, Any], wanted: set[str]) -> dict[str, str]:
    """FLAC of the utterances as data: addresses; none when that corpus version is gone."""
    sounds: dict[str, str] = {}
    try:
        corpus = store.corpus(evaluation["corpus"], evaluation["corpus_version"])
        batches: Iterable[Any] = corpus.batches(
            evaluation["split"], evaluation["subset"], ["utterance_id", "audio"]
        )
        for batch in batches:
            for name, audio in zip(batch["utterance_id"].to_pylist(), batch["audio"], strict=True):
                if name not in wanted:
                    continue
                content = audio["bytes"].as_py()
                if len(content) <= _LARGEST_SOUND:
                    sounds[name] = "data:audio/flac;base64," + base64.b64encode(content).decode()
    except CorporaError:
        return {}
    return sounds


def _surface(store: Store, evaluation: dict[str, Any]) -> dict[str, Any] | None:
    """The tuning surface behind the evaluation's weights, as rows of cells, or None."""
    model = evaluation["language_model"]
    path = store.runs_dir / evaluation["run"] / f"decoder-{model['lm_hash'][:16]}.json" if model else None
    if path is None or not path.exists():
        return None
    tuned = read_json(path)
    points = {(point["alpha"], point["beta"]): point["wer"] for point in tuned["surface"]}
    low, high = min(points.values()), max(points.values())
    betas = sorted({beta for _, beta in points})

    def cell(alpha: float, beta: float) -> dict[str, Any] | None:
        if (alpha, beta) not in points:
            return None
        wer = points[alpha, beta]
        return {"wer": wer, "share": round(100 * (high - wer) / max(1e-9, high - low))}

    rows = [
        (alpha, [cell(alpha, beta) for beta in betas]) for alpha in sorted({alpha for alpha, _ in points})
    ]
    return {"split": tuned["split"], "utterances": tuned["utterances"], "betas": betas, "rows": rows}
