"""Calls of the page Listen: clips to judge, their sound, votes; and proposals of sentences to review."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query
from fastapi.responses import FileResponse, Response
from pydantic import BaseModel, ConfigDict, Field

from collect.clips import listening
from collect.clips.listening import Judgement
from collect.errors import NotFoundError
from collect.sentences import proposals
from collect.web.services import AsGuest
from collect.web.speaking import SentenceId, Take

router = APIRouter(prefix="/api/c/{name}", tags=["listen"])
Count = Annotated[int, Query(ge=1, le=20)]
WordNumber = Annotated[int, Field(ge=0, le=300)]


class _Closed(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ClipShown(_Closed):
    """A clip to judge."""

    id: str
    text: str
    seconds: float


class ToJudge(_Closed):
    """The next clips; none: everything has been heard."""

    clips: list[ClipShown]


class Given(_Closed):
    """A vote; a no names its reason."""

    yes: bool
    reason: Literal["", "misread", "noise", "cut", "not_a_person", "other"] = ""
    words: list[WordNumber] = Field(default_factory=list, max_length=60)


class YesOrNo(_Closed):
    """A vote on a sentence."""

    yes: bool


@router.get("/clips")
def to_judge(guest: AsGuest, count: Count = 5) -> ToJudge:
    """The next clips for this listener."""
    voice = guest.known
    with guest.services.database.reading() as session:
        found = listening.to_judge(session, guest.campaign, voice, count)
    return ToJudge(
        clips=[ClipShown(id=clip.id, text=one.text, seconds=round(clip.duration_s, 2)) for clip, one in found]
    )


@router.get("/clips/{clip}/sound", response_class=Response)
def sound(guest: AsGuest, clip: Take) -> FileResponse:
    """The sound of a clip, FLAC."""
    with guest.services.database.reading() as session:
        found = listening.may_hear(session, guest.campaign, guest.known, clip)
    path = guest.services.studio.sounds.path(guest.campaign.name, found.sound_sha256)
    if not path.is_file():
        raise NotFoundError("the sound of this clip is gone")
    return FileResponse(path, media_type="audio/flac", headers={"cache-control": "private, no-store"})


@router.post("/clips/{clip}/votes")
def vote(guest: AsGuest, clip: Annotated[str, Path(max_length=36)], given: Given) -> dict[str, str]:
    """Say yes or no to a clip."""
    voice = guest.spend("votes", guest.services.settings.limits.votes_per_voice)
    judgement = Judgement(given.yes, given.reason, tuple(given.words))
    with guest.services.database.writing() as session:
        state = listening.vote(session, guest.campaign, voice, clip, judgement)
    return {"state": state}


@router.post("/sentences/{sentence}/votes")
def judge(guest: AsGuest, sentence: SentenceId, given: YesOrNo) -> dict[str, str]:
    """Say yes or no to a proposed sentence."""
    voice = guest.spend("votes", guest.services.settings.limits.votes_per_voice)
    with guest.services.database.writing() as session:
        state = proposals.judge(session, guest.campaign, voice, sentence, given.yes)
    return {"state": state}
