"""The index of a version: one small database per version, made when it is first looked at, deleted whenever you like.

`<store>/cache/browse/<name>/<version>-<stamp>.duckdb` holds a row per utterance and per rejection (columns.py), where the
sound of each lies (shard, row group, place), and how often each value occurs. It is made from the shards' columns
without sound, and anew when a table of doubt appears beside the version. Nothing is decided here and nothing is kept
that the shards do not say.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from corpora.browsing.columns import COLUMNS, DOUBTS, FACETS, HEARD, INDEX_VERSION, READ
from store.corpus import Corpus
from store.errors import StoreError
from store.store import Store
from store.writing import explain_write, temporary_beside

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

_ROWS_TOGETHER = 50_000
_MEMORY = "256MB"
_log = logging.getLogger(__name__)


def doubt_path(store: Store, corpus: Corpus) -> Path:
    """The table of doubt of a version: derived, written by `python -m training doubt`."""
    return store.cache_dir / "doubt" / corpus.name / f"{corpus.version}.parquet"


def index_path(store: Store, corpus: Corpus) -> Path:
    """Where the index of a version lies, or would."""
    doubt = doubt_path(store, corpus)
    stamp: list[Any] = [INDEX_VERSION, *((column.name, column.sql, column.of_row) for column in COLUMNS)]
    if doubt.is_file():
        status = doubt.stat()
        stamp += [status.st_size, status.st_mtime_ns]
    digest = hashlib.sha256(repr(stamp).encode()).hexdigest()[:8]
    return store.cache_dir / "browse" / corpus.name / f"{corpus.version}-{digest}.duckdb"


def build_index(store: Store, corpus: Corpus, tell: Callable[[int], None] = lambda rows: None) -> Path:
    """Make the index of a version, or find it; answers where it lies.

    Args:
        tell: called with the number of rows done.

    Raises:
        StoreError: a shard cannot be read, or the disk is full.
    """
    import duckdb

    path = index_path(store, corpus)
    with store.lock(f"browse-{corpus.name}-{corpus.version}"):
        if path.is_file():
            return path
        with explain_write(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            temporary = temporary_beside(path)
            temporary.unlink(missing_ok=True)
        try:
            with duckdb.connect(temporary, config={"memory_limit": _MEMORY, "threads": 2}) as database:
                _fill(database, store, corpus, tell)
            with explain_write(path):
                temporary.replace(path)
        except duckdb.Error as error:
            raise StoreError(f"the index {path} cannot be made ({error}); is the disk full?") from error
        finally:
            temporary.unlink(missing_ok=True)
            temporary.with_name(temporary.name + ".wal").unlink(missing_ok=True)
        _forget(store, corpus, path)
    return path


def _forget(store: Store, corpus: Corpus, kept: Path) -> None:
    """Indexes of this version that are behind, and those of versions that were deleted."""
    versions = {path.parent.name for path in corpus.path.parent.glob("*/manifest.json")}
    for path in kept.parent.glob("*.duckdb"):
        version = path.name.partition("-")[0]
        if path != kept and (version == corpus.version or version not in versions):
            path.unlink(missing_ok=True)


def _fill(
    database: duckdb.DuckDBPyConnection, store: Store, corpus: Corpus, tell: Callable[[int], None]
) -> None:
    import pyarrow as pa

    columns = ", ".join(f'"{column.name}" {column.sql}' for column in COLUMNS)
    places = "row INTEGER, accepted BOOLEAN, shard INTEGER, row_group INTEGER, place INTEGER, sound UBIGINT"
    database.execute(f"CREATE TABLE rows ({places}, {columns}, found VARCHAR)")
    _doubts(database, doubt_path(store, corpus))
    done = 0
    for table in _gathered(corpus):
        database.register("batch", table)
        values = ", ".join(column.of_row for column in COLUMNS)
        database.execute(
            f"INSERT INTO rows SELECT {done} + row_number() OVER () - 1, true, shard, row_group, place, "
            f"CAST('0x' || audio_sha256[1:16] AS UBIGINT), {values}, {_found('text', 'text_raw')} "
            "FROM batch LEFT JOIN doubts d USING (utterance_id)"
        )
        database.unregister("batch")
        done += table.num_rows
        tell(done)
    values = ", ".join(column.of_rejection for column in COLUMNS)
    for batch in corpus.rejection_batches():
        database.register("batch", pa.Table.from_batches([batch]))
        database.execute(
            f"INSERT INTO rows SELECT {done} + row_number() OVER () - 1, false, NULL, NULL, NULL, NULL, {values}, "
            f"{_found('text_raw', 'text_raw')} FROM batch"
        )
        database.unregister("batch")
        done += batch.num_rows
    database.execute("DROP TABLE doubts")
    _count_values(database)
    database.execute("CHECKPOINT")


def _found(text: str, raw: str) -> str:
    """What a search looks at: the text, and the source's own where they differ by more than case."""
    return (
        f"CASE WHEN lower({raw}) = {text} THEN {text} "
        f"ELSE lower(nfc_normalize(coalesce({text}, '') || chr(10) || coalesce({raw}, ''))) END"
    )


def _doubts(database: duckdb.DuckDBPyConnection, path: Path) -> None:
    """The table `doubts`, empty where nobody has doubted."""
    names = ", ".join([*DOUBTS, HEARD])
    columns = ", ".join(f"{name} FLOAT" for name in DOUBTS)
    database.execute(f"CREATE TEMP TABLE doubts (utterance_id VARCHAR, {columns}, {HEARD} VARCHAR)")
    if path.is_file():
        from corpora.versions.shards import read_table

        database.register("table_of_doubt", read_table(path, ["utterance_id", *DOUBTS, HEARD]))
        database.execute(f"INSERT INTO doubts SELECT utterance_id, {names} FROM table_of_doubt")
        database.unregister("table_of_doubt")


def _gathered(corpus: Corpus) -> Iterator[pa.Table]:
    """All rows without sound in large pieces, with the place of each."""
    import pyarrow as pa

    tables: list[pa.Table] = []
    rows = 0
    for table in _row_groups(corpus):
        tables.append(table)
        rows += table.num_rows
        if rows >= _ROWS_TOGETHER:
            yield pa.concat_tables(tables, promote_options="default").combine_chunks()
            tables, rows = [], 0
    if tables:
        yield pa.concat_tables(tables, promote_options="default").combine_chunks()


def _row_groups(corpus: Corpus) -> Iterator[pa.Table]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    for number, shard in enumerate(corpus.manifest["shards"]):
        try:
            with pq.ParquetFile(corpus.readable(shard["path"], READ)) as opened:
                for group in range(opened.num_row_groups):
                    table = opened.read_row_group(group, columns=READ, use_threads=False)
                    count = table.num_rows
                    for name, values in (("shard", [number] * count), ("row_group", [group] * count)):
                        table = table.append_column(name, pa.array(values, pa.int32()))
                    yield table.append_column("place", pa.array(range(count), pa.int32()))
        except (OSError, pa.ArrowException) as error:
            raise StoreError(
                f"shard {corpus.path / shard['path']} cannot be read ({error}); run the refresh of {corpus.name} again"
            ) from error


def _count_values(database: duckdb.DuckDBPyConnection) -> None:
    """How often each value of a facet occurs, so that a list of choices costs nothing."""
    database.execute("CREATE TABLE facets (kind VARCHAR, value VARCHAR, count BIGINT)")
    for name in FACETS:
        database.execute(
            f"INSERT INTO facets SELECT '{name}', \"{name}\", count(*) FROM rows "
            f'WHERE "{name}" <> \'\' GROUP BY "{name}"'
        )
    database.execute(
        "INSERT INTO facets SELECT 'flag', value, count(*) FROM (SELECT unnest(string_split(trim(flags), ' ')) AS value "
        "FROM rows WHERE trim(flags) <> '') GROUP BY value"
    )


def describe_index(store: Store, corpus: Corpus) -> dict[str, Any]:
    """What `python -m corpora index --json` prints: corpus, version, path, bytes."""
    path = index_path(store, corpus)
    size = path.stat().st_size
    return {"corpus": corpus.name, "version": corpus.version, "path": str(path), "bytes": size}
