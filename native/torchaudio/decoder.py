"""The decoder: emissions of a network in, hypotheses with tokens, words and frames out."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from .. import _core
from .model import alphabet_of, load_lexicon, load_tokens, scorer_of

if TYPE_CHECKING:
    import numpy.typing as npt

_MOST_ABOVE_ZERO = 0.001  # what rounding makes of a log-probability of 0
_MOST_THRESHOLD = 1000.0  # nats; above it nothing is cut


class CTCHypothesis(NamedTuple):
    """One answer.

    Attributes:
        tokens: int64 [L]: token numbers, silences between the words, before the first and behind the last.
        words: of the lexicon; empty where there is none.
        score: ln of the sound's probability + the model's weighted log10 + the words' and unknown words' scores.
        timesteps: int32 [L]: the frame of each token, counted from 1; 0 and the end for the outer silences.
    """

    tokens: npt.NDArray[np.int64]
    words: list[str]
    score: float
    timesteps: npt.NDArray[np.int32]


@dataclass(frozen=True)
class _Search:
    """What every search of a decoder is given."""

    alphabet: _core.Alphabet
    scorer: _core.Scorer | None
    beam_width: int
    mode: _core.Pruning
    named: dict[str, Any] = field(default_factory=dict)


class CTCDecoder:
    """Made by `ctc_decoder`."""

    def __init__(self, tokens: Sequence[str], sil_token: str, nbest: int, search: _Search) -> None:
        self.nbest = nbest
        self.blank = search.alphabet.blank
        self._tokens = list(tokens)
        self._silence = self._tokens.index(sil_token)
        self._search = search
        self._stream: _core.Stream | None = None
        self._told: tuple[list[_core.Hypothesis], int] = ([], 0)
        self._shift = 0.0

    def __call__(self, emissions: Any, lengths: Any = None) -> list[list[CTCHypothesis]]:
        """Decodes a batch, on all cores.

        Args:
            emissions: float [utterances, frames, tokens]: logits or log-probabilities. lengths: frames of each.

        Raises:
            ValueError: another shape. DecodeError: NaN, or lengths beyond the frames.
        """
        array = np.asarray(emissions, dtype=np.float32)
        if array.ndim != 3:
            raise ValueError(
                f"emissions are [utterances, frames, tokens]; these have the shape {list(array.shape)}"
            )
        frames = [array.shape[1]] * len(array) if lengths is None else [int(one) for one in lengths]
        log_probs, shifts = _normalised(array)
        search = self._search
        found = _core.decode(
            log_probs, frames, search.alphabet, search.scorer, search.beam_width, n_best=self.nbest, mode=search.mode,
            **search.named,
        )  # fmt: skip
        return [
            [
                self._told_as(one, frames[place], float(shifts[place, : frames[place]].sum()))
                for one in hypotheses
            ]
            for place, hypotheses in enumerate(found)
        ]

    def decode_begin(self) -> None:
        """Begins an utterance that comes in pieces."""
        search = self._search
        self._stream = _core.Stream(
            search.alphabet, search.scorer, search.beam_width, search.mode, **search.named
        )
        self._shift = 0.0

    def decode_step(self, emissions: Any) -> None:
        """Takes some more frames, float [frames, tokens]. Raises RuntimeError: `decode_begin` was not called."""
        array = np.asarray(emissions, dtype=np.float32)
        if array.ndim != 2:
            raise ValueError(
                f"emissions of a step are [frames, tokens]; these have the shape {list(array.shape)}"
            )
        log_probs, shifts = _normalised(array)
        self._begun().feed(log_probs)
        self._shift += float(shifts.sum())

    def decode_end(self) -> None:
        """Ends the utterance."""
        stream = self._begun()
        frames = stream.frames
        self._told = (stream.finish(n_best=self.nbest), frames)
        self._stream = None

    def get_final_hypothesis(self) -> list[CTCHypothesis]:
        """The answers for the utterance that `decode_end` ended, best first."""
        hypotheses, frames = self._told
        return [self._told_as(one, frames, self._shift) for one in hypotheses]

    def idxs_to_tokens(self, idxs: Iterable[int]) -> list[str]:
        """The tokens of token numbers."""
        return [self._tokens[int(number)] for number in idxs]

    def _begun(self) -> _core.Stream:
        if self._stream is None:
            raise RuntimeError("call decode_begin first")
        return self._stream

    def _told_as(self, one: _core.Hypothesis, frames: int, shift: float) -> CTCHypothesis:
        numbers = self._search.alphabet.encode(one.text)
        return CTCHypothesis(
            tokens=np.array([self._silence, *numbers, self._silence], np.int64),
            words=one.text.split() if self._search.scorer is not None else [],
            score=one.score + shift,
            timesteps=np.array([0, *(frame + 1 for frame in one.timesteps), frames + 1], np.int32),
        )


def _normalised(
    emissions: npt.NDArray[np.float32],
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float64]]:
    """Log-probabilities, and what was taken from each frame: nothing where they were log-probabilities before."""
    most = float(np.nanmax(emissions, initial=-math.inf))
    if most <= _MOST_ABOVE_ZERO:
        return np.ascontiguousarray(emissions), np.zeros(emissions.shape[:-1])
    highest = emissions.max(axis=-1, keepdims=True)
    sums = highest + np.log(np.exp(emissions - highest).sum(axis=-1, keepdims=True))
    return np.ascontiguousarray(emissions - sums), sums[..., 0].astype(np.float64)


def ctc_decoder(
    lexicon: str | os.PathLike[str] | None,
    tokens: str | os.PathLike[str] | Sequence[str],
    lm: str | os.PathLike[str] | None = None,
    lm_dict: str | None = None,
    nbest: int = 1,
    beam_size: int = 50,
    beam_size_token: int | None = None,
    beam_threshold: float = 50,
    lm_weight: float = 2,
    word_score: float = 0,
    unk_score: float = -math.inf,
    sil_score: float = 0,
    log_add: bool = False,
    blank_token: str = "-",
    sil_token: str = "|",
    unk_word: str = "<unk>",
) -> CTCDecoder:
    """A decoder, by torchaudio's parameters.

    Args:
        lexicon: file of `word token token … |` lines, words spelled by their letters; None decodes without words.
        tokens: list, or file with one a line. lm: KenLM model of words, ARPA or binary. lm_weight: of its log10.
        beam_threshold: prefixes so many nats below the best are dropped. unk_score: of a word outside the lexicon;
            −∞ writes none. sil_score: counted once a word.
        lm_dict, beam_size_token, log_add, unk_word: taken and not needed: the lexicon holds the words, all tokens are
            tried, all alignments are summed.

    Raises:
        ValueError: tokens or lexicon cannot be used, or a language model comes without a lexicon.
        TypeError: `lm` is no path. ScorerError: the model cannot be read.
    """
    if lm is not None and not isinstance(lm, (str, os.PathLike)):
        raise TypeError(
            f"lm is the path of a KenLM model; language models of one's own ({type(lm).__name__}) are not asked"
        )
    if lm is not None and lexicon is None:
        raise ValueError(
            "lm without a lexicon is a model of tokens; give the lexicon of its words, or lm=None"
        )
    names = load_tokens(tokens)
    alphabet = alphabet_of(names, blank_token, sil_token)
    scorer, named = None, {}
    if lexicon is not None:
        words = load_lexicon(lexicon, sil_token)
        path = None if lm is None else os.fspath(lm)
        scorer = scorer_of(words, alphabet, path, (lm_weight, word_score + sil_score))
        if unk_score > -math.inf:
            named = {"open_vocabulary": True, "oov_penalty": unk_score, "oov_letter_penalty": 0.0}
    mode = (
        _core.Pruning(score_threshold=beam_threshold) if beam_threshold < _MOST_THRESHOLD else _core.Pruning()
    )
    return CTCDecoder(names, sil_token, nbest, _Search(alphabet, scorer, beam_size, mode, named))
