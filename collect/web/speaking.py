"""Calls of the page Speak: sentences, uploads piece by piece, what the checks say."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from collect.clips.takes import Offered, confirm, discard
from collect.errors import ForbiddenError
from collect.people import consent
from collect.sentences import supply
from collect.web.services import AsGuest

router = APIRouter(prefix="/api/c/{name}", tags=["speak"])
SentenceId = Annotated[int, Path(ge=1, le=2**31 - 1)]
Take = Annotated[str, Path(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]


class _Closed(BaseModel):
    model_config = ConfigDict(extra="forbid")


class SentenceShown(_Closed):
    """A sentence to read."""

    id: int
    text: str


class Handed(_Closed):
    """The next sentences; none: everything is read."""

    sentences: list[SentenceShown]


class Arrived(_Closed):
    """How many bytes of a recording are here."""

    bytes: int


class Finish(_Closed):
    """All bytes are sent."""

    sentence: int = Field(ge=1, le=2**31 - 1)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")


class Judged(_Closed):
    """What became of a take. `sentence` tells the volunteer what to do, in their language."""

    state: str
    check: str
    sentence: str


class Passed(_Closed):
    """Why a sentence is reported."""

    reason: str = Field(default="", max_length=300)


async def _body(request: Request) -> bytes:
    return await request.body()


@router.post("/tasks")
def tasks(guest: AsGuest, count: Annotated[int, Query(ge=1, le=20)] = 5) -> Handed:
    """The next sentences for this voice."""
    voice = guest.known
    with guest.services.database.writing() as session:
        given = consent.agreed(session, voice.id)
        if given is None or not consent.is_newest(session, given.text):
            raise ForbiddenError("the consent text has changed: read and agree to it first")
        handed = supply.hand_out(session, guest.campaign, voice, count)
    return Handed(sentences=[SentenceShown(id=one.id, text=one.text) for one in handed])


@router.post("/sentences/{sentence}/skip")
def skip(guest: AsGuest, sentence: SentenceId) -> dict[str, str]:
    """Do not show this sentence to me again."""
    with guest.services.database.writing() as session:
        supply.note(session, guest.known, sentence, "skipped")
    return {"state": "skipped"}


@router.post("/sentences/{sentence}/report")
def report(guest: AsGuest, sentence: SentenceId, passed: Passed) -> dict[str, str]:
    """Something is wrong with this sentence; two reports hide it."""
    with guest.services.database.writing() as session:
        supply.note(session, guest.known, sentence, "reported", passed.reason)
    return {"state": "reported"}


@router.get("/takes/{take}")
def arrived(guest: AsGuest, take: Take) -> Arrived:
    """Where an interrupted upload goes on."""
    return Arrived(bytes=guest.services.studio.uploads.size(guest.known.id, take))


@router.patch(
    "/takes/{take}",
    openapi_extra={"requestBody": {"content": {"application/octet-stream": {}}, "required": True}},
)
def piece(
    guest: AsGuest,
    take: Take,
    offset: Annotated[int, Query(ge=0, le=2**31 - 1)],
    data: Annotated[bytes, Depends(_body)],
) -> Arrived:
    """The next piece of a recording; a piece that is here already changes nothing."""
    size = guest.services.studio.uploads.append(guest.known.id, take, offset, data)
    return Arrived(bytes=size)


@router.post("/takes/{take}/finish")
def finish(guest: AsGuest, take: Take, said: Finish) -> Judged:
    """All pieces are here: check the take and keep it, or say what to do better."""
    voice = guest.spend("takes", guest.services.settings.limits.takes_per_voice)
    outcome = guest.services.studio.take_in(guest.campaign, voice, Offered(take, said.sentence, said.sha256))
    sentence = ""
    if outcome.check:
        sentence = guest.texts(f"check_{outcome.check}", **outcome.values)
    return Judged(state=outcome.state, check=outcome.check, sentence=sentence)


@router.post("/takes/{take}/confirm")
def confirmed(guest: AsGuest, take: Take) -> dict[str, str]:
    """I did read this sentence: let the listeners decide."""
    with guest.services.database.writing() as session:
        confirm(session, guest.known, take)
    return {"state": "waiting"}


@router.post("/takes/{take}/discard")
def discarded(guest: AsGuest, take: Take) -> dict[str, str]:
    """I read something else: forget this clip, I record the sentence again."""
    with guest.services.database.writing() as session:
        sound = discard(session, guest.known, take)
    guest.services.studio.sounds.drop(guest.campaign.name, [sound])
    return {"state": "stopped"}
