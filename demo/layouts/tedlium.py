"""TED-LIUM release 2's layout: `TEDLIUM_release2/{train,dev,test}/{sph,stm}/<talk>.{sph,stm}`.

One talk joins up to 30 utterances of a speaker, 16-bit 16 kHz mono SPHERE, with short pauses that stand in
the STM as `inter_segment_gap` lines to ignore. Clitics are detached (`it 's`); train lines carry
`<o,f0,female>` labels and a trailing `(talk-start-end)`, dev and test lines `<F0_F>`.
"""

from __future__ import annotations

import re
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
from demo.sphere_writer import SphereFormat, write_sphere

TALK_SIZE = 30
_STEP = RATE_HZ // 100  # times are written with two decimals
_CLITIC = re.compile(r"(?<=[a-z])('(?:s|t|m|re|ve|ll|d))\b")
_GAP = "ignore_time_segment_in_scoring"


@dataclass
class Talk:
    """One talk while it is being joined: its name, split, gender, sound so far, STM lines so far."""

    name: str
    split: str
    gender: str
    pieces: list[Samples] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    length: int = 0

    @property
    def audio(self) -> str:
        """Path of the SPHERE file below the layout's root."""
        return f"{self.split}/sph/{self.name}.sph"

    @property
    def transcript(self) -> str:
        """Path of the STM file below the layout's root."""
        return f"{self.split}/stm/{self.name}.stm"

    def pause(self, samples: int) -> None:
        """Append silence and the line that says to ignore it."""
        start = self._append(np.zeros(samples, dtype=np.int16))
        self.lines.append(
            f"{self.name} 1 inter_segment_gap {start:.2f} {self.length / RATE_HZ:.2f} <o,f0,> {_GAP}"
        )

    def say(self, item: SpokenUtterance, text: str) -> tuple[float, float, str]:
        """Append an utterance and its line; answer its start, end and written text."""
        start = self._append(files.pad_to(item.samples, _STEP))
        end = self.length / RATE_HZ
        written = self.add_line(start, end, text)
        return start, end, written

    def add_line(self, start: float, end: float, text: str) -> str:
        """Append one STM line for a span of seconds; answer the text as written."""
        if self.split == "train":
            label = f"<o,f0,{'female' if self.gender == 'f' else 'male'}>"
            text = f"{text} ({self.name}-{start:.2f}-{end:.2f})"
        else:
            label = f"<F0_{self.gender.upper()}>"
        self.lines.append(f"{self.name} 1 {self.name} {start:.2f} {end:.2f} {label} {text}")
        return text

    def _append(self, samples: Samples) -> float:
        start = self.length / RATE_HZ
        self.pieces.append(samples)
        self.length += len(samples)
        return start


def detach_clitics(text: str) -> str:
    """`it's the students' book` -> `it 's the students ' book`, as TED-LIUM's transcripts are written."""
    detached = _CLITIC.sub(r" \1", text)
    return re.sub(r"(?<=[a-z])'(?=\s|$)", " '", detached)


def write(root: Path, utterances: Sequence[SpokenUtterance], defects: Defects | None = None) -> Written:
    """Write `root/TEDLIUM_release2` and say where everything went."""
    target = root / "TEDLIUM_release2"
    people = {name: f"Speaker{_letters(number)}" for name, number in files.speaker_order(utterances).items()}
    placed: list[Placed] = []
    counts: dict[str, int] = {}
    speakers: dict[str, str] = {}
    with files.building(target) as partial:
        for (split, speaker), indices in files.groups(
            utterances, lambda item: (item.split, item.speaker), TALK_SIZE
        ):
            person = people[speaker]
            talk = Talk(f"{person}_{2005 + counts.get(person, 0)}", split, utterances[indices[0]].gender)
            counts[person] = counts.get(person, 0) + 1
            speakers.setdefault(speaker, talk.name)
            talk.pause(8000)
            for index in indices:
                item = utterances[index]
                start, end, text = talk.say(item, detach_clitics(item.text.lower()))
                placed.append(Placed(index, talk.audio, 0, start, end, text))
                talk.pause(_STEP * (20 + index % 5 * 7))
            _save(partial, talk)
        planted = _plant(partial, files.example(utterances), defects or Defects())
        files.write_text(
            partial / "README", ["Synthetic speech in the directory layout of TED-LIUM release 2."]
        )
    return Written(target, tuple(placed), tuple(planted), speakers)


def _letters(number: int) -> str:
    """0 -> A, 25 -> Z, 26 -> Aa: a name made of letters only."""
    high, low = divmod(number, 26)
    return chr(ord("A") + low) if high == 0 else _letters(high - 1) + chr(ord("a") + low)


def _save(partial: Path, talk: Talk, with_audio: bool = True) -> None:
    if with_audio:
        write_sphere(partial / talk.audio, np.concatenate(talk.pieces), SphereFormat(RATE_HZ))
    files.write_text(partial / talk.transcript, [";; one line per segment", *talk.lines])


def _plant(partial: Path, model: SpokenUtterance, defects: Defects) -> list[Planted]:
    """Write extra training talks, one per defect, whose only or second line is defective."""
    planted = []
    text = detach_clitics(model.text.lower())
    for number, kind in enumerate(
        files.kinds(defects, "truncated_audio", "bad_time", "odd_token", "missing_audio")
    ):
        talk = Talk(f"Planted{_letters(number)}_2001", "train", model.gender)
        start, end, _ = talk.say(model, f"{text} {ODD_TOKEN}" if kind == "odd_token" else text)
        if kind == "bad_time":
            talk.lines.clear()
            talk.add_line(end, start, text)
        written = talk.lines[-1].split(" ", 6)[-1]
        _save(partial, talk, with_audio=kind != "missing_audio")
        if kind == "truncated_audio":
            files.truncate_file(partial / talk.audio)
        place = talk.audio if kind == "truncated_audio" else talk.transcript
        planted.append(Planted(kind, place, None if place == talk.audio else 2, 1, written))
    return planted
