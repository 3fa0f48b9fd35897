"""A question to an index: which rows, in which order. Every value from outside is bound, every name is looked up.

A search is words that must all occur (in the text or in the source's own), `"several words"` as they stand; upper and
lower case are the same. Columns can be filtered from … to …, and any column sorts.
"""

from __future__ import annotations

import re
import threading
import unicodedata
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from corpora.browsing.columns import BY_NAME, COLUMNS
from store.errors import UsageError

if TYPE_CHECKING:
    import duckdb

MOST_ROWS = 500
_MEMORY = "128MB"
_OPEN = 2
_TERM = re.compile(r'"([^"]*)"|(\S+)')
_LISTED = ["row", "accepted", *(column.name for column in COLUMNS if column.shown)]
_EXACT = ("split", "subset", "speaker_id", "donor_id", "gender", "language", "check")


@dataclass(frozen=True)
class Search:
    """What is looked for.

    Attributes:
        text: words, see above. place: part of an id, of the source's or the transcript's name.
        kind: "accepted", "rejected" or "" for both. exact: column → value. flag: one flag.
        ranges: column → (from, to), None = open. sounds: only rows with these sounds (first 64 bits); None = all.
        sort: a column, "" = as they stand. down: the largest first.
    """

    text: str = ""
    place: str = ""
    kind: str = ""
    exact: Mapping[str, str] = field(default_factory=dict)
    flag: str = ""
    ranges: Mapping[str, tuple[float | None, float | None]] = field(default_factory=dict)
    sounds: Sequence[int] | None = None
    sort: str = ""
    down: bool = False
    offset: int = 0
    limit: int = 50


def read_search(values: Sequence[tuple[str, str]], sounds: Sequence[int] | None = None) -> Search:
    """The search that the parameters of an address ask for: `text=…&speaker_id=…&range=snr_db:10:&sort=doubt&down=1`.

    Raises:
        UsageError: a column or a number is none.
    """
    said = dict(values)
    ranges = {}
    for key, value in values:
        if key == "range":
            name, low, high = (*value.split(":"), "", "")[:3]
            ranges[name] = (_number(low), _number(high))
    wrong = [name for name in ranges if name not in BY_NAME or not BY_NAME[name].is_number]
    wrong += [said["sort"]] if said.get("sort") and said["sort"] not in BY_NAME else []
    if wrong:
        raise UsageError(f"there is no such column: {wrong[0]!r}")
    return Search(
        text=said.get("text", ""),
        place=said.get("place", ""),
        kind=said.get("kind", ""),
        exact={name: said[name] for name in _EXACT if said.get(name)},
        flag=said.get("flag", ""),
        ranges=ranges,
        sounds=sounds,
        sort=said.get("sort", ""),
        down=said.get("down", "") in ("1", "true"),
        offset=max(0, int(_number(said.get("offset", "")) or 0)),
        limit=max(1, min(MOST_ROWS, int(_number(said.get("limit", "")) or 50))),
    )


def _number(text: str) -> float | None:
    try:
        value = float(text) if text.strip() else None
    except ValueError as error:
        raise UsageError(f"{text!r} is no number") from error
    if value is not None and not abs(value) < 1e12:
        raise UsageError(f"{text!r} is too large")
    return value


def _condition(search: Search) -> tuple[str, list[Any]]:
    """The condition of a search in SQL, and its values."""
    parts: list[tuple[str, list[Any]]] = []
    if search.kind in ("accepted", "rejected"):
        parts.append(("accepted" if search.kind == "accepted" else "NOT accepted", []))
    parts += [(f'"{name}" = ?', [value]) for name, value in search.exact.items()]
    if search.flag:
        parts.append(("contains(flags, ?)", [f" {search.flag} "]))
    for name, (low, high) in search.ranges.items():
        parts += [(f'"{name}" >= ?', [low])] if low is not None else []
        parts += [(f'"{name}" <= ?', [high])] if high is not None else []
    if search.sounds is not None:
        parts.append(("list_contains(?, sound)", [list(search.sounds)]))
    if search.place:
        wanted = search.place.lower()
        names = ("utterance_id", "source_path", "transcript_path")
        parts.append((f"({' OR '.join(f'contains(lower({n}), ?)' for n in names)})", [wanted] * len(names)))
    for phrase, word in _TERM.findall(unicodedata.normalize("NFC", search.text.lower())):
        if phrase or word:
            parts.append(("contains(found, ?)", [phrase or word]))
    condition = " AND ".join(part for part, _ in parts) or "true"
    return condition, [value for _, values in parts for value in values]


class Index:
    """An open index; may be asked by several threads."""

    def __init__(self, path: Path) -> None:
        import duckdb

        self._database = duckdb.connect(
            path,
            read_only=True,
            config={"memory_limit": _MEMORY, "threads": 2, "temp_directory": str(path.parent / ".spill")},
        )

    def _cursor(self) -> duckdb.DuckDBPyConnection:
        return self._database.cursor()

    def rows(self, search: Search) -> list[dict[str, Any]]:
        """The rows of one page, with the columns that a list shows."""
        condition, values = _condition(search)
        order = "row"
        if search.sort:
            order = f'"{search.sort}" {"DESC" if search.down else "ASC"} NULLS LAST, row'
        with self._cursor() as cursor:
            # Which rows first, by the few columns that it takes; then all columns of those alone: ten times cheaper.
            chosen = f"SELECT rowid FROM rows WHERE {condition} ORDER BY {order} LIMIT ? OFFSET ?"
            asked = (f"rowid IN ({chosen}) ORDER BY {order}", [*values, search.limit, search.offset])
            return _read(cursor, _LISTED, asked)

    def count(self, search: Search) -> int:
        """How many rows a search finds."""
        condition, values = _condition(search)
        with self._cursor() as cursor:
            found = cursor.execute(f"SELECT count(*) FROM rows WHERE {condition}", values).fetchone()
        return int(found[0]) if found else 0

    def row(self, number: int) -> dict[str, Any] | None:
        """All that is known of a row, its place included."""
        names = [
            *("row", "accepted", "shard", "row_group", "place", "sound"),
            *(column.name for column in COLUMNS),
        ]
        with self._cursor() as cursor:
            return next(iter(_read(cursor, names, ("row = ?", [number]))), None)

    def where(self, columns: Sequence[str], value: str) -> tuple[dict[str, int], dict[str, Any]]:
        """How many rows have exactly this value in one of the columns, by split or "refused", and one of them."""
        known = [f'"{BY_NAME[name].name}" = ?' for name in columns]
        condition = " OR ".join(known)
        with self._cursor() as cursor:
            cursor.execute(
                "SELECT CASE WHEN accepted THEN split ELSE 'refused' END AS part, count(*), min(row) FROM rows "
                f"WHERE {condition} GROUP BY part ORDER BY min(row)",
                [value] * len(known),
            )
            found = cursor.fetchall()
            if not found:
                return {}, {}
            counted = {str(part): int(count) for part, count, _ in found}
            first = min(row for _, _, row in found)
            return counted, _read(cursor, _LISTED, ("row = ?", [first]))[0]

    def values(self, kind: str, begins: str, most: int) -> list[tuple[str, int]]:
        """The commonest values of a facet that contain a text, with how many rows have them."""
        with self._cursor() as cursor:
            cursor.execute(
                "SELECT value, count FROM facets WHERE kind = ? AND contains(lower(value), ?) "
                "ORDER BY count DESC, value LIMIT ?",
                [kind, begins.lower(), most],
            )
            return [(str(value), int(count)) for value, count in cursor.fetchall()]


def _read(
    cursor: duckdb.DuckDBPyConnection, names: Sequence[str], asked: tuple[str, list[Any]]
) -> list[dict[str, Any]]:
    """Some columns of the rows that a condition with its values names."""
    wanted = ", ".join(f'"{name}"' for name in names)
    cursor.execute(f"SELECT {wanted} FROM rows WHERE {asked[0]}", asked[1])
    rows = [dict(zip(names, values, strict=True)) for values in cursor.fetchall()]
    for row in rows:
        row["flags"] = (row["flags"] or "").split()
        if row["text_raw"] is None:
            row["text_raw"] = row["text"]
    return rows


class OpenIndexes:
    """The indexes that were asked last, open."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: OrderedDict[Path, Index] = OrderedDict()

    def get(self, path: Path) -> Index:
        """The index at a path; the one that was asked longest ago is closed for it."""
        with self._lock:
            if path in self._open:
                self._open.move_to_end(path)
                return self._open[path]
            while len(self._open) >= _OPEN:
                self._open.popitem(last=False)
            self._open[path] = Index(path)
            return self._open[path]
