"""Common Voice's spontaneous speech: answers to questions in one's own words, one table a language.

    sps-corpus-3.0-2026-03-09-en/{ss-corpus-en.tsv,ss-reported-audios-en.tsv,audios/spontaneous-speech-en-1.mp3}

Train, dev and test are what `split` says; it is `unassigned` where nobody has transcribed yet or where the transcription
waits to be reviewed: counted, and with the option `unaccepted` refused with its votes. Quality tags of the release become
flags (`long-audio` = `long_audio`), stated durations are compared. A speaker of an evaluation split is refused in training.
Columns are read by name; those that no release has had so far are named in a note and passed over.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import islice
from pathlib import PurePosixPath
from typing import Any

from corpora.errors import SourceError
from corpora.importer import AudioRef, CorpusFacts, Ignored, RawSegment, Rejection, Scan, WorkUnit
from corpora.importers import _calls as recordings
from corpora.importers import _common_voice_facts as facts
from corpora.importers import _common_voice_tables as lines_of
from corpora.sources.lines import TextLine, decode_lines
from corpora.sources.names import unsafe_name
from corpora.sources.source import Source
from corpora.text.language_tags import language_tag

_TABLE = re.compile(r"(?:^|/)ss-corpus-(?P<locale>[^/]+)\.tsv$")
_REPORTED = re.compile(r"(?:^|/)ss-reported-audios-[^/]+\.tsv$")
_CLIP = re.compile(r"(?i)\.mp3$")
_RELEASE = re.compile(r"sps-corpus-\d+(?:\.\d+)?(?:-delta)?(?:-\d{4}-\d{2}-\d{2})?")
_NEEDED = ("client_id", "audio_file", "transcription", "split")
_COLUMNS = {
    *_NEEDED, "audio_id", "duration_ms", "prompt_id", "prompt", "votes", "age", "gender", "accents", "variant", "language",
    "prompt_upvotes", "prompt_reports", "is_edited", "char_per_sec", "quality_tags",
}  # fmt: skip
_SPLITS = ("test", "dev", "train")
_KIND = "spontaneous"
_SLICE_ROWS = 500


def tables(source: Source) -> list[str]:
    """The main tables of spontaneous speech, by language."""
    return source.names_matching(_TABLE)


def is_ours(payload: Mapping[str, Any]) -> bool:
    """Whether a unit is one of `scan`'s."""
    return payload.get("kind") == _KIND


def scan(source: Source, about: CorpusFacts, unaccepted: bool) -> Scan:
    """Slices of 500 rows of the one table, each with the speakers that are in an evaluation split.

    Raises:
        SourceError: several languages, a table without a column that is needed, a locale that is no language.
    """
    found = tables(source)
    if len(found) > 1:
        raise SourceError(
            f"{source.label} holds {len(found)} tables of spontaneous speech ({', '.join(found)}): import one language "
            "of one release at a time"
        )
    path = found[0]
    columns, notes = _columns(source, path)
    locale = str(_TABLE.search(path)["locale"])  # type: ignore[index]
    try:
        language = language_tag(locale)
    except ValueError as error:
        raise SourceError(f"{path}: {error}") from error
    rows = [(line, offset, size) for line, offset, size in lines_of.rows_of(source, path)]
    shared: dict[str, Any] = {
        "kind": _KIND,
        "table": path,
        "columns": columns,
        "language": language,
        "licence": about.licence,
        "release": _release(path, source.label),
        "unaccepted": unaccepted,
    }
    splits = _splits_of_speakers(columns, [line for line, _, _ in rows])
    clips = {PurePosixPath(name).name: name for name in source.names_matching(_CLIP)}
    units = [_unit(source, shared, chunk, (splits, clips)) for chunk in _chunks(rows)]
    facts_here = replace(about, language=language, split_rule="official" if splits else "speaker")
    return Scan(facts_here, tuple(units), tuple(_reported(source)), (), tuple(notes))


def read(source: Source, payload: Mapping[str, Any]) -> Iterator[RawSegment | Rejection | Ignored]:
    """Rows of one slice, in the table's order."""
    with source.open(payload["table"]) as stream:
        stream.seek(payload["offset"])
        data = stream.read(payload["bytes"])
    for line in decode_lines(data):
        placed = TextLine(payload["first_line"] + line.number - 1, line.text, line.problem)
        if line.text is None:
            yield recordings.bad_line(payload["table"], placed, "encoding", line.problem)
        elif line.text.strip():
            yield _item(payload, placed)


def _columns(source: Source, path: str) -> tuple[list[str], list[str]]:
    """The names of the columns, and what is to be said of them."""
    head = lines_of.header(source, path)
    columns = (head.text or "").split("\t") if head else []
    missing = [name for name in _NEEDED if name not in columns]
    if missing:
        raise SourceError(
            f"{path} has no column {' and '.join(missing)}; it has {', '.join(columns) or 'none'}: another release's form?"
        )
    unknown = [name for name in columns if name not in _COLUMNS]
    said = f"{PurePosixPath(path).name}: columns that are not known and are passed over: {', '.join(unknown)}"
    return columns, [said] if unknown else []


def _chunks(rows: list[tuple[TextLine, int, int]]) -> Iterator[list[tuple[TextLine, int, int]]]:
    waiting = iter(rows)
    while chunk := [*islice(waiting, _SLICE_ROWS)]:
        yield chunk


def _cells(columns: list[str], line: TextLine) -> dict[str, str]:
    """The row by column name; empty cells at its end may be missing.

    Raises:
        ValueError: more cells than columns, or a duration, a number of votes that is none: a shifted row.
    """
    cells = (line.text or "").split("\t")
    needed = max(columns.index(name) for name in _NEEDED)
    if not needed < len(cells) <= len(columns):
        raise ValueError(f"{len(cells)} cells under {len(columns)} column names")
    row = dict.fromkeys(columns, "") | dict(zip(columns, cells, strict=False))
    for name in ("duration_ms", "votes"):
        if not re.fullmatch(r"-?\d*(?:\.\d+)?", row.get(name, "").strip()):
            raise ValueError(f"{name} is {row[name]!r}, not a number: the row's cells are shifted")
    return row


def _splits_of_speakers(columns: list[str], lines: list[TextLine]) -> dict[str, str]:
    """The strictest split of every speaker who is in one: test before dev before train."""
    found: dict[str, str] = {}
    for line in lines:
        try:
            row = _cells(columns, line)
        except ValueError:
            continue
        split, speaker = row["split"].strip(), row["client_id"]
        if speaker and split in _SPLITS:
            found[speaker] = min(split, found.get(speaker, split), key=_SPLITS.index)
    return found


def _unit(
    source: Source,
    shared: Mapping[str, Any],
    rows: list[tuple[TextLine, int, int]],
    known: tuple[Mapping[str, str], Mapping[str, str]],
) -> WorkUnit:
    splits, clips = known
    speakers: dict[str, str] = {}
    sounds: dict[str, str] = {}
    for line, _, _ in rows:
        try:
            row = _cells(shared["columns"], line)
        except ValueError:
            continue
        if row["client_id"] in splits:
            speakers[row["client_id"]] = splits[row["client_id"]]
        if row["audio_file"] in clips and row["split"].strip() in _SPLITS:
            sounds[row["audio_file"]] = clips[row["audio_file"]]
    (begin, offset, _), (_, last, length) = rows[0], rows[-1]
    place = {"offset": offset, "bytes": last + length - offset, "first_line": begin.number}
    payload = {**shared, **place, "speakers": speakers, "sounds": sounds}
    members = sorted(set(sounds.values()))
    cost = float(sum(source.member(name).size for name in members))
    return WorkUnit(f"{_KIND}-{begin.number:08d}", payload, cost, (shared["table"], *members))


def _item(payload: Mapping[str, Any], line: TextLine) -> RawSegment | Rejection | Ignored:
    path = payload["table"]
    try:
        row = _cells(payload["columns"], line)
    except ValueError as error:
        return recordings.bad_line(path, line, "shifted_columns", str(error))
    clip, text, split = row["audio_file"], row["transcription"].strip(), row["split"].strip()
    speaker = f"cv-{hashlib.sha256(row['client_id'].encode()).hexdigest()[:16]}"

    def refuse(check: str, reason: str) -> Rejection:
        stem = clip.removesuffix(".mp3")
        return Rejection(path, check, reason, stem, line.number, text_raw=text, speaker_id=speaker)

    problem = unsafe_name(clip)
    if problem or "/" in clip:
        return refuse("unsafe_path", f"audio_file {clip!r}: {problem or 'it names a folder'}")
    if split not in _SPLITS:
        return _unassigned(payload, refuse, (split, text, row.get("votes", "")))
    strictest = payload["speakers"].get(row["client_id"], split)
    if strictest != split:
        return refuse("speaker_leak", f"other recordings of the speaker are in {strictest}")
    if clip not in payload["sounds"]:
        return refuse("audio_missing", f"{clip} is not in the source: was the download cut short?")
    stated_ms = row.get("duration_ms", "").strip()
    return RawSegment(
        utterance_id=clip.removesuffix(".mp3"),
        recording_id=clip.removesuffix(".mp3"),
        speaker_id=speaker,
        text_raw=text,
        style="common_voice",
        audio=AudioRef(payload["sounds"][clip], stated_s=float(stated_ms) / 1000 if stated_ms else None),
        source_path=path,
        line=line.number,
        split=split,
        subset=_KIND,
        gender=facts.gender_of(row.get("gender", "")),
        language=payload["language"],
        licence=payload["licence"],
        flags=_flags(row),
        first_seen=payload["release"],
    )


def _unassigned(payload: Mapping[str, Any], refuse: Any, told: tuple[str, str, str]) -> Rejection | Ignored:
    split, text, votes = told
    if split != "unassigned":
        found: Rejection = refuse(
            "bad_line", f"split is {split!r}; known are train, dev, test and unassigned"
        )
        return found
    if not text:
        return Ignored(payload["table"], "nobody has transcribed it yet")
    if not payload["unaccepted"]:
        return Ignored(
            payload["table"], "its transcription waits to be reviewed (option unaccepted names each)"
        )
    refused: Rejection = refuse(
        "not_validated", f"its transcription waits to be reviewed: {votes or 'no'} votes"
    )
    return refused


def _flags(row: Mapping[str, str]) -> tuple[str, ...]:
    tags = [tag.strip().replace("-", "_") for tag in row.get("quality_tags", "").split("|")]
    unknown = () if row["client_id"].strip() else ("speaker_unknown",)
    return (*unknown, *(tag for tag in tags if re.fullmatch(r"\w+", tag)))


def _release(path: str, label: str) -> str | None:
    match = _RELEASE.search(path) or _RELEASE.search(label)
    return match[0].replace("-delta", "") if match else None


def _reported(source: Source) -> Iterator[Ignored]:
    """Recordings that listeners reported: they stand in a table of their own and in no split."""
    for path in source.names_matching(_REPORTED):
        count = sum(1 for _ in lines_of.rows_of(source, path))
        if count:
            yield Ignored(path, "reported by listeners", count)
