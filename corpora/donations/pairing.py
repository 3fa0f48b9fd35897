"""How donated sound and text find each other: an index of recordings and the order of the rules.

A transcript belongs to the recording of its name beside it, then in a sibling tree (`text/` and `audio/`), then
to that without language and version in its name (`.en`, `_final`, `-v2`), then to the one it names itself.
Names are compared in NFC. What may belong to several is refused with the candidates.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import unquote

from corpora.importer import Ignored, Rejection
from corpora.sources.names import SOUND

LANGUAGE = re.compile(r"[._-]([a-z]{2}(?:-[A-Za-z]{2,4})?)$")
_VERSION = re.compile(
    r"[._ -](?:final|verbatim|corrected|corr|transcript|labels?(?: track)?|v\d+|\(\d+\))$", re.I
)


def inner(name: str) -> str:
    """A member's name without the archive in front."""
    return name.rpartition("!/")[2]


def bare_stems(stem: str) -> list[str]:
    """The stem, and what is left of it without version and language, longest first."""
    found = [stem]
    while True:
        shorter = _VERSION.sub("", found[-1])
        shorter = shorter if shorter != found[-1] else LANGUAGE.sub("", found[-1])
        if shorter == found[-1] or not shorter:
            return found
        found.append(shorter)


def language_of(stem: str) -> str | None:
    """The language in a stem (`talk.cy`, `talk_final.en`), lower case, or None."""
    for part in bare_stems(stem):
        match = LANGUAGE.search(part)
        if match:
            return match[1].lower()
    return None


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
            if (
                not SOUND.search(name) and bare != name
            ):  # found by its content: what stands behind a dot may be name
                self._by_path.setdefault(name, []).append(name)
                self._by_stem.setdefault(PurePosixPath(name).name, []).append(name)
            self._by_stem.setdefault(PurePosixPath(bare).name, []).append(name)
        self._folded: dict[str, list[str]] = {}
        for stem, names in self._by_stem.items():
            self._folded.setdefault(stem.casefold(), []).extend(names)

    def find(self, folder: str, path: str) -> list[str]:
        """Candidates for a path as a donor wrote it: that very file, beside, by its end, by its stem.

        Where there is none, `%20` is read as a blank, then upper and lower case are one.
        """
        found = self._as_written(folder, path)
        if not found and "%" in path:
            found = self._as_written(folder, unquote(path))
        if not found:
            name = PurePosixPath(unicodedata.normalize("NFC", unquote(path)).replace("\\", "/"))
            bare = name.with_suffix("") if SOUND.search(name.name) else name
            candidates = self._folded.get(bare.name.casefold(), [])
            tail = f"/{bare}".casefold()
            near = [c for c in candidates if f"/{PurePosixPath(c).with_suffix('')}".casefold().endswith(tail)]
            found = near or candidates
        return found

    def _as_written(self, folder: str, path: str) -> list[str]:
        relative = PurePosixPath(unicodedata.normalize("NFC", path).replace("\\", "/"))
        bare = relative.with_suffix("") if SOUND.search(relative.name) else relative
        exact = self._by_path.get(str(PurePosixPath(folder) / bare), [])
        if exact:
            return [n for n in exact if PurePosixPath(n).name == relative.name] or exact
        candidates = self._by_stem.get(bare.name, [])
        tail = [c for c in candidates if f"/{PurePosixPath(c).with_suffix('')}".endswith(f"/{bare}")]
        return tail or candidates

    def for_transcript(self, path: str, media: Sequence[str]) -> list[str]:
        """Candidates for a transcript file by the rules of this module, in their order."""
        here = PurePosixPath(path)
        stem = PurePosixPath(inner(path)).stem
        for bare in bare_stems(stem):
            found = self._by_path.get(str(here.parent / bare), [])
            found = found or self._siblings(here, bare)
            if found:
                return found
        for name in media:
            found = self.find(str(here.parent), name)
            if found:
                return found
        return self._folded.get(bare_stems(stem)[-1].casefold(), [])

    def _siblings(self, transcript: PurePosixPath, stem: str) -> list[str]:
        """Recordings of the stem elsewhere: where one folder of the path differs, else anywhere."""
        candidates = self._by_stem.get(stem, [])
        folders = transcript.parent.parts
        near = []
        for name in candidates:
            other = PurePosixPath(name).parent.parts
            if len(other) == len(folders) and sum(a != b for a, b in zip(folders, other, strict=True)) == 1:
                near.append(name)
        return near or candidates

    def identity(self, name: str) -> str:
        """The stem where it is the only one, else the path: an utterance id."""
        stem = PurePosixPath(name).stem
        if len(self._by_stem.get(stem, [])) == 1:
            return stem
        return inner(str(PurePosixPath(name).with_suffix(""))).replace("/", "~")


@dataclass
class Found:
    """What a scan collects: rows ready to be units, recordings with their transcript, and refusals."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    recordings: list[dict[str, Any]] = field(default_factory=list)
    rejections: list[Rejection] = field(default_factory=list)
    ignored: list[Ignored] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    used: set[str] = field(default_factory=set)


def pairing_problem(
    audio: AudioIndex, wanted: str, candidates: list[str], whole: bool
) -> tuple[str, str] | None:
    """(check, reason) where a text does not belong to exactly one recording that is free.

    Args:
        whole: the text is of the whole recording, so that it may have no second one.
    """
    if not candidates:
        return "audio_missing", f"no recording {wanted} in the archive"
    if len(candidates) > 1:
        return "audio_ambiguous", f"{wanted} may be any of {', '.join(map(inner, candidates[:4]))}"
    if whole and candidates[0] in audio.used:
        return "duplicate_id", f"{wanted} has a text already"
    return None
