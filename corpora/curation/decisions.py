"""The curation list of a corpus: who decided what about which sound, when and why; only ever added to.

`<store>/corpora/<name>/curation.jsonl` has one JSON object a line; a second file holds the same, for no source can give
it again. A decision belongs to a sound by the hash of its samples, so that it outlives another normaliser, another
release of the source and another import. `flag` takes a row out, `correct` gives it another text, `undo` takes a decision
back; what stands is what the last decision says that nobody took back. Every line names the line before by its hash:
a list that was edited by hand is noticed. This module knows no row and no rule; `applying.py` does.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from store.corpus import Corpus
from store.errors import StoreError, UsageError
from store.store import Store
from store.writing import write_bytes_atomic

NOTES = ("curation.jsonl", "curation.copy.jsonl")
ACTIONS = ("flag", "correct", "undo")
MOST_LETTERS = 10_000
_WAIT_S = 10.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Decision:
    """One line of the list.

    Attributes:
        action: `flag`, `correct` or `undo`.
        audio_sha256: of the samples, as the column of that name has it.
        utterance_id: how the utterance was called when it was decided; for people.
        by, why: who decided it, and the reason that was given.
        text: what is said, as the listener wrote it; of `correct` only.
        undoes: the id of the decision that is taken back; of `undo` only.
        at: when, UTC, to the second. before: id of the line before, "" for the first.
    """

    action: str
    audio_sha256: str
    utterance_id: str
    by: str
    why: str = ""
    text: str | None = None
    undoes: str | None = None
    at: str = ""
    before: str = ""

    @property
    def line(self) -> bytes:
        """The line as it stands in the file."""
        return json.dumps(asdict(self), sort_keys=True, ensure_ascii=False).encode() + b"\n"

    @property
    def id(self) -> str:
        """16 hex digits, a hash of the line."""
        return hashlib.sha256(self.line).hexdigest()[:16]

    def as_json(self) -> dict[str, Any]:
        """For --json and for pages."""
        return {"id": self.id, **asdict(self)}


def read_decisions(store: Store, name: str) -> list[Decision]:
    """All decisions about a corpus, oldest first; [] where there is none.

    Raises:
        StoreError: the list and its copy are damaged; nothing of the corpus is made anew until one is mended.
    """
    places = [store.corpora_dir / name / note for note in NOTES]
    if not any(place.exists() for place in places):
        return []
    for place in places:
        found = _decisions_in(place)
        if found is not None:
            if place != places[0]:
                _log.warning("%s is damaged; its copy %s says what was decided", places[0], place.name)
            return found
    raise StoreError(
        f"{places[0]} and its copy are damaged, and they are the only record of what listeners decided about {name}: "
        "bring one back from a backup, or delete both to begin anew; until then no new version of it is made"
    )


def _decisions_in(path: Path) -> list[Decision] | None:
    """The decisions of a file whose every line names the one before; None where that is not so."""
    found: list[Decision] = []
    try:
        for line in path.read_bytes().splitlines(keepends=True):
            decision = Decision(**json.loads(line))
            if decision.line != line or decision.before != (found[-1].id if found else ""):
                return None
            found.append(decision)
    except (OSError, ValueError, TypeError, RecursionError):
        return None
    return found


def standing(decisions: Iterable[Decision]) -> dict[str, Decision]:
    """What is in force, by `audio_sha256`: the last flag or correction of each sound that was not taken back."""
    stacks: dict[str, list[Decision]] = {}
    for decision in decisions:
        stack = stacks.setdefault(decision.audio_sha256, [])
        if decision.action == "undo":
            stacks[decision.audio_sha256] = [kept for kept in stack if kept.id != decision.undoes]
        else:
            stack.append(decision)
    return {audio: stack[-1] for audio, stack in stacks.items() if stack}


def mark_of(decisions: dict[str, Decision]) -> str:
    """A hash of what is in force; "" where nothing is."""
    if not decisions:
        return ""
    lines = [decisions[audio].id for audio in sorted(decisions)]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


def curation_mark(store: Store, name: str) -> str:
    """A hash of what is in force for a corpus: a version made before somebody decided is not up to date."""
    return mark_of(standing(read_decisions(store, name)))


def is_due(store: Store, corpus: Corpus) -> bool:
    """Whether the list says something that a version does not know yet."""
    known = (corpus.manifest.get("curation") or {}).get("mark", "")
    return bool(curation_mark(store, corpus.name) != known)


def decide(store: Store, name: str, decision: Decision) -> Decision:
    """Add a decision to the list of a corpus; answers it with its time and its place in the list.

    An `undo` without `undoes` takes back what is in force for the sound.

    Raises:
        UsageError: nobody is named, the text is missing or too long, or there is nothing to take back.
        StoreError: the list is damaged or cannot be written, or a refresh of the corpus is being sealed.
    """
    require_complete(decision)
    with store.lock(f"corpus-{name}", wait_s=_WAIT_S):
        before = read_decisions(store, name)
        undoes = decision.undoes
        if decision.action == "undo":
            undoes = _undone(before, decision)
        said = {**asdict(decision), "undoes": undoes, "before": before[-1].id if before else ""}
        added = Decision(**{**said, "at": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")})
        data = b"".join(one.line for one in [*before, added])
        for note in reversed(NOTES):
            write_bytes_atomic(store.corpora_dir / name / note, data)
    return added


def _undone(before: list[Decision], decision: Decision) -> str:
    """The id of what an `undo` takes back."""
    mine = [one for one in before if one.audio_sha256 == decision.audio_sha256]
    gone = {one.undoes for one in mine if one.action == "undo"}
    left = [one.id for one in mine if one.action != "undo" and one.id not in gone]
    if not left or (decision.undoes is not None and decision.undoes not in left):
        raise UsageError(f"nothing is in force for {decision.utterance_id} that could be taken back")
    return decision.undoes or left[-1]


def require_complete(decision: Decision) -> None:
    """Refuse a decision that says too little or too much.

    Raises:
        UsageError: says what is wrong.
    """
    if decision.action not in ACTIONS:
        raise UsageError(f"{decision.action!r} is no decision; there are: {', '.join(ACTIONS)}")
    if len(decision.audio_sha256) != 64 or not decision.by.strip():
        raise UsageError("a decision names a sound and who decides")
    if (decision.action == "correct") != bool((decision.text or "").strip()):
        raise UsageError("a correction needs the text that is said, and nothing else has one")
    long = [
        name
        for name in ("by", "why", "text", "utterance_id")
        if len(getattr(decision, name) or "") > MOST_LETTERS
    ]
    if long:
        raise UsageError(f"{long[0]} has more than {MOST_LETTERS} letters")
