"""Several networks judge the likeliest texts of one: N-best rescoring.

A beam search with one network gives candidates; how probable each network holds each of them is computed exactly (CTC's
forward algorithm over all their spellings at once), so networks may hear at other rates, say their labels in other
frames and write in other labels: letters here, sounds there. The text is taken that has most of

    (1 - share) ln P_first(text) + share · mean of ln P_other(text) + alpha ln P_lm(text) + beta · words

Alpha and beta are picked where as few words as possible are wrong; every network has the same say unless told
otherwise: a small dev set would pick a share by chance. Knows no corpus and no store.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from native.errors import NativeError
from scoring.wer import count_errors
from training.errors import DataError
from training.network.features import Float

if TYPE_CHECKING:
    from native import Alphabet, Scorer

Doubles = npt.NDArray[np.float64]
Said = tuple[tuple[int, ...], ...]  # the ways a word is written in labels
_NEVER = -1e30  # ln of nothing; finite, so that differences of two stay numbers
_ALPHAS = tuple(round(0.1 * n, 1) for n in range(31))
_BETAS = tuple(round(0.5 * n, 1) for n in range(-6, 13))


@dataclass(frozen=True)
class Candidates:
    """Texts that an utterance may have.

    Attributes:
        first: ln P of each text by the network that proposed them, [texts]. others: mean of the other networks' ln P.
        lm: ln P by the language model, sentence end included. words: of each text, as the language model counts them.
    """

    texts: tuple[str, ...]
    first: Doubles
    others: Doubles
    lm: Doubles
    words: Doubles

    def scores(self, share: float, alpha: float) -> Doubles:
        """What speaks for each text but for its words, [texts]; `share` is what the other networks have together."""
        scores: Doubles = (1 - share) * self.first + share * self.others + alpha * self.lm
        return scores

    def best(self, share: float, alpha: float, beta: float) -> int:
        """The place of the text taken; of equal ones the first."""
        return int(np.argmax(self.scores(share, alpha) + beta * self.words))


class Speller:
    """How a network writes words: in letters, or as the scorer's lexicon says them where that is its alphabet."""

    def __init__(self, alphabet: Alphabet, scorer: Scorer) -> None:
        self.alphabet = alphabet
        self._said: dict[str, list[tuple[int, ...]]] = {}
        if alphabet.hash == scorer.alphabet.hash:
            for word, labels in scorer.pronunciations():
                self._said.setdefault(word, []).append(tuple(labels))
        # text without blanks is one word
        self.separator = alphabet.space if alphabet.space >= 0 and not alphabet.unspaced else None

    def words(self, text: str) -> list[str]:
        """The parts that a text is written in."""
        return text.split() if self.separator is not None else [text] if text else []

    def spell(self, word: str) -> Said:
        """All ways to write a word.

        Raises:
            DataError: the network has no labels for it.
        """
        if self._said:
            return tuple(self._said.get(word, ()))
        try:
            return (tuple(self.alphabet.encode(word)),)
        except NativeError as error:
            raise DataError(f"a network that is asked too cannot write {word!r}: {error}") from error


class _Spellings:
    """The states of CTC for many texts, beginnings shared: per state its label and the states that may stand before.

    State 0 is the moment before the first frame.
    """

    def __init__(self, speller: Speller) -> None:
        self._speller, self._blank = speller, speller.alphabet.blank
        self.labels: list[int] = [self._blank]
        self.before: list[list[int]] = [[]]
        self._silence = self._state(self._blank, [0])
        self._ends: dict[tuple[str, ...], list[int]] = {(): [0, self._silence]}

    def ends_of(self, text: str) -> list[int]:
        """The states in which the text is complete; none where a word of it cannot be said."""
        words = tuple(self._speller.words(text))
        for count in range(1, len(words) + 1):
            if words[:count] not in self._ends:
                self._ends[words[:count]] = self._after(
                    self._ends[words[: count - 1]], words[count - 1], count > 1
                )
        return self._ends[words]

    def _after(self, ends: list[int], word: str, follows: bool) -> list[int]:
        if follows and self._speller.separator is not None and ends:
            ends = self._label(self._speller.separator, ends)
        found = []
        for said in self._speller.spell(word):
            now = ends
            for label in said:
                now = self._label(label, now)
            found += now
        return found

    def _label(self, label: int, ends: Iterable[int]) -> list[int]:
        """A label after these states, with and without a blank behind it."""
        state = self._state(label, [one for one in ends if self.labels[one] != label])
        return [state, self._state(self._blank, [state])]

    def _state(self, label: int, before: list[int]) -> int:
        self.labels.append(label)
        self.before.append([len(self.labels) - 1, *before])
        return len(self.labels) - 1


def log_likelihoods(log_probs: Float, texts: Sequence[str], speller: Speller) -> Doubles:
    """ln P of each text, all spellings and all ways through the frames summed, float64 [texts].

    Args:
        log_probs: natural logs [frames, labels + blank].

    Raises:
        DataError: the network cannot write a text.
    """
    states = _Spellings(speller)
    ends = [states.ends_of(text) for text in texts]
    count, most = len(states.labels), max(map(len, states.before))
    before = np.full((count + 1, most), count)  # the last state is never reached
    for state, some in enumerate(states.before):
        before[state, : len(some)] = some
    emitted = np.full((len(log_probs), count + 1), _NEVER)
    emitted[:, :count] = np.asarray(log_probs, np.float64)[:, states.labels]
    emitted[:, 0] = _NEVER
    reached = np.full(count + 1, _NEVER)
    reached[0] = 0.0
    for frame in emitted:
        paths = reached[before]
        largest = paths.max(axis=1)
        reached = np.maximum(largest + np.log(np.exp(paths - largest[:, None]).sum(axis=1)) + frame, _NEVER)
    return np.array([np.logaddexp.reduce(reached[some]) if some else _NEVER for some in ends])


def language_model_scores(texts: Sequence[str], scorer: Scorer) -> tuple[Doubles, Doubles]:
    """ln P of each text with its end, and its words as the language model counts them."""
    scored = [scorer.score_sentence(text) for text in texts]
    logs = [math.log(10) * sum(log10 for _, log10, _ in words) for words in scored]
    return np.array(logs), np.array([len(words) - 1.0 for words in scored])


def pick_weights(
    utterances: Sequence[Candidates], references: Sequence[str], share: float
) -> tuple[float, float, int]:
    """Alpha and beta where the fewest words are wrong, and how many; of equal places the one whose surroundings are
    better, then the smaller alpha and beta.

    Raises:
        DataError: there is no candidate at all.
    """
    heard = [(one, said) for one, said in zip(utterances, references, strict=True) if one.texts]
    if not heard:
        raise DataError("no text was proposed for any utterance, so nothing can be picked")
    silent = [said for one, said in zip(utterances, references, strict=True) if not one.texts]
    betas = np.array(_BETAS)
    edits = np.full((len(_ALPHAS), len(_BETAS)), float(count_errors(silent, [""] * len(silent)).edits.sum()))
    for one, said in heard:
        wrong = count_errors([said] * len(one.texts), list(one.texts)).edits
        for place, alpha in enumerate(_ALPHAS):
            scores = one.scores(share, alpha)[:, None] + betas * one.words[:, None]
            edits[place] += wrong[np.argmax(scores, axis=0)]
    around = _smoothed(edits)
    best = min(np.ndindex(edits.shape), key=lambda at: (edits[at], around[at], at))
    return _ALPHAS[best[0]], _BETAS[best[1]], int(edits[best])


def _smoothed(values: Doubles) -> Doubles:
    """Means over each place and its neighbours."""
    padded = np.pad(values, 1, mode="edge")
    rows, columns = values.shape
    parts = [padded[i : i + rows, k : k + columns] for i in range(3) for k in range(3)]
    mean: Doubles = np.mean(parts, axis=0)
    return mean


Judge = Callable[[int, Sequence[str]], Doubles]
"""ln P of some texts of the utterance of this number, by one network."""


def candidates_of(number: int, texts: Sequence[str], judges: Sequence[Judge], scorer: Scorer) -> Candidates:
    """An utterance's texts as all judges hold them, the one that proposed them first."""
    first, *others = (judge(number, texts) for judge in judges)
    return Candidates(tuple(texts), first, np.mean(others, axis=0), *language_model_scores(texts, scorer))
