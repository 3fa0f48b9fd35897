"""LibriSpeech: `LibriSpeech/<part>/<reader>/<chapter>/` with FLAC files, a `.trans.txt`, and the tables.

Parts: `train-clean-100`, `dev-clean`, `test-clean` for the splits, or any official part name given as the
split. Readers are numbered from 1001, chapters from 5001 with at most 40 utterances each. A bad time cannot
be planted here.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from demo.layouts import ODD_TOKEN, RATE_HZ, Defects, Placed, Planted, SpokenUtterance, Written, files

PARTS = {"train": "train-clean-100", "dev": "dev-clean", "test": "test-clean"}
CHAPTER_SIZE = 40


def write(root: Path, utterances: Sequence[SpokenUtterance], defects: Defects | None = None) -> Written:
    """Write `root/LibriSpeech` and say where everything went."""
    target = root / "LibriSpeech"
    readers = {speaker: str(1001 + number) for speaker, number in files.speaker_order(utterances).items()}
    placed: list[Placed] = []
    planted: list[Planted] = []
    with files.building(target) as partial:
        chapters = files.groups(utterances, lambda item: (_part(item), item.speaker), CHAPTER_SIZE)
        for number, ((part, speaker), indices) in enumerate(chapters):
            chapter = f"{part}/{readers[speaker]}/{5001 + number}"
            placed += _write_chapter(partial, chapter, [(index, utterances[index]) for index in indices])
        chapter_rows = [
            (5001 + number, readers[speaker], part) for number, ((part, speaker), _) in enumerate(chapters)
        ]
        wanted = files.kinds(defects or Defects(), "truncated_audio", "odd_token", "missing_audio")
        if wanted:
            model = files.example(utterances)
            chapter = f"{_part(model)}/{readers[model.speaker]}/{5001 + len(chapters)}"
            chapter_rows.append((5001 + len(chapters), readers[model.speaker], _part(model)))
            planted = _plant(partial, chapter, model, wanted)
        _write_tables(partial, utterances, readers, chapter_rows)
    return Written(target, tuple(placed), tuple(planted), readers)


def _part(item: SpokenUtterance) -> str:
    return PARTS.get(item.split, item.split)


def _stem(chapter: str, number: int) -> str:
    _, reader, chapter_id = chapter.split("/")
    return f"{reader}-{chapter_id}-{number:04d}"


def _transcript(chapter: str) -> str:
    _, reader, chapter_id = chapter.split("/")
    return f"{chapter}/{reader}-{chapter_id}.trans.txt"


def _write_chapter(partial: Path, chapter: str, items: list[tuple[int, SpokenUtterance]]) -> list[Placed]:
    placed, lines = [], []
    for number, (index, item) in enumerate(items):
        path = f"{chapter}/{_stem(chapter, number)}.flac"
        files.write_audio(partial / path, item.samples)
        text = item.text.upper()
        lines.append(f"{_stem(chapter, number)} {text}")
        placed.append(Placed(index, path, 0, 0.0, len(item.samples) / RATE_HZ, text))
    files.write_text(partial / _transcript(chapter), lines)
    return placed


def _plant(partial: Path, chapter: str, model: SpokenUtterance, wanted: list[str]) -> list[Planted]:
    """Write one extra chapter in which every utterance is defective in its own way."""
    planted, lines = [], []
    for number, kind in enumerate(wanted):
        stem, text = _stem(chapter, number), model.text.upper()
        audio = f"{chapter}/{stem}.flac"
        if kind == "odd_token":
            text = f"{text} {ODD_TOKEN.upper()}"
        if kind != "missing_audio":
            files.write_audio(partial / audio, model.samples)
        if kind == "truncated_audio":
            files.truncate_file(partial / audio, 0.6)
        lines.append(f"{stem} {text}")
        place = audio if kind == "truncated_audio" else _transcript(chapter)
        planted.append(Planted(kind, place, None if place == audio else number + 1, 1, text))
    files.write_text(partial / _transcript(chapter), lines)
    return planted


def _write_tables(
    partial: Path,
    utterances: Sequence[SpokenUtterance],
    readers: dict[str, str],
    chapters: list[tuple[int, str, str]],
) -> None:
    first = {item.speaker: item for item in reversed(utterances)}
    minutes: dict[str, float] = dict.fromkeys(readers, 0.0)
    for item in utterances:
        minutes[item.speaker] += len(item.samples) / RATE_HZ / 60
    speakers = ["; the readers of this archive", ";ID  |SEX| SUBSET           |MINUTES| NAME"]
    speakers += [
        f"{readers[name]:<5}| {item.gender.upper()} | {_part(item):<17}| {minutes[name]:5.2f} | {name}"
        for name, item in ((name, first[name]) for name in readers)
    ]
    files.write_text(partial / "SPEAKERS.TXT", speakers)
    rows = [
        f"{chapter:<6}| {reader:<6}| 0.00 | {part:<17}| 1 | 1 | Chapter | Book"
        for chapter, reader, part in chapters
    ]
    files.write_text(
        partial / "CHAPTERS.TXT", ["; chapter | reader | minutes | subset | ids and titles", *rows]
    )
    files.write_text(partial / "BOOKS.TXT", ["; id | title", "1 | Spoken Sentences"])
    files.write_text(partial / "README.TXT", ["Synthetic speech in the directory layout of LibriSpeech."])
    files.write_text(partial / "LICENSE.TXT", ["Made by speechmill for its own demonstration and tests."])
