"""Invite links: a secret that lets so many people in until a day."""

from __future__ import annotations

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from collect.database.tables import Campaign, Invite
from collect.errors import ForbiddenError, NotFoundError, SettingsError
from collect.people.secret import DAY_S, hash_of, new_secret, now_s


def invite(session: Session, campaign: Campaign, label: str, most_uses: int, days: float) -> str:
    """Make a link's secret; it is shown once and kept as a hash.

    Raises:
        SettingsError: no use, no day, or far too many.
    """
    if not 1 <= most_uses <= 100_000 or not 0 < days <= 3650:
        raise SettingsError(
            "{uses} uses within {days:g} days; wanted: 1 to 100,000 within at most 3,650",
            uses=most_uses,
            days=days,
        )
    secret = new_secret()
    session.add(
        Invite(
            campaign_id=campaign.id,
            secret_sha256=hash_of(secret),
            label=label.strip()[:100],
            most_uses=most_uses,
            expires_at_s=now_s() + days * DAY_S,
            created_at_s=now_s(),
        )
    )
    return secret


def find_invite(session: Session, secret: str) -> Invite:
    """The invite of a secret.

    Raises:
        NotFoundError: there is none. ForbiddenError: used up or expired.
    """
    found = session.scalar(select(Invite).where(Invite.secret_sha256 == hash_of(secret)))
    if found is None:
        raise NotFoundError("this invite link is not known here: was it copied whole?")
    if found.expires_at_s < now_s():
        raise ForbiddenError("this invite link has expired: ask for a new one")
    if found.uses >= found.most_uses:
        raise ForbiddenError("this invite link has been used as often as it may be: ask for a new one")
    return found


def use_invite(session: Session, found: Invite) -> None:
    """Count one use; of two at once on the last place only one succeeds.

    Raises:
        ForbiddenError: it was used up meanwhile.
    """
    changed = session.execute(
        update(Invite)
        .where(Invite.id == found.id, Invite.uses < Invite.most_uses)
        .values(uses=Invite.uses + 1)
    )
    if changed.rowcount != 1:  # type: ignore[attr-defined]
        raise ForbiddenError("this invite link has been used as often as it may be: ask for a new one")
