"""What tables and JSON rows share: which column means what, and a row as a cue.

Rows are recognised by the names of their columns (DeepSpeech's CSV, NeMo's JSONL, Common Voice's TSV, Hugging Face's
metadata, and what people call them otherwise), compared without case, blanks and signs: `Start Time`, `start_time`
and `startTime` are one. A name may end in its unit (`start_ms`, `end_sec`). `duration` with a start gives the end;
without one it is the length of the whole recording and no times. Columns that mean nothing here are named where it
matters (`unknown_columns`).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from sys import intern

from corpora.formats.cues import Cue
from corpora.formats.times import seconds
from corpora.text.language_tags import language_tag


def _names(text: str) -> tuple[str, ...]:
    return tuple(text.split())


MEANINGS: dict[str, tuple[str, ...]] = {
    "recording": _names(
        "audio audiopath path audiofile wavfilename audiofilename audiofilepath wavpath filename file filepath wav "
        "clip clipname soundfile recording audioname mediafile media"
    ),
    "text": _names(
        "text transcript sentence transcription normalizedtext normalisedtext utterance words orthography txt"
    ),
    "start": _names(
        "start begin starttime begintime startoffset tmin xmin timein onset offset from startat segmentstart timestart"
    ),
    "end": _names(
        "end stop endtime stoptime endoffset tmax xmax timeout finish to endat segmentend timeend timestop"
    ),
    "duration": _names("duration length dur"),
    "voice": _names("speaker clientid speakerid spk spkid speakername voice"),
    "language": _names("lang language locale"),
    "licence": _names("licence license"),
    "gender": _names("gender sex"),
    "channel": _names("channel"),
    "split": _names("split subset partition"),
}
_UNITS = {"ms": 0.001, "msec": 0.001, "msecs": 0.001, "millis": 0.001, "milliseconds": 0.001}
_UNITS |= dict.fromkeys(("s", "sec", "secs", "seconds", "insec", "inseconds"), 1.0)
_TIMED = ("start", "end", "duration")
_SPLITS = dict.fromkeys(("train", "training"), "train") | dict.fromkeys(("test", "testing", "eval"), "test")
_SPLITS |= dict.fromkeys(("dev", "devel", "development", "valid", "validation", "val"), "dev")
_BEGINS, _ENDS = _names("start begin from onset"), _names("end stop finish until")
_CHANNEL = re.compile(r"[0-9]{1,2}")


@dataclass(frozen=True)
class Columns:
    """Meaning → column, the unit of the columns of times in seconds, and the columns that mean nothing here."""

    of: Mapping[str, str]
    units: Mapping[str, float]
    unknown: tuple[str, ...] = ()

    @property
    def pair_sound_and_text(self) -> bool:
        """Whether rows with these columns name a recording and what is said in it."""
        return "recording" in self.of and "text" in self.of

    @property
    def strange_times(self) -> tuple[str, ...]:
        """Columns that must be times of a stretch (`start_sample`, `end_sample`) where none is understood."""
        if "start" in self.of:
            return ()

        def beside(words: tuple[str, ...]) -> list[str]:
            return [
                one
                for one in self.unknown
                if plain_name(one).startswith(words) or plain_name(one).endswith(words)
            ]

        begins, ends = beside(_BEGINS), beside(_ENDS)
        return (begins[0], ends[0]) if begins and ends else ()

    @property
    def are_of_one_recording(self) -> bool:
        """Whether rows say when what is said and not where: the file is named as its recording."""
        return (
            {"start", "text"} <= self.of.keys()
            and bool({"end", "duration"} & self.of.keys())
            and ("recording" not in self.of)
        )


def plain_name(name: str) -> str:
    """A column's name without case, blanks, signs and byte order mark."""
    return "".join(c for c in name.casefold() if c.isalnum())


def columns_of(names: Iterable[str]) -> Columns:
    """The columns whose names are known; the first in the list of synonyms wins.

    Raises:
        ValueError: a name that would be taken stands twice.
    """
    names = list(names)
    plain = {plain_name(name): name for name in reversed(names)}
    found: dict[str, str] = {}
    units: dict[str, float] = {}
    for meaning, synonyms in MEANINGS.items():
        endings = ("", *_UNITS) if meaning in _TIMED else ("",)
        for synonym in synonyms:
            ending = next((e for e in endings if synonym + e in plain), None)
            if ending is not None and plain[synonym + ending] not in found.values():
                found[meaning] = plain[synonym + ending]
                units[meaning] = _UNITS.get(ending, 1.0)
                break
    if "end" not in found and plain_name(found.get("start", "")) == "onset" and "offset" in plain:
        found["end"], units["end"] = plain["offset"], 1.0
    counts = Counter(map(plain_name, names))
    twice = [name for name in found.values() if counts[plain_name(name)] > 1]
    if twice:
        raise ValueError(f"the column {twice[0]!r} stands there twice: which one is meant?")
    unknown = tuple(name for name in plain.values() if name not in found.values())
    return Columns(found, units, tuple(sorted(unknown)))


def unit_of(name: str) -> float:
    """Seconds of one unit of a column of times, by the end of its name: `von_ms` → 0.001."""
    match = re.search(r"(?:^|[^a-z])(ms|msecs?|millis|milliseconds)$", name.strip(), re.IGNORECASE)
    return 0.001 if match or re.search(r"[a-z](?:Ms|Millis)$", name.strip()) else 1.0


def split_named(said: str) -> str | None:
    """train, dev or test, by what people call them; None for anything else."""
    return _SPLITS.get(said.strip().lower())


def row_cue(number: int, row: Mapping[str, object], columns: Columns) -> Cue:
    """A row as a cue; what cannot be read is its problem. A row of a file of one recording names none."""
    odd = [
        c
        for m, c in columns.of.items()
        if not isinstance(row.get(c), str | int | float | None) or row.get(c) is True
    ]
    if odd:
        return Cue(number, problem=f"{odd[0]} is {type(row[odd[0]]).__name__}, not a text or a number")
    said = {m: str(row[c]).strip() for m, c in columns.of.items() if row.get(c) is not None}
    recording, text = intern(said.get("recording", "")), said.get("text", "")
    if not recording and not columns.are_of_one_recording:
        return Cue(number, problem="no recording is named in this row", text=text)
    try:
        start_s, end_s = _times(said, columns.units)
        channel = _channel(said["channel"]) if said.get("channel") else None
        language = language_tag(said["language"]) if said.get("language") else None
        if start_s is None and columns.strange_times:
            raise ValueError(
                f"columns that must be times and are not understood: {', '.join(columns.strange_times)}; name them start "
                "and end (seconds) or start_ms and end_ms"
            )
    except ValueError as error:
        return Cue(number, problem=str(error), text=text, recording=recording)
    return Cue(
        number,
        start_s,
        end_s,
        text,
        recording=recording,
        channel=channel,
        voice=intern(said["voice"]) if said.get("voice") else None,  # once for all rows that say the same
        gender=said.get("gender") or None,
        language=language,
        licence=said.get("licence") or None,
        split=split_named(said.get("split", "")),
    )


def _times(said: Mapping[str, str], units: Mapping[str, float]) -> tuple[float | None, float | None]:
    """Start and end in seconds; (None, None) where a row has none."""
    start, end, duration = (said.get(meaning) for meaning in _TIMED)
    if not start:
        if end:
            raise ValueError(f"times that cannot be read: an end ({end}) without a start")
        return None, None
    if not end and not duration:
        raise ValueError("times that cannot be read: a start without end or duration")
    try:
        start_s = seconds(start) * units["start"]
        end_s = seconds(end) * units["end"] if end else start_s + seconds(duration or "") * units["duration"]
    except ValueError as error:
        raise ValueError(f"times that cannot be read: {error}") from error
    return round(start_s, 6), round(end_s, 6)


def _channel(said: str) -> int:
    if not _CHANNEL.fullmatch(said):
        raise ValueError(f"channel {said[:20]!r} is no number of a channel (0, 1, …)")
    return int(said)
