"""What a model card must say of a run's origins: corpora, hours, voices, licences, code. Reads only."""

from __future__ import annotations

import hashlib
from typing import Any

from store.corpus import Corpus
from store.store import Store
from store.writing import sha256_file
from training.network.config import TrainingConfig


def corpus_facts(corpus: Corpus, config: TrainingConfig) -> dict[str, Any]:
    """Version, hash, hours and licences of a corpus that a network has learnt from."""
    manifest = corpus.manifest
    split = manifest["splits"].get(config.data.train_split, {})
    return {
        "name": corpus.name,
        "version": corpus.version,
        "manifest_sha256": sha256_file(corpus.file("manifest.json")),
        "train_hours": split.get("hours", 0.0),
        "train_utterances": split.get("utterances", 0),
        "licences": manifest.get("licences", {}),
        "may_redistribute": manifest.get("may_redistribute", True) is not False,
    }


def licences_of(corpora: list[dict[str, Any]]) -> dict[str, float]:
    """Hours by licence, over all corpora; what binds whoever passes the model on."""
    hours: dict[str, float] = {}
    for corpus in corpora:
        for licence, amount in corpus["licences"].items():
            hours[licence] = round(hours.get(licence, 0.0) + amount, 6)
    return dict(sorted(hours.items()))


def voices_of(corpora: list[Corpus], split: str) -> list[str]:
    """A pseudonym for every voice that was learnt from, sorted: twelve hex digits of corpus and speaker.

    Who knows a speaker's id can ask whether the model has heard them; the ids themselves are not handed on.
    """
    voices: set[str] = set()
    for corpus in corpora:
        if split not in corpus.splits:
            continue
        for batch in corpus.batches(split=split, columns=["speaker_id"]):
            voices |= {pseudonym(corpus.name, one) for one in batch.column(0).to_pylist() if one}
    return sorted(voices)


def pseudonym(corpus: str, speaker: str) -> str:
    """What stands for a speaker in a model's list of voices."""
    return hashlib.sha256(f"{corpus}/{speaker}".encode()).hexdigest()[:12]


def evaluations_of_run(run: str, store: Store) -> list[dict[str, Any]]:
    """The published evaluations of a run: what was measured on what, with which rates."""
    from training.evaluation.evaluate import evaluations

    kept = (
        "id",
        "corpus",
        "corpus_version",
        "split",
        "subset",
        "unit",
        "language_model",
        "decoder",
        "utterances",
        "hours",
    )
    rates = ("wer", "cer", "wer_interval")
    return [
        {
            **{key: one.get(key) for key in kept},
            **{
                name: {key: one[name][key] for key in rates}
                for name in ("greedy", "corrected", "lm")
                if one.get(name)
            },
        }
        for one in evaluations(store)
        if one["run"] == run
    ]
