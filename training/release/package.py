"""A run becomes a package in the store that can be handed on: everything a recognizer needs, and where it came from.

    models/<id>/
      weights.npz                      the network, as a checkpoint without the optimiser's state
      network.onnx, network-int8.onnx  what the runtime computes, checked against the network before; of a
                                       unidirectional network the form that can be fed as sound arrives
      alphabet.txt, config.toml
      language_model/                  lm.binary, lexicon.trie, alphabet.txt, manifest.json (second names, no copies)
      card.md                          the model card
      model.json                       written last: hashes, corpora, licences, voices, evaluations, decoder

The id is a hash of model.json, which holds no clock and no path of one machine: the same run, language model and
evaluations give the same package. Decides nothing about what is in force (`registry.py`).
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from store.opening import open_store
from store.store import Store
from store.versions import version_of
from store.writing import (
    explain_write,
    fsync_tree,
    place_file,
    read_json,
    sha256_file,
    write_bytes_atomic,
    write_json_atomic,
)
from training.decoding.acoustic import Network
from training.decoding.weights import alphabet_of_network, weights_for
from training.environment import code_version
from training.errors import RunNotFoundError
from training.network.checkpoint import Checkpoint, best_checkpoint, save_best
from training.network.config import TrainingConfig, config_text, identity
from training.release import facts
from training.release.card import card_text
from training.release.forms import onnx_bytes, onnx_forward, streaming_forward
from training.release.registry import MANIFEST, Model, Registry
from training.release.verify import Agreement, Reference, check
from training.runs import corpora_of, run_dir_of, run_inputs

FORMAT = 1
WEIGHTS, CARD, LANGUAGE_MODEL = "weights.npz", "card.md", "language_model"
NETWORKS = {"float": "network.onnx", "int8": "network-int8.onnx"}
LANGUAGE_MODEL_FILES = ("lm.binary", "lexicon.trie", "alphabet.txt", "manifest.json")
_DEFAULT_LANGUAGE_MODEL = "default"


@dataclass(frozen=True)
class ReleaseRequest:
    """Which run to package, with which language model: a published name, a folder, or None for `default` where
    that is published, else none at all."""

    run: str
    language_model: str | None = None


def release(request: ReleaseRequest, store: Store | None = None) -> Model:
    """Package a run and register it as a candidate; the same inputs find the package that is there.

    Raises:
        RunNotFoundError: no such run, or it has no checkpoint. DataError: the language model is of another alphabet.
        ExportError: the ONNX form does not compute what the network computes. StoreError: the disk is full.
    """
    store = store or open_store()
    run_dir = run_dir_of(store, request.run)
    checkpoint = best_checkpoint(run_dir / "checkpoints")
    if checkpoint is None:
        raise RunNotFoundError(f"{run_dir}: no checkpoint there; has the run got through its first epoch?")
    lm_dir = _language_model(request, store)
    staged = store.staging_dir(f"models/{run_dir.name}")
    try:
        manifest = _write(run_dir, checkpoint, lm_dir, (store, staged))
        model = version_of(manifest)
        manifest = {**manifest, "model": model}
        write_bytes_atomic(staged / CARD, card_text(manifest).encode())
        manifest["files"][CARD] = _file(staged / CARD)
        write_json_atomic(staged / MANIFEST, manifest)
        _publish(staged, store.root / "models" / model)
    finally:
        shutil.rmtree(staged, ignore_errors=True)
    registry = Registry(store)
    registry.register(model, f"packaged from run {run_dir.name}")
    return registry.model(model)


def release_for(run: str, store: Store, why: str) -> Model:
    """Package a run and put it in force unless it is: what the chain calls when it has measured a run."""
    model = release(ReleaseRequest(run), store)
    if model.state != "released":
        Registry(store).promote(model.id, why)
    return Registry(store).model(model.id)


def checkpoint_of(model: Model) -> Checkpoint:
    """The network of a package.

    Raises:
        CheckpointError: the file is missing or damaged.
    """
    from training.network.checkpoint import load_checkpoint

    return load_checkpoint(model.path / WEIGHTS)


def weights_only(checkpoint: Checkpoint) -> Checkpoint:
    """A checkpoint without what only further training needs."""
    arrays = {
        name: value
        for name, value in checkpoint.arrays.items()
        if name.startswith("model/") and "random_state" not in name
    }
    kept = ("step", "config", "whitening", "labels")
    return Checkpoint(arrays, {key: checkpoint.meta[key] for key in kept})


def weights_hash(checkpoint: Checkpoint) -> str:
    """Hex SHA-256 of all weights, names and shapes included."""
    import hashlib

    digest = hashlib.sha256()
    for name, value in sorted(weights_only(checkpoint).arrays.items()):
        digest.update(
            f"{name} {value.shape} {value.dtype}\n".encode() + np.ascontiguousarray(value).tobytes()
        )
    return digest.hexdigest()


def _language_model(request: ReleaseRequest, store: Store) -> Path | None:
    named = request.language_model
    if named is None:
        named = _DEFAULT_LANGUAGE_MODEL if _DEFAULT_LANGUAGE_MODEL in store.language_model_names() else None
    if named is None:
        return None
    path = Path(named)
    return path.resolve() if (path / "manifest.json").is_file() else store.language_model(named)


def _write(
    run_dir: Path, checkpoint: Checkpoint, lm_dir: Path | None, places: tuple[Store, Path]
) -> dict[str, Any]:
    """All files but card and model.json into the staged folder; model.json's content."""
    store, staged = places
    network = Network.of_checkpoint(checkpoint)
    decoder, described = _decoder(network, run_dir, lm_dir)
    save_best(staged, weights_only(checkpoint)).rename(staged / WEIGHTS)
    agreements = _write_networks(network, checkpoint, (store, staged))
    alphabet_of_network(network.labels).save(staged / "alphabet.txt")
    write_bytes_atomic(staged / "config.toml", config_text(network.config).encode())
    for name in LANGUAGE_MODEL_FILES if lm_dir else ():
        place_file(Path(str(lm_dir)) / name, staged / LANGUAGE_MODEL / name)
    names = sorted(str(path.relative_to(staged)) for path in staged.rglob("*") if path.is_file())
    return {
        **_origins(network.config, store, run_dir),
        "kind": "model",
        "format": FORMAT,
        "step": checkpoint.step,
        "weights_hash": weights_hash(checkpoint),
        "parameters": int(sum(value.size for value in weights_only(checkpoint).arrays.values())),
        "labels": list(network.labels),
        "alphabet_hash": alphabet_of_network(network.labels).hash,
        "front_end": front_end(network),
        "language_model": described,
        "decoder": decoder,
        "checked": {name: one.as_json() for name, one in agreements.items()},
        "files": {name: _file(staged / name) for name in names},
    }


def front_end(network: Network) -> dict[str, Any]:
    """What turns samples into the network's input, as JSON; whitening is done inside the ONNX graph."""
    f = network.config.features
    return {
        "sample_rate_hz": f.sample_rate_hz,
        "window_s": f.window_s,
        "hop_s": f.hop_s,
        "mel_filters": f.mel_filters,
        "low_hz": f.low_hz,
        "coefficients": f.coefficients,
        "context": f.context,
    }


def _decoder(
    network: Network, run_dir: Path, lm_dir: Path | None
) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
    """The search's weights and the language model's identity; both None without one."""
    if lm_dir is None:
        return None, None
    import native

    scorer = native.Scorer.load(lm_dir)
    alphabet_of_network(network.labels, scorer)
    manifest = read_json(lm_dir / "manifest.json")
    described = {
        "name": manifest.get("name") or lm_dir.parent.name,
        "version": manifest.get("version") or lm_dir.name,
        "lm_hash": scorer.lm_hash,
        "manifest_sha256": sha256_file(lm_dir / "manifest.json"),
    }
    return weights_for(run_dir, scorer.lm_hash).as_json(), described


def _write_networks(
    network: Network, checkpoint: Checkpoint, places: tuple[Store, Path]
) -> dict[str, Agreement]:
    """The ONNX files, each checked before it is kept."""
    store, staged = places
    reference = Reference.of(network, store)
    agreements = {}
    streaming = network.config.model.direction == "unidirectional"
    for form, name in NETWORKS.items():
        data = onnx_bytes(checkpoint, int8=form == "int8", streaming=streaming)
        agreements[form] = reference.compare(streaming_forward(data) if streaming else onnx_forward(data))
        check(agreements[form], f"ONNX {form}", exact=form == "float")
        write_bytes_atomic(staged / name, data)
    return agreements


def _origins(config: TrainingConfig, store: Store, run_dir: Path) -> dict[str, Any]:
    """Where the weights come from."""
    trained_on = run_inputs(run_dir).get("corpora", {})
    pinned = replace(
        config.data, corpora=tuple(f"{name}@{version}" for name, version in sorted(trained_on.items()))
    )
    corpora = corpora_of(replace(config, data=pinned) if trained_on else config, store)
    described = [facts.corpus_facts(corpus, config) for corpus in corpora]
    languages = sorted({str(corpus.manifest.get("language", "en")) for corpus in corpora})
    return {
        "run": run_dir.name,
        "language": " ".join(languages),
        "seed": config.seed,
        "config_hash": identity(config),
        "config": json.loads(json.dumps(config, default=vars)),
        "corpora": described,
        "hours_by_corpus": {one["name"]: one["train_hours"] for one in described},
        "licences": facts.licences_of(described),
        "may_redistribute": all(one["may_redistribute"] for one in described),
        "voices": facts.voices_of(corpora, config.data.train_split),
        "evaluations": facts.evaluations_of_run(run_dir.name, store),
        "code_version": code_version(),
    }


def _file(path: Path) -> dict[str, Any]:
    return {"bytes": path.stat().st_size, "sha256": sha256_file(path)}


def _publish(staged: Path, target: Path) -> None:
    """Give the finished folder its name; one that is there already, whole, stays."""
    with explain_write(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        if (target / MANIFEST).is_file():
            return
        fsync_tree(staged)
        shutil.rmtree(target, ignore_errors=True)
        staged.rename(target)
