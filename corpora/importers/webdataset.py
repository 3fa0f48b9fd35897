"""A WebDataset: tars in which files of one stem are one sample, `000012.flac` beside `000012.txt` or `000012.json`.

A tar's name says the split where it says train, dev or test. The text is the `.txt` or `.text` file, else a key of the
`.json` (`text sentence transcript transcription normalized_text`); speaker, id, language and licence come from it too.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from corpora.errors import SourceError
from corpora.importer import AudioRef, Ignored, ImportOptions, RawSegment, Rejection, Scan, WorkUnit
from corpora.importers import _calls as recordings
from corpora.importers import _packed as packed
from corpora.sources.names import SOUND
from corpora.sources.source import Source

_SHARD = re.compile(r"^(?:.*/)?([^/!]*\d[^/!]*\.tar)!/")
_BESIDE = re.compile(r"(?i)(?:^|/)(?:readme|licen[cs]e|export|dataset_info)[^/]*$")
_TEXTS = (".txt", ".text", ".json")
_TEXT_KEYS = ("text", "sentence", "transcript", "transcription", "normalized_text")


class WebDatasetImporter:
    """See the module."""

    name = "webdataset"
    version = "3"
    summary = "a WebDataset: numbered tars of sounds with their texts beside them"
    options = (packed.LICENCE, packed.LANGUAGE)
    tells_every_file = True  # a .json beside the .txt holds facts

    def recognise(self, source: Source) -> bool:
        """Numbered tars in which sounds have a text of their own stem."""
        names = [member.name for member in source.members()]
        sounds = [name for name in names if SOUND.search(name)]
        return (
            bool(sounds)
            and all(_SHARD.match(name) or _BESIDE.search(name) for name in names)
            and bool(_text_of(sounds[0], set(names)))
        )

    def scan(self, source: Source, options: ImportOptions) -> Scan:
        """One work unit for each tar.

        Raises:
            SourceError: no numbered tar with sounds.
        """
        shards: dict[str, list[str]] = {}
        for member in source.members():
            match = _SHARD.match(member.name)
            if match is not None:
                shards.setdefault(member.name.partition("!/")[0], []).append(member.name)
        if not any(SOUND.search(name) for names in shards.values() for name in names):
            raise SourceError(f"{source.label} holds no numbered tar (such as train-000000.tar) with sounds")
        splits = {packed.split_of(shard) for shard in shards}
        facts = packed.facts_of("webdataset", source, options, splits)
        units = []
        for shard, names in sorted(shards.items()):
            split = packed.split_of(shard) if facts.split_rule == "official" else ""
            payload = {"names": names, "split": split, "language": facts.language, "licence": facts.licence}
            cost = float(sum(source.member(name).size for name in names))
            units.append(WorkUnit(shard, payload, cost, tuple(names), split))
        return Scan(facts, tuple(units))

    def read(self, source: Source, unit: WorkUnit) -> Iterator[RawSegment | Rejection | Ignored]:
        """Samples of one tar, by their names."""
        yield from recordings.without_twins(_items(source, unit.payload))


def _text_of(sound: str, names: set[str]) -> list[str]:
    """The text files beside a sound: all that stands before the first dot of its file name is its stem."""
    folder, slash, file = sound.rpartition("/")
    stem = folder + slash + file.partition(".")[0]
    return [stem + ending for ending in _TEXTS if stem + ending in names]


def _items(source: Source, payload: Mapping[str, Any]) -> Iterator[RawSegment | Rejection | Ignored]:
    names = set(payload["names"])
    used: set[str] = set()
    for sound in sorted(name for name in names if SOUND.search(name)):
        texts = _text_of(sound, names)
        used.update([sound, *texts])
        if not texts:
            yield Rejection(sound, "transcript_missing", "no .txt, .text or .json of its stem in the tar")
            continue
        try:
            yield _sample(source, payload, sound, texts)
        except (ValueError, SourceError) as error:
            yield Rejection(texts[0], "bad_line", f"its text cannot be read: {error}")
    if left := len(names - used):
        yield Ignored(next(iter(sorted(names - used))), "neither sound nor its text", left)


def _sample(source: Source, payload: Mapping[str, Any], sound: str, texts: list[str]) -> RawSegment:
    told: dict[str, Any] = {}
    said = None
    for name in texts:
        data = source.read_bytes(name).decode("utf-8-sig")
        if name.endswith(".json"):
            read = json.loads(data)
            told = read if isinstance(read, dict) else {}
            said = packed.first_text(told, _TEXT_KEYS) if said is None else said
        else:
            said = data.strip()
    if said is None:
        raise ValueError(f"none of the keys {', '.join(_TEXT_KEYS)} holds a text")
    outer, _, inner = sound.partition("!/")
    stem = re.sub(
        r"[^A-Za-z0-9_.-]+", "-", f"{outer.rpartition('/')[2].removesuffix('.tar')}-{inner.partition('.')[0]}"
    )
    name = packed.first_text(told, ("utterance_id", "id", "__key__")) or stem
    speaker = packed.first_text(told, ("speaker_id", "speaker", "client_id"))
    return RawSegment(
        utterance_id=name,
        recording_id=name,
        speaker_id=speaker or name,
        text_raw=said,
        style="common_voice",
        audio=AudioRef(sound),
        source_path=texts[0],
        line=None,
        split=payload["split"] or None,
        subset=packed.first_text(told, ("subset",)) or "",
        gender=packed.gender_of(told.get("gender")),
        language=packed.first_text(told, ("language", "lang", "locale")) or payload["language"],
        licence=packed.first_text(told, ("licence", "license")) or payload["licence"],
        flags=() if speaker else ("speaker_unknown",),
    )
