"""CTM: one word a line, `file channel start DURATION word [confidence [type [speaker]]]`.

The fourth field is a duration, not an end. Words of one recording, channel and speaker are joined into cues: a
cue ends at a gap of more than 0.5 s and has at most 15 s. `;;` lines are comments.
"""

from __future__ import annotations

from collections import Counter

from corpora.formats.cues import Cue, Hints, Transcript
from corpora.formats.encodings import decode_text
from corpora.formats.labels import joined_words, silent
from corpora.formats.times import plain_seconds

_CHANNELS = {"1": 0, "2": 1, "A": 0, "B": 1, "a": 0, "b": 1, "-": None}


def channel_of(field_text: str) -> int | None:
    """Channel from 0 of what CTM and STM write (1, 2, A, B); None where it is none of these.

    Raises:
        ValueError: not a channel.
    """
    if field_text not in _CHANNELS:
        raise ValueError(f"channel {field_text!r}")
    return _CHANNELS[field_text]


def read(data: bytes, hints: Hints) -> Transcript:
    """Cues of all recordings in a file."""
    decoded = decode_text(data, hints.encoding)
    ignored: Counter[str] = Counter()
    cues: list[Cue] = []
    words: list[Cue] = []
    breaks: set[int] = set()  # lines of words behind one that could not be read
    broken = False
    for line in decoded.lines:
        if line.text is None:
            cues.append(Cue(line.number, problem=line.problem, check="encoding"))
            broken = True
        elif line.text.startswith(";;"):
            ignored["comment"] += 1
        elif line.text.strip():
            try:
                word = _word(line.number, line.text)
            except ValueError as error:
                wanted = "wanted: file channel start duration word"
                cues.append(Cue(line.number, problem=f"{wanted} ({error})", text=line.text))
                broken = True
                continue
            reason = silent(word.text)
            if reason:
                ignored[reason] += 1
            else:
                words.append(word)
                breaks |= {line.number} if broken else set()
                broken = False
    words.sort(key=lambda w: (w.recording, w.channel or 0, w.voice or "", w.start_s or 0.0, w.line or 0))
    cues += joined_words(words, breaks)
    return Transcript(
        tuple(cues), ignored=tuple(ignored.items()), encoding=decoded.encoding, guessed=decoded.guessed
    )


def _word(number: int, text: str) -> Cue:
    fields = text.split()
    if len(fields) < 5:
        raise ValueError(f"{len(fields)} fields")
    recording, channel, start, duration, word = fields[:5]
    if word.upper().startswith("<ALT"):
        raise ValueError("alternatives: which of them was said is not known")
    start_s, length_s = plain_seconds(start), plain_seconds(duration)
    speaker = fields[7] if len(fields) > 7 else None
    return Cue(
        number, start_s, start_s + length_s, word, speaker, recording=recording, channel=channel_of(channel)
    )
