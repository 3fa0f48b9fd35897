"""The tables of the first release."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """To this version."""
    _people()
    _voices()
    _sentences()
    _recordings()
    _judgements()


def _people() -> None:
    """Campaigns, their texts, admins."""
    op.create_table(
        "admin",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("password_hash", sa.String(length=256), nullable=False),
        sa.Column("created_at_s", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_admin")),
        sa.UniqueConstraint("name", name=op.f("uq_admin_name")),
    )
    op.create_table(
        "campaign",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=48), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("language", sa.String(length=16), nullable=False),
        sa.Column("licence", sa.String(length=64), nullable=False),
        sa.Column("goal_hours", sa.Double(), nullable=False),
        sa.Column("votes_to_decide", sa.Integer(), nullable=False),
        sa.Column("takes_per_sentence", sa.Integer(), nullable=False),
        sa.Column("open_registration", sa.Boolean(), nullable=False),
        sa.Column("is_open", sa.Boolean(), nullable=False),
        sa.Column("created_at_s", sa.Double(), nullable=False),
        sa.Column("published_at_s", sa.Double(), nullable=True),
        sa.Column("publish_every_s", sa.Double(), nullable=True),
        sa.Column("published_version", sa.String(length=64), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaign")),
        sa.UniqueConstraint("name", name=op.f("uq_campaign_name")),
    )
    op.create_table(
        "admin_session",
        sa.Column("secret_sha256", sa.String(length=64), nullable=False),
        sa.Column("admin_id", sa.Integer(), nullable=False),
        sa.Column("expires_at_s", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["admin_id"], ["admin.id"], name=op.f("fk_admin_session_admin_id")),
        sa.PrimaryKeyConstraint("secret_sha256", name=op.f("pk_admin_session")),
    )
    op.create_table(
        "consent_text",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("campaign_id", sa.Integer(), nullable=False),
        sa.Column("language", sa.String(length=16), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("licence", sa.String(length=64), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("created_at_s", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaign.id"], name=op.f("fk_consent_text_campaign_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent_text")),
        sa.UniqueConstraint(
            "campaign_id", "language", "version", name=op.f("uq_consent_text_campaign_id_language_version")
        ),
    )


def _voices() -> None:
    """Invites, voices, what they agreed to."""
    op.create_table(
        "invite",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("campaign_id", sa.Integer(), nullable=False),
        sa.Column("secret_sha256", sa.String(length=64), nullable=False),
        sa.Column("label", sa.String(length=100), nullable=False),
        sa.Column("most_uses", sa.Integer(), nullable=False),
        sa.Column("uses", sa.Integer(), nullable=False),
        sa.Column("expires_at_s", sa.Double(), nullable=False),
        sa.Column("created_at_s", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaign.id"], name=op.f("fk_invite_campaign_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invite")),
        sa.UniqueConstraint("secret_sha256", name=op.f("uq_invite_secret_sha256")),
    )
    with op.batch_alter_table("invite", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_invite_campaign_id"), ["campaign_id"], unique=False)

    op.create_table(
        "voice",
        sa.Column("id", sa.String(length=24), nullable=False),
        sa.Column("campaign_id", sa.Integer(), nullable=False),
        sa.Column("secret_sha256", sa.String(length=64), nullable=False),
        sa.Column("invite_id", sa.Integer(), nullable=True),
        sa.Column("age", sa.String(length=16), nullable=False),
        sa.Column("gender", sa.String(length=16), nullable=False),
        sa.Column("accent", sa.String(length=200), nullable=False),
        sa.Column("created_at_s", sa.Double(), nullable=False),
        sa.Column("withdrawn_at_s", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaign.id"], name=op.f("fk_voice_campaign_id")),
        sa.ForeignKeyConstraint(["invite_id"], ["invite.id"], name=op.f("fk_voice_invite_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_voice")),
        sa.UniqueConstraint("secret_sha256", name=op.f("uq_voice_secret_sha256")),
    )
    with op.batch_alter_table("voice", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_voice_campaign_id"), ["campaign_id"], unique=False)

    op.create_table(
        "consent",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("voice_id", sa.String(length=24), nullable=False),
        sa.Column("text_id", sa.Integer(), nullable=False),
        sa.Column("given_at_s", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["text_id"], ["consent_text.id"], name=op.f("fk_consent_text_id")),
        sa.ForeignKeyConstraint(["voice_id"], ["voice.id"], name=op.f("fk_consent_voice_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent")),
    )
    with op.batch_alter_table("consent", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_consent_voice_id"), ["voice_id"], unique=False)


def _sentences() -> None:
    """Sentences and what was said of them."""
    op.create_table(
        "sentence",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("campaign_id", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("spoken", sa.Text(), nullable=False),
        sa.Column("spoken_sha256", sa.String(length=64), nullable=False),
        sa.Column("source", sa.String(length=300), nullable=False),
        sa.Column("licence", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("proposer_id", sa.String(length=24), nullable=True),
        sa.Column("gain", sa.Double(), nullable=False),
        sa.Column("takes", sa.Integer(), nullable=False),
        sa.Column("created_at_s", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaign.id"], name=op.f("fk_sentence_campaign_id")),
        sa.ForeignKeyConstraint(["proposer_id"], ["voice.id"], name=op.f("fk_sentence_proposer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sentence")),
        sa.UniqueConstraint(
            "campaign_id", "spoken_sha256", name=op.f("uq_sentence_campaign_id_spoken_sha256")
        ),
    )
    with op.batch_alter_table("sentence", schema=None) as batch_op:
        batch_op.create_index("ix_sentence_supply", ["campaign_id", "state", "takes", "gain"], unique=False)

    op.create_table(
        "sentence_pass",
        sa.Column("sentence_id", sa.Integer(), nullable=False),
        sa.Column("voice_id", sa.String(length=24), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=300), nullable=False),
        sa.Column("created_at_s", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["sentence_id"], ["sentence.id"], name=op.f("fk_sentence_pass_sentence_id")),
        sa.ForeignKeyConstraint(["voice_id"], ["voice.id"], name=op.f("fk_sentence_pass_voice_id")),
        sa.PrimaryKeyConstraint("sentence_id", "voice_id", name=op.f("pk_sentence_pass")),
    )
    op.create_table(
        "sentence_vote",
        sa.Column("sentence_id", sa.Integer(), nullable=False),
        sa.Column("voice_id", sa.String(length=24), nullable=False),
        sa.Column("yes", sa.Boolean(), nullable=False),
        sa.Column("created_at_s", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["sentence_id"], ["sentence.id"], name=op.f("fk_sentence_vote_sentence_id")),
        sa.ForeignKeyConstraint(["voice_id"], ["voice.id"], name=op.f("fk_sentence_vote_voice_id")),
        sa.PrimaryKeyConstraint("sentence_id", "voice_id", name=op.f("pk_sentence_vote")),
    )


def _recordings() -> None:
    """Clips."""
    op.create_table(
        "clip",
        sa.Column("number", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("campaign_id", sa.Integer(), nullable=False),
        sa.Column("sentence_id", sa.Integer(), nullable=False),
        sa.Column("voice_id", sa.String(length=24), nullable=False),
        sa.Column("consent_id", sa.Integer(), nullable=False),
        sa.Column("sound_sha256", sa.String(length=64), nullable=False),
        sa.Column("samples_sha256", sa.String(length=64), nullable=False),
        sa.Column("fingerprint", sa.String(length=32), nullable=False),
        sa.Column("duration_s", sa.Double(), nullable=False),
        sa.Column("measures", sa.JSON(), nullable=False),
        sa.Column("doubt", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("yes", sa.Integer(), nullable=False),
        sa.Column("no", sa.Integer(), nullable=False),
        sa.Column("created_at_s", sa.Double(), nullable=False),
        sa.Column("decided_at_s", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaign.id"], name=op.f("fk_clip_campaign_id")),
        sa.ForeignKeyConstraint(["consent_id"], ["consent.id"], name=op.f("fk_clip_consent_id")),
        sa.ForeignKeyConstraint(["sentence_id"], ["sentence.id"], name=op.f("fk_clip_sentence_id")),
        sa.ForeignKeyConstraint(["voice_id"], ["voice.id"], name=op.f("fk_clip_voice_id")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_clip")),
        sa.UniqueConstraint("campaign_id", "samples_sha256", name=op.f("uq_clip_campaign_id_samples_sha256")),
        sa.UniqueConstraint("id", name=op.f("uq_clip_id")),
        sa.UniqueConstraint("voice_id", "sentence_id", name=op.f("uq_clip_voice_id_sentence_id")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("clip", schema=None) as batch_op:
        batch_op.create_index(
            "ix_clip_queue", ["campaign_id", "state", "yes", "no", "created_at_s"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_clip_sentence_id"), ["sentence_id"], unique=False)


def _judgements() -> None:
    """Votes, and what was stopped or withdrawn."""
    op.create_table(
        "withdrawn",
        sa.Column("clip_id", sa.String(length=36), nullable=False),
        sa.Column("campaign_id", sa.Integer(), nullable=False),
        sa.Column("voice_id", sa.String(length=24), nullable=False),
        sa.Column("withdrawn_at_s", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaign.id"], name=op.f("fk_withdrawn_campaign_id")),
        sa.PrimaryKeyConstraint("clip_id", name=op.f("pk_withdrawn")),
    )
    with op.batch_alter_table("withdrawn", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_withdrawn_campaign_id"), ["campaign_id"], unique=False)

    op.create_table(
        "stopped",
        sa.Column("take", sa.String(length=36), nullable=False),
        sa.Column("campaign_id", sa.Integer(), nullable=False),
        sa.Column("sentence_id", sa.Integer(), nullable=False),
        sa.Column("voice_id", sa.String(length=24), nullable=False),
        sa.Column("check", sa.String(length=32), nullable=False),
        sa.Column("values", sa.JSON(), nullable=False),
        sa.Column("created_at_s", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaign.id"], name=op.f("fk_stopped_campaign_id")),
        sa.ForeignKeyConstraint(["sentence_id"], ["sentence.id"], name=op.f("fk_stopped_sentence_id")),
        sa.ForeignKeyConstraint(["voice_id"], ["voice.id"], name=op.f("fk_stopped_voice_id")),
        sa.PrimaryKeyConstraint("take", name=op.f("pk_stopped")),
    )
    with op.batch_alter_table("stopped", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_stopped_campaign_id"), ["campaign_id"], unique=False)

    op.create_table(
        "vote",
        sa.Column("clip_number", sa.Integer(), nullable=False),
        sa.Column("voice_id", sa.String(length=24), nullable=False),
        sa.Column("yes", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.String(length=16), nullable=False),
        sa.Column("words", sa.JSON(), nullable=False),
        sa.Column("created_at_s", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["clip_number"], ["clip.number"], name=op.f("fk_vote_clip_number")),
        sa.ForeignKeyConstraint(["voice_id"], ["voice.id"], name=op.f("fk_vote_voice_id")),
        sa.PrimaryKeyConstraint("clip_number", "voice_id", name=op.f("pk_vote")),
    )


def downgrade() -> None:
    """To an empty database."""
    for table in (
        "vote",
        "stopped",
        "withdrawn",
        "clip",
        "sentence_vote",
        "sentence_pass",
        "sentence",
        "consent",
        "voice",
        "invite",
        "consent_text",
        "admin_session",
        "campaign",
        "admin",
    ):
        op.drop_table(table)
