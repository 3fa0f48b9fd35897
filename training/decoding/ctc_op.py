"""The native beam search as a TensorFlow op: inside a `tf.function`, inside a SavedModel.

    decoder = BeamSearchDecoder(alphabet, BeamSearchSettings(lm_dir="lm", n_best=3))
    texts, scores, acoustic, lm, counts = decoder(log_probs, lengths)

The op's library is built by set-up for one version of TensorFlow, named after it, and checked when it is
loaded. A SavedModel that holds the op needs `load()` in the process that opens it; the path of the language
model travels in it as it was given, made absolute. Decoding itself is in `native`; with numpy arrays and
without a graph, use `native.decode`.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import native
from training.errors import OpError

if TYPE_CHECKING:
    from native import Alphabet, Pruning

_MENDED_BY = "run scripts/setup.sh, which builds it for the TensorFlow that is installed"


class Decoded(NamedTuple):
    """Tensors of one call. Places beyond an utterance's `counts` hold "" and -inf.

    Attributes:
        texts: string [batch, n_best], best first.
        scores: float32 [batch, n_best], acoustic + alpha * lm + beta * words, natural logarithms.
        acoustic: float32 [batch, n_best], ln P(text | audio).
        lm: float32 [batch, n_best], ln P of the sentence in the language model; 0 without one.
        counts: int32 [batch], how many texts were found.
    """

    texts: Any
    scores: Any
    acoustic: Any
    lm: Any
    counts: Any


@dataclass(frozen=True)
class BeamSearchSettings:
    """`lm_dir`: folder of a language model, None decodes without. Unless
    `open_vocabulary`, only words of its lexicon are written. The others as in `native.decode`."""

    lm_dir: Path | str | None = None
    alpha: float = 0.5
    beta: float = 1.5
    beam_width: int = 100
    mode: str = "default"
    n_best: int = 1
    open_vocabulary: bool = False
    oov_penalty: float = -1.0
    oov_letter_penalty: float = -1.4
    pruning: Pruning | None = None  # what counts instead of the mode's cuts


@cache
def load() -> Any:
    """The op's module; after this, SavedModels that hold the op can be opened in this process.

    Raises:
        OpError: it was built for another TensorFlow or not at all; names what is there.
    """
    import tensorflow as tf

    folders = [Path(folder) for folder in native.__path__]
    found = [path for folder in folders for path in sorted(folder.glob("speechmill_ctc_op-tf*.so"))]
    name = f"speechmill_ctc_op-tf{tf.__version__}.so"
    path = next((path for path in found if path.name == name), None)
    if path is None:
        there = ", ".join(path.name for path in found) or "none"
        raise OpError(f"no op for TensorFlow {tf.__version__} (found: {there}); {_MENDED_BY}")
    try:
        module = tf.load_op_library(str(path))
    except tf.errors.NotFoundError as error:
        raise OpError(
            f"{path} does not load into TensorFlow {tf.__version__}: {error.message}; {_MENDED_BY}"
        ) from error
    with tf.init_scope():
        built_for = module.speechmill_built_for_tensorflow().numpy().decode()
    if built_for != tf.__version__:
        raise OpError(f"{path} was built for TensorFlow {built_for}, this is {tf.__version__}; {_MENDED_BY}")
    return module


class BeamSearchDecoder:
    """CTC beam search with a language model, as a callable on tensors. Kernels share one mapped model.

    Called with log_probs float32 [batch, frames, labels] (natural logarithms, the blank among the labels) and
    lengths int32 [batch]; `of_logits` takes what the network says before the softmax. Frames beyond a length
    are never read. Wrong shapes, NaN, an alphabet or a language model that does not fit raise
    tf.errors.InvalidArgumentError with the sentence of `native`, when the op runs.
    """

    def __init__(self, alphabet: Alphabet, settings: BeamSearchSettings | None = None) -> None:
        settings = settings or BeamSearchSettings()
        self._op = load()
        self._attributes = {
            "lm_dir": "" if settings.lm_dir is None else str(Path(settings.lm_dir).absolute()),
            "alphabet": _file_text(alphabet),
            "blank": alphabet.blank,
            "alpha": settings.alpha,
            "beta": settings.beta,
            "beam_width": settings.beam_width,
            "n_best": settings.n_best,
            "open_vocabulary": settings.open_vocabulary,
            "oov_penalty": settings.oov_penalty,
            "oov_letter_penalty": settings.oov_letter_penalty,
            **_cuts(settings),
        }

    def __call__(self, log_probs: Any, lengths: Any) -> Decoded:
        """Decodes a batch; see the class."""
        return Decoded(*self._op.speechmill_ctc_beam_search_decoder(log_probs, lengths, **self._attributes))

    def of_logits(self, logits: Any, lengths: Any) -> Decoded:
        """The same for a network's outputs before the softmax, float32 [batch, frames, labels]."""
        import tensorflow as tf

        return self(tf.nn.log_softmax(logits), lengths)


def _cuts(settings: BeamSearchSettings) -> dict[str, Any]:
    """The op's attributes of the cuts; it takes those that are missing from the mode."""
    if settings.pruning is None:
        return {"mode": settings.mode}
    names = ("label_floor", "score_threshold", "blank_skip", "doubt_labels", "crowd")
    given = {name: getattr(settings.pruning, name) for name in names}
    return {"mode": "exact"} | {name: value for name, value in given.items() if value is not None}


def _file_text(alphabet: Alphabet) -> bytes:
    """The alphabet as the text of its file, the form in which the op carries it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "alphabet.txt"
        alphabet.save(path)
        return path.read_bytes()
