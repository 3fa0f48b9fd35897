"""Raw sound from a pipe or a microphone to text, line by line as people pause.

    arecord -f S16_LE -r 16000 -c 1 | python -m training transcribe -

A network that hears from both ends is asked when a stretch of speech has ended; one that looks back only
(`direction = "unidirectional"`) is fed as the sound comes, and what it has understood so far is shown on the way.
"""

from __future__ import annotations

import argparse
import struct
import sys
from collections.abc import Iterator
from typing import IO

from training.network.features import Float
from training.runtime.errors import SoundError
from training.runtime.live import Partial, hear_live
from training.runtime.recognizer import Recognizer
from training.runtime.sound import at_rate, raw_pieces
from training.transcription.formats import FORMATS, Transcript
from training.transcription.segments import Segment, segments_of
from training.transcription.transcribe import NO_SPEECH

_PIECE_S = 0.1
_FILES = (b"RIFF", b"RF64", b"ID3", b"fLaC", b"OggS", b"\x1aE\xdf\xa3", b"FORM", b".snd", b"NIST_1A", b"caff")
_PCM, _LONGEST_CHUNK = (1, 0xFFFE), 1 << 16
_INSTEAD = "name the file, or pipe it through ffmpeg -i - -f s16le -ac 1 -ar 16000 -"
_NAME = "-"


def transcribe_pipe(recognizer: Recognizer, options: argparse.Namespace) -> int | None:
    """Read standard input to its end; text appears as it is decided, other forms at the end."""
    form = options.format or ("json" if options.json else "text")
    segments: list[Segment] = []
    sound = Counted(sys.stdin.buffer, options.rate)
    shown = _Shown(form == "text" and sys.stderr.isatty())
    for heard in hear_live(recognizer, at_rate(sound.pieces(), sound.rate_hz, recognizer.rate_hz)):
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
    """Raw sound from a stream, and how much of it there was.

    A WAV header before it is read, as `arecord` writes one; then `rate_hz` is the header's.

    Raises:
        SoundError: the stream is a WAV of other samples, or a compressed file.
    """

    def __init__(self, stream: IO[bytes], rate_hz: int) -> None:
        self._stream, self.rate_hz = stream, rate_hz
        self.seconds = 0.0
        self._first = _all_of(stream, 12)
        if self._first[:4] == b"RIFF" and self._first[8:] == b"WAVE":
            self.rate_hz, self._first = _header(stream), b""
        elif self._first.startswith(_FILES) or self._first[4:8] == b"ftyp":
            raise SoundError(f"standard input is a file of another form, not raw sound: {_INSTEAD}")

    def pieces(self) -> Iterator[Float]:
        """Tenths of a second as float32 in [-1, 1)."""
        for piece in raw_pieces(self._stream, _PIECE_S, self.rate_hz, self._first):
            self.seconds += len(piece) / self.rate_hz
            yield piece


def _all_of(stream: IO[bytes], size: int) -> bytes:
    """So many bytes, or fewer at the end."""
    data = b""
    while len(data) < size and (more := stream.read(size - len(data))):
        data += more
    return data


def _header(stream: IO[bytes]) -> int:
    """Read on behind RIFF and WAVE up to the samples; answers their rate in Hz."""
    found: tuple[int, ...] = ()
    while len(head := _all_of(stream, 8)) == 8:
        name, size = struct.unpack("<4sI", head)
        if name == b"data" and found[1:2] + found[5:6] == (1, 16) and found[0] in _PCM:
            return found[2]
        if name == b"data" or size > _LONGEST_CHUNK:
            break
        content = _all_of(stream, size + (size & 1))
        if name == b"fmt " and len(content) >= 16:
            found = struct.unpack("<HHIIHH", content[:16])
    raise SoundError(f"standard input is a WAV, and not one of 16-bit samples in one channel: {_INSTEAD}")
