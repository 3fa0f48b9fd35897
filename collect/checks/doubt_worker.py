"""The process behind doubt.py: loads a trained run once, then answers one line of JSON for each clip.

    python -m collect.checks.doubt_worker RUN_FOLDER

A clip comes as one line of JSON ({"text", "bytes"}) and that many bytes of int16 at 16 kHz. The network doubts a clip
where the sentence is more than `MOST_BEHIND` nats a frame less likely (CTC, all alignments) than the likeliest path.
That compares the network with itself, so that a voice it hears badly is not taken for another sentence. Whether the
doubt is right is decided by the volunteer and the listeners, never here.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

MOST_BEHIND = 1.2  # nats a frame
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

    def judge(self, samples: Samples, text: str) -> tuple[str, float]:
        """What is heard (greedy), and how far the text is behind it; nothing and infinity for less than one window."""
        from native import greedy
        from training.network.dataset import Batch
        from training.network.features import mfcc

        frames = mfcc(samples, RATE_HZ, self._network.config.features)
        if not len(frames):
            return "", float("inf")
        lengths = np.full(1, len(frames), np.int32)
        whole = self._network.whitening.apply(frames)[None].astype(np.float32)
        batch = Batch(whole, lengths, np.zeros((1, 0), np.int32), np.zeros(1, np.int64))
        log_probs = self._probabilities.of_batch(batch)
        heard = greedy(log_probs, lengths, self._alphabet)[0].text
        labels = self._alphabet.encode(text)
        return heard, behind(log_probs[0].astype(np.float64), labels, len(self._network.labels))


def answer(ear: Ear, source: BinaryIO) -> dict[str, Any] | None:
    """The answer to the next clip of a stream, or None at its end."""
    line = source.readline()
    if not line:
        return None
    asked = json.loads(line)
    heard, far = ear.judge(np.frombuffer(source.read(asked["bytes"]), "<i2"), asked["text"])
    return {"heard": heard, "behind": round(min(far, 99.0), 4), "doubt": far > MOST_BEHIND}


def main() -> int:
    """Answer until the service closes the pipe."""
    ear = Ear(Path(sys.argv[1]))
    while (said := answer(ear, sys.stdin.buffer)) is not None:
        sys.stdout.write(json.dumps(said, ensure_ascii=False) + "\n")
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
