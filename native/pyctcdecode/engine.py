"""The search in C++, for the models that it can read: none, or one KenLM file of ours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import _core
from .beams import OutputBeam
from .kenlm import State
from .language_model import AbstractLanguageModel, AbstractLMState, KenlmState, LanguageModel

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import numpy.typing as npt

    from .search import Cuts

_NO_MODEL = (0.0, 0.0, 0.0, False)


class Engine:
    """One alphabet and one model, ready for any number of utterances, from several threads too."""

    def __init__(self, labels: Sequence[str], is_bpe: bool, model: LanguageModel | None) -> None:
        own = None if model is None else model.own_model
        known = None if model is None else model.known_words
        self._decoder = _core.FusionDecoder(list(labels), is_bpe, own, known)
        self._model = model

    @staticmethod
    def can(labels: Sequence[str], model: AbstractLanguageModel | None) -> bool:
        """Whether it can search with this alphabet and this model."""
        plain = all(label == " " or not any(sign.isspace() for sign in label) for label in labels)
        return plain and (model is None or (type(model) is LanguageModel and model.own_model is not None))

    def decode(
        self,
        log_probs: npt.NDArray[np.floating],
        cuts: Cuts,
        hot_words: tuple[list[str], float],
        start: AbstractLMState | None,
    ) -> list[OutputBeam]:
        """The beams that are left at the end, the best first.

        Args:
            log_probs: [frames, labels]. hot_words: words, and what each is worth.

        Raises:
            TypeError: `start` is no state of this kind of model.
        """
        state = None
        if start is not None and self._model is not None:
            if not (isinstance(start, KenlmState) and isinstance(start.state, State)):
                raise TypeError(f"the state is a {type(start).__name__} of another kind of model")
            state = start.state._bytes
        model = self._model
        weights = _NO_MODEL if model is None else (
            float(model.alpha), float(model.beta), float(model.unk_score_offset), bool(model.score_boundary)
        )  # fmt: skip
        limits = (cuts.beam_width, cuts.beam_prune_logp, cuts.token_min_logp, cuts.prune_history)
        found = self._decoder.decode(log_probs, limits, weights, hot_words, state)
        return [
            OutputBeam(
                " ".join(words), _as_state(after), list(zip(words, frames, strict=False)), network, total
            )
            for words, frames, network, total, after in found
        ]


def _as_state(after: bytes | None) -> Any:
    if after is None:
        return None
    state = State()
    state._bytes = after
    return KenlmState(state)
