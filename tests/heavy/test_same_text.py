"""One sound file through every form a model is exported in: the same words, one by one, at the same times; fed too."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.heavy.spoken_model import released_model, say, sentences
from training.network.features import Float
from training.release import forms
from training.release.commands import FORMS
from training.release.export import ExportRequest, export
from training.runtime.live import Heard, hear_live
from training.runtime.network import open_network
from training.runtime.package import Package
from training.runtime.recognizer import Recognizer, RecognizerOptions, Word
from training.runtime.sound import facts_of, pieces_of

NEAR_S = 0.061  # three frames: bytes and floats may change places within a letter
WHOLE = tuple(
    form for form in FORMS if form != "onnx-streaming"
)  # that one is for networks that look back only

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(1200),  # a network is trained
    pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="espeak-ng is not installed"),
]


class Formed:
    """An exported form in the place of the recognizer's network."""

    def __init__(self, form: str, path: Path) -> None:
        self.texts: list[str] = []  # what a form with a search of its own wrote
        self.form = form
        if form == "saved-model":
            forward = forms.tensorflow_forward(str(path))
            self._module = forward.module  # type: ignore[attr-defined]
            self._forward = self._saved
        elif form.startswith("litert"):
            self._forward = forms.litert_forward(path.read_bytes())
        else:
            opened = open_network(path)
            self._forward = lambda features, lengths: opened.log_probs([features[0]])[0][None]

    def _saved(self, features: Float, lengths: Any) -> Float:
        answer = self._module.recognise(features, lengths)
        self.texts.append(answer["texts"].numpy()[0, 0].decode())
        return np.asarray(answer["log_probs"])

    def log_probs(self, stretches: list[Float]) -> list[Float]:
        """One stretch at a time, as every form can."""
        return [
            np.asarray(self._forward(one[None], np.array([len(one)], np.int32)))[0, : len(one)]
            for one in stretches
        ]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Any, Path, list[str]]:
    folder = tmp_path_factory.mktemp("forms")
    store, model = released_model(folder)
    said = sentences(4)
    return store, model, say(". ".join(said), folder / "said.wav"), " ".join(said).split()


@pytest.fixture(scope="module")
def looking_back(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Any, Path, list[str]]:
    folder = tmp_path_factory.mktemp("looking_back")
    store, model = released_model(folder, "unidirectional")
    said = sentences(4)
    return store, model, say(". ".join(said), folder / "said.wav"), " ".join(said).split()


def heard(package: Package, sound: Path, network: Formed) -> list[Word]:
    recognizer = Recognizer.load(package, RecognizerOptions())
    recognizer.network = network  # type: ignore[assignment]
    pieces = pieces_of(sound, facts_of(sound), recognizer.rate_hz)
    return [word for one in recognizer.stretches(pieces) for word in one.words]


def test_the_same_file_gives_the_same_words_through_every_form(
    trained: tuple[Any, Any, Path, list[str]], tmp_path: Path
) -> None:
    import native

    if not any(Path(folder).glob("speechmill_ctc_op-tf*.so") for folder in native.__path__):
        pytest.skip("the TensorFlow op is not built")
    store, model, sound, said = trained
    package = Package.open(model.path)
    found: dict[str, list[Word]] = {}
    for form in WHOLE:
        export(ExportRequest(model.id, form, tmp_path / form), store)
        network = Formed(form, tmp_path / form)
        found[form] = heard(package, sound, network)
        if form == "saved-model":  # the search inside it writes the very words
            assert " ".join(network.texts).split() == [word.word for word in found[form]]
    expected = found["onnx"]
    words = [word.word for word in expected]
    assert len(words) >= 18 and len(set(words) & set(said)) > 0.8 * len(set(words)), words
    for form, answer in found.items():
        assert [word.word for word in answer] == words, form
        for one, other in zip(answer, expected, strict=True):
            assert abs(one.start_s - other.start_s) <= NEAR_S and abs(one.end_s - other.end_s) <= NEAR_S, form
            if "int8" not in form:
                assert one.confidence == pytest.approx(other.confidence, abs=0.01), form


def test_the_form_that_is_fed_writes_what_the_whole_form_of_the_same_network_writes(
    looking_back: tuple[Any, Any, Path, list[str]], tmp_path: Path
) -> None:
    store, model, sound, said = looking_back
    package = Package.open(model.path)
    found: dict[str, list[Word]] = {}
    for form in ("onnx", "onnx-streaming"):
        export(ExportRequest(model.id, form, tmp_path / form), store)
        found[form] = heard(package, sound, Formed(form, tmp_path / form))
    words = [word.word for word in found["onnx"]]
    assert len(words) >= 15 and len(set(words) & set(said)) > 0.6 * len(set(words)), words
    assert [word.word for word in found["onnx-streaming"]] == words
    for fed, whole in zip(found["onnx-streaming"], found["onnx"], strict=True):
        assert (fed.start_s, fed.end_s) == (whole.start_s, whole.end_s)
        assert fed.confidence == pytest.approx(whole.confidence, abs=0.001)

    recognizer = Recognizer.load(package, RecognizerOptions())
    recognizer.network = open_network(tmp_path / "onnx-streaming")
    samples = np.concatenate([*pieces_of(sound, facts_of(sound), recognizer.rate_hz)])
    arriving = [samples[start : start + 1600] for start in range(0, len(samples), 1600)]
    live = [word for one in hear_live(recognizer, arriving) if isinstance(one, Heard) for word in one.words]
    assert live == found["onnx-streaming"], "as it arrives, a tenth of a second at a time"
