"""Who may log in, and as what: `$AIRFLOW_HOME/users.toml`, one line a person; passwords stand apart, mode 0600.

    anna = "admin"       may do everything
    bert = "operator"    may start, stop, flag and approve
    cleo = "reader"      may look and listen

Without the file there are `admin`, `operator` and `reader`. Passwords are made here, never chosen, and kept in
`secrets/passwords.json`, where Airflow's SimpleAuthManager reads them. This module starts nothing: a change holds from
the next `python -m launcher start`.
"""

from __future__ import annotations

import json
import re
import secrets
import tomllib
from pathlib import Path

from launcher.files import LaunchError, write_private

ROLES = {"reader": "viewer", "operator": "op", "admin": "admin"}  # ours → Airflow's
DEFAULT = {"admin": "admin", "operator": "operator", "reader": "reader"}
_NAME = re.compile(r"[a-z][a-z0-9_.-]{0,62}")


class Users:
    """The people of one home.

    Args:
        file: the list. passwords: JSON object of name → password.
    """

    def __init__(self, file: Path, passwords: Path) -> None:
        self.file, self._passwords = file, passwords

    def roles(self) -> dict[str, str]:
        """Name → role, by name.

        Raises:
            LaunchError: the file cannot be read, or names a role, a name or no admin at all that cannot be.
        """
        if not self.file.exists():
            return dict(DEFAULT)
        try:
            found = tomllib.loads(self.file.read_text("utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise LaunchError(f"{self.file} cannot be read: {error}") from error
        for name, role in found.items():
            self._check(name, role)
        if "admin" not in found.values():
            raise LaunchError(f'{self.file} names no admin: one line has to say <name> = "admin"')
        return dict(sorted(found.items()))

    def _check(self, name: str, role: object) -> None:
        if not _NAME.fullmatch(name):
            raise LaunchError(
                f"{self.file}: {name!r} is no name of a user; wanted: a–z, 0–9, . _ -, a letter first"
            )
        if role not in ROLES:
            raise LaunchError(f"{self.file}: {name} is {role!r}; wanted: {', '.join(ROLES)}")

    def admin(self) -> str:
        """An admin's name: the one the launcher itself asks Airflow as."""
        return next(name for name, role in self.roles().items() if role == "admin")

    def password(self, name: str) -> str:
        """The password of a user."""
        return self._read()[name]

    def for_airflow(self) -> str:
        """What `simple_auth_manager_users` wants."""
        return ",".join(f"{name}:{ROLES[role]}" for name, role in self.roles().items())

    def make_passwords(self) -> None:
        """Give everybody who has none a password, and forget those of people who are gone."""
        before, roles = self._read(), self.roles()
        now = {name: before.get(name) or secrets.token_urlsafe(9) for name in roles}
        if now != before:
            write_private(self._passwords, json.dumps(now))

    def add(self, name: str, role: str) -> str:
        """Add somebody, or give them another role; answers their password.

        Raises:
            LaunchError: no such role, or a name that cannot be.
        """
        self._check(name, role)
        self._write({**self.roles(), name: role})
        return self.password(name)

    def remove(self, name: str) -> None:
        """Let somebody in no more.

        Raises:
            LaunchError: there is nobody of that name, or nobody else is admin.
        """
        roles = self.roles()
        if name not in roles:
            raise LaunchError(f"there is no user {name!r}; there are: {', '.join(roles)}")
        del roles[name]
        if "admin" not in roles.values():
            raise LaunchError(f"{name} is the only admin: make somebody else admin first")
        self._write(roles)

    def new_password(self, name: str) -> str:
        """Another password for somebody.

        Raises:
            LaunchError: there is nobody of that name.
        """
        if name not in self.roles():
            raise LaunchError(f"there is no user {name!r}; there are: {', '.join(self.roles())}")
        write_private(self._passwords, json.dumps({**self._read(), name: secrets.token_urlsafe(9)}))
        return self.password(name)

    def _write(self, roles: dict[str, str]) -> None:
        lines = [f'{json.dumps(name)} = "{role}"' for name, role in sorted(roles.items())]
        write_private(self.file, "\n".join(lines) + "\n")
        self.make_passwords()

    def _read(self) -> dict[str, str]:
        if not self._passwords.exists():
            return {}
        passwords: dict[str, str] = json.loads(self._passwords.read_text("utf-8"))
        return passwords
