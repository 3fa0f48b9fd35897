"""What the pages ask for: versions, their open indexes, indexes that are still being made, rows with decisions."""

from __future__ import annotations

import csv
import io
import logging
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

from corpora.browsing.index import build_index, index_path
from corpora.browsing.search import MOST_ROWS, Index, OpenIndexes, Search, read_search
from corpora.browsing.sound import read_row, read_sound
from corpora.curation.curate import Wish, curate
from corpora.curation.decisions import Decision, is_due, read_decisions, standing
from corpora.donations.description import NAME
from corpora.versions.history import history
from native.errors import SpeechmillError
from store.corpus import Corpus
from store.errors import NotPublishedError, StoreError
from store.opening import open_store
from store.store import Store

_AT_ONCE = 20_000  # rows: more are indexed by a process of its own, so that a server keeps its memory
_MOST_CSV = 100_000
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_log = logging.getLogger(__name__)


class Building(Exception):
    """The index is still being made; ask again."""


class Library:
    """The published corpora of a store as a browser sees them; may be asked by several threads."""

    def __init__(self) -> None:
        self._indexes = OpenIndexes()
        self._lock = threading.Lock()
        self._builders: dict[tuple[str, str], subprocess.Popen[bytes]] = {}

    @property
    def store(self) -> Store:
        """The store that is in force."""
        return open_store()

    def corpora(self) -> list[dict[str, Any]]:
        """All corpora with all their versions, the newest first, and whether decisions wait for a refresh."""
        store, found = self.store, []
        for name in store.corpus_names():
            try:
                due = is_due(store, store.corpus(name))
                found.append({"name": name, "due": due, "versions": history(store, name)[::-1]})
            except SpeechmillError as error:
                found.append({"name": name, "due": False, "versions": [], "error": str(error)})
        return found

    def corpus(self, name: str, version: str | None = None) -> Corpus:
        """A version; None = the current one.

        Raises:
            NotPublishedError: no such corpus or version.
        """
        if not NAME.fullmatch(name) or (version and not version.isalnum()):
            raise NotPublishedError(f"there is no corpus {name!r} {version or ''}")
        store = self.store
        current = version in (None, "", "current")
        return _opened(store.root, name, store.corpus(name).version if current else version)

    def index(self, name: str, version: str | None) -> tuple[Corpus, Index]:
        """A version and its index.

        Raises:
            Building: it is being made. StoreError: it cannot be made.
        """
        corpus, store = self.corpus(name, version), self.store
        path = index_path(store, corpus)
        if not path.is_file():
            self._build(store, corpus)
        return corpus, self._indexes.get(path)

    def _build(self, store: Store, corpus: Corpus) -> None:
        items = corpus.manifest["items"]
        if items["accepted"] + items["rejected"] <= _AT_ONCE:
            build_index(store, corpus)
            return
        with self._lock:
            key = (corpus.name, corpus.version)
            builder = self._builders.get(key)
            if builder is None:
                command = [sys.executable, "-m", "corpora", "index", corpus.name, "--version", corpus.version]
                self._builders[key] = subprocess.Popen(
                    [*command, "--store", str(store.root)], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL
                )
                raise Building
            if builder.poll() is None:
                raise Building
            del self._builders[key]
            if builder.returncode:
                said = builder.stderr.read().decode(errors="replace") if builder.stderr else ""
                raise StoreError(f"the index of {corpus.name} cannot be made: {said[-500:]}")
            if not index_path(store, corpus).is_file():
                raise Building  # a table of doubt appeared meanwhile

    def search(self, name: str, version: str, said: Sequence[tuple[str, str]]) -> tuple[Index, Search]:
        """An index and a search for it; `decided=1` asks for rows that somebody decided about.

        Raises:
            Building, StoreError, UsageError.
        """
        corpus, index = self.index(name, version)
        sounds = None
        if dict(said).get("decided") == "1":
            sounds = [int(d.audio_sha256[:16], 16) for d in read_decisions(self.store, corpus.name)]
        return index, read_search(said, sounds)

    def row(self, name: str, version: str, number: int) -> dict[str, Any]:
        """All that is known of a row: columns, `decisions` about its sound, and which of them is in force.

        Raises:
            NotPublishedError: no such row.
        """
        corpus, index = self.index(name, version)
        row = index.row(number)
        if row is None:
            raise NotPublishedError(f"{name} {version} has no row {number}")
        sound = row.pop("sound")
        decisions = self._about(corpus, sound, row["utterance_id"])
        in_force = {decision.id for decision in standing(decisions).values()}
        told = [{**one.as_json(), "in_force": one.id in in_force} for one in decisions]
        if row["accepted"]:
            kept = read_row(corpus, row)
            row |= {key: kept[key] for key in ("text_scoring", "licence", "sample_rate_hz", "text_rules")}
        return {**row, "decisions": told}

    def _about(self, corpus: Corpus, sound: int | None, utterance_id: str | None) -> list[Decision]:
        """Decisions about a sound; a rejected row has none, there the id it was decided under says it."""
        found = read_decisions(self.store, corpus.name)
        if sound is not None:
            return [one for one in found if int(one.audio_sha256[:16], 16) == sound]
        sounds = {one.audio_sha256 for one in found if one.utterance_id == utterance_id}
        return [one for one in found if one.audio_sha256 in sounds]

    def sound(self, name: str, version: str, number: int) -> bytes:
        """The FLAC of a row.

        Raises:
            NotPublishedError: no such row, or it was refused: then no sound is kept.
        """
        corpus, index = self.index(name, version)
        row = index.row(number)
        if row is None or not row["accepted"]:
            raise NotPublishedError(f"{name} {version} keeps no sound of row {number}")
        return read_sound(corpus, row)

    def decide(self, name: str, version: str, number: int, wish: Wish) -> dict[str, Any]:
        """Keep a decision about a row, see `curate`; a refused row's may be undone."""
        corpus, index = self.index(name, version)
        row = index.row(number)
        if row is None:
            raise NotPublishedError(f"{name} {version} has no row {number}")
        wish = replace(wish, utterance_id=row["utterance_id"] or "")
        if row["accepted"]:
            return curate(self.store, corpus, wish, read_row(corpus, row))
        about = self._about(corpus, None, row["utterance_id"])
        if wish.action != "undo" or not about:
            raise NotPublishedError("nothing can be decided about a row whose sound is not kept")
        known = {"audio_sha256": about[-1].audio_sha256, "text": row["text_raw"]}
        return curate(self.store, corpus, wish, known)


@lru_cache(maxsize=16)
def _opened(root: Any, name: str, version: str) -> Corpus:
    """A version is content: opened once, its manifest read once."""
    return open_store(root).corpus(name, version)


def as_csv(index: Index, search: Search) -> Iterator[str]:
    """What a search finds, as lines of CSV; text that a spreadsheet would compute is defused by an apostrophe."""
    first = True
    for offset in range(search.offset, search.offset + _MOST_CSV, MOST_ROWS):
        rows = index.rows(replace(search, offset=offset, limit=MOST_ROWS))
        text = io.StringIO()
        writer = csv.writer(text)
        if first and rows:
            writer.writerow(rows[0])
        first = False
        for row in rows:
            writer.writerow([_cell(value) for value in row.values()])
        yield text.getvalue()
        if len(rows) < MOST_ROWS:
            return


def _cell(value: Any) -> Any:
    if isinstance(value, list):
        value = " ".join(value)
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
