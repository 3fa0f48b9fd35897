"""The C++ library's Python face: alphabet, language model and scorer, CTC decoding, SPHERE and FLAC audio.

    alphabet = Alphabet.load("alphabet.txt")                # blank last, unless said
    scorer = Scorer.load("language_model_dir", alpha=0.5, beta=1.5)
    best = decode(log_probs, lengths, alphabet, scorer)[0][0].text

`log_probs` is float32 `[batch, frames, labels]` of natural logarithms; `greedy` and `decode` read it in
place and release the GIL. It never prints and never aborts; errors are those of `native.errors`.

The extension `_core` is built by CMake into `build/native/python` of the source tree, and lies beside this file in the
wheel, where this package is called `speechmill`: its files import each other by relative names. It is loaded by whoever
first asks for a name of it. Where it is not built its classes
and functions are stand-ins that raise `NotBuiltError` when they are used, so that what needs none of them runs.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any, NoReturn

from .errors import (
    AlphabetError,
    DecodeError,
    FlacError,
    NativeError,
    NotBuiltError,
    ScorerError,
    SpeechmillError,
    SphereChecksumError,
    SphereError,
)

if __name__ == "native":
    __path__.append(str(Path(__file__).resolve().parent.parent / "build" / "native" / "python"))

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
    "NotBuiltError",
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
    "features",
    "flac",
    "greedy",
    "labels",
    "sound",
    "sphere",
    "text_layout",
    "text_lines_are_wrapped",
    "text_names_gutenberg",
]

_MODULES = ("errors", "features", "flac", "labels", "sound", "sphere")


def _not_built() -> NoReturn:
    raise NotBuiltError("the native library is not built: run `make setup`")


class _Absent(type):
    """The class of stand-ins: they can be named and asked for in `isinstance`; every use raises NotBuiltError."""

    def __call__(cls, *arguments: object, **named: object) -> NoReturn:
        _not_built()

    def __getattr__(cls, name: str) -> NoReturn:
        if name.startswith("__"):  # what Python itself asks of any class
            raise AttributeError(name)
        _not_built()


def _load() -> Any:
    """The extension, or a stand-in for it where it is not built."""
    try:
        return importlib.import_module(f"{__name__}._core")
    except ModuleNotFoundError as error:
        if error.name != f"{__name__}._core":
            raise
        return _Absent("_core", (), {})
    except ImportError as error:
        raise NotBuiltError(
            f"the native library cannot be loaded: run `make setup` to build it anew ({error})"
        ) from error


def __getattr__(name: str) -> Any:
    if name == "_core":
        value = _load()
    elif name in _MODULES:
        value = importlib.import_module(f"{__name__}.{name}")
    elif name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    elif isinstance(core := _load(), _Absent):
        if name.isupper():  # a number or a version: nothing could stand in for it
            _not_built()
        value = _Absent(name, (), {})
    else:
        value = getattr(core, name)
    globals()[name] = value
    return value
