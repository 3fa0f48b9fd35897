"""The page Me: what I gave and how it was judged, my description, my consent, my way out."""

from __future__ import annotations

import os
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import FileResponse, Response
from starlette.background import BackgroundTask

from collect.clips import takes, withdrawal
from collect.database.tables import Voice
from collect.people import account, voices
from collect.people.voices import Description
from collect.publishing.snapshot import forget_sounds
from collect.web.answers import page, see
from collect.web.services import AsGuest, Guest, cookie_name

router = APIRouter(include_in_schema=False)


@router.get("/c/{name}/me")
def me(request: Request, guest: AsGuest) -> Response:
    """What I gave."""
    if guest.voice is None:
        return see(f"/c/{guest.campaign.name}")
    with guest.services.database.reading() as session:
        found = account.account(session, guest.voice)
        agreed = account.consents(session, guest.voice)
    key = request.cookies.get(cookie_name(guest.campaign.name), "")
    return page(request, "me.html", guest, account=found, consents=agreed, key=key)


@router.post("/c/{name}/me")
def describe(
    guest: AsGuest,
    age: Annotated[str, Form(max_length=40)] = "",
    gender: Annotated[str, Form(max_length=40)] = "",
    accent: Annotated[str, Form(max_length=300)] = "",
) -> Response:
    """Change what I say of myself."""
    with guest.services.database.writing() as session:
        voice = session.get_one(Voice, guest.known.id)
        voices.describe(session, voice, Description(age, gender, accent))
    return see(f"/c/{guest.campaign.name}/me")


@router.get("/c/{name}/me/everything.zip")
def everything(guest: AsGuest) -> Response:
    """All that is kept of me."""
    handle, name = tempfile.mkstemp(suffix=".zip", dir=guest.services.settings.folder)
    os.close(handle)
    path = Path(name)
    voice = guest.known
    with guest.services.database.reading() as session:
        account.write_everything(session, guest.campaign, voice, guest.services.studio.sounds, path)
    gone = BackgroundTask(path.unlink, missing_ok=True)
    return FileResponse(path, filename=f"{guest.campaign.name}-{voice.id}.zip", background=gone)


@router.post("/c/{name}/me/confirm/{clip}")
def confirm_one(guest: AsGuest, clip: str) -> Response:
    """I did read the sentence of a clip in doubt: let the listeners decide."""
    with guest.services.database.writing() as session:
        takes.confirm(session, guest.known, clip[:36])
    return see(f"/c/{guest.campaign.name}/me")


@router.post("/c/{name}/me/withdraw/{clip}")
def withdraw_one(guest: AsGuest, clip: str) -> Response:
    """Take one clip back."""
    with guest.services.database.writing() as session:
        gone = withdrawal.withdraw_clip(session, guest.known, clip[:36])
    _forget(guest, gone)
    return see(f"/c/{guest.campaign.name}/me")


@router.post("/c/{name}/me/withdraw")
def withdraw_everything(
    request: Request, guest: AsGuest, sure: Annotated[str, Form(max_length=8)] = ""
) -> Response:
    """Take everything back and leave."""
    if sure != "yes":
        return see(f"/c/{guest.campaign.name}/me")
    voice = guest.known
    with guest.services.database.writing() as session:
        gone = withdrawal.withdraw_all(session, voice)
    _forget(guest, gone)
    made = withdrawal.heard_by(guest.services.settings.store, guest.campaign, voice.id)
    answer = page(
        request, "gone.html", replace(guest, voice=None), count=len(gone.clips), made=withdrawal.told(made)
    )
    answer.delete_cookie(cookie_name(guest.campaign.name), path="/")
    return answer


def _forget(guest: Guest, gone: withdrawal.Gone) -> None:
    """After the commit: the sound goes from the disk, in the snapshot too."""
    guest.services.studio.sounds.drop(guest.campaign.name, gone.sounds)
    forget_sounds(guest.services.settings.folder, guest.campaign.name, gone.clips)
