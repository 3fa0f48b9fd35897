"""Which sources may be named from outside (the UI, the REST interface): those below agreed roots.

The roots are in $SPEECHMILL_SOURCES, separated by colons; $SPEECHMILL_SOURCES_FILE names a file with the
same content, which wins, so that running processes see a change. Symbolic links are resolved first: a link
below a root that leads elsewhere is refused. A root may be `s3://bucket/prefix`: then what lies below it on S3 may
be named where archives are read; no other URL is allowed. No source is opened here. The command line does not ask:
who has a shell may read what the shell may.

What lies directly below the roots is offered by the form:

    cache/offers.json       what was found inside each, by path, size and time: looked at once
    cache/last_form.json    what a refresh was asked for last

Listing names costs nothing; what looks inside is handed in (`corpora.refresh.preview`).
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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


@dataclass(frozen=True)
class Offer:
    """A place below a root. `bytes` is 0 for a folder; `importers` is None where nobody has looked inside yet."""

    path: Path
    bytes: int
    importers: tuple[str, ...] | None

    @property
    def label(self) -> str:
        """For the form: `LibriSpeech.tar.gz – librispeech, 88.7 MB`."""
        size = f"{self.bytes / 1e6:.1f} MB" if self.bytes else "folder"
        if self.importers is None:
            return f"{self.path.name} – {size}"
        return f"{self.path.name} – {' or '.join(self.importers) or 'not recognised'}, {size}"


def offered(store: Store, environ: Mapping[str, str] | None = None) -> list[Offer]:
    """What lies directly below the allowed roots, by name; those known to be no corpus come last."""
    known = _known(store)
    found = [
        Offer(path, path.stat().st_size if path.is_file() else 0, known.get(_stamp(path)))
        for path in _places(os.environ if environ is None else environ)
    ]
    return sorted(found, key=lambda one: (one.importers == (), one.path.name, one.path))[:MOST_OFFERED]


def look_inside(
    store: Store, look: Callable[[Path], tuple[str, ...]], environ: Mapping[str, str] | None = None
) -> list[Offer]:
    """Look at what is new below the roots, remember what it is; answers what is offered now.

    Args:
        look: names the importers that recognise a place.
    """
    known, there = _known(store), {}
    for path in _places(os.environ if environ is None else environ):
        stamp = _stamp(path)
        there[stamp] = known[stamp] if stamp in known else look(path)
    write_json_atomic(store.cache_dir / _OFFERS, {stamp: list(names) for stamp, names in there.items()})
    return offered(store, environ)


def _places(environ: Mapping[str, str]) -> list[Path]:
    """Readable entries of the roots; what is hidden or leads out of its root is not shown."""
    places: list[Path] = []
    for root in allowed_roots(environ):
        try:
            entries = sorted(root.iterdir()) if root.is_dir() else []
            places += [
                one for one in entries if not one.name.startswith(".") and root in one.resolve().parents
            ]
        except OSError as error:
            _log.info("%s cannot be listed: %s", root, error)
    return [one for one in places if one.exists()]


def _stamp(path: Path) -> str:
    status = path.stat()
    return f"{path}|{status.st_size}|{status.st_mtime_ns}"


def _known(store: Store) -> dict[str, tuple[str, ...]]:
    said = read_cached(store.cache_dir / _OFFERS)
    return {stamp: tuple(names) for stamp, names in said.items()} if isinstance(said, dict) else {}


def last_form(store: Store) -> dict[str, Any]:
    """What a refresh was asked for last; empty where none was."""
    said = read_cached(store.cache_dir / _LAST)
    return said if isinstance(said, dict) else {}


def remember_form(store: Store, form: Mapping[str, Any]) -> None:
    """Keep what was asked for, to be offered again."""
    write_json_atomic(store.cache_dir / _LAST, dict(form))
