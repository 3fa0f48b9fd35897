"""NeMo's tarred sets: `tarred_audio_manifest.json` (an object a line) beside `audio_0.tar`, `audio_1.tar` …

A line names its file in the tar (`audio_filepath`), its tar (`shard_id`), its text, and where NeMo cut it out of a longer
file its `offset`. Folders with such a pair are parts; their names say the split where they say train, dev or test.
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
from corpora.sources.source import Source

_MANIFEST = re.compile(r"(?:^|/)(?!bucket)[^/!]*manifest[^/!]*\.json$")
_SOUND = re.compile(r"^((?:.*/)?)audio_(\d+)\.tar!/(.+)$")


class NemoTarredImporter:
    """See the module."""

    name = "nemo_tarred"
    version = "2"
    summary = "a tarred set of NeMo: a manifest beside audio_0.tar …"
    options = (packed.LICENCE, packed.LANGUAGE)

    def recognise(self, source: Source) -> bool:
        """A manifest beside tars of sound."""
        return bool(source.names_matching(_MANIFEST)) and bool(source.names_matching(_SOUND))

    def scan(self, source: Source, options: ImportOptions) -> Scan:
        """One work unit for each tar.

        Raises:
            SourceError: no manifest, or no tars beside it.
        """
        sounds: dict[tuple[str, str], dict[str, str]] = {}
        for name in source.names_matching(_SOUND):
            match = _SOUND.match(name)
            if match is not None:
                sounds.setdefault((match[1], match[2]), {})[match[3]] = name
        manifests = [name for name in source.names_matching(_MANIFEST) if "!/" not in name]
        if not manifests or not sounds:
            raise SourceError(
                f"{source.label} holds no tarred set of NeMo: a manifest .json beside audio_0.tar …"
            )
        splits = {packed.split_of(name) for name in manifests}
        facts = packed.facts_of("nemo_tarred", source, options, splits)
        units, rejections = [], []
        for manifest in manifests:
            folder = manifest.rpartition("/")[0] + ("/" if "/" in manifest else "")
            lines, bad = _by_shard(source, manifest)
            rejections += bad
            split = packed.split_of(manifest) if facts.split_rule == "official" else ""
            for shard, entries in sorted(lines.items()):
                inside = sounds.get((folder, shard), {})
                payload = {
                    "manifest": manifest, "lines": entries, "sounds": inside, "split": split,
                    "language": facts.language, "licence": facts.licence,
                }  # fmt: skip
                cost = float(sum(source.member(name).size for name in inside.values()))
                units.append(WorkUnit(f"{manifest}#{shard}", payload, cost, tuple(inside.values()), split))
        return Scan(facts, tuple(units), rejections=tuple(rejections))

    def read(self, source: Source, unit: WorkUnit) -> Iterator[RawSegment | Rejection | Ignored]:
        """Lines of one tar, in the manifest's order."""
        yield from recordings.without_twins(_items(unit.payload))


def _by_shard(source: Source, manifest: str) -> tuple[dict[str, list[Any]], list[Rejection]]:
    """(line number, object) by tar, and lines that are none."""
    found: dict[str, list[Any]] = {}
    bad: list[Rejection] = []
    for line in recordings.readable_lines(source, manifest):
        if isinstance(line, Rejection):
            bad.append(line)
            continue
        try:
            row = json.loads(line.text or "")
            found.setdefault(str(int(row["shard_id"])), []).append([line.number, row])
        except (ValueError, KeyError, TypeError) as error:
            bad.append(
                recordings.bad_line(manifest, line, "bad_line", f"no line of a tarred manifest: {error!r}")
            )
    return found, bad


def _items(payload: Mapping[str, Any]) -> Iterator[RawSegment | Rejection | Ignored]:
    manifest, sounds = payload["manifest"], payload["sounds"]
    for number, row in payload["lines"]:
        file = str(row.get("audio_filepath", ""))
        text = row.get("text")
        name = packed.first_text(row, ("utterance_id", "id")) or re.sub(r"\.\w+$", "", file).replace("/", "-")
        sound = sounds.get(file) or sounds.get(file.replace("/", "_"))
        if sound is None or not isinstance(text, str):
            check, reason = (
                ("audio_missing", f"{file!r} is not in its tar") if sound is None else ("bad_line", "no text")
            )
            yield Rejection(manifest, check, reason, name, number)
            continue
        speaker = packed.first_text(row, ("speaker", "speaker_id"))
        yield RawSegment(
            utterance_id=name,
            recording_id=name,
            speaker_id=speaker or name,
            text_raw=text,
            style="common_voice",
            audio=AudioRef(sound),
            source_path=manifest,
            line=number,
            split=payload["split"] or None,
            subset=packed.first_text(row, ("subset",)) or "",
            gender=packed.gender_of(row.get("gender")),
            language=packed.first_text(row, ("lang", "language", "source_lang")) or payload["language"],
            licence=packed.first_text(row, ("licence", "license")) or payload["licence"],
            flags=() if speaker else ("speaker_unknown",),
        )
