"""Log-probabilities on disk: computed once, the same values as computed in memory, found again by content."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from store.opening import open_store
from store.store import Store
from training.decoding import network_outputs as module
from training.decoding.acoustic import LogProbabilities, Network
from training.decoding.network_outputs import Wanted, labels_of_run, network_outputs
from training.decoding.weights import alphabet_of_network
from training.errors import RunNotFoundError
from training.network.checkpoint import save_best
from training.network.dataset import Dataset, SplitChoice
from training.network.features import Whitening


@pytest.fixture(scope="module")
def network(tones: Any) -> Network:
    """Untrained, eight units wide."""
    from corpora.text.normaliser import default_alphabet

    config = tones.config()
    coefficients = config.features.coefficients
    whitening = Whitening(np.zeros(coefficients, np.float32), np.ones(coefficients, np.float32))
    return Network.create(config, whitening, tuple(default_alphabet().labels))


@pytest.fixture
def run_dir(tmp_path: Path, network: Network) -> Path:
    save_best(tmp_path / "run" / "checkpoints", network.checkpoint({"step": 1}, []))
    return tmp_path / "run"


@pytest.fixture
def store(tmp_path: Path, tones: Any) -> Store:
    made = open_store(tmp_path / "store")
    tones.publish(made, "tones", {"dev": tones.clips(7, 2), "test": tones.clips(5, 3, prefix="t")})
    return made


def values_of(outputs: module.NetworkOutputs) -> dict[str, Any]:
    """Utterance → its log-probabilities."""
    found = {}
    for indices, log_probs, lengths in outputs.batches():
        for place, index in enumerate(indices):
            found[outputs.utterance_ids[int(index)]] = log_probs[place, : lengths[place]]
    return found


def test_values_are_those_of_the_network(
    run_dir: Path, store: Store, network: Network, tones: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_PART_BYTES", 20_000)
    monkeypatch.setattr(module, "_CHUNK", 3)
    corpus = store.corpus("tones")
    outputs = network_outputs(run_dir, Wanted(corpus, SplitChoice("dev")), store)
    assert outputs.utterance_ids == tuple(clip.utterance_id for clip in tones.clips(7, 2))
    assert outputs.texts == tuple(clip.text for clip in tones.clips(7, 2))
    assert len(outputs.parts) > 1 and sum(outputs.parts) == 7
    assert outputs.acoustic["wall_s"] > 0 and outputs.seconds > 0
    found = values_of(outputs)
    alphabet = alphabet_of_network(network.labels)
    dataset = Dataset.from_clips(tones.clips(7, 2), alphabet, network.config.features)
    for indices, log_probs, lengths in LogProbabilities(network).of_dataset(dataset):
        for place, index in enumerate(indices):
            name = dataset.utterance_ids[int(index)]
            np.testing.assert_allclose(found[name], log_probs[place, : lengths[place]], atol=1e-4)
    assert labels_of_run(run_dir) == network.labels


def test_the_network_runs_once(run_dir: Path, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = Wanted(store.corpus("tones"), SplitChoice("test"))
    first = network_outputs(run_dir, wanted, store)

    def refuse(*_: Any) -> None:
        pytest.fail("the network ran again")

    monkeypatch.setattr(module, "_compute", refuse)
    again = network_outputs(run_dir, wanted, store)
    assert again.path == first.path
    assert {name: value.tolist() for name, value in values_of(again).items()} == {
        name: value.tolist() for name, value in values_of(first).items()
    }


def test_outputs_that_are_damaged_are_computed_again(
    run_dir: Path, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    wanted = Wanted(store.corpus("tones"), SplitChoice("test"))
    kept = network_outputs(run_dir, wanted, store)
    true = {name: value.tolist() for name, value in values_of(kept).items()}
    part = kept.path / "part-00000.npy"
    content = part.read_bytes()
    flipped = bytearray(content)
    flipped[-1] ^= 0x40
    for damage in (bytes(flipped), content[:-8], b""):
        part.write_bytes(damage)
        caplog.clear()
        again = network_outputs(run_dir, wanted, store)
        assert {name: value.tolist() for name, value in values_of(again).items()} == true
        assert "is damaged and made again" in caplog.text
    (kept.path / "index.json").write_text("{}")
    assert len(network_outputs(run_dir, wanted, store)) == 5


def test_other_rows_and_other_weights_have_a_place_of_their_own(
    run_dir: Path, store: Store, network: Network
) -> None:
    corpus = store.corpus("tones")
    everything = network_outputs(run_dir, Wanted(corpus, SplitChoice("dev")), store)
    some = network_outputs(run_dir, Wanted(corpus, SplitChoice("dev"), frozenset({"u001", "u004"})), store)
    assert some.utterance_ids == ("u001", "u004")
    assert some.path != everything.path
    network.model.trainable_variables[0].assign_add(0.01 * np.ones_like(network.model.trainable_variables[0]))
    save_best(run_dir / "checkpoints", network.checkpoint({"step": 2}, []))
    assert network_outputs(run_dir, Wanted(corpus, SplitChoice("dev")), store).path != everything.path


def test_an_interrupted_computation_leaves_nothing(
    run_dir: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = Wanted(store.corpus("tones"), SplitChoice("dev"))
    with monkeypatch.context() as broken:
        broken.setattr(module.OutputsWriter, "flush", lambda self: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            network_outputs(run_dir, wanted, store)
    assert list((store.cache_dir / "log_probs").glob("*")) == []
    assert len(network_outputs(run_dir, wanted, store)) == 7


def test_what_is_longest_unused_goes_first(tmp_path: Path) -> None:
    for age, name in enumerate(("new", "older", "oldest")):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "part-00000.npy").write_bytes(b"x" * 1000)
        (folder / "index.json").write_text("{}")
        used = time.time() - 10_000 * age
        os.utime(folder / "index.json", (used, used))
    module._drop_old(tmp_path, keep="new", limit=2500)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["new", "older"]
    module._drop_old(tmp_path, keep="new", limit=0)
    assert [path.name for path in tmp_path.iterdir()] == ["new"]


def test_a_run_without_checkpoint_is_a_sentence(tmp_path: Path, store: Store) -> None:
    wanted = Wanted(store.corpus("tones"), SplitChoice("dev"))
    for call in (lambda: network_outputs(tmp_path, wanted, store), lambda: labels_of_run(tmp_path)):
        with pytest.raises(RunNotFoundError, match="no checkpoint there"):
            call()
