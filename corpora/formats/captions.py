"""SubRip and WebVTT: timed cues with the line they stand in.

Tolerant where real files are sloppy (byte order marks, `.` or `,` before the milliseconds, missing blanks
round the arrow, gaps in the numbering), silent about nothing: a timing line that cannot be read is an
answer too. Text is returned as it stands, tags and entities included; transcript.py cleans it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from corpora.formats.cues import Cue, Hints, Transcript
from corpora.formats.encodings import decode_text
from corpora.sources.lines import TextLine

_TIME = r"(?:(\d+):)?(\d{1,2}):(\d{1,2})(?:[.,](\d{1,3}))?"
_TIMING = re.compile(rf"^\s*{_TIME}\s*-->\s*{_TIME}")
_VOICE = re.compile(r"<v(?:\.[^\s>]*)?\s+([^>]+)>")
_BLOCKS = ("NOTE", "STYLE", "REGION", "X-TIMESTAMP-MAP")


def read_srt(data: bytes, hints: Hints) -> Transcript:
    """A SubRip file."""
    decoded = decode_text(data, hints.encoding)
    return Transcript(tuple(read_cues(decoded.lines)), encoding=decoded.encoding, guessed=decoded.guessed)


def read_vtt(data: bytes, hints: Hints) -> Transcript:
    """A WebVTT file; a cue in which several voices speak is a problem."""
    decoded = decode_text(data, hints.encoding)
    cues = tuple(_one_voice(cue) for cue in read_cues(decoded.lines))
    return Transcript(cues, encoding=decoded.encoding, guessed=decoded.guessed)


def _one_voice(cue: Cue) -> Cue:
    voices = {voice.strip() for voice in _VOICE.findall(cue.text)}
    if len(voices) < 2:
        return cue
    reason = f"{len(voices)} voices in one cue ({', '.join(sorted(voices))}): who speaks when is not known"
    return Cue(cue.line, cue.start_s, cue.end_s, cue.text, problem=reason, check="two_speakers")


def _seconds(hours: str | None, minutes: str, seconds: str, fraction: str | None) -> float:
    millis = int((fraction or "0").ljust(3, "0"))
    return int(hours or 0) * 3600 + int(minutes) * 60 + int(seconds) + millis / 1000


def read_cues(lines: Iterable[TextLine]) -> Iterator[Cue]:
    """Cues of an SRT or VTT file, in its order."""
    block: list[TextLine] = []
    for line in lines:
        if line.text is not None and not line.text.strip():
            yield from _block(block)
            block = []
        else:
            block.append(line)
    yield from _block(block)


def _block(block: list[TextLine]) -> Iterator[Cue]:
    if not block or (block[0].text or "").startswith(("WEBVTT", *_BLOCKS)):
        return
    at = next((i for i, line in enumerate(block) if line.text and "-->" in line.text), None)
    if at is None:
        numbers = all((line.text or "").strip().isdigit() for line in block)
        if not numbers:
            bad = next((line for line in block if line.text is None), None)
            problem, check = (bad.problem, "encoding") if bad else ("text without a timing line", "bad_line")
            yield Cue(block[0].number, problem=problem, check=check, text=block[0].text or "")
        return
    timing = block[at]
    match = _TIMING.match(timing.text or "")
    if match is None:
        yield Cue(timing.number, problem=f"the times {(timing.text or '').strip()[:60]!r} cannot be read")
        return
    body, following = _body(block[at + 1 :])
    bad = next((line for line in body if line.text is None), None)
    start_s, end_s = _seconds(*match.groups()[:4]), _seconds(*match.groups()[4:])
    text = "\n".join(line.text or "" for line in body)
    voice = _VOICE.search(text)
    if bad is not None:
        yield Cue(timing.number, start_s, end_s, problem=bad.problem, check="encoding")
    else:
        yield Cue(timing.number, start_s, end_s, text, voice[1].strip() if voice else None)
    yield from _block(following)


def _body(lines: list[TextLine]) -> tuple[list[TextLine], list[TextLine]]:
    """Text lines of a cue, and what follows where the empty line between cues is missing."""
    for index, line in enumerate(lines):
        if line.text and _TIMING.match(line.text):
            numbered = index > 0 and (lines[index - 1].text or "").strip().isdigit()
            cut = index - 1 if numbered else index
            return lines[:cut], lines[cut:]
    return lines, []
