"""Plain text: everything that is said in one recording, without times."""

from __future__ import annotations

from corpora.formats.cues import Cue, Hints, Transcript
from corpora.formats.encodings import decode_text


def read(data: bytes, hints: Hints) -> Transcript:
    """One cue without times that holds the whole text.

    Raises:
        TranscriptError: a line that cannot be decoded: the text would have a hole.
    """
    decoded = decode_text(data, hints.encoding)
    text = decoded.text.strip()
    cues = (Cue(1, None, None, text),) if text else ()
    return Transcript(cues, encoding=decoded.encoding, guessed=decoded.guessed)
