"""Which sources may be named from outside (the UI, the REST interface): those below agreed roots.

The roots are in $SPEECHMILL_SOURCES, separated by colons; $SPEECHMILL_SOURCES_FILE names a file with the
same content, which wins, so that running processes see a change. Symbolic links are resolved first: a link
below a root that leads elsewhere is refused. A root may be `s3://bucket/prefix`: then what lies below it on S3 may
be named where archives are read; no other URL is allowed. No source is opened here. The command line does not ask:
who has a shell may read what the shell may.

What lies below the roots is offered by the form, their own entries and, further down, what an importer recognises:

    cache/offers.json       what was found inside each, by path, size and time: looked at once; where the search ended
    cache/last_form.json    what a refresh was asked for last

Listing names costs nothing; what looks inside is handed in (`corpora.refresh.preview`).
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from corpora.sources.names import ARCHIVE
from store.errors import UsageError
from store.shared.places import is_remote
from store.store import Store
from store.writing import read_cached, write_json_atomic

_S3 = "s3://"
_log = logging.getLogger(__name__)


def allowed_roots(environ: Mapping[str, str]) -> list[Path]:
    """The resolved roots on disks, in their order; relative and empty entries do not count."""
    return [Path(entry).resolve() for entry in _entries(environ) if entry.startswith("/")]


def allowed_entries(environ: Mapping[str, str]) -> list[str]:
    """The roots as they are written, those on S3 too, for people to read."""
    return [entry for entry in _entries(environ) if entry.startswith(("/", _S3))]


def _entries(environ: Mapping[str, str]) -> list[str]:
    """What the environment names, roots on S3 too: a colon before `//` belongs to a URL."""
    text = environ.get("SPEECHMILL_SOURCES", "")
    file = environ.get("SPEECHMILL_SOURCES_FILE")
    if file and Path(file).is_file():
        text = Path(file).read_text("utf-8").strip()
    return [entry.strip() for entry in re.split(r":(?!//)", text)]


def require_allowed(sources: Sequence[str], environ: Mapping[str, str] | None = None) -> list[Path]:
    """The sources as resolved paths, when every one lies below a root.

    Args:
        sources: paths as a person typed them.
        environ: where the roots stand; None = the process's own environment.

    Raises:
        UsageError: a source is empty, relative, a URL, or lies outside the roots (also by a symbolic link or
            `..`); names it and how to allow it.
    """
    roots = allowed_roots(os.environ if environ is None else environ)
    return [_allowed(source, roots) for source in sources]


def require_allowed_sources(
    sources: Sequence[str], environ: Mapping[str, str] | None = None
) -> list[Path | str]:
    """`require_allowed` for archives: `s3://…` below a root on S3 is allowed too, and comes back as it is.

    Raises:
        UsageError: as `require_allowed`; also a URL outside the roots on S3, or with `..` in it.
    """
    given = os.environ if environ is None else environ
    return [
        _allowed_url(source, given) if source.startswith(_S3) else _allowed(source, allowed_roots(given))
        for source in sources
    ]


def _allowed_url(source: str, environ: Mapping[str, str]) -> str:
    roots = [entry.rstrip("/") for entry in _entries(environ) if len(entry.rstrip("/")) > len(_S3)]
    roots = [entry for entry in roots if entry.startswith(_S3)]
    wanted = source.rstrip("/")
    strange = {".", ".."} & set(wanted.split("/")) or any(sign in wanted for sign in "\0\\?#*[]")
    if not strange and any(wanted == root or wanted.startswith(f"{root}/") for root in roots):
        return wanted
    there = ", ".join(roots) or "none"
    raise UsageError(
        f"source {source!r} lies outside the allowed roots on S3: {there}; allow its place with "
        "SPEECHMILL_SOURCES=/dir:s3://bucket/prefix make airflow-start"
    )


def _allowed(source: str, roots: Sequence[Path]) -> Path:
    if is_remote(source):
        raise UsageError(
            f"source {source!r} is a URL that is not allowed here: copy the archive to this machine"
        )
    if "\0" in source or not source.startswith("/"):
        raise UsageError(f"source {source!r} is not an absolute path: write it like /data/speech")
    resolved = Path(source).resolve()
    if any(resolved == root or root in resolved.parents for root in roots):
        return resolved
    there = ", ".join(map(str, roots)) or "none"
    leads = f" (it leads to {resolved})" if str(resolved) != source.rstrip("/") else ""
    raise UsageError(
        f"source {source!r}{leads} lies outside the allowed roots: {there}; allow its directory with "
        f"SPEECHMILL_SOURCES=/dir[:/dir] make airflow-start"
    )


# --- what lies below the roots ---

MOST_OFFERED = 200
_OFFERS, _LAST = "offers.json", "last_form.json"
_PARQUET = ".parquet"


@dataclass(frozen=True)
class Bounds:
    """How far the search goes below a root: folders deep, places looked inside anew, and seconds."""

    depth: int = 4
    looks: int = 500
    seconds: float = 60.0


@dataclass(frozen=True)
class Offer:
    """A place below a root. `bytes` is 0 for a folder; `importers` is None where nobody has looked inside yet.

    `name`: its path below the root.
    """

    path: Path
    name: str
    bytes: int
    importers: tuple[str, ...] | None

    @property
    def label(self) -> str:
        """For the form: `LibriSpeech.tar.gz – librispeech, 88.7 MB`."""
        size = f"{self.bytes / 1e6:.1f} MB" if self.bytes else "folder"
        if self.importers is None:
            return f"{self.name} – {size}"
        return f"{self.name} – {' or '.join(self.importers) or 'not recognised'}, {size}"


def offered(store: Store, environ: Mapping[str, str] | None = None) -> list[Offer]:
    """What the form offers, by name; those known to be no corpus come last.

    What lies directly below a root is listed now; what lies deeper is what `look_inside` recognised and still stands.
    """
    roots, known = allowed_roots(os.environ if environ is None else environ), _known(store)
    found: dict[Path, Offer] = {}
    for root in roots:
        for path in _entries_of(root, root):
            found.setdefault(path, _offer(path, root, known.get(_stamp(path))))
    for stamp, importers in known.items():
        path = Path(stamp.rsplit("|", 2)[0])
        above = next((one for one in roots if one in path.parents), None)
        if path in found or above is None or not importers:
            continue
        with contextlib.suppress(OSError):
            if _stamp(path) == stamp and above in path.resolve().parents:
                found[path] = _offer(path, above, importers)
    return sorted(found.values(), key=lambda one: (one.importers == (), one.name, one.path))[:MOST_OFFERED]


def search_ended(store: Store) -> str:
    """Where the search below the roots was cut, as a sentence; "" where all was looked at."""
    said = read_cached(store.cache_dir / _OFFERS)
    return str(said.get("cut", "")) if isinstance(said, dict) else ""


def look_inside(
    store: Store,
    look: Callable[[Path], tuple[str, ...]],
    environ: Mapping[str, str] | None = None,
    bounds: Bounds = Bounds(),
) -> list[Offer]:
    """Look at what is new below the roots, remember what it is; answers what is offered now.

    A folder that is not just one corpus is opened in turn, what lies highest first. What was known already costs nothing,
    so where a search was cut the next one goes on.

    Args:
        look: names the importers that recognise a place.
    """
    roots = allowed_roots(os.environ if environ is None else environ)
    known, there, looks, cut = _known(store), dict[str, tuple[str, ...]](), 0, ""
    end_s = time.monotonic() + bounds.seconds
    row = deque((path, root, 1) for root in roots for path in _entries_of(root, root))
    while row:
        path, root, depth = row.popleft()
        stamp = _stamp(path)
        if stamp in there:
            continue
        if stamp not in known:
            if looks == bounds.looks or time.monotonic() > end_s:
                cut = f"the search ended after {looks:,} places, before {path}: name what lies further by its path"
                break
            looks += 1
        there[stamp] = known[stamp] if stamp in known else look(path)
        if not path.is_dir() or len(there[stamp]) == 1:
            continue
        below = [
            one
            for one in _entries_of(path, root)
            if one.is_dir() or ARCHIVE.search(one.name) or one.name.lower().endswith(_PARQUET)
        ]
        if depth < bounds.depth:
            row.extend((one, root, depth + 1) for one in below)
        elif below and not cut:
            cut = f"folders deeper than {bounds.depth} were not opened, such as {path}: name what lies there by its path"
    places = {stamp: list(names) for stamp, names in there.items()}
    write_json_atomic(store.cache_dir / _OFFERS, {"places": places, "cut": cut})
    return offered(store, environ)


def _offer(path: Path, root: Path, importers: tuple[str, ...] | None) -> Offer:
    return Offer(path, str(path.relative_to(root)), path.stat().st_size if path.is_file() else 0, importers)


def _entries_of(folder: Path, root: Path) -> list[Path]:
    """Readable entries of a folder; what is hidden or leads out of the root is not shown."""
    try:
        entries = sorted(folder.iterdir()) if folder.is_dir() else []
        shown = [one for one in entries if not one.name.startswith(".") and root in one.resolve().parents]
        return [one for one in shown if one.exists()]
    except OSError as error:
        _log.info("%s cannot be listed: %s", folder, error)
        return []


def _stamp(path: Path) -> str:
    status = path.stat()
    return f"{path}|{status.st_size}|{status.st_mtime_ns}"


def _known(store: Store) -> dict[str, tuple[str, ...]]:
    said = read_cached(store.cache_dir / _OFFERS)
    places = said.get("places") if isinstance(said, dict) else None
    return {stamp: tuple(names) for stamp, names in places.items()} if isinstance(places, dict) else {}


def last_form(store: Store) -> dict[str, Any]:
    """What a refresh was asked for last; empty where none was."""
    said = read_cached(store.cache_dir / _LAST)
    return said if isinstance(said, dict) else {}


def remember_form(store: Store, form: Mapping[str, Any]) -> None:
    """Keep what was asked for, to be offered again."""
    write_json_atomic(store.cache_dir / _LAST, dict(form))
