"""Common Voice's `invalidated.tsv` and `other.tsv`: clips that listeners refused or have not decided on.

With the option `unaccepted` every row becomes a rejection that tells its votes; its sound is never opened.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from typing import Any

from corpora.importer import Ignored, RawSegment, Rejection, WorkUnit
from corpora.importers import _calls as recordings
from corpora.importers._common_voice_releases import Merged
from corpora.importers._common_voice_tables import clip_name
from corpora.options import SWITCH, Option
from corpora.sources.source import Source

OPTION = Option(
    "unaccepted", "count invalidated.tsv and other.tsv too, as rejections with their votes", SWITCH
)
_TABLE = re.compile(r"(?:^|/)(invalidated|other)\.tsv$")
_CHECKS = {"invalidated": "voted_down", "other": "not_validated"}
_KIND = "unaccepted"


def units(source: Source, merged: Merged) -> list[WorkUnit]:
    """One work unit for each table of the releases that rows are taken from; clips validated later are named."""
    found = []
    places = {release.folder: release for release in (merged.base, *merged.deltas)}
    for path in source.names_matching(_TABLE):
        release = places.get(path.rpartition("/")[0])
        if release is not None or not merged.several:
            later = merged.accepted_later(release) if release is not None else []
            payload = {"kind": _KIND, "table": path, "accepted_later": later}
            found.append(WorkUnit(f"{_KIND}-{path}", payload, float(source.member(path).size), (path,)))
    return found


def is_ours(payload: Mapping[str, Any]) -> bool:
    """Whether a unit is one of `units`."""
    return payload.get("kind") == _KIND


def read(source: Source, payload: Mapping[str, Any]) -> Iterator[RawSegment | Rejection | Ignored]:
    """Every row as its rejection, in the table's order."""
    path = payload["table"]
    bucket = path.rpartition("/")[2].removesuffix(".tsv")
    columns: list[str] = []
    later = {*payload["accepted_later"]}
    for line in source.text_lines(path):
        if line.text is None:
            yield recordings.bad_line(path, line, "encoding", line.problem)
        elif not columns:
            columns = line.text.split("\t")
        elif line.text.strip():
            row = dict(zip(columns, line.text.split("\t"), strict=False))
            if not {"path", "sentence", "up_votes", "down_votes"} <= row.keys():
                yield recordings.bad_line(
                    path, line, "shifted_columns", f"{len(row)} cells, no votes among them"
                )
                continue
            if clip_name(row["path"]) in later:
                yield Ignored(path, "validated by a later delta")
                continue
            votes = f"{row['up_votes']} listeners said yes, {row['down_votes']} no"
            speaker = hashlib.sha256(row.get("client_id", "").encode()).hexdigest()[:16]
            yield Rejection(
                path,
                _CHECKS[bucket],
                f"in {bucket}.tsv: {votes}",
                row["path"].removesuffix(".mp3"),
                line.number,
                text_raw=row["sentence"],
                speaker_id=f"cv-{speaker}",
            )
