"""Which sources may be named from outside (the UI, the REST interface): those below agreed roots.

The roots are in $SPEECHMILL_SOURCES, separated by colons; $SPEECHMILL_SOURCES_FILE names a file with the
same content, which wins, so that running processes see a change. Symbolic links are resolved first: a link
below a root that leads elsewhere is refused. A root may be `s3://bucket/prefix`: then what lies below it on S3 may
be named where archives are read; no other URL is allowed. Nothing is opened here. The command line does not ask:
who has a shell may read what the shell may.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from store.errors import UsageError
from store.shared.places import is_remote

_S3 = "s3://"


def allowed_roots(environ: Mapping[str, str]) -> list[Path]:
    """The resolved roots on disks, in their order; relative and empty entries do not count."""
    return [Path(entry).resolve() for entry in _entries(environ) if entry.startswith("/")]


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
