"""Pages of admins: log in, campaigns, one campaign's progress, invites, sentences, publish, export."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field
from starlette.datastructures import UploadFile

from collect.database.tables import Campaign, Sentence
from collect.errors import CollectError, ForbiddenError, NotFoundError
from collect.people import admins, campaigns, consent, invites
from collect.people.campaigns import NewCampaign
from collect.people.progress import invites_of, progress
from collect.people.secret import now_s
from collect.publishing.jobs import publication_state, start_publication
from collect.sentences import supply
from collect.sentences.proposals import Intake, Origin, take_in
from collect.web.answers import page, see
from collect.web.services import (
    ADMIN,
    AsAdmin,
    address_of,
    guest_of,
    require_admin,
    services_of,
    texts_of,
)

router = APIRouter(prefix="/admin", include_in_schema=False)
_LIFE_S = int(admins.SESSION_S)
Line = Annotated[str, Form(max_length=300)]


@router.get("/login")
def login_page(request: Request) -> Response:
    """The form."""
    return page(request, "login.html", wrong="")


@router.post("/login")
def log_in(
    request: Request,
    user: Annotated[str, Form(max_length=64)],
    password: Annotated[str, Form(max_length=1000)],
) -> Response:
    """Begin a session."""
    services = services_of(request)
    services.rates.spend("logins", address_of(request), services.settings.limits.logins_per_address)
    try:
        with services.database.writing() as session:
            secret = admins.log_in(session, user, password)
    except ForbiddenError as error:
        return page(request, "login.html", status=403, wrong=texts_of(request).refusal(error))
    answer = see("/admin")
    secure = request.url.scheme == "https"
    answer.set_cookie(
        ADMIN, secret, max_age=_LIFE_S, httponly=True, samesite="strict", secure=secure, path="/"
    )
    return answer


@router.post("/logout")
def log_out(request: Request, _admin: AsAdmin) -> Response:
    """End the session."""
    with services_of(request).database.writing() as session:
        admins.log_out(session, request.cookies.get(ADMIN, ""))
    answer = see("/admin/login")
    answer.delete_cookie(ADMIN, path="/")
    return answer


@router.get("")
def overview(request: Request) -> Response:
    """All campaigns, and the form for a new one."""
    try:
        require_admin(request)
    except ForbiddenError:
        return see("/admin/login")
    return _overview(request)


def _overview(request: Request, status: int = 200, wrong: str = "") -> Response:
    with services_of(request).database.reading() as session:
        found = campaigns.all_campaigns(session)
        standing = [(one, progress(session, one)) for one in found]
    return page(request, "admin.html", status=status, campaigns=standing, wrong=wrong)


@router.post("/campaigns")
async def begin(request: Request, _admin: AsAdmin) -> Response:
    """A new campaign, with its sentences if a file came with the form."""
    form = await request.form(max_files=1, max_fields=20)
    said = {key: value for key, value in form.items() if isinstance(value, str)}
    file = form.get("file")
    try:
        new = NewCampaign(
            name=said.get("name", "").strip(),
            title=said.get("title", ""),
            language=said.get("campaign_language", "en").strip(),
            licence=said.get("licence", "CC0-1.0").strip(),
            about=said.get("about", ""),
            goal_hours=float(said.get("goal_hours", "10")),
            open_registration=said.get("open_registration") == "yes",
        )
    except ValueError:
        return _overview(request, 400, texts_of(request)("admin_goal_wrong"))
    lines = await _lines(file) if isinstance(file, UploadFile) else []
    try:
        with services_of(request).database.writing() as session:
            campaign = campaigns.begin(session, new)
            if lines:
                take_in(
                    session, campaign, lines, Origin(said.get("source", ""), said.get("text_licence", ""))
                )
                supply.order(session, campaign)
    except CollectError as error:
        return _overview(request, error.status, texts_of(request).refusal(error))
    return see(f"/admin/c/{new.name}")


async def _lines(file: UploadFile) -> list[str]:
    """Lines of an uploaded text file.

    Raises:
        CollectError: it is not UTF-8.
    """
    data = await file.read()
    try:
        return data.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise CollectError(
            "the file of sentences is not UTF-8 (byte {byte}): save it as UTF-8", byte=error.start
        ) from error


@router.get("/c/{name}")
def campaign_page(request: Request, name: str, _admin: AsAdmin) -> Response:
    """How a campaign stands."""
    return _campaign_page(request, name)


def _campaign_page(
    request: Request, name: str, link: str = "", intake: Intake | None = None, wrong: str = ""
) -> Response:
    guest = replace(guest_of(request, name), voice=None)
    with guest.services.database.reading() as session:
        found = progress(session, guest.campaign)
        links = invites_of(session, guest.campaign)
    running = publication_state(guest.services.settings, name)
    status = 400 if wrong else 200
    shown = {
        "progress": found,
        "invites": links,
        "link": link,
        "intake": intake,
        "wrong": wrong,
        "now_s": now_s(),
    }
    return page(request, "campaign.html", guest, status, publication=running, **shown)


class InviteForm(BaseModel):
    """What an invite link is for."""

    uses: int = Field(ge=1, le=100_000)
    days: float = Field(gt=0, le=3650)
    label: str = Field(default="", max_length=100)
    csrf: str = ""


@router.post("/c/{name}/invites")
def new_invite(request: Request, name: str, _admin: AsAdmin, form: Annotated[InviteForm, Form()]) -> Response:
    """A new invite link; it is shown this once."""
    services = services_of(request)
    with services.database.writing() as session:
        campaign = campaigns.campaign_named(session, name)
        secret = invites.invite(session, campaign, form.label, form.uses, form.days)
    return _campaign_page(request, name, link=str(request.base_url) + f"i/{secret}")


@router.post("/c/{name}/sentences")
async def sentences(request: Request, name: str, _admin: AsAdmin) -> Response:
    """Sentences of a text file, one a line."""
    form = await request.form(max_files=1, max_fields=10)
    source, licence, file = (form.get(key) for key in ("source", "text_licence", "file"))
    if not isinstance(file, UploadFile):
        return _campaign_page(request, name, wrong=texts_of(request)("admin_file_first"))
    try:
        lines = await _lines(file)
        with services_of(request).database.writing() as session:
            campaign = campaigns.campaign_named(session, name)
            intake = take_in(session, campaign, lines, Origin(str(source or ""), str(licence or "")))
            supply.order(session, campaign)
    except CollectError as error:
        return _campaign_page(request, name, wrong=texts_of(request).refusal(error))
    return _campaign_page(request, name, intake=intake)


@router.post("/c/{name}/settings")
def change(
    request: Request,
    name: str,
    _admin: AsAdmin,
    is_open: Annotated[str, Form(max_length=8)] = "",
    open_registration: Annotated[str, Form(max_length=8)] = "",
) -> Response:
    """Open or close a campaign, and its registration."""
    with services_of(request).database.writing() as session:
        campaign = campaigns.campaign_named(session, name)
        campaign.is_open = is_open == "yes"
        campaign.open_registration = open_registration == "yes"
    return see(f"/admin/c/{name}")


@router.post("/c/{name}/consent")
def new_consent(
    request: Request,
    name: str,
    _admin: AsAdmin,
    text: Annotated[str, Form(max_length=20_000)],
    text_language: Annotated[str, Form(max_length=16)],
) -> Response:
    """A new version of the consent text: everybody is asked again."""
    if not text.strip() or not text_language.strip():
        return _campaign_page(request, name, wrong=texts_of(request)("admin_consent_wrong"))
    with services_of(request).database.writing() as session:
        campaign = campaigns.campaign_named(session, name)
        consent.add_text(session, campaign, text_language.strip(), text)
    return see(f"/admin/c/{name}")


@router.post("/c/{name}/sentences/{sentence}/{verdict}")
def settle(request: Request, name: str, sentence: int, verdict: str, _admin: AsAdmin) -> Response:
    """A reported sentence goes back to the readers, or is refused."""
    states = {"keep": "accepted", "refuse": "refused"}
    with services_of(request).database.writing() as session:
        campaign: Campaign = campaigns.campaign_named(session, name)
        found = session.get(Sentence, sentence) if 0 < sentence < 2**31 else None
        if found is None or found.campaign_id != campaign.id or verdict not in states:
            raise NotFoundError("there is no such sentence in this campaign")
        found.state = states[verdict]
        supply.settle_reports(session, found.id)
    return see(f"/admin/c/{name}")


@router.post("/c/{name}/publish")
def publish_now(request: Request, name: str, _admin: AsAdmin) -> Response:
    """Begin a publication; the page says how it goes."""
    services = services_of(request)
    with services.database.reading() as session:
        campaigns.campaign_named(session, name)
    start_publication(services.settings, name)
    return see(f"/admin/c/{name}")
