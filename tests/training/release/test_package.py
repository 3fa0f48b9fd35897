"""From a run to a package, its exports and back: forms against the network, ids, damage, reproduction."""

from __future__ import annotations

import errno
import json
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from store.errors import StoreError
from store.store import Store
from store.writing import read_json
from training.decoding.acoustic import LogProbabilities, Network, load_network
from training.errors import CheckpointError, RunNotFoundError
from training.evaluation.evaluate import EvaluationRequest, evaluate
from training.network.config import ModelConfig
from training.network.features import Float, Whitening
from training.release import forms
from training.release.errors import ExportError
from training.release.export import ExportRequest, export
from training.release.package import ReleaseRequest, checkpoint_of, release, release_for, weights_only
from training.release.registry import Model, Registry, check_package
from training.release.reproduce import differences, reproduce
from training.release.verify import Agreement, Reference, check
from training.runs import run_id_for, train_in_store


@pytest.fixture(scope="module")
def run(tone_store: Store, tones: Any) -> str:
    """A small run in the store."""
    train_in_store(tones.config(), tone_store)
    return run_id_for(tones.config(), tone_store)


@pytest.fixture(scope="module")
def model(tone_store: Store, run: str) -> Model:
    """Its package, with an evaluation, without a language model."""
    evaluate(EvaluationRequest(model=run, corpus="tones"), tone_store)
    return release(ReleaseRequest(run), tone_store)


@pytest.fixture(scope="module")
def network(tone_store: Store, run: str) -> Network:
    return load_network(tone_store.runs_dir / run)


def uneven_batch(network: Network) -> tuple[Float, Any]:
    """Features of three lengths, with rubbish in the padding."""
    generator = np.random.default_rng(4)
    features = generator.normal(size=(3, 60, network.config.features.coefficients)).astype(np.float32)
    return features, np.array([60, 33, 1], np.int32)


def expected(network: Network, features: Float, lengths: Any) -> list[Float]:
    """What the network says of each utterance alone."""
    probabilities = LogProbabilities(network)
    white = network.whitening.apply(features)
    return [
        probabilities._forward(white[row : row + 1, :length], np.array([length], np.int32))[0]
        for row, length in enumerate(lengths)
    ]


def test_the_graph_computes_what_the_network_computes_whatever_the_padding(network: Network) -> None:
    features, lengths = uneven_batch(network)
    forward = forms.onnx_forward(forms.onnx_bytes(network.checkpoint({"step": 0}, [])))
    answers = forward(features, lengths)
    for row, alone in enumerate(expected(network, features, lengths)):
        np.testing.assert_allclose(answers[row, : lengths[row]], alone, atol=2e-5)


def test_bytes_agree_with_floats_and_are_a_quarter_of_the_size(tones: Any) -> None:
    wide = replace(tones.config(), model=ModelConfig(n_hidden=96))
    whitening = Whitening(np.zeros(26, np.float32), np.ones(26, np.float32))
    network = Network.create(wide, whitening, ("a", "b", " "))
    checkpoint = network.checkpoint({"step": 0}, [])
    floats, small = forms.onnx_bytes(checkpoint), forms.onnx_bytes(checkpoint, int8=True)
    features, lengths = uneven_batch(network)
    first, second = (
        forms.onnx_forward(floats)(features, lengths),
        forms.onnx_forward(small)(features, lengths),
    )
    assert np.abs(first[0] - second[0]).max() < 0.1
    assert len(small) < 0.45 * len(floats)


def test_the_graph_of_every_kind_of_network(tones: Any) -> None:
    """Layer normalisation, a short look ahead, one direction: whole and fed."""
    whitening = Whitening(np.full(26, 0.3, np.float32), np.full(26, 2.0, np.float32))
    changes = {"direction": "unidirectional", "lookahead": 3, "layer_norm": True}
    config = replace(tones.config(), model=ModelConfig(n_hidden=12, **changes))
    network = Network.create(config, whitening, ("a", "b", " "))
    checkpoint = network.checkpoint({"step": 0}, [])
    features, lengths = uneven_batch(network)
    answers = forms.onnx_forward(forms.onnx_bytes(checkpoint))(features, lengths)
    fed = forms.streaming_forward(forms.onnx_bytes(checkpoint, streaming=True))(features, lengths)
    for row, alone in enumerate(expected(network, features, lengths)):
        np.testing.assert_allclose(answers[row, : lengths[row]], alone, atol=2e-5)
        np.testing.assert_allclose(fed[row, : lengths[row]], alone, atol=2e-5)


def test_a_network_with_two_ends_does_not_stream(network: Network) -> None:
    with pytest.raises(CheckpointError, match="both ends"):
        forms.onnx_bytes(network.checkpoint({"step": 0}, []), streaming=True)


def test_a_package_says_where_it_comes_from(model: Model, run: str) -> None:
    manifest = model.manifest
    assert (model.state, manifest["run"], manifest["model"]) == ("candidate", run, model.id)
    assert manifest["corpora"][0]["name"] == "tones" and len(manifest["voices"]) == 3
    assert not any("train-speaker" in voice for voice in manifest["voices"])
    assert manifest["evaluations"][0]["greedy"]["wer"] >= 0
    assert manifest["checked"]["float"]["largest_difference"] < 1e-3
    card = (model.path / "card.md").read_text()
    assert model.id not in read_json(model.path / "model.json")["files"] and "| tones | v55 |" in card
    check_package(model.path)


def test_the_same_run_gives_the_same_package(tone_store: Store, model: Model, run: str) -> None:
    assert release(ReleaseRequest(run), tone_store).id == model.id
    assert list((tone_store.root / "staging" / "models").iterdir()) == []


def test_the_chain_puts_a_measured_run_in_force_once(tone_store: Store, model: Model, run: str) -> None:
    assert release_for(run, tone_store, "measured").state == "released"
    before = len(Registry(tone_store).history())
    release_for(run, tone_store, "measured again")
    assert len(Registry(tone_store).history()) == before


def test_a_package_holds_the_network_and_no_optimiser(model: Model, network: Network) -> None:
    stored = checkpoint_of(model)
    ours = weights_only(network.checkpoint({"step": 0}, []))
    assert stored.arrays.keys() == ours.arrays.keys()
    assert all(np.array_equal(stored.arrays[name], ours.arrays[name]) for name in ours.arrays)


@pytest.mark.parametrize(
    "form",
    [
        "onnx",
        "onnx-int8",
        *[pytest.param(form, marks=pytest.mark.slow) for form in ("saved-model", "litert", "litert-int8")],
    ],
)
def test_every_form_is_checked_and_written(
    tone_store: Store, model: Model, tmp_path: Path, form: str
) -> None:
    if form == "saved-model":
        import native

        if not any(Path(folder).glob("speechmill_ctc_op-tf*.so") for folder in native.__path__):
            pytest.skip("the TensorFlow op is not built")
    out = tmp_path / form
    answer = export(ExportRequest(model.id, form, out), tone_store)
    assert out.exists() and answer["bytes"] > 0
    assert answer["checked"]["same_label"] > (0.9 if "int8" in form else 0.999)
    assert [path.name for path in tmp_path.iterdir()] == [form]


@pytest.mark.slow
def test_the_same_sound_gives_the_same_text_through_every_form(
    tone_store: Store, model: Model, network: Network, tmp_path: Path
) -> None:
    import native

    def text(log_probs: Float) -> str:
        """The likeliest letters; blanks left aside, for a network of two epochs says hardly anything else."""
        labels = [label for label, _ in groupby(log_probs[:, :-1].argmax(axis=1))]
        return "".join(network.labels[label] for label in labels)

    checkpoint = checkpoint_of(model)
    ways = {
        "onnx": forms.onnx_forward(forms.onnx_bytes(checkpoint)),
        "litert": forms.litert_forward(forms.litert_bytes(network)),
    }
    if any(Path(folder).glob("speechmill_ctc_op-tf*.so") for folder in native.__path__):
        export(ExportRequest(model.id, "saved-model", tmp_path / "saved"), tone_store)
        ways["saved-model"] = forms.tensorflow_forward(str(tmp_path / "saved"))
    reference = Reference.of(network, tone_store, 4)
    expected_texts = [text(one) for one in reference.log_probs]
    assert all(expected_texts), expected_texts
    for name, forward in ways.items():
        found = [
            text(forward(one[None], np.array([len(one)], np.int32))[0, : len(one)])
            for one in reference.features
        ]
        assert found == expected_texts, name


def test_what_cannot_be_exported_is_named(tone_store: Store, tmp_path: Path) -> None:
    with pytest.raises(RunNotFoundError, match="'nothing'"):
        export(ExportRequest("nothing", "onnx", tmp_path / "x"), tone_store)
    with pytest.raises(ExportError, match="form 'pickle' is not known"):
        export(ExportRequest("nothing", "pickle", tmp_path / "x"), tone_store)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("form", ["onnx", "saved-model"])
def test_a_full_disk_leaves_no_half_export(
    tone_store: Store, model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(StoreError, match="full"):
        export(ExportRequest(model.id, form, tmp_path / "network"), tone_store)
    assert list(tmp_path.iterdir()) == []


def test_a_form_that_is_off_is_refused() -> None:
    near = Agreement(4, 100, 0.5, 0.99, 0.1, 0.1)
    with pytest.raises(ExportError, match=r"up to 0\.5000 nats"):
        check(near, "onnx", exact=True)
    check(near, "onnx-int8", exact=False)
    with pytest.raises(ExportError, match=r"only 70\.0%"):
        check(replace(near, same_label=0.7), "onnx-int8", exact=False)


def test_a_model_is_made_again_byte_for_byte(tone_store: Store, model: Model) -> None:
    answer = reproduce(model.id, tone_store)
    assert answer["same_weights"] and answer["largest_difference"] == 0.0
    assert answer["evaluations"] and all(one["same"] for one in answer["evaluations"])
    assert json.dumps(answer)


def test_what_differs_elsewhere_is_said() -> None:
    measured = {
        "corpus": "town",
        "split": "test",
        "wer": {"greedy": [0.1, 0.1], "lm": [0.05, 0.0625]},
        "same": False,
    }
    told = differences(False, [measured], {"then": "abc", "now": "def+"})
    assert len(told) == 3 and "another processor, another TensorFlow" in told[0]
    assert told[1] == "town test lm: WER 5.00% then, 6.25% now"
    assert told[2] == "the code is def+, the model was made by abc"
    assert (
        differences(True, [{**measured, "wer": {"greedy": [0.1, 0.1]}}], {"then": "abc", "now": "abc"}) == []
    )
