"""Several releases of Common Voice as one: the newest full one, the deltas after it, and what older ones knew.

    cv-corpus-20.0-2024-12-06/de/…   cv-corpus-21.0-delta-2025-03-14/de/…   cv-corpus-22.0-delta-2025-06-20/de/…

A delta holds what was added since the release before, without train, dev and test. The newest full release gives
splits and rows; deltas after it add to train what leaks neither speaker nor sentence; the last word of a delta on an
older clip holds (`invalidated.tsv`, `other.tsv`). Older releases are read for the names of their clips only: what the
newest full one has no more was withdrawn. Releases are put in their own order, whatever the order they are given in.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import PurePosixPath

from corpora.errors import SourceError
from corpora.importers import _common_voice_tables as tables
from corpora.importers._common_voice_tables import Table, clip_name
from corpora.sources.source import Source

_RELEASE = re.compile(
    r"cv-corpus-(?P<version>\d+(?:\.\d+)?)(?P<delta>-delta)?(?P<words>-singleword)?(?P<date>-\d{4}-\d{2}-\d{2})?"
)
_UNACCEPTED = {"invalidated": "voted_down", "other": "not_validated"}
Verdict = tuple[str, str]  # check and reason


@dataclass(frozen=True)
class Release:
    """The tables of one release in one folder. `name` is the folder's without `-delta`: `cv-corpus-21.0-2025-03-14`."""

    folder: str
    tables: Sequence[Table]
    name: str | None = None
    version: tuple[int, ...] = ()
    delta: bool = False

    @property
    def official(self) -> bool:
        """Whether it has train, dev or test."""
        return any(table.name != "validated" for table in self.tables)


@dataclass
class Merged:
    """What the releases of a source say together.

    Attributes:
        base: the newest full release, or the first delta where there is none.
        deltas: those after it, the newest first, so that their last word on a clip stands.
        older: read for the names of clips only.
    """

    base: Release
    deltas: Sequence[Release] = ()
    older: Sequence[Release] = ()
    _seen: dict[str, str] = field(default_factory=dict)
    _judged: dict[str, tuple[tuple[int, ...], Verdict | None]] = field(default_factory=dict)

    @property
    def several(self) -> bool:
        """Whether there is more than one release."""
        return bool(self.deltas or self.older)

    def first_seen(self, clip: str, release: Release) -> str | None:
        """The first of the given releases that lists the clip; None where releases have no names."""
        return self._seen.get(clip, release.name)

    def later_verdict(self, clip: str, release: Release) -> Verdict | None:
        """Why a clip of `release` must not be used by what a later delta says of it."""
        version, verdict = self._judged.get(clip, ((), None))
        return verdict if version > release.version else None

    def accepted_later(self, release: Release) -> list[str]:
        """Clips that a delta after `release` has validated."""
        return sorted(
            clip
            for clip, (version, verdict) in self._judged.items()
            if verdict is None and version > release.version
        )

    def listen(self, source: Source) -> None:
        """Read which release lists which clip, and what the deltas decided; nothing to do for one release."""
        if not self.several:
            return
        deciding = {release.folder for release in self.deltas}
        for release in [*self.older, self.base, *self.deltas[::-1]]:
            for bucket, path in _buckets(source, release):
                for clip, votes in _listed(source, path):
                    self._seen.setdefault(clip, release.name or "")
                    if release.folder in deciding:
                        verdict = None
                        if bucket in _UNACCEPTED:
                            verdict = (_UNACCEPTED[bucket], f"in {path}: {votes}")
                        self._judged[clip] = (release.version, verdict)


def merged(source: Source) -> Merged:
    """The releases of a source by their age.

    Raises:
        SourceError: no tables; several sets of tables that are not releases of one language; one release twice.
    """
    by_folder = tables.tables_by_folder(source)
    if not by_folder:
        raise SourceError(
            f"{source.label} holds no train, dev, test or validated.tsv, nor cv-valid-train.csv of release 1"
        )
    found = [_release(source, folder, own) for folder, own in sorted(by_folder.items())]
    if len(found) == 1:
        return Merged(found[0])
    languages = {tables.language_of(source, release.tables[0]) for release in found}
    if len(languages) > 1 or any(release.name is None for release in found):
        raise SourceError(
            f"{source.label} holds {len(found)} sets of tables ({', '.join(sorted(by_folder))}): import one language at "
            "a time; releases of one language are merged where their folders keep their names (cv-corpus-21.0-…)"
        )
    found.sort(key=lambda release: (release.version, not release.delta))
    marks = [(release.version, release.delta) for release in found]
    for first, second in pairwise(found):
        if marks.count((first.version, first.delta)) > 1:
            raise SourceError(f"{first.folder} and {second.folder} are the same release: name it once")
    full = [release for release in found if not release.delta]
    base = full[-1] if full else found[0]
    at = found.index(base)
    return Merged(base, found[:at:-1], found[:at])


def _release(source: Source, folder: str, own: Sequence[Table]) -> Release:
    """Which release a folder is, by its own name or that of the source."""
    parts = [*PurePosixPath(folder.replace("!", "/")).parts][::-1]
    match = next((hit for part in [*parts, source.label] if (hit := _RELEASE.search(part))), None)
    if match is None:
        return Release(folder, own)
    name = f"cv-corpus-{match['version']}{match['words'] or ''}{match['date'] or ''}"
    version = tuple(int(number) for number in match["version"].split("."))
    return Release(folder, own, name, version if len(version) > 1 else (*version, 0), bool(match["delta"]))


def remarks(releases: Merged) -> list[str]:
    """What was merged, in one sentence; nothing for one release."""
    if not releases.several:
        return []
    added = [release.name for release in releases.deltas[::-1]]
    said = [
        f"{releases.base.name} is taken whole"
        if not releases.base.delta
        else f"{releases.base.name} (a delta)"
    ]
    said += [f"deltas merged into it: {', '.join(map(str, added))}"] if added else []
    older = ", ".join(str(release.name) for release in releases.older)
    said += [f"read for first_seen only: {older}"] if older else []
    return ["; ".join(said)]


def _buckets(source: Source, release: Release) -> Iterator[tuple[str, str]]:
    """(name, path) of the tables that list clips; decisions against a clip before those for it."""
    for bucket in ("other", "invalidated", "validated", "train", "dev", "test"):
        path = f"{release.folder}/{bucket}.tsv" if release.folder else f"{bucket}.tsv"
        if path in source:
            yield bucket, path


def _listed(source: Source, path: str) -> Iterator[tuple[str, str]]:
    """(clip, votes in words) of every row that can be read."""
    head = tables.header(source, path)
    columns = (head.text or "").split("\t") if head else []
    if "path" not in columns:
        return
    for line, _, _ in tables.rows_of(source, path):
        row: Mapping[str, str] = dict(zip(columns, (line.text or "").split("\t"), strict=False))
        if row.get("path"):
            yes, no = row.get("up_votes", "?"), row.get("down_votes", "?")
            yield clip_name(row["path"]), f"{yes} listeners said yes, {no} no"
