"""The C++ library's Python face: alphabet, language model and scorer, CTC decoding, SPHERE audio.

    alphabet = Alphabet.load("alphabet.txt")                # blank last, unless said
    scorer = Scorer.load("language_model_dir", alpha=0.5, beta=1.5)
    best = decode(log_probs, lengths, alphabet, scorer)[0][0].text

`log_probs` is float32 `[batch, frames, labels]` of natural logarithms; `greedy` and `decode` read it in
place and release the GIL. The extension `native._core` is built by CMake into `build/native/python` of the
source tree (an installed wheel carries it beside this file). It never prints and never aborts; errors are
those of `native.errors`.
"""

from __future__ import annotations

from pathlib import Path

__path__.append(str(Path(__file__).resolve().parent.parent / "build" / "native" / "python"))

from native import errors, sphere  # noqa: E402
from native._core import (  # noqa: E402
    KENLM_MAX_ORDER,
    KENLM_VERSION,
    TRIE_VERSION,
    Alphabet,
    Hypothesis,
    LanguageModel,
    Scorer,
    SpellCorrector,
    WordTime,
    build_lexicon_trie,
    decode,
    greedy,
)
from native.errors import (  # noqa: E402
    AlphabetError,
    DecodeError,
    NativeError,
    ScorerError,
    SpeechmillError,
    SphereError,
)

__all__ = [
    "KENLM_MAX_ORDER",
    "KENLM_VERSION",
    "TRIE_VERSION",
    "Alphabet",
    "AlphabetError",
    "DecodeError",
    "Hypothesis",
    "LanguageModel",
    "NativeError",
    "Scorer",
    "ScorerError",
    "SpeechmillError",
    "SpellCorrector",
    "SphereError",
    "WordTime",
    "build_lexicon_trie",
    "decode",
    "errors",
    "greedy",
    "sphere",
]
