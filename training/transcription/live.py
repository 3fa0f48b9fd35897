"""Raw sound from a pipe or a microphone to text, line by line as people pause.

    arecord -f S16_LE -r 16000 -c 1 | python -m training transcribe -

A network that hears from both ends is asked when a stretch of speech has ended; one that looks back only
(`direction = "unidirectional"`) is fed as the sound comes, and what it has understood so far is shown on the way.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from typing import IO

from training.network.features import Float
from training.runtime.live import Partial, hear_live
from training.runtime.recognizer import Recognizer
from training.runtime.sound import at_rate, raw_pieces
from training.transcription.formats import FORMATS, Transcript
from training.transcription.segments import Segment, segments_of
from training.transcription.transcribe import NO_SPEECH

_PIECE_S = 0.1
_NAME = "-"


def transcribe_pipe(recognizer: Recognizer, options: argparse.Namespace) -> int | None:
    """Read standard input to its end; text appears as it is decided, other forms at the end."""
    form = options.format or ("json" if options.json else "text")
    segments: list[Segment] = []
    sound = Counted(sys.stdin.buffer, options.rate)
    shown = _Shown(form == "text" and sys.stderr.isatty())
    for heard in hear_live(recognizer, at_rate(sound.pieces(), options.rate, recognizer.rate_hz)):
        if isinstance(heard, Partial):
            shown.partial(heard.text)
            continue
        shown.partial("")
        found = segments_of(heard)
        segments += found
        if form == "text":
            sys.stdout.write("".join(f"{one.text}\n" for one in found))
            sys.stdout.flush()
    recognizer.close()
    problem = None if segments else f"{_NAME}: {NO_SPEECH}"
    if form != "text":
        transcript = Transcript(_NAME, sound.seconds, recognizer.package.id, tuple(segments), problem)
        sys.stdout.write(FORMATS[form][1](transcript))
    if problem:
        sys.stderr.write(f"{problem}\n")
    return 1 if problem else None


class _Shown:
    """The line that still changes, on a terminal."""

    def __init__(self, alive: bool) -> None:
        self._alive = alive

    def partial(self, text: str) -> None:
        """Show what is understood so far; "" takes it away."""
        if self._alive:
            sys.stderr.write(f"\r\x1b[K{text[-100:]}")
            sys.stderr.flush()


class Counted:
    """Raw sound from a stream, and how much of it there was."""

    def __init__(self, stream: IO[bytes], rate_hz: int) -> None:
        self._stream, self._rate_hz = stream, rate_hz
        self.seconds = 0.0

    def pieces(self) -> Iterator[Float]:
        """Tenths of a second as float32 in [-1, 1)."""
        for piece in raw_pieces(self._stream, _PIECE_S, self._rate_hz):
            self.seconds += len(piece) / self._rate_hz
            yield piece
