"""The C++ library's Python face: alphabet, language model and scorer, CTC decoding, SPHERE and FLAC audio.

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

from native import errors, flac, sound, sphere  # noqa: E402
from native._core import (  # noqa: E402
    KENLM_MAX_ORDER,
    KENLM_VERSION,
    TRIE_VERSION,
    Alphabet,
    HeldOut,
    Hypothesis,
    LanguageModel,
    Pruning,
    Scorer,
    SpellCorrector,
    Stream,
    TextCleaner,
    WordCounter,
    WordTime,
    build_lexicon_trie,
    decode,
    greedy,
    text_layout,
    text_lines_are_wrapped,
    text_names_gutenberg,
)
from native.errors import (  # noqa: E402
    AlphabetError,
    DecodeError,
    FlacError,
    NativeError,
    ScorerError,
    SpeechmillError,
    SphereChecksumError,
    SphereError,
)

__all__ = [
    "KENLM_MAX_ORDER",
    "KENLM_VERSION",
    "TRIE_VERSION",
    "Alphabet",
    "AlphabetError",
    "DecodeError",
    "FlacError",
    "HeldOut",
    "Hypothesis",
    "LanguageModel",
    "NativeError",
    "Pruning",
    "Scorer",
    "ScorerError",
    "SpeechmillError",
    "SpellCorrector",
    "SphereChecksumError",
    "SphereError",
    "Stream",
    "TextCleaner",
    "WordCounter",
    "WordTime",
    "build_lexicon_trie",
    "decode",
    "errors",
    "flac",
    "greedy",
    "sound",
    "sphere",
    "text_layout",
    "text_lines_are_wrapped",
    "text_names_gutenberg",
]
