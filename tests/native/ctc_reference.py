"""Slow, plain definitions to hold the C++ search against: sums over every alignment, scored by the formula.

Nothing here shares code or tricks with the library. Also makes the small language models the tests use.
"""

from __future__ import annotations

import itertools
import math
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

import native

KENLM_BIN = Path(__file__).resolve().parents[2] / "build" / "kenlm" / "bin"
IDENTITY = {"normaliser_version": "1", "kenlm_version": "0.3.0"}


def collapse(path: Iterable[int], blank: int) -> tuple[int, ...]:
    """CTC's reading of an alignment: repeats merged, blanks dropped."""
    return tuple(label for label, _ in itertools.groupby(path) if label != blank)


def text_masses(log_probs: npt.NDArray[np.float32], alphabet: native.Alphabet) -> dict[str, float]:
    """P(text) of every text that some alignment spells, summed over alignments."""
    probabilities = np.exp(log_probs.astype(np.float64))
    masses: dict[str, float] = {}
    for path in itertools.product(range(alphabet.size), repeat=len(log_probs)):
        mass = math.prod(probabilities[t, label] for t, label in enumerate(path))
        text = " ".join(alphabet.decode(list(collapse(path, alphabet.blank))).split())
        masses[text] = masses.get(text, 0.0) + mass
    return masses


def best_texts(
    masses: dict[str, float], words: set[str] | None = None, scorer: native.Scorer | None = None
) -> list[tuple[float, str]]:
    """(score, text), best first, of all texts made of `words` (None: any)."""
    answer = []
    for text, mass in masses.items():
        if mass <= 0 or (words is not None and not set(text.split()) <= words):
            continue
        score = math.log(mass)
        if scorer is not None:
            log10 = sum(entry[1] for entry in scorer.score_sentence(text))
            score += scorer.alpha * log10 * math.log(10) + scorer.beta * len(text.split())
        answer.append((score, text))
    return sorted(answer, key=lambda item: (-item[0], item[1]))


def build_language_model(
    directory: Path, sentences: Sequence[str], alphabet: native.Alphabet, words: Sequence[str] | None = None
) -> Path:
    """lm.binary, lexicon.trie and alphabet.txt of a bigram model over a handful of sentences."""
    directory.mkdir(parents=True, exist_ok=True)
    arpa = directory / "lm.arpa"
    text = "".join(sentence + "\n" for sentence in sentences)
    estimate = [str(KENLM_BIN / "lmplz"), "-o", "2", "-S", "50M", "-T", str(directory), "--discount_fallback"]
    subprocess.run([*estimate, "--arpa", str(arpa)], input=text.encode(), check=True, capture_output=True)
    convert = [str(KENLM_BIN / "build_binary"), "probing", str(arpa), str(directory / "lm.binary")]
    subprocess.run(convert, check=True, capture_output=True)
    alphabet.save(directory / "alphabet.txt")
    vocabulary = (
        sorted({word for sentence in sentences for word in sentence.split()}) if words is None else words
    )
    native.build_lexicon_trie(
        vocabulary, alphabet, directory / "lm.binary", directory / "lexicon.trie", IDENTITY
    )
    return directory


def random_log_probs(seed: int, frames: int, labels: int, sharpness: float = 1.5) -> npt.NDArray[np.float32]:
    """Normalised natural-log probabilities `[frames, labels]`."""
    logits = np.random.default_rng(seed).normal(scale=sharpness, size=(frames, labels))
    return (logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)).astype(np.float32)
