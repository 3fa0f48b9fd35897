"""The JSON of Whisper and its relatives: `segments` in seconds, or whisper.cpp's `transcription` in milliseconds.

Such a file is named as its recording. Words below a segment are not looked at.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from corpora.formats.cues import Cue
from corpora.formats.times import seconds
from corpora.text.language_tags import language_tag


def is_whisper(value: Mapping[str, Any]) -> bool:
    """Whether an object holds timed segments."""
    return bool(_segments(value))


def _segments(value: Mapping[str, Any]) -> list[Any]:
    for key in ("segments", "transcription"):
        found = value.get(key)
        if isinstance(found, list) and found and isinstance(found[0], dict) and "text" in found[0]:
            return found
    return []


def cues_of(value: Mapping[str, Any]) -> Iterator[Cue]:
    """A cue a segment; its number stands for its line."""
    result = value.get("result")
    said = value.get("language") or (result.get("language") if isinstance(result, dict) else None)
    try:
        language = language_tag(said) if isinstance(said, str) and said else None
    except ValueError:
        language = None
    for number, segment in enumerate(_segments(value), 1):
        if not isinstance(segment, dict) or not isinstance(segment.get("text"), str):
            yield Cue(number, problem="a segment without text")
            continue
        text, speaker = segment["text"].strip(), segment.get("speaker")
        try:
            start_s, end_s = _times(segment)
        except ValueError as error:
            yield Cue(number, problem=f"times that cannot be read: {error}", text=text)
            continue
        voice = speaker if isinstance(speaker, str) else None
        yield Cue(number, start_s, end_s, text, voice, language=language)


def _times(segment: Mapping[str, Any]) -> tuple[float, float]:
    offsets = segment.get("offsets")
    if isinstance(offsets, dict):
        start_ms, end_ms = (_number(offsets.get(key)) for key in ("from", "to"))
        return round(start_ms / 1000, 6), round(end_ms / 1000, 6)
    return _number(segment.get("start")), _number(segment.get("end"))


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError(f"{str(value)[:40]} is no number")
    return seconds(str(value))
