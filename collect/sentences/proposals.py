"""Sentences come in: typed by volunteers and reviewed by two votes, or as a file by an admin.

Doubles are refused by what is spoken, not by how it is written. Every line of a file is counted: taken, double, or
refused with its reason.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from collect.database.tables import Campaign, Sentence, SentenceVote, Voice
from collect.errors import (
    ConflictError,
    ForbiddenError,
    NotFoundError,
    SettingsError,
    UnusableSentenceError,
)
from collect.people.secret import now_s
from collect.sentences.cleaning import Unusable, Usable, clean

VOTES = 2  # equal votes that decide on a proposal
_EXAMPLES = 20


@dataclass
class Intake:
    """What became of the lines of a file: counts by reason, and the first refused lines with theirs."""

    taken: int = 0
    doubles: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    examples: list[tuple[int, str, str]] = field(default_factory=list)

    def as_json(self) -> dict[str, object]:
        """For the command line and the page."""
        examples = [{"line": line, "text": text, "reason": reason} for line, text, reason in self.examples]
        refused = dict(sorted(self.refused.items()))
        return {"taken": self.taken, "doubles": self.doubles, "refused": refused, "examples": examples}


@dataclass(frozen=True)
class Origin:
    """Where sentences come from: a source that people can look up, and its licence."""

    source: str
    licence: str

    def checked(self) -> Origin:
        """The same without blanks at the ends.

        Raises:
            SettingsError: one of the two is missing or too long.
        """
        source, licence = " ".join(self.source.split()), self.licence.strip()
        if not 0 < len(source) <= 300 or not 0 < len(licence) <= 64:
            raise SettingsError(
                "sentences need a source (a book, a site, your own words) and its licence, e.g. CC0-1.0"
            )
        return Origin(source, licence)


def take_in(session: Session, campaign: Campaign, lines: Iterable[str], origin: Origin) -> Intake:
    """Sentences of a file, one a line, for reading at once; the admin answers for them.

    Raises:
        SettingsError: no source or licence.
    """
    checked, counted = origin.checked(), Intake()
    known = set(session.scalars(select(Sentence.spoken_sha256).where(Sentence.campaign_id == campaign.id)))
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        found = clean(line, campaign.language)
        if isinstance(found, Unusable):
            counted.refused[found.check] += 1
            if len(counted.examples) < _EXAMPLES:
                counted.examples.append((number, line.strip()[:120], found.reason))
        elif found.sha256 in known:
            counted.doubles += 1
        else:
            known.add(found.sha256)
            session.add(_sentence(campaign, found, checked, "accepted"))
            counted.taken += 1
    session.flush()
    return counted


def _sentence(campaign: Campaign, found: Usable, origin: Origin, state: str) -> Sentence:
    return Sentence(
        campaign_id=campaign.id,
        text=found.text,
        spoken=found.spoken,
        spoken_sha256=found.sha256,
        source=origin.source,
        licence=origin.licence,
        state=state,
        created_at_s=now_s(),
    )


def propose(session: Session, campaign: Campaign, voice: Voice, text: str, origin: Origin) -> Sentence:
    """A volunteer's sentence; it waits for two votes of others.

    Raises:
        UnusableSentenceError: it cannot be read aloud; says why. ConflictError: it is there already.
    """
    found = clean(text, campaign.language)
    if isinstance(found, Unusable):
        raise UnusableSentenceError(found.check, found.reason)
    double = select(Sentence.id).where(
        Sentence.campaign_id == campaign.id, Sentence.spoken_sha256 == found.sha256
    )
    if session.scalar(double) is not None:
        raise ConflictError("this sentence is there already")
    added = _sentence(campaign, found, origin.checked(), "proposed")
    added.proposer_id = voice.id
    session.add(added)
    session.flush()
    return added


def to_review(session: Session, campaign: Campaign, voice: Voice, count: int = 5) -> list[Sentence]:
    """Proposals of others that this voice has not judged, the oldest first."""
    mine = select(SentenceVote.sentence_id).where(SentenceVote.voice_id == voice.id)
    query = (
        select(Sentence)
        .where(
            Sentence.campaign_id == campaign.id,
            Sentence.state == "proposed",
            Sentence.proposer_id.is_distinct_from(voice.id),
            Sentence.id.not_in(mine),
        )
        .order_by(Sentence.id)
        .limit(count)
    )
    return list(session.scalars(query))


def judge(session: Session, campaign: Campaign, voice: Voice, sentence_id: int, yes: bool) -> str:
    """Vote on a proposal; answers its state. The same vote twice counts once.

    Raises:
        NotFoundError: no such proposal. ForbiddenError: one's own. ConflictError: voted otherwise before.
    """
    query = select(Sentence).where(Sentence.id == sentence_id, Sentence.campaign_id == campaign.id)
    sentence = session.scalar(query.with_for_update())
    if sentence is None:
        raise NotFoundError("there is no such sentence in this campaign")
    if sentence.proposer_id == voice.id:
        raise ForbiddenError("nobody judges their own sentence")
    before = session.get(SentenceVote, (sentence.id, voice.id))
    if before is not None:
        if before.yes == yes:
            return sentence.state
        raise ConflictError("you have judged this sentence already")
    if sentence.state != "proposed":
        return sentence.state
    vote = SentenceVote(sentence_id=sentence.id, voice_id=voice.id, yes=yes, created_at_s=now_s())
    session.add(vote)
    session.flush()
    count = select(func.count()).where(SentenceVote.sentence_id == sentence.id, SentenceVote.yes == yes)
    if (session.scalar(count) or 0) >= VOTES:
        sentence.state = "accepted" if yes else "refused"
    return sentence.state
