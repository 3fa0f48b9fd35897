"""Clips are shared out to listeners and judged.

Never one's own clip, never the same clip twice; clips with one vote first, then the oldest. As many equal votes as the
campaign asks for decide (two, unless it asks for more): a split goes to a third listener.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import case, exists, select
from sqlalchemy.orm import Session

from collect.database.tables import Campaign, Clip, Sentence, Voice, Vote
from collect.errors import ConflictError, ForbiddenError, NotFoundError, SettingsError
from collect.people.secret import now_s

REASONS = ("misread", "noise", "cut", "not_a_person", "other")


@dataclass(frozen=True)
class Judgement:
    """A vote. A no names a reason; `words` are the misread words of the sentence, counted from 0."""

    yes: bool
    reason: str = ""
    words: tuple[int, ...] = ()

    def checked(self, sentence: Sentence) -> Judgement:
        """The same, if it can be.

        Raises:
            SettingsError: a no without a reason of the list, a yes with one, or words that are not there.
        """
        if self.yes and (self.reason or self.words):
            raise SettingsError("a yes has no reason")
        if not self.yes and self.reason not in REASONS:
            raise SettingsError("a no names its reason: one of {reasons}", reasons=", ".join(REASONS))
        count = len(sentence.text.split())
        if self.words and (self.reason != "misread" or not all(0 <= word < count for word in self.words)):
            raise SettingsError("the misread words are numbers from 0 to {last}", last=count - 1)
        return Judgement(self.yes, self.reason, tuple(sorted(set(self.words))))


def to_judge(session: Session, campaign: Campaign, voice: Voice, count: int) -> list[tuple[Clip, Sentence]]:
    """The next clips for a listener, in the order of the module."""
    judged = exists().where(Vote.clip_number == Clip.number, Vote.voice_id == voice.id)
    begun = case((Clip.yes + Clip.no > 0, 0), else_=1)
    query = (
        select(Clip, Sentence)
        .join(Sentence, Sentence.id == Clip.sentence_id)
        .where(
            Clip.campaign_id == campaign.id,
            Clip.state == "waiting",
            Clip.voice_id != voice.id,
            ~judged,
        )
        .order_by(begun, (Clip.yes + Clip.no).desc(), Clip.created_at_s, Clip.number)
        .limit(count)
    )
    return [(row[0], row[1]) for row in session.execute(query)]


def vote(session: Session, campaign: Campaign, voice: Voice, clip_id: str, given: Judgement) -> str:
    """Count a vote; answers the clip's state. The same vote again changes nothing.

    Raises:
        NotFoundError: no such clip. ForbiddenError: one's own. ConflictError: voted otherwise before.
        SettingsError: see `Judgement.checked`.
    """
    query = select(Clip).where(Clip.id == clip_id, Clip.campaign_id == campaign.id).with_for_update()
    clip = session.scalar(query)
    if clip is None or clip.state == "asked":
        raise NotFoundError("there is no such clip to judge in this campaign: it may have been withdrawn")
    if clip.voice_id == voice.id:
        raise ForbiddenError("nobody judges their own clip")
    sentence = session.get_one(Sentence, clip.sentence_id)
    judgement = given.checked(sentence)
    before = session.get(Vote, (clip.number, voice.id))
    if before is not None:
        if before.yes == judgement.yes:
            return clip.state
        raise ConflictError("you have judged this clip already")
    if clip.state != "waiting":
        return clip.state
    session.add(
        Vote(
            clip_number=clip.number,
            voice_id=voice.id,
            yes=judgement.yes,
            reason=judgement.reason,
            words=list(judgement.words),
            created_at_s=now_s(),
        )
    )
    clip.yes, clip.no = clip.yes + judgement.yes, clip.no + (not judgement.yes)
    decided = "accepted" if clip.yes >= campaign.votes_to_decide else "refused"
    if max(clip.yes, clip.no) >= campaign.votes_to_decide:
        clip.state, clip.decided_at_s = decided, now_s()
        if decided == "refused":
            sentence.takes = max(0, sentence.takes - 1)
    session.flush()
    return clip.state


def may_hear(session: Session, campaign: Campaign, voice: Voice, clip_id: str) -> Clip:
    """A clip that a voice may listen to: its own, and what waits for votes or got one of its own.

    Raises:
        NotFoundError: no such clip, or not for these ears.
    """
    clip = session.scalar(select(Clip).where(Clip.id == clip_id, Clip.campaign_id == campaign.id))
    if clip is not None and (clip.voice_id == voice.id or clip.state == "waiting"):
        return clip
    if clip is None or session.get(Vote, (clip.number, voice.id)) is None:
        raise NotFoundError("there is no such clip")
    return clip
