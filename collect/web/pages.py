"""Pages of volunteers: welcome, join, speak, listen, write, and the choice of language."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import Response
from sqlalchemy import select

from collect.database.tables import Campaign
from collect.errors import CollectError, ForbiddenError, NotFoundError
from collect.people import consent, invites, voices
from collect.people.voices import Description
from collect.sentences import proposals
from collect.sentences.cleaning import MOST_LETTERS
from collect.sentences.proposals import Origin
from collect.web.answers import page, see
from collect.web.services import LANGUAGE, AsGuest, Guest, address_of, cookie_name, guest_of, services_of

router = APIRouter(include_in_schema=False)
YEAR_S = 365 * 24 * 3600
Short = Annotated[str, Form(max_length=300)]


def set_cookie(request: Request, answer: Response, name: str, value: str, life_s: int = YEAR_S) -> None:
    """A cookie that scripts cannot read and other sites cannot use."""
    secure = request.url.scheme == "https"
    answer.set_cookie(name, value, max_age=life_s, httponly=True, samesite="lax", secure=secure, path="/")


@router.get("/")
def home(request: Request) -> Response:
    """The campaigns that anybody may join, and those one is in."""
    with services_of(request).database.reading() as session:
        found = list(session.scalars(select(Campaign).where(Campaign.is_open).order_by(Campaign.title)))
    shown = [one for one in found if one.open_registration or cookie_name(one.name) in request.cookies]
    return page(request, "home.html", campaigns=shown)


@router.post("/language")
def language(
    request: Request,
    code: Annotated[str, Form(max_length=16)],
    here: Annotated[str, Form(max_length=300)] = "/",
) -> Response:
    """Remember the language of the interface."""
    safe = here if here.startswith("/") and not here.startswith(("//", "/\\")) else "/"
    answer = see(safe)
    if code in services_of(request).texts:
        set_cookie(request, answer, LANGUAGE, code)
    return answer


@router.get("/i/{secret}")
def invited(request: Request, secret: str) -> Response:
    """An invite link: the page to join."""
    services = services_of(request)
    with services.database.reading() as session:
        found = invites.find_invite(session, secret)
        name = session.get_one(Campaign, found.campaign_id).name
    guest = guest_of(request, name)
    return see(f"/c/{name}/speak") if guest.voice else _join_page(request, guest, secret)


@router.get("/c/{name}")
def welcome(request: Request, guest: AsGuest) -> Response:
    """What the campaign is, and the page to join."""
    return _join_page(request, guest, "")


def _join_page(request: Request, guest: Guest, secret: str, status: int = 200, wrong: str = "") -> Response:
    with guest.services.database.reading() as session:
        text = consent.text_for(session, guest.campaign, [guest.texts.language])
        agreed = consent.agreed(session, guest.voice.id) if guest.voice else None
        newest = agreed is not None and consent.is_newest(session, agreed.text)
    may_join = guest.campaign.is_open and (guest.campaign.open_registration or bool(secret))
    shown = {"text": text, "secret": secret, "may_join": may_join, "newest": newest, "wrong": wrong}
    return page(request, "join.html", guest, status, **shown)


@router.post("/c/{name}/join")
def join(
    request: Request,
    guest: AsGuest,
    text_id: Annotated[int, Form(ge=1, le=2**31 - 1)],
    agree: Annotated[str, Form(max_length=8)] = "",
    secret: Annotated[str, Form(max_length=100)] = "",
) -> Response:
    """Agree to the consent text, and become a voice."""
    services = guest.services
    services.rates.spend("joins", address_of(request), services.settings.limits.joins_per_address)
    if agree != "yes":
        return _join_page(request, guest, secret, 400, guest.texts("join_agree_first"))
    with services.database.writing() as session:
        text = consent.text_for(session, guest.campaign, [guest.texts.language])
        if text.id != text_id:
            raise CollectError("the consent text has changed meanwhile: load the page again and read it")
        if guest.voice is not None:
            consent.agree(session, guest.voice.id, text)
            return see(f"/c/{guest.campaign.name}/speak")
        _, voice_secret = voices.join(session, guest.campaign, text, Description(), secret)
    answer = see(f"/c/{guest.campaign.name}/speak")
    set_cookie(request, answer, cookie_name(guest.campaign.name), voice_secret)
    return answer


@router.post("/c/{name}/return")
def come_back(request: Request, guest: AsGuest, key: Annotated[str, Form(max_length=100)]) -> Response:
    """Be the same voice in another browser, by the key of page Me."""
    limits = guest.services.settings.limits
    guest.services.rates.spend("logins", address_of(request), limits.logins_per_address)
    with guest.services.database.reading() as session:
        found = voices.voice_of(session, key.strip(), guest.campaign)
    if found is None:
        raise ForbiddenError("no voice of this campaign has that key")
    answer = see(f"/c/{guest.campaign.name}/me")
    set_cookie(request, answer, cookie_name(guest.campaign.name), key.strip())
    return answer


def _or_join(request: Request, guest: Guest, template: str, **values: Any) -> Response:
    if guest.voice is None:
        return see(f"/c/{guest.campaign.name}")
    return page(request, template, guest, **values)


@router.get("/c/{name}/speak")
def speak(request: Request, guest: AsGuest) -> Response:
    """Read sentences aloud."""
    if guest.voice is not None:
        with guest.services.database.reading() as session:
            agreed = consent.agreed(session, guest.voice.id)
            if agreed is None or not consent.is_newest(session, agreed.text):
                return see(f"/c/{guest.campaign.name}")
    return _or_join(request, guest, "speak.html", longest_s=guest.services.settings.limits.longest_clip_s)


@router.get("/c/{name}/listen")
def listen(request: Request, guest: AsGuest) -> Response:
    """Judge what others read."""
    return _or_join(request, guest, "listen.html")


@router.get("/c/{name}/write")
def write(request: Request, guest: AsGuest, said: Annotated[str, Query(max_length=40)] = "") -> Response:
    """Propose sentences and review those of others."""
    return _write_page(request, guest, said if said in ("write_thanks",) else "")


def _write_page(request: Request, guest: Guest, said: str, status: int = 200, **kept: str) -> Response:
    if guest.voice is None:
        return see(f"/c/{guest.campaign.name}")
    with guest.services.database.reading() as session:
        review = proposals.to_review(session, guest.campaign, guest.voice)
    values = {"sentence": "", "source": "", "licence": guest.campaign.licence, "wrong": "", **kept}
    return page(request, "write.html", guest, status, review=review, said=said, most=MOST_LETTERS, **values)


@router.post("/c/{name}/write")
def propose(
    request: Request, guest: AsGuest, sentence: Short, source: Short = "", licence: Short = ""
) -> Response:
    """A volunteer's sentence."""
    voice = guest.spend("sentences", guest.services.settings.limits.sentences_per_voice)
    try:
        with guest.services.database.writing() as session:
            proposals.propose(session, guest.campaign, voice, sentence, Origin(source, licence))
    except CollectError as error:
        kept = {
            "sentence": sentence,
            "source": source,
            "licence": licence,
            "wrong": guest.texts.refusal(error),
        }
        return _write_page(request, guest, "", error.status, **kept)
    return see(f"/c/{guest.campaign.name}/write?said=write_thanks")


@router.post("/c/{name}/write/{sentence}")
def review(guest: AsGuest, sentence: int, verdict: Annotated[str, Form(pattern="^(yes|no)$")]) -> Response:
    """A vote on somebody's sentence, from the form of the page."""
    voice = guest.spend("votes", guest.services.settings.limits.votes_per_voice)
    if not 1 <= sentence < 2**31:
        raise NotFoundError("there is no such sentence")
    with guest.services.database.writing() as session:
        proposals.judge(session, guest.campaign, voice, sentence, verdict == "yes")
    return see(f"/c/{guest.campaign.name}/write")
