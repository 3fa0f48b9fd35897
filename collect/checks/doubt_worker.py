"""The process behind doubt.py: loads a trained run once, then answers one line of JSON for each clip.

    python -m collect.checks.doubt_worker RUN_FOLDER

A clip comes as one line of JSON ({"text", "bytes"}) and that many bytes of int16 at 16 kHz. The network doubts a clip
where the text it spells out greedily differs from the sentence in more than `MOST_WRONG` of the letters. Whether that
is meant seriously is decided by the volunteer, never here.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

MOST_WRONG = 0.5  # of the letters: networks worth releasing are far below on a sentence they were read
RATE_HZ = 16_000

Samples = npt.NDArray[np.int16]


def letters_wrong(spoken: str, heard: str) -> float:
    """Edits for each letter of the sentence, blanks left out; 0 = the same."""
    from rapidfuzz.distance import Levenshtein

    wanted, got = spoken.replace(" ", ""), heard.replace(" ", "")
    return Levenshtein.distance(wanted, got) / max(1, len(wanted))


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

    def spell(self, samples: Samples) -> str:
        """The greedy text of int16 `[n]` at 16 kHz; "" for less than one window."""
        from native import greedy
        from training.network.dataset import Batch
        from training.network.features import mfcc

        frames = mfcc(samples, RATE_HZ, self._network.config.features)
        if not len(frames):
            return ""
        lengths = np.full(1, len(frames), np.int32)
        whole = self._network.whitening.apply(frames)[None].astype(np.float32)
        batch = Batch(whole, lengths, np.zeros((1, 0), np.int32), np.zeros(1, np.int64))
        return greedy(self._probabilities.of_batch(batch), lengths, self._alphabet)[0].text


def answer(ear: Ear, source: BinaryIO) -> dict[str, Any] | None:
    """The answer to the next clip of a stream, or None at its end."""
    line = source.readline()
    if not line:
        return None
    asked = json.loads(line)
    data = source.read(asked["bytes"])
    heard = ear.spell(np.frombuffer(data, "<i2"))
    wrong = letters_wrong(asked["text"], heard)
    return {"heard": heard, "wrong": round(wrong, 4), "doubt": wrong > MOST_WRONG}


def main() -> int:
    """Answer until the service closes the pipe."""
    ear = Ear(Path(sys.argv[1]))
    while (said := answer(ear, sys.stdin.buffer)) is not None:
        sys.stdout.write(json.dumps(said, ensure_ascii=False) + "\n")
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
