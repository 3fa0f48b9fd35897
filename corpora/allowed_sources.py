"""Which sources may be named from outside (the UI, the REST interface): those below agreed roots.

The roots are in $SPEECHMILL_SOURCES, separated by colons; $SPEECHMILL_SOURCES_FILE names a file with the
same content, which wins, so that running processes see a change. Symbolic links are resolved first: a link
below a root that leads elsewhere is refused. No URL is allowed. Nothing is opened here. The command line
does not ask: who has a shell may read what the shell may.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from corpora.errors import UsageError


def allowed_roots(environ: Mapping[str, str]) -> list[Path]:
    """The resolved roots, in their order; relative and empty entries do not count."""
    text = environ.get("SPEECHMILL_SOURCES", "")
    file = environ.get("SPEECHMILL_SOURCES_FILE")
    if file and Path(file).is_file():
        text = Path(file).read_text("utf-8").strip()
    return [Path(entry).resolve() for entry in text.split(":") if entry.startswith("/")]


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


def _allowed(source: str, roots: Sequence[Path]) -> Path:
    if "://" in source:
        raise UsageError(
            f"source {source!r} is a URL; no URL is allowed here: copy the archive to this machine"
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
