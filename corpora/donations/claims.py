"""What a file of a donation claims of a recording: its text, compared with what others claim."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from corpora.donations.description import Donation
from corpora.donations.licences import widens
from corpora.donations.pairing import inner
from corpora.formats import Format
from corpora.formats.columns import split_named
from corpora.formats.cues import Cue, Transcript

_PART = re.compile(r"(train|dev|valid|test|eval)(?:[_-].*)?", re.I)


@dataclass(frozen=True)
class Claim:
    """A text that one file has for one recording; `transcript` None where it was not read yet."""

    path: str
    entry: Format
    transcript: Transcript | None = None

    @property
    def whole(self) -> tuple[Cue, ...]:
        """Its cues without times."""
        return tuple(cue for cue in self.cues if cue.start_s is None)

    @property
    def cues(self) -> tuple[Cue, ...]:
        return self.transcript.cues if self.transcript is not None else ()


def words_of(cues: Iterable[Cue]) -> str:
    """What cues say, in order of time, without case and signs."""
    order = sorted(cues, key=lambda cue: cue.start_s or 0.0)
    return " ".join(re.findall(r"\w+", " ".join(cue.text for cue in order).casefold()))


def believed_row(donation: Donation, row: dict[str, Any], guessed: bool) -> dict[str, Any]:
    """A row's own licence may narrow rights; one that gives more than the donation is not believed."""
    known = donation.licence
    if row.get("licence") and (not known or widens(row["licence"], known)):
        row |= {"licence": None, "flags": [*row["flags"], "licence_claim_dropped"]}
    return row | {"flags": [*row["flags"], *(["encoding_guessed"] if guessed else [])]}


def names_recording(cue: Cue, recording: str) -> bool:
    """Whether a row that cannot be used speaks of a recording, by its column or anywhere in its text."""
    stem = PurePosixPath(inner(recording)).stem
    return PurePosixPath(cue.recording).stem == stem if cue.recording else stem in cue.text


def part_of(folder: str) -> str | None:
    """train, dev or test, where a folder of Kaldi's is called so."""
    match = _PART.fullmatch(PurePosixPath(folder).name)
    return split_named(match[1]) if match else None


def several(recording: str, claims: Sequence[Claim]) -> str:
    """Why none of several texts without times is taken, with the columns that were not understood."""
    texts = sum(len(claim.whole) for claim in claims)
    files = ", ".join(dict.fromkeys(inner(claim.path) for claim in claims))
    unknown = sorted({name for claim in claims if claim.transcript for name in claim.transcript.unknown})
    timed = sum(len(claim.cues) for claim in claims) - texts
    told = f" beside {timed} with times" if timed else "" if texts > 1 else " beside rows that cannot be read"
    columns = f"; columns that were not understood: {', '.join(unknown)}" if unknown else ""
    advice = "name the columns of their times `start` and `end` (seconds), or say them in [table]"
    return f"{inner(recording)} has {texts} texts without times{told} in {files}: which is said when?{columns}; {advice}"
