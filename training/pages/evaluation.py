"""The page of one evaluation: rates of every decoder, whether they differ, utterances to listen to, groups,
mistakes, and how the weights were picked.

Self-contained HTML without scripts or requests; every text of a corpus is escaped. Reads what is published and
measures nothing.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from native.errors import SpeechmillError
from scoring.wer import aligned
from store.pages.numbers import UNBROKEN
from store.store import Store
from store.writing import read_json
from training.decoding.recognise import DECODERS
from training.decoding.weights import weights_path
from training.evaluation.compare import comparisons_of
from training.pages.environment import DECODER_NAMES, SHORT_NAMES, environment

_SAMPLES = 5  # utterances shown of each kind
_LARGEST_SOUND = 1_500_000  # bytes of FLAC embedded per utterance
_SPEAKERS = 40  # shown at most, those of most words
_MISTAKES = 12
_EARLIER_FORMAT: dict[str, Any] = {
    "corrected": None, "interval_by": "speaker", "durations": [], "snrs": [], "confusions": {}, "comparisons": [],
    "genders": {}, "unit": "words",
}  # fmt: skip


def completed(evaluation: dict[str, Any]) -> dict[str, Any]:
    """An evaluation with empty figures for what its format did not have yet."""
    return {**_EARLIER_FORMAT, **evaluation}


def page_key(store: Store, evaluation: dict[str, Any]) -> str:
    """Hex SHA-256 of everything the page is made of: figures, comparisons, tuning, sound there or not, templates."""
    folder = store.evaluations_dir / evaluation["id"]
    weights = _weights_file(store, completed(evaluation))
    templates = Path(__file__).parent / "templates"
    files = [*sorted(folder.glob("*.json")), weights, *sorted(templates.glob("*.html")), Path(__file__)]
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.read_bytes() if file is not None and file.exists() else b"none")
    sounds = store.corpora_dir / evaluation["corpus"] / evaluation["corpus_version"]
    digest.update(str(sounds.is_dir()).encode())
    return digest.hexdigest()


def render_evaluation(store: Store, evaluation: dict[str, Any]) -> str:
    """One evaluation with its best, median and worst utterances."""
    evaluation = completed(evaluation)
    table = pq.read_table(store.evaluations_dir / evaluation["id"] / "utterances.parquet").to_pylist()
    used = [name for name in DECODERS if evaluation[name]]
    chosen = _chosen(table, used[-1])
    sounds = _sounds(store, evaluation, {row["utterance_id"] for _, rows in chosen for row in rows})
    return environment().get_template("evaluation.html").render(
        evaluation=evaluation,
        used=used,
        samples=[(title, [_sample(row, used, sounds) for row in rows]) for title, rows in chosen],
        groups=_groups(evaluation),
        mistakes=_mistakes(evaluation),
        against=comparisons_of(evaluation["id"], store),
        tuning=_tuning(store, evaluation),
    )  # fmt: skip


def _chosen(table: list[dict[str, Any]], decoder: str) -> list[tuple[str, list[dict[str, Any]]]]:
    """Some utterances of each kind, none twice."""

    def rank(row: dict[str, Any]) -> tuple[float, int, str]:
        rate = float(row[f"{decoder}_edits"]) / max(1, int(row["words"]))
        return rate, -int(row["words"]), str(row["utterance_id"])

    ranked = sorted(table, key=rank)
    count = min(_SAMPLES, max(1, len(ranked) // 3))
    middle = (len(ranked) - count) // 2
    kinds = [
        ("Worst utterances", list(reversed(ranked[-count:]))),
        ("Median utterances", ranked[middle : middle + count]),
        ("Best utterances", ranked[:count]),
    ]
    shown: set[str] = set()
    result = []
    for title, rows in kinds:
        fresh = [row for row in rows if row["utterance_id"] not in shown]
        shown |= {row["utterance_id"] for row in fresh}
        if fresh:
            result.append((title, fresh))
    return result


def _sample(row: dict[str, Any], used: Sequence[str], sounds: dict[str, str]) -> dict[str, Any]:
    heard = [
        (SHORT_NAMES[name], int(row[f"{name}_edits"]), aligned(row["reference"], row[name])) for name in used
    ]
    return {**row, "heard": heard, "sound": sounds.get(row["utterance_id"])}


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
    except SpeechmillError:
        return {}
    return sounds


def _groups(evaluation: dict[str, Any]) -> list[dict[str, Any]]:
    """The tables by speaker, gender, duration and noise: title, rows of (name, figures), rows left out."""
    speakers = sorted(evaluation["speakers"].items(), key=lambda item: (-item[1]["utterances"], item[0]))
    tables = [
        ("Gender", "gender", list(evaluation["genders"].items()), 0),
        ("Duration", "seconds", [(_range(row, "s"), row) for row in evaluation["durations"]], 0),
        ("Signal-to-noise ratio", "decibel", [(_range(row, "dB"), row) for row in evaluation["snrs"]], 0),
        ("Speakers", "speaker", speakers[:_SPEAKERS], max(0, len(speakers) - _SPEAKERS)),
    ]
    return [
        {"title": title, "name": name, "rows": rows, "left_out": left_out}
        for title, name, rows, left_out in tables
        if rows
    ]


def _range(row: dict[str, Any], unit: str) -> str:
    unit = UNBROKEN + unit
    if row["unknown"]:
        return "unknown"
    if row["from"] is None:
        return f"below {row['to']:g}{unit}"
    return f"{row['from']:g}{unit} and more" if row["to"] is None else f"{row['from']:g}–{row['to']:g}{unit}"


def _mistakes(evaluation: dict[str, Any]) -> list[dict[str, Any]]:
    """The most frequent mistakes of each decoder that has them listed."""
    return [
        {"decoder": DECODER_NAMES[name], **{kind: rows[:_MISTAKES] for kind, rows in found.items()}}
        for name in DECODERS
        if (found := evaluation["confusions"].get(name)) and any(found.values())
    ]


def _weights_file(store: Store, evaluation: dict[str, Any]) -> Path | None:
    model = evaluation["language_model"]
    return weights_path(store.runs_dir / evaluation["run"], model["lm_hash"]) if model else None


def _tuning(store: Store, evaluation: dict[str, Any]) -> dict[str, Any] | None:
    """What `tune_decoder` wrote for this run and language model, with its picture, or None."""
    path = _weights_file(store, evaluation)
    if path is None or not path.exists():
        return None
    picture = path.with_suffix(".svg")
    encoded = base64.b64encode(picture.read_bytes()).decode() if picture.exists() else None
    return {**read_json(path), "picture": encoded}
