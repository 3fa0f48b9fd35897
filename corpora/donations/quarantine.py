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
from store.corpus import Corpus
from store.errors import NotPublishedError, StoreError
from store.store import Store
from store.writing import explain_write, read_cached, write_bytes_atomic


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
            there = _said(open_corpus(name))
        except NotPublishedError:
            continue
        if there is None and importer != "donated":
            continue  # the name is the importer's own, not what a donor wrote
        if there is None:
            raise SourceError(
                f"the manifest of {name} is damaged, so nobody can say whether it is {facts.donor}'s; if it is, say so "
                f"with --as {name}"
            )
        if (there.get("importer"), there.get("donor")) != (importer, facts.donor):
            owner = there.get("donor") or there.get("importer")
            raise SourceError(
                f"the source calls itself {name!r}, which {owner} has published; choose a name with --as"
            )
    check_licence(store, facts, name)


def _said(corpus: Corpus) -> Mapping[str, Any] | None:
    """The manifest of a corpus, also where it is not the one that was sealed; None where it says nothing."""
    try:
        return corpus.manifest
    except StoreError:
        found = read_cached(corpus.path / "manifest.json")
    return found if isinstance(found, dict) and {"importer", "donor", "licence"} <= found.keys() else None


def check_licence(store: Store, facts: CorpusFacts, name: str) -> None:
    """What the archive says of itself may not give more rights than what was published before.

    Raises:
        SourceError: it would; names both licences.
    """
    if facts.about.get("said_by_hand", True):
        return
    try:
        known = (_said(store.corpus(name)) or {}).get("licence")
    except NotPublishedError:
        return
    if not isinstance(known, str):
        raise SourceError(
            f"the manifest of {name} is damaged, so nobody can say under which licence it was published: state it in a "
            "file given by --donation"
        )
    if widens(facts.licence, known):
        raise SourceError(
            f"{name} is published under {known}; the archive now says {facts.licence} of itself, which gives "
            "more rights: only a file given by --donation can do that"
        )
