"""Consent: texts with versions, and who agreed to which and when.

A text is never changed; a better one is a new version. What somebody agreed to is kept with every clip. Who agreed to
an earlier version is asked again before the next recording.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from collect.database.tables import Campaign, Consent, ConsentText
from collect.errors import NotFoundError
from collect.people.secret import hash_of, now_s

_FOLDER = Path(__file__).resolve().parents[1] / "texts"


@dataclass(frozen=True)
class Agreed:
    """A voice's newest consent and the text it is to."""

    consent: Consent
    text: ConsentText


def first_texts(session: Session, campaign: Campaign, own_text: str) -> None:
    """The texts a campaign begins with: the admin's own in the campaign's language, or ours in every language."""
    if own_text.strip():
        add_text(session, campaign, campaign.language, own_text)
        return
    for path in sorted(_FOLDER.glob("consent.*.txt")):
        text = (
            path.read_text("utf-8").replace("{licence}", campaign.licence).replace("{title}", campaign.title)
        )
        add_text(session, campaign, path.name.split(".")[1], text)


def add_text(session: Session, campaign: Campaign, language: str, text: str) -> ConsentText:
    """A new version in one language."""
    newest = session.scalar(
        select(func.max(ConsentText.version)).where(
            ConsentText.campaign_id == campaign.id, ConsentText.language == language
        )
    )
    added = ConsentText(
        campaign_id=campaign.id,
        language=language,
        version=(newest or 0) + 1,
        text=text.strip(),
        licence=campaign.licence,
        sha256=hash_of(text.strip()),
        created_at_s=now_s(),
    )
    session.add(added)
    session.flush()
    return added


def text_for(session: Session, campaign: Campaign, languages: list[str]) -> ConsentText:
    """The newest version in the first of these languages that has one, else in the campaign's, else in any.

    Raises:
        NotFoundError: the campaign has no text at all.
    """
    query = (
        select(ConsentText).where(ConsentText.campaign_id == campaign.id).order_by(ConsentText.version.desc())
    )
    newest: dict[str, ConsentText] = {}
    for text in session.scalars(query):
        newest.setdefault(text.language, text)
    for language in [*languages, campaign.language, *sorted(newest)]:
        if language in newest:
            return newest[language]
    raise NotFoundError("campaign {name} has no consent text: nobody can take part", name=campaign.name)


def agree(session: Session, voice_id: str, text: ConsentText) -> Consent:
    """Note that a voice agrees to a text now."""
    given = Consent(voice_id=voice_id, text_id=text.id, given_at_s=now_s())
    session.add(given)
    session.flush()
    return given


def agreed(session: Session, voice_id: str) -> Agreed | None:
    """A voice's newest consent."""
    row = session.execute(
        select(Consent, ConsentText)
        .join(ConsentText, Consent.text_id == ConsentText.id)
        .where(Consent.voice_id == voice_id)
        .order_by(Consent.id.desc())
    ).first()
    return None if row is None else Agreed(row[0], row[1])


def is_newest(session: Session, text: ConsentText) -> bool:
    """Whether no later version of a text stands."""
    later = select(ConsentText.id).where(
        ConsentText.campaign_id == text.campaign_id,
        ConsentText.language == text.language,
        ConsentText.version > text.version,
    )
    return session.scalar(later) is None
