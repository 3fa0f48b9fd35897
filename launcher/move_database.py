"""`python -m launcher.move_database FILE`: every row of an SQLite database of Airflow into the configured one.

Run by launcher/upkeep.py in Airflow's environment, after `airflow db migrate` has made the tables. One transaction: the
target has all rows or none. Types go through Airflow's own tables, so that times, JSON and ids arrive as what they are.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, MetaData, Table, create_engine, func, inspect, select, text

_AT_ONCE = 1000


def move(source: Engine, target: Engine, metadata: MetaData) -> dict[str, int]:
    """Copy all rows; answers how many by table.

    Raises:
        ValueError: the target has runs already, or the two were made by different versions.
    """
    with source.connect() as old, target.begin() as new:
        revisions = [connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
                     for connection in (old, new)]  # fmt: skip
        if revisions[0] != revisions[1]:
            raise ValueError(
                f"the tables are of different versions ({revisions[0]}, {revisions[1]}): start Airflow once"
            )
        there = set(inspect(old).get_table_names())
        tables = [table for table in metadata.sorted_tables if table.name in there]
        runs = new.execute(select(func.count()).select_from(metadata.tables["dag_run"])).scalar()
        if runs:
            raise ValueError(f"the target has {runs} runs already: name an empty database")
        for table in reversed(tables):
            new.execute(table.delete())
        counts = {table.name: _copy(old, new, table) for table in tables}
        for table in tables:
            _set_sequence(new, table)
    return counts


def _copy(old: Connection, new: Connection, table: Table) -> int:
    count = 0
    found = old.execution_options(stream_results=True).execute(select(table)).mappings()
    for rows in found.partitions(_AT_ONCE):
        values: list[dict[str, Any]] = [dict(row) for row in rows]
        new.execute(table.insert(), values)
        count += len(values)
    return count


def _set_sequence(new: Connection, table: Table) -> None:
    """The next id is one that no copied row has."""
    for column in table.primary_key.columns:
        sequence = new.execute(select(func.pg_get_serial_sequence(table.name, column.name))).scalar()
        if sequence:
            new.execute(
                text(
                    f'SELECT setval(:sequence, COALESCE((SELECT MAX("{column.name}") FROM "{table.name}"), 0) + 1, false)'
                ),
                {"sequence": sequence},
            )


def main() -> int:
    """Move what the command line names into what Airflow's configuration names."""
    from airflow.configuration import conf
    from airflow.models import import_all_models
    from airflow.models.base import Base

    import_all_models()
    source = create_engine(f"sqlite:///file:{Path(sys.argv[1])}?mode=ro&uri=true")
    target = create_engine(conf.get_mandatory_value("database", "sql_alchemy_conn"))
    try:
        counts = move(source, target, Base.metadata)
    except ValueError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(json.dumps(counts) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
