"""Opening the database: SQLite in WAL mode, or PostgreSQL; reading and writing sessions.

A writing session begins with the write lock (SQLite) so that what it reads is still true when it writes; on
PostgreSQL rows are locked where they are read (`locked`). A commit is on the disk before `writing` returns.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event, inspect, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from collect.errors import StorageError

HEAD = "0001"  # the newest migration; a test compares it with the files
_BUSY_S = 20.0


class Database:
    """One database, by its URL."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.is_sqlite = url.startswith("sqlite")
        if self.is_sqlite:
            Path(url.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
            arguments: dict[str, Any] = {"timeout": _BUSY_S, "check_same_thread": False}
            self.engine = create_engine(url, connect_args=arguments, pool_size=16, max_overflow=32)
            _prepare_sqlite(self.engine)
        else:
            self.engine = create_engine(url, pool_size=16, max_overflow=16, pool_pre_ping=True)
        self._writer = self.engine.execution_options(writes=True)

    def migrate(self) -> None:
        """Bring the tables to the newest migration; cheap where they are."""
        if self._version() == HEAD:
            return
        from alembic import command

        command.upgrade(alembic_config(self.url), "head")

    def _version(self) -> str | None:
        with self.engine.connect() as connection:
            if not inspect(connection).has_table("alembic_version"):
                return None
            return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session that only reads."""
        with Session(self.engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A session whose changes are committed at the end of the block, or not at all.

        Raises:
            StorageError: the disk is full, or the database did not come free.
        """
        with Session(self._writer, expire_on_commit=False) as session:
            try:
                yield session
                session.commit()
            except OperationalError as error:
                session.rollback()
                raise StorageError(
                    "the database cannot be written ({cause}): is the disk full? Nothing was saved; try again",
                    cause=error.orig,
                ) from error

    def close(self) -> None:
        """Give all connections back."""
        self.engine.dispose()


def _prepare_sqlite(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def _connected(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # BEGIN is ours
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begun(connection: Any) -> None:
        writes = connection.get_execution_options().get("writes")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def alembic_config(url: str) -> Any:
    """Alembic's configuration for a database, without an ini file."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
    return config
