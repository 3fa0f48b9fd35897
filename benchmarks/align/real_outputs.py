"""`python -m benchmarks.align.real_outputs DIR`: planted faults in the outputs of a network for real speech.

    DIR             log_probs.npz, labels.tsv, refs.tsv and lexicon.tsv, as `demo.journey.phonemes` reads them
    --reader a_     only utterances whose names begin so
    --hours 1 --minutes 6 --faults 300 --goal --seed 1: as in `python -m benchmarks.align`

There is no sound, so outputs are joined in its place, with pauses in which the network says nothing; neither music nor
noise is planted, no detector of speech runs (stretches end at long pauses), and processor time is that of search and
alignment. Words are written as they sound, one character a sound: words of one sound are one word.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np

from benchmarks.align.__main__ import campaign, table
from benchmarks.align.material import WORST, seconds_of
from benchmarks.align.planting import KINDS, RATE_HZ, Planted, Utterance
from demo.journey.phonemes import labels_of, read_lexicon
from training.alignment.align import certificate, of_script
from training.alignment.judge import Limits, borne, judge
from training.alignment.language import build_script_model
from training.alignment.listening import Listening, timed_words
from training.alignment.script import Script
from training.decoding.weights import Weights
from training.network.config import FeatureConfig
from training.network.features import Float
from training.runtime.package import Package
from training.runtime.recognizer import Recognizer, Search

log = logging.getLogger("benchmarks.align")
_HOP = RATE_HZ // 50  # these networks take a step every 20 ms
_FIRST = 1000  # frames are numbered from here: what is less is the noise of a pause
_PAUSE_FRAMES = 30  # a longer pause parts two stretches,
_REST_FRAMES = 10  # which keep so much of it on either side
_SILENCE = 0.999


@dataclass(frozen=True)
class Material:
    """What is known: utterances whose samples are the numbers of their frames, and the frames."""

    utterances: list[Utterance]
    frames: Float
    package: Package


class Replayed:
    """Outputs in the place of a recognizer that hears: stretch by stretch what the network said."""

    def __init__(self, package: Package, search: Search) -> None:
        self.package, self.search = package, search

    def answers(self, pieces: Iterable[Float], answer: Any) -> Iterator[Any]:
        """What is made of each stretch of log-probabilities; a pause is a frame where nothing is said."""
        for piece in pieces:
            for start, stop in stretches(piece):
                yield answer(start, piece[start:stop])


def main() -> int:
    """Run the campaign."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.align.real_outputs", description=__doc__)
    parser.add_argument("folder", type=Path, metavar="DIR")
    parser.add_argument("--reader", default="")
    parser.add_argument("--hours", type=float, default=1.0)
    parser.add_argument("--minutes", type=float, default=6.0)
    parser.add_argument("--faults", type=int, default=300)
    parser.add_argument("--goal", action="store_true")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    options.kinds = [kind for kind in KINDS if kind not in ("noise", "music")]
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(message)s")
    logging.getLogger("lm").setLevel(logging.WARNING)
    material = known_of(options.folder, options.reader)
    result = campaign(material.utterances, lambda truth: aligned(truth, material), options)
    sys.stdout.write(json.dumps(result) + "\n" if options.json else table(result))
    return 0 if result["silent"] == 0 else 1


def known_of(folder: Path, reader: str) -> Material:
    """Utterances with their words as they sound; those left out are counted."""
    labels = tuple(labels_of(folder / "labels.tsv").splitlines())
    package = Package("outputs", folder, FeatureConfig(), labels, Weights(), "en", {"language_model": None})
    lexicon, alphabet = read_lexicon(folder), package.alphabet()
    lines = (folder / "refs.tsv").read_text(encoding="utf-8").splitlines()
    texts = {name: text.split() for name, _, text in (line.partition("\t") for line in lines)}
    found: list[Utterance] = []
    frames: list[Float] = []
    unspelled = unplaced = count = 0
    with np.load(folder / "log_probs.npz") as outputs:
        for name in sorted(name for name in outputs.files if name.startswith(reader)):
            said = [lexicon.get(word, "") for word in texts[name]]
            if not all(said):
                unspelled += 1
                continue
            log_probs = outputs[name].astype(np.float32)
            words = timed_words(log_probs, said, alphabet, 0)
            if min(word.score for word in words) < WORST:
                unplaced += 1
                continue
            numbers = np.arange(_FIRST + count, _FIRST + count + len(log_probs), dtype=np.float32)
            times = tuple((one.word, *seconds_of(one.begin, one.stop, package)) for one in words)
            able = tuple(borne(one, Limits()) for one in words)
            found.append(Utterance(np.repeat(numbers, _HOP), times, able))
            frames.append(log_probs)
            count += len(log_probs)
    log.info("%d utterances; left out: %d with a word whose sounds nobody knows, ", len(found), unspelled)
    log.info("%d in which the network cannot place a word", unplaced)
    return Material(found, np.concatenate(frames), package)


def outputs_of(truth: Planted, material: Material) -> Float:
    """What the network says of a recording: its outputs, and nothing in the pauses."""
    numbers = np.round(truth.samples[_HOP // 2 :: _HOP]).astype(np.int64) - _FIRST
    labels = material.frames.shape[1]
    rest = np.full(labels, np.log((1 - _SILENCE) / (labels - 1)), np.float32)
    rest[-1] = np.log(_SILENCE)
    return np.where(numbers[:, None] >= 0, material.frames[np.maximum(numbers, 0)], rest)


def stretches(log_probs: Float) -> list[tuple[int, int]]:
    """Frames [start, stop) between long pauses: runs in which the blank is as good as certain."""
    spoken = np.flatnonzero(log_probs[:, -1] < np.log(_SILENCE) - 1e-4)
    parts = np.split(spoken, np.flatnonzero(np.diff(spoken) > _PAUSE_FRAMES) + 1)
    return [
        (max(0, int(part[0]) - _REST_FRAMES), min(len(log_probs), int(part[-1]) + 1 + _REST_FRAMES))
        for part in parts
        if len(part)
    ]


def aligned(truth: Planted, material: Material) -> dict[str, Any]:
    """What `training align` makes of the outputs and the text."""
    package = material.package
    script = Script(truth.tokens, truth.tokens, np.arange(len(truth.tokens)))
    with tempfile.TemporaryDirectory() as folder:
        scorer = package.scorer(build_script_model(script, package.alphabet(), Path(folder)))
    weights = of_script(package.weights)
    scorer = scorer.with_weights(weights.alpha, weights.beta) if scorer is not None else None
    replayed = Replayed(package, Search(package.alphabet(), scorer, weights, {}))
    listening = Listening(cast(Recognizer, replayed))
    try:
        listening.hear([outputs_of(truth, material)])
        placed = judge(listening, script.words)
        return certificate(placed, listening, script, Limits())
    finally:
        listening.close()


if __name__ == "__main__":
    sys.exit(main())
