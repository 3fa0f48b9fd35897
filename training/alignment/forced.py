"""Where the letters of a known text are spoken: the likeliest CTC path, frame by frame.

Vectorised over the states of the text, one step a frame; memory is a byte per state and frame, so long sounds are
handed in by stretches. Judges nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from training.network.features import Float

Ints = npt.NDArray[np.int64]
_NEVER = np.float32(-1e30)


@dataclass(frozen=True)
class Path:
    """The likeliest path.

    Attributes:
        states: int64 [frames]; 2 * k + 1 is the k-th label, even ones are the blank between.
        scores: float32 [frames], log-probability of the state's label in its frame.
        behind: float32 [frames], how far that is behind the likeliest label of the frame, 0 or less.
    """

    states: Ints
    scores: Float
    behind: Float

    def frames_of(self, first: int, stop: int) -> Ints:
        """Frames in which the labels [first, stop) are spoken, blanks between them not counted."""
        inside = (self.states >= 2 * first + 1) & (self.states <= 2 * stop - 1) & (self.states % 2 == 1)
        return np.flatnonzero(inside)


def forced_path(log_probs: Float, labels: Sequence[int], blank: int, space: int = -1) -> Path | None:
    """The likeliest path of a text through a sound; None where the sound is too short for it.

    Args:
        log_probs: float32 [frames, labels], natural logarithms.
        labels: of the text, without blanks.
        space: the label that may be said before the first and after the last of the text's; -1 = none may.
    """
    frames = len(log_probs)
    text = np.asarray(labels, np.int64)
    repeats = int(np.count_nonzero(text[1:] == text[:-1])) if len(text) else 0
    if frames == 0 or len(text) + repeats > frames:
        return None
    symbols = np.full(2 * len(text) + 1, blank, np.int64)
    symbols[1::2] = text
    emitted = log_probs[:, symbols]
    if space >= 0:  # a network says spaces where nobody speaks yet, or no longer
        rest = np.maximum(log_probs[:, blank], log_probs[:, space])
        emitted[:, 0] = emitted[:, -1] = rest
    skips = np.full(len(symbols), _NEVER, np.float32)
    skips[3::2] = np.where(text[1:] != text[:-1], np.float32(0), _NEVER)
    back = np.zeros((frames, len(symbols)), np.int8)
    best = np.full(len(symbols), _NEVER, np.float32)
    best[:2] = emitted[0, :2]
    moves = np.empty((3, len(symbols)), np.float32)
    for frame in range(1, frames):
        moves[0] = best
        moves[1, 0] = moves[2, :2] = _NEVER
        moves[1, 1:] = best[:-1]
        moves[2, 2:] = best[:-2] + skips[2:]
        back[frame] = moves.argmax(axis=0)
        best = moves.max(axis=0) + emitted[frame]
    state = len(symbols) - 1
    if len(symbols) > 1 and best[-2] > best[-1]:
        state -= 1
    states = np.empty(frames, np.int64)
    for frame in range(frames - 1, -1, -1):
        states[frame] = state
        state -= int(back[frame, state])
    rows = np.arange(frames)
    scores = emitted[rows, states]
    return Path(states, scores, scores - log_probs.max(axis=1))
