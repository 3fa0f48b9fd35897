"""Where corpora wait that nobody may learn from: without a licence, or with text that has no times yet.

    quarantine/<name>/<version>/… + current      as under corpora/, but neither lm nor training ever looks here
    quarantine/<name>/donation.toml              a draft for a person to fill in

`Store.corpus_names` does not list them; `python -m corpora list --quarantine` does.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from corpora.donations.licences import widens
from corpora.errors import SourceError
from corpora.importer import CorpusFacts
from store.errors import NotPublishedError
from store.store import Store
from store.writing import explain_write, write_bytes_atomic


def area(store: Store, facts: Mapping[str, Any]) -> Path:
    """The folder below which a corpus with these facts is published."""
    return store.quarantine_dir if facts.get("quarantine") else store.corpora_dir


def write_draft(store: Store, name: str, draft: str) -> Path:
    """Put a draft of donation.toml beside the quarantined corpus, unless one is there: a person may be at it."""
    path = store.quarantine_dir / name / "donation.toml"
    if not path.exists():
        write_bytes_atomic(path, draft.encode())
    return path


def release(store: Store, name: str) -> None:
    """Take a name out of the list of what waits; its files stay for whoever wants to look."""
    current = store.quarantine_dir / name / "current"
    with explain_write(current):
        current.unlink(missing_ok=True)


def check_claim(store: Store, importer: str, facts: CorpusFacts, name: str) -> None:
    """A name that comes from the source itself must not replace somebody else's corpus, or widen its rights.

    Raises:
        SourceError: it would.
    """
    for open_corpus in (store.corpus, store.quarantined):
        try:
            there = open_corpus(name).manifest
        except NotPublishedError:
            continue
        if (there["importer"], there["donor"]) != (importer, facts.donor):
            owner = there["donor"] or there["importer"]
            raise SourceError(
                f"the source calls itself {name!r}, which {owner} has published; choose a name with --as"
            )
    check_licence(store, facts, name)


def check_licence(store: Store, facts: CorpusFacts, name: str) -> None:
    """What the archive says of itself may not give more rights than what was published before.

    Raises:
        SourceError: it would; names both licences.
    """
    if facts.about.get("said_by_hand", True):
        return
    try:
        known = store.corpus(name).manifest["licence"]
    except NotPublishedError:
        return
    if widens(facts.licence, known):
        raise SourceError(
            f"{name} is published under {known}; the archive now says {facts.licence} of itself, which gives "
            "more rights: only a file given by --donation can do that"
        )
