"""The alphabet of a network that somebody else trained, from its list of output labels.

    alphabet = network_alphabet([token for token, _ in sorted(vocabulary.items(), key=lambda item: item[1])])

Known are the conventions of Hugging Face (`<pad>` is the blank, `|` the space), NeMo and SentencePiece (`▁` begins a
word), WordPiece (`##` continues one) and ESPnet (`<space>`). Where a list follows another, build the `Alphabet` itself.
"""

from __future__ import annotations

from collections.abc import Sequence

from . import _core
from .errors import AlphabetError

BLANKS = ("", "<blank>", "<blk>", "[blank]", "<pad>", "[PAD]", "<PAD>")
"""Names of CTC's blank; the first of these that a list holds is it."""

_BEGIN, _CONTINUE = "▁", "##"
_SPACES = ("|", _BEGIN, "<space>", "[SPACE]")  # of networks of letters


def network_alphabet(labels: Sequence[str], blank: int | None = None) -> _core.Alphabet:
    """The alphabet of a list of labels in the order of the network's outputs.

    Args:
        labels: one for each output. The blank is among them, or follows them where none has one of its names.
        blank: output index of the blank, where its name is none of `BLANKS`.

    Raises:
        AlphabetError: a label is empty, appears twice, or cannot be read as a piece of a word.
    """
    texts = list(labels)
    if blank is None:
        named = [texts.index(name) for name in BLANKS if name in texts]
        blank = named[0] if named else len(texts)
    if not 0 <= blank <= len(texts):
        raise AlphabetError(f"blank {blank} is outside the {len(texts)} labels")
    others = [text for place, text in enumerate(texts) if place != blank]
    if any(text.startswith(_BEGIN) and text != _BEGIN for text in others):
        return _core.Alphabet.pieces(others, blank, _BEGIN)
    if any(text.startswith(_CONTINUE) and text != _CONTINUE for text in others):
        return _core.Alphabet.pieces(others, blank, _CONTINUE)
    if " " not in others:
        space = next((sign for sign in _SPACES if sign in others), None)
        others = [" " if text == space else text for text in others]
    return _core.Alphabet(others, blank)
