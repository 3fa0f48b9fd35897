"""One group of work units: read → cut → normalise → check → a Parquet file and its rejections.

Finished groups are kept (group_cache.py) and taken as they are by every later run. Groups know nothing of
each other; splits and whatever needs the whole corpus are decided in seal.py.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any

from corpora.audio.clip import Clip, cut, encoded, other_channel_db
from corpora.audio.last import LAST
from corpora.audio.measures import measures_of
from corpora.audio.memory import keep_memory
from corpora.audio.recording import Recording
from corpora.donations.needs_alignment import set_aside, waits
from corpora.errors import AudioError, SourceError
from corpora.faults import FAULT, fault_reason, is_of_the_machine
from corpora.importer import AudioRef, Ignored, Importer, RawSegment, Rejection, WorkUnit
from corpora.importers import get_importer
from corpora.quality.checks import Subject, check_utterance
from corpora.quality.thresholds import Thresholds
from corpora.refresh.group_cache import (
    cache_dir,
    content_key,
    find_group,
    is_finished,
    keep_group,
    note_group,
    staging_place,
)
from corpora.refresh.plan import Plan, read_plan
from corpora.sources.names import SOUND
from corpora.sources.opening import open_readers
from corpora.sources.planned import PlannedSource
from corpora.sources.source import Reader, Source
from corpora.text.normaliser import NORMALISER_VERSION, Refused
from corpora.text.recorded_rules import normaliser_for, rules_of
from corpora.versions.index import index_rows
from corpora.versions.rejections import Refusals
from corpora.versions.shards import ShardWriter, write_table
from store.locks import hold
from store.shared.places import is_remote
from store.store import ALPHABETS
from store.writing import canonical_json, explain_write, read_json

_ITEMS_AHEAD = 16
_CLIPS_TOGETHER = 16  # encoded at once: MD5 sums side by side are cheaper
_TEXT_CHECKS = ("bad_times", "span_past_end")  # found in the sound, but the transcript's line is to blame


@dataclass
class Tally:
    """Counts of a group. `input` is counted where items leave the importer, the others where they end.

    `splits` are those its rows name; where it is one official split, `rows.parquet` can be a shard as it is.
    """

    input: int = 0
    accepted: int = 0
    rejected: int = 0
    ignored: Counter[str] = field(default_factory=Counter)
    duration_s: float = 0.0
    splits: set[str] = field(default_factory=set)

    def as_dict(self) -> dict[str, Any]:
        """For the group's `counts.json`."""
        return {
            "input": self.input,
            "accepted": self.accepted,
            "rejected": self.rejected,
            "ignored": dict(sorted(self.ignored.items())),
            "duration_s": self.duration_s,
            "split": next(iter(self.splits)) if len(self.splits) == 1 else "",
        }


def run_group(plan_path: Path | str, index: int, with_sound: bool = False) -> dict[str, Any]:
    """Do one group of a plan, or take it as it is when the same content was done before.

    Args:
        plan_path: what `plan_refresh` returned.
        index: number of the group, from 0.
        with_sound: its `rows.parquet` is wanted although the group may have been published before.

    Returns:
        input, accepted, rejected, ignored {reason: n}, duration_s, index, reused.

    Raises:
        SourceError: the source went away since it was planned.
        StoreError: the disk is full or the like.
    """
    keep_memory()
    plan = read_plan(Path(plan_path))
    with _lock(plan, index):
        done = find_group(plan, index, with_sound)
        if done is None:
            return _make_group(plan, Path(plan_path).parent, index, with_sound)
        note_group(plan, index, done)
        return {**read_json(done / "counts.json"), "index": index, "reused": True}


def _lock(plan: Plan, index: int) -> AbstractContextManager[None]:
    """Two refreshes of one corpus do not do the same group at the same time."""
    label = f"group-{plan['name']}-{plan['groups'][index]['key'][:2]}"
    return hold(Path(plan["store"]) / "locks" / f"{label}.lock", label)


def _make_group(plan: Plan, plan_dir: Path, index: int, with_sound: bool) -> dict[str, Any]:
    """Hash the group's files; do it unless that very content was done before."""
    asked = read_json(plan_dir / plan["groups"][index]["units"])
    readers = _readers(tuple(plan["sources"]), plan["unpacked"])
    source = PlannedSource(readers, Path(plan["unpacked"]), asked["members"])
    mark = plan["groups"][index]["mark" if asked["members"] else "key"]
    folder = cache_dir(plan) / content_key(mark, source, (entry[0] for entry in asked["members"]))
    reused = is_finished(folder, with_sound)
    if not reused:
        staged = staging_place(folder)
        tally = GroupWorker(plan, source).run([_unit(entry) for entry in asked["units"]], staged)
        with explain_write(folder):
            (staged / "counts.json").write_bytes(canonical_json(tally.as_dict()))
        keep_group(staged, folder)
    note_group(plan, index, folder)
    return {**read_json(folder / "counts.json"), "index": index, "reused": reused}


def _unit(entry: dict[str, Any]) -> WorkUnit:
    return WorkUnit(**{**entry, "members": tuple(entry["members"])})


@lru_cache(maxsize=2)
def _readers(paths: tuple[str, ...], unpacked: str) -> list[Reader]:
    """The readers of a source, opened once per worker process and plan.

    Raises:
        SourceError: one of them leads elsewhere than when it was planned.
    """
    for path in paths:
        if not is_remote(path) and str(Path(path).resolve()) != path:
            raise SourceError(f"{path} was exchanged for a link since it was planned; run the refresh again")
    return open_readers(paths, Path(unpacked))


class GroupWorker:
    """Turns the units of a group into rows."""

    def __init__(self, plan: Plan, source: Source) -> None:
        self._corpus: str = plan["name"]
        self._alphabets = Path(plan["store"]) / ALPHABETS
        self._importer: Importer = get_importer(plan["importer"])
        self._source = source
        self._thresholds = Thresholds(**plan["thresholds"])
        self._member: tuple[str, int | None] = ("", None)
        self._folder = Path()
        self._recording: Recording | AudioError | None = None
        self._rejections: Refusals

    def run(self, units: list[WorkUnit], folder: Path) -> Tally:
        """Write `rows.parquet`, `index.parquet` and `rejections.parquet` of the units; answer the counts."""
        tally, self._folder = Tally(), folder
        lean: list[dict[str, Any]] = []
        self._rejections = Refusals(folder / "rejections.parquet", self._corpus)
        with self._rejections, ShardWriter(folder / "rows.parquet") as writer:
            for row in _finished(entry for unit in units for entry in self._rows(unit, tally)):
                writer.add_rows([row])
                lean.append({key: value for key, value in row.items() if key != "audio"})
        tally.accepted, tally.duration_s = writer.rows, writer.duration_s
        tally.rejected = self._rejections.rows
        tally.splits = {row["split"] for row in lean}
        write_table(folder / "index.parquet", index_rows(lean))
        return tally

    def _rows(self, unit: WorkUnit, tally: Tally) -> Iterator[tuple[dict[str, Any], Clip]]:
        """The rows of a unit with their clips; everything else in it is counted or noted as rejected."""
        for item in self._looking_ahead(unit):
            tally.input += item.count if isinstance(item, Ignored) else 1
            if isinstance(item, Ignored):
                tally.ignored[item.reason] += item.count
            elif isinstance(item, Rejection):
                self._rejections.append(item)
            else:
                row = self._row_or_fault(item)
                if row is not None:
                    yield row

    def _looking_ahead(self, unit: WorkUnit) -> Iterator[RawSegment | Rejection | Ignored]:
        """The items of a unit; some of them are taken at once, so that their files are decoded together."""
        items = self._items(unit)
        while some := [*islice(items, _ITEMS_AHEAD)]:
            with suppress(Exception):  # told where the item itself is opened
                LAST.look_ahead(self._source, [item.audio for item in some if isinstance(item, RawSegment)])
            yield from some

    def _items(self, unit: WorkUnit) -> Iterator[RawSegment | Rejection | Ignored]:
        told: set[str] = set()
        try:
            for item in self._importer.read(self._source, unit):
                if not isinstance(item, Ignored) or "comment" not in item.reason:
                    told.add(item.source_path)
                yield item
            if not getattr(self._importer, "tells_every_file", False):
                yield from _silent_texts(unit, told)
        except SourceError as error:
            yield Rejection(unit.key, "source_unreadable", str(error))
        except Exception as error:  # the last net: a fault of ours costs this unit, not the import
            if is_of_the_machine(error):
                raise
            yield Rejection(unit.key, FAULT, fault_reason(error))

    def _row_or_fault(self, segment: RawSegment) -> tuple[dict[str, Any], Clip] | None:
        """`_row`; whatever is raised that nobody foresaw costs this segment, not the import."""
        try:
            return self._row(segment)
        except Exception as error:
            if is_of_the_machine(error):
                raise
            self._reject(segment, FAULT, fault_reason(error))
            return None

    def _row(self, segment: RawSegment) -> tuple[dict[str, Any], Clip] | None:
        """The row of an accepted segment, still without hash and FLAC; None after noting why it was rejected."""
        if "untimed" in segment.flags and self._waits(segment):
            return None
        rules = rules_of(segment.style, segment.policies)
        normalised = normaliser_for(rules, segment.language, self._alphabets).normalise(segment.text_raw)
        if isinstance(normalised, Refused):
            self._reject(segment, normalised.check, normalised.reason)
            return None
        try:
            recording = self._decoded(segment.audio)
            clip = cut(recording, segment.audio)
        except AudioError as error:
            self._reject(segment, error.check, str(error), of_audio=error.check not in _TEXT_CHECKS)
            return None
        measures = measures_of(clip.figures, len(normalised.text) / clip.duration_s)
        measures["other_channel_db"] = other_channel_db(recording, segment.audio)
        subject = Subject(normalised.text, len(clip.samples), clip.sample_rate_hz, measures)
        refused, flags = check_utterance(subject, self._thresholds)
        if refused is not None:
            self._reject(segment, *refused)
            return None
        all_flags = sorted({*segment.flags, *normalised.flags, *clip.flags, *flags})
        row = _row(self._corpus, segment, clip) | {
            "text": normalised.text,
            "text_scoring": normalised.text_scoring,
            "flags": all_flags,
            "measures": measures,
        }
        return row, clip

    def _waits(self, segment: RawSegment) -> bool:
        """Set a segment aside whose text has to be aligned first; whether it was."""
        try:
            recording = self._decoded(segment.audio)
            if not waits(segment, recording, self._thresholds.max_duration_s):
                return False
            set_aside(self._folder, segment, recording)
        except AudioError as error:
            self._reject(segment, error.check, str(error), of_audio=True)
            return True
        length_s = recording.duration_s
        reason = f"the text of {length_s:.0f} s has no times: it waits in quarantine to be aligned"
        self._reject(segment, "needs_alignment", reason)
        return True

    def _decoded(self, ref: AudioRef) -> Recording:
        """The recording a segment is in; the last one is kept, with its error if it has one."""
        if (ref.member, ref.track) != self._member:
            self._member = (ref.member, ref.track)
            try:
                self._recording = LAST.open(self._source, ref)
            except AudioError as error:
                self._recording = error
            except SourceError as error:
                self._recording = AudioError("source_unreadable", str(error))
        if not isinstance(self._recording, Recording):
            raise self._recording or AudioError("audio_unreadable", "no recording")
        return self._recording

    def _reject(self, segment: RawSegment, check: str, reason: str, of_audio: bool = False) -> None:
        ref = segment.audio
        place = f" (transcript: {segment.source_path}:{segment.line})" if of_audio and segment.line else ""
        self._rejections.append(
            Rejection(
                source_path=ref.member if of_audio else segment.source_path,
                check=check,
                reason=f"{_file_name(ref.member)}: {reason}{place}" if of_audio else reason,
                utterance_id=segment.utterance_id,
                line=None if of_audio else segment.line,
                start_s=ref.start_s,
                end_s=ref.end_s,
                text_raw=segment.text_raw,
                speaker_id=segment.speaker_id,
                donor_id=segment.donor_id,
            )
        )


def _silent_texts(unit: WorkUnit, told: set[str]) -> Iterator[Rejection]:
    """Transcripts of a unit of which no line became anything: empty, or cut before their first line."""
    for name in unit.members:
        if name not in told and not SOUND.search(name) and any(SOUND.search(other) for other in unit.members):
            reason = "no line of this transcript could be used: it is empty, or was cut before its first line"
            yield Rejection(name, "transcript_empty", reason)


def _finished(entries: Iterator[tuple[dict[str, Any], Clip]]) -> Iterator[dict[str, Any]]:
    """The rows with the hash of their samples and with their FLAC; several sounds are encoded at once."""
    while some := [*islice(entries, _CLIPS_TOGETHER)]:
        clips = [clip for _, clip in some]
        for (row, clip), flac in zip(some, encoded(clips), strict=True):
            row["audio"]["bytes"] = flac
            yield row | {"audio_sha256": clip.sha256}


def _file_name(member: str) -> str:
    return member.rpartition("/")[2]


def _row(corpus: str, segment: RawSegment, clip: Clip) -> dict[str, Any]:
    """The columns that come straight from the segment and its sound."""
    return {
        "utterance_id": segment.utterance_id,
        "corpus": corpus,
        "split": segment.split or "",
        "subset": segment.subset,
        "recording_id": segment.recording_id,
        "speaker_id": segment.speaker_id,
        "gender": segment.gender,
        "language": segment.language,
        "donor_id": segment.donor_id,
        "licence": segment.licence,
        "audio": {"bytes": clip.flac, "path": f"{segment.utterance_id.replace('/', '~')}.flac"},
        "sample_rate_hz": clip.sample_rate_hz,
        "num_samples": len(clip.samples),
        "duration_s": clip.duration_s,
        "channel": max(segment.audio.channel, 0),
        "text_raw": segment.text_raw,
        "source_path": segment.audio.member,
        "source_start_s": segment.audio.start_s,
        "source_end_s": segment.audio.end_s,
        "normaliser_version": NORMALISER_VERSION,
        "transcript_path": segment.source_path,
        "transcript_line": segment.line,
        "text_rules": rules_of(segment.style, segment.policies),
        "audio_fingerprint": clip.figures.fingerprint,
        "first_seen": segment.first_seen,
    }
