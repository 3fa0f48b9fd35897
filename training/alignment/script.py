"""A text as it was handed over, as words that can be spoken: every one knows the token it came from.

Tokens are what blanks part, counted from 0; numbers and signs are spelled out as the corpora do it, so a token may
have several words or, as a note in brackets, none. Looks at no sound.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from corpora.formats.cues import TranscriptError
from corpora.formats.encodings import decode_text
from corpora.text.normaliser import Normalised, Normaliser, Policies
from training.errors import DataError

_PIECE = re.compile(r"\[[^\[\]]*\]|\S+")
_STYLE = "verbatim"


@dataclass(frozen=True)
class Script:
    """A text's tokens and its words.

    Attributes:
        tokens: as written. words: in the alphabet. token_of: int64 [words], the token a word came from.
    """

    tokens: tuple[str, ...]
    words: tuple[str, ...]
    token_of: npt.NDArray[np.int64]

    def text(self, first: int, stop: int) -> str:
        """The text of tokens [first, stop) as written."""
        return " ".join(self.tokens[first:stop])


def read_script(path: Path, labels: tuple[str, ...], language: str = "en") -> Script:
    """A text file's script.

    Raises:
        DataError: it cannot be read, or holds no word that the network can write.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: the text cannot be read: {error.strerror}") from error
    try:
        script = script_of(decode_text(data).text, labels, language)
    except TranscriptError as error:
        raise DataError(f"{path}: no text that can be read: {error}") from error
    if not script.words:
        raise DataError(
            f"{path}: no word in it that the network could write; its letters are {''.join(labels)!r}: is it a text in "
            "another language, or no text at all?"
        )
    return script


def script_of(text: str, labels: tuple[str, ...], language: str = "en") -> Script:
    """The script of a text."""
    normaliser = Normaliser(
        labels, _STYLE, Policies(numbers="spell", language=language, partial_words="keep")
    )
    tokens: list[str] = []
    words: list[str] = []
    token_of: list[int] = []
    known: dict[str, tuple[str, ...]] = {}
    for match in _PIECE.finditer(text):
        piece = match.group()
        if piece not in known:
            answer = normaliser.normalise(piece)
            known[piece] = tuple(answer.text.split()) if isinstance(answer, Normalised) else ()
        words += known[piece]
        token_of += [len(tokens)] * len(known[piece])
        tokens += piece.split()
    return Script(tuple(tokens), tuple(words), np.array(token_of, np.int64))
