"""Which release of TED-LIUM a source is, which of its files count, and the publisher's figures.

    {train,dev,test}/{sph,stm}/<talk>.{sph,stm}          releases 1 and 2
    legacy/{train,dev,test}/{sph,stm}/<talk>.{sph,stm}   release 3, whose data/ holds all talks without a split

Releases are never mixed: their segments of the same talk belong to different recordings.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from corpora.errors import SourceError
from corpora.importer import Ignored
from corpora.importers import _calls as recordings
from corpora.sources.source import Source

SPLITS = ("train", "dev", "test")
_AUDIO = re.compile(r"(?i)(?:^|/)[^/]+\.sph$")
_TEXT = re.compile(r"(?i)(?:^|/)[^/]+\.stm$")
_ROOT = re.compile(r"(?i)(?:^|/)[^/]*TEDLIUM_release[-_]?([123])(?:\.(?:tar\.gz|tgz|tar)!)?(?=/|$)")
# Talks, utterances and hours as published or as the well-known recipes count them. Dev and test are the same
# eight and eleven talks in all releases; 1155 to 1157 scored test utterances are found, by the tool's reading.
_HELD_OUT = {"dev": {"recordings": 8, "utterances": 507, "hours": 1.60}}
_HELD_OUT |= {"test": {"recordings": 11, "utterances": 1155, "hours": 2.62}}
EXPECTED: dict[str, dict[str, dict[str, float]]] = {
    "1": {"train": {"recordings": 774, "utterances": 56_803, "hours": 118.0}, **_HELD_OUT},
    "2": {"train": {"recordings": 1495, "utterances": 92_973, "hours": 206.8}, **_HELD_OUT},
    "3": {"train": {"recordings": 2351, "utterances": 268_263, "hours": 452.0}, **_HELD_OUT},
}


@dataclass
class Talks:
    """STM and SPHERE files by `<split>/<talk>` ("" for no split), and what was refused or passed over."""

    texts: dict[str, str] = field(default_factory=dict)
    audio: dict[str, str] = field(default_factory=dict)
    found: list[recordings.Found] = field(default_factory=list)


def release_of(source: Source, wanted: str) -> str:
    """ "1", "2", "3" or "" where the tree does not tell; `wanted` other than "auto" wins.

    Raises:
        SourceError: several releases at once and none was wanted.
    """
    if wanted != "auto":
        return wanted
    names = [member.name for member in source.members()]
    roots = {match.group(1) for text in [*names, source.label] if (match := _ROOT.search(text))}
    if len(roots) > 1:
        listed = " and ".join(sorted(roots))
        raise SourceError(
            f"{source.label} holds releases {listed} of TED-LIUM: their recordings of one talk differ; name "
            "one of them, or choose with --release"
        )
    if roots:
        return roots.pop()
    if any(_inside(name, "legacy") or _is_whole(name) for name in names):
        return "3"
    if any(PurePosixPath(name).name.lower() == "tedlium.150k.dic" for name in names):
        return "1"
    if any(PurePosixPath(name).name.lower() == "tedlium.152k.dic" for name in names):
        return "2"
    return ""


def _parents(name: str) -> list[str]:
    return [part.lower() for part in PurePosixPath(name.replace("!", "/")).parts[:-1]]


def _inside(name: str, folder: str) -> bool:
    return folder in _parents(name)


def _is_whole(name: str) -> bool:
    """A file of release 3's data/: all talks, no split."""
    return bool(_AUDIO.search(name) or _TEXT.search(name)) and _parents(name)[-2:-1] == ["data"]


def split_of(name: str) -> str:
    """The nearest directory named like a split, or "" where there is none."""
    return next((part for part in reversed(_parents(name)) if part in SPLITS), "")


def find_talks(source: Source, release: str) -> Talks:
    """Files of the release that count: those in a split; where no file is in one, all of them.

    Raises:
        SourceError: release 3's data/ would be trained on beside a test set cut out of it.
    """
    talks = Talks()
    for pattern, files in ((_TEXT, talks.texts), (_AUDIO, talks.audio)):
        candidates: dict[str, list[str]] = {}
        passed: list[Ignored] = []
        names = [name for name in source.names_matching(pattern) if _of_release(name, release)]
        in_split = [name for name in names if _has_split(name, release)]
        for name in names:
            if in_split and name not in in_split:
                passed.append(Ignored(name, "outside train, dev and test"))
            else:
                split = split_of(name) if in_split else ""
                candidates.setdefault(f"{split}/{PurePosixPath(name).stem}", []).append(name)
        found = recordings.without_copies(source, candidates)
        found.ignored += passed
        files.update(found.files)
        talks.found.append(found)
    _refuse_leak(source, talks, release)
    return talks


def _of_release(name: str, release: str) -> bool:
    """Whether a file may be of the release: not below another release's root."""
    match = _ROOT.search(name)
    return match is None or not release or match.group(1) == release


def _has_split(name: str, release: str) -> bool:
    return bool(split_of(name)) and (release != "3" or _inside(name, "legacy"))


def _refuse_leak(source: Source, talks: Talks, release: str) -> None:
    whole = any(_is_whole(member.name) for member in source.members())
    splits = {key.partition("/")[0] for key in talks.texts}
    if release == "3" and whole and "train" not in splits and splits & {"dev", "test"}:
        raise SourceError(
            f"leakage: {source.label} holds release 3's data/ and legacy/{{dev,test}} but no legacy/train; "
            "data/ also holds the talks of dev and test, so training on it would be training on the test. Give "
            "the whole legacy/, or data/ alone (then a new split is made)"
        )
