"""One decision about one utterance of a published corpus: found, tried out, added to the list."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from corpora.curation.applying import require_usable
from corpora.curation.decisions import Decision, decide, is_due, read_decisions, require_complete, standing
from corpora.quality.thresholds import Thresholds
from store.corpus import Corpus
from store.errors import UsageError
from store.store import Store

_COLUMNS = [
    "utterance_id", "audio_sha256", "split", "text", "text_raw", "text_rules", "language", "num_samples",
    "sample_rate_hz", "measures", "flags",
]  # fmt: skip


@dataclass(frozen=True)
class Wish:
    """What somebody wants to be decided about an utterance.

    Attributes:
        action: a name of `decisions.ACTIONS`. text: what is said, of `correct` only.
        undoes: the id of the decision to take back; None = what is in force.
    """

    action: str
    utterance_id: str
    by: str
    why: str = ""
    text: str | None = None
    undoes: str | None = None


def curate(store: Store, corpus: Corpus, wish: Wish, row: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Decide, and say what the next version will make of it.

    Args:
        corpus: a version that has the utterance; the decision holds for all that follow.
        row: its row (without sound is enough) where the caller has it; None = it is looked for.

    Returns:
        corpus, decision (see `Decision`), text (what the row will say; None where it will be out), before (what it says).

    Raises:
        UsageError: no such utterance, or nothing to take back. TextRefusedError: the new text could not be used.
    """
    found = dict(row) if row is not None else find_row(corpus, wish.utterance_id)
    wanted = Decision(
        wish.action, found["audio_sha256"], wish.utterance_id, wish.by, wish.why, wish.text, wish.undoes
    )
    require_complete(wanted)
    text: str | None = found["text"]
    if wish.action == "correct":
        text = require_usable(found, wanted, Thresholds(**corpus.manifest["thresholds"]), store.alphabets_dir)
    added = decide(store, corpus.name, wanted)
    return {
        "corpus": corpus.name,
        "decision": added.as_json(),
        "text": None if wish.action == "flag" else text,
        "before": found["text"],
    }


def find_row(corpus: Corpus, utterance_id: str) -> dict[str, Any]:
    """The row of an utterance without its sound.

    Raises:
        UsageError: this version has no such utterance.
    """
    import pyarrow.compute as pc

    for batch in corpus.batches(columns=_COLUMNS):
        hit = batch.filter(pc.equal(batch["utterance_id"], utterance_id))
        if hit.num_rows:
            row: dict[str, Any] = hit.slice(0, 1).to_pylist()[0]
            return row
    raise UsageError(
        f"{corpus.name} {corpus.version} has no utterance {utterance_id!r}; an older version may: --version"
    )


def overview(store: Store, corpus: Corpus) -> dict[str, Any]:
    """The list of a corpus: corpus, version, due (whether the next refresh brings something), decisions, in_force."""
    decisions = read_decisions(store, corpus.name)
    return {
        "corpus": corpus.name,
        "version": corpus.version,
        "due": is_due(store, corpus),
        "decisions": [decision.as_json() for decision in decisions],
        "in_force": sorted(decision.id for decision in standing(decisions).values()),
    }
