"""A Kaldi data directory: wav.scp, text, and where they are there segments, utt2spk and spk2gender.

Fields end at any white space. An end of −1 in segments is the recording's. An entry of wav.scp that is a command
(`sox … |`) is never executed: its utterances are refused with the reason.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from corpora.formats.cues import Cue, Hints, Transcript
from corpora.formats.encodings import decode_text
from corpora.formats.times import plain_seconds

FILES = ("wav.scp", "text", "segments", "utt2spk", "spk2gender")
_TO_THE_END = re.compile(r"-1(\.0*)?")
_COMMAND = "wav.scp names a command, which is never executed: run it yourself and name its output"


@dataclass(frozen=True)
class _Table:
    """Lines `key rest` of one file, with their numbers, and the lines that could not be read."""

    rest: Mapping[str, str]
    lines: Mapping[str, int]
    bad: tuple[Cue, ...] = ()


def read(files: Mapping[str, bytes], hints: Hints) -> Transcript:
    """One cue an utterance of `text`.

    Args:
        files: content of the files that are there, by their names in `FILES`; wav.scp and text always.
    """
    tables = {name: _table(files.get(name, b""), hints) for name in FILES}
    cues = list(tables["text"].bad)
    for key, text in tables["text"].rest.items():
        cues.append(_cue(key, text, tables))
    said = set(tables["text"].rest)
    silent = [key for key in tables["segments"].rest if key not in said]
    ignored = (("segment without text", len(silent)),) if silent else ()
    return Transcript(tuple(cues), ignored=ignored, encoding="utf-8")


def _table(data: bytes, hints: Hints) -> _Table:
    rest: dict[str, str] = {}
    numbers: dict[str, int] = {}
    bad = []
    for line in decode_text(data, hints.encoding).lines:
        if line.text is None:
            bad.append(Cue(line.number, problem=line.problem, check="encoding"))
        elif line.text.strip():
            key, *rest_of_line = line.text.split(None, 1)
            value = "".join(rest_of_line)
            if key in rest:
                bad.append(Cue(line.number, problem=f"{key} stands twice", check="duplicate_id", text=value))
            else:
                rest[key], numbers[key] = value.strip(), line.number
    return _Table(rest, numbers, tuple(bad))


def _cue(key: str, text: str, tables: Mapping[str, _Table]) -> Cue:
    line = tables["text"].lines[key]
    recording, start_s, end_s, to_the_end = key, None, None, False
    segment = tables["segments"].rest.get(key)
    if segment is not None:
        try:
            recording, start, end = segment.split()[:3]
            start_s, to_the_end = plain_seconds(start), bool(_TO_THE_END.fullmatch(end))
            end_s = None if to_the_end else plain_seconds(end)
        except ValueError as error:
            wanted = f"segments: {key} {segment[:80]}: wanted recording start end ({error})"
            return Cue(line, None, None, text, problem=wanted)
    elif tables["segments"].rest and key not in tables["wav.scp"].rest:
        return Cue(line, None, None, text, problem=f"{key} is not in segments")
    place = tables["wav.scp"].rest.get(recording)
    if place is None:
        reason = f"wav.scp has no {recording}"
        return Cue(line, start_s, end_s, text, problem=reason, check="audio_missing")
    if "|" in place or place.startswith("<"):
        return Cue(line, start_s, end_s, text, problem=f"{_COMMAND}: {place[:80]}", check="piped_audio")
    speaker = tables["utt2spk"].rest.get(key)
    gender = tables["spk2gender"].rest.get(speaker or "")
    return Cue(
        line, start_s, end_s, text, speaker, recording=place, gender=gender, to_the_end=to_the_end
    ).checked()
