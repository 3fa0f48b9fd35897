"""Voices: pseudonymous volunteers. Whoever holds a voice's secret (the cookie, the key on page Me) is that voice."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from collect.database.tables import Campaign, ConsentText, Voice
from collect.errors import ForbiddenError, SettingsError
from collect.people import consent
from collect.people.invites import find_invite, use_invite
from collect.people.secret import hash_of, new_secret, now_s

AGES = (
    "",
    "teens",
    "twenties",
    "thirties",
    "fourties",
    "fifties",
    "sixties",
    "seventies",
    "eighties",
    "nineties",
)
GENDERS = ("", "female", "male", "other")
_ACCENT_LETTERS = 200


@dataclass(frozen=True)
class Description:
    """What a volunteer says of themselves, all of it optional: age band, gender, accent in free words."""

    age: str = ""
    gender: str = ""
    accent: str = ""

    def checked(self) -> Description:
        """The same without blanks at the ends.

        Raises:
            SettingsError: an age band or gender that is not offered, or too long an accent.
        """
        if self.age not in AGES or self.gender not in GENDERS:
            raise SettingsError(
                "{answer!r} is not among the answers of the form", answer=(self.age or self.gender)[:40]
            )
        accent = " ".join(self.accent.split())
        if len(accent) > _ACCENT_LETTERS:
            raise SettingsError(
                "the accent may have {most} letters, it has {letters}",
                most=_ACCENT_LETTERS,
                letters=len(accent),
            )
        return Description(self.age, self.gender, accent)


def join(
    session: Session, campaign: Campaign, text: ConsentText, description: Description, invite_secret: str = ""
) -> tuple[Voice, str]:
    """A new voice that agrees to `text`; answers it and its secret.

    Raises:
        ForbiddenError: the campaign is closed, or needs an invite. NotFoundError: no such invite.
    """
    if not campaign.is_open:
        raise ForbiddenError(
            "the campaign {title} has ended: it takes nobody in any more", title=campaign.title
        )
    invite_id = None
    if invite_secret:
        found = find_invite(session, invite_secret)
        if found.campaign_id != campaign.id:
            raise ForbiddenError("this invite link belongs to another campaign")
        use_invite(session, found)
        invite_id = found.id
    elif not campaign.open_registration:
        raise ForbiddenError("one takes part here by an invite link: ask the people who run the campaign")
    said, secret = description.checked(), new_secret()
    voice = Voice(
        id=f"v{secrets.token_hex(10)}",
        campaign_id=campaign.id,
        secret_sha256=hash_of(secret),
        invite_id=invite_id,
        age=said.age,
        gender=said.gender,
        accent=said.accent,
        created_at_s=now_s(),
    )
    session.add(voice)
    session.flush()
    consent.agree(session, voice.id, text)
    return voice, secret


def describe(session: Session, voice: Voice, description: Description) -> None:
    """Change what a voice says of itself."""
    said = description.checked()
    voice.age, voice.gender, voice.accent = said.age, said.gender, said.accent
    session.add(voice)


def voice_of(session: Session, secret: str, campaign: Campaign) -> Voice | None:
    """The voice of a secret in a campaign; None where nobody has it or everything was withdrawn."""
    if not 20 <= len(secret) <= 100:
        return None
    query = select(Voice).where(Voice.secret_sha256 == hash_of(secret), Voice.campaign_id == campaign.id)
    found = session.scalar(query)
    return None if found is None or found.withdrawn_at_s is not None else found
