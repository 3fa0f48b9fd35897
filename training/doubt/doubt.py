"""The stage: a corpus' training rows → a table of doubt beside its version, which the page *Utterances* sorts by.

    cache/doubt/<corpus>/<version>.parquet      derived, may be deleted; one row per training row, in the corpus' order

Each row is heard by a network that did not learn from it: `folds` runs each leave one share of the sounds out (they are
runs like any other: killed, they go on; trained already, they are taken as they are), or one run is named, which
then should not have heard the corpus. The same corpus, configuration and code give the same table.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from corpora.browsing.columns import DOUBTS, HEARD
from corpora.browsing.index import doubt_path
from corpora.versions.shards import write_table
from store.corpus import Corpus
from store.errors import UsageError
from store.store import Store
from training.decoding.network_outputs import Wanted, network_outputs
from training.decoding.weights import alphabet_of_network
from training.doubt.fit import Fit, fit_of
from training.doubt.ranking import Figures, doubts, unusual_length
from training.errors import DataError
from training.network.config import TrainingConfig
from training.network.dataset import SplitChoice
from training.network.feed.folds import in_share
from training.runs import run_dir_of, run_inputs, train_in_store

log = logging.getLogger(__name__)
_COLUMNS = ["utterance_id", "audio_sha256", "speaker_id", "text", "duration_s"]
_MOST_FOLDS = 20


@dataclass(frozen=True)
class DoubtRequest:
    """What to doubt and by whose ears.

    Attributes:
        model: a run that judges all rows; None = `folds` runs, each trained by `config` without its share.
    """

    corpus: str
    version: str | None = None
    model: str | None = None
    folds: int = 3
    config: TrainingConfig | None = None


def doubt(request: DoubtRequest, store: Store) -> dict[str, Any]:
    """Hear every training row and write the table.

    Returns:
        corpus, version, path, rows, runs (that judged), heard_by_model (whether the named run learnt from this corpus),
        worst: the ten most doubtful rows with their figures.

    Raises:
        UsageError: the number of folds. DataError: the corpus has no training rows. What training raises.
    """
    corpus = store.corpus(request.corpus, request.version)
    rows = _training_rows(corpus)
    judged: dict[str, Fit] = {}
    if request.model is not None:
        folders, shares = [run_dir_of(store, request.model)], [""]
    else:
        folders, shares = _fold_runs(request, corpus, store)
    for run_dir, share in zip(folders, shares, strict=True):
        judged |= dict(_judged(run_dir, corpus, _of_share(rows, share), store))
    runs = [run_dir.name for run_dir in folders]
    table = _table(rows, judged)
    path = doubt_path(store, corpus)
    write_table(path, table.replace_schema_metadata({"runs": " ".join(runs)}))
    heard = request.model is not None and corpus.name in run_inputs(folders[0]).get("corpora", {})
    if heard:
        log.warning("run %s learnt from %s: it doubts too little of it", runs[0], corpus.name)
    order = np.argsort(-table["doubt"].to_numpy(), kind="stable")[:10]
    return {
        "corpus": corpus.name,
        "version": corpus.version,
        "path": str(path),
        "rows": table.num_rows,
        "runs": runs,
        "heard_by_model": heard,
        "worst": table.take(pa.array(order)).to_pylist(),
    }


def _training_rows(corpus: Corpus) -> dict[str, list[Any]]:
    rows: dict[str, list[Any]] = {name: [] for name in _COLUMNS}
    for batch in corpus.batches(split="train", columns=_COLUMNS):
        for name in _COLUMNS:
            rows[name] += batch[name].to_pylist()
    if not rows["utterance_id"]:
        raise DataError(f"{corpus.name} {corpus.version} has no training rows to doubt")
    return rows


def _fold_runs(request: DoubtRequest, corpus: Corpus, store: Store) -> tuple[list[Path], list[str]]:
    """The runs that each left a share out, trained now where they are missing; and the shares."""
    if not 2 <= request.folds <= _MOST_FOLDS:
        raise UsageError(f"{request.folds} folds; from 2 to {_MOST_FOLDS}")
    config = request.config or TrainingConfig()
    named = config.data.corpora or (f"{corpus.name}@{corpus.version}",)
    runs, shares = [], [f"{number}/{request.folds}" for number in range(1, request.folds + 1)]
    for share in shares:
        data = replace(config.data, corpora=named, leave_out=share)
        log.info("training without share %s", share)
        runs.append(train_in_store(replace(config, data=data), store).path)
    return runs, shares


def _of_share(rows: dict[str, list[Any]], share: str) -> frozenset[str] | None:
    if not share:
        return None
    inside = in_share(rows["audio_sha256"], share)
    return frozenset(name for name, take in zip(rows["utterance_id"], inside, strict=True) if take)


def _judged(
    run_dir: Path, corpus: Corpus, ids: frozenset[str] | None, store: Store
) -> Iterator[tuple[str, Fit]]:
    """Every row of a share with its figures, by one network."""
    import native
    from training.decoding.network_outputs import labels_of_run

    alphabet = alphabet_of_network(labels_of_run(run_dir), None)
    texts = _texts(corpus)
    outputs = network_outputs(run_dir, Wanted(corpus, SplitChoice("train"), ids), store)
    for indices, log_probs, lengths in outputs.batches():
        heard = native.greedy(log_probs, lengths, alphabet)
        for place, index in enumerate(indices):
            name = outputs.utterance_ids[int(index)]
            frames = log_probs[place, : lengths[place]]
            yield name, fit_of(frames, texts[name], heard[place].text, alphabet)


def _texts(corpus: Corpus) -> dict[str, str]:
    """What is learnt from each training row: `text`, not what it would be scored against."""
    texts: dict[str, str] = {}
    for batch in corpus.batches(split="train", columns=["utterance_id", "text"]):
        texts |= dict(zip(batch["utterance_id"].to_pylist(), batch["text"].to_pylist(), strict=True))
    return texts


def _table(rows: dict[str, list[Any]], judged: dict[str, Fit]) -> pa.Table:
    """All judged rows in the corpus' order; too short ones for a single frame are left out."""
    kept = [number for number, name in enumerate(rows["utterance_id"]) if name in judged]
    fits = [judged[rows["utterance_id"][number]] for number in kept]
    texts = [rows["text"][number] for number in kept]
    lengths_s = np.array([rows["duration_s"][number] for number in kept], np.float64)
    pace = np.array([len(text) for text in texts]) / np.maximum(lengths_s, 1e-3)
    figures = Figures(
        worst=-np.array([one.worst for one in fits], np.float64),
        odd=-np.array([one.odd for one in fits], np.float64),
        pace=pace,
        speakers=[rows["speaker_id"][number] or "" for number in kept],
    )
    columns = {
        "doubt": doubts(figures),
        "doubt_fit": [one.fit for one in fits],
        "doubt_worst": [one.worst for one in fits],
        "doubt_cer": [one.cer for one in fits],
        "doubt_missing": [float(one.missing) for one in fits],
        "doubt_added": [float(one.added) for one in fits],
        "doubt_length": unusual_length(pace),
    }
    names = {"utterance_id": [rows["utterance_id"][number] for number in kept]}
    heard = {HEARD: [one.heard for one in fits], "text": texts}
    figures_of = {name: pa.array(columns[name], pa.float32()) for name in DOUBTS}
    return pa.table({**names, **figures_of, **heard})
