"""The decoder's weights of a run for a language model: their defaults, their file, reading it.

`runs/<run>/decoder-<lm hash>.json` is written by `tune_decoder.py` and read by whatever decodes with that
network; language model files are never changed.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from store.writing import read_json
from training.errors import DataError

if TYPE_CHECKING:
    from native import Alphabet, Scorer

DEFAULT_ALPHA = 0.93  # natural-log weights of the last DeepSpeech releases
DEFAULT_BETA = 1.18
DEFAULT_BEAM_WIDTH = 100
DEFAULT_MODE = "exact"  # nothing pruned: what is measured is the network and the model, not the search
MODES = ("exact", "default", "fast")  # the decoder's presets of pruning, from thorough to quick


@dataclass(frozen=True)
class Weights:
    """What the beam search is called with; alpha and beta weigh natural logarithms."""

    alpha: float = DEFAULT_ALPHA
    beta: float = DEFAULT_BETA
    beam_width: int = DEFAULT_BEAM_WIDTH
    mode: str = DEFAULT_MODE

    def as_json(self) -> dict[str, Any]:
        """As an evaluation names them."""
        return {"alpha": self.alpha, "beta": self.beta, "beam_width": self.beam_width, "mode": self.mode}


def weights_path(run_dir: Path, lm_hash: str) -> Path:
    """Where a run's weights for a language model lie."""
    return run_dir / f"decoder-{lm_hash[:16]}.json"


def weights_for(run_dir: Path, lm_hash: str) -> Weights:
    """The tuned weights, or the defaults when nothing was tuned."""
    path = weights_path(run_dir, lm_hash)
    if not path.exists():
        return Weights()
    chosen = read_json(path)
    return Weights(
        float(chosen["alpha"]),
        float(chosen["beta"]),
        int(chosen["beam_width"]),
        str(chosen.get("mode", DEFAULT_MODE)),
    )


def alphabet_of_network(labels: tuple[str, ...], scorer: Scorer | None = None) -> Alphabet:
    """The network's alphabet, blank last.

    Raises:
        DataError: the language model was built for another one.
    """
    import native

    alphabet = native.Alphabet(list(labels))
    if scorer is not None and scorer.alphabet.hash != alphabet.hash:
        raise DataError(
            f"the language model's alphabet has {len(scorer.alphabet.labels)} labels and is another than the "
            f"network's of {len(labels)}: build the language model from corpora of the same alphabet"
        )
    return alphabet
