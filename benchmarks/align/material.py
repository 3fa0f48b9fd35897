"""Utterances whose words and times are known: those of published corpora, each aligned by itself with its own text.

The times are the network's own on the single sentence with the right text, in float: what a long recording with faults
is measured against. Where even that does not fit, the utterance is left out and counted.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

import numpy as np

from benchmarks.align.planting import RATE_HZ, Utterance
from store.store import Store
from training.alignment.judge import Limits, borne
from training.alignment.listening import TimedWord, timed_words
from training.errors import DataError
from training.network.dataset import SplitChoice, clips_of
from training.network.features import Float, hop_length, mfcc, resample, samples_as_float, window_length
from training.runtime.network import BatchNetwork
from training.runtime.package import Package

log = logging.getLogger(__name__)
_REST = RATE_HZ // 2
WORST = -2.5  # a word's score in its own sentence below which the network cannot place it at all


def utterances_of(
    store: Store, package: Package, splits: Sequence[str], most: int = 0, corpora: Sequence[str] = ()
) -> list[Utterance]:
    """Utterances of these splits at 16 kHz, in order: of all corpora of the model, or of those that are named.

    Raises:
        DataError: the model has learnt from no corpus of that name, or nothing of them can be placed.
    """
    learnt = package.manifest["corpora"]
    unknown = sorted(set(corpora) - {corpus["name"] for corpus in learnt})
    if unknown:
        names = ", ".join(corpus["name"] for corpus in learnt)
        raise DataError(f"--corpora {unknown[0]}: the model {package.id} has learnt from {names}")
    network = BatchNetwork(package.network("float"))
    alphabet = package.alphabet()
    found: list[Utterance] = []
    left_out = 0
    for corpus in (one for one in learnt if not corpora or one["name"] in corpora):
        published = store.corpus(corpus["name"], corpus["version"])
        for split in splits:
            for clip in clips_of(published, SplitChoice(split)):
                samples = resample(samples_as_float(clip.sound()), clip.rate_hz, RATE_HZ)
                log_probs = network.log_probs([mfcc(_rested(samples), RATE_HZ, package.features)])[0]
                words = timed_words(log_probs, clip.text.split(), alphabet, 0)
                if min(word.score for word in words) < WORST:
                    left_out += 1
                    continue
                able = tuple(borne(word, Limits()) for word in words)
                found.append(Utterance(samples, _times(words, package), able))
                if len(found) == most:
                    return found
    log.info("%d utterances; %d left out: the network cannot place their words", len(found), left_out)
    if not found:
        raise DataError(
            f"the model {package.id} can place no utterance of {', '.join(splits)}: {left_out} were tried"
        )
    return found


def _rested(samples: Float) -> Float:
    """The sound with half a second of near silence on either side, as it lies in the recordings."""
    rest = np.random.default_rng(0).normal(0, 0.002, _REST).astype(np.float32)
    return np.concatenate([rest, samples, rest])


def _times(words: Sequence[TimedWord], package: Package) -> tuple[tuple[str, float, float], ...]:
    """As `training align` turns frames into seconds."""
    rest_s = _REST / RATE_HZ
    spans = [(word.word, seconds_of(word.begin, word.stop, package)) for word in words]
    return tuple((word, max(0.0, start_s - rest_s), end_s - rest_s) for word, (start_s, end_s) in spans)


def seconds_of(start: int, stop: int, package: Package) -> tuple[float, float]:
    """Where a word of the frames [start, stop) begins and ends."""
    features = package.features
    hop_s = hop_length(features) / features.sample_rate_hz
    middle_s = window_length(features) / features.sample_rate_hz / 2
    return max(0.0, (start - 1) * hop_s + middle_s), stop * hop_s + middle_s


def fit(samples: np.ndarray) -> np.ndarray:  # type: ignore[type-arg]
    """Samples as 16-bit integers."""
    return np.clip(np.round(samples * 32768), -32768, 32767).astype(np.int16)
