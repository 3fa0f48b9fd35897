"""What a voice gave: clips and how they were judged, hours, votes, consent; and all of it as one ZIP file."""

from __future__ import annotations

import json
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from collect.database.tables import Campaign, Clip, Consent, ConsentText, Sentence, Stopped, Voice, Vote
from collect.files import SoundFiles


@dataclass(frozen=True)
class Account:
    """Figures of a voice; `clips` are its newest, each with its sentence and the reasons of a no."""

    clips: list[dict[str, Any]]
    count: int
    hours: float
    accepted: int
    refused: int
    waiting: int
    stopped: int
    votes: int


def account(session: Session, voice: Voice, most: int | None = 200) -> Account:
    """What a voice gave so far."""
    query = (
        select(Clip, Sentence)
        .join(Sentence, Sentence.id == Clip.sentence_id)
        .where(Clip.voice_id == voice.id)
        .order_by(Clip.number.desc())
    )
    rows = session.execute(query).all()
    states = [row[0].state for row in rows]
    shown = rows if most is None else rows[:most]
    reasons = _reasons(session, [row[0].number for row in shown])
    return Account(
        clips=[_told(row[0], row[1], reasons.get(row[0].number, [])) for row in shown],
        count=len(rows),
        hours=sum(row[0].duration_s for row in rows) / 3600,
        accepted=states.count("accepted"),
        refused=states.count("refused"),
        waiting=states.count("waiting") + states.count("asked"),
        stopped=session.scalar(select(func.count()).where(Stopped.voice_id == voice.id)) or 0,
        votes=session.scalar(select(func.count()).where(Vote.voice_id == voice.id)) or 0,
    )


def _reasons(session: Session, numbers: list[int]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    query = select(Vote.clip_number, Vote.reason).where(Vote.clip_number.in_(numbers), Vote.yes.is_(False))
    for number, reason in session.execute(query):
        found.setdefault(number, []).append(reason)
    return found


def _told(clip: Clip, sentence: Sentence, reasons: list[str]) -> dict[str, Any]:
    return {
        "id": clip.id,
        "text": sentence.text,
        "state": clip.state,
        "yes": clip.yes,
        "no": clip.no,
        "reasons": sorted(set(reasons)),
        "doubt": clip.doubt,
        "duration_s": round(clip.duration_s, 3),
        "recorded": time.strftime("%Y-%m-%d", time.gmtime(clip.created_at_s)),
        "sound": clip.sound_sha256,
    }


def consents(session: Session, voice: Voice) -> list[tuple[Consent, ConsentText]]:
    """Everything a voice agreed to, the newest first."""
    query = (
        select(Consent, ConsentText)
        .join(ConsentText, ConsentText.id == Consent.text_id)
        .where(Consent.voice_id == voice.id)
        .order_by(Consent.id.desc())
    )
    return [(row[0], row[1]) for row in session.execute(query)]


def write_everything(
    session: Session, campaign: Campaign, voice: Voice, sounds: SoundFiles, path: Path
) -> None:
    """All that is kept of a voice as a ZIP file: account.json and the sound of every clip."""
    found = account(session, voice, most=None)
    said = {
        "campaign": campaign.name,
        "voice": voice.id,
        "age": voice.age,
        "gender": voice.gender,
        "accent": voice.accent,
        "consents": [
            {"text": text.text, "language": text.language, "version": text.version, "licence": text.licence,
             "sha256": text.sha256, "given_at_s": given.given_at_s}
            for given, text in consents(session, voice)
        ],
        "clips": found.clips,
        "votes": [
            {"yes": vote.yes, "reason": vote.reason, "words": vote.words, "at_s": vote.created_at_s}
            for vote in session.scalars(select(Vote).where(Vote.voice_id == voice.id))
        ],
        "sentences": list(session.scalars(select(Sentence.text).where(Sentence.proposer_id == voice.id))),
    }  # fmt: skip
    with zipfile.ZipFile(path, "w") as zipped:
        zipped.writestr("account.json", json.dumps(said, ensure_ascii=False, indent=2))
        for clip in found.clips:
            sound = sounds.path(campaign.name, clip["sound"])
            if sound.is_file():
                zipped.write(sound, f"clips/{clip['id']}.flac")
