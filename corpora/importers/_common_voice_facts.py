"""What stands beside Common Voice's tables: reports, durations, release counts; and the words of its columns.

    reported.tsv (5+)   times.txt (14–16.0), clip_durations.tsv (16.1+)   cv-corpus-….json (counts by bucket)

All of it is optional and none of it decides alone: a report becomes a flag, a duration is compared with the
decoded one, counts become remarks. Column meanings: cv-dataset's README and the release tables.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath

from corpora.sources.source import Source

GENDERS = {
    "male": "m",
    "male_masculine": "m",
    "female": "f",
    "female_feminine": "f",
    "other": "x",
    "transgender": "x",
    "non-binary": "x",
    "intersex": "x",
}
AGES = {  # decade a speaker says to be in; the releases really write "fourties"
    "teens": 10,
    "twenties": 20,
    "thirties": 30,
    "fourties": 40,
    "forties": 40,
    "fifties": 50,
    "sixties": 60,
    "seventies": 70,
    "eighties": 80,
    "nineties": 90,
}
_DURATIONS = re.compile(r"(?:^|/)(?:clip_durations\.tsv|times\.txt)$")
_REPORTED = re.compile(r"(?:^|/)reported\.tsv$")
_RELEASE_JSON = re.compile(r"(?:^|/)cv-corpus[^/]*\.json$")
_RELEASE = re.compile(r"cv-corpus-(?P<version>\d+\.\d+(?:-delta)?(?:-singleword)?)[^/]*")
# Rows by table, from the counts the releases publish: English 6.1 and 25.0.
_KNOWN_COUNTS: dict[tuple[str, str], dict[str, int]] = {
    ("6.1", "en"): {"train": 564337, "dev": 16164, "test": 16164, "validated": 1224864},
    ("25.0", "en"): {"train": 1147812, "dev": 16403, "test": 16403, "validated": 1881067},
}


def gender_of(cell: str) -> str | None:
    """f, m, x, or None where nothing (or `do_not_wish_to_say`) is said."""
    return GENDERS.get(cell.strip().lower())


def decade_of(cell: str) -> int | None:
    """10 for `teens`, 40 for `fourties` and `forties`; None where nothing is said."""
    return AGES.get(cell.strip().lower())


def ages_remark(decades: Counter[int]) -> list[str]:
    """How many rows come from speakers of which age, as one remark; nothing where no age is stated."""
    stated = ", ".join(f"{decade}s {count}" for decade, count in sorted(decades.items()))
    return [f"rows by stated age of the speaker: {stated}"] if decades else []


def durations_s(source: Source) -> dict[str, float]:
    """Clip → seconds, where the release states them in milliseconds; lines of another form are passed over."""
    found: dict[str, float] = {}
    for path in source.names_matching(_DURATIONS):
        for line in source.text_lines(path):
            cells = re.split(r"\t|\s+", (line.text or "").strip())
            if len(cells) == 2 and re.fullmatch(r"\d+(\.\d+)?", cells[1]):
                found[PurePosixPath(cells[0]).name] = float(cells[1]) / 1000.0
    return found


def reported_sentences(source: Source) -> set[str]:
    """Sentences and sentence ids that listeners have reported."""
    found: set[str] = set()
    for path in source.names_matching(_REPORTED):
        lines = source.text_lines(path)
        head = next(iter(lines), None)
        columns = (head.text or "").split("\t") if head else []
        wanted = [at for at, name in enumerate(columns) if name in ("sentence_id", "sentence")]
        for line in list(source.text_lines(path))[1:]:
            cells = (line.text or "").split("\t")
            found.update(cells[at] for at in wanted if at < len(cells) and cells[at])
    return found


def is_delta(source: Source) -> bool:
    """Whether this is a delta release: only what was added since the release before, without splits."""
    names = (source.label, *(member.name for member in source.members()[:1]))
    return any("-delta-" in name for name in names)


def count_remarks(source: Source, language: str, rows: Mapping[str, int]) -> list[str]:
    """Rows found against rows the release states, per table, from its JSON or from the counts known here."""
    stated = _stated(source, language)
    remarks = []
    for table in sorted(rows.keys() & stated.keys()):
        verdict = "as stated" if rows[table] == stated[table] else f"the release states {stated[table]}"
        remarks.append(f"{table}.tsv has {rows[table]} rows: {verdict}")
    return remarks


def _stated(source: Source, language: str) -> dict[str, int]:
    for path in source.names_matching(_RELEASE_JSON):
        try:
            buckets = json.loads(source.read_bytes(path))["locales"][language]["buckets"]
            return {str(name): int(count) for name, count in buckets.items()}
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            continue
    release = _release_of(source.label, (member.name for member in source.members()[:1]))
    return _KNOWN_COUNTS.get((release, language), {})


def _release_of(label: str, names: Iterable[str]) -> str:
    for name in (label, *names):
        match = _RELEASE.search(name)
        if match:
            return match["version"]
    return ""
