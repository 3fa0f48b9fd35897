"""Admins: argon2 passwords and sessions of twelve hours."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from collect.database.tables import Admin, AdminSession
from collect.errors import ConflictError, ForbiddenError, SettingsError
from collect.people.secret import hash_of, new_secret, now_s

if TYPE_CHECKING:
    from argon2 import PasswordHasher

SESSION_S = 12 * 3600.0
LEAST_PASSWORD = 10


@cache
def _hasher() -> PasswordHasher:
    from argon2 import PasswordHasher

    return PasswordHasher(memory_cost=32_768, parallelism=2)


@cache
def _nobody() -> str:
    """A hash that is checked where there is no such admin, so that both take the same time."""
    return _hasher().hash(new_secret())


def add_admin(session: Session, name: str, password: str) -> Admin:
    """A new admin.

    Raises:
        SettingsError: no name, or too short a password. ConflictError: the name is taken.
    """
    if not 0 < len(name.strip()) <= 64:
        raise SettingsError("the admin's name has to have 1 to 64 letters")
    if not LEAST_PASSWORD <= len(password) <= 1000:
        raise SettingsError(
            "the password has {letters} letters; wanted: at least {least}",
            letters=len(password),
            least=LEAST_PASSWORD,
        )
    if session.scalar(select(Admin.id).where(Admin.name == name.strip())) is not None:
        raise ConflictError("there is an admin {name} already", name=name.strip())
    admin = Admin(name=name.strip(), password_hash=_hasher().hash(password), created_at_s=now_s())
    session.add(admin)
    session.flush()
    return admin


def log_in(session: Session, name: str, password: str) -> str:
    """The secret of a new session.

    Raises:
        ForbiddenError: name or password is wrong; it is not said which.
    """
    from argon2.exceptions import VerificationError

    admin = session.scalar(select(Admin).where(Admin.name == name.strip()[:64]))
    try:
        _hasher().verify(admin.password_hash if admin else _nobody(), password[:1000])
    except VerificationError:
        admin = None
    if admin is None:
        raise ForbiddenError("name or password is wrong")
    secret = new_secret()
    session.execute(delete(AdminSession).where(AdminSession.expires_at_s < now_s()))
    session.add(
        AdminSession(secret_sha256=hash_of(secret), admin_id=admin.id, expires_at_s=now_s() + SESSION_S)
    )
    return secret


def log_out(session: Session, secret: str) -> None:
    """End a session."""
    session.execute(delete(AdminSession).where(AdminSession.secret_sha256 == hash_of(secret)))


def admin_of(session: Session, secret: str) -> Admin | None:
    """The admin of a session that has not expired."""
    if not 20 <= len(secret) <= 100:
        return None
    return session.scalar(
        select(Admin)
        .join(AdminSession, AdminSession.admin_id == Admin.id)
        .where(AdminSession.secret_sha256 == hash_of(secret), AdminSession.expires_at_s > now_s())
    )
