"""How donated sound and text find each other: an index of recordings, and one function per rule.

The rules are those of donation.toml: text in the names of files, a Sphinx transcription, a table. Every text
without a sound is refused here, before any audio is opened. Subtitle files are paired in donated.py.
"""

from __future__ import annotations

import csv
import fnmatch
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from corpora.donation import Donation, Table
from corpora.errors import SourceError
from corpora.importer import Rejection
from corpora.sources import Source, TextLine

AUDIO = re.compile(
    r"\.(wav|wave|bwf|flac|mp3|ogg|oga|opus|sph|aif|aiff|au|snd|m4a|aac|wma|amr|mp4|mkv|mov|webm|ts)$", re.I
)
_SPHINX = re.compile(r"^(?P<text>.*?)\s*\((?P<id>[^()\s]+)\)\s*$")
_FILLER = re.compile(r"\+\+(\w+)\+\+")


def inner(name: str) -> str:
    """A member's name without the archive in front."""
    return name.rpartition("!/")[2]


def excluded(name: str, globs: tuple[str, ...]) -> bool:
    return any(
        fnmatch.fnmatch(name, glob) or fnmatch.fnmatch(PurePosixPath(name).name, glob) for glob in globs
    )


@dataclass
class AudioIndex:
    """Sound files by path without suffix; remembers which of them found their text."""

    names: list[str]
    used: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._by_path: dict[str, list[str]] = {}
        self._by_stem: dict[str, list[str]] = {}
        for name in self.names:
            bare = str(PurePosixPath(name).with_suffix(""))
            self._by_path.setdefault(bare, []).append(name)
            self._by_stem.setdefault(PurePosixPath(bare).name, []).append(name)

    def find(self, folder: str, path: str) -> list[str]:
        """Candidates for a path as a donor wrote it: beside, then by its end, then by stem."""
        relative = PurePosixPath(path.replace("\\", "/"))
        bare = relative.with_suffix("") if AUDIO.search(relative.name) else relative
        exact = self._by_path.get(str(PurePosixPath(folder) / bare), [])
        if exact:
            return exact
        candidates = self._by_stem.get(bare.name, [])
        tail = [c for c in candidates if f"/{PurePosixPath(c).with_suffix('')}".endswith(f"/{bare}")]
        return tail or candidates

    def identity(self, name: str) -> str:
        """The stem where it is the only one, else the path: an utterance id."""
        stem = PurePosixPath(name).stem
        if len(self._by_stem.get(stem, [])) == 1:
            return stem
        return inner(str(PurePosixPath(name).with_suffix(""))).replace("/", "~")


@dataclass
class Found:
    """What a scan collects: rows ready to be units, recordings with cues, and refusals."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    recordings: list[dict[str, Any]] = field(default_factory=list)
    rejections: list[Rejection] = field(default_factory=list)
    used: set[str] = field(default_factory=set)


# --- text in the names of files ---------------------------------------------------------------------------


def scan_file_names(source: Source, donation: Donation, audio: AudioIndex, found: Found) -> None:
    rule = donation.file_name
    if rule is None:
        return
    pattern = re.compile(rule.pattern)
    for name in audio.names:
        audio.used.add(name)
        match = pattern.search(inner(name))
        groups = match.groupdict() if match else {}
        said = groups.get("text")
        text = rule.words.get(said or "") if rule.words else (said or "").replace("_", " ")
        if match is None:
            found.rejections.append(
                Rejection(name, "name_unmatched", f"the name does not match {rule.pattern}")
            )
        elif not text:
            reason = f"{said!r} is not in the word map of {donation.origin}"
            found.rejections.append(
                Rejection(name, "word_unmapped", reason, audio.identity(name), text_raw=said)
            )
        else:
            row = {"id": audio.identity(name), "audio": name, "text": text, "path": name}
            found.rows.append(row | {"speaker": groups.get("speaker"), "gender": groups.get("gender")})


# --- Sphinx ----------------------------------------------------------------------------------------------


def scan_sphinx(source: Source, donation: Donation, audio: AudioIndex, found: Found) -> None:
    rule = donation.sphinx
    if rule is None:
        return
    files = _matching(source, rule.transcription, donation, "transcription")
    found.used.update(files)
    speaker = re.compile(rule.speaker) if rule.speaker else None
    for path in files:
        for line in source.text_lines(path, donation.encoding):
            match = _SPHINX.match(line.text or "")
            if match is None:
                if line.text is None or line.text.strip():
                    check = "encoding" if line.text is None else "bad_line"
                    reason = line.problem or "wanted: TEXT (id)"
                    found.rejections.append(
                        Rejection(path, check, reason, line=line.number, text_raw=line.text)
                    )
                continue
            text = _FILLER.sub(r"[\1]", match["text"])
            row = _paired(audio, found, (path, line.number), match["id"], text)
            if row is not None:
                who = speaker.search(inner(row["audio"])) if speaker else None
                groups = who.groupdict() if who else {}
                found.rows.append(row | {"speaker": groups.get("speaker"), "gender": groups.get("gender")})


def _paired(
    audio: AudioIndex, found: Found, place: tuple[str, int], wanted: str, text: str
) -> dict[str, Any] | None:
    """The row of a text and its sound, or None and a rejection that says what is missing."""
    path, line = place
    candidates = audio.find(str(PurePosixPath(path).parent), wanted)
    problem = None
    if not candidates:
        problem = ("audio_missing", f"no recording {wanted} in the archive")
    elif len(candidates) > 1:
        problem = ("audio_ambiguous", f"{wanted} may be any of {', '.join(map(inner, candidates[:4]))}")
    elif candidates[0] in audio.used:
        problem = ("duplicate_id", f"{wanted} has a text already")
    if problem is not None:
        found.rejections.append(
            Rejection(path, *problem, utterance_id=PurePosixPath(wanted).stem, line=line, text_raw=text)
        )
        return None
    audio.used.add(candidates[0])
    return {
        "id": audio.identity(candidates[0]),
        "audio": candidates[0],
        "text": text,
        "path": path,
        "line": line,
    }


def _matching(source: Source, glob: str, donation: Donation, what: str) -> list[str]:
    names = [m.name for m in source.members() if excluded(inner(m.name), (glob,))]
    if not names:
        raise SourceError(f"{source.label} holds no {what} {glob!r}, which {donation.origin} names")
    return names


# --- tables ----------------------------------------------------------------------------------------------


def scan_table(source: Source, donation: Donation, audio: AudioIndex, found: Found) -> None:
    rule = donation.table
    if rule is None:
        return
    for path in _matching(source, rule.file, donation, "table"):
        found.used.add(path)
        for number, row, problem in _rows(source.text_lines(path, donation.encoding), rule, donation):
            if problem:
                check = "encoding" if row is None else "bad_line"
                raw = None if row is None else str(row.get("_line"))
                found.rejections.append(Rejection(path, check, problem, line=number, text_raw=raw))
                continue
            cells = row or {}
            pair = _paired(audio, found, (path, number), rule.audio.format_map(cells), cells[rule.text])
            if pair is not None:
                who = {"speaker": cells.get(rule.speaker), "gender": cells.get(rule.gender)}
                found.rows.append(pair | who)


def _rows(
    lines: Iterator[TextLine], rule: Table, donation: Donation
) -> Iterator[tuple[int, dict[str, str] | None, str]]:
    """(line, cells by column, problem): a line that does not fit costs only itself."""
    delimiter = {"tab": "\t", "\\t": "\t"}.get(rule.delimiter, rule.delimiter)
    columns = list(rule.columns)
    for line in lines:
        if line.text is None:
            yield line.number, None, line.problem
            continue
        if not line.text.strip():
            continue
        cells = _cells(line.text, delimiter, rule.quoted)
        if not columns:
            columns = [cell.strip() for cell in cells]
            _check_columns(columns, rule, donation)
        elif len(cells) != len(columns):
            reason = f"{len(cells)} columns, {len(columns)} wanted ({', '.join(columns)})"
            yield line.number, {"_line": line.text}, reason
        else:
            yield line.number, dict(zip(columns, cells, strict=True)), ""
    _check_columns(columns, rule, donation)


def _cells(text: str, delimiter: str, quoted: bool) -> list[str]:
    return next(csv.reader([text], delimiter=delimiter)) if quoted else text.split(delimiter)


def _check_columns(columns: list[str], rule: Table, donation: Donation) -> None:
    wanted = {rule.text, rule.speaker, rule.gender, *re.findall(r"\{(\w+)\}", rule.audio)} - {""}
    missing = sorted(wanted - set(columns))
    if missing:
        raise SourceError(
            f"{donation.origin}: no column {missing[0]!r} in the table; it has {', '.join(columns)}"
        )
