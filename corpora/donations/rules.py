"""The rules a donor writes down in donation.toml: text in the names of files, a Sphinx transcription, a table.

Every text without a sound is refused here, before any audio is opened. Patterns are run by patterns.py.
"""

from __future__ import annotations

import csv
import fnmatch
import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

from corpora.donations.description import Donation, Table
from corpora.donations.pairing import AudioIndex, Found, inner, pairing_problem
from corpora.donations.patterns import search_all
from corpora.errors import SourceError
from corpora.formats.cues import TranscriptError
from corpora.formats.encodings import decode_text
from corpora.importer import Rejection
from corpora.sources.lines import TextLine
from corpora.sources.source import Source

_SPHINX = re.compile(r"^(?P<text>.*?)\s*\((?P<id>[^()\s]+)\)\s*$")
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
    """One utterance per row of a table."""
    rule = donation.table
    if rule is None:
        return
    for path in _matching(source, rule.file, donation, "table"):
        found.used.add(path)
        for number, row, problem in _rows(_lines(source, path, donation, found), rule, donation):
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
