"""A take comes in: decoded, checked, and kept as a clip, or stopped with a reason the volunteer can act on.

The order makes losing and doubling impossible: the sound lies under its final name before the row is committed, the
row has the take's id, and a take that was taken in or stopped once answers the same again.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from collect.checks.checks import Take, first_hit
from collect.checks.copies import Candidate, Copies
from collect.checks.decoding import RATE_HZ, Decoder, Samples
from collect.checks.doubt import Doubter, Heard, is_doubtful
from collect.checks.figures import Measured, measure
from collect.database.engine import Database
from collect.database.tables import Campaign, Clip, Sentence, Stopped, Voice
from collect.errors import ConflictError, ForbiddenError, NotFoundError, RefusedSoundError
from collect.files import SoundFiles, Uploads
from collect.people import consent
from collect.people.secret import now_s
from native import FlacError, flac

OTHERS = 24  # sentences that a doubted one is compared with


@dataclass(frozen=True)
class Offered:
    """A take whose bytes have all arrived: its id, the sentence it claims to be, and the hash of the bytes."""

    take: str
    sentence_id: int
    sha256: str


@dataclass(frozen=True)
class Outcome:
    """What became of a take.

    Attributes:
        state: "waiting" (kept), "asked" (kept, but the network heard `values["heard"]`), or "stopped".
        check, values: why it was stopped, see checks.py.
    """

    state: str
    check: str = ""
    values: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Studio:
    """Everything that takes need; one for the whole service."""

    database: Database
    sounds: SoundFiles
    uploads: Uploads
    decoder: Decoder
    doubter: Doubter
    copies: Copies

    def take_in(self, campaign: Campaign, voice: Voice, offered: Offered) -> Outcome:
        """Check an upload and keep it.

        Raises:
            ConflictError: the bytes are not those that were sent, or the sentence was read before.
            NotFoundError: no such sentence or upload. ForbiddenError: consent is missing.
            StorageError: the disk is full; nothing was kept.
        """
        with self.database.reading() as session:
            before = outcome_of(session, voice, offered.take)
            if before is not None:
                return before
            sentence = _sentence(session, campaign, voice, offered.sentence_id)
        path = self.uploads.path(voice.id, offered.take)
        if not path.is_file():
            raise NotFoundError("nothing of this recording has arrived: send it again")
        with path.open("rb") as stream:
            if hashlib.file_digest(stream, "sha256").hexdigest() != offered.sha256:
                self.uploads.drop(voice.id, offered.take)
                raise ConflictError("what arrived is not what was sent: send it again from the start")
        outcome = self._judge(campaign, voice, sentence, offered.take)
        self.uploads.drop(voice.id, offered.take)
        return outcome

    def _judge(self, campaign: Campaign, voice: Voice, sentence: Sentence, take: str) -> Outcome:
        try:
            samples = self.decoder.decode(self.uploads.path(voice.id, take))
        except RefusedSoundError as error:
            return self._stop(voice, sentence, take, Outcome("stopped", error.check))
        measured = measure(samples)
        hit = first_hit(Take(measured.figures, sentence.spoken))
        if hit is None:
            with self.database.reading() as session:
                if (
                    self.copies.find(session, campaign.id, Candidate(samples, measured, self._sound_of))
                    is not None
                ):
                    hit = ("copy", {})
        if hit is not None:
            return self._stop(voice, sentence, take, Outcome("stopped", hit[0], dict(hit[1])))
        heard = None
        if self.doubter.speaks(campaign.language):
            heard = self.doubter.hear(samples, sentence.spoken, self._others(campaign, sentence))
        sha256 = self.sounds.keep(campaign.name, flac.encode(samples, RATE_HZ))
        return self._keep(campaign, voice, sentence, _Kept(take, samples, measured, heard, sha256))

    def _sound_of(self, clip: Clip) -> Samples | None:
        """The samples of a clip that is kept; None where its file is gone."""
        with self.database.reading() as session:
            name = session.get_one(Campaign, clip.campaign_id).name
        try:
            return flac.decode(self.sounds.path(name, clip.sound_sha256).read_bytes()).samples[:, 0]
        except (OSError, FlacError):
            return None

    def _others(self, campaign: Campaign, sentence: Sentence) -> list[str]:
        """Sentences of the campaign that are about as long."""
        with self.database.reading() as session:
            query = (
                select(Sentence.spoken)
                .where(Sentence.campaign_id == campaign.id, Sentence.id != sentence.id)
                .order_by(func.abs(func.length(Sentence.spoken) - len(sentence.spoken)), Sentence.id)
                .limit(OTHERS)
            )
            return list(session.scalars(query))

    def _stop(self, voice: Voice, sentence: Sentence, take: str, outcome: Outcome) -> Outcome:
        with self.database.writing() as session:
            before = outcome_of(session, voice, take)
            if before is not None:
                return before
            session.add(
                Stopped(
                    take=take,
                    campaign_id=voice.campaign_id,
                    sentence_id=sentence.id,
                    voice_id=voice.id,
                    check=outcome.check,
                    values=outcome.values,
                    created_at_s=now_s(),
                )
            )
        return outcome

    def _keep(self, campaign: Campaign, voice: Voice, sentence: Sentence, kept: _Kept) -> Outcome:
        try:
            with self.database.writing() as session:
                before = outcome_of(session, voice, kept.take)
                if before is not None:
                    return before
                clip = _clip(session, campaign, voice, sentence, kept)
                session.add(clip)
                locked = session.get(Sentence, sentence.id, with_for_update=True)
                if locked is None:
                    raise NotFoundError("there is no such sentence in this campaign")
                locked.takes += 1
                session.flush()
        except IntegrityError as error:  # the same sound or sentence came in at the same moment
            with self.database.reading() as session:
                before = outcome_of(session, voice, kept.take)
            if before is not None:
                return before
            raise ConflictError("this sentence or this very sound came in from you a moment ago") from error
        return Outcome("asked", "doubt", {"heard": clip.doubt}) if clip.doubt else Outcome("waiting")


@dataclass(frozen=True)
class _Kept:
    take: str
    samples: Samples
    measured: Measured
    heard: Heard | None
    sha256: str


def _clip(session: Session, campaign: Campaign, voice: Voice, sentence: Sentence, kept: _Kept) -> Clip:
    given = consent.agreed(session, voice.id)
    here = session.get(Voice, voice.id)
    if given is None or here is None or here.withdrawn_at_s is not None:
        raise ForbiddenError("there is no consent to this recording any more")
    heard, measures, doubt = kept.heard, kept.measured.figures.as_json(), ""
    if heard is not None:
        measures["behind"] = heard.behind
        doubt = heard.text if is_doubtful(heard, _behind_before(session, voice)) else ""
    return Clip(
        id=kept.take,
        campaign_id=campaign.id,
        sentence_id=sentence.id,
        voice_id=voice.id,
        consent_id=given.consent.id,
        sound_sha256=kept.sha256,
        samples_sha256=kept.measured.samples_sha256,
        fingerprint=kept.measured.fingerprint,
        duration_s=len(kept.samples) / RATE_HZ,
        measures=measures,
        doubt=doubt,
        state="asked" if doubt else "waiting",
        created_at_s=now_s(),
    )


def _behind_before(session: Session, voice: Voice) -> list[float]:
    """How far behind the voice's kept clips were, those of a network only."""
    query = select(Clip.measures).where(Clip.voice_id == voice.id, Clip.state != "asked")
    return [found["behind"] for found in session.scalars(query) if "behind" in found]


def _sentence(session: Session, campaign: Campaign, voice: Voice, sentence_id: int) -> Sentence:
    found = session.get(Sentence, sentence_id)
    if found is None or found.campaign_id != campaign.id or found.state not in ("accepted", "reported"):
        raise NotFoundError("there is no such sentence to read in this campaign")
    again = select(Clip.id).where(Clip.sentence_id == sentence_id, Clip.voice_id == voice.id)
    if session.scalar(again) is not None:
        raise ConflictError("you have read this sentence already")
    return found


def outcome_of(session: Session, voice: Voice, take: str) -> Outcome | None:
    """What became of a take of this voice that was judged before.

    Raises:
        ForbiddenError: the take is somebody else's.
    """
    clip = session.scalar(select(Clip).where(Clip.id == take))
    stopped = session.get(Stopped, take)
    owner = clip.voice_id if clip else stopped.voice_id if stopped else voice.id
    if owner != voice.id:
        raise ForbiddenError("this recording is somebody else's")
    if clip is not None:
        return (
            Outcome("asked", "doubt", {"heard": clip.doubt}) if clip.state == "asked" else Outcome("waiting")
        )
    return None if stopped is None else Outcome("stopped", stopped.check, dict(stopped.values))


def confirm(session: Session, voice: Voice, take: str) -> None:
    """The volunteer says that a doubted clip is the sentence: the listeners decide.

    Raises:
        NotFoundError: no such clip of this voice.
    """
    clip = session.scalar(select(Clip).where(Clip.id == take, Clip.voice_id == voice.id).with_for_update())
    if clip is None:
        raise NotFoundError("you have no such clip")
    if clip.state == "asked":
        clip.state = "waiting"


def discard(session: Session, voice: Voice, take: str) -> str:
    """The volunteer reads a doubted sentence again: the clip goes, counted as stopped; answers the sound to remove.

    Raises:
        NotFoundError: this voice has no clip of that id that is in doubt.
    """
    query = select(Clip).where(Clip.id == take, Clip.voice_id == voice.id, Clip.state == "asked")
    clip = session.scalar(query.with_for_update())
    if clip is None:
        raise NotFoundError("you have no such clip in doubt")
    sentence = session.get_one(Sentence, clip.sentence_id)
    sentence.takes = max(0, sentence.takes - 1)
    session.add(
        Stopped(
            take=clip.id,
            campaign_id=clip.campaign_id,
            sentence_id=clip.sentence_id,
            voice_id=voice.id,
            check="doubt",
            values={"heard": clip.doubt},
            created_at_s=now_s(),
        )
    )
    session.delete(clip)
    session.flush()
    return clip.sound_sha256
