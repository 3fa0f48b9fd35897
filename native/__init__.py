"""The C++ library's Python face: alphabet, scorer, CTC decoding, SPHERE audio.

The extension `native._core` is built by CMake into `build/native/python` of the source tree (an installed wheel
carries it beside this file). It never prints and never aborts; errors are the classes of `native.errors`.
"""

from __future__ import annotations

from pathlib import Path

__path__.append(str(Path(__file__).resolve().parent.parent / "build" / "native" / "python"))

from native import errors, sphere  # noqa: E402
from native._core import Alphabet  # noqa: E402
from native.errors import AlphabetError, DecodeError, NativeError, ScorerError, SpeechmillError, SphereError  # noqa: E402

__all__ = [
    "Alphabet",
    "AlphabetError",
    "DecodeError",
    "NativeError",
    "ScorerError",
    "SpeechmillError",
    "SphereError",
    "errors",
    "sphere",
]
