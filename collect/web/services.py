"""Everything that the pages and calls share, built once from the settings, and who is asking."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from fastapi import Depends, Request
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from sqlalchemy import select

from collect.checks.copies import Copies
from collect.checks.decoding import Decoder
from collect.checks.doubt import Doubter
from collect.clips.takes import Studio
from collect.database.engine import Database
from collect.database.tables import Admin, Campaign, Clip, Voice
from collect.errors import ForbiddenError, NotFoundError
from collect.files import SoundFiles, Uploads
from collect.people.admins import admin_of
from collect.people.campaigns import all_campaigns
from collect.people.voices import voice_of
from collect.settings import Settings
from collect.web.rates import Rates
from collect.web.texts import Texts, accepted_languages, choose, load_texts

VISITOR, ADMIN, LANGUAGE = "visitor", "admin", "language"
_TEMPLATES = Path(__file__).resolve().parents[1] / "templates"


@dataclass(frozen=True)
class Services:
    """See the module."""

    settings: Settings
    database: Database
    studio: Studio
    texts: Mapping[str, Texts]
    templates: Environment
    rates: Rates
    key: bytes

    @classmethod
    def open(cls, settings: Settings) -> Services:
        """Open the database (bringing its tables up to date) and tidy what a killed server left behind."""
        settings.folder.mkdir(parents=True, exist_ok=True)
        database = Database(settings.database_url)
        database.migrate()
        limits = settings.limits
        studio = Studio(
            database,
            SoundFiles(settings.folder),
            Uploads(settings.folder, limits),
            Decoder(settings.decodes, limits.longest_clip_s),
            Doubter(settings.model, language=settings.model_language),
            Copies(),
        )
        templates = Environment(
            loader=FileSystemLoader(_TEMPLATES),
            autoescape=select_autoescape(default=True, default_for_string=True),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        templates.filters["day"] = _day
        key = _key(settings.folder / "secret.key")
        return cls(settings, database, studio, load_texts(), templates, Rates(), key)

    def tidy(self) -> dict[str, int]:
        """Remove sounds without a row, and parts of uploads that nobody goes on with; answers how many."""
        sounds = 0
        with self.database.reading() as session:
            for campaign in all_campaigns(session):
                query = select(Clip.sound_sha256).where(Clip.campaign_id == campaign.id)
                sounds += self.studio.sounds.drop_orphans(campaign.name, set(session.scalars(query)))
        return {"sounds": sounds, "uploads": self.studio.uploads.drop_stale()}

    def csrf(self, visitor: str) -> str:
        """The token that forms and calls of a visitor carry."""
        return hmac.new(self.key, f"csrf/{visitor}".encode(), hashlib.sha256).hexdigest()

    def close(self) -> None:
        """Give everything back."""
        self.studio.doubter.close()
        self.database.close()


def _day(at_s: float) -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(at_s))


def _key(path: Path) -> bytes:
    """The server's own secret; made once, readable by its owner only."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_bytes()
    with os.fdopen(handle, "wb") as stream:
        stream.write(secrets.token_bytes(32))
    return path.read_bytes()


def services_of(request: Request) -> Services:
    """The services of the app that answers."""
    found: Services = request.app.state.services
    return found


def address_of(request: Request) -> str:
    """Where a call comes from; behind nginx what nginx says (uvicorn takes that from 127.0.0.1 only)."""
    return request.client.host if request.client else "unknown"


@dataclass(frozen=True)
class Guest:
    """Whoever asks: with a campaign, and perhaps a voice in it."""

    services: Services
    campaign: Campaign
    voice: Voice | None
    texts: Texts

    @property
    def known(self) -> Voice:
        """The voice.

        Raises:
            ForbiddenError: nobody has joined in this browser.
        """
        if self.voice is None:
            raise ForbiddenError("join the campaign first")
        return self.voice

    def spend(self, kind: str, rate: tuple[int, int]) -> Voice:
        """Count a call of the voice, and answer it.

        Raises:
            ForbiddenError: nobody has joined. TooManyError: too often.
        """
        voice = self.known
        self.services.rates.spend(kind, voice.id, rate)
        return voice


def texts_of(request: Request, campaign: Campaign | None = None) -> Texts:
    """The language of the interface: chosen, else the browser's, else the campaign's."""
    chosen = [request.cookies.get(LANGUAGE, "")]
    header = accepted_languages(request.headers.get("accept-language", ""))
    return choose(services_of(request).texts, [*chosen, *header, campaign.language if campaign else ""])


def cookie_name(campaign: str) -> str:
    """The cookie that holds a voice's secret in a campaign."""
    return f"voice_{campaign}"


def guest_of(request: Request, name: str) -> Guest:
    """Who asks in the campaign `name`; every call of a voice counts.

    Raises:
        NotFoundError: no such campaign. TooManyError: too many calls.
    """
    services = services_of(request)
    with services.database.reading() as session:
        campaign = session.scalar(select(Campaign).where(Campaign.name == name[:64]))
        if campaign is None:
            raise NotFoundError("there is no such campaign here")
        voice = voice_of(session, request.cookies.get(cookie_name(campaign.name), ""), campaign)
    guest = Guest(services, campaign, voice, texts_of(request, campaign))
    if voice is not None:
        services.rates.spend("calls", voice.id, services.settings.limits.calls_per_voice)
    return guest


def require_admin(request: Request) -> Admin:
    """The admin who is logged in.

    Raises:
        ForbiddenError: nobody is.
    """
    with services_of(request).database.reading() as session:
        found = admin_of(session, request.cookies.get(ADMIN, ""))
    if found is None:
        raise ForbiddenError("log in as an admin first")
    return found


AsGuest = Annotated[Guest, Depends(guest_of)]
AsAdmin = Annotated[Admin, Depends(require_admin)]
