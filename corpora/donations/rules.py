"""The rules a donor writes down in donation.toml: text in the names of files, a Sphinx transcription, a table.

Every text without a sound is refused here, before any audio is opened. Patterns are run by patterns.py.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

from corpora.donations.cue_rows import outcome, refusal
from corpora.donations.cue_rules import CuePolicy
from corpora.donations.description import Donation, Table
from corpora.donations.pairing import AudioIndex, Found, inner, pairing_problem
from corpora.donations.patterns import search_all
from corpora.errors import SourceError
from corpora.formats.columns import unit_of
from corpora.formats.cues import Cue, TranscriptError
from corpora.formats.encodings import decode_text
from corpora.formats.json_rows import json_lines, parsed
from corpora.formats.tables import Row, cells_of, rows_of
from corpora.formats.times import seconds
from corpora.importer import Rejection
from corpora.sources.lines import TextLine
from corpora.sources.source import Source

_SPHINX_ID = re.compile(r"\(([^()\s]+)\)")
_BRACED = re.compile(r"\{([^{}]+)\}")
_FILLER = re.compile(r"\+\+(\w+)\+\+")


def excluded(name: str, globs: tuple[str, ...]) -> bool:
    """Whether a name, or its last part, is one of the globs."""
    return any(
        fnmatch.fnmatch(name, glob) or fnmatch.fnmatch(PurePosixPath(name).name, glob) for glob in globs
    )


def _lines(source: Source, path: str, donation: Donation, found: Found) -> Iterator[TextLine]:
    """Lines of a text file; one that cannot be decoded at all is refused as a whole."""
    try:
        yield from decode_text(source.read_bytes(path), donation.encoding).lines
    except TranscriptError as error:
        found.rejections.append(Rejection(path, error.check, str(error), line=error.line))


# --- text in the names of files ---------------------------------------------------------------------------


def scan_file_names(source: Source, donation: Donation, audio: AudioIndex, found: Found) -> None:
    """Text in the names of the recordings."""
    rule = donation.file_name
    if rule is None:
        return
    matches = search_all(rule.pattern, [inner(name) for name in audio.names])
    for name, match in zip(audio.names, matches, strict=True):
        audio.used.add(name)
        groups = match or {}
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
    """`TEXT (id)` lines."""
    rule = donation.sphinx
    if rule is None:
        return
    files = _matching(source, rule.transcription, donation, "transcription")
    found.used.update(files)
    rows: list[dict[str, Any]] = []
    for path in files:
        for line in _lines(source, path, donation, found):
            said = (line.text or "").strip()
            match = _SPHINX_ID.fullmatch(said, max(0, said.rfind("(")))
            if match is None:
                if line.text is None or line.text.strip():
                    check = "encoding" if line.text is None else "bad_line"
                    reason = line.problem or "wanted: TEXT (id)"
                    found.rejections.append(
                        Rejection(path, check, reason, line=line.number, text_raw=line.text)
                    )
                continue
            text = _FILLER.sub(r"[\1]", said[: match.start()].rstrip())
            row = _paired(audio, found, (path, line.number), match[1], text)
            if row is not None:
                rows.append(row)
    names = [inner(row["audio"]) for row in rows]
    for row, who in zip(
        rows, search_all(rule.speaker, names) if rule.speaker else [None] * len(rows), strict=True
    ):
        found.rows.append(row | {key: (who or {}).get(key) for key in ("speaker", "gender")})


def _paired(
    audio: AudioIndex, found: Found, place: tuple[str, int], wanted: str, text: str
) -> dict[str, Any] | None:
    """The row of a text and its sound, or None and a rejection that says what is missing."""
    path, line = place
    candidates = audio.find(str(PurePosixPath(path).parent), wanted)
    problem = pairing_problem(audio, wanted, candidates, whole=True)
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
    """One utterance per row of a table, or several of a recording where the rule names columns of times."""
    rule = donation.table
    if rule is None:
        return
    timed: dict[str, list[Cue]] = {}
    for path in _matching(source, rule.file, donation, "table"):
        found.used.add(path)
        for cue in _table_cues(path, list(_lines(source, path, donation, found)), donation):
            if cue.problem:
                found.rejections.append(refusal(path, cue, (cue.check, cue.problem)))
                continue
            if cue.start_s is None:
                pair = _paired(audio, found, (path, cue.line or 0), cue.recording, cue.text)
                if pair is not None:
                    found.rows.append(pair | {"speaker": cue.voice, "gender": cue.gender})
                continue
            candidates = audio.find(str(PurePosixPath(path).parent), cue.recording)
            problem = pairing_problem(audio, cue.recording, candidates, whole=False)
            if problem is not None:
                found.rejections.append(refusal(path, cue, problem, PurePosixPath(cue.recording).stem))
            else:
                timed.setdefault(candidates[0], []).append(cue)
        _take_timed(path, timed, donation, (audio, found))
        timed = {}


def _take_timed(
    path: str, timed: dict[str, list[Cue]], donation: Donation, into: tuple[AudioIndex, Found]
) -> None:
    """Rows of the cues of a table, by recording."""
    audio, found = into
    policy = CuePolicy(overlaps=donation.overlaps, stretch=donation.time_stretch)
    for name, cues in timed.items():
        audio.used.add(name)
        for item in outcome(path, (name, audio.identity(name)), cues, policy):
            if isinstance(item, dict):
                found.rows.append(item)
            elif isinstance(item, Rejection):
                found.rejections.append(item)
            else:
                found.ignored.append(item)


def _table_cues(path: str, lines: list[TextLine], donation: Donation) -> Iterator[Cue]:
    """The rows of a table as cues: a row that does not fit costs only itself."""
    rule = donation.table
    if rule is None:
        return
    if path.lower().endswith((".jsonl", ".ndjson", ".json")):
        yield from _json_cues(path, lines, donation, rule)
        return
    delimiter = {"tab": "\t", "\\t": "\t"}.get(rule.delimiter, rule.delimiter)
    columns = list(rule.columns)
    if not columns:
        header = next((line for line in lines if line.text and line.text.strip()), None)
        lines = lines[lines.index(header) + 1 :] if header is not None else []
        said = (header.text or "") if header is not None else ""
        columns = [
            cell.strip()
            for cell in (cells_of(said, delimiter) if rule.quoted else said.split(delimiter)) or []
        ]
    _check_columns(columns, rule, donation)
    for row in (
        rows_of(lines, delimiter, len(columns)) if rule.quoted else _plain_rows(lines, delimiter, columns)
    ):
        if row.problem:
            yield Cue(row.number, None, None, row.text, problem=row.problem, check=row.check)
        else:
            yield _table_cue(row.number, dict(zip(columns, row.cells, strict=True)), rule)


def _plain_rows(lines: list[TextLine], delimiter: str, columns: list[str]) -> Iterator[Row]:
    """Rows whose fields end at the delimiter and nowhere else."""
    for line in lines:
        if line.text is None:
            yield Row(line.number, problem=line.problem, check="encoding")
        elif line.text.strip():
            cells = tuple(line.text.split(delimiter))
            reason = f"{len(cells)} columns, {len(columns)} wanted ({', '.join(columns)})"
            yield Row(line.number, cells, "" if len(cells) == len(columns) else reason, text=line.text)


def _json_cues(path: str, lines: list[TextLine], donation: Donation, rule: Table) -> Iterator[Cue]:
    """Objects of JSON lines, or of one JSON list, as rows."""
    rows = list(json_lines(tuple(lines)))
    if not any(isinstance(row, dict) for _, row in rows):
        try:
            value = parsed("\n".join(line.text or "" for line in lines))
        except ValueError:
            value = None
        rows = list(enumerate(value, 1)) if isinstance(value, list) else rows
    keys = list(dict.fromkeys(str(key) for _, row in rows if isinstance(row, dict) for key in row))
    _check_columns(keys, rule, donation)
    for number, row in rows:
        if isinstance(row, Cue):
            yield row
        elif not isinstance(row, dict):
            yield Cue(number, None, None, str(row)[:200], problem="no JSON object")
        else:
            cells = {
                str(k): str(v) for k, v in row.items() if isinstance(v, str | int | float) and v is not True
            }
            yield _table_cue(number, cells, rule)


def _table_cue(number: int, cells: dict[str, str], rule: Table) -> Cue:
    wanted = {rule.text, rule.start, rule.end, *_BRACED.findall(rule.audio)} - {""}
    missing = sorted(wanted - cells.keys())
    if missing:
        return Cue(number, None, None, cells.get(rule.text, ""), problem=f"no {missing[0]!r} in this row")
    start_s = end_s = None
    if rule.start:
        try:
            start_s, end_s = (round(seconds(cells[c]) * unit_of(c), 6) for c in (rule.start, rule.end))
        except ValueError as error:
            return Cue(number, None, None, cells[rule.text], problem=f"times that cannot be read: {error}")
    name = _BRACED.sub(lambda match: cells[match[1]], rule.audio)
    voice, gender = cells.get(rule.speaker), cells.get(rule.gender)
    return Cue(number, start_s, end_s, cells[rule.text], voice, recording=name, gender=gender).checked()


def _check_columns(columns: list[str], rule: Table, donation: Donation) -> None:
    wanted = {rule.text, rule.speaker, rule.gender, rule.start, rule.end, *_BRACED.findall(rule.audio)} - {""}
    missing = sorted(wanted - set(columns))
    if missing:
        raise SourceError(
            f"{donation.origin}: no column {missing[0]!r} in the table; it has {', '.join(columns)}"
        )
