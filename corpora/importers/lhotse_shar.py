"""lhotse's Shar: `cuts.000000.jsonl.gz` beside `recording.000000.tar` with `<cut>.flac` and `<cut>.json`.

Each folder with such files is a part; its name says the split where it says train, dev or test. A cut's supervisions
are the utterances, at their times inside the cut; one that covers its cut is the whole sound. Features are passed over.
"""

from __future__ import annotations

import gzip
import json
import re
import zlib
from collections.abc import Iterator, Mapping
from typing import Any

from corpora.errors import SourceError
from corpora.importer import AudioRef, Ignored, ImportOptions, RawSegment, Rejection, Scan, WorkUnit
from corpora.importers import _calls as recordings
from corpora.importers import _packed as packed
from corpora.sources.source import Source

_CUTS = re.compile(r"(?:^|/)cuts\.(\d+)\.jsonl(?:\.gz)?$")
_SOUND = re.compile(r"(?:^|/)recording\.(\d+)\.tar!/(.+)\.(?!json$|nodata$|nometa$)\w+$")
_WHOLE_S = 0.01  # a supervision that leaves no more than this of its cut is all of it


class LhotseSharImporter:
    """See the module."""

    name = "lhotse_shar"
    version = "2"
    summary = "a lhotse Shar: cuts and tars of recordings"
    options = (packed.LICENCE, packed.LANGUAGE)

    def recognise(self, source: Source) -> bool:
        """Cuts beside tars of recordings."""
        return bool(source.names_matching(_CUTS)) and bool(source.names_matching(_SOUND))

    def scan(self, source: Source, options: ImportOptions) -> Scan:
        """One work unit for each shard.

        Raises:
            SourceError: no cuts, or no recordings beside them.
        """
        cuts = source.names_matching(_CUTS)
        sounds: dict[tuple[str, str], list[str]] = {}
        for name in source.names_matching(_SOUND):
            outer = name.partition("!/")[0]
            number = str(_SOUND.search(name)[1])  # type: ignore[index]
            sounds.setdefault((outer.rpartition("/")[0], number), []).append(name)
        if not cuts or not sounds:
            raise SourceError(f"{source.label} holds no Shar: cuts.*.jsonl.gz beside recording.*.tar")
        splits = {packed.split_of(name.rpartition("/")[0]) for name in cuts}
        facts = packed.facts_of("lhotse_shar", source, options, splits)
        units, rejections = [], []
        for table in cuts:
            folder = table.rpartition("/")[0]
            inside = sounds.get((folder, str(_CUTS.search(table)[1])), [])  # type: ignore[index]
            if not inside:
                rejections.append(
                    Rejection(table, "audio_missing", "no recording tar of its number beside it")
                )
                continue
            split = packed.split_of(folder) if facts.split_rule == "official" else ""
            payload = {"table": table, "split": split, "language": facts.language, "licence": facts.licence}
            payload["sounds"] = {str(_SOUND.search(name)[2]): name for name in inside}  # type: ignore[index,assignment]
            cost = float(sum(source.member(name).size for name in inside))
            units.append(WorkUnit(table, payload, cost, (table, *inside), split))
        return Scan(facts, tuple(units), rejections=tuple(rejections))

    def read(self, source: Source, unit: WorkUnit) -> Iterator[RawSegment | Rejection | Ignored]:
        """Supervisions of one shard, in the order of its cuts."""
        yield from recordings.without_twins(_items(source, unit.payload))


def _items(source: Source, payload: Mapping[str, Any]) -> Iterator[RawSegment | Rejection | Ignored]:
    table = payload["table"]
    data = source.read_bytes(table)
    try:
        text = (gzip.decompress(data) if table.endswith(".gz") else data).decode("utf-8")
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        yield Rejection(table, "source_unreadable", f"cannot be unpacked or is no UTF-8: {error}")
        return
    for number, line in enumerate(text.splitlines(), 1):
        try:
            cut = json.loads(line)
            found = [*_of_cut(cut, payload, number)]
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            found = [Rejection(table, "bad_line", f"no cut: {error!r}", line=number)]
        yield from found


def _of_cut(
    cut: Mapping[str, Any], payload: Mapping[str, Any], number: int
) -> Iterator[RawSegment | Rejection | Ignored]:
    table, name = payload["table"], str(cut["id"])
    said = cut.get("supervisions") or []
    if not said:
        yield Ignored(table, "cut without a supervision")
    for one in said:
        utterance = str(one["id"])
        if name not in payload["sounds"]:
            yield Rejection(table, "audio_missing", f"no sound of cut {name} in its tar", utterance, number)
            continue
        start_s, duration_s = float(one.get("start", 0.0)), float(one["duration"])
        rest_s = float(cut["duration"]) - duration_s
        whole = len(said) == 1 and abs(start_s) <= _WHOLE_S and rest_s <= _WHOLE_S
        speaker = one.get("speaker")
        custom = one.get("custom") or {}
        yield RawSegment(
            utterance_id=utterance,
            recording_id=str(one.get("recording_id") or name),
            speaker_id=str(speaker) if speaker else utterance,
            text_raw=str(one.get("text") or ""),
            style="common_voice",
            audio=AudioRef(
                payload["sounds"][name],
                start_s=None if whole else start_s,
                end_s=None if whole else start_s + duration_s,
            ),
            source_path=table,
            line=number,
            split=payload["split"] or None,
            subset=str(custom.get("subset") or ""),
            gender=packed.gender_of(one.get("gender")),
            language=str(one.get("language") or payload["language"]),
            licence=str(custom.get("licence") or payload["licence"]),
            flags=() if speaker else ("speaker_unknown",),
        )
