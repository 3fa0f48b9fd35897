"""The tables of the service. Times are Unix seconds; ids of people and clips are random and say nothing."""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, MetaData, String, Text, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

_NAMES = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """Root of all tables."""

    metadata = MetaData(naming_convention=_NAMES)


class Campaign(Base):
    """One collection: language, goal, rules of voting. `name` stands in URLs and becomes the corpus's name."""

    __tablename__ = "campaign"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(48), unique=True)
    title: Mapped[str] = mapped_column(String(200))
    about: Mapped[str] = mapped_column(Text, default="")
    language: Mapped[str] = mapped_column(String(16))
    licence: Mapped[str] = mapped_column(String(64))
    goal_hours: Mapped[float] = mapped_column(default=10.0)
    votes_to_decide: Mapped[int] = mapped_column(default=2)
    takes_per_sentence: Mapped[int] = mapped_column(default=1)
    open_registration: Mapped[bool] = mapped_column(default=False)
    is_open: Mapped[bool] = mapped_column(default=True)
    created_at_s: Mapped[float]
    published_at_s: Mapped[float | None] = mapped_column(default=None)
    publish_every_s: Mapped[float | None] = mapped_column(default=None)
    published_version: Mapped[str | None] = mapped_column(String(64), default=None)


class ConsentText(Base):
    """What people agree to: never changed, a new version is a new row."""

    __tablename__ = "consent_text"
    __table_args__ = (UniqueConstraint("campaign_id", "language", "version"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaign.id"))
    language: Mapped[str] = mapped_column(String(16))
    version: Mapped[int]
    text: Mapped[str] = mapped_column(Text)
    licence: Mapped[str] = mapped_column(String(64))
    sha256: Mapped[str] = mapped_column(String(64))
    created_at_s: Mapped[float]


class Invite(Base):
    """A link that lets people in; only the hash of its secret is kept."""

    __tablename__ = "invite"
    id: Mapped[int] = mapped_column(primary_key=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaign.id"), index=True)
    secret_sha256: Mapped[str] = mapped_column(String(64), unique=True)
    label: Mapped[str] = mapped_column(String(100), default="")
    most_uses: Mapped[int]
    uses: Mapped[int] = mapped_column(default=0)
    expires_at_s: Mapped[float]
    created_at_s: Mapped[float]


class Voice(Base):
    """A pseudonymous volunteer of one campaign."""

    __tablename__ = "voice"
    id: Mapped[str] = mapped_column(String(24), primary_key=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaign.id"), index=True)
    secret_sha256: Mapped[str] = mapped_column(String(64), unique=True)
    invite_id: Mapped[int | None] = mapped_column(ForeignKey("invite.id"), default=None)
    age: Mapped[str] = mapped_column(String(16), default="")
    gender: Mapped[str] = mapped_column(String(16), default="")
    accent: Mapped[str] = mapped_column(String(200), default="")
    created_at_s: Mapped[float]
    withdrawn_at_s: Mapped[float | None] = mapped_column(default=None)


class Consent(Base):
    """That a voice agreed to a text, and when."""

    __tablename__ = "consent"
    id: Mapped[int] = mapped_column(primary_key=True)
    voice_id: Mapped[str] = mapped_column(ForeignKey("voice.id"), index=True)
    text_id: Mapped[int] = mapped_column(ForeignKey("consent_text.id"))
    given_at_s: Mapped[float]


class Admin(Base):
    """Somebody who runs campaigns."""

    __tablename__ = "admin"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(64), unique=True)
    password_hash: Mapped[str] = mapped_column(String(256))
    created_at_s: Mapped[float]


class AdminSession(Base):
    """A login; only the hash of its secret is kept."""

    __tablename__ = "admin_session"
    secret_sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    admin_id: Mapped[int] = mapped_column(ForeignKey("admin.id"))
    expires_at_s: Mapped[float]


class Sentence(Base):
    """Something to read aloud. state: proposed | accepted | refused | reported.

    Attributes:
        text: as it is shown. spoken: what the normaliser makes of it. spoken_sha256: of `spoken`, for doubles.
        gain: what a recording of it is expected to bring (sentences/supply.py); higher comes first.
        takes: clips that wait or are accepted.
    """

    __tablename__ = "sentence"
    __table_args__ = (
        UniqueConstraint("campaign_id", "spoken_sha256"),
        Index("ix_sentence_supply", "campaign_id", "state", "takes", "gain"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaign.id"))
    text: Mapped[str] = mapped_column(Text)
    spoken: Mapped[str] = mapped_column(Text)
    spoken_sha256: Mapped[str] = mapped_column(String(64))
    source: Mapped[str] = mapped_column(String(300), default="")
    licence: Mapped[str] = mapped_column(String(64), default="")
    state: Mapped[str] = mapped_column(String(16), default="accepted")
    proposer_id: Mapped[str | None] = mapped_column(ForeignKey("voice.id"), default=None)
    gain: Mapped[float] = mapped_column(default=0.0)
    takes: Mapped[int] = mapped_column(default=0)
    created_at_s: Mapped[float]


class SentenceVote(Base):
    """Whether a proposed sentence is good."""

    __tablename__ = "sentence_vote"
    sentence_id: Mapped[int] = mapped_column(ForeignKey("sentence.id"), primary_key=True)
    voice_id: Mapped[str] = mapped_column(ForeignKey("voice.id"), primary_key=True)
    yes: Mapped[bool]
    created_at_s: Mapped[float]


class SentencePass(Base):
    """That a voice was handed a sentence, skipped or reported it. kind: handed | skipped | reported."""

    __tablename__ = "sentence_pass"
    sentence_id: Mapped[int] = mapped_column(ForeignKey("sentence.id"), primary_key=True)
    voice_id: Mapped[str] = mapped_column(ForeignKey("voice.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str] = mapped_column(String(300), default="")
    created_at_s: Mapped[float]


class Clip(Base):
    """A recording that passed the checks. state: asked | waiting | accepted | refused.

    Attributes:
        id: chosen by the browser for each recording, so that an upload sent twice is one clip.
        sound_sha256: names the file; samples_sha256 and fingerprint find copies.
        doubt: what the network heard instead, "" where nobody doubts; asked = the volunteer has not said yet.
        yes, no: votes so far.
    """

    __tablename__ = "clip"
    __table_args__ = (
        UniqueConstraint("campaign_id", "samples_sha256"),
        UniqueConstraint("voice_id", "sentence_id"),
        Index("ix_clip_queue", "campaign_id", "state", "yes", "no", "created_at_s"),
        {"sqlite_autoincrement": True},  # a number that was withdrawn never comes again
    )
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    id: Mapped[str] = mapped_column(String(36), unique=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaign.id"))
    sentence_id: Mapped[int] = mapped_column(ForeignKey("sentence.id"), index=True)
    voice_id: Mapped[str] = mapped_column(ForeignKey("voice.id"))
    consent_id: Mapped[int] = mapped_column(ForeignKey("consent.id"))
    sound_sha256: Mapped[str] = mapped_column(String(64))
    samples_sha256: Mapped[str] = mapped_column(String(64))
    fingerprint: Mapped[str] = mapped_column(String(32))
    duration_s: Mapped[float]
    measures: Mapped[dict[str, Any]] = mapped_column(JSON)
    doubt: Mapped[str] = mapped_column(Text, default="")
    state: Mapped[str] = mapped_column(String(16), default="waiting")
    yes: Mapped[int] = mapped_column(default=0)
    no: Mapped[int] = mapped_column(default=0)
    created_at_s: Mapped[float]
    decided_at_s: Mapped[float | None] = mapped_column(default=None)


class Vote(Base):
    """What one listener said of one clip. words: numbers of the words that were misread, from 0."""

    __tablename__ = "vote"
    clip_number: Mapped[int] = mapped_column(ForeignKey("clip.number"), primary_key=True)
    voice_id: Mapped[str] = mapped_column(ForeignKey("voice.id"), primary_key=True)
    yes: Mapped[bool]
    reason: Mapped[str] = mapped_column(String(16), default="")
    words: Mapped[list[int]] = mapped_column(JSON, default=list)
    created_at_s: Mapped[float]


class Stopped(Base):
    """A take that the checks stopped before any ears: no sound is kept of it."""

    __tablename__ = "stopped"
    take: Mapped[str] = mapped_column(String(36), primary_key=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaign.id"), index=True)
    sentence_id: Mapped[int] = mapped_column(ForeignKey("sentence.id"))
    voice_id: Mapped[str] = mapped_column(ForeignKey("voice.id"))
    check: Mapped[str] = mapped_column(String(32))
    values: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    created_at_s: Mapped[float]


class Withdrawn(Base):
    """That a clip was here and is gone: neither text nor sound, only whose it was."""

    __tablename__ = "withdrawn"
    clip_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaign.id"), index=True)
    voice_id: Mapped[str] = mapped_column(String(24))
    withdrawn_at_s: Mapped[float]
