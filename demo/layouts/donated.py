"""A donated archive: one zip of recordings, a subtitle file of the same stem beside each, `donation.toml`.

One recording joins up to 20 utterances of a speaker with pauses; recordings alternate between WAV with SRT
and FLAC with WebVTT. Cue times have milliseconds.
"""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from demo.layouts import (
    ODD_TOKEN,
    RATE_HZ,
    Defects,
    Placed,
    Planted,
    Samples,
    SpokenUtterance,
    Written,
    files,
)

RECORDING_SIZE = 20
NAME = "town_radio"
_STEP = RATE_HZ // 1000

DONATION = f"""\
# What the donor told us about this archive.
name = "{NAME}"
donor = "Town Radio (invented)"
licence = "CC0-1.0"
language = "en"
domain = "broadcast"
text_kind = "verbatim"
timing = "utterance"
speaker_rule = "file"
"""


@dataclass
class Recording:
    """One recording while it is being joined: stem, suffixes, sound and cues (start, end, text)."""

    stem: str
    audio: str
    subtitles: str
    pieces: list[Samples] = field(default_factory=list)
    cues: list[tuple[float, float, str]] = field(default_factory=list)
    length: int = 0

    def pause(self, samples: int) -> None:
        """Append silence."""
        self.pieces.append(np.zeros(samples, dtype=np.int16))
        self.length += samples

    def say(self, item: SpokenUtterance, text: str) -> tuple[float, float]:
        """Append an utterance and its cue; answer its span in seconds."""
        sound = files.pad_to(item.samples, _STEP)
        start = self.length / RATE_HZ
        self.pieces.append(sound)
        self.length += len(sound)
        self.cues.append((start, self.length / RATE_HZ, text))
        return start, self.length / RATE_HZ


def write(root: Path, utterances: Sequence[SpokenUtterance], defects: Defects | None = None) -> Written:
    """Write `root/town_radio.zip` and say where everything went."""
    target = root / f"{NAME}.zip"
    if target.exists():
        raise FileExistsError(f"{target} exists already: a layout is only written into a new place")
    placed: list[Placed] = []
    speakers: dict[str, str] = {}
    with files.building_file(target) as partial, zipfile.ZipFile(partial, "w") as zipped:
        files.add_to_zip(zipped, f"{NAME}/donation.toml", DONATION.encode())
        recordings = files.groups(utterances, lambda item: (item.split, item.speaker), RECORDING_SIZE)
        for number, ((_, speaker), indices) in enumerate(recordings):
            recording = _recording(f"programme_{number + 1:03d}", number)
            speakers.setdefault(speaker, recording.stem)
            recording.pause(8000)
            for index in indices:
                text = utterances[index].text
                span = recording.say(utterances[index], text[:1].upper() + text[1:] + ".")
                placed.append(Placed(index, recording.audio, 0, *span, recording.cues[-1][2]))
                recording.pause(_STEP * (400 + index % 4 * 150))
            _save(zipped, recording)
        planted = _plant(zipped, files.example(utterances), defects or Defects())
    return Written(target, tuple(placed), tuple(planted), speakers)


def _recording(stem: str, number: int) -> Recording:
    audio, subtitles = (("wav", "srt"), ("flac", "vtt"))[number % 2]
    return Recording(stem, f"{NAME}/{stem}.{audio}", f"{NAME}/{stem}.{subtitles}")


def _save(zipped: zipfile.ZipFile, recording: Recording, keep: float | None = 1.0) -> None:
    """Write the subtitles, and the first `keep` share of the audio file (None: no audio at all)."""
    if keep is not None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / Path(recording.audio).name
            files.write_audio(path, np.concatenate(recording.pieces))
            data = path.read_bytes()
        files.add_to_zip(zipped, recording.audio, data[: int(len(data) * keep)])
    text = subrip(recording.cues) if recording.subtitles.endswith(".srt") else webvtt(recording.cues)
    files.add_to_zip(zipped, recording.subtitles, text.encode())


def subrip(cues: Sequence[tuple[float, float, str]]) -> str:
    """Cues (start, end, text) as SubRip text."""
    return "".join(
        f"{number}\n{_time(start, ',')} --> {_time(end, ',')}\n{text}\n\n"
        for number, (start, end, text) in enumerate(cues, start=1)
    )


def webvtt(cues: Sequence[tuple[float, float, str]]) -> str:
    """Cues (start, end, text) as WebVTT text."""
    return "WEBVTT\n\n" + "".join(
        f"{_time(start, '.')} --> {_time(end, '.')}\n{text}\n\n" for start, end, text in cues
    )


def _time(seconds: float, mark: str) -> str:
    total = round(seconds * 1000)
    return (
        f"{total // 3600000:02d}:{total // 60000 % 60:02d}:{total // 1000 % 60:02d}{mark}{total % 1000:03d}"
    )


def _plant(zipped: zipfile.ZipFile, model: SpokenUtterance, defects: Defects) -> list[Planted]:
    """Add one recording of one cue per defect."""
    planted = []
    text = model.text[:1].upper() + model.text[1:] + "."
    for number, kind in enumerate(
        files.kinds(defects, "truncated_audio", "bad_time", "odd_token", "missing_audio")
    ):
        recording = _recording(f"planted_{number + 1:03d}", number)
        start, end = recording.say(model, f"{text} {ODD_TOKEN}" if kind == "odd_token" else text)
        if kind == "bad_time":
            recording.cues[0] = (end, start, text)
        _save(zipped, recording, {"truncated_audio": 0.5, "missing_audio": None}.get(kind, 1.0))
        place = recording.audio if kind == "truncated_audio" else recording.subtitles
        line = None if place == recording.audio else (2 if place.endswith(".srt") else 3)
        planted.append(Planted(kind, place, line, 1, recording.cues[0][2]))
    return planted
