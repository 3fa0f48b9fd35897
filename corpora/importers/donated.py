"""Donated archives: whatever people hand over, read by what `donation.toml` says, never by code per donor.

Text may stand in the names of the files, in a Sphinx transcription, in a table, or in subtitle files beside
the recordings. Rows with text but no sound, and sound without text, are refused and counted before any audio
is opened. Untimed text, other subtitle forms and drafts of donation.toml are not handled here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import PurePosixPath
from typing import Any

from corpora.audio import AUTO, MIX
from corpora.cues import Cue, read_cues
from corpora.donation import Donation, find_donation
from corpora.errors import NothingImportedError
from corpora.importer import (
    AudioRef,
    CorpusFacts,
    Ignored,
    ImportOptions,
    RawSegment,
    Rejection,
    Scan,
    WorkUnit,
    bucketed,
)
from corpora.importers._pairing import (
    AUDIO,
    AudioIndex,
    Found,
    excluded,
    inner,
    scan_file_names,
    scan_sphinx,
    scan_table,
)
from corpora.sources import Source

CUES = re.compile(r"\.(srt|vtt)$", re.I)
_LANGUAGE = re.compile(r"[._-](?:[a-z]{2}(?:-[A-Za-z]{2})?|final|v\d+)$")
_CHANNELS = {"auto": AUTO, "mix": MIX, "left": 0, "right": 1}
_GENDERS = {"f": "f", "female": "f", "m": "m", "male": "m", "x": "x"}


class DonatedImporter:
    """Reads any archive that a donation.toml describes."""

    name = "donated"
    version = "1"
    summary = "donated archives: SRT/VTT beside recordings, tables, Sphinx, text in file names; donation.toml"

    def recognise(self, source: Source) -> bool:
        """A donation.toml in it, or recordings with subtitles of the same name."""
        return bool(source.names_matching(r"(^|/)donation\.toml$|\.(srt|vtt)$"))

    def scan(self, source: Source, options: ImportOptions) -> Scan:
        """Pair every sound with its text by the rules of the donation file.

        Raises:
            NothingImportedError: no licence, or no sound and no text at all.
            UsageError, SourceError: a donation file that says something impossible.
        """
        donation = find_donation(source, options.donation)
        kept = [m.name for m in source.members() if not excluded(inner(m.name), donation.exclude)]
        audio = AudioIndex([name for name in kept if AUDIO.search(name)])
        found = Found()
        for rule, scan in _RULES:
            if getattr(donation, rule, None) is not None:
                scan(source, donation, audio, found)
        _scan_cues(source, donation, audio, found, kept)
        if not (found.rows or found.recordings or found.rejections):
            raise NothingImportedError(
                f"{source.label} holds no recording with a text that {donation.origin} describes"
            )
        for name in audio.names:
            if name not in audio.used:
                found.rejections.append(
                    Rejection(
                        name, "transcript_missing", "no text belongs to this recording", audio.identity(name)
                    )
                )
        taken = {*audio.names, *found.used}
        ignored = [
            Ignored(
                m.name, "description" if m.name.endswith("donation.toml") else "neither sound nor its text"
            )
            for m in source.members()
            if m.name not in taken
        ]
        units = tuple(sorted(_units(source, donation, found), key=lambda u: u.key))
        return Scan(_facts(donation), units, tuple(ignored), tuple(found.rejections))

    def read(self, source: Source, unit: WorkUnit) -> Iterator[RawSegment | Rejection | Ignored]:
        """Rows of a table slice, or the cues of one recording."""
        common = unit.payload["common"]
        if unit.payload["kind"] == "rows":
            for row in unit.payload["rows"]:
                yield _segment(common, row)
        else:
            yield from _read_cues(source, common, unit.payload)


def _facts(donation: Donation) -> CorpusFacts:
    return CorpusFacts(
        name=donation.name,
        licence=donation.licence,
        language=donation.language,
        donor=donation.donor,
        closed_vocabulary=donation.closed_vocabulary,
        split_rule=donation.split_rule,
        dev_speakers=donation.dev_speakers,
        test_speakers=donation.test_speakers,
    )


def _units(source: Source, donation: Donation, found: Found) -> Iterator[WorkUnit]:
    common = {
        "donor": donation.donor,
        "licence": donation.licence,
        "language": donation.language,
        "channel": _CHANNELS[donation.channel_mode],
        "encoding": donation.encoding,
        "genders": dict(donation.genders),
        "speaker_rule": donation.speaker_rule,
        "speaker": donation.speaker,
        "name": donation.name,
        "style": "subtitle" if donation.text_kind == "subtitle" else "verbatim",
    }
    for key, rows in bucketed(found.rows, lambda row: f"{row['audio']}\n{row['id']}").items():
        members = tuple(dict.fromkeys(row["audio"] for row in rows))
        cost = float(sum(source.member(name).size for name in members))
        yield WorkUnit(f"rows/{key}", {"kind": "rows", "common": common, "rows": list(rows)}, cost, members)
    cue_common = {
        **common,
        "style": "verbatim" if donation.text_kind in {"verbatim", "edited"} else "subtitle",
    }
    for recording in found.recordings:
        members = (recording["audio"], recording["transcript"])
        cost = float(source.member(recording["audio"]).size)
        payload = {"kind": "cues", "common": cue_common, **recording}
        yield WorkUnit(f"cues/{recording['transcript']}", payload, cost, members)


def _segment(common: dict[str, Any], row: dict[str, Any]) -> RawSegment:
    """A row of any rule as a segment; decides speaker and gender in one place."""
    speaker = row.get("speaker") or common["speaker"]
    flags = []
    if not speaker and common["speaker_rule"] == "file":
        speaker = PurePosixPath(row["audio"]).stem
    if not speaker:
        speaker = common["name"]
        flags.append("speaker_unknown")
    if common["style"] == "subtitle":
        flags.append("train_only")
    gender = common["genders"].get(speaker) or row.get("gender") or ""
    return RawSegment(
        utterance_id=row["id"],
        recording_id=row.get("recording") or row["id"],
        speaker_id=speaker,
        text_raw=row["text"],
        style=common["style"],
        audio=AudioRef(row["audio"], common["channel"], row.get("start_s"), row.get("end_s")),
        source_path=row["path"],
        line=row.get("line"),
        split=None,
        subset="",
        gender=_GENDERS.get(gender.lower()),
        language=common["language"],
        licence=common["licence"],
        donor_id=common["donor"],
        flags=tuple(flags),
    )


# --- subtitles -------------------------------------------------------------------------------------------


def _scan_cues(source: Source, donation: Donation, audio: AudioIndex, found: Found, kept: list[str]) -> None:
    for path in (name for name in kept if CUES.search(name)):
        found.used.add(path)
        bare = str(PurePosixPath(path).with_suffix(""))
        folder, stem = str(PurePosixPath(bare).parent), PurePosixPath(bare).name
        candidates = audio.find(folder, stem) or audio.find(folder, _LANGUAGE.sub("", stem))
        if len(candidates) == 1 and candidates[0] not in audio.used:
            audio.used.add(candidates[0])
            recording = audio.identity(candidates[0])
            found.recordings.append({"audio": candidates[0], "transcript": path, "recording": recording})
            continue
        check = "audio_missing" if not candidates else "audio_ambiguous"
        reason = (
            f"no recording named {stem} in the archive"
            if not candidates
            else f"several texts or recordings for {stem}"
        )
        cues = list(read_cues(source.text_lines(path, donation.encoding)))
        for cue in cues or [Cue(1)]:
            found.rejections.append(Rejection(path, check, reason, line=cue.line, text_raw=cue.text or None))


def _read_cues(
    source: Source, common: dict[str, Any], payload: Any
) -> Iterator[RawSegment | Rejection | Ignored]:
    path, seen = payload["transcript"], set()
    empty = True
    for cue in read_cues(source.text_lines(path, common["encoding"])):
        empty = False
        identity = f"{payload['recording']}-{round(cue.start_s * 1000):08d}-{round(cue.end_s * 1000):08d}"
        if cue.problem:
            yield Rejection(path, "bad_line", cue.problem, line=cue.line)
            continue
        times: dict[str, Any] = {"start_s": cue.start_s, "end_s": cue.end_s, "text_raw": cue.text}
        if cue.end_s <= cue.start_s:
            reason = f"the cue ends at {cue.end_s:.3f} s, before it begins at {cue.start_s:.3f} s"
            yield Rejection(path, "bad_times", reason, identity, line=cue.line, **times)
        elif identity in seen:
            yield Rejection(
                path, "duplicate_id", "a second cue with the same times", identity, line=cue.line, **times
            )
        else:
            seen.add(identity)
            row = {
                "id": identity,
                "audio": payload["audio"],
                "text": cue.text,
                "path": path,
                "line": cue.line,
            }
            row |= {"start_s": cue.start_s, "end_s": cue.end_s, "recording": payload["recording"]}
            yield _segment(common, row | {"speaker": cue.voice})
    if empty:
        yield Rejection(path, "transcript_empty", "no cue in it", payload["recording"])


_RULES: tuple[tuple[str, Callable[[Source, Donation, AudioIndex, Found], None]], ...] = (
    ("file_name", scan_file_names),
    ("sphinx", scan_sphinx),
    ("table", scan_table),
)
