"""SubRip, WebVTT and SBV: timed cues with the line they stand in.

A cue reaches from its timing line to the next one: what stands behind an empty line belongs to it (as in files of
YouTube, of double-spaced SRT, of subtitles with paragraphs), and nothing is judged by how it begins before it is
known whether it holds a timing line. What cannot be read is a cue with a problem, notes and styles are counted:
every line ends in a cue or in a count. Text is returned as it stands; caption_marks.py takes the marks off.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from corpora.formats.cues import Cue, Hints, Transcript
from corpora.formats.encodings import Decoded, decode_text
from corpora.formats.times import clock_seconds
from corpora.sources.lines import TextLine

_TIME = r"(?:([0-9]{1,4}):)?([0-9]{1,4}):([0-9]{1,2})(?:[.,]([0-9]{1,9}))?"
_TIMING = re.compile(rf"\s*{_TIME}\s*-->\s*{_TIME}(?=\s|$)(.*)")
_SBV_TIMING = re.compile(rf"\s*{_TIME}\s*,\s*{_TIME}(?=\s|$)(.*)")
# A timing line in a form that nobody writes: `00:00:01,000 -> 00:00:02,000`, `00:00:01:12 --> …`.
_LIKE_TIMING = re.compile(r"\s*-?[0-9]{1,4}:[0-9]{1,2}[0-9:.,; ]*[-–—=→>]{1,4}\s*-?[0-9]{1,4}:[0-9]")
_SETTING = re.compile(r"[A-Za-z0-9_-]+:\S*")
_VOICE = re.compile(r"<v(?:\.[^\s<>]*)?[ \t]+([^\s<>][^<>]*)>")
_BESIDE = re.compile(r"(NOTE(?=\s|$)|STYLE\s*$|REGION\s*$)")
_NOTE = "WebVTT note, style or region"
GAP_FLAG, UNFINISHED_FLAG = "blank_line_in_cue", "last_line_unfinished"


@dataclass
class _Block:
    """Lines that stand together, without an empty line between."""

    lines: list[TextLine] = field(default_factory=list)

    @property
    def begins(self) -> str:
        return self.lines[0].text or ""


@dataclass
class _Open:
    """A cue while its lines come in; `paragraphs` are its lines between empty lines."""

    timing: TextLine
    paragraphs: list[list[TextLine]] = field(default_factory=lambda: [[]])
    broken: str = ""  # why its text cannot be trusted


def read_srt(data: bytes, hints: Hints) -> Transcript:
    """A SubRip file."""
    return _read(decode_text(data, hints.encoding), _TIMING, vtt=False)


def read_vtt(data: bytes, hints: Hints) -> Transcript:
    """A WebVTT file; a cue in which several voices speak is a problem."""
    return _read(decode_text(data, hints.encoding), _TIMING, vtt=True)


def read_sbv(data: bytes, hints: Hints) -> Transcript:
    """An SBV file: `0:00:01.000,0:00:02.500` above the text."""
    return _read(decode_text(data, hints.encoding), _SBV_TIMING, vtt=False)


def _read(decoded: Decoded, timing: re.Pattern[str], vtt: bool) -> Transcript:
    head = next((line.text for line in decoded.lines if line.text is not None), "")
    reader = _Reader(timing, vtt or bool(re.match(r"WEBVTT(?:\s|$)", head)))
    cues = reader.run(decoded.lines)
    if cues and decoded.unfinished:
        cues = (*cues[:-1], replace(cues[-1], flags=(*cues[-1].flags, UNFINISHED_FLAG)))
    ignored = tuple(reader.ignored.items())
    return Transcript(cues, ignored=ignored, encoding=decoded.encoding, guessed=decoded.guessed)


class _Reader:
    """One pass over the lines of a file."""

    def __init__(self, timing: re.Pattern[str], vtt: bool) -> None:
        self._timing = timing
        self._vtt = vtt
        self._cues: list[Cue] = []
        self._open: _Open | None = None
        self._numbered = False
        self._last_number = 0
        self.ignored: Counter[str] = Counter()

    def run(self, lines: Sequence[TextLine]) -> tuple[Cue, ...]:
        """Cues in the order of the file."""
        blocks = list(_blocks(lines, self._vtt))
        for at, block in enumerate(blocks):
            follows = blocks[at + 1] if at + 1 < len(blocks) else None
            self._block(block, follows, first=at == 0)
        self._close()
        return tuple(self._cues)

    # --- blocks -------------------------------------------------------------------------------------------

    def _is_timing(self, line: TextLine) -> bool:
        text = line.text or ""
        if self._timing is _TIMING:
            arrow = "-->" in text and any(c.isdigit() for c in text)
        else:
            arrow = bool(self._timing.match(text))
        return arrow or bool(_LIKE_TIMING.match(text))

    def _block(self, block: _Block, follows: _Block | None, first: bool) -> None:
        timings = [at for at, line in enumerate(block.lines) if self._is_timing(line)]
        if not timings:
            self._without_timing(block, follows, first)
            return
        above = block.lines[: timings[0]]
        if not (first and self._vtt and block.begins.startswith("WEBVTT")):
            self._above(above)
        for at, begin in enumerate(timings):
            end = timings[at + 1] if at + 1 < len(timings) else len(block.lines)
            self._cue(block.lines, begin, end, dense=at + 1 < len(timings))

    def _above(self, lines: list[TextLine]) -> None:
        """What stands in one block above a timing line: the cue's name, and text of the cue before."""
        if not lines:
            return
        if self._vtt and _BESIDE.match(lines[0].text or "") and len(lines) > 1:
            self.ignored[_NOTE] += 1
            return
        named = self._vtt or _number(lines[-1]) is not None
        self._note_number(lines[-1])
        self._text(lines[:-1] if named else lines, apart=True)

    def _cue(self, lines: list[TextLine], begin: int, end: int, dense: bool) -> None:
        """A timing line and the lines below it up to the next timing line of its block."""
        timing = lines[begin]
        named = begin > 0 and (_number(lines[begin - 1]) is not None or (self._vtt and begin == 1))
        if self._open is not None and begin > 0 and not named and not self._timing.match(timing.text or ""):
            self._open.broken = f"line {timing.number} in it holds an arrow and is no timing line"
        self._close()
        self._open = _Open(timing)
        body = lines[begin + 1 : end]
        if dense and body and self._numbered and _number(body[-1]) is not None:
            self._note_number(body.pop())
        self._text(body)

    def _without_timing(self, block: _Block, follows: _Block | None, first: bool) -> None:
        if self._vtt and first and block.begins.startswith("WEBVTT"):
            return
        if self._vtt and _BESIDE.match(block.begins):
            self.ignored[_NOTE] += 1
            return
        if self._vtt and self._open is None and block.begins.startswith("X-TIMESTAMP-MAP"):
            return
        number = _number(block.lines[-1])
        if number is not None and self._begins_a_cue(follows, number):
            self._note_number(block.lines[-1])
            block.lines.pop()
        if block.lines:
            self._text(block.lines, apart=True)

    def _begins_a_cue(self, follows: _Block | None, number: int) -> bool:
        """Whether a number that stands alone is that of the next cue (double-spaced files)."""
        if follows is None:
            return self._open is None
        return self._is_timing(follows.lines[0]) and number == self._last_number + 1

    def _note_number(self, line: TextLine | None) -> None:
        number = _number(line) if line is not None else None
        if number is not None:
            self._numbered, self._last_number = True, number

    def _text(self, lines: list[TextLine], apart: bool = False) -> None:
        """Text below a timing line; above the first one nobody knows when it is said."""
        if not lines:
            return
        if self._open is not None:
            if apart:
                self._open.paragraphs.append([])
            self._open.paragraphs[-1] += lines
            return
        bad = next((line for line in lines if line.text is None), None)
        problem, check = (bad.problem, "encoding") if bad else ("text without a timing line", "bad_line")
        text = "\n".join(line.text or "" for line in lines)
        self._cues.append(Cue(lines[0].number, problem=problem, check=check, text=text))

    # --- cues ---------------------------------------------------------------------------------------------

    def _close(self) -> None:
        if self._open is not None:
            self._cues.append(_cue_of(self._open, self._timing))
        self._open = None


def _cue_of(found: _Open, timing: re.Pattern[str]) -> Cue:
    """The cue of a timing line and its paragraphs."""
    line, said = found.timing, found.timing.text or ""
    paragraphs = [lines for lines in found.paragraphs if lines]
    text = "\n".join(row.text or "" for lines in paragraphs for row in lines if (row.text or "").strip())
    match = timing.match(said)
    if match is None:
        return Cue(line.number, problem=f"the times {said.strip()[:60]!r} cannot be read", text=text)
    strange = [word for word in match[9].split() if not _SETTING.fullmatch(word)]
    if strange:
        reason = f"{' '.join(strange)[:60]!r} behind the times is neither a place nor a setting"
        return Cue(line.number, problem=reason, text=text)
    try:
        start_s, end_s = clock_seconds(*match.groups()[:4]), clock_seconds(*match.groups()[4:8])
    except ValueError as error:
        return Cue(line.number, problem=f"the times cannot be read: {error}", text=text)
    bad = next((row for lines in paragraphs for row in lines if row.text is None), None)
    if bad is not None:
        return Cue(line.number, start_s, end_s, problem=bad.problem, check="encoding")
    flags = (GAP_FLAG,) if len(paragraphs) > 1 else ()
    cue = _voiced(Cue(line.number, start_s, end_s, text, flags=flags))
    return replace(cue, problem=found.broken) if found.broken else cue


def _voiced(cue: Cue) -> Cue:
    """The cue with the voice of its `<v …>`; two of them in one cue are a problem."""
    voices = sorted({voice.strip() for voice in _VOICE.findall(cue.text)})
    if len(voices) < 2:
        return replace(cue, voice=voices[0] if voices else None)
    reason = f"{len(voices)} voices in one cue ({', '.join(voices)}): who speaks when is not known"
    return replace(cue, problem=reason, check="two_speakers")


def _number(line: TextLine) -> int | None:
    text = (line.text or "").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def _blocks(lines: Sequence[TextLine], vtt: bool) -> Iterator[_Block]:
    """Lines between empty lines; in WebVTT a line of blanks is no empty line."""
    block = _Block()
    for line in lines:
        empty = line.text is not None and not (line.text if vtt else line.text.strip())
        if not empty:
            block.lines.append(line)
        elif block.lines:
            yield block
            block = _Block()
    if block.lines:
        yield block
