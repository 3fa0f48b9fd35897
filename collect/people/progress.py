"""How a campaign stands, for admins: hours to the goal, voices, queues, reasons, and who is refused unusually often."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import case, exists, func, select
from sqlalchemy.orm import Session

from collect.database.tables import (
    Campaign,
    Clip,
    Consent,
    Invite,
    Sentence,
    SentencePass,
    Stopped,
    Voice,
    Vote,
)

LEAST_TAKES = 10
UNUSUAL_FACTOR = 2.0


@dataclass(frozen=True)
class Progress:
    """See `progress`."""

    hours: dict[str, float]
    clips: dict[str, int]
    voices: int
    groups: list[tuple[str, str, int, float]]  # age, gender, voices, accepted hours
    queue: dict[str, int]
    sentences: dict[str, int]
    unread: int
    stopped: list[tuple[str, int]]
    refused: list[tuple[str, int]]
    unusual: list[dict[str, Any]]
    reported: list[tuple[int, str, str]]


def progress(session: Session, campaign: Campaign) -> Progress:
    """All figures of the page Campaign."""
    hours: dict[str, float] = {}
    clips: dict[str, int] = {}
    by_state = select(Clip.state, func.count(), func.sum(Clip.duration_s)).where(
        Clip.campaign_id == campaign.id
    )
    for state, count, seconds in session.execute(by_state.group_by(Clip.state)):
        hours[state], clips[state] = float(seconds or 0) / 3600, int(count)
    sentences = dict(
        session.execute(
            select(Sentence.state, func.count())
            .where(Sentence.campaign_id == campaign.id)
            .group_by(Sentence.state)
        ).all()
    )
    unread = select(func.count()).where(
        Sentence.campaign_id == campaign.id,
        Sentence.state == "accepted",
        Sentence.takes < campaign.takes_per_sentence,
    )
    agreed = exists().where(Consent.voice_id == Voice.id)  # those who only listened elsewhere did not
    living = (Voice.campaign_id == campaign.id, Voice.withdrawn_at_s.is_(None), agreed)
    return Progress(
        hours=hours,
        clips=clips,
        voices=session.scalar(select(func.count()).where(*living)) or 0,
        groups=_groups(session, campaign),
        queue=_queue(session, campaign),
        sentences={str(key): int(value) for key, value in sentences.items()},
        unread=session.scalar(unread) or 0,
        stopped=_counted(session, Stopped.check, Stopped.campaign_id == campaign.id),
        refused=_refused(session, campaign),
        unusual=unusual_voices(session, campaign),
        reported=_reported(session, campaign),
    )


def _counted(session: Session, column: Any, *where: Any) -> list[tuple[str, int]]:
    query = select(column, func.count()).where(*where).group_by(column).order_by(func.count().desc(), column)
    return [(str(name), int(count)) for name, count in session.execute(query)]


def _groups(session: Session, campaign: Campaign) -> list[tuple[str, str, int, float]]:
    seconds = func.sum(case((Clip.state == "accepted", Clip.duration_s), else_=0.0))
    agreed = exists().where(Consent.voice_id == Voice.id)
    query = (
        select(Voice.age, Voice.gender, func.count(func.distinct(Voice.id)), seconds)
        .outerjoin(Clip, Clip.voice_id == Voice.id)
        .where(Voice.campaign_id == campaign.id, Voice.withdrawn_at_s.is_(None), agreed)
        .group_by(Voice.age, Voice.gender)
        .order_by(Voice.age, Voice.gender)
    )
    return [(age, gender, int(n), float(s or 0) / 3600) for age, gender, n, s in session.execute(query)]


def _queue(session: Session, campaign: Campaign) -> dict[str, int]:
    votes = Clip.yes + Clip.no
    query = select(votes, func.count()).where(Clip.campaign_id == campaign.id, Clip.state == "waiting")
    return {
        str(int(count)): int(clips) for count, clips in session.execute(query.group_by(votes).order_by(votes))
    }


def _refused(session: Session, campaign: Campaign) -> list[tuple[str, int]]:
    query = (
        select(Vote.reason, func.count())
        .join(Clip, Clip.number == Vote.clip_number)
        .where(Clip.campaign_id == campaign.id, Vote.yes.is_(False))
        .group_by(Vote.reason)
        .order_by(func.count().desc())
    )
    return [(str(reason), int(count)) for reason, count in session.execute(query)]


def _reported(session: Session, campaign: Campaign) -> list[tuple[int, str, str]]:
    query = (
        select(Sentence.id, Sentence.text, SentencePass.reason)
        .join(SentencePass, SentencePass.sentence_id == Sentence.id)
        .where(Sentence.campaign_id == campaign.id, SentencePass.kind == "reported")
        .order_by(SentencePass.created_at_s.desc())
        .limit(50)
    )
    return [(int(number), text, reason) for number, text, reason in session.execute(query)]


def unusual_voices(session: Session, campaign: Campaign) -> list[dict[str, Any]]:
    """Voices with at least `LEAST_TAKES` takes of which `UNUSUAL_FACTOR` times the usual share was stopped or refused."""
    totals: dict[str, list[int]] = {}
    kept = select(Clip.voice_id, func.count(), func.sum(case((Clip.state == "refused", 1), else_=0)))
    for voice, count, refused in session.execute(
        kept.where(Clip.campaign_id == campaign.id).group_by(Clip.voice_id)
    ):
        totals[voice] = [int(count), int(refused or 0), 0]
    stopped = select(Stopped.voice_id, func.count()).where(Stopped.campaign_id == campaign.id)
    for voice, count in session.execute(stopped.group_by(Stopped.voice_id)):
        entry = totals.setdefault(voice, [0, 0, 0])
        entry[0], entry[2] = entry[0] + int(count), int(count)
    takes = sum(entry[0] for entry in totals.values())
    usual = sum(entry[1] + entry[2] for entry in totals.values()) / takes if takes else 0.0
    found = [
        {"voice": voice, "takes": n, "refused": refused, "stopped": held, "share": (refused + held) / n}
        for voice, (n, refused, held) in totals.items()
        if n >= LEAST_TAKES and (refused + held) / n > max(0.1, UNUSUAL_FACTOR * usual)
    ]
    return sorted(found, key=lambda one: -one["share"])


def invites_of(session: Session, campaign: Campaign) -> list[Invite]:
    """Invite links, the newest first."""
    query = select(Invite).where(Invite.campaign_id == campaign.id).order_by(Invite.id.desc())
    return list(session.scalars(query))
