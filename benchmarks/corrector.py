"""`make bench-corrector TEXT=PATH`: the spell corrector beside the rule of 2017 written plainly in Python.

Both get the same unknown words of the same greedy texts (the decoder benchmark's inputs) and the same lexicon
and must find the same candidates; sentences are ranked by ours only. CPU time, in turns; ratios count.
"""

from __future__ import annotations

import argparse
import itertools
import json
import string
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import native
from benchmarks.decoder.inputs import InputRequest, Inputs, prepare, words_of
from scoring.wer import count_errors
from training.decoding.correct import BEAM_WIDTH, MAX_CANDIDATES

ROOT = Path(__file__).resolve().parents[1]
_LETTERS = string.ascii_lowercase + "'"
_PLAIN_WORDS = 40  # the plain rule takes up to half a second for one word
_REPETITIONS = 3


def edits_of(word: str) -> set[str]:
    """Everything one edit away."""
    splits = [(word[:i], word[i:]) for i in range(len(word) + 1)]
    removed = {left + right[1:] for left, right in splits if right}
    swapped = {left + right[1] + right[0] + right[2:] for left, right in splits if len(right) > 1}
    replaced = {left + letter + right[1:] for left, right in splits if right for letter in _LETTERS}
    inserted = {left + letter + right for left, right in splits for letter in _LETTERS}
    return removed | swapped | replaced | inserted


def plain_candidates(word: str, lexicon: set[str]) -> list[str]:
    """The rule of 2017: known, else one edit away, else two, else the word itself."""
    if word in lexicon:
        return [word]
    once = edits_of(word)
    near = once & lexicon
    return sorted(near or {far for one in once for far in edits_of(one) & lexicon}) or [word]


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the benchmark; 0 done, 1 the candidates differ, 2 unusable input."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.corrector", description="Ours beside plain Python."
    )
    parser.add_argument("--text", type=Path, required=True, help="prose: tar of .txt, folder, or one .txt")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    try:
        inputs = prepare(InputRequest(options.text, options.seed), ROOT / "build")
    except (OSError, ValueError) as error:
        print(f"bench-corrector: {error}", file=sys.stderr)
        return 2
    scorer = native.Scorer.load(inputs.models["probing"])
    lexicon = {word for word in words_of(Path(inputs.models["probing"]) / "lm.arpa") if scorer.knows(word)}
    said, heard = inputs.texts["many"], greedy_texts(inputs)
    figures = sentences(said, heard, scorer)
    same, candidates = compare_candidates(heard, scorer, lexicon)
    print(json.dumps({**figures, **candidates, "lexicon": len(lexicon)}, indent=1))
    return 0 if same else 1


def greedy_texts(inputs: Inputs) -> list[str]:
    """What best-path decoding hears in the larger set."""
    alphabet = native.Alphabet(list(" " + _LETTERS))
    flat, offsets = np.load(inputs.many / "flat.npy"), np.load(inputs.many / "offsets.npy")
    rows = [flat[start:stop] for start, stop in itertools.pairwise(offsets)]
    return [native.greedy(row[None], [len(row)], alphabet)[0].text for row in rows]


def sentences(said: Sequence[str], heard: Sequence[str], scorer: native.Scorer) -> dict[str, Any]:
    """Speed and error rates of whole sentences, at the settings of evaluations."""
    corrector = native.SpellCorrector(scorer, BEAM_WIDTH, MAX_CANDIDATES)
    took_s, corrected = fastest(lambda: corrector.correct(heard, threads=1))
    words = sum(len(text.split()) for text in heard)
    unknown = sum(not scorer.knows(word) for text in heard for word in text.split())
    return {
        "utterances": len(heard),
        "words": words,
        "unknown_words": unknown,
        "greedy_wer": round(count_errors(said, heard).wer, 4),
        "corrected_wer": round(count_errors(said, corrected).wer, 4),
        "cpu_us_per_word": round(1e6 * took_s / words, 2),
        "cpu_us_per_unknown_word": round(1e6 * took_s / unknown, 1),
    }


def compare_candidates(
    heard: Sequence[str], scorer: native.Scorer, lexicon: set[str]
) -> tuple[bool, dict[str, Any]]:
    """Whether both rules find the same candidates of some unknown words, and how long each takes."""
    everything = native.SpellCorrector(scorer)
    unknown = sorted({word for text in heard for word in text.split() if word not in lexicon})
    some = unknown[:: max(1, len(unknown) // _PLAIN_WORDS)][:_PLAIN_WORDS]
    ours_s, ours = fastest(lambda: [everything.candidates(word) for word in some])
    plain_s, plain = fastest(lambda: [plain_candidates(word, lexicon) for word in some])
    by_label = [sorted(words) for words in ours]
    return by_label == plain, {
        "candidates_compared": len(some),
        "candidates_equal": by_label == plain,
        "ours_us_per_word": round(1e6 * ours_s / len(some), 1),
        "plain_us_per_word": round(1e6 * plain_s / len(some), 1),
        "plain_over_ours": round(plain_s / ours_s, 1),
    }


def fastest(call: Callable[[], Any]) -> tuple[float, Any]:
    """CPU seconds of the quickest of a few calls, and what it gave."""
    times = []
    for _ in range(_REPETITIONS):
        begun = time.process_time()
        answer = call()
        times.append(time.process_time() - begun)
    return min(times), answer


if __name__ == "__main__":
    sys.exit(main())
