"""pyctcdecode's interface on this library: the same calls, the same answers, the search in C++.

    from speechmill.pyctcdecode import build_ctcdecoder      # in a checkout: from native.pyctcdecode import …

    decoder = build_ctcdecoder(labels, "lm.arpa")            # .arpa, or a KenLM binary and its unigrams
    text = decoder.decode(logits)                            # [frames, labels], any real numbers

Needs neither `kenlm` nor `pygtrie`. What a program takes from `import kenlm` is in `kenlm.py`. Differences from the
original are listed in docs/decoder.md.
"""

from __future__ import annotations

import importlib
import sys

from .alphabet import Alphabet
from .decoder import BeamSearchDecoderCTC, build_ctcdecoder
from .language_model import LanguageModel

__version__ = "0.5.0"  # of the interface
__all__ = ["Alphabet", "BeamSearchDecoderCTC", "LanguageModel", "build_ctcdecoder", "stand_in"]

_PARTS = ("alphabet", "constants", "decoder", "language_model")


def stand_in() -> None:
    """From here on `import pyctcdecode` and `import kenlm` give this package, for libraries that name them themselves.

    Call it before those libraries are imported. A pyctcdecode or kenlm that is already imported stays what it is.
    """
    if "pyctcdecode" not in sys.modules:
        sys.modules["pyctcdecode"] = sys.modules[__name__]
        for part in _PARTS:
            sys.modules[f"pyctcdecode.{part}"] = importlib.import_module(f".{part}", __name__)
    sys.modules.setdefault("kenlm", importlib.import_module(".kenlm", __name__))
