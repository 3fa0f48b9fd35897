"""A recording cut into its segments: a sound file and its text each, to be corrected by hand and imported as donated.

    <folder>/<file>/0001.wav  0001.txt  0002.wav  …

The sound is decoded once, piece by piece; a cut lies where it is quietest between two segments, at most `MARGIN_S` from
the words, and fades in and out. The folder of a file appears whole or not at all.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydub import AudioSegment
from pydub.utils import make_chunks

from store.writing import explain_write, fsync_tree, put_in_place, temporary_beside
from training.runtime.errors import SoundError
from training.runtime.sound import SoundFacts, facts_of, pieces_of
from training.transcription.formats import Transcript
from training.transcription.segments import Segment

MARGIN_S = 0.3
_STEP_MS, _FADE_MS = 20, 5
_WHOLE_MS = 40  # so many milliseconds are a whole number of samples at every usual rate


@dataclass(frozen=True)
class PieceForm:
    """How pieces are written (wav, flac, mp3 or ogg), and of which sound track, counted from 0."""

    name: str = "wav"
    track: int = 0


def write_pieces(transcript: Transcript, folder: Path, form: PieceForm = PieceForm()) -> Path:
    """Cut the sound of a transcript; answers the folder of its pieces.

    What is damaged behind the last segment costs nothing: the transcript has named it.

    Args:
        form: mono, at the sound's own rate, 16 bits where the form counts them.

    Raises:
        SoundError: the sound is gone or is none any more. StoreError: the disk is full or the like.
    """
    source = Path(transcript.file)
    facts, target = facts_of(source, form.track), folder / source.name
    staged = temporary_beside(target)
    with explain_write(target):
        shutil.rmtree(staged, ignore_errors=True)
        staged.mkdir(parents=True)
        try:
            for number, segment, sound in _pieces(source, facts, transcript.segments):
                stem = f"{number:04d}" + ("" if segment.channel is None else f"-channel{segment.channel}")
                sound.export(
                    str(staged / f"{stem}.{form.name}"), format=form.name, parameters=["-bitexact"]
                ).close()
                (staged / f"{stem}.txt").write_text(f"{segment.text}\n", "utf-8")
            fsync_tree(staged)
            put_in_place(staged, target)
        finally:
            shutil.rmtree(staged, ignore_errors=True)
    return target


def _pieces(
    source: Path, facts: SoundFacts, segments: Sequence[Segment]
) -> Iterator[tuple[int, Segment, AudioSegment]]:
    """Number, segment and sound of each, channel by channel."""
    numbered = [*enumerate(segments, start=1)]
    for channel in dict.fromkeys(segment.channel for segment in segments):
        chosen = [(number, segment) for number, segment in numbered if segment.channel == channel]
        with suppress(SoundError):
            yield from _cut(_blocks(source, facts, channel), chosen)


def _blocks(source: Path, facts: SoundFacts, channel: int | None) -> Iterator[AudioSegment]:
    """The sound as pydub holds it, some seconds at a time."""
    for piece in pieces_of(source, facts, facts.rate_hz, channel):
        samples = np.clip(np.rint(piece * 32768.0), -32768, 32767).astype("<i2")
        yield AudioSegment(samples.tobytes(), sample_width=2, frame_rate=facts.rate_hz, channels=1)


def _cut(
    blocks: Iterator[AudioSegment], segments: Sequence[tuple[int, Segment]]
) -> Iterator[tuple[int, Segment, AudioSegment]]:
    """Each segment's stretch; what lies before it is let go."""
    held, begins_ms = AudioSegment.empty(), 0
    for place, (number, segment) in enumerate(segments):
        room = _room_ms(segments, place)
        while begins_ms + len(held) < room[1] and (block := next(blocks, None)) is not None:
            held = block if not len(held) else held + block
        first = _quietest(held, (room[0] - begins_ms, round(1000 * segment.start_s) - begins_ms))
        last = _quietest(held, (round(1000 * segment.end_s) - begins_ms, room[1] - begins_ms))
        yield number, segment, held[first:last].fade_in(_FADE_MS).fade_out(_FADE_MS)
        gone = min(max(0, round(1000 * segment.end_s) - begins_ms), len(held)) // _WHOLE_MS * _WHOLE_MS
        held, begins_ms = held[gone:], begins_ms + gone


def _room_ms(segments: Sequence[tuple[int, Segment]], place: int) -> tuple[int, int]:
    """First and last millisecond that may belong to a segment: half the way to its neighbours, or the margin."""
    segment = segments[place][1]
    before_s = segments[place - 1][1].end_s if place else 0.0
    after_s = segments[place + 1][1].start_s if place + 1 < len(segments) else segment.end_s + 2 * MARGIN_S
    start_s = max(segment.start_s - MARGIN_S, (before_s + segment.start_s) / 2 if place else 0.0)
    end_s = min(segment.end_s + MARGIN_S, (segment.end_s + after_s) / 2)
    return round(1000 * min(start_s, segment.start_s)), round(1000 * max(end_s, segment.end_s))


def _quietest(held: AudioSegment, span_ms: tuple[int, int]) -> int:
    """The middle of the quietest twenty milliseconds of a span; its beginning where the span is shorter than that."""
    first, last = max(0, span_ms[0]), min(span_ms[1], len(held))
    steps = make_chunks(held[first:last], _STEP_MS)[: max(0, last - first) // _STEP_MS]
    if not steps:
        return first
    best = min(range(len(steps)), key=lambda at: steps[at].rms)
    return first + best * _STEP_MS + _STEP_MS // 2
