"""Clips of a Common Voice directory come into a campaign with their votes.

What was decided there stays decided (`validated`, `invalidated`); what waits there (`other`) passes the checks of this
service and waits for listeners here, with the votes it has. People become voices that nobody can log in as; they agreed
to Common Voice's terms, which is kept as a consent text of its own. Ids are made of the directory's own: a second run
takes in only what is new.
"""

from __future__ import annotations

import hashlib
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import numpy as np
import soxr
from sqlalchemy import select
from sqlalchemy.orm import Session

from collect.checks.checks import Take, first_hit
from collect.checks.decoding import RATE_HZ, Samples
from collect.checks.figures import Measured, measure
from collect.database.engine import Database
from collect.database.tables import Campaign, Clip, Consent, ConsentText, Sentence, Voice, Vote
from collect.errors import NotFoundError
from collect.files import SoundFiles
from collect.people import consent
from collect.people.secret import hash_of, new_secret, now_s
from collect.people.voices import AGES
from collect.sentences.cleaning import Unusable, Usable, clean
from collect.sentences.common_voice import Row, rows_of
from corpora.audio.clip import channel_samples
from corpora.audio.decoding import decode
from corpora.errors import CorporaError
from native import flac

STATES = {"validated": "accepted", "invalidated": "refused", "other": "waiting"}
_WITHOUT_VALIDATED = ("train", "dev", "test")  # parts of it, in directories that have only these
CONSENT_LANGUAGE = (
    "common-voice"  # no language anybody asks for: the campaign's own text stays the one that is shown
)
CONSENT = (
    "Given to Mozilla Common Voice under its own terms, with the recordings in the public domain (CC0-1.0)."
)
_GENDERS = {
    "female": "female", "female_feminine": "female", "male": "male", "male_masculine": "male", "other": "other",
}  # fmt: skip
_AT_ONCE = 100  # clips in one transaction


@dataclass
class Adopted:
    """What became of the rows: clips by state, what was there before, and the rest by reason."""

    clips: Counter[str] = field(default_factory=Counter)
    there: int = 0
    left_out: Counter[str] = field(default_factory=Counter)

    @property
    def rows(self) -> int:
        """All rows: each is in one of the counts."""
        return self.clips.total() + self.there + self.left_out.total()


@dataclass(frozen=True)
class _Heard:
    """A row whose sound was opened."""

    row: Row
    state: str
    sentence: Usable
    samples: Samples
    measured: Measured


def adopt(database: Database, sounds: SoundFiles, campaign: Campaign, directory: Path) -> Adopted:
    """Take the clips of a release into a campaign.

    Args:
        directory: a release or one language of it: `validated.tsv` (else train, dev, test), `invalidated.tsv`,
            `other.tsv` and `clips/`.

    Raises:
        NotFoundError: none of these tables is below it. StorageError: the disk is full; what came in before stays.
    """
    adopted = Adopted()
    rows = _judged_rows(directory)
    while part := list(islice(rows, _AT_ONCE)):
        with database.reading() as session:
            ids = [_clip_id(row) for row, _ in part]
            known = set(session.scalars(select(Clip.id).where(Clip.id.in_(ids))))
        adopted.there += sum(one in known for one in ids)
        fresh = [pair for pair, one in zip(part, ids, strict=True) if one not in known]
        heard = list(_opened(fresh, campaign.language, adopted.left_out))
        kept = [(one, sounds.keep(campaign.name, flac.encode(one.samples, RATE_HZ))) for one in heard]
        with database.writing() as session:
            text = _consent_text(session, campaign)
            for one, sound in kept:
                adopted.clips[_add(session, campaign, text, one, sound) or ""] += 1
        adopted.left_out["a copy"] += adopted.clips.pop("", 0)
    if not adopted.rows:
        raise NotFoundError(
            "{directory} holds no validated.tsv, invalidated.tsv or other.tsv of Common Voice",
            directory=directory,
        )
    adopted.left_out += Counter()  # without zeros
    return adopted


def _judged_rows(directory: Path) -> Iterator[tuple[Row, str]]:
    """Every row with the state that its table means."""
    for table, state in STATES.items():
        found = False
        for row in rows_of(directory, table):
            found = True
            yield row, state
        if table == "validated" and not found:
            yield from ((row, state) for part in _WITHOUT_VALIDATED for row in rows_of(directory, part))


def _opened(rows: list[tuple[Row, str]], language: str, left_out: Counter[str]) -> Iterator[_Heard]:
    for row, state in rows:
        if not row.cells:
            left_out["a broken line"] += 1
            continue
        sentence = clean(row.cells["sentence"], language)
        if isinstance(sentence, Unusable):
            left_out[f"sentence {sentence.check}"] += 1
            continue
        samples = _samples(row)
        if samples is None:
            left_out["no sound"] += 1
            continue
        measured = measure(samples)
        hit = first_hit(Take(measured.figures, sentence.spoken)) if state == "waiting" else None
        if hit is not None:
            left_out[f"check {hit[0]}"] += 1
            continue
        yield _Heard(row, state, sentence, samples, measured)


def _samples(row: Row) -> Samples | None:
    """The clip as int16 `[n]` at 16 kHz, or None where it is missing, damaged or empty."""
    name = Path(row.cells.get("path", "")).name
    path = row.table.parent / "clips" / (name if "." in name else f"{name}.mp3")
    try:
        recording = decode(path.read_bytes())
    except (OSError, CorporaError):
        return None
    samples = channel_samples(recording.samples, 0)
    if recording.sample_rate_hz != RATE_HZ:
        samples = soxr.resample(samples, recording.sample_rate_hz, RATE_HZ)
    return np.ascontiguousarray(samples, np.int16) if len(samples) else None


def _clip_id(row: Row) -> str:
    return str(
        uuid.uuid5(
            uuid.NAMESPACE_OID, f"{row.cells.get('client_id', '')}/{row.cells.get('path', '') or row.line}"
        )
    )


def _consent_text(session: Session, campaign: Campaign) -> ConsentText:
    query = select(ConsentText).where(
        ConsentText.campaign_id == campaign.id, ConsentText.language == CONSENT_LANGUAGE
    )
    return session.scalar(query) or consent.add_text(session, campaign, CONSENT_LANGUAGE, CONSENT)


def _add(
    session: Session, campaign: Campaign, text: ConsentText, heard: _Heard, sound_sha256: str
) -> str | None:
    """The clip's row, with voice, sentence and votes; answers its state, or None where the campaign has its like."""
    row, state = heard.row, heard.state
    given = _consent_of(session, campaign, text, row)
    sentence = _sentence(session, campaign, heard.sentence)
    alike = select(Clip.id).where(
        Clip.campaign_id == campaign.id,
        (Clip.samples_sha256 == heard.measured.samples_sha256)
        | ((Clip.voice_id == given.voice_id) & (Clip.sentence_id == sentence.id)),
    )
    if session.scalar(alike) is not None:
        return None
    yes, no = row.count("up_votes"), row.count("down_votes")
    if state == "waiting" and max(yes, no) >= campaign.votes_to_decide and yes != no:
        state = "accepted" if yes > no else "refused"
    clip = Clip(
        id=_clip_id(row),
        campaign_id=campaign.id,
        sentence_id=sentence.id,
        voice_id=given.voice_id,
        consent_id=given.id,
        sound_sha256=sound_sha256,
        samples_sha256=heard.measured.samples_sha256,
        fingerprint=heard.measured.fingerprint,
        duration_s=len(heard.samples) / RATE_HZ,
        measures=heard.measured.figures.as_json(),
        state=state,
        yes=yes,
        no=no,
        created_at_s=now_s(),
        decided_at_s=None if state == "waiting" else now_s(),
    )
    session.add(clip)
    sentence.takes += state != "refused"
    session.flush()
    for number in range(yes + no):
        listener = _voice(session, campaign, f"listener {number}", None)
        reason = "" if number < yes else "other"
        session.add(
            Vote(clip_number=clip.number, voice_id=listener.id, yes=number < yes, reason=reason,
                 words=[], created_at_s=now_s())
        )  # fmt: skip
    return state


def _consent_of(session: Session, campaign: Campaign, text: ConsentText, row: Row) -> Consent:
    voice = _voice(session, campaign, row.cells.get("client_id", ""), row)
    found = session.scalar(select(Consent).where(Consent.voice_id == voice.id))
    return found or consent.agree(session, voice.id, text)


def _voice(session: Session, campaign: Campaign, who: str, row: Row | None) -> Voice:
    """The voice of somebody of the release; its secret is thrown away."""
    name = "v" + hashlib.sha256(f"{campaign.name}/common voice/{who}".encode()).hexdigest()[:20]
    found = session.get(Voice, name)
    if found is not None:
        return found
    cells = row.cells if row else {}
    age = cells.get("age", "")
    voice = Voice(
        id=name,
        campaign_id=campaign.id,
        secret_sha256=hash_of(new_secret()),
        age=age if age in AGES else "",
        gender=_GENDERS.get(cells.get("gender", ""), ""),
        accent=" ".join((cells.get("accents") or cells.get("accent") or "").split())[:200],
        created_at_s=now_s(),
    )
    session.add(voice)
    session.flush()
    return voice


def _sentence(session: Session, campaign: Campaign, usable: Usable) -> Sentence:
    query = select(Sentence).where(
        Sentence.campaign_id == campaign.id, Sentence.spoken_sha256 == usable.sha256
    )
    found = session.scalar(query)
    if found is None:
        found = Sentence(
            campaign_id=campaign.id,
            text=usable.text,
            spoken=usable.spoken,
            spoken_sha256=usable.sha256,
            source="Common Voice",
            licence="CC0-1.0",
            created_at_s=now_s(),
            takes=0,
        )
        session.add(found)
        session.flush()
    return found
