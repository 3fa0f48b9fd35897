"""The process behind doubt.py: loads a trained run once, then answers one line of JSON for each clip.

    python -m collect.checks.doubt_worker RUN_FOLDER

A clip comes as one line of JSON ({"text", "others", "bytes"}) and that many bytes of int16 at 16 kHz. The answer says
what is heard, how far behind the likeliest path the sentence is, in nats a frame (CTC, all alignments), and, where that
is far, whether one of the other sentences is likelier. What follows from it is decided in doubt.py.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

FAR = 1.2  # nats a frame: from here on other sentences are tried
RATE_HZ = 16_000

Samples = npt.NDArray[np.int16]
Floats = npt.NDArray[np.float64]


def log_likelihood(log_probs: Floats, labels: list[int], blank: int) -> float:
    """Natural log of the probability that CTC gives a text; minus infinity where it has more labels than frames.

    Args:
        log_probs: `[frames, labels + blank]`, at least one frame.
        labels: the text, at least one label.
    """
    row = np.full(2 * len(labels) + 1, blank)
    row[1::2] = labels
    may_skip = np.zeros(len(row), bool)
    may_skip[3::2] = row[3::2] != row[1:-2:2]
    ways = np.full(len(row), -np.inf)
    ways[:2] = log_probs[0, row[:2]]
    for frame in log_probs[1:]:
        one = np.concatenate(([-np.inf], ways[:-1]))
        two = np.where(may_skip, np.concatenate(([-np.inf, -np.inf], ways[:-2])), -np.inf)
        ways = np.logaddexp(np.logaddexp(ways, one), two) + frame[row]
    return float(np.logaddexp(ways[-1], ways[-2]))


def behind(log_probs: Floats, labels: list[int], blank: int) -> float:
    """Nats a frame by which a text is less likely than the likeliest path: about 0 for what was said."""
    best = float(log_probs.max(axis=1).sum())
    return (best - log_likelihood(log_probs, labels, blank)) / len(log_probs)


class Ear:
    """A trained network that spells out what it hears.

    Raises:
        RunNotFoundError: the folder holds no checkpoint.
    """

    def __init__(self, run: Path) -> None:
        from native import Alphabet
        from training.decoding.acoustic import LogProbabilities, load_network

        network = load_network(run)
        self._network = network
        self._probabilities = LogProbabilities(network)
        self._alphabet = Alphabet(list(network.labels))

    def judge(self, samples: Samples, text: str, others: list[str]) -> dict[str, Any]:
        """What is heard (greedy), how far the text is behind it, and whether another text is less far.

        For less than one window nothing is heard, and everything is 99 behind. Without others, one would be likelier.
        """
        from native import greedy
        from training.network.dataset import Batch
        from training.network.features import mfcc

        frames = mfcc(samples, RATE_HZ, self._network.config.features)
        if not len(frames):
            return {"heard": "", "behind": 99.0, "likelier": True}
        lengths = np.full(1, len(frames), np.int32)
        whole = self._network.whitening.apply(frames)[None].astype(np.float32)
        batch = Batch(whole, lengths, np.zeros((1, 0), np.int32), np.zeros(1, np.int64))
        log_probs = self._probabilities.of_batch(batch)
        heard = greedy(log_probs, lengths, self._alphabet)[0].text
        blank = len(self._network.labels)

        def far(words: str) -> float:
            return behind(log_probs[0].astype(np.float64), self._alphabet.encode(words), blank)

        mine = far(text)
        likelier = mine > FAR and (not others or min(map(far, others)) < mine)
        return {"heard": heard, "behind": round(min(mine, 99.0), 4), "likelier": likelier}


def answer(ear: Ear, source: BinaryIO) -> dict[str, Any] | None:
    """The answer to the next clip of a stream, or None at its end."""
    line = source.readline()
    if not line:
        return None
    asked = json.loads(line)
    return ear.judge(np.frombuffer(source.read(asked["bytes"]), "<i2"), asked["text"], asked["others"])


def main() -> int:
    """Answer until the service closes the pipe."""
    ear = Ear(Path(sys.argv[1]))
    while (said := answer(ear, sys.stdin.buffer)) is not None:
        sys.stdout.write(json.dumps(said, ensure_ascii=False) + "\n")
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
