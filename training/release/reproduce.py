"""`python -m training reproduce MODEL`: train a released model again from what its package names, and compare.

On the same machine weights and evaluations come out the same to the last bit. Elsewhere another processor may round
otherwise; then the answer says how far apart the weights and the rates are. Works in `staging/`; the published run
and the package are not touched.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from store.opening import open_store
from store.store import Store
from store.writing import sha256_file
from training.environment import code_version
from training.evaluation.evaluate import EvaluationRequest, evaluate
from training.network.checkpoint import Checkpoint, best_checkpoint
from training.network.config import TrainingConfig, parse_config
from training.network.loop import train
from training.release.errors import ReleaseError
from training.release.package import LANGUAGE_MODEL, checkpoint_of, weights_hash, weights_only
from training.release.registry import Model, Registry
from training.run_state import RunState
from training.runs import load_data

log = logging.getLogger(__name__)


def reproduce(name: str | None, store: Store | None = None) -> dict[str, Any]:
    """Train and measure a model again.

    Returns:
        model, same_weights, largest_difference (of any weight), evaluations (each with before, after, same),
        differences (sentences), code (then, now).

    Raises:
        ReleaseError: a corpus of the model is not in the store, or is another by its hash.
    """
    store = store or open_store()
    model = Registry(store).model(name)
    manifest = model.manifest
    config = _config(model, store)
    run_dir = store.staging_dir(f"reproduce/{model.id}") / str(manifest["run"])
    run_dir.mkdir(exist_ok=True)
    with store.lock(f"reproduce/{model.id}"):
        with RunState(run_dir, str(manifest["run"])) as state:
            train(config, load_data(config, store), run_dir, state)
        again = best_checkpoint(run_dir / "checkpoints")
        if again is None:
            raise ReleaseError(f"{run_dir}: the training left no checkpoint")
        evaluations = [_measured(one, model, run_dir, store) for one in manifest["evaluations"]]
    same = weights_hash(again) == manifest["weights_hash"]
    code = {"then": manifest["code_version"], "now": code_version()}
    return {
        "model": model.id,
        "same_weights": same,
        "largest_difference": 0.0 if same else _apart(checkpoint_of(model), again),
        "evaluations": evaluations,
        "code": code,
        "differences": differences(same, evaluations, code),
    }


def _config(model: Model, store: Store) -> TrainingConfig:
    """The configuration in the package, on the corpora it names, all of them unchanged."""
    manifest = model.manifest
    config = parse_config(
        (model.path / "config.toml").read_text(encoding="utf-8"), f"{model.path}/config.toml"
    )
    for one in manifest["corpora"]:
        corpus = store.corpus(one["name"], one["version"])
        if sha256_file(corpus.file("manifest.json")) != one["manifest_sha256"]:
            raise ReleaseError(
                f"corpus {one['name']} {one['version']} is not the one that model {model.id} was trained on: its "
                "manifest has another hash"
            )
    names = tuple(f"{one['name']}@{one['version']}" for one in manifest["corpora"])
    return replace(config, data=replace(config.data, corpora=names))


def _measured(before: dict[str, Any], model: Model, run_dir: Path, store: Store) -> dict[str, Any]:
    """One of the model's evaluations, measured again with the package's language model and weights."""
    decoder = before["decoder"] or {}
    lm_dir = model.path / LANGUAGE_MODEL
    used = before["language_model"] or {}
    packed = (model.manifest["language_model"] or {}).get("lm_hash")
    known = lm_dir.is_dir() and used.get("lm_hash") == packed
    request = EvaluationRequest(
        model=str(run_dir),
        corpus=before["corpus"],
        language_model=str(lm_dir) if known else None,
        split=before["split"],
        subset=before["subset"],
        **{key: decoder.get(key) for key in ("alpha", "beta", "beam_width", "mode")},
    )
    found = evaluate(request, store)
    names = [name for name in ("greedy", "corrected", "lm") if name in before and found.get(name)]
    rates = {name: [before[name]["wer"], found[name]["wer"]] for name in names}
    same = all(one == other for one, other in rates.values())
    return {"corpus": before["corpus"], "split": before["split"], "wer": rates, "same": same}


def _apart(first: Checkpoint, second: Checkpoint) -> float:
    one, other = weights_only(first).arrays, weights_only(second).arrays
    if one.keys() != other.keys():
        raise ReleaseError("the network trained again has other layers: the code has changed since")
    return max(float(np.abs(np.asarray(one[name]) - np.asarray(other[name])).max()) for name in one)


def differences(same: bool, evaluations: list[dict[str, Any]], code: dict[str, str]) -> list[str]:
    """What is other than it was, a sentence each: weights (`same`), error rates (`wer`: before, after), code."""
    told = []
    if not same:
        told.append(
            "the weights differ: another processor, another TensorFlow or other code rounds otherwise"
        )
    for one in evaluations:
        for name, (before, after) in one["wer"].items():
            if before != after:
                told.append(f"{one['corpus']} {one['split']} {name}: WER {before:.2%} then, {after:.2%} now")
    if code["then"] != code["now"]:
        told.append(f"the code is {code['now']}, the model was made by {code['then']}")
    return told
