"""Donated archives: whatever people hand over, read by what `donation.toml` says, never by code per donor.

Text may stand in the names of the files, in a Sphinx transcription, in a table, or in any format of
corpora/formats beside the recordings. Rows with text but no sound, and sound without text, are refused and
counted before any audio is opened. Without a licence everything goes to quarantine. Text without times is
handed on as `untimed`; what becomes of it is decided where the length of the sound is known.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import PurePosixPath
from typing import Any

from corpora.audio.recognition import recordings_in
from corpora.audio.recording import AUTO, MIX
from corpora.donations.cue_rows import read_transcript
from corpora.donations.description import Donation, find_donation
from corpora.donations.draft import draft_text, stand_in
from corpora.donations.pairing import AudioIndex, Found, inner
from corpora.donations.rules import excluded, scan_file_names, scan_sphinx, scan_table
from corpora.donations.transcripts import TextScan
from corpora.donations.unread import Unread, unread_texts
from corpora.errors import NeedsDonationError
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
from corpora.sources.source import Source
from corpora.text.normaliser import Policies

_CHANNELS = {"auto": AUTO, "mix": MIX, "left": 0, "right": 1, "split": AUTO}
_NOTED = 20
_GENDERS = {"f": "f", "female": "f", "m": "m", "male": "m", "x": "x"}
_RULES: tuple[tuple[str, Callable[[Source, Donation, AudioIndex, Found], None]], ...] = (
    ("file_name", scan_file_names),
    ("sphinx", scan_sphinx),
    ("table", scan_table),
)


class DonatedImporter:
    """Reads any archive that a donation.toml describes."""

    name = "donated"
    version = "4"
    summary = (
        "donated archives: captions, TextGrid, ELAN, Transcriber, CTM, STM, tables, Kaldi; donation.toml"
    )

    def recognise(self, source: Source) -> bool:
        """A donation.toml in it, or recordings with subtitles of the same name."""
        return bool(source.names_matching(r"(^|/)donation\.toml$|\.(srt|vtt|ttml|eaf|trs|TextGrid|ctm|stl)$"))

    def scan(self, source: Source, options: ImportOptions) -> Scan:
        """Pair every sound with its text by the rules of the donation file.

        Raises:
            NeedsDonationError: no text for any sound is found.
            UsageError, SourceError: a donation file that says something impossible.
        """
        donation = find_donation(source, options.donation) or stand_in(source, options.name)
        draft = "" if donation.licence else draft_text(donation)
        kept = [m.name for m in source.members() if not excluded(inner(m.name), donation.exclude)]
        audio = AudioIndex(recordings_in(source, kept))
        found = Found()
        for rule, scan in _RULES:
            if getattr(donation, rule, None) is not None:
                scan(source, donation, audio, found)
        sounds = set(audio.names)
        TextScan(source, donation, audio, found).run([name for name in kept if name not in sounds])
        left = [name for name in kept if name not in sounds and name not in found.used]
        unread = list(unread_texts(source, donation, audio, left))
        if not (found.rows or found.recordings or found.rejections):
            raise NeedsDonationError(_nothing_found(source, donation, audio, unread), donation.name, draft)
        for text in unread:
            found.used.add(text.path)
            found.rejections.append(Rejection(text.path, "text_not_understood", text.reason))
        found.notes += [f"not understood: {text.path}: {text.reason}" for text in unread[:_NOTED]]
        for name in audio.names:
            if name not in audio.used:
                reason = "no text belongs to this recording"
                found.rejections.append(Rejection(name, "transcript_missing", reason, audio.identity(name)))
        units = tuple(sorted(_units(source, donation, found), key=lambda u: u.key))
        ignored = tuple([*found.ignored, *_left_over(source, audio, found)])
        return Scan(_facts(donation), units, ignored, tuple(found.rejections), tuple(found.notes), draft)

    def read(self, source: Source, unit: WorkUnit) -> Iterator[RawSegment | Rejection | Ignored]:
        """Rows of a table slice, or the cues of one recording."""
        common = unit.payload["common"]
        if unit.payload["kind"] == "rows":
            for row in unit.payload["rows"]:
                yield _segment(common, row)
            return
        for item in read_transcript(source, common, unit.payload):
            yield _segment(common, item) if isinstance(item, dict) else item


def _left_over(source: Source, audio: AudioIndex, found: Found) -> Iterator[Ignored]:
    taken = {*audio.names, *found.used}
    for member in source.members():
        if member.name not in taken:
            description = member.name.endswith("donation.toml")
            yield Ignored(member.name, "description" if description else "neither sound nor its text")


def _nothing_found(source: Source, donation: Donation, audio: AudioIndex, unread: list[Unread]) -> str:
    kinds = Counter(name.rpartition(".")[2].lower() for name in audio.names)
    told = ", ".join(f"{count:,} {kind}" for kind, count in kinds.most_common(3))
    if not told:
        return f"{source.label} holds no recording that a donation could be made of"
    if unread:
        reasons = "; ".join(f"{text.path}: {text.reason}" for text in unread[:3])
        return f"{source.label} holds recordings ({told}) and no text that was understood. {reasons}"
    if donation.licence:
        return (
            f"{source.label} holds recordings ({told}) and none with a text that {donation.origin} describes"
        )
    return (
        f"{source.label} holds recordings ({told}) and no text that is known to be theirs; a donation.toml has to say "
        "where the text stands ([file_name], [table] or [sphinx], see docs/donations.md) and under which licence it is given"
    )


def _facts(donation: Donation) -> CorpusFacts:
    about = {**donation.about, "text_kind": donation.text_kind, "said_by_hand": donation.by_hand}
    if donation.may_redistribute is not None:
        about["may_redistribute"] = donation.may_redistribute
    return CorpusFacts(
        name=donation.name,
        licence=donation.licence,
        language=donation.language,
        donor=donation.donor,
        closed_vocabulary=donation.closed_vocabulary,
        split_rule=donation.split_rule,
        dev_speakers=donation.dev_speakers,
        test_speakers=donation.test_speakers,
        dev_share=donation.dev_share,
        quarantine="" if donation.licence else "no licence is named",
        about=about,
    )


def _units(source: Source, donation: Donation, found: Found) -> Iterator[WorkUnit]:
    common = {
        "donor": donation.donor,
        "licence": donation.licence,
        "language": donation.language,
        "channel": _CHANNELS[donation.channel_mode],
        "split_channels": donation.channel_mode == "split",
        "encoding": donation.encoding,
        "tiers": list(donation.tiers),
        "overlaps": donation.overlaps,
        "stretch": donation.time_stretch,
        "numbers": donation.numbers,
        "timing": donation.timing,
        "genders": dict(donation.genders),
        "speaker_rule": donation.speaker_rule,
        "speaker": donation.speaker,
        "name": donation.name,
        "track": donation.audio_track,
        "text_kind": donation.text_kind,
        "official_splits": not (donation.dev_speakers or donation.test_speakers),
        "files_of": {"test": list(donation.test_files), "dev": list(donation.dev_files)},
    }
    whole = [row for row in found.rows if row.get("start_s") is None]
    for key, rows in bucketed(whole, lambda row: f"{row['audio']}\n{row['id']}").items():
        members = tuple(dict.fromkeys(row["audio"] for row in rows))
        cost = float(sum(source.member(name).size for name in members))
        yield WorkUnit(f"rows/{key}", {"kind": "rows", "common": common, "rows": list(rows)}, cost, members)
    timed: dict[str, list[dict[str, Any]]] = {}
    for row in found.rows:
        if row.get("start_s") is not None:
            timed.setdefault(row["audio"], []).append(row)
    for name, rows in timed.items():
        payload = {"kind": "rows", "common": common, "rows": rows}
        yield WorkUnit(f"segments/{name}", payload, float(source.member(name).size), (name,))
    for recording in found.recordings:
        members = (recording["audio"], recording["transcript"])
        cost = float(source.member(recording["audio"]).size)
        payload = {"kind": "cues", "common": common, **recording}
        yield WorkUnit(f"cues/{recording['transcript']}", payload, cost, members)


def _split(common: dict[str, Any], row: dict[str, Any]) -> str | None:
    """train, dev or test by the globs of [splits], else as the donor's files say; None = to be assigned."""
    globs = common["files_of"]
    if any(globs.values()):
        name = inner(row["audio"])
        return next((part for part, said in globs.items() if excluded(name, tuple(said))), "train")
    return row.get("split") if common["official_splits"] else None


def _segment(common: dict[str, Any], row: dict[str, Any]) -> RawSegment | Rejection:
    """A row of any rule as a segment; decides speaker, gender and channel in one place."""
    speaker, flags = row.get("speaker") or common["speaker"], list(row.get("flags", ()))
    if not speaker and common["speaker_rule"] == "file":
        speaker = PurePosixPath(row["audio"]).stem
    if not speaker:
        speaker = f"{common['donor']}:{PurePosixPath(row['audio']).stem}"
        flags.append("speaker_unknown")
    kind = common["text_kind"] or row.get("kind", "verbatim")
    if kind == "subtitle":
        flags.append("train_only")
    channel = row.get("channel")
    if common["split_channels"] and channel is None:
        reason = "channel_mode = split, but the transcript does not say which channel is whose"
        return Rejection(
            row["path"], "channel_unknown", reason, row["id"], row.get("line"), text_raw=row["text"]
        )
    if channel is not None and channel < 0:
        reason = (
            f"channel {channel}: channels are counted from 0; channel_mode = mix in donation.toml mixes them"
        )
        return Rejection(row["path"], "bad_channel", reason, row["id"], row.get("line"), text_raw=row["text"])
    gender = common["genders"].get(speaker) or row.get("gender") or ""
    return RawSegment(
        utterance_id=row["id"],
        recording_id=row.get("recording") or row["id"],
        speaker_id=speaker,
        text_raw=row["text"],
        style="subtitle" if kind == "subtitle" else "verbatim",
        audio=AudioRef(
            row["audio"],
            common["channel"] if channel is None else channel,
            row.get("start_s"),
            row.get("end_s"),
            track=common["track"],
        ),
        policies=Policies(numbers=common["numbers"]),
        source_path=row["path"],
        line=row.get("line"),
        split=_split(common, row),
        subset="",
        gender=_GENDERS.get(gender.lower()),
        language=row.get("language") or common["language"],
        licence=row.get("licence") or common["licence"],
        donor_id=common["donor"],
        flags=tuple(dict.fromkeys(flags)),
    )
