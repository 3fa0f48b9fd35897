"""What a transcript looks like in a file: text, SubRip, WebVTT, JSON, CTM, TextGrid.

Every form is written from the same segments; times are seconds from the beginning of the sound. Writes strings,
opens no file.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from scoring.wer import join_words
from training.transcription.segments import Segment

_LEAST_S = 0.001  # what times are written to: nothing that is to be seen may begin and end at one


def written_name(name: str) -> str:
    """A file's name as it can be written: bytes that are no UTF-8 as `\\xff`."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


@dataclass(frozen=True)
class Transcript:
    """What was heard in one file; `problem` says why it is empty or incomplete."""

    file: str
    duration_s: float
    model: str
    segments: Sequence[Segment] = field(default_factory=tuple)
    problem: str | None = None

    def as_json(self) -> dict[str, Any]:
        """file, duration_s, model, segments; problem where there is one."""
        table: dict[str, Any] = {
            "file": written_name(self.file),
            "duration_s": round(self.duration_s, 3),
            "model": self.model,
            "segments": [one.as_json() for one in self.segments],
        }
        return table if self.problem is None else {**table, "problem": written_name(self.problem)}


def as_text(transcript: Transcript) -> str:
    """A line a segment."""
    return "".join(f"{one.text}\n" for one in transcript.segments)


def as_srt(transcript: Transcript) -> str:
    """SubRip."""
    cues = [
        f"{number}\n{_clocks(one, ',')}\n{_lines(one)}\n"
        for number, one in enumerate(transcript.segments, start=1)
    ]
    return "\n".join(cues)


def as_vtt(transcript: Transcript) -> str:
    """WebVTT; every word has its own time, for players that follow the voice."""
    cues = []
    for one in transcript.segments:
        text = _escaped(one.words[0].word)
        for before, word in pairwise(one.words):
            blank = join_words([before.word, word.word])[len(before.word) : -len(word.word)]
            text += f"{blank}<{_clock(word.start_s, '.')}><c>{_escaped(word.word)}</c>"
        voice = "" if one.channel is None else f"<v Channel {one.channel}>"
        cues.append(f"{_clocks(one, '.')}\n{voice}{text}\n")
    return "WEBVTT\n\n" + "\n".join(cues)


def as_json(transcript: Transcript) -> str:
    """One JSON object on one line."""
    return json.dumps(transcript.as_json(), ensure_ascii=False, allow_nan=False) + "\n"


def as_ctm(transcript: Transcript) -> str:
    """NIST's CTM: file, channel, start, duration, word, confidence; blanks in the file's name become `_`."""
    name = "_".join(written_name(transcript.file).split()) or "-"
    name = f"./{name}" if name.startswith(";;") else name  # a comment otherwise
    rows = [
        f"{name} {1 if one.channel is None else one.channel} {word.start_s:.3f} {word.end_s - word.start_s:.3f} "
        f"{word.word} {word.confidence:.4f}\n"
        for one in transcript.segments
        for word in one.words
    ]
    return "".join(rows)


def as_textgrid(transcript: Transcript) -> str:
    """Praat's TextGrid: a tier of segments and one of words, for each channel that was heard apart."""
    channels: list[int | None] = [
        *sorted({one.channel for one in transcript.segments if one.channel is not None})
    ]
    tiers = []
    for channel in channels or [None]:
        chosen = [one for one in transcript.segments if one.channel == channel]
        suffix = "" if channel is None else f" {channel}"
        phrases = [(one.start_s, one.end_s, one.text) for one in chosen]
        words = [(word.start_s, word.end_s, word.word) for one in chosen for word in one.words]
        tiers += [_tier(f"segments{suffix}", phrases), _tier(f"words{suffix}", words)]
    end_s = max([transcript.duration_s, *[tier[2] for tier in tiers]])
    head = f'File type = "ooTextFile"\nObject class = "TextGrid"\n\nxmin = 0\nxmax = {end_s:.3f}\n'
    head += f"tiers? <exists>\nsize = {len(tiers)}\nitem []:\n"
    return head + "".join(_written_tier(number, tier, end_s) for number, tier in enumerate(tiers, start=1))


_Interval = tuple[float, float, str]


def _tier(name: str, rows: Sequence[_Interval]) -> tuple[str, list[_Interval], float]:
    """Intervals that follow each other without a gap or an overlap, each a millisecond or more, blank ones between."""
    intervals: list[_Interval] = []
    place = 0.0
    for start_s, end_s, text in rows:
        start_s = max(round(start_s, 3), place)
        end_s = max(round(end_s, 3), round(start_s + _LEAST_S, 3))
        if start_s > place:
            intervals.append((place, start_s, ""))
        intervals.append((start_s, end_s, text))
        place = end_s
    return name, intervals, place


def _written_tier(number: int, tier: tuple[str, list[_Interval], float], end_s: float) -> str:
    name, intervals, place = tier
    filled = intervals if place >= end_s else [*intervals, (place, end_s, "")]
    lines = [f"    item [{number}]:", '        class = "IntervalTier"', f'        name = "{name}"']
    lines += ["        xmin = 0", f"        xmax = {end_s:.3f}", f"        intervals: size = {len(filled)}"]
    for index, (start_s, stop_s, text) in enumerate(filled, start=1):
        quoted = text.replace('"', '""')
        lines += [f"        intervals [{index}]:", f"            xmin = {start_s:.3f}"]
        lines += [f"            xmax = {stop_s:.3f}", f'            text = "{quoted}"']
    return "\n".join(lines) + "\n"


def _lines(segment: Segment) -> str:
    """A segment's text in two lines of like length, where one would be too long."""
    text = segment.text
    voice = "" if segment.channel is None else f"[{segment.channel}] "
    if len(text) <= 42:
        return voice + text
    blanks = [place for place, letter in enumerate(text) if letter == " "]
    if not blanks:
        return voice + text
    middle = min(blanks, key=lambda place: abs(place - len(text) / 2))
    return f"{voice}{text[:middle]}\n{text[middle + 1 :]}"


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _clocks(segment: Segment, point: str) -> str:
    end_s = max(segment.end_s, segment.start_s + _LEAST_S)
    return f"{_clock(segment.start_s, point)} --> {_clock(end_s, point)}"


def _clock(seconds: float, point: str) -> str:
    whole = round(seconds * 1000)
    hours, rest = divmod(whole, 3_600_000)
    minutes, rest = divmod(rest, 60_000)
    return f"{hours:02d}:{minutes:02d}:{rest // 1000:02d}{point}{rest % 1000:03d}"


FORMATS: dict[str, tuple[str, Callable[[Transcript], str]]] = {
    "text": (".txt", as_text),
    "srt": (".srt", as_srt),
    "vtt": (".vtt", as_vtt),
    "json": (".json", as_json),
    "ctm": (".ctm", as_ctm),
    "textgrid": (".TextGrid", as_textgrid),
}
