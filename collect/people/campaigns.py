"""Campaigns: begin one, find one, change what may be changed while it runs."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from collect.database.tables import Campaign
from collect.errors import ConflictError, NotFoundError, SettingsError
from collect.people import consent
from collect.people.secret import now_s

_NAME = re.compile(r"[a-z][a-z0-9_]{1,47}")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_LICENCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+-]{1,63}")
LEAST_PUBLISH_EVERY_S = 60.0


@dataclass(frozen=True)
class NewCampaign:
    """What an admin says at the start.

    Attributes:
        name: lower case letters, digits and _; becomes the corpus's name.
        language: BCP 47. licence: SPDX, under which the recordings may be used.
        votes_to_decide: equal votes that decide on a clip. takes_per_sentence: voices that read one sentence.
        publish_every_s: publish by itself so often while something changed; None = only when asked.
        consent_text: what people agree to, in the campaign's language; "" = the text that comes with the service.
    """

    name: str
    title: str
    language: str = "en"
    licence: str = "CC0-1.0"
    about: str = ""
    goal_hours: float = 10.0
    votes_to_decide: int = 2
    takes_per_sentence: int = 1
    open_registration: bool = False
    publish_every_s: float | None = None
    consent_text: str = ""


def begin(session: Session, new: NewCampaign) -> Campaign:
    """Make a campaign and the first version of its consent text.

    Raises:
        SettingsError: a value that cannot be one; names it. ConflictError: the name is taken.
    """
    _check(new)
    if session.scalar(select(Campaign.id).where(Campaign.name == new.name)) is not None:
        raise ConflictError("there is a campaign {name} already; choose another name", name=new.name)
    campaign = Campaign(
        name=new.name,
        title=new.title.strip(),
        about=new.about.strip(),
        language=new.language,
        licence=new.licence,
        goal_hours=new.goal_hours,
        votes_to_decide=new.votes_to_decide,
        takes_per_sentence=new.takes_per_sentence,
        open_registration=new.open_registration,
        publish_every_s=new.publish_every_s,
        created_at_s=now_s(),
    )
    session.add(campaign)
    session.flush()
    consent.first_texts(session, campaign, new.consent_text)
    return campaign


def _check(new: NewCampaign) -> None:
    if not _NAME.fullmatch(new.name):
        raise SettingsError(
            "the campaign's name is {name!r}; wanted: 2 to 48 of a–z, 0–9 and _, beginning with a letter",
            name=new.name,
        )
    if not 0 < len(new.title.strip()) <= 200:
        raise SettingsError("the campaign's title has to have 1 to 200 letters")
    if len(new.about) > 4000 or len(new.consent_text) > 20_000:
        raise SettingsError("the description may have 4,000 letters and the consent text 20,000")
    if not _LANGUAGE.fullmatch(new.language) or len(new.language) > 16:
        raise SettingsError(
            "the language is {language!r}; wanted: a code such as en, de or pt-BR", language=new.language
        )
    if not _LICENCE.fullmatch(new.licence):
        raise SettingsError(
            "the licence is {licence!r}; wanted: an SPDX identifier such as CC0-1.0", licence=new.licence
        )
    for name, value, low, high in (
        ("goal in hours", new.goal_hours, 0.01, 1e6),
        ("votes to decide", new.votes_to_decide, 1, 9),
        ("takes per sentence", new.takes_per_sentence, 1, 1000),
        (
            "seconds between publications",
            new.publish_every_s or LEAST_PUBLISH_EVERY_S,
            LEAST_PUBLISH_EVERY_S,
            1e9,
        ),
    ):
        if not low <= value <= high:
            raise SettingsError(
                "{what}: {value:g}; wanted: {low:g} to {high:g}", what=name, value=value, low=low, high=high
            )


def campaign_named(session: Session, name: str) -> Campaign:
    """The campaign of that name.

    Raises:
        NotFoundError: there is none; names those there are.
    """
    found = session.scalar(select(Campaign).where(Campaign.name == name[:64]))
    if found is None:
        there = ", ".join(campaign.name for campaign in all_campaigns(session)) or "none yet"
        raise NotFoundError("there is no campaign {name!r}; there are: {there}", name=name[:64], there=there)
    return found


def all_campaigns(session: Session) -> list[Campaign]:
    """All campaigns by name."""
    return list(session.scalars(select(Campaign).order_by(Campaign.name)))
