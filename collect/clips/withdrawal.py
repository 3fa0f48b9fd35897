"""Volunteers take clips back, one or all: sound, row and votes are gone; a tombstone without text stays.

The tombstone makes the next version of the corpus say `withdrawn`; what was made with earlier versions is named from
the store's own manifests.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from collect.database.tables import Campaign, Clip, Sentence, SentencePass, SentenceVote, Stopped, Voice, Vote
from collect.database.tables import Withdrawn as Tombstone
from collect.errors import NotFoundError
from collect.people.secret import now_s
from collect.sentences.supply import RECORDED


@dataclass(frozen=True)
class Gone:
    """What a withdrawal removed: ids of clips, and the hashes of their sound, to be removed from the disk."""

    clips: tuple[str, ...]
    sounds: tuple[str, ...]


def withdraw_clip(session: Session, voice: Voice, clip_id: str) -> Gone:
    """Remove one clip of a voice.

    Raises:
        NotFoundError: the voice has no such clip.
    """
    clip = session.scalar(select(Clip).where(Clip.id == clip_id, Clip.voice_id == voice.id).with_for_update())
    if clip is None:
        raise NotFoundError("you have no such clip: it may be withdrawn already")
    return _remove(session, [clip])


def withdraw_all(session: Session, voice: Voice) -> Gone:
    """Remove all clips of a voice, its description, its proposals' name and its way in."""
    gone = _remove(session, list(session.scalars(select(Clip).where(Clip.voice_id == voice.id))))
    session.execute(delete(Stopped).where(Stopped.voice_id == voice.id))
    session.execute(delete(SentencePass).where(SentencePass.voice_id == voice.id))
    session.execute(delete(SentenceVote).where(SentenceVote.voice_id == voice.id))
    session.execute(update(Sentence).where(Sentence.proposer_id == voice.id).values(proposer_id=None))
    values = {"age": "", "gender": "", "accent": "", "withdrawn_at_s": now_s()}
    session.execute(update(Voice).where(Voice.id == voice.id).values(**values))
    return gone


def _remove(session: Session, clips: list[Clip]) -> Gone:
    for clip in clips:
        if clip.state in RECORDED:
            lower = Sentence.takes - 1
            session.execute(
                update(Sentence)
                .where(Sentence.id == clip.sentence_id, Sentence.takes > 0)
                .values(takes=lower)
            )
        session.execute(delete(Vote).where(Vote.clip_number == clip.number))
        stone = Tombstone(
            clip_id=clip.id, campaign_id=clip.campaign_id, voice_id=clip.voice_id, withdrawn_at_s=now_s()
        )
        session.add(stone)
        session.delete(clip)
    session.flush()
    return Gone(tuple(clip.id for clip in clips), tuple(clip.sound_sha256 for clip in clips))


def heard_by(store_root: Path | None, campaign: Campaign, voice_id: str) -> dict[str, list[str]]:
    """What was made with published versions of the campaign's corpus that hold a voice: versions, models, runs.

    The versions themselves still hold what was withdrawn until they are deleted.
    """
    from corpora.versions.withdrawals import made_with
    from store.opening import open_store
    from store.writing import read_json

    store = open_store(store_root)
    versions = set()
    for path in (store.corpora_dir / campaign.name).glob("*/manifest.json"):
        splits: dict[str, list[str]] = read_json(path).get("speaker_splits", {})
        if path.parent.name != "current" and any(voice_id in voices for voices in splits.values()):
            versions.add(path.parent.name)
    if not versions:
        return {"versions": [], "language_models": [], "runs": [], "evaluations": []}
    return {"versions": sorted(versions), **made_with(store, campaign.name, versions)}


def told(made: dict[str, Any]) -> list[str]:
    """The names in `heard_by` as lines for people."""
    return [f"{kind}: {', '.join(names)}" for kind, names in made.items() if names]
