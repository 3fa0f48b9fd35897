"""Raw sound from a pipe or a microphone to text, line by line as people pause.

    arecord -f S16_LE -r 16000 -c 1 | python -m training transcribe -

A network that hears from both ends is asked when a stretch of speech has ended; one that looks back only
(`direction = "forward"`) is fed as the sound comes, and what it has understood so far is shown on the way.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import IO

from training.network.features import Float
from training.runtime.recognizer import Heard, Hearing, Recognizer
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
    for heard in hear_live(recognizer, at_rate(sound.pieces(), options.rate, recognizer.rate_hz)):
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


def hear_live(recognizer: Recognizer, pieces: Iterator[Float]) -> Iterator[Heard]:
    """Stretches of speech as soon as each has ended."""
    recognizer.options = replace(recognizer.options, live=True)
    hearing = Hearing(recognizer, recognizer.heard)
    for piece in pieces:
        hearing.feed(piece)
        yield from hearing.decided()
    hearing.finish()
    yield from hearing.decided()


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
