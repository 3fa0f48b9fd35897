"""The TensorFlow op answers like `native.decode`, in graphs and SavedModels, beside every other KenLM."""

from __future__ import annotations

import itertools
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

import native
from tests.native.ctc_reference import build_language_model
from training.decoding.ctc_op import BeamSearchDecoder, BeamSearchSettings, load
from training.errors import OpError

ROOT = Path(__file__).resolve().parents[3]
LENGTHS = [14, 9, 0]


@pytest.fixture(scope="module")
def alphabet() -> native.Alphabet:
    return native.Alphabet([" ", "a", "b"])


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory, alphabet: native.Alphabet) -> Path:
    return build_language_model(
        tmp_path_factory.mktemp("op") / "lm", ["a ab", "b a", "ab b a", "aa ba b", "ba"], alphabet
    )


def log_probs(seed: int = 1) -> npt.NDArray[np.float32]:
    return np.log(np.random.default_rng(seed).dirichlet(np.ones(4), (3, 14))).astype(np.float32)


def texts_of(decoded: Any) -> list[list[str]]:
    """Texts of every utterance, those that were found."""
    rows = zip(decoded.texts.numpy(), decoded.counts.numpy(), strict=True)
    return [[text.decode() for text in row[:count]] for row, count in rows]


@pytest.mark.parametrize("with_model", [False, True])
@pytest.mark.parametrize("mode", ["exact", "default", "fast"])
def test_the_op_answers_like_the_library(
    with_model: bool, mode: str, alphabet: native.Alphabet, model: Path
) -> None:
    scorer = native.Scorer.load(model, alpha=0.7, beta=0.3) if with_model else None
    expected = native.decode(log_probs(), LENGTHS, alphabet, scorer, beam_width=20, n_best=4, mode=mode)
    settings = BeamSearchSettings(
        lm_dir=model if with_model else None, alpha=0.7, beta=0.3, beam_width=20, mode=mode, n_best=4
    )
    decoded = BeamSearchDecoder(alphabet, settings)(log_probs(), LENGTHS)
    assert texts_of(decoded) == [[one.text for one in found] for found in expected]
    for place, found in enumerate(expected):
        for attribute in ("score", "acoustic", "lm"):
            values = getattr(decoded, "scores" if attribute == "score" else attribute).numpy()[place]
            assert values[: len(found)].tolist() == [np.float32(getattr(one, attribute)) for one in found]
            assert np.all(values[len(found) :] == -np.inf)


def test_logits_are_normalised_and_a_function_traces_it(alphabet: native.Alphabet, model: Path) -> None:
    import tensorflow as tf

    decoder = BeamSearchDecoder(alphabet, BeamSearchSettings(lm_dir=model))
    shape = (tf.TensorSpec((None, None, 4), tf.float32), tf.TensorSpec((None,), tf.int32))
    traced = tf.function(decoder.of_logits, input_signature=shape)
    eager = decoder(log_probs(), LENGTHS)
    graph = traced(log_probs() + 5.0, LENGTHS)
    assert texts_of(graph) == texts_of(eager)
    np.testing.assert_allclose(graph.scores.numpy(), eager.scores.numpy(), rtol=1e-4)
    assert traced.get_concrete_function().structured_outputs.texts.shape.as_list() == [None, 1]


def test_an_open_vocabulary_writes_words_the_lexicon_lacks(alphabet: native.Alphabet, model: Path) -> None:
    sure = np.full((1, 5, 4), -9.0, np.float32)
    sure[0, np.arange(5), [2, 1, 2, 1, 2]] = -0.001
    closed = BeamSearchDecoder(alphabet, BeamSearchSettings(model))(sure, [5])
    opened = BeamSearchDecoder(alphabet, BeamSearchSettings(model, open_vocabulary=True, oov_penalty=-1.0))
    assert texts_of(closed)[0][0] != "babab"
    assert texts_of(opened(sure, [5])) == [["babab"]]


def test_errors_are_invalid_argument_with_the_librarys_sentence(
    alphabet: native.Alphabet, model: Path, tmp_path: Path
) -> None:
    import tensorflow as tf

    decoder = BeamSearchDecoder(alphabet)
    wrong = log_probs()
    wrong[1, 3, 2] = np.nan
    for action, sentence in (
        (lambda: decoder(log_probs(), [15, 1, 1]), "length 15 of utterance 0 is more than the 14 frames"),
        (lambda: decoder(log_probs(), [-1, 1, 1]), "length -1 is negative"),
        (lambda: decoder(log_probs(), [1, 1]), "2 lengths for 3 utterances"),
        (lambda: decoder(log_probs()[..., :3], LENGTHS), "log_probs have 3 labels, the alphabet has 4"),
        (lambda: decoder(wrong, LENGTHS), "utterance 1: log_probs at frame 3, label 2 is NaN"),
        (lambda: decoder(log_probs()[0], [1]), "log_probs must be"),
        (
            lambda: BeamSearchDecoder(alphabet, BeamSearchSettings(lm_dir=tmp_path))(log_probs(), LENGTHS),
            "lexicon.trie",
        ),
        (
            lambda: BeamSearchDecoder(native.Alphabet(["x"]), BeamSearchSettings(lm_dir=model))(
                log_probs()[..., :2], LENGTHS
            ),
            "alphabet",
        ),
    ):
        with pytest.raises(tf.errors.InvalidArgumentError, match=sentence):
            action()


def test_kernels_of_one_folder_share_one_mapped_model(alphabet: native.Alphabet, model: Path) -> None:
    def mapped() -> int:
        return Path("/proc/self/maps").read_text().count(str(model / "lexicon.trie"))

    before = mapped()
    decoders = [BeamSearchDecoder(alphabet, BeamSearchSettings(model, alpha)) for alpha in (0.1, 0.2, 0.3)]
    for decoder in decoders:  # another attribute, another kernel
        decoder(log_probs(), LENGTHS)
    assert mapped() <= before + 1


def test_an_op_of_another_tensorflow_is_not_loaded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "speechmill_ctc_op-tf1.15.0.so").write_bytes(b"")
    monkeypatch.setattr(native, "__path__", [str(tmp_path)])
    load.cache_clear()
    try:
        with pytest.raises(OpError, match=r"found: speechmill_ctc_op-tf1\.15\.0\.so.*scripts/setup\.sh"):
            load()
    finally:
        load.cache_clear()


SAVE = """
import sys; import tensorflow as tf; import native
from training.decoding.ctc_op import BeamSearchDecoder, BeamSearchSettings
class Module(tf.Module):
    def __init__(self):
        self.decode = BeamSearchDecoder(native.Alphabet([" ", "a", "b"]), BeamSearchSettings(sys.argv[1]))
    @tf.function(input_signature=[tf.TensorSpec((None, None, 4)), tf.TensorSpec((None,), tf.int32)])
    def __call__(self, log_probs, lengths):
        return self.decode(log_probs, lengths)._asdict()
tf.saved_model.save(Module(), sys.argv[2])
"""
OPEN = """
import sys; import numpy as np; import tensorflow as tf; from training.decoding import ctc_op
ctc_op.load()
answer = tf.saved_model.load(sys.argv[1])(np.load(sys.argv[2]), [14, 9, 0])
print([text.decode() for text in answer["texts"].numpy()[:, 0]])
"""


def run_python(code: str, *arguments: Path | str) -> str:
    command = [sys.executable, "-c", code, *map(str, arguments)]
    done = subprocess.run(command, check=False, cwd=ROOT, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


@pytest.mark.slow
def test_a_saved_model_decodes_in_a_fresh_process(
    alphabet: native.Alphabet, model: Path, tmp_path: Path
) -> None:
    np.save(tmp_path / "x.npy", log_probs())
    run_python(SAVE, model, tmp_path / "saved")
    answer = run_python(OPEN, tmp_path / "saved", tmp_path / "x.npy").strip().splitlines()[-1]
    expected = native.decode(log_probs(), LENGTHS, alphabet, native.Scorer.load(model))
    assert answer == str([found[0].text for found in expected])


STEPS = {
    "op": "from training.decoding import ctc_op; ctc_op.load()",
    "native": "import native; scorer = native.Scorer.load(sys.argv[1])",
    "kenlm": "import kenlm; model = kenlm.Model(sys.argv[1] + '/lm.binary')",
}
CHECK = """
import numpy as np
x = np.log(np.random.default_rng(1).dirichlet(np.ones(4), (3, 14))).astype(np.float32)
a = native.Alphabet([" ", "a", "b"])
theirs = ctc_op.BeamSearchDecoder(a, ctc_op.BeamSearchSettings(sys.argv[1]))(x, [14, 9, 0])
ours = native.decode(x, [14, 9, 0], a, scorer)
assert [t.decode() for t in theirs.texts.numpy()[:, 0]] == [h[0].text for h in ours]
if "kenlm" in sys.modules:
    total = sum(score for _, score, _ in scorer.score_sentence("ab b a"))
    assert abs(model.score("ab b a") - total) < 1e-4, (model.score("ab b a"), total)
print("same")
"""


@pytest.mark.slow
@pytest.mark.parametrize("order", list(itertools.permutations(["op", "native", "kenlm"])))
def test_the_op_loads_in_any_order_beside_the_module_and_the_kenlm_package(
    order: tuple[str, ...], model: Path
) -> None:
    # The kenlm package lies in the environment that the decoder's benchmark makes; without it, two remain.
    packages = next((ROOT / "build/peers/pyctcdecode").glob("lib/python3*/site-packages/kenlm*.so"), None)
    if packages is None:
        order = tuple(step for step in order if step != "kenlm")
    path = f"import sys; sys.path.append({str(packages.parent if packages else ROOT)!r})\n"
    code = path + "\n".join(STEPS[step] for step in order) + CHECK
    assert run_python(code, model).strip().endswith("same")
