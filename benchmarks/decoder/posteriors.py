"""Texts -> made-up outputs of a CTC network, at a greedy word error rate that is asked for.

A label is one frame (now and then two), most of them sure, some doubtful: the blank, letters that sound alike
or any others take a share, and more than half of the mass in some cases. Between labels
stand blanks, most of them above 0.999, some sharing with a neighbour or a stray letter. Every label has a
floor of noise, higher where the frame is not plainly blank. The share of doubtful labels
is found by bisection, so that greedy decoding has the wanted rate whatever the text.

The errors are per letter, not per word: a language model mends them more easily than those of real speech.
Use these inputs for speed and for search errors, never as a claim of accuracy. One seed, one text: the same
bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

LABELS = " abcdefghijklmnopqrstuvwxyz'"
BLANK = len(LABELS)
_ALIKE = "aeiou bp dt gk ckqs szx vfw mn lr iy jg hw 'se"
_SURE, _DOUBTFUL = (4.5, 1.2), (0.6, 1.6)  # logit of the true label's share: mean, deviation
_RIVALS = (0.75, 0.25)  # how rivals divide the rest
_MEAN_GAP = 2.45  # frames of blank after a label

Float = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Posteriors:
    """Log-probabilities of many utterances, one after the other.

    Attributes:
        flat: float32 [frames of all utterances, 29], natural logarithms, rows sum to one.
        offsets: int64 [utterances + 1], first row of each utterance.
        texts: what was "said".
    """

    flat: Float
    offsets: npt.NDArray[np.int64]
    texts: list[str]

    def rows(self, index: int) -> Float:
        """float32 [frames, 29] of one utterance."""
        return self.flat[self.offsets[index] : self.offsets[index + 1]]

    def __len__(self) -> int:
        return len(self.texts)


def make_posteriors(texts: Sequence[str], doubtful: float, seed: int) -> Posteriors:
    """Outputs for `texts`; `doubtful` is the share (0 to 1) of labels that are not sure."""
    pieces = [_utterance(text, doubtful, np.random.default_rng([seed, i])) for i, text in enumerate(texts)]
    offsets = np.concatenate([[0], np.cumsum([len(piece) for piece in pieces])]).astype(np.int64)
    return Posteriors(np.concatenate(pieces), offsets, list(texts))


def calibrate(texts: Sequence[str], seed: int, wanted: float, rate: Callable[[Posteriors], float]) -> float:
    """The share of doubtful labels at which `rate` (rising with it) comes to `wanted`."""
    low, high = 0.0, 0.6
    for _ in range(9):
        middle = (low + high) / 2
        low, high = (middle, high) if rate(make_posteriors(texts, middle, seed)) < wanted else (low, middle)
    return (low + high) / 2


def _utterance(text: str, doubtful: float, random: np.random.Generator) -> Float:
    ids = np.array([LABELS.index(c) for c in text])
    spikes = 1 + (random.random(len(ids)) < 0.1)
    gaps = random.poisson(_MEAN_GAP, len(ids))
    gaps[:-1] = np.maximum(gaps[:-1], ids[:-1] == ids[1:])  # equal neighbours need a blank between
    lead = int(random.integers(2, 8))
    frames = int(lead + spikes.sum() + gaps.sum())
    starts = lead + np.concatenate([[0], np.cumsum(spikes + gaps)[:-1]])
    mass = np.exp(random.normal(-13.0, 2.0, (frames, BLANK + 1)))
    _blanks(mass, ids, starts, random)
    for label, start, count in zip(ids, starts, spikes, strict=True):
        mean, spread = _DOUBTFUL if random.random() < doubtful else _SURE
        wrong = 1.0 / (1.0 + np.exp(random.normal(mean, spread)))
        rows = mass[start : start + count]
        rows[:] = _noise(count, random)
        rows[:, label] += 1.0 - wrong
        for share in _RIVALS:
            rows[:, _rival(int(label), random)] += wrong * share
    result: Float = np.log(mass / mass.sum(1, keepdims=True)).astype(np.float32)
    return result


def _noise(frames: int, random: np.random.Generator) -> npt.NDArray[np.float64]:
    """The floor of frames that are not plainly blank, [frames, labels]."""
    return np.exp(random.normal(-10.5, 2.0, (frames, BLANK + 1)))


def _rival(label: int, random: np.random.Generator) -> int:
    """What is taken for `label`: a like sound in most cases, the blank or any label in the others."""
    pick = random.random()
    if pick < 0.15:
        return BLANK
    groups = [group for group in _ALIKE.split(" ") if LABELS[label] in group]
    likes = "".join(groups).replace(LABELS[label], "")
    if pick < 0.85 and likes:
        return LABELS.index(likes[int(random.integers(len(likes)))])
    return int(random.integers(len(LABELS)))


def _blanks(
    mass: npt.NDArray[np.float64],
    ids: npt.NDArray[np.int64],
    starts: npt.NDArray[np.int64],
    random: np.random.Generator,
) -> None:
    """Fills every frame as a blank; one in eight shares with a neighbouring label or a stray one."""
    frames = len(mass)
    mass[:, BLANK] = 1.0
    unsure = np.flatnonzero(random.random(frames) < 0.125)
    before = ids[np.maximum(np.searchsorted(starts, unsure, side="right") - 1, 0)]
    stray = random.integers(len(LABELS), size=len(unsure))
    label = np.where(random.random(len(unsure)) < 0.7, before, stray)
    share = 1.0 / (1.0 + np.exp(random.normal(3.5, 1.6, len(unsure))))
    mass[unsure] = _noise(len(unsure), random)
    mass[unsure, label] += share
    mass[unsure, BLANK] += 1.0 - share
