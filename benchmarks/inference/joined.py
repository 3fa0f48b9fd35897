"""`python -m benchmarks.inference.joined --out ten`: test sentences of the model's corpora in one recording, and their text.

    ten.wav    one sentence after the other at 16 kHz, --gap-s of near silence between
    ten.txt    the words in that order, one line

Seeded; stops at --minutes or when no sentence is left.
"""

from __future__ import annotations

import argparse
import random
import sys
from pathlib import Path

import numpy as np
import soundfile

from store.opening import open_store
from store.store import Store
from training.network.dataset import SplitChoice, clips_of
from training.network.features import Float, resample, samples_as_float
from training.release.registry import Registry
from training.runtime.package import Package

RATE_HZ = 16000


def main() -> int:
    """Write both files."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.inference.joined", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="without its ending")
    parser.add_argument("--corpora", nargs="+", help="default: all of the model")
    parser.add_argument("--split", default="test")
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--gap-s", type=float, default=0.7)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--model", help="id of a packaged model; default: the released one")
    options = parser.parse_args()
    store = open_store()
    package = Package.open(Registry(store).model(options.model).path)
    sentences = sentences_of(store, package, options.split, options.corpora)
    random.Random(options.seed).shuffle(sentences)
    samples, text = joined(sentences, options.minutes * 60, options.gap_s)
    soundfile.write(f"{options.out}.wav", samples, RATE_HZ, subtype="PCM_16")
    Path(f"{options.out}.txt").write_text(" ".join(text) + "\n", encoding="utf-8")
    sys.stdout.write(f"{len(text)} sentences, {len(samples) / RATE_HZ:.1f} s\n")
    return 0


def sentences_of(
    store: Store, package: Package, split: str, names: list[str] | None = None
) -> list[tuple[Float, str]]:
    """Samples at 16 kHz and the text of every utterance of a split, in the corpora's order."""
    found: list[tuple[Float, str]] = []
    for corpus in package.manifest["corpora"]:
        if names and corpus["name"] not in names:
            continue
        for clip in clips_of(store.corpus(corpus["name"], corpus["version"]), SplitChoice(split)):
            found.append((resample(samples_as_float(clip.sound()), clip.rate_hz, RATE_HZ), clip.text))
    return found


def joined(sentences: list[tuple[Float, str]], length_s: float, gap_s: float) -> tuple[Float, list[str]]:
    """As many sentences as fill the length, near silence before, between and behind; their samples and texts."""
    rest = np.random.default_rng(0).normal(0, 0.002, round(gap_s * RATE_HZ)).astype(np.float32)
    parts, texts, count = [rest], [], len(rest)
    for samples, text in sentences:
        if count / RATE_HZ >= length_s:
            break
        parts += [samples, rest]
        texts.append(text)
        count += len(samples) + len(rest)
    return np.concatenate(parts), texts


if __name__ == "__main__":
    sys.exit(main())
