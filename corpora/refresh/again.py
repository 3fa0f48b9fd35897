"""The very same refresh as before, over the very same files: noticed before anything heavy is imported.

After a refresh a note says under which command line, code and files which version stands. When all of that is as it
was and the version is still whole and current, there is nothing to do. Anything that differs, or cannot be looked at
here (URLs, zips in parts), leaves the question to `plan_refresh`, which asks more closely. Nothing is decided by
names alone: sizes, change times and inodes of all files of the source stand in the note's key.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from native.errors import SpeechmillError
from store import checkout_root
from store.errors import StoreError
from store.shared.places import is_remote
from store.store import Store
from store.writing import read_json, write_json_atomic

_CODE = ("corpora", "store", "native", "build/native/python")
_ANYHOW = {"--json", "--verbose"}  # change what is printed, never what is done


def refresh_key(line: Sequence[str], store: Store) -> str | None:
    """A hash of a command line and of all files it reads: the sources' trees, files it names, settings, code.

    None where that cannot be told cheaply.
    """
    sources = _words_of(line, "--source")
    odd = any(is_remote(source) or source.endswith(".001") for source in sources)
    if not sources or odd or store.is_shared or "--dask" in line:
        return None
    parts: list[Any] = [
        [word for word in line if word not in _ANYHOW],
        str(Path.cwd()),
        os.environ.get("SPEECHMILL_ROOT"),
    ]
    try:
        parts += [[source, _tree(Path(source))] for source in sources]
        parts += [_stamp(Path(word)) for word in line if Path(word).is_file()]
        parts.append(_stamp(store.settings_path) if store.settings_path.is_file() else "")
        parts.append(_tree(store.alphabets_dir))
        root = checkout_root()
        parts += [_tree(root / name, (".py", ".so", ".txt", ".toml")) for name in _CODE]
        parts.append(
            [sys.version, [_stamp(Path(place)) for place in sys.path if place.endswith("site-packages")]]
        )
    except OSError:
        return None
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def named_store(line: Sequence[str]) -> str | None:
    """What follows --store in a command line; None where it does not stand there."""
    return next(iter(_words_of(line, "--store")), None)


def _words_of(line: Sequence[str], option: str) -> list[str]:
    """The words between an option and the next one."""
    if option not in line:
        return []
    rest = line[line.index(option) + 1 :]
    end = next((at for at, word in enumerate(rest) if word.startswith("-")), len(rest))
    return list(rest[:end])


def _stamp(path: Path | os.DirEntry[str]) -> str:
    status = path.stat()
    return f"{status.st_size}-{status.st_mtime_ns}-{status.st_ctime_ns}-{status.st_ino}"


def _tree(path: Path, suffixes: tuple[str, ...] = ()) -> str:
    """A hash over the names and stamps of a file, or of all files below a folder."""
    digest = hashlib.sha256()
    for entry in _files(path) if path.is_dir() else [path]:
        if not suffixes or entry.name.endswith(suffixes):
            with suppress(FileNotFoundError):  # a link that leads nowhere is the importer's business
                digest.update(f"{os.fspath(entry)}\t{_stamp(entry)}\n".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def _files(folder: str | Path) -> Iterator[os.DirEntry[str]]:
    """All files below a folder, in a fixed order.

    Raises:
        OSError: a link to a folder lies there: what is behind it is not looked at here.
    """
    with os.scandir(folder) as found:
        entries = sorted(found, key=lambda entry: entry.name)
    for entry in entries:
        if not entry.is_dir():
            yield entry
        elif entry.is_symlink():
            raise OSError("a link to a folder")
        else:
            yield from _files(entry.path)


def remember(store: Store, key: str, answer: dict[str, Any]) -> None:
    """Note that this command line over these files gives the version that a refresh has just answered."""
    from corpora.curation.decisions import curation_mark
    from corpora.versions.withdrawals import withdrawn_mark

    name = answer["corpus"]
    note = {
        "name": name,
        "version": answer["version"],
        "withdrawn": withdrawn_mark(store, name),
        "curated": curation_mark(store, name),
    }
    with suppress(StoreError):  # what could not be noted is asked for more closely next time
        write_json_atomic(_path(store, key), note)


def unchanged_answer(store: Store, key: str) -> dict[str, Any] | None:
    """What `refresh` answers when nothing has changed since the note was written; None where something may have."""
    path = _path(store, key)
    if not path.is_file():
        return None
    from corpora.curation.decisions import curation_mark
    from corpora.versions.manifest import answer_of
    from corpora.versions.withdrawals import withdrawn_mark

    try:
        note = read_json(path)
        corpus = store.corpus(note["name"])
        marks = [withdrawn_mark(store, corpus.name), curation_mark(store, corpus.name)]
        as_noted = [note["withdrawn"], note.get("curated", "")] == marks
        if corpus.version != note["version"] or not as_noted or not corpus.is_whole():
            return None
        return answer_of(corpus, "unchanged")
    except (SpeechmillError, KeyError, TypeError, OSError):
        return None


def _path(store: Store, key: str) -> Path:
    return store.cache_dir / "again" / f"{key[:32]}.json"
