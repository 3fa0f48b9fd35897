"""How Alembic reaches the database: `Database.migrate` hands it the URL."""

from __future__ import annotations

from alembic import context

from collect.database.engine import Database
from collect.database.tables import Base

database = Database(context.config.get_main_option("sqlalchemy.url") or "")
with database.engine.connect() as connection:
    context.configure(connection=connection, target_metadata=Base.metadata, render_as_batch=True)
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()
database.close()
