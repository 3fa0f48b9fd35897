"""Many texts as labels at once: what CTC needs for each, and how often each label stands in all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from native import Alphabet


@dataclass(frozen=True)
class Spelled:
    """Texts in labels.

    Attributes:
        labels: int32, those of all texts one after the other.
        counts: int64 [texts], labels of each.
        needed: int64 [texts], frames that CTC needs for each: one per label and one between equal neighbours.
    """

    labels: npt.NDArray[np.int32]
    counts: npt.NDArray[np.int64]
    needed: npt.NDArray[np.int64]

    @classmethod
    def of(cls, alphabet: Alphabet, texts: Sequence[str]) -> Spelled:
        """The labels of some texts.

        Raises:
            AlphabetError: a text holds a character outside the alphabet.
        """
        rows = [alphabet.encode(text) for text in texts]
        counts = np.fromiter(map(len, rows), np.int64, len(rows))
        labels = np.fromiter(chain.from_iterable(rows), np.int32, int(counts.sum()))
        text_of = np.repeat(np.arange(len(rows)), counts)
        repeated = (labels[1:] == labels[:-1]) & (text_of[1:] == text_of[:-1])
        repeats = np.bincount(text_of[1:][repeated], minlength=len(rows))
        return cls(labels, counts, counts + repeats)

    def refusals(self, frames: npt.NDArray[np.integer]) -> npt.NDArray[np.object_]:
        """Why CTC cannot learn each text from so many frames [texts], as `dataset.ctc_refusal` says it; '' = it can."""
        reasons = np.full(len(self.counts), "", dtype=object)
        reasons[self.needed > frames] = "more labels than frames"
        reasons[frames == 0] = "shorter than one window"
        reasons[self.counts == 0] = "empty text"
        return reasons

    def occurrences(self, taken: npt.NDArray[np.bool_], size: int) -> npt.NDArray[np.int64]:
        """How often each of `size` labels stands in the texts that are taken, int64 [size]."""
        return np.bincount(self.labels[np.repeat(taken, self.counts)], minlength=size)
