"""CTM: one word a line, `file channel start DURATION word [confidence [type [speaker]]]`.

The fourth field is a duration, not an end. Words of one recording, channel and speaker are joined into cues: a
cue ends at a gap of more than 0.5 s and has at most 15 s. `;;` lines are comments.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from corpora.formats.cues import Cue, Hints, Transcript
from corpora.formats.encodings import decode_text
from corpora.sources.lines import TextLine

GAP_S = 0.5
LONGEST_S = 15.0
_CHANNELS = {"1": 0, "2": 1, "A": 0, "B": 1, "a": 0, "b": 1, "-": None}


@dataclass(frozen=True)
class _Word:
    line: int
    recording: str
    channel: int | None
    start_s: float
    end_s: float
    text: str
    speaker: str | None


@dataclass
class _Group:
    """Words that become one cue."""

    words: list[_Word] = field(default_factory=list)

    def takes(self, word: _Word) -> bool:
        first, last = self.words[0], self.words[-1]
        same = (first.recording, first.channel, first.speaker) == (word.recording, word.channel, word.speaker)
        near = -GAP_S <= word.start_s - last.end_s <= GAP_S
        return same and near and word.end_s - first.start_s <= LONGEST_S

    def cue(self) -> Cue:
        first = self.words[0]
        text, end_s = " ".join(word.text for word in self.words), max(word.end_s for word in self.words)
        where, who = (first.recording, first.channel), first.speaker
        return Cue(first.line, first.start_s, end_s, text, who, recording=where[0], channel=where[1])


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
    comments = sum((line.text or "").startswith(";;") for line in decoded.lines)
    ignored = (("comment", comments),) if comments else ()
    cues = tuple(_cues(decoded.lines))
    return Transcript(cues, ignored=ignored, encoding=decoded.encoding, guessed=decoded.guessed)


def _cues(lines: tuple[TextLine, ...]) -> Iterator[Cue]:
    words: list[_Word] = []
    for line in lines:
        if line.text is None:
            yield Cue(line.number, problem=line.problem, check="encoding")
        elif line.text.strip() and not line.text.startswith(";;"):
            try:
                words.append(_word(line.number, line.text))
            except ValueError as error:
                wanted = "wanted: file channel start duration word"
                yield Cue(line.number, problem=f"{wanted} ({error})", text=line.text)
    group = _Group()
    order = sorted(words, key=lambda w: (w.recording, w.channel or 0, w.speaker or "", w.start_s, w.line))
    for word in order:
        if group.words and not group.takes(word):
            yield group.cue()
            group = _Group()
        group.words.append(word)
    if group.words:
        yield group.cue()


def _word(number: int, text: str) -> _Word:
    fields = text.split()
    if len(fields) < 5:
        raise ValueError(f"{len(fields)} fields")
    recording, channel, start, duration, word = fields[:5]
    if word.upper().startswith("<ALT"):
        raise ValueError("alternatives: which of them was said is not known")
    start_s, length_s = float(start), float(duration)
    if not (0 <= start_s < 1e7 and 0 <= length_s < 1e7):
        raise ValueError(f"times {start} {duration}")
    speaker = fields[7] if len(fields) > 7 else None
    return _Word(number, recording, channel_of(channel), start_s, start_s + length_s, word, speaker)
